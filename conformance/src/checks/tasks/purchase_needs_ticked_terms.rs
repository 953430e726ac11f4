//! A task is bought only with the terms of service ticked, and then it is (CLN-47; C-06).

use super::TaskViolation;
use crate::checks::Finding;
use crate::history::lens::Lens;
use serde_json::Value;

/// The refusal of unticked terms.
const TERMS: &str = "OperationDenied.TermsNotAccepted";

/// Judges every purchase.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for task in lens.tasks() {
        for (call, step) in lens.calls_of_task(task.id) {
            if step != "purchase" || call.it.method != "POST" {
                continue;
            }
            let ticked = call.it.request.get("terms_accepted") == Some(&Value::Bool(true));
            let refused = call.it.code() == Some(TERMS);
            let task = task.id.clone();
            match (ticked, call.it.accepted()) {
                (false, true) => finding.judge(&call, Some(TaskViolation::BoughtUnticked { task })),
                (true, true) => finding.judge(&call, None::<TaskViolation>),
                (true, false) if refused => finding.judge(&call, Some(TaskViolation::TickedRefused { task })),
                (false, false) if refused => finding.judge(&call, None::<TaskViolation>),
                _ => {}
            }
        }
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::tasks::made_up::{Tale, holds, wrong};
    use serde_json::json;

    #[test]
    fn a_purchase_without_ticked_terms_is_found() {
        let mut tale = Tale::begin();
        tale.ready().precheck(&[]).step("confirm").step_with("purchase", json!({"terms_accepted": false}));
        assert_eq!(wrong(&tale, check), vec![TaskViolation::BoughtUnticked { task: "dts-1".into() }]);
    }

    #[test]
    fn ticked_terms_that_are_refused_are_found() {
        let mut tale = Tale::begin();
        tale.ready().precheck(&[]).step("confirm").refuse("purchase", json!({"terms_accepted": true}), 403, TERMS);
        assert_eq!(wrong(&tale, check), vec![TaskViolation::TickedRefused { task: "dts-1".into() }]);
    }

    #[test]
    fn a_refused_and_an_accepted_purchase_hold() {
        let mut tale = Tale::begin();
        tale.ready().precheck(&[]).step("confirm").refuse("purchase", json!({"terms_accepted": false}), 403, TERMS);
        tale.step_with("purchase", json!({"terms_accepted": true}));
        holds(&tale, check, 2);
    }

    #[test]
    fn a_purchase_that_came_too_early_exercises_nothing() {
        let mut tale = Tale::begin();
        tale.ready().refuse("purchase", json!({"terms_accepted": true}), 409, "OperationDenied.TaskStep");
        holds(&tale, check, 0);
    }
}
