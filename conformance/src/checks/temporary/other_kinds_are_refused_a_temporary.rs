//! No kind of instance outside the list may have a temporary instance, nor what is no master (SQL-08; C-09: MySQL never).

use super::TemporaryViolation;
use super::temporary_kinds_are_admitted::admitted;
use super::witness::{KIND, TEMPORARIES, orders};
use crate::checks::Finding;
use crate::history::lens::Lens;

/// Judges orders of masters of other kinds; a refusal counts when it is for the kind.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for order in orders(lens, TEMPORARIES) {
        let product = order.master.first.product;
        let replica = order.master.first.origin.follows_a_master();
        if admitted(&product) && !replica {
            continue;
        }
        if !order.made.is_empty() {
            let master = order.master.id.clone();
            finding.judge(&order.call, Some(TemporaryViolation::KindAccepted { master, product }));
        } else if order.call.it.code() == Some(KIND) {
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
    use recovery::model::instance::Origin;

    #[test]
    fn a_temporary_instance_of_a_high_availability_enterprise_edition_is_found() {
        let shop = master("rm-1", "sqlserver 2012 enterprise");
        let mut story = Story::new();
        story.see(&shop).order_temporary("k", &shop, by_set(), &temporary("sub1", &shop, start()));
        let product = shop.product;
        assert_eq!(wrong(&story, check), vec![TemporaryViolation::KindAccepted { master: "rm-1".into(), product }]);
    }

    #[test]
    fn a_temporary_instance_of_a_read_only_instance_is_found() {
        let origin = Origin::ReadOnly { master: "rm-1".into() };
        let reader = recovery::model::views::InstanceView { origin, ..master("rm-2", "sqlserver 2012 web") };
        let mut story = Story::new();
        story.see(&reader).order_temporary("k", &reader, by_set(), &temporary("sub1", &reader, start()));
        let product = reader.product;
        assert_eq!(wrong(&story, check), vec![TemporaryViolation::KindAccepted { master: "rm-2".into(), product }]);
    }

    #[test]
    fn a_mysql_that_is_refused_for_its_kind_holds() {
        let mut story = Story::new();
        story.see(&master("rm-1", "mysql 5.7"));
        story.refused("POST /v1/instances/rm-1/temporary-instances", by_set(), 403, KIND);
        holds(&story, check, 1);
    }

    #[test]
    fn a_refusal_for_another_cause_exercises_nothing() {
        let mut story = Story::new();
        story.see(&master("rm-1", "mysql 5.7"));
        story.refused("POST /v1/instances/rm-1/temporary-instances", by_set(), 403, "OperationDenied.NotFoundBackup");
        holds(&story, check, 0);
    }
}
