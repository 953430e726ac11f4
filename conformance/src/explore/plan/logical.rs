//! Logical backups and restores: data sources, backup tasks and their sets, restore tasks.

use super::Plan;
use super::known::{LogicalTask, Role};
use crate::explore::kinds::StepKind;
use crate::explore::shapes::Shape;
use jiff::SignedDuration;
use recovery::model::Secret;
use recovery::model::content::ObjectKind;
use recovery::model::instance::Weekday;
use recovery::model::logical::backup::LogicalType;
use recovery::model::logical::restore::{
    Branch, DataConflict, RestoreObjects, RestoreType, StructureConflict, TableMapping,
};
use recovery::model::product::Engine;
use recovery::model::task::ConnectionMode;
use scenarios::{
    Action, Credentials, DataSourceStep, LogicalBackupStep, LogicalTaskRequest, LogicalTaskStep, RemoveDataSourceStep,
    RestoreEnd, RestorePoint, RestoreRequest, RestoreStep, RestoreTaskStep, RestoreUntil, SetEnd, SourceName,
};
use std::collections::BTreeSet;
use std::time::Duration;

impl Plan<'_> {
    /// A data source is registered.
    pub(super) fn data_source(&mut self) -> Option<()> {
        let instance = self.instance_or_any(|it| !it.is_redis())?;
        let name = self.known.name("source");
        let login = self.known.login(&instance);
        let login = if self.mischief() { Credentials { password: Secret::new("wrong-one"), ..login } } else { login };
        let connection = if self.draw.chance(10) { ConnectionMode::Ssl } else { ConnectionMode::Plain };
        self.known.sources.push((name.clone(), instance.clone()));
        self.push(Action::DataSource(DataSourceStep {
            service_name: name.clone(),
            name: Some(name),
            instance,
            login,
            connection,
            refused: None,
        }));
        Some(())
    }

    /// A data source is removed.
    pub(super) fn remove_data_source(&mut self) -> Option<()> {
        let names: Vec<String> = self.known.sources.iter().map(|(name, _)| name.clone()).collect();
        let of = self.draw.pick(&names)?.clone();
        self.known.sources.retain(|(name, _)| *name != of);
        self.push(Action::RemoveDataSource(RemoveDataSourceStep { of, refused: None }));
        Some(())
    }

    /// A data source of an instance: one that was registered, or one that is registered for it.
    fn source_for(&mut self, instance: &str) -> SourceName {
        let own: Vec<String> =
            self.known.sources.iter().filter(|(_, of)| of == instance).map(|(name, _)| name.clone()).collect();
        match self.draw.pick(&own) {
            Some(name) if self.draw.chance(60) => SourceName::Registered(name.clone()),
            _ => SourceName::Instance { instance: instance.to_owned(), login: self.known.login(instance) },
        }
    }

    /// A logical backup task is made.
    pub(super) fn logical_backup(&mut self) -> Option<()> {
        let instance = self.instance_or_any(|it| !it.is_redis() && it.role == Role::Primary)?;
        self.logical_backup_of(&instance);
        Some(())
    }

    fn logical_backup_of(&mut self, instance: &str) -> Option<String> {
        let known = self.known.instance(instance)?.clone();
        let mysql = known.product.engine == Engine::MySql;
        let of = self.source_for(instance);
        let name = self.known.name("night");
        let with_log = if mysql { 10 } else { 0 };
        let backup_type = self.draw.weighted([
            (LogicalType::StructureFullLog, with_log),
            (LogicalType::StructureFull, 6),
            (LogicalType::Structure, 1),
        ])?;
        let databases = if self.draw.chance(25) { BTreeSet::from(["app".to_owned()]) } else { BTreeSet::new() };
        let days = [Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday];
        let schedule = self.draw.chance(25).then(|| {
            let days: BTreeSet<Weekday> = self.draw.some(days.to_vec(), 1, 4).into_iter().collect();
            (days, u8::try_from(self.draw.whole(0..=23)).unwrap_or(0))
        });
        let retention_days = self.draw.chance(30).then(|| self.draw.one(7, [30, 60]));
        let wait = self.draw.chance(85);
        self.known.logical.push(LogicalTask {
            name: name.clone(),
            instance: instance.to_owned(),
            logs: backup_type == LogicalType::StructureFullLog,
            sets: vec![name.clone()],
            tables: known.tables,
            stopped: false,
        });
        self.push(Action::LogicalBackup(LogicalBackupStep {
            of,
            service_name: name.clone(),
            name: Some(name.clone()),
            backup_type,
            databases,
            schedule,
            retention_days,
            refused: None,
            wait,
            ends: SetEnd::Completed,
        }));
        Some(name)
    }

    /// Another set, or the end of a task.
    pub(super) fn logical_task(&mut self) -> Option<()> {
        let at = self.some_logical(|task| !task.stopped)?;
        let stop = self.draw.chance(25);
        let name = self.known.name("again");
        let task = self.known.logical.get_mut(at)?;
        let of = task.name.clone();
        let request = if stop {
            task.stopped = true;
            LogicalTaskRequest::Stop
        } else {
            task.sets.push(name.clone());
            let wait = self.draw.chance(75);
            LogicalTaskRequest::Run { name: Some(name), wait, ends: SetEnd::Completed }
        };
        self.push(Action::LogicalTask(LogicalTaskStep { of, request, refused: None }));
        Some(())
    }

    /// Backup tasks with a log are stopped.
    pub(super) fn stop_logs(&mut self) {
        for at in 0..self.known.logical.len() {
            let Some(task) = self.known.logical.get_mut(at).filter(|task| task.logs && !task.stopped) else { continue };
            task.stopped = true;
            let of = task.name.clone();
            let request = LogicalTaskRequest::Stop;
            self.push(Action::LogicalTask(LogicalTaskStep { of, request, refused: None }));
        }
    }

    fn some_logical(&mut self, fits: impl Fn(&LogicalTask) -> bool) -> Option<usize> {
        let fitting: Vec<usize> =
            self.known.logical.iter().enumerate().filter(|(_, task)| fits(task)).map(|(at, _)| at).collect();
        self.draw.pick(&fitting).copied()
    }

    /// A restore task.
    pub(super) fn restore(&mut self) -> Option<()> {
        let at = self.some_logical(|_| true)?;
        let engine = self.known.instance(&self.known.logical.get(at)?.instance)?.product.engine;
        let into = self.instance_or_any(|it| it.product.engine == engine && it.role != Role::ReadOnly)?;
        self.restore_of(at, &into)
    }

    fn restore_of(&mut self, at: usize, into: &str) -> Option<()> {
        let task = self.known.logical.get(at)?.clone();
        let point = self.logical_point(&task)?;
        let target = self.source_for(into);
        let name = self.known.name("restore");
        let (structure, full) = (RestoreType::Structure, RestoreType::Full);
        let types: [(&[RestoreType], u32); 3] = [(&[structure, full], 8), (&[full], 2), (&[structure], 2)];
        let types = self.draw.weighted(types)?.iter().copied().collect();
        let (objects, mapping) = self.chosen_objects(&task);
        let until = self.draw.weighted([
            (RestoreUntil::Finished, 12),
            (RestoreUntil::Started, 3),
            (RestoreUntil::Checked, 3),
            (RestoreUntil::Saved, 1),
        ])?;
        let of = self.mischief().then(|| self.source_for(into));
        self.fault_at_restore(&name);
        self.known.restores.push((name.clone(), into.to_owned()));
        let step = RestoreStep {
            service_name: name.clone(),
            task: task.name,
            of,
            point,
            into: target,
            name: Some(name),
            types,
            objects,
            mapping,
            structure_conflict: self.draw.one(StructureConflict::Stop, [StructureConflict::Ignore]),
            data_conflict: self.draw.one(DataConflict::Stop, [DataConflict::Ignore, DataConflict::DeleteThenRewrite]),
            until,
            ends: RestoreEnd::Completed,
            refused: None,
            covered: self.draw.chance(75),
            at_most: Duration::from_secs(self.draw.one(120, [20, 600])),
        };
        self.push(Action::Restore(step));
        Some(())
    }

    fn logical_point(&mut self, task: &LogicalTask) -> Option<RestorePoint> {
        let offset =
            self.draw.weighted([(0, 10), (-1, 2), (1, 2)]).map_or(SignedDuration::ZERO, SignedDuration::from_secs);
        let marks: Vec<String> = self
            .known
            .marks
            .iter()
            .filter(|(_, at)| at.tables.contains_key(&task.instance))
            .map(|(name, _)| name.clone())
            .collect();
        let (mark, set) = (self.draw.pick(&marks).cloned(), self.draw.pick(&task.sets).cloned());
        let by_time = if task.logs { 8 } else { 1 };
        let choice = self.draw.weighted([
            (0, if mark.is_some() { by_time } else { 0 }),
            (1, 3),
            (2, 3),
            (3, by_time.min(2)),
            (4, by_time.min(2)),
        ])?;
        Some(match (choice, mark, set) {
            (0, Some(mark), _) => RestorePoint::Mark { mark, offset },
            (1, _, Some(set)) => RestorePoint::Backup(set),
            (3, ..) => RestorePoint::Earliest(offset),
            (4, ..) => RestorePoint::Latest(offset),
            _ => RestorePoint::LatestBackup,
        })
    }

    fn chosen_objects(&mut self, task: &LogicalTask) -> (RestoreObjects, Vec<TableMapping>) {
        let tables: Vec<String> =
            task.tables.keys().filter(|(database, _)| database == "app").map(|(_, name)| name.clone()).collect();
        let objects = if self.draw.chance(55) || tables.is_empty() {
            RestoreObjects::All
        } else {
            let branch = |name: &String| Branch {
                database: "app".into(),
                kind: Some(ObjectKind::Table),
                name: Some(name.clone()),
            };
            let branches = match self.draw.count(0..=3) {
                0 => vec![Branch { database: "app".into(), kind: None, name: None }],
                1 => vec![Branch { database: "app".into(), kind: Some(ObjectKind::Table), name: None }],
                _ => self.draw.some(tables.clone(), 1, 2).iter().map(branch).collect(),
            };
            RestoreObjects::Custom { branches }
        };
        let mappable: Vec<String> = task
            .tables
            .iter()
            .filter(|((database, _), table)| database == "app" && table.shape != Shape::Lines)
            .map(|((_, name), _)| name.clone())
            .collect();
        let mapping = match self.draw.pick(&mappable) {
            Some(table) if self.draw.chance(15) => {
                vec![TableMapping { database: "app".into(), table: table.clone(), table_as: format!("{table}_2") }]
            }
            _ => vec![],
        };
        (objects, mapping)
    }

    /// One request about a restore task.
    pub(super) fn restore_task(&mut self) -> Option<()> {
        let names: Vec<String> = self.known.restores.iter().map(|(name, _)| name.clone()).collect();
        let of = self.draw.pick(&names)?.clone();
        let request = self.draw.weighted([
            (RestoreRequest::Start, 5),
            (RestoreRequest::Precheck, 4),
            (RestoreRequest::Delete, 1),
        ])?;
        self.push(Action::RestoreTask(RestoreTaskStep { of, request, refused: None }));
        Some(())
    }

    /// The story of logical backup: a set, changes, a mark, a restore.
    pub(super) fn bring_back(&mut self) -> Option<()> {
        if !self.on(StepKind::LogicalBackup) {
            return None;
        }
        let of = self.some_instance(|it| !it.is_redis() && it.role == Role::Primary)?;
        self.logical_backup_of(&of)?;
        if self.on(StepKind::Sql) {
            self.statement_on(&of);
        }
        if self.on(StepKind::Mark) {
            self.mark();
        }
        if self.on(StepKind::Sql) && self.draw.chance(50) {
            self.mistake(&of);
        }
        if self.on(StepKind::Restore) {
            let engine = self.known.instance(&of)?.product.engine;
            let into = self.some_instance(|it| it.product.engine == engine && it.role != Role::ReadOnly)?;
            self.restore_of(self.known.logical.len().checked_sub(1)?, &into);
        }
        Some(())
    }
}
