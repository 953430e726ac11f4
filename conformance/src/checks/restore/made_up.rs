//! What the made-up histories of these checks' tests have in common.

use super::RestoreViolation;
use crate::checks::testing::{Story, master, photograph, start};
use crate::checks::{Check, Finding, Violation};
use crate::history::What;
use crate::history::lens::Lens;
use jiff::Timestamp;
use recovery::model::content::ObjectKind;
use recovery::model::logical::backup::{Instant, LogicalTaskState, LogicalType, SetKind, SetStatus};
use recovery::model::logical::restore::{
    Branch, DataConflict, RestoreMethod, RestoreObjects, RestoreStatus, RestoreType, StructureConflict,
};
use recovery::model::logical::views::{DataSourceView, LogicalBackupTaskView, LogicalSetView, RestoreView};
use recovery::model::photograph::{Photograph, PhotographedObject};
use recovery::model::precheck::{PrecheckItem, PrecheckOutcome, PrecheckResult, PrecheckRun};
use recovery::model::task::ConnectionMode;
use recovery::model::views::InstanceView;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a check says of a story.
pub fn verdict(story: &Story, run: fn(&Lens<'_>) -> Finding) -> Finding {
    story.judge(&Check { name: "under test", run })
}

/// The violations a check finds in a story.
pub fn wrong(story: &Story, run: fn(&Lens<'_>) -> Finding) -> Vec<RestoreViolation> {
    let found = verdict(story, run).violations.into_iter();
    found.filter_map(|evidence| if let Violation::Restore(it) = evidence.violation { Some(it) } else { None }).collect()
}

/// The story holds: exercised that often, and nothing is wrong.
pub fn holds(story: &Story, run: fn(&Lens<'_>) -> Finding, exercised: u64) {
    let finding = verdict(story, run);
    assert_eq!((finding.exercised, finding.violations), (exercised, vec![]));
}

/// The table `orders` with two rows.
pub fn orders() -> Photograph {
    photograph(&[("orders", &[(1, "lamp"), (2, "desk")])])
}

/// The table `orders` with other rows.
pub fn orders_with(rows: &[(i64, &str)]) -> Photograph {
    photograph(&[("orders", rows)])
}

/// A database without a table.
pub fn nothing() -> Photograph {
    photograph(&[])
}

/// A content with one object more, defined by `boss`.
pub fn with(mut held: Photograph, kind: ObjectKind, name: &str, definition: &str) -> Photograph {
    let word = crate::checks::migration::content::kind_word(kind);
    let object = PhotographedObject {
        kind,
        name: name.into(),
        definition: definition.into(),
        definer: Some("boss".into()),
        security: None,
        enabled: true,
        needs: vec![],
        rows: None,
    };
    if let Some(database) = held.databases.get_mut("app") {
        database.objects.insert(format!("{word} {name}"), object);
    }
    held
}

/// The same content with every definer changed.
pub fn defined_by(mut held: Photograph, account: &str) -> Photograph {
    let objects = held.databases.values_mut().flat_map(|database| database.objects.values_mut());
    objects.filter(|object| object.definer.is_some()).for_each(|object| object.definer = Some(account.into()));
    held
}

/// The content with a view over its orders.
pub fn with_view(held: Photograph) -> Photograph {
    with(held, ObjectKind::View, "recent", "create view recent as select * from orders")
}

/// One branch of the chosen tree.
pub fn branch(kind: Option<ObjectKind>, name: Option<&str>) -> RestoreObjects {
    let branch = Branch { database: "app".into(), kind, name: name.map(str::to_owned) };
    RestoreObjects::Custom { branches: vec![branch] }
}

/// A precheck run with one item.
pub fn precheck(number: u32, began_at: Timestamp, item: PrecheckItem, outcome: PrecheckOutcome) -> PrecheckRun {
    let items = vec![PrecheckResult { item, outcome }];
    PrecheckRun { ended_at: Some(began_at), items, ..PrecheckRun::begin(number, began_at, BTreeMap::new()) }
}

/// The outcome of a failed item.
pub fn failed() -> PrecheckOutcome {
    PrecheckOutcome::failed("no way to rm-2", "open one")
}

/// The body that makes a restore task.
pub fn body(view: &RestoreView) -> Value {
    json!({"name": view.name, "source": view.source, "backup_task": view.backup_task, "recovery": view.recovery,
        "target": view.target, "types": view.types, "objects": view.objects, "mapping": view.mapping,
        "structure_conflict": view.structure_conflict, "data_conflict": view.data_conflict})
}

/// A body with another value at a place; null takes the field away.
pub fn but(mut body: Value, place: &str, value: Value) -> Value {
    let (parent, field) = place.rsplit_once('/').unwrap_or(("", place));
    if let Some(Value::Object(fields)) = body.pointer_mut(parent) {
        if value.is_null() {
            fields.remove(field);
        } else {
            fields.insert(field.to_owned(), value);
        }
    }
    body
}

/// The story of one restore of `bkx-1`, a set of `ds-1` (on `rm-1`), into `ds-2` (on `rm-2`).
pub struct Tale {
    /// The story.
    pub story: Story,
    /// The restore task as it is now.
    pub view: RestoreView,
    /// The backup task.
    pub task: LogicalBackupTaskView,
    /// The full set.
    pub set: LogicalSetView,
}

/// A data source.
pub fn data_source(id: &str, server: &InstanceView, account: &str) -> DataSourceView {
    DataSourceView {
        id: id.into(),
        name: id.into(),
        instance_id: server.id.clone(),
        product: server.product,
        account: account.into(),
        connection: ConnectionMode::Plain,
        created_at: start(),
    }
}

impl Tale {
    /// Both servers with what they hold, a complete full set of the first, and the request for a restore by it.
    pub fn between(source: &Photograph, target: &Photograph) -> Self {
        Self::of(["mysql 5.7", "mysql 5.7"], source, target)
    }

    /// The same with other products.
    pub fn of([from, into]: [&str; 2], source: &Photograph, target: &Photograph) -> Self {
        let (shop, spare) = (master("rm-1", from), master("rm-2", into));
        let mut story = Story::new();
        story.see(&shop).see(&spare);
        for view in [data_source("ds-1", &shop, "app"), data_source("ds-2", &spare, "restorer")] {
            story.push(What::DataSourceSeen(Arc::new(view)));
        }
        story.shot("rm-1", source).shot("rm-2", target);
        let task = LogicalBackupTaskView {
            id: "bk-1".into(),
            name: "nightly".into(),
            source: "ds-1".into(),
            product: shop.product,
            backup_type: LogicalType::StructureFullLog,
            databases: [].into(),
            schedule: None,
            retention_days: 7,
            state: LogicalTaskState::Normal,
            running: None,
            created_at: story.now,
        };
        story.push(What::LogicalTaskSeen(Arc::new(task.clone())));
        let began_at = story.now;
        story.wait("2s");
        let at = story.now;
        let set = LogicalSetView {
            id: "bkx-1".into(),
            task: "bk-1".into(),
            source: "ds-1".into(),
            product: shop.product,
            kind: SetKind::Full,
            status: SetStatus::Completed,
            restorable: true,
            began_at,
            ended_at: Some(at),
            from: None,
            to: Some(Instant { position: 0, at }),
            objects: vec![],
            size_bytes: 1,
            failure: None,
        };
        story.push(What::LogicalSetSeen(Arc::new(set.clone())));
        let view = RestoreView {
            id: "rst-1".into(),
            name: "bring back".into(),
            source: "ds-1".into(),
            backup_task: "bk-1".into(),
            recovery: RestoreMethod::BackupSet { backup_set_id: "bkx-1".into() },
            backup_set: "bkx-1".into(),
            target: "ds-2".into(),
            types: [RestoreType::Structure, RestoreType::Full].into(),
            objects: RestoreObjects::All,
            mapping: vec![],
            structure_conflict: StructureConflict::Ignore,
            data_conflict: DataConflict::Ignore,
            status: RestoreStatus::Checking,
            precheck: None,
            precheck_stale: vec![],
            details: vec![],
            failure: None,
            created_at: start(),
            started_at: None,
            ended_at: None,
        };
        Self { story, view, task, set }
    }

    /// Changes the request or the task.
    pub fn set(&mut self, change: impl FnOnce(&mut RestoreView)) -> &mut Self {
        change(&mut self.view);
        self
    }

    /// Asks for a point in time: the moment of a mark at which the source holds this.
    pub fn at_mark(&mut self, name: &str, source: &Photograph) -> &mut Self {
        let point_in_time = self.story.now;
        self.story.mark(name, &[("rm-1", source)]).wait("1s");
        self.view.recovery = RestoreMethod::PointInTime { point_in_time };
        self
    }

    /// Says that the full set ends at the place of the log which all photographs show.
    pub fn placed(&mut self) -> &mut Self {
        for event in &mut self.story.history.events {
            if let What::LogicalSetSeen(set) = &mut event.what {
                let set = Arc::make_mut(set);
                set.to = set.to.map(|to| Instant { position: 1, ..to });
            }
        }
        self
    }

    /// Shows the task as it is.
    pub fn look(&mut self) -> &mut Self {
        self.story.push(What::RestoreSeen(Arc::new(self.view.clone())));
        self
    }

    /// The task is saved and its precheck passes.
    pub fn save(&mut self) -> &mut Self {
        let answer = json!(self.view);
        self.story.keyed_call("POST /v1/restore-tasks", Some("k"), body(&self.view), 201, answer);
        self.look();
        let run = precheck(1, self.story.now, PrecheckItem::RestoreTargetConnection, PrecheckOutcome::Success);
        self.view.precheck = Some(run);
        self.view.status = RestoreStatus::CheckPassed;
        self.look()
    }

    /// It is saved and started.
    pub fn begin(&mut self) -> &mut Self {
        self.save();
        self.view.status = RestoreStatus::Running;
        self.view.started_at = Some(self.story.now);
        let answer = json!(self.view);
        self.story.keyed_call("POST /v1/restore-tasks/rst-1/start", Some("s"), json!({}), 200, answer);
        self.look()
    }

    /// It ends.
    pub fn end(&mut self, status: RestoreStatus) -> &mut Self {
        self.view.status = status;
        self.view.ended_at = Some(self.story.now);
        self.look()
    }

    /// What both servers hold now.
    pub fn after(&mut self, source: &Photograph, target: &Photograph) -> &mut Self {
        self.story.shot("rm-1", source).shot("rm-2", target);
        self
    }

    /// All of it: begun, completed, and what both hold afterwards.
    pub fn complete(&mut self, source: &Photograph, target: &Photograph) -> &mut Self {
        self.begin().end(RestoreStatus::Completed).after(source, target)
    }
}
