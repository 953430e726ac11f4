//! The form of a restore is filled in before it goes on (LOG-17).

use super::RestoreViolation;
use super::witness::requests;
use crate::checks::Finding;
use crate::history::lens::Lens;
use serde_json::Value;

/// The fields with a star (prechecks.md section 6.2).
const NEEDED: [&str; 6] = ["name", "source", "backup_task", "recovery", "target", "types"];

/// Judges requests that leave a required field out or empty.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for request in requests(lens) {
        let empty = |field: &&&str| match request.body().get(**field) {
            None | Some(Value::Null) => true,
            Some(Value::String(text)) => text.trim().is_empty(),
            Some(Value::Array(items)) => items.is_empty(),
            _ => false,
        };
        let Some(field) = NEEDED.iter().find(empty) else { continue };
        if request.made.is_some() {
            let field = (*field).to_owned();
            finding.judge(&request.call, Some(RestoreViolation::FieldMissing { field }));
        } else if request.call.it.refused() {
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
    fn a_request_without_a_target_that_is_accepted_is_found() {
        let mut tale = Tale::between(&orders(), &nothing());
        let (asked, answer) = (but(body(&tale.view), "/target", Value::Null), json!(tale.view));
        tale.story.call("POST /v1/restore-tasks", asked, 201, answer);
        assert_eq!(wrong(&tale.story, check), vec![RestoreViolation::FieldMissing { field: "target".into() }]);
    }

    #[test]
    fn refusals_of_empty_fields_hold_and_a_whole_form_exercises_nothing() {
        let mut tale = Tale::between(&orders(), &nothing());
        for (field, value) in [("/name", json!("")), ("/types", json!([])), ("/recovery", Value::Null)] {
            let asked = but(body(&tale.view), field, value);
            tale.story.refused("POST /v1/restore-tasks", asked, 400, "InvalidParameter");
        }
        tale.save();
        holds(&tale.story, check, 3);
    }
}
