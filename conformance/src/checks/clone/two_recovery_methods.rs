//! A clone is made by backup set or by point in time, by one of the two and by nothing else (CLN-02).

use super::CloneViolation;
use crate::checks::Finding;
use crate::checks::temporary::witness::{CLONES, Order, orders, restore, shown};
use crate::history::lens::Lens;
use serde_json::Value;

/// The two methods: the field that chooses it, and its name.
const METHODS: [(&str, &str); 2] = [("backup_set_id", "backup set"), ("point_in_time", "point in time")];
/// Clones one order may ask for (prechecks.md section 7.2).
const COUNT_MAX: u64 = 5;

/// Judges orders by each method, by both, by neither and by something else; a refusal counts when it speaks of the request.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for order in orders(lens, CLONES) {
        let asked = order.call.it.request.get("restore").and_then(Value::as_object);
        let given: Vec<&str> =
            asked.into_iter().flatten().filter(|(_, value)| !value.is_null()).map(|(name, _)| name.as_str()).collect();
        let method = METHODS.iter().find(|(field, _)| given == [*field]).map(|(_, name)| *name);
        let accepted = !shown(order.call.it).is_empty();
        let master = order.master.id.clone();
        match method {
            Some(_) if accepted => finding.judge(&order.call, None::<CloneViolation>),
            Some(method) if not_understood(&order) => {
                let detail = order.call.it.answer.get("detail").and_then(Value::as_str).unwrap_or("").to_owned();
                let violation = CloneViolation::CloneMethodMissing { master, method: method.to_owned(), detail };
                finding.judge(&order.call, Some(violation));
            }
            None if accepted => {
                let asked = if given.is_empty() { "nothing".to_owned() } else { given.join(" and ") };
                finding.judge(&order.call, Some(CloneViolation::CloneByThirdMethod { master, asked }));
            }
            None if order.call.it.status == Some(400) => finding.judge(&order.call, None::<CloneViolation>),
            _ => {}
        }
    }
    finding
}

/// Whether an order that is right in everything else was refused as unreadable.
fn not_understood(order: &Order<'_, '_>) -> bool {
    let body = &order.call.it.request;
    let text = |field: &str| body.get(field).and_then(Value::as_str);
    let whole =
        restore(order.call.it).get("point_in_time").and_then(Value::as_str).is_none_or(|time| !time.contains('.'));
    order.call.it.code() == Some("InvalidParameter")
        && order.call.it.key.is_some()
        && whole
        && matches!(text("billing"), Some("pay-as-you-go" | "subscription"))
        && matches!(text("network"), None | Some("classic" | "vpc"))
        && body.get("terms_accepted") == Some(&Value::Bool(true))
        && body.get("count").is_none_or(|count| count.as_u64().is_some_and(|count| (1..=COUNT_MAX).contains(&count)))
        && body.as_object().is_some_and(|body| body.keys().all(|key| FIELDS.contains(&key.as_str())))
}

const FIELDS: [&str; 5] = ["restore", "billing", "network", "count", "terms_accepted"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::temporary::made_up::{by_set, by_time, clone_body, holds, wrong_clone};
    use crate::checks::testing::{Story, clone_of, master, start};
    use serde_json::json;

    fn accepted(restore: Value) -> Story {
        let shop = master("rm-1", "mysql 5.7");
        let mut story = Story::new();
        story.see(&shop).order_clones("k", &shop, clone_body(restore), &[&clone_of("rm-2", &shop, start())]);
        story
    }

    fn refused(restore: Value) -> Story {
        let mut story = Story::new();
        let answer = json!({"code": "InvalidParameter", "detail": "no such field"});
        story.see(&master("rm-1", "mysql 5.7"));
        story.keyed_call("POST /v1/instances/rm-1/clones", Some("k"), clone_body(restore), 400, answer);
        story
    }

    #[test]
    fn a_third_method_that_is_accepted_is_found() {
        let expected = CloneViolation::CloneByThirdMethod { master: "rm-1".into(), asked: "latest".into() };
        assert_eq!(wrong_clone(&accepted(json!({"latest": true})), check), vec![expected]);
    }

    #[test]
    fn a_method_that_is_not_understood_is_found() {
        let (method, detail) = ("backup set".into(), "no such field".into());
        let expected = CloneViolation::CloneMethodMissing { master: "rm-1".into(), method, detail };
        assert_eq!(wrong_clone(&refused(by_set()), check), vec![expected]);
    }

    #[test]
    fn both_methods_at_once_are_found() {
        let both = json!({"backup_set_id": "bk-1", "point_in_time": "2026-01-05T00:00:00Z"});
        let asked = "backup_set_id and point_in_time".into();
        let expected = CloneViolation::CloneByThirdMethod { master: "rm-1".into(), asked };
        assert_eq!(wrong_clone(&accepted(both), check), vec![expected]);
    }

    #[test]
    fn each_method_accepted_and_a_third_refused_hold() {
        holds(&accepted(by_set()), check, 1);
        holds(&accepted(by_time(start())), check, 1);
        holds(&refused(json!({"latest": true})), check, 1);
    }

    #[test]
    fn a_refusal_for_another_cause_exercises_nothing() {
        let mut story = Story::new();
        story.see(&master("rm-1", "mysql 5.7"));
        story.refused("POST /v1/instances/rm-1/clones", clone_body(by_set()), 404, "InvalidBackupId.NotFound");
        holds(&story, check, 0);
    }
}
