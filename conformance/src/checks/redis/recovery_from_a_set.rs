//! Data can be recovered from a backup: an instance recovers from a complete one of its own and runs again (RED-19).

use super::RedisViolation;
use super::witness::{asked_set, recovery_calls, usable};
use crate::checks::Finding;
use crate::checks::temporary::witness::{faulted_before, is_fresh};
use crate::history::What;
use crate::history::lens::Lens;
use recovery::model::Edition;
use recovery::model::instance::InstanceState;

/// Judges confirmed requests from a usable backup of an instance that runs, and how accepted ones end.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for (call, of) in recovery_calls(lens) {
        let Some(backup) = asked_set(call.it).filter(|backup| usable(lens, backup, &of, &call)) else { continue };
        let Some(story) = lens.instance(&of) else { continue };
        let confirmed = call.it.request.get("overwrite_confirmed") == Some(&serde_json::Value::Bool(true));
        let (instance, faulted) = (of.clone(), faulted_before(lens, call.index));
        if call.it.accepted() {
            let later: Vec<_> =
                story.views.iter().filter(|seen| seen.index > call.index && is_fresh(lens, seen.index)).collect();
            let over = later.iter().find(|seen| seen.it.state != InstanceState::BackupRecovering);
            let healed = lens.history.events.iter().position(|event| matches!(event.what, What::Healed));
            let stuck = later
                .last()
                .filter(|last| over.is_none() && last.index > healed.unwrap_or(usize::MAX) && last.index > call.index);
            if let Some(seen) = over {
                let excused = faulted || spoiled_between(lens, call.index, seen.index);
                let why = seen.it.failure.clone().filter(|_| seen.it.state == InstanceState::Running && !excused);
                let backup = backup.clone();
                finding.judge(seen, why.map(|why| RedisViolation::RecoveryFailed { instance, backup, why }));
            } else if let Some(seen) = stuck {
                finding.judge(seen, Some(RedisViolation::RecoveryHangs { instance }));
            }
            continue;
        }
        let running = story.view_at(call.index).is_some_and(|seen| seen.it.state == InstanceState::Running);
        let engaged = lens.moved_into_between(&of, 0, call.index)
            || lens.calls().any(|other| {
                other.index < call.index && other.it.part(1) == Some("migration-tasks") && other.it.method != "GET"
            });
        // Stricter pages leave clusters out (C-27).
        let cluster = story.first.product.edition == Edition::Cluster;
        let excused = faulted || engaged || cluster || !running || !confirmed || call.it.key.is_none();
        if call.it.refused() && !excused {
            let code = call.it.code().unwrap_or("refused").to_owned();
            finding.judge(&call, Some(RedisViolation::RecoveryRefused { instance, backup, code }));
        }
    }
    finding
}

/// Faults after which a set or a server is not what it was.
const SPOILING: [&str; 6] =
    ["backup-corrupt", "backup-half", "backup-missing", "server-disk-full", "vanish", "version"];

fn spoiled_between(lens: &Lens<'_>, from: usize, to: usize) -> bool {
    lens.history.events[from..to].iter().any(|event| match &event.what {
        What::Fault { kind, began: true, .. } => SPOILING.contains(&kind.as_str()),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::redis::made_up::{backed_up, cache, holds, recover, texts, wrong};
    use recovery::model::views::InstanceView;
    use serde_json::json;

    #[test]
    fn a_recovery_refused_without_a_cause_is_found() {
        let mut story = backed_up(&texts(&[("a", "1")]));
        let body = json!({"backup_set_id": "bk-1", "overwrite_confirmed": true});
        let answer = json!({"code": "OperationDenied.BackupSet"});
        story.keyed_call("POST /v1/instances/r-1/recovery", Some("k"), body, 403, answer);
        assert!(matches!(wrong(&story, check)[..], [RedisViolation::RecoveryRefused { .. }]));
    }

    #[test]
    fn a_recovery_that_fails_or_hangs_is_found() {
        let failed = InstanceView { failure: Some("the file is cut".into()), ..cache() };
        let mut story = backed_up(&texts(&[("a", "1")]));
        recover(&mut story, &texts(&[("a", "1")]));
        story.history.events.truncate(story.history.events.len() - 2);
        let mut hangs = Story { history: story.history.clone(), now: story.now };
        story.see(&failed);
        assert!(matches!(wrong(&story, check)[..], [RedisViolation::RecoveryFailed { .. }]));
        let recovering = InstanceView { state: InstanceState::BackupRecovering, ..cache() };
        hangs.push(What::Healed).wait("4h").see(&recovering);
        assert!(matches!(wrong(&hangs, check)[..], [RedisViolation::RecoveryHangs { .. }]));
    }

    use crate::checks::testing::Story;

    #[test]
    fn a_recovery_that_ends_well_holds_and_an_unconfirmed_one_exercises_nothing() {
        let mut story = backed_up(&texts(&[("a", "1")]));
        let body = json!({"backup_set_id": "bk-1"});
        let answer = json!({"code": "OperationDenied.NotConfirmed"});
        story.keyed_call("POST /v1/instances/r-1/recovery", Some("k"), body, 403, answer);
        holds(&story, check, 0);
        recover(&mut story, &texts(&[("a", "1")]));
        holds(&story, check, 1);
    }
}
