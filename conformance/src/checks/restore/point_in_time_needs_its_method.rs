//! A point in time comes with its own method alone, and a backup set with its own (LOG-29, and LOG-32's first half).

use super::RestoreViolation;
use super::witness::requests;
use crate::checks::Finding;
use crate::history::lens::Lens;

/// Judges requests that name a point in time together with a backup set, or under the other's method.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for request in requests(lens) {
        let (time, set) = (request.text("/recovery/point_in_time"), request.text("/recovery/backup_set_id"));
        let Some(method) = request.text("/recovery/method") else { continue };
        let fits = match method {
            "point-in-time" => time.is_some() && set.is_none(),
            "backup-set" => set.is_some() && time.is_none(),
            _ => continue,
        };
        if request.made.is_some() && (!fits || time.is_some()) {
            let method = method.to_owned();
            finding.judge(&request.call, (!fits).then_some(RestoreViolation::TimeWithSet { method }));
        } else if !fits && request.call.it.refused() {
            finding.judge(&request.call, None::<RestoreViolation>);
        }
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::restore::made_up::{Tale, body, but, holds, nothing, orders, wrong};
    use serde_json::{Value, json};

    fn both(tale: &Tale) -> Value {
        but(body(&tale.view), "/recovery/point_in_time", json!("2026-01-05T00:00:00Z"))
    }

    #[test]
    fn a_time_beside_a_set_that_is_accepted_is_found() {
        let mut tale = Tale::between(&orders(), &nothing());
        let (asked, answer) = (both(&tale), json!(tale.view));
        tale.story.call("POST /v1/restore-tasks", asked, 201, answer);
        let method = "backup-set".into();
        assert_eq!(wrong(&tale.story, check), vec![RestoreViolation::TimeWithSet { method }]);
    }

    #[test]
    fn a_refusal_and_a_time_by_itself_hold() {
        let mut tale = Tale::between(&orders(), &nothing());
        let asked = both(&tale);
        tale.story.refused("POST /v1/restore-tasks", asked, 400, "InvalidParameter");
        tale.at_mark("now", &orders()).save();
        holds(&tale.story, check, 2);
    }
}
