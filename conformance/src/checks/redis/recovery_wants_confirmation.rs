//! Recovering directly is risky: it goes ahead only when the user confirmed, and is warned of otherwise (RED-24).

use super::RedisViolation;
use super::witness::recovery_calls;
use crate::checks::Finding;
use crate::history::lens::Lens;
use serde_json::Value;

/// The refusal that warns.
const NOT_CONFIRMED: &str = "OperationDenied.NotConfirmed";

/// Judges requests that were not confirmed.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for (call, instance) in recovery_calls(lens) {
        let confirmed = call.it.request.get("overwrite_confirmed") == Some(&Value::Bool(true));
        if confirmed {
            continue;
        }
        let warning = call.it.answer.get("detail").and_then(Value::as_str).unwrap_or("");
        if call.it.accepted() {
            finding.judge(&call, Some(RedisViolation::UnconfirmedAccepted { instance }));
        } else if call.it.code() == Some(NOT_CONFIRMED) {
            let silent = warning.trim().is_empty();
            finding.judge(&call, silent.then_some(RedisViolation::NoWarning { instance }));
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

    fn story(status: u16, detail: &str) -> Story {
        let mut story = backed_up(&texts(&[]));
        let (body, answer) = (json!({"backup_set_id": "bk-1"}), json!({"code": NOT_CONFIRMED, "detail": detail}));
        story.keyed_call("POST /v1/instances/r-1/recovery", Some("k"), body, status, answer);
        story
    }

    #[test]
    fn a_recovery_that_nobody_confirmed_is_found() {
        let instance = "r-1".into();
        assert_eq!(wrong(&story(202, ""), check), vec![RedisViolation::UnconfirmedAccepted { instance }]);
    }

    #[test]
    fn a_refusal_that_does_not_warn_is_found() {
        assert_eq!(wrong(&story(403, " "), check), vec![RedisViolation::NoWarning { instance: "r-1".into() }]);
    }

    #[test]
    fn a_warning_holds_and_a_confirmed_recovery_exercises_nothing() {
        holds(&story(403, "newer data is overwritten"), check, 1);
        let mut story = backed_up(&texts(&[]));
        recover(&mut story, &texts(&[]));
        holds(&story, check, 0);
    }
}
