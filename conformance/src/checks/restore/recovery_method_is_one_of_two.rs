//! A restore goes by point in time or by backup set, and by nothing else (LOG-22).

use super::choices::closed;
use crate::checks::Finding;
use crate::history::lens::Lens;

/// The documented values.
const ALLOWED: [&str; 2] = ["point-in-time", "backup-set"];

/// Judges every request by its method.
pub fn check(lens: &Lens<'_>) -> Finding {
    closed(lens, "/recovery/method", &ALLOWED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::restore::RestoreViolation;
    use crate::checks::restore::made_up::{Tale, body, but, holds, nothing, orders, wrong};
    use serde_json::json;

    #[test]
    fn another_value_that_is_accepted_is_found() {
        let mut tale = Tale::between(&orders(), &nothing());
        let (asked, answer) = (but(body(&tale.view), "/recovery/method", json!("latest")), json!(tale.view));
        tale.story.call("POST /v1/restore-tasks", asked, 201, answer);
        assert!(
            matches!(&wrong(&tale.story, check)[..], [RestoreViolation::ValueAccepted { value, .. }] if value == "latest")
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
        let asked = but(body(&tale.view), "/recovery/method", json!("latest"));
        tale.story.refused("POST /v1/restore-tasks", asked, 400, "InvalidParameter");
        tale.save();
        holds(&tale.story, check, 2);
    }
}
