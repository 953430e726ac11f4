//! Source and target of a task may be one and the same instance (DTS-18).

use super::TaskViolation;
use super::calls::{Side, blamed, creations, flawless, instance};
use crate::checks::Finding;
use crate::history::lens::Lens;
use recovery::model::instance::Origin;

/// Judges requests with one instance on both sides; a temporary instance or clone goes back to its master (TMP-33).
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for call in creations(lens) {
        let [Some(source), Some(target)] = Side::BOTH.map(|side| instance(call.it, side)) else { continue };
        let primary = lens.instance(&source).is_some_and(|story| story.first.origin == Origin::Primary);
        if source != target || !primary {
            continue;
        }
        if call.it.accepted() {
            finding.judge(&call, None::<TaskViolation>);
        } else if blamed(call.it) && flawless(lens, &call) {
            let code = call.it.code().unwrap_or_default().to_owned();
            finding.judge(&call, Some(TaskViolation::SameInstanceRefused { instance: source, code }));
        }
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::tasks::made_up::{Tale, body, holds, shop, with, wrong};
    use serde_json::json;

    #[test]
    fn an_instance_that_may_not_be_both_is_found() {
        let mut tale = Tale::between(&shop(), &shop());
        let body = body(&tale.task);
        tale.refuse_body(body, 400, "InvalidParameter").story.see(&shop());
        let code = "InvalidParameter".into();
        assert_eq!(wrong(&tale, check), vec![TaskViolation::SameInstanceRefused { instance: "rm-1".into(), code }]);
    }

    #[test]
    fn an_instance_on_both_sides_holds() {
        let mut tale = Tale::between(&shop(), &shop());
        tale.create();
        holds(&tale, check, 1);
    }

    #[test]
    fn a_refusal_for_another_cause_exercises_nothing() {
        let mut tale = Tale::between(&shop(), &shop());
        let elsewhere = with(body(&tale.task), "/target/region", json!("region-2"));
        tale.refuse_body(elsewhere, 400, "InvalidParameter");
        let other = Tale::begin();
        holds(&tale, check, 0);
        holds(&other, check, 0);
    }
}
