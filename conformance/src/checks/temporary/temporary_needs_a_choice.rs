//! A temporary instance is made only after a backup or a point in time was chosen (TMP-15, SQL-22).

use super::TemporaryViolation;
use super::witness::{TEMPORARIES, orders, restore, shown};
use crate::checks::Finding;
use crate::history::lens::Lens;
use serde_json::Value;

const BAD_REQUEST: u16 = 400;

/// Judges orders that name neither; a refusal counts when it speaks of the request.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for order in orders(lens, TEMPORARIES) {
        let given = |field: &str| restore(order.call.it).get(field).is_some_and(|value| !matches!(value, Value::Null));
        if given("backup_set_id") || given("point_in_time") {
            continue;
        }
        if !shown(order.call.it).is_empty() {
            let violation = TemporaryViolation::MadeWithoutChoice { master: order.master.id.clone() };
            finding.judge(&order.call, Some(violation));
        } else if order.call.it.status == Some(BAD_REQUEST) {
            finding.judge(&order.call, None::<TemporaryViolation>);
        }
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::temporary::made_up::{by_set, holds, wrong};
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
    fn an_order_with_a_choice_exercises_nothing() {
        let shop = master("rm-1", "sqlserver 2012 web");
        let mut story = Story::new();
        story.see(&shop).order_temporary("k", &shop, by_set(), &temporary("sub1", &shop, start()));
        holds(&story, check, 0);
    }
}
