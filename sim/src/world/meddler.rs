//! A stranger between the system and its ports: how a faulty variant of the system is made without touching it.

use recovery::ports::{Disk, Ports};
use std::fmt::Debug;
use std::sync::Arc;

/// Puts wrappers round the ports of the system's own hosts: the service and the workers. The operator, the application
/// and the machines keep what is true. One value serves one run and may keep what it has seen in it.
pub trait Meddler: Debug + Send + Sync {
    /// The ports that a host of the system gets in the place of its own, at each of its starts.
    fn ports(&self, host: &str, ports: Ports) -> Ports {
        let _ = host;
        ports
    }

    /// The disk that the service gets in the place of its own, at each of its starts.
    fn disk(&self, disk: Arc<dyn Disk>) -> Arc<dyn Disk> {
        disk
    }
}
