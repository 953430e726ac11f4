//! The operator's handle: all faults, the truth about instances, and guests on the application host.

use super::faults::{FaultError, Faults};
use crate::servers::Rack;
use futures_util::future::LocalBoxFuture;
use recovery::model::InstanceId;
use recovery::model::backup::Node;
use recovery::model::photograph::Photograph;
use recovery::ports::{Ports, Vault};
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;
use tokio::sync::Notify;

/// The host on which the users' own application runs.
pub const APPLICATION: &str = "application";

/// A host of somebody whom no whitelist names; there only in worlds that ask for it.
pub const STRANGER: &str = "stranger";

type Guest = Box<dyn FnOnce(Ports) -> LocalBoxFuture<'static, ()>>;

/// What the operator can do. Clones are the same handle; all of [`Faults`] can be called on it.
#[derive(Clone)]
pub struct Control {
    faults: Faults,
    rack: Rack,
    vault: Vault,
    seed: u64,
    guests: BTreeMap<&'static str, Guests>,
}

impl Deref for Control {
    type Target = Faults;

    fn deref(&self) -> &Faults {
        &self.faults
    }
}

impl Control {
    pub(crate) fn new(
        faults: Faults,
        rack: Rack,
        vault: Vault,
        seed: u64,
        guests: BTreeMap<&'static str, Guests>,
    ) -> Self {
        Self { faults, rack, vault, seed, guests }
    }

    pub(super) fn rack(&self) -> &Rack {
        &self.rack
    }

    pub(super) fn vault(&self) -> &Vault {
        &self.vault
    }

    pub(super) fn seed(&self) -> u64 {
        self.seed
    }

    /// The content of an instance as it truly is, whatever the system says of it.
    #[must_use]
    pub fn photograph(&self, instance: &InstanceId) -> Option<Arc<Photograph>> {
        self.rack.photograph(instance)
    }

    /// The content of one node of an instance, where its engine tells its nodes apart (Redis).
    #[must_use]
    pub fn photograph_node(&self, instance: &InstanceId, node: Node) -> Option<Arc<Photograph>> {
        self.rack.photograph_node(instance, node)
    }

    /// The keys of one node of a Redis instance, by logical database.
    #[must_use]
    pub fn node_keys(&self, instance: &InstanceId, node: Node) -> Option<BTreeMap<String, Vec<String>>> {
        self.rack.node_keys(instance, node)
    }

    /// The machine an instance is on.
    #[must_use]
    pub fn machine_of(&self, instance: &InstanceId) -> Option<String> {
        self.rack.machine_of(instance)
    }

    /// Runs a future on the application's or the stranger's host, with that host's ports, until it ends or the host crashes.
    ///
    /// # Errors
    /// When the host is another one: the others run nothing but their own program.
    pub fn spawn_on(
        &self,
        host: &str,
        guest: impl FnOnce(Ports) -> LocalBoxFuture<'static, ()> + 'static,
    ) -> Result<(), FaultError> {
        let guests = self.guests.get(host).ok_or_else(|| FaultError::TakesNoGuests(host.to_owned()))?;
        guests.0.waiting.borrow_mut().push_back(Box::new(guest));
        guests.0.arrival.notify_one();
        self.faults.call(host);
        Ok(())
    }
}

/// Futures on their way to the application host. Those not begun yet outlive its crash.
#[derive(Clone, Default)]
pub(crate) struct Guests(Rc<Lobby>);

#[derive(Default)]
struct Lobby {
    waiting: RefCell<VecDeque<Guest>>,
    arrival: Notify,
}

impl Guests {
    /// The application host's program.
    pub(crate) async fn serve(self, ports: Ports) {
        loop {
            loop {
                let next = self.0.waiting.borrow_mut().pop_front();
                let Some(guest) = next else { break };
                tokio::task::spawn_local(guest(ports.clone()));
            }
            self.0.arrival.notified().await;
        }
    }
}
