//! The durable content of all machines: which instance each holds, and that instance's server.

use super::backup::Fetched;
use super::front::Birth;
use super::functions::lock;
use super::hosted::Hosted;
use super::log::LogEntry;
use super::redis::Redis;
use super::server::Server;
use jiff::{SignedDuration, Timestamp};
use recovery::model::backup::Node;
use recovery::model::photograph::Photograph;
use recovery::model::{Engine, InstanceId};
use recovery::ports::Clock;
use recovery::ports::clock::later;
use recovery::ports::cloud::{CloudError, Content, InstanceOrder, Made};
use recovery::ports::database::DatabaseError;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

/// The machines' disks. What a machine committed stays here when the machine itself crashes.
#[derive(Clone)]
pub struct Rack {
    pub(super) inner: Arc<Mutex<Inner>>,
}

pub(super) struct Inner {
    seed: u64,
    /// Machines in the order they are taken.
    pub(super) names: Vec<String>,
    /// Machines whose disk is full.
    pub(super) full: BTreeSet<String>,
    slots: BTreeMap<String, Slot>,
    /// The machines' clocks, known once they ran.
    clocks: BTreeMap<String, Arc<dyn Clock>>,
}

/// What is on a machine.
enum Slot {
    Free,
    /// An instance is to be made there, or its making was cut off.
    Reserved(InstanceId),
    Holds(Hosted),
}

impl Slot {
    fn instance(&self) -> Option<&InstanceId> {
        match self {
            Self::Free => None,
            Self::Reserved(instance) => Some(instance),
            Self::Holds(server) => Some(&server.instance),
        }
    }
}

impl Rack {
    /// Empty machines.
    pub fn new(seed: u64, machines: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let names: Vec<String> = machines.into_iter().map(Into::into).collect();
        let slots = names.iter().map(|name| (name.clone(), Slot::Free)).collect();
        Self {
            inner: Arc::new(Mutex::new(Inner { seed, names, full: BTreeSet::new(), slots, clocks: BTreeMap::new() })),
        }
    }

    /// The canonical content of an instance, looked at directly: no network, no time.
    #[must_use]
    pub fn photograph(&self, instance: &InstanceId) -> Option<Arc<Photograph>> {
        let machine = self.machine_of(instance)?;
        match self.on(&machine, instance, |server| server.photograph())? {
            Ok(photograph) => Some(photograph),
            Err(error) => {
                tracing::error!(%instance, %error, "an instance cannot be photographed");
                None
            }
        }
    }

    /// The canonical content of one node of an instance, where its engine tells its nodes apart (Redis).
    #[must_use]
    pub fn photograph_node(&self, instance: &InstanceId, node: Node) -> Option<Arc<Photograph>> {
        let machine = self.machine_of(instance)?;
        self.on(&machine, instance, |server| server.photograph_node(node))?.map(Arc::new)
    }

    /// The keys of one node of a Redis instance, by logical database.
    #[must_use]
    pub fn node_keys(&self, instance: &InstanceId, node: Node) -> Option<BTreeMap<String, Vec<String>>> {
        let machine = self.machine_of(instance)?;
        self.on(&machine, instance, |server| server.node_keys(node))?
    }

    /// The machine an instance is on, or is to be made on.
    #[must_use]
    pub fn machine_of(&self, instance: &InstanceId) -> Option<String> {
        let inner = lock(&self.inner);
        let found = inner.slots.iter().find(|(_, slot)| slot.instance() == Some(instance));
        found.map(|(machine, _)| machine.clone())
    }

    /// The instances that are there.
    #[must_use]
    pub fn instances(&self) -> Vec<InstanceId> {
        let inner = lock(&self.inner);
        let made = inner.slots.values().filter_map(|slot| match slot {
            Slot::Holds(server) => Some(server.instance.clone()),
            Slot::Free | Slot::Reserved(_) => None,
        });
        made.collect()
    }

    /// Takes an instance off its machine at once, with all it holds; its sessions end.
    pub fn stop(&self, instance: &InstanceId) {
        for slot in lock(&self.inner).slots.values_mut() {
            if slot.instance() == Some(instance) {
                *slot = Slot::Free;
            }
        }
    }

    /// Tells what time a machine has; it goes on having it while it is down.
    pub(super) fn wind_up(&self, machine: &str, clock: &Arc<dyn Clock>) {
        lock(&self.inner).clocks.insert(machine.to_owned(), Arc::clone(clock));
    }

    /// The machine of an instance, or a free one that is now its.
    pub(super) fn reserve(&self, instance: &InstanceId) -> Option<String> {
        if let Some(machine) = self.machine_of(instance) {
            return Some(machine);
        }
        let inner = &mut *lock(&self.inner);
        let free = inner.names.iter().find(|name| matches!(inner.slots.get(*name), Some(Slot::Free)))?.clone();
        inner.slots.insert(free.clone(), Slot::Reserved(instance.clone()));
        Some(free)
    }

    /// Frees a machine of an instance.
    pub(super) fn free(&self, machine: &str, instance: &InstanceId) {
        if let Some(slot) = lock(&self.inner).slots.get_mut(machine)
            && slot.instance() == Some(instance)
        {
            *slot = Slot::Free;
        }
    }

    /// The instance made on a machine.
    pub(super) fn instance_on(&self, machine: &str) -> Option<InstanceId> {
        match lock(&self.inner).slots.get(machine) {
            Some(Slot::Holds(server)) => Some(server.instance.clone()),
            _ => None,
        }
    }

    /// Does something with the server of an instance on a machine; `None` when it is not there.
    pub(super) fn on<T>(&self, machine: &str, instance: &InstanceId, work: impl FnOnce(&mut Hosted) -> T) -> Option<T> {
        let inner = &mut *lock(&self.inner);
        let following = match inner.slots.get(machine) {
            Some(Slot::Holds(server)) if server.instance == *instance => {
                server.following().map(|following| (following, server.lag()))
            }
            _ => return None,
        };
        let (now, full) = (inner.clocks.get(machine).map(|clock| clock.now()), inner.full.contains(machine));
        let until = |lag: Option<_>| lag.zip(now).map(|(lag, now): (SignedDuration, _)| later(now, -lag));
        let news = following.filter(|_| !full).map_or_else(Vec::new, |((master, position), lag)| {
            let mut news = inner.news(&master, position);
            news.retain(|entry| until(lag).is_none_or(|until| entry.time <= until));
            news
        });
        let Some(Slot::Holds(server)) = inner.slots.get_mut(machine) else { return None };
        server.harm.disk_full = full;
        if let Some(Err(error)) = server.sql().map(|server| server.follow(news)) {
            tracing::error!(%instance, %error, "a replica cannot follow its master");
        }
        if let Some(now) = now {
            server.settle(now);
        }
        Some(work(server))
    }

    /// What an instance that is there was made as.
    pub(super) fn made(&self, machine: &str, instance: &InstanceId) -> Option<Made> {
        self.on(machine, instance, |server| server.made.clone())
    }

    /// Makes a server as ordered, without putting it anywhere; gives how many log entries were replayed.
    pub(super) fn build(
        &self,
        machine: &str,
        order: &InstanceOrder,
        endpoint: String,
        fetched: &[Fetched],
        now: Timestamp,
    ) -> Result<(Hosted, usize), CloudError> {
        let failed = |error: DatabaseError| CloudError::Failed(error.to_string());
        let inner = &mut *lock(&self.inner);
        if inner.full.contains(machine) {
            return Err(failed(DatabaseError::DiskFull));
        }
        let birth = Birth {
            instance: order.instance.clone(),
            product: order.product,
            configuration: order.configuration.clone(),
            now,
            life_s: order.life_s,
            endpoint,
            seed: inner.seed,
        };
        match &order.content {
            Content::Empty { account } if order.product.engine == Engine::Redis => {
                Ok((Hosted::Redis(Box::new(Redis::empty(birth, account.as_ref()))), 0))
            }
            Content::Restored(_) if order.product.engine == Engine::Redis => {
                Ok((Hosted::restored_redis(birth, fetched)?, 0))
            }
            Content::Empty { account } => {
                let server = Server::empty(birth, account.as_ref()).map_err(failed)?;
                Ok((Hosted::Sql(Box::new(server)), 0))
            }
            Content::Restored(restore) => {
                let (data, logs) =
                    fetched.split_first().ok_or_else(|| CloudError::Failed("no backup was read".into()))?;
                let (server, replayed) = Server::restored(birth, data, logs, restore.until)?;
                Ok((Hosted::Sql(Box::new(server)), replayed))
            }
            Content::Replica { master } => {
                let found = inner.server(master).ok_or_else(|| CloudError::NoSuchInstance(master.clone()))?;
                let server = Server::replica(birth, found).map_err(failed)?;
                Ok((Hosted::Sql(Box::new(server)), 0))
            }
        }
    }

    /// Puts a server on the machine reserved for it.
    pub(super) fn install(&self, machine: &str, mut server: Hosted, now: Timestamp) -> Result<Made, CloudError> {
        let mut inner = lock(&self.inner);
        match inner.slots.get_mut(machine) {
            Some(slot @ Slot::Reserved(_)) if slot.instance() == Some(&server.instance) => {
                server.made_at = now;
                let made = server.made.clone();
                *slot = Slot::Holds(server);
                Ok(made)
            }
            _ => Err(CloudError::NoSuchInstance(server.instance.clone())),
        }
    }

    /// Whether a machine is kept for an instance that is not made yet.
    pub(super) fn is_reserved(&self, machine: &str, instance: &InstanceId) -> bool {
        matches!(lock(&self.inner).slots.get(machine), Some(Slot::Reserved(reserved)) if reserved == instance)
    }
}

impl Inner {
    fn server(&mut self, instance: &InstanceId) -> Option<&mut Server> {
        self.slots.values_mut().find_map(|slot| match slot {
            Slot::Holds(server) if server.instance == *instance => server.sql(),
            _ => None,
        })
    }

    /// What a master logged after a position.
    fn news(&mut self, master: &InstanceId, position: u64) -> Vec<LogEntry> {
        let entries = self.server(master).and_then(|server| server.log.after(position).ok().map(<[LogEntry]>::to_vec));
        entries.unwrap_or_default()
    }
}
