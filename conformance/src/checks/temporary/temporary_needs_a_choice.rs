//! A temporary instance is made only after a backup or a point in time was chosen, and no time may be chosen that is still to
//! come or more than seven days ago (TMP-15, SQL-22; C-32).

use super::TemporaryViolation;
use super::witness::{Choice, Order, TEMPORARIES, choice, orders, restore, shown, skewed};
use crate::checks::Finding;
use crate::history::lens::Lens;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

const BAD_REQUEST: u16 = 400;
/// The refusal of a time outside the window.
const RESTORE_TIME: &str = "InvalidRestoreTime";
/// How far back a time may lie (C-32).
const WINDOW: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Judges orders that name neither, and orders of a time outside the window; a refusal counts when it speaks of that.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for order in orders(lens, TEMPORARIES) {
        let call = &order.call;
        let given = |field: &str| restore(call.it).get(field).is_some_and(|value| !matches!(value, Value::Null));
        let nothing = !given("backup_set_id") && !given("point_in_time");
        let outside = choice(call.it).and_then(|choice| outside(lens, &order, &choice));
        let master = order.master.id.clone();
        let violation = match outside {
            _ if nothing => TemporaryViolation::MadeWithoutChoice { master },
            Some(time) => TemporaryViolation::OutsideWindow { master, time },
            None => continue,
        };
        if !shown(call.it).is_empty() && !order.made.is_empty() {
            finding.judge(call, Some(violation));
        } else if call.it.status == Some(BAD_REQUEST) && (nothing || call.it.code() == Some(RESTORE_TIME)) {
            finding.judge(call, None::<TemporaryViolation>);
        }
    }
    finding
}

/// The chosen time, if it lies outside the window at all times of the call.
fn outside(lens: &Lens<'_>, order: &Order<'_, '_>, choice: &Choice) -> Option<Timestamp> {
    let Choice::PointInTime(time) = choice else { return None };
    let outside = *time > order.call.at || *time + WINDOW < order.call.it.sent_at;
    (outside && !skewed(lens)).then_some(*time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::temporary::made_up::{by_set, by_time, holds, wrong};
    use crate::checks::testing::{Story, master, start, temporary};
    use serde_json::json;

    #[test]
    fn an_order_without_a_choice_that_is_accepted_is_found() {
        let shop = master("rm-1", "sqlserver 2012 web");
        let mut story = Story::new();
        story.see(&shop).order_temporary("k", &shop, json!({}), &temporary("sub1", &shop, start()));
        assert_eq!(wrong(&story, check), vec![TemporaryViolation::MadeWithoutChoice { master: "rm-1".into() }]);
    }

    #[test]
    fn an_order_without_a_choice_that_is_refused_holds() {
        let mut story = Story::new();
        story.see(&master("rm-1", "sqlserver 2012 web"));
        story.refused("POST /v1/instances/rm-1/temporary-instances", json!({}), 400, "InvalidParameter");
        holds(&story, check, 1);
    }

    #[test]
    fn a_time_more_than_seven_days_ago_is_found_and_its_refusal_holds() {
        let shop = master("rm-1", "sqlserver 2012 web");
        let (mut accepted, mut refused) = (Story::new(), Story::new());
        let rescue = temporary("sub1", &shop, start());
        accepted.see(&shop).wait("169h").order_temporary("k", &shop, by_time(start()), &rescue);
        let expected = TemporaryViolation::OutsideWindow { master: "rm-1".into(), time: start() };
        assert_eq!(wrong(&accepted, check), vec![expected]);
        refused.see(&shop).wait("169h");
        refused.refused("POST /v1/instances/rm-1/temporary-instances", by_time(start()), 400, RESTORE_TIME);
        holds(&refused, check, 1);
    }

    #[test]
    fn an_order_with_a_choice_exercises_nothing() {
        let shop = master("rm-1", "sqlserver 2012 web");
        let mut story = Story::new();
        story.see(&shop).order_temporary("k", &shop, by_set(), &temporary("sub1", &shop, start()));
        holds(&story, check, 0);
    }
}
