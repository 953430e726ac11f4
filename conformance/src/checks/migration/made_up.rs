//! What the made-up histories of these checks' tests have in common.

use super::MigrationViolation;
use crate::checks::testing::{Story, clone_of, master, photograph, start, task};
use crate::checks::{Check, Finding, Violation};
use crate::history::lens::Lens;
use recovery::model::content::{ObjectKind, Security};
use recovery::model::photograph::{Photograph, PhotographedObject};
use recovery::model::task::{MigrationType, PhaseStatus, TaskStatus};
use recovery::model::views::TaskView;
use std::collections::BTreeSet;

/// The violations a check finds in a story.
pub fn wrong(story: &Story, run: fn(&Lens<'_>) -> Finding) -> Vec<MigrationViolation> {
    let found = story.judge(&Check { name: "under test", run }).violations.into_iter();
    found
        .filter_map(|evidence| if let Violation::Migration(it) = evidence.violation { Some(it) } else { None })
        .collect()
}

/// The story holds: exercised that often, and nothing is wrong.
pub fn holds(story: &Story, run: fn(&Lens<'_>) -> Finding, exercised: u64) {
    let finding = story.judge(&Check { name: "under test", run });
    assert_eq!((finding.exercised, finding.violations), (exercised, vec![]));
}

/// A migration of `orders` from a clone `rm-2` to its master `rm-1`.
pub struct Plot {
    pub story: Story,
    pub task: TaskView,
}

/// Two rows.
pub const TWO: &[(i64, &str)] = &[(1, "lamp"), (2, "desk")];

/// A content with `orders` of two rows.
pub fn orders() -> Photograph {
    photograph(&[("orders", TWO)])
}

/// An empty database.
pub fn nothing() -> Photograph {
    photograph(&[])
}

impl Plot {
    /// Instances of a product, nothing photographed yet.
    pub fn of(product: &str) -> Self {
        let shop = master("rm-1", product);
        let copy = clone_of("rm-2", &shop, start());
        let task = task("dts-1", &copy, &shop);
        let mut story = Story::new();
        story.see(&shop).see(&copy);
        Self { story, task }
    }

    /// The same with the photographs of both sides before the migration, and the task about to begin.
    pub fn between(source: &Photograph, target: &Photograph) -> Self {
        let mut plot = Self::of("mysql 5.7");
        plot.ready(source, target);
        plot
    }

    /// Photographs both sides and shows the task about to begin.
    pub fn ready(&mut self, source: &Photograph, target: &Photograph) -> &mut Self {
        self.story.shot("rm-2", source).shot("rm-1", target);
        self.sight(TaskStatus::Prechecking)
    }

    /// Shows the task in a status.
    pub fn sight(&mut self, status: TaskStatus) -> &mut Self {
        self.task.status = status;
        self.task.failure = self.task.failure.take().filter(|_| status == TaskStatus::MigrationFailed);
        let view = self.task.clone();
        self.story.see_task(&view);
        self
    }

    /// Shows the task migrating.
    pub fn begin(&mut self) -> &mut Self {
        self.task.started_at = Some(self.story.now);
        self.sight(TaskStatus::Migrating)
    }

    /// Ticks other types.
    pub fn types(&mut self, types: &[MigrationType]) -> &mut Self {
        self.task.types = types.iter().copied().collect::<BTreeSet<_>>();
        self.task.phases = types.iter().map(|kind| (*kind, PhaseStatus::NotStarted)).collect();
        self
    }

    /// Shows a phase in a status, while migrating.
    pub fn phase(&mut self, phase: MigrationType, status: PhaseStatus) -> &mut Self {
        self.task.phases.insert(phase, status);
        self.sight(TaskStatus::Migrating)
    }

    /// Shows the task finished, with all its phases.
    pub fn finish(&mut self) -> &mut Self {
        self.task.started_at.get_or_insert(self.story.now);
        self.task.ended_at = Some(self.story.now);
        self.task.phases.values_mut().for_each(|status| *status = PhaseStatus::Finished);
        self.sight(TaskStatus::Finished)
    }

    /// An accepted request about the task.
    pub fn ask(&mut self, verb: &str) -> &mut Self {
        self.story.call(
            &format!("POST /v1/migration-tasks/dts-1/{verb}"),
            serde_json::Value::Null,
            200,
            serde_json::Value::Null,
        );
        self
    }

    /// A refused request about the task.
    pub fn refuse(&mut self, verb: &str) -> &mut Self {
        self.story.refused(
            &format!("POST /v1/migration-tasks/dts-1/{verb}"),
            serde_json::Value::Null,
            409,
            "OperationDenied.TaskStatus",
        );
        self
    }

    /// Photographs both sides after the migration.
    pub fn after(&mut self, source: &Photograph, target: &Photograph) -> &mut Self {
        self.story.shot("rm-2", source).shot("rm-1", target);
        self
    }
}

/// Puts an object without rows into the database `app` of a photograph.
pub fn with(mut held: Photograph, kind: ObjectKind, name: &str, definition: &str, needs: &[&str]) -> Photograph {
    let object = PhotographedObject {
        kind,
        name: name.to_owned(),
        definition: definition.to_owned(),
        definer: None,
        security: matches!(kind, ObjectKind::View | ObjectKind::Procedure | ObjectKind::Function)
            .then_some(Security::Invoker),
        enabled: true,
        needs: needs.iter().map(|need| (*need).to_owned()).collect(),
        rows: None,
    };
    if let Some(database) = held.databases.get_mut("app") {
        database.objects.insert(format!("{} {name}", super::content::kind_word(kind)), object);
    }
    held
}
