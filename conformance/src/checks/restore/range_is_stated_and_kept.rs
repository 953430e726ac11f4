//! The times that can be restored are stated, reach from the first full set to a few seconds before now, and are kept
//! (LOG-26, LOG-31; C-19, C-29).

use super::RestoreViolation;
use super::witness::{Request, product, requests};
use crate::checks::Finding;
use crate::checks::temporary::witness::{faulted_before, skewed};
use crate::history::lens::logical::BackupTaskStory;
use crate::history::lens::{Lens, Seen};
use jiff::{SignedDuration, Timestamp};
use recovery::model::Engine;
use recovery::model::backup::RestorableRange;
use recovery::model::logical::backup::{LogicalTaskState, LogicalType, SetKind, SetStatus};

/// Times are stated in whole seconds.
const SECOND: SignedDuration = SignedDuration::from_secs(1);
/// How far the range may lag behind now (C-19: some seconds; at most a minute).
const LAG: SignedDuration = SignedDuration::from_secs(60);
/// How long sets stay at least (prechecks.md section 6.4).
const KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);
/// The refusals that speak of the chosen time.
const TIME: [&str; 2] = ["InvalidRestoreTime", "OperationDenied.RestoreTimeNotCovered"];

/// Judges the stated ranges, and requests by time against the range stated last before them.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for task in lens.backup_tasks().filter(|task| task.first.backup_type == LogicalType::StructureFullLog) {
        if skewed(lens) || product(lens, &task.first.source).is_none_or(|product| product.engine != Engine::MySql) {
            continue;
        }
        for stated in lens.logical_restorable(task.id) {
            if let Some(complete_at) = first_full(lens, task, stated.at) {
                let seen = Seen { index: stated.index, at: stated.at, it: &() };
                finding.judge(&seen, stated_wrong(lens, task, &stated.it.ranges, complete_at, &seen));
            }
        }
    }
    for request in requests(lens) {
        if let Some(verdict) = kept(lens, &request) {
            finding.judge(&request.call, verdict);
        }
    }
    finding
}

/// When the first full set of a task was complete, if it was seen so before a time.
fn first_full(lens: &Lens<'_>, task: &BackupTaskStory<'_>, before: Timestamp) -> Option<Timestamp> {
    let sets = lens.sets().filter(|set| set.first.task == *task.id && set.first.kind == SetKind::Full);
    let done = sets.filter_map(|set| set.views.iter().find(|seen| seen.it.status == SetStatus::Completed));
    done.filter(|seen| seen.at < before).filter_map(|seen| seen.it.ended_at).min()
}

/// What is wrong with a stated range, for a task whose log is collected and where nothing was broken so far.
fn stated_wrong(
    lens: &Lens<'_>,
    task: &BackupTaskStory<'_>,
    ranges: &[RestorableRange],
    complete_at: Timestamp,
    seen: &Seen<'_, ()>,
) -> Option<RestoreViolation> {
    let (id, now) = (task.id.clone(), seen.at);
    if let Some(range) = ranges.iter().find(|range| range.latest > now || range.earliest > range.latest) {
        let (earliest, latest) = (range.earliest, range.latest);
        return Some(RestoreViolation::RangeStatedWrong {
            task: id,
            earliest: Some(earliest),
            latest: Some(latest),
            now,
        });
    }
    let normal = task.view_before(seen.index).is_some_and(|view| view.it.state == LogicalTaskState::Normal);
    let old = now.duration_since(complete_at);
    if faulted_before(lens, seen.index) || shut_out(lens, task, seen.index) || !normal || old < LAG || old > KEPT {
        return None;
    }
    let (earliest, latest) = (ranges.first().map(|range| range.earliest), ranges.last().map(|range| range.latest));
    let reaches = earliest.is_some_and(|earliest| earliest <= complete_at + SECOND)
        && latest.is_some_and(|latest| latest >= now - LAG)
        && ranges.len() == 1;
    (!reaches).then_some(RestoreViolation::RangeStatedWrong { task: id, earliest, latest, now })
}

/// Whether users may have kept the backup service away from the source since it was registered: the account it logs in with,
/// the ways to the server, or the server itself changed.
fn shut_out(lens: &Lens<'_>, task: &BackupTaskStory<'_>, until: usize) -> bool {
    let Some((source, server)) = lens.data_source(&task.first.source).zip(lens.server_of(&task.first.source)) else {
        return true;
    };
    let registered = source.views.first().map_or(0, |seen| seen.index);
    let calls = lens.calls().filter(|call| call.index > registered && call.index < until);
    let mut calls = calls.filter(|call| call.it.method != "GET" && !call.it.refused());
    calls.any(|call| match call.it.parts()[..] {
        ["v1", "instances", id] | ["v1", "instances", id, "accounts", ..] => id == server.id.as_str(),
        ["v1", "instances", id, "configuration"] => {
            let ways = ["whitelist", "ssl", "parameters"];
            id == server.id.as_str()
                && ways.iter().any(|way| call.it.request.get(way).is_some_and(|set| !set.is_null()))
        }
        _ => false,
    })
}

/// Whether a request by time came out as the range stated last says.
fn kept(lens: &Lens<'_>, request: &Request<'_>) -> Option<Option<RestoreViolation>> {
    let time = request.text("/recovery/point_in_time")?.parse::<Timestamp>().ok()?;
    let source = request.side("/source")?;
    let task = lens.backup_task(&request.text("/backup_task")?.into())?;
    if skewed(lens) || task.first.source != source || product(lens, &source)?.engine != Engine::MySql {
        return None;
    }
    let call = &request.call;
    let future = time > call.at;
    let stated = lens.logical_restorable(task.id).rev().find(|seen| seen.index < call.index)?;
    let ranges = &stated.it.ranges;
    let inside = ranges.iter().any(|range| range.earliest <= time && time <= range.latest);
    let before = ranges.first().is_some_and(|range| time < range.earliest);
    let task = task.id.clone();
    if future || before {
        let accepted = request.made.is_some().then_some(RestoreViolation::TimeOutsideAccepted { task, time });
        return (request.made.is_some() || call.it.refused()).then_some(accepted);
    }
    if !inside || call.at.duration_since(stated.at) > LAG || faulted_before(lens, call.index) {
        return None;
    }
    match (&request.made, request.refused_as(&TIME)) {
        (Some(_), _) => Some(None),
        (None, true) => Some(Some(RestoreViolation::TimeInsideRefused { task, time, detail: request.detail() })),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::restore::made_up::{Tale, body, holds, nothing, orders, wrong};
    use crate::checks::testing::span;
    use crate::history::What;
    use recovery::model::logical::restore::RestoreMethod;
    use recovery::model::logical::views::LogicalRestorable;

    /// A range from the full set's completion, stated after ten minutes, that lags behind by a span.
    fn tale(late: &str, lag: &str) -> Tale {
        let mut tale = Tale::between(&orders(), &nothing());
        let complete_at = tale.set.ended_at.unwrap_or(tale.story.now);
        tale.story.wait("10m");
        let range = RestorableRange { earliest: complete_at + span(late), latest: tale.story.now - span(lag) };
        let restorable = LogicalRestorable { ranges: vec![range], backup_sets: vec!["bkx-1".into()] };
        let restorable = Box::new(restorable);
        tale.story.push(What::LogicalRestorableSeen { task: "bk-1".into(), restorable });
        tale
    }

    fn asks(tale: &mut Tale, point_in_time: Timestamp) {
        tale.view.recovery = RestoreMethod::PointInTime { point_in_time };
    }

    #[test]
    fn a_range_that_begins_late_or_lags_is_found() {
        for (late, lag) in [("30s", "5s"), ("0s", "5m"), ("0s", "-5s")] {
            let found = wrong(&tale(late, lag).story, check);
            assert!(matches!(found[..], [RestoreViolation::RangeStatedWrong { .. }]), "{late} {lag}");
        }
    }

    #[test]
    fn a_log_that_stops_once_its_account_has_another_password_exercises_no_lag() {
        let lagging = |path: &str| {
            let mut tale = Tale::between(&orders(), &nothing());
            tale.story.call(&format!("PUT {path}"), serde_json::Value::Null, 200, serde_json::Value::Null);
            let complete_at = tale.set.ended_at.unwrap_or(tale.story.now);
            tale.story.wait("10m");
            let range = RestorableRange { earliest: complete_at, latest: complete_at + span("30s") };
            let restorable = LogicalRestorable { ranges: vec![range], backup_sets: vec!["bkx-1".into()] };
            let restorable = Box::new(restorable);
            tale.story.push(What::LogicalRestorableSeen { task: "bk-1".into(), restorable });
            wrong(&tale.story, check).len()
        };
        assert_eq!(lagging("/v1/instances/rm-1/accounts/app"), 0);
        assert_eq!(lagging("/v1/instances/rm-2/accounts/app"), 1);
    }

    #[test]
    fn a_time_before_the_range_or_to_come_that_is_accepted_is_found() {
        for away in ["-11m", "1m"] {
            let mut tale = tale("0s", "5s");
            let time = tale.story.now + span(away);
            asks(&mut tale, time);
            tale.save();
            let expected = RestoreViolation::TimeOutsideAccepted { task: "bk-1".into(), time };
            assert_eq!(wrong(&tale.story, check), vec![expected]);
        }
    }

    #[test]
    fn a_time_inside_the_range_that_is_refused_is_found() {
        let mut tale = tale("0s", "5s");
        let time = tale.story.now - span("1m");
        asks(&mut tale, time);
        let asked = body(&tale.view);
        tale.story.refused("POST /v1/restore-tasks", asked, 403, "OperationDenied.RestoreTimeNotCovered");
        assert!(matches!(wrong(&tale.story, check)[..], [RestoreViolation::TimeInsideRefused { .. }]));
    }

    #[test]
    fn a_whole_range_with_times_inside_accepted_and_outside_refused_holds() {
        let mut tale = tale("1s", "30s");
        let now = tale.story.now;
        asks(&mut tale, now - span("1m"));
        tale.save();
        asks(&mut tale, now + span("1h"));
        let asked = body(&tale.view);
        tale.story.refused("POST /v1/restore-tasks", asked, 400, "InvalidRestoreTime");
        holds(&tale.story, check, 3);
    }
}
