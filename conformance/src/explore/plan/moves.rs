//! Migration tasks: whole flows, single requests in any order, and waiting for how far a task is.

use super::Plan;
use super::known::{Instance, Role, Table, Task};
use super::statements::tables_of;
use crate::explore::shapes::Shape;
use recovery::model::Secret;
use recovery::model::backup::BackupStatus;
use recovery::model::instance::InstanceState;
use recovery::model::logical::backup::SetStatus;
use recovery::model::logical::restore::RestoreStatus;
use recovery::model::precheck::PrecheckItem;
use recovery::model::task::{ConnectionMode, MigrationType, PhaseStatus, SameNameMode, Selection, Stage, TaskStatus};
use scenarios::{
    Action, Credentials, MigrateEnd, MigrateSide, MigrateStep, MigrateUntil, TaskRequest, TaskStep, WaitStep, WaitUntil,
};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const STRUCTURE: MigrationType = MigrationType::Structure;
const FULL: MigrationType = MigrationType::Full;
const INCREMENTAL: MigrationType = MigrationType::Incremental;

impl Plan<'_> {
    /// A migration between two instances.
    pub(super) fn migrate(&mut self) -> Option<()> {
        let from = self.instance_or_any(|_| true)?;
        let engine = self.known.instance(&from)?.product.engine;
        let masters = |it: &Instance| it.product.engine == engine && it.role != Role::ReadOnly;
        let own = self.known.instance(&from).and_then(|it| it.master.clone()).filter(|_| self.draw.chance(93));
        let into = match own {
            Some(master) => master,
            None => self.instance_or_any(masters)?,
        };
        if from == into && !self.draw.chance(25) {
            return None;
        }
        self.migrate_from(&from, &into)
    }

    fn side(&mut self, instance: &str) -> MigrateSide {
        let accounts = self.known.accounts(instance);
        let login = match self.draw.pick(&accounts) {
            Some(account) if self.draw.chance(10) => {
                Credentials { account: account.name.clone(), password: account.password.clone() }
            }
            _ => self.known.login(instance),
        };
        let login = if self.mischief() { Credentials { password: Secret::new("wrong-one"), ..login } } else { login };
        let connection = if self.draw.chance(10) { ConnectionMode::Ssl } else { ConnectionMode::Plain };
        MigrateSide { instance: instance.to_owned(), login, connection }
    }

    /// A migration task from one instance to another.
    pub(super) fn migrate_from(&mut self, from: &str, into: &str) -> Option<()> {
        let (source, target) = (self.side(from), self.side(into));
        let types = self.types();
        let objects = self.selection(from)?;
        let same_name = if self.draw.chance(45) { SameNameMode::Ignore } else { SameNameMode::Stop };
        let incremental = types.contains(&INCREMENTAL);
        let end = if incremental { MigrateUntil::CaughtUp } else { MigrateUntil::Finished };
        let until = self.draw.weighted([
            (end, 55),
            (MigrateUntil::Running, 14),
            (MigrateUntil::Confirmed, 9),
            (MigrateUntil::Prechecked, 9),
            (MigrateUntil::Selected, 4),
            (MigrateUntil::Authorised, 3),
            (MigrateUntil::Configured, 3),
        ])?;
        let name = self.known.name("task");
        let at_most = Duration::from_secs(self.draw.one(120, [20, 600]));
        self.fault_at_task(&name);
        if until == MigrateUntil::Finished {
            self.arrive(from, into, &objects);
        }
        self.known.tasks.push(Task {
            name: name.clone(),
            source: source.clone(),
            target: target.clone(),
            types: types.clone(),
            over: until == MigrateUntil::Finished,
        });
        let terms = !self.mischief();
        self.push(Action::Migrate(MigrateStep {
            name: Some(name),
            task_name: None,
            source,
            target,
            types,
            objects,
            same_name,
            without_advice: BTreeSet::new(),
            until,
            ends: MigrateEnd::Finished,
            refused: None,
            terms,
            at_most,
        }));
        Some(())
    }

    /// Types of a task.
    fn types(&mut self) -> BTreeSet<MigrationType> {
        let sets: [(&[MigrationType], u32); 7] = [
            (&[STRUCTURE, FULL], 10),
            (&[FULL], 3),
            (&[STRUCTURE], 2),
            (&[STRUCTURE, FULL, INCREMENTAL], 5),
            (&[FULL, INCREMENTAL], 2),
            (&[INCREMENTAL], 1),
            (&[], 0),
        ];
        self.draw.weighted(sets).unwrap_or(&[FULL]).iter().copied().collect()
    }

    /// Whole databases, tables, columns of tables, and new names.
    fn selection(&mut self, from: &str) -> Option<Vec<Selection>> {
        let instance = self.known.instance(from)?.clone();
        let plain = |database: &str, table: Option<&str>| Selection {
            database: database.into(),
            table: table.map(str::to_owned),
            columns: None,
            database_as: None,
            table_as: None,
            columns_as: BTreeMap::new(),
        };
        if instance.is_redis() {
            return Some(vec![plain("0", None)]);
        }
        let tables = tables_of(&instance, "app");
        let has_crm = instance.tables.keys().any(|(database, _)| database == "crm");
        let mut objects = Vec::new();
        if tables.is_empty() || self.draw.chance(30) {
            let mut whole = plain("app", None);
            if self.draw.chance(25) {
                whole.database_as = Some("app_recovered".into());
            }
            objects.push(whole);
        } else {
            let names: Vec<(String, Table)> = self.draw.some(tables, 1, 3);
            for (name, table) in names {
                let mut one = plain("app", Some(&name));
                if table.shape != Shape::Lines && self.draw.chance(20) {
                    one.table_as = Some(format!("{name}_recovered"));
                }
                if self.draw.chance(6) && table.shape != Shape::Words {
                    one.columns = Some(vec![table.shape.key().into(), table.shape.column().into()]);
                }
                if self.draw.chance(6) {
                    one.columns_as.insert(table.shape.column().into(), "renamed_column".into());
                }
                objects.push(one);
            }
        }
        if has_crm && self.draw.chance(50) {
            objects.push(plain("crm", None));
        }
        if self.mischief() {
            let database_as = objects.first().and_then(|first: &Selection| first.database_as.clone());
            objects.push(Selection { database_as, ..plain("app", Some("nowhere")) });
        }
        Some(objects)
    }

    /// Tables that a migration should have brought.
    fn arrive(&mut self, from: &str, into: &str, objects: &[Selection]) {
        let Some(source) = self.known.instance(from).cloned() else { return };
        let Some(target) = self.known.instance_mut(into) else { return };
        for object in objects.iter().filter(|object| object.columns.is_none() && object.columns_as.is_empty()) {
            for ((database, name), table) in &source.tables {
                let chosen = object.table.as_ref().is_none_or(|table| table == name);
                if *database == object.database && chosen {
                    let place =
                        (object.target_database().to_owned(), object.table_as.clone().unwrap_or_else(|| name.clone()));
                    target.tables.entry(place).or_insert_with(|| table.clone());
                }
            }
        }
    }

    /// One request about a task.
    pub(super) fn task(&mut self) -> Option<()> {
        let open: Vec<usize> =
            self.known.tasks.iter().enumerate().filter(|(_, task)| !task.over).map(|(at, _)| at).collect();
        let all: Vec<usize> = (0..self.known.tasks.len()).collect();
        let at = *if open.is_empty() || self.mischief() { self.draw.pick(&all)? } else { self.draw.pick(&open)? };
        let task = self.known.tasks.get(at)?.clone();
        let kind = self.draw.weighted([
            (0, 3),
            (1, 4),
            (2, 8),
            (3, 8),
            (4, 4),
            (5, 6),
            (6, 6),
            (7, 6),
            (8, 4),
            (9, 2),
            (10, 3),
            (11, 4),
        ])?;
        let request = match kind {
            11 => TaskRequest::Shield { items: self.items()?, shielded: !self.draw.chance(25) },
            0 => TaskRequest::Authorise,
            1 => TaskRequest::Select {
                types: self.types(),
                objects: self.selection(&task.source.instance)?,
                same_name: self.draw.one(SameNameMode::Ignore, [SameNameMode::Stop]),
                without_advice: BTreeSet::new(),
            },
            2 => TaskRequest::Precheck,
            3 => TaskRequest::Confirm,
            4 => TaskRequest::Purchase { terms: !self.mischief() },
            5 => TaskRequest::Start,
            6 => TaskRequest::Pause,
            7 => TaskRequest::Resume,
            8 => TaskRequest::Stop,
            9 => TaskRequest::Delete,
            _ => {
                let (source, target) = (self.side(&task.source.instance), self.side(&task.target.instance));
                let name = self.draw.chance(50).then(|| "edited".to_owned());
                TaskRequest::Edit { task_name: name, source, target }
            }
        };
        if let Some(known) = self.known.tasks.get_mut(at) {
            match &request {
                TaskRequest::Stop | TaskRequest::Delete => known.over = true,
                TaskRequest::Select { types, .. } => known.types.clone_from(types),
                TaskRequest::Edit { source, target, .. } => {
                    known.source = source.clone();
                    known.target = target.clone();
                }
                _ => {}
            }
        }
        self.push(Action::Task(TaskStep { of: task.name, request, refused: None }));
        Some(())
    }

    /// Precheck items that may be shielded, or by mischief any; but never the one that keeps tasks from carrying each
    /// other's changes on in a circle, which never ends.
    fn items(&mut self) -> Option<BTreeSet<PrecheckItem>> {
        let all = || PrecheckItem::ALL.iter().copied().filter(|item| *item != PrecheckItem::Topology);
        let from: Vec<PrecheckItem> =
            if self.mischief() { all().collect() } else { all().filter(|item| item.shield().is_some()).collect() };
        (0..self.draw.whole(1..=2)).map(|_| self.draw.pick(&from).copied()).collect()
    }

    /// Waits for something, not for long.
    pub(super) fn wait(&mut self) -> Option<()> {
        let at_most = Duration::from_secs(self.draw.one(15, [1, 5, 60]));
        let until = match self.draw.count(0..=8) {
            0..=2 => self.wait_for_task()?,
            3 => {
                let instance = self.some_instance(|it| it.role != Role::Primary)?;
                WaitUntil::Instance { instance, state: InstanceState::Running }
            }
            4 => {
                let names: Vec<String> = self.known.backups.iter().map(|it| it.name.clone()).collect();
                WaitUntil::Backup { backup: self.draw.pick(&names)?.clone(), status: BackupStatus::Success }
            }
            5 => {
                let names: Vec<String> = self.known.restores.iter().map(|(name, _)| name.clone()).collect();
                let restore = self.draw.pick(&names)?.clone();
                match self.draw.count(0..=2) {
                    0 => WaitUntil::RestoreRecords { restore, records: self.draw.whole(1..=30) },
                    1 => WaitUntil::Restore { restore, status: RestoreStatus::CheckPassed },
                    _ => WaitUntil::Restore { restore, status: RestoreStatus::Completed },
                }
            }
            6 => {
                let sets: Vec<String> = self.known.logical.iter().flat_map(|task| task.sets.clone()).collect();
                WaitUntil::LogicalSet { set: self.draw.pick(&sets)?.clone(), status: SetStatus::Completed }
            }
            7 => {
                let mark = self.some_mark()?;
                let tasks: Vec<String> = self.known.logical.iter().map(|task| task.name.clone()).collect();
                let task = self.draw.pick(&tasks)?.clone();
                return self.waits(WaitUntil::LogicalRestorable { task, mark }, Duration::from_secs(60));
            }
            _ => {
                let mark = self.some_mark()?;
                let of = self.some_instance(|it| it.role == Role::Primary && !it.is_redis())?;
                return self.waits(WaitUntil::Restorable { of, mark }, Duration::from_secs(2_400));
            }
        };
        self.waits(until, at_most)
    }

    fn waits(&mut self, until: WaitUntil, at_most: Duration) -> Option<()> {
        self.push(Action::Wait(WaitStep { until, at_most }));
        Some(())
    }

    pub(super) fn some_mark(&mut self) -> Option<String> {
        let names: Vec<String> = self.known.marks.iter().map(|(name, _)| name.clone()).collect();
        self.draw.pick(&names).cloned()
    }

    /// Something about a task that was made and should not be over.
    pub(super) fn wait_for_task(&mut self) -> Option<WaitUntil> {
        let names: Vec<String> =
            self.known.tasks.iter().filter(|task| !task.over).map(|task| task.name.clone()).collect();
        let task = self.draw.pick(&names)?.clone();
        Some(self.until_task(task))
    }

    /// How far a task may get.
    pub(super) fn until_task(&mut self, task: String) -> WaitUntil {
        match self.draw.count(0..=5) {
            0 => {
                let status = self.draw.one(TaskStatus::Finished, [TaskStatus::PrecheckPassed, TaskStatus::Migrating]);
                WaitUntil::TaskStatus { task, status }
            }
            1 => WaitUntil::TaskStage { task, stage: self.draw.one(Stage::Selected, [Stage::Confirmed]) },
            2 => {
                let phase = self.draw.one(FULL, [STRUCTURE, INCREMENTAL]);
                WaitUntil::TaskPhase { task, phase, status: PhaseStatus::Migrating }
            }
            _ => WaitUntil::TaskRows { task, rows: self.draw.whole(1..=60) },
        }
    }

    /// Tasks that ask for news all the while are stopped.
    pub(super) fn quieten(&mut self) {
        if self.known.writing {
            self.tell(scenarios::ApplicationStep::Pause);
        }
        let busy: Vec<usize> = self
            .known
            .tasks
            .iter()
            .enumerate()
            .filter(|(_, task)| !task.over && task.types.contains(&INCREMENTAL))
            .map(|(at, _)| at)
            .collect();
        for at in busy {
            let Some(task) = self.known.tasks.get_mut(at) else { continue };
            task.over = true;
            let of = task.name.clone();
            self.push(Action::Task(TaskStep { of, request: TaskRequest::Stop, refused: None }));
        }
        self.stop_logs();
    }
}
