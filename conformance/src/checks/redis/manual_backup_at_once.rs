//! A backup can be asked for at any time and begins at once (RED-09, RED-10).

use super::RedisViolation;
use crate::checks::Finding;
use crate::checks::temporary::witness::{faulted_before, is_fresh, skewed};
use crate::history::lens::Lens;
use jiff::SignedDuration;
use recovery::model::backup::{BackupKind, BackupMode, BackupStatus};
use recovery::model::instance::InstanceState;
use recovery::model::views::BackupView;
use serde::Deserialize;

/// What counts as at once.
const AT_ONCE: SignedDuration = SignedDuration::from_secs(5);

/// Judges requests for a data backup of an instance that runs while no other backup of it is taken.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for (call, found) in lens.calls_to("POST /v1/instances/{}/backups") {
        let Some(story) = lens.redis_instances().find(|story| story.id.as_str() == found[0]) else { continue };
        if call.it.request.get("kind").and_then(serde_json::Value::as_str) != Some("data") {
            continue;
        }
        let instance = story.id.clone();
        if let Some(made) = BackupView::deserialize(&*call.it.answer).ok().filter(|_| call.it.accepted()) {
            let own = made.kind == BackupKind::Data && made.mode == BackupMode::Manual && made.instance == instance;
            let late = !skewed(lens) && made.began_at > call.at + AT_ONCE;
            let began_at = made.began_at;
            finding.judge(&call, (late || !own).then_some(RedisViolation::NotAtOnce { instance, began_at }));
            continue;
        }
        let running = story
            .view_at(call.index)
            .is_some_and(|seen| seen.it.state == InstanceState::Running && is_fresh(lens, seen.index));
        let busy = lens.redis_backups().any(|backup| {
            let over =
                backup.views.iter().any(|seen| seen.index < call.index && seen.it.status != BackupStatus::Running);
            backup.first.instance == instance && !over
        });
        let engaged = lens.moved_into_between(&instance, 0, call.index) || faulted_before(lens, call.index);
        let refused =
            matches!(call.it.code(), Some("OperationDenied.DBInstanceStatus" | "OperationDenied.BackupJobExists"));
        // A backup that the policy began need not have been seen.
        let automatic =
            story.view_at(call.index).is_some_and(|seen| !seen.it.configuration.backup_policy.weekdays.is_empty());
        let other = call.it.refused() && call.it.key.is_some() && !matches!(call.it.status, Some(401 | 404 | 422));
        if other && running && !busy && !engaged && !(automatic && refused) {
            let code = call.it.code().unwrap_or("refused").to_owned();
            finding.judge(&call, Some(RedisViolation::BackupRefused { instance, code }));
        }
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::redis::made_up::{backup, cache, holds, show, wrong};
    use crate::checks::testing::{Story, span};
    use serde_json::json;

    fn ask(story: &mut Story, status: u16, answer: serde_json::Value) {
        story.keyed_call("POST /v1/instances/r-1/backups", Some("k"), json!({"kind": "data"}), status, answer);
    }

    fn story() -> Story {
        let mut story = Story::new();
        story.see(&cache());
        story
    }

    fn running(story: &Story, after: &str) -> BackupView {
        let view = backup("bk-1", story.now + span(after));
        BackupView { status: BackupStatus::Running, ended_at: None, ..view }
    }

    #[test]
    fn a_backup_that_waits_for_its_hour_is_found() {
        let mut story = story();
        let view = running(&story, "3h");
        ask(&mut story, 202, json!(view));
        assert!(matches!(wrong(&story, check)[..], [RedisViolation::NotAtOnce { .. }]));
    }

    #[test]
    fn a_refusal_without_a_cause_is_found() {
        let mut story = story();
        ask(&mut story, 403, json!({"code": "OperationDenied.BackupMethod"}));
        assert!(matches!(wrong(&story, check)[..], [RedisViolation::BackupRefused { .. }]));
    }

    #[test]
    fn a_backup_at_once_holds_and_a_refusal_beside_another_exercises_nothing() {
        let mut story = story();
        let view = running(&story, "0s");
        ask(&mut story, 202, json!(view));
        show(&mut story, &view);
        ask(&mut story, 403, json!({"code": "OperationDenied.BackupJobExists"}));
        holds(&story, check, 1);
    }
}
