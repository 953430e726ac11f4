//! Temporary instances and clones are different goods: nothing is both, and each order makes what it names (SQL-01).

use super::TemporaryViolation;
use super::witness::{CLONES, TEMPORARIES, at_event, orders};
use crate::checks::Finding;
use crate::history::lens::Lens;
use crate::history::{ListKind, What};
use recovery::model::InstanceId;
use recovery::model::instance::Origin;
use std::collections::BTreeSet;

/// Judges what orders made, what lists of temporary instances show, and whether an instance changes its kind.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    let mut both: BTreeSet<InstanceId> = BTreeSet::new();
    let mut judge = |index: usize, id: &InstanceId, wrong: bool| {
        let known = both.contains(id);
        if wrong {
            both.insert(id.clone());
        }
        let violation = (wrong && !known).then(|| TemporaryViolation::CountedAsBoth { instance: id.clone() });
        finding.judge(&at_event(index, lens.history.events[index].at), violation);
    };
    let temporary = |origin: &Origin| matches!(origin, Origin::Temporary { .. });
    for (order, wanted) in
        orders(lens, TEMPORARIES).map(|it| (it, true)).chain(orders(lens, CLONES).map(|it| (it, false)))
    {
        for story in order.made.iter().filter_map(|id| lens.instance(id)) {
            let other = story.views.iter().find(|seen| temporary(&seen.it.origin) != wanted);
            judge(other.map_or(order.call.index, |seen| seen.index), story.id, other.is_some());
        }
    }
    for (index, event) in lens.history.events.iter().enumerate() {
        if let What::InstancesListed { list: ListKind::Temporaries, ids, .. } = &event.what {
            for story in ids.iter().filter_map(|id| lens.instance(id)).filter(|story| lens.in_scope(story.first)) {
                judge(index, story.id, !temporary(&story.first.origin));
            }
        }
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::temporary::made_up::{by_set, clone_body, holds, wrong};
    use crate::checks::testing::{Story, clone_of, master, start, temporary};

    #[test]
    fn a_clone_made_by_an_order_of_a_temporary_instance_is_found() {
        let shop = master("rm-1", "sqlserver 2012 web");
        let mut story = Story::new();
        story.see(&shop).order_temporary("k", &shop, by_set(), &clone_of("rm-2", &shop, start()));
        assert_eq!(wrong(&story, check), vec![TemporaryViolation::CountedAsBoth { instance: "rm-2".into() }]);
    }

    #[test]
    fn a_clone_on_the_list_of_temporary_instances_is_found() {
        let shop = master("rm-1", "mysql 5.7");
        let copy = clone_of("rm-2", &shop, start());
        let mut story = Story::new();
        story.see(&shop).order_clones("k", &shop, clone_body(by_set()), &[&copy]);
        story.show_list(ListKind::Temporaries, Some("rm-1"), &[&copy]);
        assert_eq!(wrong(&story, check), vec![TemporaryViolation::CountedAsBoth { instance: "rm-2".into() }]);
    }

    #[test]
    fn a_temporary_instance_and_a_clone_that_stay_what_they_are_hold() {
        let (shop, bank) = (master("rm-1", "sqlserver 2012 web"), master("rm-2", "mysql 5.7"));
        let rescue = temporary("sub1", &shop, start());
        let mut story = Story::new();
        story.see(&shop).see(&bank).order_temporary("k1", &shop, by_set(), &rescue);
        story.order_clones("k2", &bank, clone_body(by_set()), &[&clone_of("rm-3", &bank, start())]);
        story.show_list(ListKind::Temporaries, Some("rm-1"), &[&rescue]);
        holds(&story, check, 3);
    }
}
