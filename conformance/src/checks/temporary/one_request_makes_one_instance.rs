//! One request makes one temporary instance, however often it is sent, and none comes without a request (TMP-16, SQL-23).

use super::TemporaryViolation;
use super::witness::{TEMPORARIES, orders, shown, temporaries_of};
use crate::checks::Finding;
use crate::history::lens::{Lens, Seen};
use crate::history::{Call, ListKind, What};
use recovery::model::InstanceId;
use std::collections::{BTreeMap, BTreeSet};

/// Judges the answers to a request sent several times, and how many instances of each master lists show in the end.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    let mut requests: BTreeMap<(InstanceId, String), Vec<Seen<'_, Call>>> = BTreeMap::new();
    for order in orders(lens, TEMPORARIES) {
        let key = order.call.it.key.clone().unwrap_or_else(|| format!("call {}", order.call.index));
        requests.entry((order.master.id.clone(), key)).or_default().push(order.call);
    }
    let (mut asked, mut several): (BTreeMap<&InstanceId, usize>, BTreeSet<&InstanceId>) = Default::default();
    for ((master, key), calls) in &requests {
        *asked.entry(master).or_default() += usize::from(calls.iter().any(|call| !call.it.refused()));
        let instances: BTreeSet<InstanceId> = calls.iter().flat_map(|call| shown(call.it)).collect();
        let last = &calls[calls.len() - 1];
        if instances.len() > 1 {
            several.insert(master);
            let (key, instances) = (key.clone(), instances.into_iter().collect());
            finding.judge(last, Some(TemporaryViolation::ManyFromOneRequest { key, instances }));
        } else if instances.len() == 1 && calls.len() > 1 {
            finding.judge(last, None::<TemporaryViolation>);
        }
    }
    for (master, asked) in asked.into_iter().filter(|(master, _)| !several.contains(master)) {
        let mut made: Vec<_> = temporaries_of(lens, master).map(|story| story.views[0]).collect();
        made.sort_by_key(|seen| seen.index);
        if let Some(extra) = made.get(asked) {
            let violation = TemporaryViolation::MoreThanAsked { master: master.clone(), asked, made: made.len() };
            finding.judge(extra, Some(violation));
        } else if let Some(last) = made.last().filter(|last| listed_after(lens, last.index)) {
            finding.judge(last, None::<TemporaryViolation>);
        }
    }
    finding
}

fn listed_after(lens: &Lens<'_>, index: usize) -> bool {
    let mut later = lens.history.events[index..].iter();
    later.any(|event| {
        matches!(event.what, What::InstancesListed { list: ListKind::Instances | ListKind::Temporaries, .. })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::temporary::made_up::{by_set, holds, wrong};
    use crate::checks::testing::{Story, master, start, temporary};

    fn story(key: &str, again: &str) -> Story {
        let shop = master("rm-1", "sqlserver 2012 web");
        let mut story = Story::new();
        story.see(&shop).order_temporary("k", &shop, by_set(), &temporary("sub1", &shop, start()));
        story.order_temporary(key, &shop, by_set(), &temporary(again, &shop, start()));
        story
    }

    #[test]
    fn two_instances_under_one_key_are_found() {
        let instances = vec!["sub1".into(), "sub2".into()];
        let expected = TemporaryViolation::ManyFromOneRequest { key: "k".into(), instances };
        assert_eq!(wrong(&story("k", "sub2"), check), vec![expected]);
    }

    #[test]
    fn an_instance_nobody_asked_for_is_found() {
        let shop = master("rm-1", "sqlserver 2012 web");
        let mut story = story("k", "sub1");
        let stray = temporary("sub2", &shop, start());
        story.show_list(ListKind::Temporaries, Some("rm-1"), &[&stray]);
        let expected = TemporaryViolation::MoreThanAsked { master: "rm-1".into(), asked: 1, made: 2 };
        assert_eq!(wrong(&story, check), vec![expected]);
    }

    #[test]
    fn a_request_sent_twice_that_makes_one_instance_holds() {
        let mut story = story("k", "sub1");
        story.show_list(ListKind::Temporaries, Some("rm-1"), &[]);
        holds(&story, check, 2);
    }

    #[test]
    fn two_requests_nobody_counted_exercise_nothing() {
        holds(&story("other", "sub2"), check, 0);
    }
}
