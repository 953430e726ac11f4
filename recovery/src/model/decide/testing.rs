//! A bench for the tests of decisions: a state, a time, and short ways to what a test begins with.

use super::{Context, Decided, backups, instances, tasks, temporary};
use crate::model::backup::{BackupKind, BackupMode, Held};
use crate::model::instance::Instance;
use crate::model::policy::Policy;
use crate::model::refusal::{Refusal, RefusalCode};
use crate::model::state::State;
use crate::model::task::{ConnectionMode, MigrationType, Selection, Task};
use crate::model::views::{NewInstance, NewSide, NewTask, RestoreChoice, TaskObjects};
use crate::model::{BackupId, InstanceId, Secret, TaskId};
use crate::ports::clock::later_s;
use crate::ports::cloud::Made;
use jiff::Timestamp;
use std::cell::Cell;
use std::fmt::Debug;

pub(super) const SQL_SERVER_WEB: &str = "sqlserver 2012 web";
pub(super) const SQL_SERVER_HA: &str = "sqlserver 2012 standard";
pub(super) const MYSQL: &str = "mysql 5.7";
pub(super) const REDIS: &str = "redis 5.0";

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(super) fn code<T: Debug>(decided: Result<T, Refusal>) -> RefusalCode {
    decided.unwrap_err().code
}

pub(super) struct Bench {
    pub(super) state: State,
    pub(super) policy: Policy,
    pub(super) now: Timestamp,
    ids: Cell<u64>,
}

impl Bench {
    /// Nothing yet, on a Monday morning.
    pub(super) fn new() -> Self {
        let state = State::default();
        Self { state, policy: Policy::default(), now: at("2026-01-05T09:00:00Z"), ids: Cell::new(0) }
    }

    /// Looks without changing anything.
    pub(super) fn ask<T>(&self, question: impl FnOnce(&Context<'_>) -> T) -> T {
        let new_id = |prefix: &str| {
            self.ids.set(self.ids.get() + 1);
            format!("{prefix}{:012}", self.ids.get())
        };
        question(&Context { state: &self.state, policy: &self.policy, now: self.now, new_id: &new_id })
    }

    /// Takes a decision and makes its changes.
    pub(super) fn decide<T>(&mut self, decision: impl FnOnce(&Context<'_>) -> Decided<T>) -> Result<T, Refusal> {
        let decided = self.ask(decision)?;
        self.state.apply(&decided.changes);
        Ok(decided.answer)
    }

    pub(super) fn wait(&mut self, seconds: i64) {
        self.now = later_s(self.now, seconds);
    }

    pub(super) fn edit(&mut self, id: &InstanceId, edit: impl FnOnce(&mut Instance)) {
        edit(self.state.instances.get_mut(id).unwrap());
    }

    pub(super) fn edit_task(&mut self, id: &TaskId, edit: impl FnOnce(&mut Task)) {
        edit(self.state.tasks.get_mut(id).unwrap());
    }

    pub(super) fn creating(&mut self, product: &str) -> InstanceId {
        let new = NewInstance {
            product: product.parse().unwrap(),
            region: "east".into(),
            network: None,
            role: None,
            master: None,
            billing: None,
            account: None,
        };
        self.decide(|ctx| instances::create(ctx, &new)).unwrap()
    }

    pub(super) fn make(&mut self, id: &InstanceId) {
        let made = Made { endpoint: format!("{id}:5432"), recovered_to: None };
        self.decide(|ctx| instances::made(ctx, id, &made)).unwrap();
    }

    pub(super) fn primary(&mut self, product: &str) -> InstanceId {
        let id = self.creating(product);
        self.make(&id);
        id
    }

    /// A completed data backup whose content is as of now.
    pub(super) fn data_backup(&mut self, of: &InstanceId, position: u64) -> BackupId {
        self.backup(of, BackupKind::Data, position, position, self.now)
    }

    /// A completed log backup up to now.
    pub(super) fn log_backup(&mut self, of: &InstanceId, from: u64, to: u64) -> BackupId {
        self.backup(of, BackupKind::Log, from, to, self.now)
    }

    pub(super) fn backup(
        &mut self,
        of: &InstanceId,
        kind: BackupKind,
        from: u64,
        to: u64,
        as_of: Timestamp,
    ) -> BackupId {
        let id = self.decide(|ctx| backups::request(ctx, of, kind, BackupMode::Manual)).unwrap();
        let held = Held {
            from_position: from,
            to_position: to,
            from_time: as_of,
            to_time: as_of,
            size_bytes: 1,
            sha256: None,
            node: None,
        };
        self.decide(|ctx| backups::completed(ctx, &id, held)).unwrap();
        id
    }

    /// A primary instance with a data backup.
    pub(super) fn restorable_primary(&mut self, product: &str) -> InstanceId {
        let id = self.primary(product);
        self.data_backup(&id, 10);
        id
    }

    pub(super) fn last_set(&self, of: &InstanceId) -> RestoreChoice {
        let sets = backups::restorable(&self.state, &self.policy, of, self.now).backup_sets;
        RestoreChoice { backup_set_id: sets.last().cloned(), point_in_time: None }
    }

    /// A temporary instance that runs.
    pub(super) fn temporary(&mut self, master: &InstanceId) -> InstanceId {
        let choice = self.last_set(master);
        let id = self.decide(|ctx| temporary::create(ctx, master, &choice)).unwrap();
        self.make(&id);
        id
    }

    pub(super) fn new_task(source: &InstanceId, target: &InstanceId) -> NewTask {
        let side = |instance: &InstanceId| NewSide {
            instance_type: None,
            region: "east".into(),
            instance_id: instance.clone(),
            account: "app".into(),
            password: Secret::new("s3cret"),
            connection: ConnectionMode::Plain,
        };
        NewTask { name: None, source: side(source), target: side(target) }
    }

    pub(super) fn task(&mut self, source: &InstanceId, target: &InstanceId) -> TaskId {
        let new = Self::new_task(source, target);
        self.decide(|ctx| tasks::create(ctx, &new)).unwrap()
    }

    pub(super) fn objects(types: &[MigrationType]) -> TaskObjects {
        TaskObjects {
            types: types.iter().copied().collect(),
            objects: vec![table("app", "orders")],
            same_name: crate::model::task::SameNameMode::Stop,
            without_advice: std::collections::BTreeSet::new(),
        }
    }

    /// A task that is ready for its precheck.
    pub(super) fn selected_task(
        &mut self,
        source: &InstanceId,
        target: &InstanceId,
        types: &[MigrationType],
    ) -> TaskId {
        let id = self.task(source, target);
        self.decide(|ctx| tasks::authorise(ctx, &id)).unwrap();
        self.decide(|ctx| tasks::select(ctx, &id, &Self::objects(types))).unwrap();
        id
    }
}

pub(super) fn table(database: &str, table: &str) -> Selection {
    Selection {
        database: database.into(),
        table: Some(table.into()),
        columns: None,
        database_as: None,
        table_as: None,
        columns_as: std::collections::BTreeMap::new(),
    }
}
