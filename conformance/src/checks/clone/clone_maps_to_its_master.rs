//! A clone keeps naming the master it was made from (CLN-31).

use super::CloneViolation;
use crate::checks::Finding;
use crate::checks::temporary::witness::{CLONES, orders};
use crate::history::lens::Lens;
use recovery::model::InstanceId;
use recovery::model::instance::Origin;

/// Compares what each clone names as its master on every sight with the instance the order was sent to.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for order in orders(lens, CLONES) {
        for story in order.made.iter().filter_map(|id| lens.instance(id)) {
            let named = |origin: &Origin| -> Option<InstanceId> {
                if let Origin::Clone { source, .. } = origin { Some(source.clone()) } else { None }
            };
            let other = story.views.iter().find(|seen| named(&seen.it.origin).as_ref() != Some(order.master.id));
            let violation = other.map(|seen| CloneViolation::CloneOfAnother {
                clone: story.id.clone(),
                master: order.master.id.clone(),
                named: named(&seen.it.origin),
            });
            finding.judge(other.unwrap_or(&story.views[0]), violation);
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
    fn a_clone_that_names_another_master_is_found() {
        let (shop, bank) = (master("rm-1", "mysql 5.7"), master("rm-2", "mysql 5.7"));
        let mut story = Story::new();
        story.see(&shop).order_clones("k", &shop, clone_body(by_set()), &[&clone_of("rm-3", &bank, start())]);
        let (clone, master, named) = ("rm-3".into(), "rm-1".into(), Some("rm-2".into()));
        assert_eq!(wrong_clone(&story, check), vec![CloneViolation::CloneOfAnother { clone, master, named }]);
    }

    #[test]
    fn clones_that_name_their_master_hold() {
        let shop = master("rm-1", "mysql 5.7");
        let (one, two) = (clone_of("rm-2", &shop, start()), clone_of("rm-3", &shop, start()));
        let mut story = Story::new();
        story.see(&shop).order_clones("k", &shop, clone_body(by_set()), &[&one, &two]).see(&one);
        holds(&story, check, 2);
    }

    #[test]
    fn a_refused_order_exercises_nothing() {
        let mut story = Story::new();
        story.see(&master("rm-1", "mysql 5.7"));
        story.refused("POST /v1/instances/rm-1/clones", clone_body(by_set()), 403, "OperationDenied.DBInstanceType");
        holds(&story, check, 0);
    }
}
