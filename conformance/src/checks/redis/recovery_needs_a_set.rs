//! A recovery goes ahead only from a backup that was picked, a complete one of the instance (RED-20).

use super::RedisViolation;
use super::witness::{KEPT, asked_set, recovery_calls};
use crate::checks::Finding;
use crate::checks::temporary::witness::skewed;
use crate::history::lens::Lens;
use recovery::model::backup::BackupStatus;

/// Judges requests without a backup, with one of another instance, one that is not complete, and one that is gone.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for (call, instance) in recovery_calls(lens) {
        let set = asked_set(call.it);
        let timed = call.it.request.get("point_in_time").is_some();
        let story = set.as_ref().and_then(|set| lens.backup(set));
        let wrong = match story {
            None => true,
            Some(story) => {
                let ended = |status| story.views.iter().all(|seen| seen.it.status == status);
                let over = story.complete().and_then(|seen| seen.it.ended_at);
                let gone = over.is_some_and(|over| call.it.sent_at >= over + KEPT) && !skewed(lens);
                let open =
                    ended(BackupStatus::Running) && story.views.last().is_some_and(|seen| seen.index > call.index);
                story.first.instance != instance || ended(BackupStatus::Failed) || open || gone
            }
        };
        if call.it.accepted() {
            let set = set.map(|set| set.to_string());
            let violation = (wrong || timed).then_some(RedisViolation::RecoveredWithoutSet { instance, set });
            finding.judge(&call, violation);
        } else if (wrong || timed) && call.it.refused() {
            finding.judge(&call, None::<RedisViolation>);
        }
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::redis::made_up::{backed_up, holds, recover, texts, wrong};
    use crate::checks::testing::Story;
    use serde_json::json;

    fn story(set: Option<&str>, status: u16) -> Story {
        let mut story = backed_up(&texts(&[]));
        let mut body = json!({"overwrite_confirmed": true});
        if let Some(set) = set {
            body["backup_set_id"] = json!(set);
        }
        story.keyed_call("POST /v1/instances/r-1/recovery", Some("k"), body, status, json!({"code": "x"}));
        story
    }

    #[test]
    fn a_recovery_without_a_backup_or_from_a_strange_one_that_is_accepted_is_found() {
        for set in [None, Some("bk-9")] {
            let expected = RedisViolation::RecoveredWithoutSet { instance: "r-1".into(), set: set.map(str::to_owned) };
            assert_eq!(wrong(&story(set, 202), check), vec![expected]);
        }
    }

    #[test]
    fn refusals_and_a_recovery_from_the_picked_backup_hold() {
        holds(&story(None, 400), check, 1);
        holds(&story(Some("bk-9"), 404), check, 1);
        let mut story = backed_up(&texts(&[]));
        recover(&mut story, &texts(&[]));
        holds(&story, check, 1);
    }
}
