//! The ports: all the recovery system knows of the world it runs in.
//!
//! Each has a simulated and a real implementation elsewhere; nothing in this crate tells them apart. The vault is
//! [`object_store::ObjectStore`] as it is.

pub mod clock;
pub mod cloud;
pub mod database;
pub mod dice;
pub mod disk;
pub mod network;

pub use clock::Clock;
pub use cloud::Cloud;
pub use database::{Database, Session};
pub use dice::Dice;
pub use disk::Disk;
pub use network::{Listener, Network, Stream};

use std::sync::Arc;

/// Where backups lie.
pub type Vault = Arc<dyn object_store::ObjectStore>;

/// The ports together, as one host of the system sees them.
#[derive(Clone)]
pub struct Ports {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Connections.
    pub network: Arc<dyn Network>,
    /// Sessions with database servers.
    pub database: Arc<dyn Database>,
    /// Making and taking down of instances.
    pub cloud: Arc<dyn Cloud>,
    /// Where backups lie.
    pub vault: Vault,
    /// Ids and jitter.
    pub dice: Arc<dyn Dice>,
}
