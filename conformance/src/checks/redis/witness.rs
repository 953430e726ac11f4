//! What several checks of Redis ask of a history: what a backup must hold, where its content shows, and what users did.

use crate::checks::migration::text::tells_of;
use crate::checks::temporary::Difference;
use crate::checks::temporary::witness::{is_fresh, shown, skewed};
use crate::history::lens::redis::BackupStory;
use crate::history::lens::{Lens, Seen};
use crate::history::{Call, Shot, Statement, What};
use jiff::{SignedDuration, Timestamp};
use recovery::model::backup::Node;
use recovery::model::content::Value;
use recovery::model::instance::InstanceState;
use recovery::model::photograph::{Photograph, Rows};
use recovery::model::{BackupId, InstanceId};
use std::collections::BTreeMap;

/// How long a backup stays (RED-07, RED-12, RED-15, RED-16; C-25).
pub const KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How far a replica follows behind its master unless a parameter says otherwise.
const LAG_MS: i64 = 50;
/// How much later than its lag a replica may be.
const SLACK: SignedDuration = SignedDuration::from_secs(1);
/// The parameter that says how far a replica follows behind.
const LAG: &str = "replica_lag_ms";
/// Orders of clones.
const CLONES: &str = "POST /v1/instances/{}/clones";

/// Keys of all databases with all that is said of them, written `key a of 0`.
pub type Keys = BTreeMap<String, String>;

/// The keys of a content that are still there at a time; `None` where there are too many to keep.
pub fn keys(held: &Photograph, at: Timestamp) -> Option<Keys> {
    let mut found = Keys::new();
    for (database, held) in &held.databases {
        for object in held.objects.values() {
            let Rows::Whole { columns, rows, .. } = object.rows.as_ref()? else { return None };
            let place = |name: &str| columns.iter().position(|column| column == name);
            let (key, expires) = (place("key")?, place("expires_at"));
            for row in rows {
                let over = match expires.and_then(|at| row.get(at)) {
                    Some(Value::Integer(ms)) => *ms <= at.as_millisecond(),
                    _ => false,
                };
                if let (Some(Value::Text(name)), false) = (row.get(key), over) {
                    let text = serde_json::to_string(row).unwrap_or_default();
                    found.insert(format!("key {name} of {database}"), text);
                }
            }
        }
    }
    Some(found)
}

/// The first difference between two contents.
pub fn difference(want: &Keys, got: &Keys) -> Option<Difference> {
    let missing = want.keys().find(|key| !got.contains_key(*key));
    if let Some(key) = missing {
        return Some(Difference::Missing { what: key.clone() });
    }
    if let Some(key) = got.keys().find(|key| !want.contains_key(*key)) {
        return Some(Difference::Extra { what: key.clone() });
    }
    let other = want.iter().find(|(key, row)| got.get(*key) != Some(*row));
    other.map(|(key, _)| Difference::Changed { what: key.clone() })
}

/// How far the replica of an instance may have been behind: as its parameter says (RED-03), or as a fault left it.
pub fn lag(lens: &Lens<'_>, instance: &InstanceId) -> SignedDuration {
    let views = lens.instance(instance).into_iter().flat_map(|story| &story.views);
    let told = views.filter_map(|seen| seen.it.configuration.parameters.get(LAG)?.parse::<i64>().ok());
    let name = lens.name(instance);
    let faults = lens.history.events.iter().filter_map(|event| match &event.what {
        What::Fault { kind, text, began: true, .. } if kind == "lag" && tells_of(text, &name) => {
            text.split_whitespace().filter_map(|word| word.parse().ok()).max()
        }
        _ => None,
    });
    SignedDuration::from_millis(told.chain(faults).max().unwrap_or(LAG_MS).max(LAG_MS)) + SLACK
}

/// Commands a statement runs that may change something.
fn commands(statement: &Statement) -> usize {
    if statement.only_reads() { 0 } else { statement.sql.lines().filter(|line| !line.trim().is_empty()).count() }
}

/// When something was written to an instance, once for every command.
fn writes(lens: &Lens<'_>, instance: &InstanceId) -> Vec<Timestamp> {
    let statements = lens.statements(instance).flat_map(|seen| {
        let chosen = seen.it.sql.lines().filter(|line| line.trim_start().to_lowercase().starts_with("select ")).count();
        let count = commands(seen.it).saturating_sub(chosen);
        std::iter::repeat_n(seen.at, count)
    });
    statements.chain(lens.ledger(instance).map(|seen| seen.at)).collect()
}

/// The contents an instance had one after the other while a backup of it was taken, as its replica may have had them;
/// `None` where it changed more often than it was photographed.
pub fn states<'a>(lens: &Lens<'a>, backup: &BackupStory<'a>) -> Option<Vec<&'a Photograph>> {
    let done = backup.complete()?;
    if skewed(lens) {
        return None;
    }
    let of = &backup.first.instance;
    let from = backup.first.began_at - lag(lens, of);
    let shots: Vec<Seen<'a, Shot>> = lens.shots(of).collect();
    let first = shots.iter().rposition(|shot| shot.at <= from)?;
    let last = shots.iter().position(|shot| shot.at >= done.at).unwrap_or(shots.len() - 1);
    let held = shots.get(first..=last)?;
    let writes = writes(lens, of);
    let end = if held.last()?.at >= done.at { held.last()?.at } else { done.at };
    let bounds: Vec<Timestamp> = held.iter().map(|shot| shot.at).chain([end]).collect();
    let seen_all =
        bounds.windows(2).all(|pair| writes.iter().filter(|at| **at > pair[0] && **at <= pair[1]).count() <= 1);
    let told = held.last()?.at >= done.at || !writes.iter().any(|at| *at > held[held.len() - 1].at && *at <= done.at);
    let moved = lens.moved_into_between(of, held[0].index, done.index);
    (seen_all && told && !moved).then(|| held.iter().map(|shot| shot.it.photograph.as_ref()).collect())
}

/// How a content differs from every state that a backup may hold: nothing where it is one of them.
pub fn strange(states: &[&Photograph], shot: &Seen<'_, Shot>) -> Option<Option<Difference>> {
    let got = keys(&shot.it.photograph, shot.at)?;
    let mut nearest = None;
    for state in states.iter().rev() {
        let Some(differs) = difference(&keys(state, shot.at)?, &got) else { return Some(None) };
        nearest = Some(differs);
    }
    nearest.map(Some)
}

/// A recovery or clone by which the content of a backup shows.
pub struct Appearance<'a> {
    /// The backup.
    pub backup: BackupId,
    /// The instance it shows in.
    pub into: InstanceId,
    /// The call that asked for it.
    pub call: Seen<'a, Call>,
    /// The first photograph of it, untouched.
    pub shot: Seen<'a, Shot>,
    /// Whether it is a clone.
    pub cloned: bool,
}

/// Whether anybody wrote to an instance from one event on until a time.
fn written(lens: &Lens<'_>, instance: &InstanceId, from: usize, until: Timestamp) -> bool {
    let commands =
        lens.statements(instance).any(|seen| seen.index > from && seen.it.sent_at <= until && !seen.it.only_reads());
    commands || lens.ledger(instance).any(|seen| seen.index > from && seen.it.sent_at <= until)
}

/// The backup a request names.
pub fn asked_set(call: &Call) -> Option<BackupId> {
    let body = &call.request;
    let set = body.get("backup_set_id").or_else(|| body.pointer("/restore/backup_set_id"))?;
    set.as_str().map(BackupId::from)
}

/// Where the content of backups showed, in recoveries and clones that ended well.
pub fn appearances<'a>(lens: &Lens<'a>) -> Vec<Appearance<'a>> {
    let mut found = Vec::new();
    for (call, instance) in lens.recoveries().filter(|(call, _)| call.it.accepted()) {
        let again = lens.recoveries().any(|(other, of)| {
            of == instance && other.index != call.index && other.it.key == call.it.key && other.index > call.index
        });
        let Some(backup) = asked_set(call.it).filter(|_| !again) else { continue };
        let Some(running) = recovered(lens, &instance, call.index) else { continue };
        let shot = lens.shots(&instance).find(|shot| shot.index > running);
        let Some(shot) = shot.filter(|shot| {
            let before = lens.shot_before(&instance, call.index + 1).map_or(call.index, |before| before.index);
            !written(lens, &instance, before.max(call.index), shot.at)
                && !lens.migrated_into_between(&instance, call.index, shot.index)
        }) else {
            continue;
        };
        found.push(Appearance { backup, into: instance, call, shot, cloned: false });
    }
    for story in lens.redis_clones() {
        let order = lens.calls_to(CLONES).find(|(call, _)| shown(call.it).contains(story.id));
        let (Some((call, _)), Some(running)) = (order, story.running()) else { continue };
        let Some(backup) = asked_set(call.it) else { continue };
        let shot = lens.shots(story.id).find(|shot| shot.index > running.index);
        let Some(shot) = shot
            .filter(|shot| !written(lens, story.id, 0, shot.at) && !lens.moved_into_between(story.id, 0, shot.index))
        else {
            continue;
        };
        found.push(Appearance { backup, into: story.id.clone(), call, shot, cloned: true });
    }
    found
}

/// The event that shows an instance running again after a recovery was asked for, and that it did not fail.
fn recovered(lens: &Lens<'_>, instance: &InstanceId, asked: usize) -> Option<usize> {
    let later = lens.instance(instance)?.views.iter().filter(|seen| seen.index > asked && is_fresh(lens, seen.index));
    let running = later.into_iter().find(|seen| seen.it.state == InstanceState::Running)?;
    running.it.failure.is_none().then_some(running.index)
}

/// Orders of clones of Redis instances in scope, with the instance.
pub fn clone_orders<'a>(lens: &Lens<'a>) -> Vec<(Seen<'a, Call>, InstanceId)> {
    let all = lens.calls_to(CLONES).map(|(call, found)| (call, InstanceId::from(found[0])));
    all.filter(|(_, of)| lens.redis_instances().any(|story| story.id == of)).collect()
}

/// Requests for recoveries of Redis instances in scope.
pub fn recovery_calls<'a>(lens: &Lens<'a>) -> Vec<(Seen<'a, Call>, InstanceId)> {
    lens.recoveries().filter(|(_, of)| lens.redis_instances().any(|story| story.id == of)).collect()
}

/// Whether a backup was a complete one of an instance that must be kept at a time, and was for a while.
pub fn usable(lens: &Lens<'_>, backup: &BackupId, of: &InstanceId, call: &Seen<'_, Call>) -> bool {
    lens.backup(backup).is_some_and(|story| {
        let done = story.complete().filter(|seen| seen.index < call.index);
        story.first.instance == *of
            && !skewed(lens)
            && done.is_some_and(|seen| call.at.duration_since(seen.it.began_at) < KEPT)
    })
}

/// How many snapshots a node says it has taken, on the last photograph of it before, and the first after, an event.
pub fn snapshots(lens: &Lens<'_>, instance: &InstanceId, node: Node, from: usize, to: usize) -> Option<(u64, u64)> {
    let count = |shot: Seen<'_, Shot>| shot.it.photograph.settings.get("node.snapshots")?.parse::<u64>().ok();
    let before = lens.node_shots(instance, node).rev().find(|shot| shot.index < from).and_then(count)?;
    let after = lens.node_shots(instance, node).find(|shot| shot.index > to).and_then(count)?;
    Some((before, after))
}
