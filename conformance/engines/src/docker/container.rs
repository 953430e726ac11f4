//! One container: started, stopped, killed, paused, cut off, and asked where it is reached.

use super::{Command, DockerError, Output, Process, remove};
use crate::images::Image;
use futures_util::TryStreamExt;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use testcontainers::bollard;
use testcontainers::bollard::models::{NetworkConnectRequest, NetworkDisconnectRequest};
use testcontainers::bollard::query_parameters::{
    InspectContainerOptions, KillContainerOptions, LogsOptions, StartContainerOptions, StopContainerOptions,
};
use testcontainers::core::{IntoContainerPort, Mount};
use testcontainers::runners::AsyncRunner;
use testcontainers::{GenericImage, ImageExt};

/// The file whose coming lets a gated container's server start.
const GATE: &str = "/firedrill.go";

/// What stands before a gated server: it waits for the gate, then becomes the image's own entry point.
const WAITS: &str = "until [ -e /firedrill.go ]; do sleep 0.05; done; exec docker-entrypoint.sh \"$@\"";

/// The network containers are on.
const NETWORK: &str = "bridge";

/// How long the start of a container may take, with the pulling of its image.
const STARTING: Duration = Duration::from_secs(600);

/// What a container is to be.
#[derive(Debug, Clone)]
pub struct ContainerOrder {
    /// Image.
    pub image: Image,
    /// The port its server listens on.
    pub port: u16,
    /// Environment.
    pub environment: Vec<(String, String)>,
    /// Arguments, the server's program first.
    pub arguments: Vec<String>,
    /// Folders that are small file systems in memory, with their size in bytes. They are lost when the container stops.
    pub small_disks: Vec<(String, i64)>,
    /// Files that are there before it starts, by path.
    pub files: Vec<(String, Vec<u8>)>,
    /// Whether its server starts only after [`Container::open`]: until then files can be streamed in by [`Container::run`].
    pub gated: bool,
}

impl ContainerOrder {
    /// A container of an image whose server listens on a port, with what the image itself says.
    #[must_use]
    pub fn new(image: Image, port: u16) -> Self {
        Self { image, port, environment: vec![], arguments: vec![], small_disks: vec![], files: vec![], gated: false }
    }

    /// With a variable of its environment.
    #[must_use]
    pub fn variable(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// With arguments, the server's program first.
    #[must_use]
    pub fn arguments<S: Into<String>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }
}

/// A container. Clones are the same container; it stays until it is removed or its [`super::Docker`] is closed.
#[derive(Clone)]
pub struct Container(Arc<Inner>);

struct Inner {
    client: bollard::Docker,
    id: String,
    port: u16,
}

impl Container {
    pub(super) async fn start(
        client: bollard::Docker,
        labels: HashMap<String, String>,
        order: ContainerOrder,
    ) -> Result<Self, DockerError> {
        let port = order.port;
        let mut image = GenericImage::new(order.image.name(), order.image.tag()).with_exposed_port(port.tcp());
        let mut arguments = order.arguments;
        if order.gated {
            image = image.with_entrypoint("sh");
            let first = ["-c", WAITS, "docker-entrypoint.sh"].map(str::to_owned);
            arguments.splice(0..0, first);
        }
        let mut request = image.with_labels(labels).with_startup_timeout(STARTING);
        if !arguments.is_empty() {
            request = request.with_cmd(arguments);
        }
        for (name, value) in order.environment {
            request = request.with_env_var(name, value);
        }
        for (folder, bytes) in order.small_disks {
            request = request.with_mount(Mount::tmpfs_mount(folder).with_size_bytes(bytes));
        }
        for (path, bytes) in order.files {
            request = request.with_copy_to(path, bytes);
        }
        let started = request.start().await;
        let not_started = |why: String| DockerError::NotStarted { image: order.image.to_string(), why };
        let started = started.map_err(|error| not_started(error.to_string()))?;
        let id = started.id().to_owned();
        // Its destructor waits in place, which no task of one thread may; all containers are removed by their label.
        std::mem::forget(started);
        Ok(Self(Arc::new(Inner { client, id, port })))
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// Lets the server of a gated container start.
    ///
    /// # Errors
    /// When the container is not running.
    pub async fn open(&self) -> Result<(), DockerError> {
        self.run(Command::new(["touch", GATE])).await.map(drop)
    }

    /// Where its server is reached, `host:port`; another one after each start.
    ///
    /// # Errors
    /// When it is not running.
    pub async fn endpoint(&self) -> Result<String, DockerError> {
        let found = self.0.client.inspect_container(self.id(), None::<InspectContainerOptions>).await?;
        let ports = found.network_settings.and_then(|settings| settings.ports).unwrap_or_default();
        let bound = ports.get(&format!("{}/tcp", self.0.port)).cloned().flatten().unwrap_or_default();
        let port = bound.into_iter().find_map(|binding| binding.host_port);
        let port = port.ok_or_else(|| DockerError::Container("its port is reached from nowhere".into()))?;
        Ok(format!("{}:{port}", host()))
    }

    /// Its address on the containers' own network, where other containers reach it.
    ///
    /// # Errors
    /// When it is not running.
    pub async fn address(&self) -> Result<String, DockerError> {
        let found = self.0.client.inspect_container(self.id(), None::<InspectContainerOptions>).await?;
        let networks = found.network_settings.and_then(|settings| settings.networks).unwrap_or_default();
        let mut addresses = networks.into_values().filter_map(|network| network.ip_address);
        let address = addresses.find(|address| !address.is_empty());
        address.ok_or_else(|| DockerError::Container("it is on no network".into()))
    }

    /// Whether it is running (paused counts).
    ///
    /// # Errors
    /// When it is gone.
    pub async fn is_running(&self) -> Result<bool, DockerError> {
        let found = self.0.client.inspect_container(self.id(), None::<InspectContainerOptions>).await?;
        Ok(found.state.and_then(|state| state.running).unwrap_or(false))
    }

    /// The end of what its server wrote on its screen.
    ///
    /// # Errors
    /// When it is gone.
    pub async fn log(&self, lines: usize) -> Result<String, DockerError> {
        let options = LogsOptions { stdout: true, stderr: true, tail: lines.to_string(), ..LogsOptions::default() };
        let parts: Vec<_> = self.0.client.logs(self.id(), Some(options)).try_collect().await?;
        Ok(parts.iter().map(ToString::to_string).collect())
    }

    /// Starts a program in it.
    ///
    /// # Errors
    /// When the container is not running.
    pub async fn spawn(&self, command: Command) -> Result<Process, DockerError> {
        Process::start(&self.0.client, self.id(), command).await
    }

    /// Runs a program in it to its end; one that ends badly is an error.
    ///
    /// # Errors
    /// When it cannot be run, or ends badly.
    pub async fn run(&self, command: Command) -> Result<Output, DockerError> {
        self.spawn(command).await?.output().await?.well()
    }

    /// Starts it again after [`Self::stop`] or [`Self::kill`], with all that was on its disk.
    ///
    /// # Errors
    /// When the engine refuses.
    pub async fn restart(&self) -> Result<(), DockerError> {
        Ok(self.0.client.start_container(self.id(), None::<StartContainerOptions>).await?)
    }

    /// Stops its server in order, within some seconds.
    ///
    /// # Errors
    /// When the engine refuses.
    pub async fn stop(&self, seconds: i32) -> Result<(), DockerError> {
        let how = StopContainerOptions { t: Some(seconds), ..StopContainerOptions::default() };
        Ok(self.0.client.stop_container(self.id(), Some(how)).await?)
    }

    /// Kills its server; one that is not running is no error.
    ///
    /// # Errors
    /// When the engine refuses.
    pub async fn kill(&self) -> Result<(), DockerError> {
        match self.0.client.kill_container(self.id(), None::<KillContainerOptions>).await {
            Ok(()) | Err(bollard::errors::Error::DockerResponseServerError { status_code: 409, .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Sends its server a signal.
    ///
    /// # Errors
    /// When the engine refuses.
    pub async fn signal(&self, name: &str) -> Result<(), DockerError> {
        let how = KillContainerOptions { signal: name.to_owned() };
        Ok(self.0.client.kill_container(self.id(), Some(how)).await?)
    }

    /// Has it stand still.
    ///
    /// # Errors
    /// When the engine refuses.
    pub async fn pause(&self) -> Result<(), DockerError> {
        Ok(self.0.client.pause_container(self.id()).await?)
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// When the engine refuses.
    pub async fn unpause(&self) -> Result<(), DockerError> {
        Ok(self.0.client.unpause_container(self.id()).await?)
    }

    /// Takes it off its network.
    ///
    /// # Errors
    /// When the engine refuses.
    pub async fn disconnect(&self) -> Result<(), DockerError> {
        let order = NetworkDisconnectRequest { container: self.id().to_owned(), force: Some(true) };
        Ok(self.0.client.disconnect_network(NETWORK, order).await?)
    }

    /// Puts it back on its network.
    ///
    /// # Errors
    /// When the engine refuses.
    pub async fn reconnect(&self) -> Result<(), DockerError> {
        let order = NetworkConnectRequest { container: self.id().to_owned(), ..NetworkConnectRequest::default() };
        Ok(self.0.client.connect_network(NETWORK, order).await?)
    }

    /// Removes it with all it holds; one that is gone is no error.
    ///
    /// # Errors
    /// When the engine refuses.
    pub async fn remove(&self) -> Result<(), DockerError> {
        remove(&self.0.client, self.id()).await
    }
}

/// The host on which containers' ports are reached: this machine, unless the engine is said to be on another one.
fn host() -> String {
    let named = std::env::var("DOCKER_HOST").ok().and_then(|address| {
        let rest = address.strip_prefix("tcp://")?;
        Some(rest.rsplit_once(':').map_or(rest, |(host, _)| host).to_owned())
    });
    named.unwrap_or_else(|| "127.0.0.1".to_owned())
}
