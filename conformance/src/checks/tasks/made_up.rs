//! What the made-up histories of these checks' tests have in common.

use super::TaskViolation;
use crate::checks::testing::{Story, master, start, task, temporary};
use crate::checks::{Check, Finding, Violation};
use crate::history::What;
use crate::history::lens::Lens;
use recovery::model::photograph::Photograph;
use recovery::model::precheck::{PrecheckItem, PrecheckOutcome, PrecheckResult, PrecheckRun};
use recovery::model::task::{Stage, TaskStatus};
use recovery::model::views::{InstanceView, TaskView};
use serde_json::{Value, json};

/// All items, in order.
const ITEMS: [PrecheckItem; 8] = [
    PrecheckItem::SourceConnectivity,
    PrecheckItem::SourcePermission,
    PrecheckItem::TargetConnectivity,
    PrecheckItem::TargetPermission,
    PrecheckItem::SourceVersion,
    PrecheckItem::SchemaExistence,
    PrecheckItem::SameNameObject,
    PrecheckItem::ConstraintIntegrity,
];

/// A master.
pub fn shop() -> InstanceView {
    master("rm-1", "sqlserver 2012 web")
}

/// Its temporary instance.
pub fn rescue() -> InstanceView {
    temporary("sub1", &shop(), start())
}

/// The body that makes a task; the password of both sides has the mark `aaaa`.
pub fn body(task: &TaskView) -> Value {
    let side = |side: &recovery::model::views::SideView| {
        json!({"instance_type": "rds", "region": side.region, "instance_id": side.instance_id, "account": side.account,
            "password": "#aaaa", "connection": side.connection})
    };
    json!({"name": task.name, "source": side(&task.source), "target": side(&task.target)})
}

/// A body with another value at a place like `/target/region`; null takes the field away.
pub fn with(mut body: Value, place: &str, value: Value) -> Value {
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

/// What a check says of a story.
pub fn verdict(tale: &Tale, run: fn(&Lens<'_>) -> Finding) -> Finding {
    tale.story.judge(&Check { name: "under test", run })
}

/// The violations a check finds in a story.
pub fn wrong(tale: &Tale, run: fn(&Lens<'_>) -> Finding) -> Vec<TaskViolation> {
    let found = verdict(tale, run).violations.into_iter();
    found.filter_map(|evidence| if let Violation::Task(it) = evidence.violation { Some(it) } else { None }).collect()
}

/// The story holds: exercised that often, and nothing is wrong.
pub fn holds(tale: &Tale, run: fn(&Lens<'_>) -> Finding, exercised: u64) {
    let finding = verdict(tale, run);
    assert_eq!((finding.exercised, finding.violations), (exercised, vec![]));
}

/// The story of one task.
pub struct Tale {
    /// The story so far.
    pub story: Story,
    /// The task as it is now.
    pub task: TaskView,
}

impl Tale {
    /// A task from the temporary instance to its master; both were seen running.
    pub fn begin() -> Self {
        Self::between(&rescue(), &shop())
    }

    /// A task between two instances that were seen running.
    pub fn between(source: &InstanceView, target: &InstanceView) -> Self {
        let mut story = Story::new();
        story.see(target).see(source);
        Self { story, task: task("dts-1", source, target) }
    }

    /// Changes the task without anybody seeing it.
    pub fn set(&mut self, change: impl FnOnce(&mut TaskView)) -> &mut Self {
        change(&mut self.task);
        self
    }

    /// The task is made.
    pub fn create(&mut self) -> &mut Self {
        let body = body(&self.task);
        self.create_as(body)
    }

    /// The task is made by a body.
    pub fn create_as(&mut self, body: Value) -> &mut Self {
        self.story.keyed_call("POST /v1/migration-tasks", Some("k1"), body, 201, json!(self.task)).see_task(&self.task);
        self
    }

    /// A body is refused.
    pub fn refuse_body(&mut self, body: Value, status: u16, code: &str) -> &mut Self {
        let answer = json!({"code": code, "status": status});
        let key = format!("refused-{}", self.story.history.events.len());
        self.story.keyed_call("POST /v1/migration-tasks", Some(&key), body, status, answer);
        self
    }

    /// A step is accepted; the answer shows the task as it is now.
    pub fn step(&mut self, verb: &str) -> &mut Self {
        self.step_with(verb, Value::Null)
    }

    /// A step with a body is accepted.
    pub fn step_with(&mut self, verb: &str, body: Value) -> &mut Self {
        let method = if verb == "objects" { "PUT" } else { "POST" };
        let path = format!("{method} /v1/migration-tasks/{}/{verb}", self.task.id);
        self.story.call(&path, body, 200, json!(self.task)).see_task(&self.task);
        self
    }

    /// A step is refused.
    pub fn refuse(&mut self, verb: &str, body: Value, status: u16, code: &str) -> &mut Self {
        let method = if verb == "objects" { "PUT" } else { "POST" };
        self.story.refused(&format!("{method} /v1/migration-tasks/{}/{verb}", self.task.id), body, status, code);
        self
    }

    /// The body that chooses what the task moves.
    pub fn choice(&self) -> Value {
        json!({"types": self.task.types, "objects": self.task.objects, "same_name": self.task.same_name})
    }

    /// Types and objects are chosen.
    pub fn choose(&mut self) -> &mut Self {
        let choice = self.choice();
        self.set(|task| task.stage = Stage::Selected).step_with("objects", choice)
    }

    /// Everything up to the precheck.
    pub fn ready(&mut self) -> &mut Self {
        self.create().set(|task| task.stage = Stage::Authorised).step("authorise").choose()
    }

    /// Somebody looks at the task.
    pub fn look(&mut self) -> &mut Self {
        let path = format!("GET /v1/migration-tasks/{}", self.task.id);
        self.story.call(&path, Value::Null, 200, json!(self.task)).see_task(&self.task);
        self
    }

    /// A photograph of both sides.
    pub fn photograph(&mut self, source: &Photograph, target: &Photograph) -> &mut Self {
        let (from, to) = (self.task.source.instance_id.clone(), self.task.target.instance_id.clone());
        self.story.shot(from.as_str(), source).shot(to.as_str(), target);
        self
    }

    /// A precheck run begins by a step.
    pub fn begin_run(&mut self, verb: &str) -> &mut Self {
        let number = self.task.precheck.as_ref().map_or(0, |run| run.number) + 1;
        let run = PrecheckRun::begin(number, self.story.now, std::collections::BTreeMap::new());
        self.set(|task| (task.status, task.precheck) = (TaskStatus::Prechecking, Some(run)));
        self.step(verb)
    }

    /// The precheck run ends with failed items.
    pub fn end_run(&mut self, failing: &[PrecheckItem]) -> &mut Self {
        let now = self.story.now;
        let status = if failing.is_empty() { TaskStatus::PrecheckPassed } else { TaskStatus::PrecheckFailed };
        let result = |item: PrecheckItem| {
            let failed = PrecheckOutcome::failed("found", "repair");
            PrecheckResult { item, outcome: if failing.contains(&item) { failed } else { PrecheckOutcome::Success } }
        };
        self.set(|task| {
            task.status = status;
            if let Some(run) = &mut task.precheck {
                (run.ended_at, run.items) = (Some(now), ITEMS.into_iter().map(result).collect());
            }
        });
        self.look()
    }

    /// A whole precheck run.
    pub fn precheck(&mut self, failing: &[PrecheckItem]) -> &mut Self {
        self.begin_run("precheck").end_run(failing)
    }

    /// The task is confirmed and migrates after a fresh precheck.
    pub fn confirm(&mut self) -> &mut Self {
        self.begin_run("confirm").end_run(&[]).migrate()
    }

    /// The task is seen migrating.
    pub fn migrate(&mut self) -> &mut Self {
        let now = self.story.now;
        self.set(|task| (task.status, task.started_at) = (TaskStatus::Migrating, Some(now))).look()
    }

    /// The task is seen finished.
    pub fn finish(&mut self) -> &mut Self {
        let now = self.story.now;
        self.set(|task| (task.status, task.ended_at) = (TaskStatus::Finished, Some(now))).look()
    }

    /// A fault.
    pub fn fault(&mut self) -> &mut Self {
        self.story.push(What::fault("crash", "worker-1 crashes", Some("worker-1")));
        self
    }
}
