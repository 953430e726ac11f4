//! What is restored is all of the backup or what the user picks (LOG-43).

use super::RestoreViolation;
use super::choices::closed;
use super::witness::requests;
use crate::checks::Finding;
use crate::history::lens::Lens;
use serde_json::Value;

/// The documented values.
const ALLOWED: [&str; 2] = ["all", "custom"];

/// Judges every request by its choice of objects; who picks picks something.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = closed(lens, "/objects/choose", &ALLOWED);
    for request in requests(lens).iter().filter(|request| request.text("/objects/choose") == Some("custom")) {
        let none = request.body().pointer("/objects/branches").and_then(Value::as_array).is_none_or(Vec::is_empty);
        let (field, value) = ("objects/choose".to_owned(), "custom without a branch".to_owned());
        if none && request.made.is_some() {
            finding.judge(&request.call, Some(RestoreViolation::ValueAccepted { field, value }));
        } else if none && request.call.it.refused() {
            finding.judge(&request.call, None::<RestoreViolation>);
        }
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::restore::made_up::{Tale, body, but, holds, nothing, orders, wrong};
    use serde_json::json;

    #[test]
    fn another_value_that_is_accepted_is_found() {
        let mut tale = Tale::between(&orders(), &nothing());
        let (asked, answer) = (but(body(&tale.view), "/objects/choose", json!("most")), json!(tale.view));
        tale.story.call("POST /v1/restore-tasks", asked, 201, answer);
        assert!(
            matches!(&wrong(&tale.story, check)[..], [RestoreViolation::ValueAccepted { value, .. }] if value == "most")
        );
    }

    #[test]
    fn a_documented_value_that_is_not_understood_is_found() {
        let mut tale = Tale::between(&orders(), &nothing());
        let answer = json!({"code": "InvalidParameter", "detail": "no such value"});
        tale.story.keyed_call("POST /v1/restore-tasks", Some("k"), body(&tale.view), 400, answer);
        assert!(matches!(wrong(&tale.story, check)[..], [RestoreViolation::ValueRefused { .. }]));
    }

    #[test]
    fn a_documented_value_accepted_and_another_refused_hold() {
        let mut tale = Tale::between(&orders(), &nothing());
        let asked = but(body(&tale.view), "/objects/choose", json!("most"));
        tale.story.refused("POST /v1/restore-tasks", asked, 400, "InvalidParameter");
        tale.save();
        holds(&tale.story, check, 2);
    }

    #[test]
    fn a_choice_of_nothing_is_found_where_it_is_accepted_and_holds_where_it_is_refused() {
        let nothing_chosen = json!({"choose": "custom", "branches": []});
        let mut tale = Tale::between(&orders(), &nothing());
        let asked = but(body(&tale.view), "/objects", nothing_chosen);
        tale.story.refused("POST /v1/restore-tasks", asked.clone(), 400, "InvalidParameter");
        holds(&tale.story, check, 1);
        let answer = json!(tale.view);
        tale.story.call("POST /v1/restore-tasks", asked, 201, answer);
        assert!(matches!(wrong(&tale.story, check)[..], [RestoreViolation::ValueAccepted { .. }]));
    }
}
