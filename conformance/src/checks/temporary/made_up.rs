//! What the made-up histories of these checks' tests have in common.

use super::TemporaryViolation;
use crate::checks::clone::CloneViolation;
use crate::checks::testing::{Story, start};
use crate::checks::{Check, Finding, Violation};
use crate::history::lens::Lens;
use crate::history::{ListKind, What};
use jiff::Timestamp;
use recovery::model::backup::{BackupKind, BackupMode, BackupStatus};
use recovery::model::instance::{InstanceState, Origin, Restored};
use recovery::model::views::{BackupView, InstanceList, InstanceView};
use serde_json::{Value, json};
use std::sync::Arc;

/// What a check says of a story.
pub fn verdict(story: &Story, run: fn(&Lens<'_>) -> Finding) -> Finding {
    story.judge(&Check { name: "under test", run })
}

/// The violations a check finds in a story, all about temporary instances.
pub fn wrong(story: &Story, run: fn(&Lens<'_>) -> Finding) -> Vec<TemporaryViolation> {
    let found = verdict(story, run).violations.into_iter();
    found
        .filter_map(|evidence| if let Violation::Temporary(it) = evidence.violation { Some(it) } else { None })
        .collect()
}

/// The violations a check finds in a story, all about clones.
pub fn wrong_clone(story: &Story, run: fn(&Lens<'_>) -> Finding) -> Vec<CloneViolation> {
    let found = verdict(story, run).violations.into_iter();
    found.filter_map(|evidence| if let Violation::Clone(it) = evidence.violation { Some(it) } else { None }).collect()
}

/// The story holds: exercised that often, and nothing is wrong.
pub fn holds(story: &Story, run: fn(&Lens<'_>) -> Finding, exercised: u64) {
    let finding = verdict(story, run);
    assert_eq!((finding.exercised, finding.violations), (exercised, vec![]));
}

/// An instance as it is while it is made.
pub fn creating(view: &InstanceView) -> InstanceView {
    InstanceView {
        state: InstanceState::Creating,
        created_at: None,
        expires_at: None,
        endpoint: None,
        recovered_to: None,
        ..view.clone()
    }
}

/// An instance in another state.
pub fn in_state(view: &InstanceView, state: InstanceState) -> InstanceView {
    InstanceView { state, ..view.clone() }
}

/// A body that asks for the data backup `bk-1`.
pub fn by_set() -> Value {
    json!({"backup_set_id": "bk-1"})
}

/// A body that asks for a point in time.
pub fn by_time(time: Timestamp) -> Value {
    json!({"point_in_time": time.to_string()})
}

/// A temporary instance with another choice than the backup.
pub fn to_time(view: &InstanceView, time: Timestamp) -> InstanceView {
    let restored = Restored::PointInTime { point_in_time: time, backup_set_id: "bk-1".into() };
    let origin = match &view.origin {
        Origin::Clone { source, .. } => Origin::Clone { source: source.clone(), restored },
        Origin::Temporary { master, .. } => Origin::Temporary { master: master.clone(), restored },
        other => other.clone(),
    };
    InstanceView { origin, ..view.clone() }
}

/// A body of a clone order around what to restore.
pub fn clone_body(restore: Value) -> Value {
    json!({"restore": restore, "billing": "pay-as-you-go", "terms_accepted": true})
}

impl Story {
    /// An accepted order of a temporary instance, shown as it is made.
    pub fn order_temporary(&mut self, key: &str, master: &InstanceView, body: Value, made: &InstanceView) -> &mut Self {
        let made = InstanceView { requested_at: self.now, ..creating(made) };
        let path = format!("POST /v1/instances/{}/temporary-instances", master.id);
        self.keyed_call(&path, Some(key), body, 202, json!(made)).see(&made)
    }

    /// An accepted order of clones, shown as they are made.
    pub fn order_clones(&mut self, key: &str, master: &InstanceView, body: Value, made: &[&InstanceView]) -> &mut Self {
        let made: Vec<InstanceView> = made.iter().map(|view| creating(view)).collect();
        let path = format!("POST /v1/instances/{}/clones", master.id);
        self.keyed_call(&path, Some(key), body, 202, json!(InstanceList { instances: made.clone() }));
        made.iter().fold(self, |story, view| story.see(view))
    }

    /// A list of instances.
    pub fn show_list(&mut self, list: ListKind, of: Option<&str>, shown: &[&InstanceView]) -> &mut Self {
        let ids = shown.iter().map(|view| view.id.clone()).collect();
        self.push(What::InstancesListed { list, of: of.map(str::to_owned), ids });
        shown.iter().fold(self, |story, view| story.see(view))
    }

    /// The complete data backup `bk-1` of an instance, taken a second ago.
    pub fn data_backup(&mut self, master: &InstanceView) -> &mut Self {
        let now = self.now;
        self.wait("1s");
        let view = BackupView {
            node: None,
            expires_at: None,
            id: "bk-1".into(),
            instance: master.id.clone(),
            kind: BackupKind::Data,
            mode: BackupMode::Manual,
            status: BackupStatus::Success,
            began_at: now,
            ended_at: Some(self.now),
            content_to: Some(self.now),
            size_bytes: Some(1),
            failure: None,
        };
        self.push(What::BackupSeen(Arc::new(view)))
    }

    /// Moves time to a span after the beginning of the story.
    pub fn go_to(&mut self, span: &str) -> &mut Self {
        self.now = start() + crate::checks::testing::span(span);
        self
    }
}
