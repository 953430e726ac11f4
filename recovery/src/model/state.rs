//! Everything the service keeps, as one value, and the changes that are made to it.

use super::backup::Backup;
use super::instance::Instance;
use super::logical::backup::{LogicalBackupTask, LogicalSet};
use super::logical::restore::RestoreTask;
use super::logical::source::DataSource;
use super::task::{Lease, Task};
use super::{BackupId, DataSourceId, InstanceId, SetId, TaskId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An answer kept under its idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptAnswer {
    /// SHA-256 of method, path and body.
    pub request_sha256: String,
    /// HTTP status.
    pub status: u16,
    /// Body.
    pub body: String,
    /// When it was given.
    pub at: Timestamp,
}

/// A finished or running charge; amounts are derived, never stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// Instance or task.
    pub subject: String,
    /// What is paid for: `instance` or `incremental-migration`.
    pub what: String,
    /// From when.
    pub from: Timestamp,
    /// Until when; still running without.
    pub until: Option<Timestamp>,
    /// Cents an hour.
    pub cents_per_hour: u64,
}

/// Everything the service keeps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// Instances, the released ones too, so that ids and bills stay known.
    pub instances: BTreeMap<InstanceId, Instance>,
    /// Backups that are not deleted.
    pub backups: BTreeMap<BackupId, Backup>,
    /// Tasks that are not deleted.
    pub tasks: BTreeMap<TaskId, Task>,
    /// Charges by `subject/number`.
    pub charges: BTreeMap<String, Charge>,
    /// Answers by idempotency key.
    pub answers: BTreeMap<String, KeptAnswer>,
    /// Data sources that are registered.
    pub sources: BTreeMap<DataSourceId, DataSource>,
    /// Logical backup tasks.
    pub logical_tasks: BTreeMap<TaskId, LogicalBackupTask>,
    /// Sets of logical backup tasks that are not deleted.
    pub sets: BTreeMap<SetId, LogicalSet>,
    /// Restore tasks that are not deleted.
    pub restores: BTreeMap<TaskId, RestoreTask>,
}

/// One change to the state; a decision returns them all and they are committed together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StateChange {
    /// Put an instance.
    Instance(Box<Instance>),
    /// Put a backup.
    Backup(Box<Backup>),
    /// Delete a backup.
    DropBackup(BackupId),
    /// Put a task.
    Task(Box<Task>),
    /// Delete a task.
    DropTask(TaskId),
    /// Put a charge.
    Charge(String, Charge),
    /// Keep an answer.
    Answer(String, KeptAnswer),
    /// Forget an answer.
    DropAnswer(String),
    /// Put a data source.
    Source(Box<DataSource>),
    /// Delete a data source.
    DropSource(DataSourceId),
    /// Put a logical backup task.
    LogicalTask(Box<LogicalBackupTask>),
    /// Delete a logical backup task.
    DropLogicalTask(TaskId),
    /// Put a set.
    Set(Box<LogicalSet>),
    /// Delete a set.
    DropSet(SetId),
    /// Put a restore task.
    Restore(Box<RestoreTask>),
    /// Delete a restore task.
    DropRestore(TaskId),
    /// A lease was renewed. It is kept in memory only, see [`Self::is_kept`].
    Renewed(TaskId, Timestamp),
}

impl StateChange {
    /// Whether it is written to the disk. A renewed lease is not: after a start every lease lasts as long again, which is
    /// at least as long as its worker counts on ([`State::prolong_leases`]).
    #[must_use]
    pub fn is_kept(&self) -> bool {
        !matches!(self, Self::Renewed(..))
    }
}

impl State {
    /// Makes the changes.
    pub fn apply(&mut self, changes: &[StateChange]) {
        for change in changes {
            match change.clone() {
                StateChange::Instance(instance) => drop(self.instances.insert(instance.id.clone(), *instance)),
                StateChange::Backup(backup) => drop(self.backups.insert(backup.id.clone(), *backup)),
                StateChange::DropBackup(id) => drop(self.backups.remove(&id)),
                StateChange::Task(task) => drop(self.tasks.insert(task.id.clone(), *task)),
                StateChange::DropTask(id) => drop(self.tasks.remove(&id)),
                StateChange::Charge(key, charge) => drop(self.charges.insert(key, charge)),
                StateChange::Answer(key, answer) => drop(self.answers.insert(key, answer)),
                StateChange::DropAnswer(key) => drop(self.answers.remove(&key)),
                StateChange::Source(source) => drop(self.sources.insert(source.id.clone(), *source)),
                StateChange::DropSource(id) => drop(self.sources.remove(&id)),
                StateChange::LogicalTask(task) => drop(self.logical_tasks.insert(task.id.clone(), *task)),
                StateChange::DropLogicalTask(id) => drop(self.logical_tasks.remove(&id)),
                StateChange::Set(set) => drop(self.sets.insert(set.id.clone(), *set)),
                StateChange::DropSet(id) => drop(self.sets.remove(&id)),
                StateChange::Restore(task) => drop(self.restores.insert(task.id.clone(), *task)),
                StateChange::DropRestore(id) => drop(self.restores.remove(&id)),
                StateChange::Renewed(id, until) => {
                    if let Some(lease) = self.lease_mut(&id) {
                        lease.until = until;
                    }
                }
            }
        }
    }

    /// Lets every lease last until then at least.
    pub fn prolong_leases(&mut self, until: Timestamp) {
        let leased = self.tasks.values_mut().map(|task| &mut task.lease);
        let leased = leased.chain(self.logical_tasks.values_mut().map(|task| &mut task.lease));
        let leased = leased.chain(self.restores.values_mut().map(|task| &mut task.lease));
        for lease in leased.flatten() {
            lease.until = lease.until.max(until);
        }
    }

    fn lease_mut(&mut self, id: &TaskId) -> Option<&mut Lease> {
        let (tasks, logical, restores) = (&mut self.tasks, &mut self.logical_tasks, &mut self.restores);
        let migration = tasks.get_mut(id).map(|task| &mut task.lease);
        let any = migration.or_else(|| logical.get_mut(id).map(|task| &mut task.lease));
        any.or_else(|| restores.get_mut(id).map(|task| &mut task.lease))?.as_mut()
    }
}
