//! What the made-up histories of these checks' tests have in common.

use super::InvariantViolation;
use crate::checks::testing::{Story, master, start, task, temporary};
use crate::checks::{Check, Finding, Violation};
use crate::history::lens::Lens;
use crate::history::{LedgerEntry, ListKind, What};
use recovery::model::task::TaskStatus;
use recovery::model::views::{InstanceView, TaskView};

/// The violations a check finds in a story.
pub fn wrong(story: &Story, run: fn(&Lens<'_>) -> Finding) -> Vec<InvariantViolation> {
    let found = story.judge(&Check { name: "under test", run }).violations.into_iter();
    found
        .filter_map(|evidence| if let Violation::Invariant(it) = evidence.violation { Some(it) } else { None })
        .collect()
}

/// The story holds: exercised that often, and nothing is wrong.
pub fn holds(story: &Story, run: fn(&Lens<'_>) -> Finding, exercised: u64) {
    let finding = story.judge(&Check { name: "under test", run });
    assert_eq!((finding.exercised, finding.violations), (exercised, vec![]));
}

/// The story of the master `rm-1`.
pub struct Tale {
    pub story: Story,
    pub shop: InstanceView,
    pub task: TaskView,
}

impl Tale {
    /// The master runs.
    pub fn new() -> Self {
        let shop = master("rm-1", "mysql 5.7");
        let task = task("dts-1", &shop, &shop);
        let mut story = Story::new();
        story.see(&shop);
        Self { story, shop, task }
    }

    /// Its temporary instance `sub1` runs.
    pub fn rescue(&mut self) -> &mut Self {
        self.story.see(&temporary("sub1", &self.shop, start()));
        self
    }

    /// A migration of `orders` begins.
    pub fn migrate(&mut self, source: &str, target: &str) -> &mut Self {
        let shop = self.shop.clone();
        let side = |id: &str| InstanceView { id: id.into(), ..shop.clone() };
        self.task = task("dts-1", &side(source), &side(target));
        self.look(TaskStatus::NotStarted);
        self.task.started_at = Some(self.story.now);
        self.look(TaskStatus::Migrating)
    }

    /// The migration is over.
    pub fn finish(&mut self) -> &mut Self {
        self.look(TaskStatus::Finished)
    }

    /// Shows the task in a status.
    pub fn look(&mut self, status: TaskStatus) -> &mut Self {
        self.task.status = status;
        let view = self.task.clone();
        self.story.see_task(&view);
        self
    }

    /// The application writes a row of `orders`.
    pub fn row(&mut self, instance: &str, id: i64, acknowledged: bool) -> &mut Self {
        let entry = LedgerEntry {
            instance: instance.into(),
            database: "app".into(),
            table: "orders".into(),
            id,
            sent_at: self.story.now,
            acknowledged,
            refused: false,
        };
        self.story.push(What::Ledger(entry));
        self
    }

    /// A list of all instances, read.
    pub fn list(&mut self, views: &[&InstanceView]) -> &mut Self {
        let answer = serde_json::json!({ "instances": views });
        self.story.call("GET /v1/instances", serde_json::Value::Null, 200, answer);
        let at = self.story.history.events.last().map_or(self.story.now, |event| event.at);
        let ids = views.iter().map(|view| view.id.clone()).collect();
        self.story.now = at;
        self.story.push(What::InstancesListed { list: ListKind::Instances, of: None, ids });
        for view in views {
            self.story.now = at;
            self.story.see(view);
        }
        self
    }

    /// The service crashes and starts again.
    pub fn crash(&mut self) -> &mut Self {
        self.story.push(What::fault("crash", "service crashes", Some("service")));
        self.story.push(What::fault("restart", "service starts again", Some("service")));
        self
    }
}
