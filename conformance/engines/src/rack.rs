//! The machines of a run: which instance each holds, its server, and the backups that are known.

use crate::engine::{Kept, Server};
use jiff::Timestamp;
use recovery::model::backup::{BackupKind, Held};
use recovery::model::instance::Configuration;
use recovery::model::{BackupId, InstanceId};
use recovery::ports::cloud::{Made, backup_place};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The port that endpoints show; which one a server really has changes with each start.
pub const PORT: u16 = 5432;

/// The machines. Clones are the same machines.
#[derive(Clone)]
pub struct Rack(Arc<Mutex<Inner>>);

struct Inner {
    slots: BTreeMap<String, Option<Slot>>,
    turns: BTreeMap<InstanceId, Arc<tokio::sync::Mutex<()>>>,
    backups: BTreeMap<(InstanceId, BackupId), (BackupKind, Held)>,
    recoveries: BTreeMap<InstanceId, u64>,
}

/// What is on a machine.
#[derive(Clone)]
pub struct Slot {
    /// Instance.
    pub instance: InstanceId,
    /// Its server, once it was made.
    pub lodger: Option<Lodger>,
}

/// A server that was made.
#[derive(Clone)]
pub struct Lodger {
    /// The server.
    pub server: Server,
    /// What it was made as.
    pub made: Made,
    /// Settings.
    pub configuration: Configuration,
    /// When it lets nobody in any more.
    pub expires: Option<Timestamp>,
    /// Whether its container was killed, or stands still.
    pub away: bool,
}

impl Rack {
    /// So many empty machines, counted from 1.
    #[must_use]
    pub fn new(machines: usize) -> Self {
        let slots = (1..=machines).map(|number| (format!("machine-{number}"), None)).collect();
        Self(Arc::new(Mutex::new(Inner {
            slots,
            turns: BTreeMap::new(),
            backups: BTreeMap::new(),
            recoveries: BTreeMap::new(),
        })))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The machines' names.
    #[must_use]
    pub fn machines(&self) -> Vec<String> {
        self.inner().slots.keys().cloned().collect()
    }

    /// The machine of an instance.
    #[must_use]
    pub fn machine_of(&self, instance: &InstanceId) -> Option<String> {
        let inner = self.inner();
        let holds = |slot: &Option<Slot>| slot.as_ref().is_some_and(|slot| slot.instance == *instance);
        inner.slots.iter().find(|(_, slot)| holds(slot)).map(|(machine, _)| machine.clone())
    }

    /// The machine of an instance, or a free one that is now its.
    pub fn reserve(&self, instance: &InstanceId) -> Option<String> {
        if let Some(machine) = self.machine_of(instance) {
            return Some(machine);
        }
        let mut inner = self.inner();
        let (machine, slot) = inner.slots.iter_mut().find(|(_, slot)| slot.is_none())?;
        *slot = Some(Slot { instance: instance.clone(), lodger: None });
        Some(machine.clone())
    }

    /// One at a time makes an instance, or takes it down.
    pub fn turn(&self, instance: &InstanceId) -> Arc<tokio::sync::Mutex<()>> {
        Arc::clone(self.inner().turns.entry(instance.clone()).or_default())
    }

    /// Puts a server on the machine that is reserved for it; whether it still is.
    pub fn install(&self, lodger: Lodger) -> bool {
        let mut inner = self.inner();
        let slot = inner.slots.values_mut().flatten().find(|slot| slot.instance == lodger.server.instance);
        slot.map(|slot| slot.lodger = Some(lodger)).is_some()
    }

    /// Frees the machine of an instance; what was on it.
    pub fn free(&self, instance: &InstanceId) -> Option<Lodger> {
        let mut inner = self.inner();
        let holds = |slot: &&mut Option<Slot>| slot.as_ref().is_some_and(|slot| slot.instance == *instance);
        inner.slots.values_mut().find(holds)?.take()?.lodger
    }

    /// An instance's server.
    #[must_use]
    pub fn lodger(&self, instance: &InstanceId) -> Option<Lodger> {
        let inner = self.inner();
        inner.slots.values().flatten().find(|slot| slot.instance == *instance)?.lodger.clone()
    }

    /// The server on a machine.
    #[must_use]
    pub fn on(&self, machine: &str) -> Option<Lodger> {
        self.inner().slots.get(machine)?.as_ref()?.lodger.clone()
    }

    /// Changes what is known of an instance's server; whether it is there.
    pub fn change(&self, instance: &InstanceId, change: impl FnOnce(&mut Lodger)) -> bool {
        let mut inner = self.inner();
        let slot = inner.slots.values_mut().flatten().find(|slot| slot.instance == *instance);
        slot.and_then(|slot| slot.lodger.as_mut()).map(change).is_some()
    }

    /// Keeps what a backup holds, in server time.
    pub fn keep(&self, instance: &InstanceId, backup: &BackupId, kind: BackupKind, held: Held) {
        self.inner().backups.insert((instance.clone(), backup.clone()), (kind, held));
    }

    /// What a backup holds, in server time.
    #[must_use]
    pub fn kept(&self, instance: &InstanceId, backup: &BackupId) -> Option<Kept> {
        let held = self.inner().backups.get(&(instance.clone(), backup.clone())).map(|(_, held)| held.clone())?;
        Some(Kept { backup: backup.clone(), place: backup_place(instance, backup), held })
    }

    /// The backups of an instance of a kind, the newest last.
    #[must_use]
    pub fn backups(&self, instance: &InstanceId, wanted: BackupKind) -> Vec<Kept> {
        let ids: Vec<BackupId> = {
            let inner = self.inner();
            let mut found: Vec<_> = inner
                .backups
                .iter()
                .filter(|((of, _), (kind, _))| of == instance && *kind == wanted)
                .map(|((_, backup), (_, held))| (held.to_time, held.to_position, backup.clone()))
                .collect();
            found.sort();
            found.into_iter().map(|(.., backup)| backup).collect()
        };
        ids.iter().filter_map(|backup| self.kept(instance, backup)).collect()
    }

    /// Begins the recovery of an instance of that number, unless it or a later one was carried out.
    pub fn begin_recovery(&self, instance: &InstanceId, number: u64) -> bool {
        let inner = self.inner();
        inner.recoveries.get(instance).is_none_or(|done| *done < number)
    }

    /// Keeps that a recovery was carried out.
    pub fn end_recovery(&self, instance: &InstanceId, number: u64) {
        self.inner().recoveries.insert(instance.clone(), number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_keeps_its_machine_and_a_released_one_frees_it() {
        let rack = Rack::new(2);
        let [a, b, c] = ["rm-a", "rm-b", "rm-c"].map(InstanceId::from);
        assert_eq!(rack.reserve(&a).as_deref(), Some("machine-1"));
        assert_eq!(rack.reserve(&b).as_deref(), Some("machine-2"));
        assert_eq!(rack.reserve(&a).as_deref(), Some("machine-1"));
        assert_eq!(rack.reserve(&c), None);
        assert!(rack.free(&a).is_none());
        assert_eq!(rack.reserve(&c).as_deref(), Some("machine-1"));
    }
}
