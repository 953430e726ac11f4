//! After the old temporary instance is gone a new one can be made, and never takes the place of one that is there (TMP-10, SQL-15).

use super::TemporaryViolation;
use super::witness::{
    EXISTS, LIFE, Order, TEMPORARIES, asked_at, birth, open_attempt, orders, released_by_user, surely_gone,
    surely_there, temporaries_of,
};
use crate::checks::Finding;
use crate::history::lens::{InstanceStory, Lens};
use crate::history::{ListKind, What};
use jiff::Timestamp;
use recovery::model::instance::InstanceState;

/// Judges orders of masters that had a temporary instance before.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for order in orders(lens, TEMPORARIES) {
        let call = &order.call;
        let past: Vec<_> =
            temporaries_of(lens, order.master.id).filter(|story| story.views[0].index < call.index).collect();
        let Some(last) = past.iter().max_by_key(|story| story.views[0].index) else { continue };
        let master = order.master.id.clone();
        let all_gone = past.iter().all(|story| surely_gone(lens, story, call.it.sent_at));
        let replaced = past.iter().find(|story| gave_way(lens, &order, story));
        if let (Some(new), Some(old)) = (order.made.first(), replaced) {
            let (old, new) = (old.id.clone(), new.clone());
            finding.judge(call, Some(TemporaryViolation::Replaced { master, old, new }));
        } else if all_gone && !order.made.is_empty() {
            finding.judge(call, None::<TemporaryViolation>);
        } else if all_gone && call.it.code() == Some(EXISTS) && !unknown_one(lens, &order) {
            finding.judge(call, Some(TemporaryViolation::StillRefused { master, gone: last.id.clone() }));
        }
    }
    finding
}

/// Whether a temporary instance that was there at the order was gone soon after it without anybody's doing.
fn gave_way(lens: &Lens<'_>, order: &Order<'_, '_>, story: &InstanceStory<'_>) -> bool {
    let call = &order.call;
    let after = |at| {
        at >= call.at
            && birth(lens, story).is_some_and(|birth| at < birth.earliest + LIFE)
            && !released_by_user(lens, story, at)
    };
    let gone = |state| matches!(state, InstanceState::Released | InstanceState::Deleting);
    surely_there(lens, story, call.it.sent_at, call.it.sent_at)
        && (story.gone.iter().any(|(_, at)| after(*at))
            || story.views.iter().any(|seen| gone(seen.it.state) && after(seen.at))
            || left_out(lens, story).any(|(asked_at, at)| asked_at >= call.at && after(at)))
}

/// When lists of all instances were asked for that leave an instance out, and answered.
fn left_out<'l, 'a, 'b>(
    lens: &'l Lens<'a>,
    story: &'l InstanceStory<'b>,
) -> impl Iterator<Item = (Timestamp, Timestamp)> + use<'l, 'a, 'b> {
    lens.history.events.iter().enumerate().filter_map(move |(index, event)| match &event.what {
        What::InstancesListed { list: ListKind::Instances, of: None, ids } if !ids.contains(story.id) => {
            Some((asked_at(lens, index), event.at))
        }
        _ => None,
    })
}

/// Whether the master may have a temporary instance that nobody has seen yet.
fn unknown_one(lens: &Lens<'_>, order: &Order<'_, '_>) -> bool {
    let later = |story: &InstanceStory<'_>| {
        story.views[0].index > order.call.index && story.first.requested_at <= order.call.at
    };
    open_attempt(lens, order.master.id, order.call.at) || temporaries_of(lens, order.master.id).any(later)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::temporary::made_up::{by_set, holds, in_state, wrong};
    use crate::checks::testing::{Story, master, start, temporary};

    const ORDER: &str = "POST /v1/instances/rm-1/temporary-instances";

    fn with_one() -> Story {
        let shop = master("rm-1", "sqlserver 2012 web");
        let rescue = temporary("sub1", &shop, start());
        let mut story = Story::new();
        story.see(&shop).order_temporary("k1", &shop, by_set(), &rescue).see(&rescue);
        story
    }

    #[test]
    fn a_refusal_after_48_hours_is_found() {
        let mut story = with_one();
        story.go_to("48h").refused(ORDER, by_set(), 403, EXISTS);
        let expected = TemporaryViolation::StillRefused { master: "rm-1".into(), gone: "sub1".into() };
        assert_eq!(wrong(&story, check), vec![expected]);
    }

    #[test]
    fn a_new_one_in_the_place_of_the_old_is_found() {
        let shop = master("rm-1", "sqlserver 2012 web");
        let mut story = with_one();
        let now = story.now;
        story.order_temporary("k2", &shop, by_set(), &temporary("sub2", &shop, now)).gone("sub1");
        let expected = TemporaryViolation::Replaced { master: "rm-1".into(), old: "sub1".into(), new: "sub2".into() };
        assert_eq!(wrong(&story, check), vec![expected]);
    }

    #[test]
    fn a_list_without_the_old_one_proves_that_it_gave_way() {
        let shop = master("rm-1", "sqlserver 2012 web");
        let mut story = with_one();
        let new = temporary("sub2", &shop, story.now);
        story.order_temporary("k2", &shop, by_set(), &new);
        story.push(What::InstancesListed {
            list: ListKind::Instances,
            of: None,
            ids: vec!["rm-1".into(), "sub2".into()],
        });
        let expected = TemporaryViolation::Replaced { master: "rm-1".into(), old: "sub1".into(), new: "sub2".into() };
        assert_eq!(wrong(&story, check), vec![expected]);
    }

    #[test]
    fn a_new_one_after_the_release_of_the_old_holds() {
        let shop = master("rm-1", "sqlserver 2012 web");
        let rescue = temporary("sub1", &shop, start());
        let mut story = with_one();
        story.call("DELETE /v1/instances/sub1", serde_json::Value::Null, 204, serde_json::Value::Null);
        let next = temporary("sub2", &shop, story.now);
        story.see(&in_state(&rescue, InstanceState::Released)).order_temporary("k2", &shop, by_set(), &next);
        holds(&story, check, 1);
    }

    #[test]
    fn a_refusal_while_the_old_one_is_being_released_exercises_nothing() {
        let mut story = with_one();
        story.call("DELETE /v1/instances/sub1", serde_json::Value::Null, 202, serde_json::Value::Null);
        story.refused(ORDER, by_set(), 403, EXISTS);
        holds(&story, check, 0);
    }
}
