//! A master has at most one temporary instance at a time, whatever other masters have (TMP-09, SQL-14; C-04).

use super::TemporaryViolation;
use super::witness::{EXISTS, Order, TEMPORARIES, open_attempt, orders, surely_there, temporaries_of};
use crate::checks::Finding;
use crate::history::lens::{InstanceStory, Lens};
use recovery::model::instance::Origin;

/// Judges orders beside a temporary instance that must be there: of the same master, and of another.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for order in orders(lens, TEMPORARIES) {
        let standing = temporaries_of(lens, order.master.id).find(|story| stands(lens, &order, story));
        let elsewhere = || {
            let other = |story: &&InstanceStory<'_>| matches!(story.first.origin, Origin::Temporary { .. });
            lens.instances()
                .filter(other)
                .any(|story| story.master() != Some(order.master.id) && stands(lens, &order, story))
        };
        let master = order.master.id.clone();
        match (standing, order.made.first()) {
            (Some(first), Some(second)) => {
                let (first, second) = (first.id.clone(), second.clone());
                finding.judge(&order.call, Some(TemporaryViolation::SecondAccepted { master, first, second }));
            }
            (Some(_), None) if order.call.it.code() == Some(EXISTS) => {
                finding.judge(&order.call, None::<TemporaryViolation>)
            }
            (None, Some(_)) if elsewhere() => finding.judge(&order.call, None::<TemporaryViolation>),
            (None, None) if order.call.it.code() == Some(EXISTS) && never_had_one(lens, &order) => {
                finding.judge(&order.call, Some(TemporaryViolation::FirstRefused { master }));
            }
            _ => {}
        }
    }
    finding
}

fn stands(lens: &Lens<'_>, order: &Order<'_, '_>, story: &InstanceStory<'_>) -> bool {
    !order.made.contains(story.id) && surely_there(lens, story, order.call.it.sent_at, order.call.at)
}

fn never_had_one(lens: &Lens<'_>, order: &Order<'_, '_>) -> bool {
    temporaries_of(lens, order.master.id)
        .all(|story| story.views[0].index > order.call.index && story.first.requested_at > order.call.at)
        && !open_attempt(lens, order.master.id, order.call.at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::temporary::made_up::{by_set, holds, wrong};
    use crate::checks::testing::{Story, master, start, temporary};

    fn with_one() -> Story {
        let shop = master("rm-1", "sqlserver 2012 web");
        let rescue = temporary("sub1", &shop, start());
        let mut story = Story::new();
        story.see(&shop).order_temporary("k1", &shop, by_set(), &rescue).see(&rescue);
        story
    }

    #[test]
    fn a_second_temporary_instance_is_found() {
        let shop = master("rm-1", "sqlserver 2012 web");
        let mut story = with_one();
        let now = story.now;
        story.order_temporary("k2", &shop, by_set(), &temporary("sub2", &shop, now));
        let expected =
            TemporaryViolation::SecondAccepted { master: "rm-1".into(), first: "sub1".into(), second: "sub2".into() };
        assert_eq!(wrong(&story, check), vec![expected]);
    }

    #[test]
    fn a_refused_second_and_an_accepted_one_of_another_master_hold() {
        let mut story = with_one();
        let bank = master("rm-2", "sqlserver 2012 web");
        let other = temporary("sub2", &bank, story.now);
        story.refused("POST /v1/instances/rm-1/temporary-instances", by_set(), 403, EXISTS);
        story.see(&bank).order_temporary("k2", &bank, by_set(), &other);
        holds(&story, check, 2);
    }

    #[test]
    fn a_master_refused_for_anothers_temporary_instance_is_found() {
        let mut story = with_one();
        story.see(&master("rm-2", "sqlserver 2012 web"));
        story.refused("POST /v1/instances/rm-2/temporary-instances", by_set(), 403, EXISTS);
        assert_eq!(wrong(&story, check), vec![TemporaryViolation::FirstRefused { master: "rm-2".into() }]);
    }

    #[test]
    fn an_answer_given_again_and_a_new_one_after_a_release_exercise_nothing() {
        let shop = master("rm-1", "sqlserver 2012 web");
        let mut story = with_one();
        story.order_temporary("k1", &shop, by_set(), &temporary("sub1", &shop, start()));
        story.call("DELETE /v1/instances/sub1", serde_json::Value::Null, 204, serde_json::Value::Null);
        let now = story.now;
        story.order_temporary("k2", &shop, by_set(), &temporary("sub2", &shop, now));
        holds(&story, check, 0);
    }
}
