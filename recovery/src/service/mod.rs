//! The service: the shell around the decisions. It keeps the state on its disk, does what is due and answers requests.

mod answer;
mod control;
mod keeper;
mod store;
#[cfg(test)]
mod tests;
mod work;

pub use answer::{Answer, Known, Once, View, no_instance};
pub use keeper::{Alone, Keeper};

use crate::api;
use crate::model::Secret;
use crate::model::policy::Policy;
use crate::ports::{Disk, Listener, Ports, Stream};
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use std::sync::Arc;
use store::Store;
use thiserror::Error;
use tokio::task::JoinSet;

/// How a service is set up.
#[derive(Debug, Clone)]
pub struct ServiceConfig {
    /// Documented numbers and choices.
    pub policy: Policy,
    /// Port it listens on.
    pub port: u16,
    /// Token of the users of the interface.
    pub access_token: Secret,
    /// Token of the workers.
    pub worker_token: Secret,
}

/// Why a service stopped. The host starts it again on the same disk.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ServiceError {
    /// The store cannot be read or written.
    #[error("store: {0}")]
    Store(String),
    /// The port cannot be listened on.
    #[error("network: {0}")]
    Network(String),
    /// A part of the service broke off in the middle of its work.
    #[error("a part of the service broke off in the middle of its work")]
    Panicked,
}

/// Runs the service until it fails. All it started ends when this future is dropped.
///
/// # Errors
/// When the store or the port cannot be used; the state on the disk is whole then.
pub async fn run(ports: Ports, disk: Arc<dyn Disk>, config: ServiceConfig) -> Result<(), ServiceError> {
    let (store, state) = Store::open(&*disk)?;
    let keeper = Arc::new(Keeper::new(store, state, config.policy, &ports));
    let listener = ports.network.listen(config.port).await.map_err(|error| ServiceError::Network(error.to_string()))?;
    let (cloud, vault) = (Arc::clone(&ports.cloud), Arc::clone(&ports.vault));
    let router = api::router(Arc::clone(&keeper), cloud, vault, &config.access_token, &config.worker_token);
    tokio::select! {
        biased;
        error = control::run(keeper, &ports) => Err(error),
        error = serve(listener, router) => Err(error),
    }
}

async fn serve(mut listener: Box<dyn Listener>, router: Router) -> ServiceError {
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(connections.spawn(connection(stream, router.clone()))),
            Err(error) => return ServiceError::Network(error.to_string()),
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn connection(stream: Box<dyn Stream>, router: Router) {
    // No date header and no timer: time comes from the clock of the host alone.
    let mut server = http1::Builder::new();
    server.auto_date_header(false).keep_alive(true);
    if let Err(error) = server.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router)).await {
        tracing::debug!(%error, "a connection broke");
    }
}
