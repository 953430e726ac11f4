//! A clone is a new instance with an id and an endpoint of its own, and its making leaves the master alone (CLN-12; frame
//! condition 2).

use super::CloneViolation;
use crate::checks::Finding;
use crate::checks::temporary::truth::change_by_making;
use crate::checks::temporary::witness::{CLONES, alive, orders, released_by_user, shown};
use crate::history::lens::{InstanceStory, Lens};
use recovery::model::InstanceId;
use std::collections::BTreeSet;

/// Judges the ids in answers, the endpoint of each running clone, and photographs of the master around the making.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    let mut answered: BTreeSet<(Option<String>, InstanceId)> = BTreeSet::new();
    for order in orders(lens, CLONES) {
        for id in shown(order.call.it) {
            let again = !answered.insert((order.call.it.key.clone(), id.clone())) && order.call.it.key.is_some();
            let old = !again && lens.instance(&id).is_some_and(|story| story.views[0].index < order.call.index);
            if old && !lost_answer(lens, order.call.it.key.as_deref(), order.call.index) {
                let (shares, with) = ("id".to_owned(), id.clone());
                finding.judge(&order.call, Some(CloneViolation::CloneNotNew { clone: id, shares, with }));
            }
        }
    }
    for story in lens.clones() {
        let Some(running) = story.running() else { continue };
        let shared =
            story.master().and_then(|id| lens.instance(id)).filter(|master| shares_endpoint(lens, story, master));
        let violation = shared.map(|master| CloneViolation::CloneNotNew {
            clone: story.id.clone(),
            shares: "endpoint".to_owned(),
            with: master.id.clone(),
        });
        finding.judge(&running, violation);
        if let (Some(master), Some((after, difference))) = (story.master(), change_by_making(lens, story)) {
            let (master, clone) = (master.clone(), story.id.clone());
            finding.judge(
                &after,
                difference.map(|difference| CloneViolation::CloneChangedMaster { master, clone, difference }),
            );
        }
    }
    finding
}

/// Whether an earlier attempt under the same key got no answer: then lists may have shown the clone before this one did.
fn lost_answer(lens: &Lens<'_>, key: Option<&str>, before: usize) -> bool {
    key.is_some()
        && lens.calls().any(|seen| seen.index < before && seen.it.key.as_deref() == key && !seen.it.accepted())
}

/// Whether a clone runs at the endpoint of its master while that is there too.
fn shares_endpoint(lens: &Lens<'_>, story: &InstanceStory<'_>, master: &InstanceStory<'_>) -> bool {
    story.views.iter().filter(|seen| alive(seen.it.state) && seen.it.endpoint.is_some()).any(|seen| {
        let there =
            |view: &recovery::model::views::InstanceView| alive(view.state) && view.endpoint == seen.it.endpoint;
        master.view_at(seen.index).is_some_and(|view| there(view.it)) && !released_by_user(lens, master, seen.at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::temporary::Difference;
    use crate::checks::temporary::made_up::{by_set, clone_body, holds, wrong_clone};
    use crate::checks::testing::{Story, clone_of, master, photograph, start};
    use recovery::model::photograph::Photograph;
    use recovery::model::views::InstanceView;

    fn story(copy: &InstanceView, before: &Photograph, after: &Photograph) -> Story {
        let shop = master("rm-1", "mysql 5.7");
        let mut story = Story::new();
        story.see(&shop).shot("rm-1", before).order_clones("k", &shop, clone_body(by_set()), &[copy]);
        story.see(copy).shot("rm-1", after);
        story
    }

    fn copy() -> InstanceView {
        clone_of("rm-2", &master("rm-1", "mysql 5.7"), start())
    }

    #[test]
    fn a_clone_at_its_masters_endpoint_is_found() {
        let content = photograph(&[]);
        let copy = InstanceView { endpoint: master("rm-1", "mysql 5.7").endpoint, ..copy() };
        let (shares, with) = ("endpoint".into(), "rm-1".into());
        let expected = CloneViolation::CloneNotNew { clone: "rm-2".into(), shares, with };
        assert_eq!(wrong_clone(&story(&copy, &content, &content), check), vec![expected]);
    }

    #[test]
    fn a_clone_with_its_masters_id_is_found() {
        let shop = master("rm-1", "mysql 5.7");
        let mut story = Story::new();
        story.see(&shop).order_clones("k", &shop, clone_body(by_set()), &[&clone_of("rm-1", &shop, start())]);
        let (shares, with) = ("id".into(), "rm-1".into());
        let expected = CloneViolation::CloneNotNew { clone: "rm-1".into(), shares, with };
        assert_eq!(wrong_clone(&story, check), vec![expected]);
    }

    #[test]
    fn a_master_changed_by_its_cloning_is_found() {
        let story = story(&copy(), &photograph(&[("orders", &[])]), &photograph(&[]));
        let difference = Difference::Missing { what: "table orders of app".into() };
        let expected = CloneViolation::CloneChangedMaster { master: "rm-1".into(), clone: "rm-2".into(), difference };
        assert_eq!(wrong_clone(&story, check), vec![expected]);
    }

    #[test]
    fn a_new_instance_beside_an_unchanged_master_holds() {
        let content = photograph(&[("orders", &[(1, "a")])]);
        let mut story = story(&copy(), &content, &content);
        let shop = master("rm-1", "mysql 5.7");
        story.order_clones("k", &shop, clone_body(by_set()), &[&copy()]);
        holds(&story, check, 2);
    }

    #[test]
    fn an_order_that_makes_nothing_exercises_nothing() {
        let mut story = Story::new();
        story.see(&master("rm-1", "mysql 5.7"));
        story.refused("POST /v1/instances/rm-1/clones", clone_body(by_set()), 403, "OperationDenied.DBInstanceType");
        holds(&story, check, 0);
    }
}
