//! A Redis clone is made of a backup that was picked, and of nothing else (RED-29; C-27).

use super::RedisViolation;
use super::witness::{asked_set, clone_orders};
use crate::checks::Finding;
use crate::checks::temporary::witness::{restore, shown};
use crate::history::lens::Lens;

/// Judges orders of clones by whether they pick a backup of the instance.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for (call, original) in clone_orders(lens) {
        let timed = restore(call.it).get("point_in_time").is_some_and(|time| !time.is_null());
        let set = asked_set(call.it);
        let own = set.as_ref().and_then(|set| lens.backup(set)).is_some_and(|story| story.first.instance == original);
        let picked = own && !timed;
        if !shown(call.it).is_empty() {
            finding.judge(&call, (!picked).then_some(RedisViolation::ClonedWithoutSet { original }));
        } else if !picked && call.it.refused() {
            finding.judge(&call, None::<RedisViolation>);
        }
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::redis::made_up::{backed_up, cache, copy, holds, texts, wrong};
    use crate::checks::testing::{Story, clone_of, start};
    use serde_json::{Value, json};

    fn order(restore: &Value, accepted: bool) -> Story {
        let mut story = backed_up(&texts(&[]));
        let body = json!({"restore": restore, "billing": "pay-as-you-go", "terms_accepted": true});
        if accepted {
            let made = clone_of("r-2", &cache(), start());
            let answer = json!({"instances": [made]});
            story.keyed_call("POST /v1/instances/r-1/clones", Some("c"), body, 202, answer).see(&made);
        } else {
            story.refused("POST /v1/instances/r-1/clones", body, 403, "OperationDenied.RestoreMethod");
        }
        story
    }

    #[test]
    fn a_clone_without_a_backup_or_by_time_is_found() {
        for restore in [json!({}), json!({"point_in_time": start()}), json!({"backup_set_id": "bk-9"})] {
            let expected = vec![RedisViolation::ClonedWithoutSet { original: "r-1".into() }];
            assert_eq!(wrong(&order(&restore, true), check), expected, "{restore}");
        }
    }

    #[test]
    fn refusals_and_a_clone_of_the_picked_backup_hold() {
        holds(&order(&json!({"point_in_time": start()}), false), check, 1);
        let mut story = backed_up(&texts(&[]));
        copy(&mut story, &texts(&[]));
        holds(&story, check, 1);
    }
}
