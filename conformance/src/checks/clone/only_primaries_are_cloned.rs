//! Only a primary can be cloned, no read-only, disaster recovery or temporary instance (CLN-06).

use super::CloneViolation;
use crate::checks::Finding;
use crate::checks::temporary::witness::{CLONES, KIND, orders};
use crate::history::lens::Lens;
use recovery::model::instance::Origin;

/// Judges orders of instances in other roles. A clone is an ordinary instance, of which no document says that it is no primary.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for order in orders(lens, CLONES) {
        let role = match order.master.first.origin {
            Origin::Primary | Origin::Clone { .. } => continue,
            Origin::ReadOnly { .. } => "read-only",
            Origin::DisasterRecovery { .. } => "a disaster recovery instance",
            Origin::Temporary { .. } => "a temporary instance",
        };
        if !order.made.is_empty() {
            let violation = CloneViolation::CloneOfNoPrimary { of: order.master.id.clone(), role: role.to_owned() };
            finding.judge(&order.call, Some(violation));
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
    use recovery::model::views::InstanceView;

    fn replica() -> InstanceView {
        InstanceView { origin: Origin::ReadOnly { master: "rm-1".into() }, ..master("rm-2", "mysql 5.7") }
    }

    #[test]
    fn a_clone_of_a_read_only_instance_is_found() {
        let mut story = Story::new();
        story.see(&replica()).order_clones(
            "k",
            &replica(),
            clone_body(by_set()),
            &[&clone_of("rm-3", &replica(), start())],
        );
        let expected = CloneViolation::CloneOfNoPrimary { of: "rm-2".into(), role: "read-only".into() };
        assert_eq!(wrong_clone(&story, check), vec![expected]);
    }

    #[test]
    fn a_read_only_instance_that_is_refused_a_clone_holds() {
        let mut story = Story::new();
        story.see(&replica()).refused("POST /v1/instances/rm-2/clones", clone_body(by_set()), 403, KIND);
        holds(&story, check, 1);
    }

    #[test]
    fn a_clone_of_a_primary_exercises_nothing() {
        let shop = master("rm-1", "mysql 5.7");
        let mut story = Story::new();
        story.see(&shop).order_clones("k", &shop, clone_body(by_set()), &[&clone_of("rm-2", &shop, start())]);
        holds(&story, check, 0);
    }
}
