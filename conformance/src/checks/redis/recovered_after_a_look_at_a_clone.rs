//! After a look at a clone of a backup the original may be recovered from it (RED-23).
//!
//! Whether the user looks is the user's; the only violation is a recovery refused afterwards for no cause of its own.

use super::RedisViolation;
use super::witness::{asked_set, recovery_calls, usable};
use crate::checks::Finding;
use crate::checks::temporary::witness::{faulted_before, order_of};
use crate::history::Call;
use crate::history::lens::{Lens, Seen};
use recovery::model::instance::{InstanceState, Origin};
use recovery::model::{BackupId, Edition, InstanceId};
use serde_json::Value;

/// Judges confirmed recoveries from a backup of which somebody had read a clone before.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for (call, instance) in recovery_calls(lens) {
        let Some(backup) = asked_set(call.it).filter(|backup| usable(lens, backup, &instance, &call)) else { continue };
        if !looked(lens, &instance, &backup, &call) {
            continue;
        }
        if call.it.accepted() {
            finding.judge(&call, None::<RedisViolation>);
        } else if call.it.refused() && !excused(lens, &instance, &call) {
            let code = call.it.code().unwrap_or("refused").to_owned();
            finding.judge(&call, Some(RedisViolation::RecoveryRefused { instance, backup, code }));
        }
    }
    finding
}

/// Whether somebody read a clone of a backup before a call.
fn looked(lens: &Lens<'_>, of: &InstanceId, backup: &BackupId, call: &Seen<'_, Call>) -> bool {
    lens.redis_clones().any(|story| {
        let own = matches!(&story.first.origin, Origin::Clone { source, .. } if source == of);
        let same = order_of(lens, story.id).and_then(|order| asked_set(order.it)).as_ref() == Some(backup);
        own && same && lens.statements(story.id).any(|seen| seen.index < call.index && seen.it.outcome.is_ok())
    })
}

fn excused(lens: &Lens<'_>, instance: &InstanceId, call: &Seen<'_, Call>) -> bool {
    let confirmed = call.it.request.get("overwrite_confirmed") == Some(&Value::Bool(true));
    let story = lens.instance(instance);
    let running =
        story.and_then(|story| story.view_at(call.index)).is_some_and(|seen| seen.it.state == InstanceState::Running);
    let cluster = story.is_some_and(|story| story.first.product.edition == Edition::Cluster);
    let engaged = lens.moved_into_between(instance, 0, call.index) || faulted_before(lens, call.index);
    !confirmed || !running || cluster || engaged || call.it.key.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::redis::made_up::{backed_up, copy, holds, recover, texts, wrong};
    use crate::checks::testing::{Story, done};
    use serde_json::json;

    fn looked_at() -> Story {
        let mut story = backed_up(&texts(&[("a", "1")]));
        copy(&mut story, &texts(&[("a", "1")]));
        story.statement("r-2", "get a", done());
        story
    }

    #[test]
    fn a_recovery_refused_after_the_look_is_found() {
        let mut story = looked_at();
        let body = json!({"backup_set_id": "bk-1", "overwrite_confirmed": true});
        story.keyed_call("POST /v1/instances/r-1/recovery", Some("k"), body, 403, json!({"code": "x"}));
        assert!(matches!(wrong(&story, check)[..], [RedisViolation::RecoveryRefused { .. }]));
    }

    #[test]
    fn a_recovery_after_the_look_holds_and_one_without_exercises_nothing() {
        let mut story = looked_at();
        recover(&mut story, &texts(&[("a", "1")]));
        holds(&story, check, 1);
        let mut blind = backed_up(&texts(&[("a", "1")]));
        recover(&mut blind, &texts(&[("a", "1")]));
        holds(&blind, check, 0);
    }
}
