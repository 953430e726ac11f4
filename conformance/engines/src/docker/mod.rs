//! Containers: started through testcontainers, commanded through its client, and never left behind.

mod container;
mod process;
mod sweep;
mod transfer;

pub use container::{Container, ContainerOrder};
pub use process::{Command, Output, Process};
pub use transfer::{Stored, give, take};

use crate::images::Image;
use std::path::Path;
use std::sync::Arc;
use sweep::Owner;
use testcontainers::bollard;
use testcontainers::bollard::query_parameters::{ListImagesOptions, RemoveContainerOptions};
use testcontainers::runners::AsyncRunner;
use testcontainers::{GenericImage, TestcontainersError};
use thiserror::Error;

/// Why a container engine did not do it.
#[derive(Debug, Error)]
pub enum DockerError {
    /// No container engine answers.
    #[error("no container engine answers: {0}")]
    NoEngine(String),
    /// The image is not there and cannot be pulled, or the container does not start.
    #[error("container of {image}: {why}")]
    NotStarted {
        /// Image.
        image: String,
        /// Why.
        why: String,
    },
    /// An order to a container failed.
    #[error("container: {0}")]
    Container(String),
    /// A program in a container ended badly.
    #[error("{program} ended with {code}: {said}")]
    Program {
        /// Program.
        program: String,
        /// Exit code.
        code: i64,
        /// The end of what it said.
        said: String,
    },
    /// The vault did not take or give it.
    #[error("vault: {0}")]
    Vault(String),
}

impl From<bollard::errors::Error> for DockerError {
    fn from(error: bollard::errors::Error) -> Self {
        Self::Container(error.to_string())
    }
}

/// A container engine. All containers started through it bear its run's label, and are gone when it is closed or dropped.
/// Clones are the same handle.
#[derive(Clone)]
pub struct Docker(Arc<Inner>);

struct Inner {
    client: bollard::Docker,
    owner: Owner,
}

impl Docker {
    /// The container engine of this machine. What runs that died left behind is removed.
    ///
    /// # Errors
    /// When none answers.
    pub async fn connect() -> Result<Self, DockerError> {
        let client = testcontainers::core::client::docker_client_instance().await;
        let client = client.map_err(|error| DockerError::NoEngine(error.to_string()))?;
        client.ping().await.map_err(|error| DockerError::NoEngine(error.to_string()))?;
        let owner = Owner::new().map_err(|error| DockerError::Container(error.to_string()))?;
        sweep::left_behind(&client).await?;
        Ok(Self(Arc::new(Inner { client, owner })))
    }

    /// Starts a container.
    ///
    /// # Errors
    /// When there is no such image, or the container does not start.
    pub async fn start(&self, order: ContainerOrder) -> Result<Container, DockerError> {
        let labels = self.0.owner.labels();
        Container::start(self.0.client.clone(), labels, order).await
    }

    /// A folder of this run's own; gone with it.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.0.owner.folder()
    }

    /// Sees to it that an image is here: one that is not is pulled.
    ///
    /// # Errors
    /// When it cannot be had.
    pub async fn provide(&self, image: &Image) -> Result<(), DockerError> {
        if self.0.client.inspect_image(&image.to_string()).await.is_ok() {
            return Ok(());
        }
        let pulled = GenericImage::new(image.name(), image.tag()).pull_image().await;
        let why =
            |error: TestcontainersError| DockerError::NotStarted { image: image.to_string(), why: error.to_string() };
        pulled.map(drop).map_err(why)
    }

    /// Removes every container of this run.
    ///
    /// # Errors
    /// When the engine refuses.
    pub async fn close(&self) -> Result<(), DockerError> {
        sweep::of_owner(&self.0.client, self.0.owner.run()).await
    }

    /// Names with tags of the images that are here.
    ///
    /// # Errors
    /// When the engine refuses.
    pub async fn images(&self) -> Result<Vec<String>, DockerError> {
        let images = self.0.client.list_images(None::<ListImagesOptions>).await?;
        Ok(images.into_iter().flat_map(|image| image.repo_tags).collect())
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        sweep::in_a_thread(self.owner.run().to_owned());
    }
}

/// Removes a container with its volumes, however it is.
async fn remove(client: &bollard::Docker, id: &str) -> Result<(), DockerError> {
    let how = RemoveContainerOptions { v: true, force: true, link: false };
    match client.remove_container(id, Some(how)).await {
        Ok(()) => Ok(()),
        // It is gone, or on its way.
        Err(bollard::errors::Error::DockerResponseServerError { status_code: 404 | 409, .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
