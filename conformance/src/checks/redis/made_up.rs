//! What the made-up histories of these checks' tests have in common.

use super::RedisViolation;
use crate::checks::testing::{Story, clone_of, master, photograph, span, start};
use crate::checks::{Check, Finding, Violation};
use crate::history::What;
use crate::history::lens::Lens;
use jiff::Timestamp;
use recovery::model::backup::{BackupKind, BackupMode, BackupStatus, Node};
use recovery::model::content::{ObjectKind, Value};
use recovery::model::instance::InstanceState;
use recovery::model::photograph::{Photograph, PhotographedDatabase, PhotographedObject, Rows};
use recovery::model::views::{BackupView, InstanceList, InstanceView};
use serde_json::json;
use std::sync::Arc;

/// What a check says of a story.
pub fn verdict(story: &Story, run: fn(&Lens<'_>) -> Finding) -> Finding {
    story.judge(&Check { name: "under test", run })
}

/// The violations a check finds in a story.
pub fn wrong(story: &Story, run: fn(&Lens<'_>) -> Finding) -> Vec<RedisViolation> {
    let found = verdict(story, run).violations.into_iter();
    found.filter_map(|evidence| if let Violation::Redis(it) = evidence.violation { Some(it) } else { None }).collect()
}

/// The story holds: exercised that often, and nothing is wrong.
pub fn holds(story: &Story, run: fn(&Lens<'_>) -> Finding, exercised: u64) {
    let finding = verdict(story, run);
    assert_eq!((finding.exercised, finding.violations), (exercised, vec![]));
}

/// A Redis instance.
pub fn cache() -> InstanceView {
    master("r-1", "redis 5.0")
}

/// Its content: keys of database 0 with texts, and when they expire.
pub fn keys(keys: &[(&str, &str, Option<Timestamp>)]) -> Photograph {
    let row = |(key, value, expires): &(&str, &str, Option<Timestamp>)| {
        let expires = expires.map_or(Value::Null, |at| Value::Integer(at.as_millisecond()));
        vec![Value::Text((*key).into()), Value::Text("string".into()), Value::Text((*value).into()), expires]
    };
    let columns = ["key", "type", "value", "expires_at"].map(str::to_owned).to_vec();
    let rows = Some(Rows::Whole { columns, key: vec!["key".into()], rows: keys.iter().map(row).collect() });
    let object = PhotographedObject {
        kind: ObjectKind::Table,
        name: "keys".into(),
        definition: String::new(),
        definer: None,
        security: None,
        enabled: true,
        needs: vec![],
        rows,
    };
    let database = PhotographedDatabase { charset: "utf8".into(), objects: [("table keys".to_owned(), object)].into() };
    let databases = if keys.is_empty() { [].into() } else { [("0".to_owned(), database)].into() };
    Photograph { databases, ..photograph(&[]) }
}

/// Texts by key that never expire.
pub fn texts(pairs: &[(&str, &str)]) -> Photograph {
    keys(&pairs.iter().map(|(key, value)| (*key, *value, None)).collect::<Vec<_>>())
}

/// A complete backup of the instance.
pub fn backup(id: &str, began_at: Timestamp) -> BackupView {
    BackupView {
        id: id.into(),
        instance: "r-1".into(),
        kind: BackupKind::Data,
        mode: BackupMode::Manual,
        status: BackupStatus::Success,
        began_at,
        ended_at: Some(began_at + span("1s")),
        content_to: Some(began_at),
        size_bytes: Some(10),
        node: Some(Node::Replica),
        expires_at: Some(began_at + span("1s") + span("168h")),
        failure: None,
    }
}

/// An instance with this content, and the complete backup `bk-1` of it.
pub fn backed_up(held: &Photograph) -> Story {
    let mut story = Story::new();
    story.see(&cache()).shot("r-1", held).wait("10s");
    take(&mut story, held);
    story
}

/// Takes the backup `bk-1` of an instance that holds this all the while.
pub fn take(story: &mut Story, held: &Photograph) {
    let began_at = story.now;
    story.wait("1s");
    show(story, &backup("bk-1", began_at));
    story.wait("1s").shot("r-1", held);
}

/// Shows a backup.
pub fn show(story: &mut Story, view: &BackupView) {
    story.push(What::BackupSeen(Arc::new(view.clone())));
}

/// A recovery of `bk-1` that ends with this content.
pub fn recover(story: &mut Story, after: &Photograph) {
    let body = json!({"backup_set_id": "bk-1", "overwrite_confirmed": true});
    let recovering = InstanceView { state: InstanceState::BackupRecovering, ..cache() };
    story.keyed_call("POST /v1/instances/r-1/recovery", Some("r"), body, 202, json!(recovering));
    story.see(&recovering).wait("5s").see(&cache()).shot("r-1", after);
}

/// A clone of `bk-1` that shows this content.
pub fn copy(story: &mut Story, after: &Photograph) -> InstanceView {
    let copy = InstanceView { id: "r-2".into(), ..clone_of("r-2", &cache(), start()) };
    let body = json!({"restore": {"backup_set_id": "bk-1"}, "billing": "pay-as-you-go", "terms_accepted": true});
    let making = InstanceView { state: InstanceState::Creating, endpoint: None, ..copy.clone() };
    let answer = json!(InstanceList { instances: vec![making.clone()] });
    story.keyed_call("POST /v1/instances/r-1/clones", Some("c"), body, 202, answer);
    story.see(&making).wait("5s").see(&copy).shot("r-2", after);
    copy
}
