//! No kind of instance outside the list can be cloned (CLN-03, CLN-05; C-10).

use super::CloneViolation;
use super::clone_kinds_are_admitted::admitted;
use crate::checks::Finding;
use crate::checks::temporary::witness::{CLONES, KIND, orders};
use crate::history::lens::Lens;

/// Judges orders of instances of other kinds; a refusal counts when it is for the kind.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for order in orders(lens, CLONES) {
        let product = order.master.first.product;
        if admitted(&product) {
            continue;
        }
        if !order.made.is_empty() {
            let master = order.master.id.clone();
            finding.judge(&order.call, Some(CloneViolation::CloneKindAccepted { master, product }));
        } else if order.call.it.code() == Some(KIND) {
            finding.judge(&order.call, None::<CloneViolation>);
        }
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::temporary::made_up::{by_set, clone_body, holds, wrong_clone};
    use crate::checks::testing::{Story, clone_of, master, start};

    #[test]
    fn a_clone_of_a_basic_edition_is_found() {
        let shop = master("rm-1", "mysql 5.7 basic");
        let mut story = Story::new();
        story.see(&shop).order_clones("k", &shop, clone_body(by_set()), &[&clone_of("rm-2", &shop, start())]);
        let product = shop.product;
        assert_eq!(
            wrong_clone(&story, check),
            vec![CloneViolation::CloneKindAccepted { master: "rm-1".into(), product }]
        );
    }

    #[test]
    fn a_web_edition_that_is_refused_for_its_kind_holds() {
        let mut story = Story::new();
        story.see(&master("rm-1", "sqlserver 2012 web"));
        story.refused("POST /v1/instances/rm-1/clones", clone_body(by_set()), 403, KIND);
        holds(&story, check, 1);
    }

    #[test]
    fn a_refusal_for_another_cause_exercises_nothing() {
        let mut story = Story::new();
        story.see(&master("rm-1", "sqlserver 2012 web"));
        story.refused("POST /v1/instances/rm-1/clones", clone_body(by_set()), 403, "OperationDenied.DBInstanceStatus");
        holds(&story, check, 0);
    }
}
