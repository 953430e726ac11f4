//! A bench for the tests of logical backup and restore: what a test begins with, and a worker by hand.

use super::{restores, sources, tasks};
use crate::model::content::ObjectKind;
use crate::model::decide::leases;
use crate::model::decide::testing::Bench;
use crate::model::logical::backup::{Instant, LogicalBackupTask, LogicalSet, LogicalType, SetObject};
use crate::model::logical::restore::{
    DataConflict, RestoreMethod, RestoreObjects, RestoreTask, RestoreType, StructureConflict,
};
use crate::model::logical::views::{NewDataSource, NewLogicalBackupTask, NewRestore};
use crate::model::precheck::{PrecheckItem, PrecheckOutcome, PrecheckResult};
use crate::model::refusal::Refusal;
use crate::model::task::ConnectionMode;
use crate::model::work::{LeaseKept, LeasedWork, Report, Reports};
use crate::model::{DataSourceId, InstanceId, Secret, SetId, TaskId};
use crate::ports::clock::later_s;

pub(in crate::model::decide) const WORKER: &str = "worker-1";

/// A data source, a backup task of it, and another data source to restore into.
pub(in crate::model::decide) struct Desk {
    pub(in crate::model::decide) bench: Bench,
    pub(in crate::model::decide) source: DataSourceId,
    pub(in crate::model::decide) target: DataSourceId,
    pub(in crate::model::decide) task: TaskId,
    position: u64,
}

pub(in crate::model::decide) fn new_source(instance: &InstanceId) -> NewDataSource {
    NewDataSource {
        name: "shop".into(),
        instance_id: instance.clone(),
        account: "app".into(),
        password: Secret::new("s3cret"),
        connection: ConnectionMode::Plain,
    }
}

pub(in crate::model::decide) fn new_task(source: &DataSourceId, backup_type: LogicalType) -> NewLogicalBackupTask {
    NewLogicalBackupTask {
        name: "nightly".into(),
        source: source.clone(),
        backup_type,
        databases: std::collections::BTreeSet::new(),
        schedule: None,
        retention_days: None,
    }
}

pub(in crate::model::decide) fn object(kind: ObjectKind, name: &str) -> SetObject {
    SetObject { database: "app".into(), kind, name: name.into(), rows: 1 }
}

/// With a log where the engine has one.
pub(in crate::model::decide) fn desk(product: &str) -> Desk {
    let backup_type =
        if product.starts_with("mysql") { LogicalType::StructureFullLog } else { LogicalType::StructureFull };
    desk_of(product, backup_type)
}

pub(in crate::model::decide) fn desk_of(product: &str, backup_type: LogicalType) -> Desk {
    let mut bench = Bench::new();
    let mut sources = (0..2).map(|_| {
        let instance = bench.primary(product);
        bench.decide(|ctx| sources::register(ctx, &new_source(&instance))).unwrap()
    });
    let (source, target) = (sources.next().unwrap(), sources.next().unwrap());
    drop(sources);
    let task = bench.decide(|ctx| tasks::create(ctx, &new_task(&source, backup_type))).unwrap();
    Desk { bench, source, target, task, position: 100 }
}

impl Desk {
    pub(in crate::model::decide) fn register(&mut self, product: &str) -> DataSourceId {
        let instance = self.bench.primary(product);
        self.bench.decide(|ctx| sources::register(ctx, &new_source(&instance))).unwrap()
    }

    /// Where the source's log is now.
    pub(in crate::model::decide) fn instant(&mut self) -> Instant {
        self.position += 1;
        Instant { position: self.position, at: self.bench.now }
    }

    pub(in crate::model::decide) fn lease(&mut self) -> Option<LeasedWork> {
        let decision = self.bench.ask(|ctx| leases::next(ctx, WORKER))?;
        self.bench.state.apply(&decision.changes);
        Some(decision.answer)
    }

    pub(in crate::model::decide) fn say(&mut self, leased: &LeasedWork, said: &[Report]) -> Result<LeaseKept, Refusal> {
        let reports = Reports { worker: WORKER.into(), epoch: leased.epoch, reports: said.to_vec() };
        self.bench.decide(|ctx| leases::report(ctx, &leased.task, &reports))
    }

    /// Leases and says at once.
    pub(in crate::model::decide) fn work(&mut self, said: &[Report]) {
        let leased = self.lease().unwrap();
        self.say(&leased, said).unwrap();
    }

    pub(in crate::model::decide) fn task(&self) -> &LogicalBackupTask {
        &self.bench.state.logical_tasks[&self.task]
    }

    pub(in crate::model::decide) fn set(&self, id: &SetId) -> &LogicalSet {
        &self.bench.state.sets[id]
    }

    pub(in crate::model::decide) fn log(&self) -> &LogicalSet {
        self.set(self.task().log.as_ref().unwrap())
    }

    /// The running set is read as of now and is whole ten seconds later.
    pub(in crate::model::decide) fn complete(&mut self) -> SetId {
        let set = self.task().running.clone().unwrap();
        let snapshot = self.instant();
        let leased = self.lease().unwrap();
        self.say(&leased, &[Report::Snapshot(snapshot)]).unwrap();
        self.bench.wait(10);
        let objects = vec![object(ObjectKind::Table, "orders"), object(ObjectKind::Table, "items")];
        let to = self.instant();
        self.say(&leased, &[Report::SetCompleted { to, objects, size_bytes: 7 }]).unwrap();
        set
    }

    /// The log is collected up to now, with something new in it.
    pub(in crate::model::decide) fn collect(&mut self) -> Instant {
        let to = self.instant();
        self.work(&[Report::LogCollected { to, segment_bytes: Some(5) }]);
        to
    }

    /// Another run of the task, begun and completed; its first snapshot is a minute from now.
    pub(in crate::model::decide) fn run(&mut self) -> SetId {
        self.bench.wait(60);
        let task = self.task.clone();
        self.bench.decide(|ctx| tasks::run(ctx, &task)).unwrap();
        if self.task().log.is_some() {
            self.collect();
            self.bench.wait(1);
        }
        self.complete()
    }

    pub(in crate::model::decide) fn new_restore(&self, recovery: RestoreMethod) -> NewRestore {
        NewRestore {
            name: "back".into(),
            source: self.source.clone(),
            backup_task: self.task.clone(),
            recovery,
            target: self.target.clone(),
            types: [RestoreType::Structure, RestoreType::Full].into(),
            objects: RestoreObjects::All,
            mapping: Vec::new(),
            structure_conflict: StructureConflict::Stop,
            data_conflict: DataConflict::Stop,
        }
    }

    pub(in crate::model::decide) fn restore(&mut self, new: &NewRestore) -> Result<TaskId, Refusal> {
        self.bench.decide(|ctx| restores::create(ctx, new))
    }

    pub(in crate::model::decide) fn restore_of(&self, id: &TaskId) -> &RestoreTask {
        &self.bench.state.restores[id]
    }

    /// A restore of a set whose precheck passed.
    pub(in crate::model::decide) fn checked(&mut self, set: &SetId) -> TaskId {
        let id = self.restore(&self.new_restore(by_set(set))).unwrap();
        self.pass();
        id
    }

    /// The next work is a precheck, and it passes. A log that is due meanwhile is collected then.
    pub(in crate::model::decide) fn pass(&mut self) {
        self.work(&[success(PrecheckItem::RestoreTargetConnection), Report::PrecheckDone]);
        if self.task().log_due_at.is_some_and(|at| at <= self.bench.now) {
            self.collect();
        }
    }

    pub(in crate::model::decide) fn wait_days(&mut self, days: i64) {
        self.bench.now = later_s(self.bench.now, days * 86_400);
    }
}

pub(in crate::model::decide) fn by_set(set: &SetId) -> RestoreMethod {
    RestoreMethod::BackupSet { backup_set_id: set.clone() }
}

pub(in crate::model::decide) fn success(item: PrecheckItem) -> Report {
    Report::PrecheckItem(PrecheckResult { item, outcome: PrecheckOutcome::Success })
}
