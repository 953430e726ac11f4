//! Every id stands for one thing over the whole run, and is never used again.

use super::InvariantViolation;
use crate::checks::Finding;
use crate::checks::temporary::witness::{alive, at_event, is_fresh};
use crate::history::What;
use crate::history::lens::{Lens, Seen};
use jiff::Timestamp;
use recovery::model::instance::Origin;
use recovery::model::views::InstanceView;
use serde_json::Value;
use std::collections::BTreeMap;

/// What an id stands for: what kind of thing, and what of it never changes.
#[derive(Debug, Clone, PartialEq)]
struct Identity<'a> {
    kind: &'static str,
    of: Option<&'a str>,
    origin: Option<&'a Origin>,
    since: Option<Timestamp>,
}

impl Identity<'_> {
    fn words(&self) -> String {
        let of = self.of.map_or_else(String::new, |of| format!(" of {of}"));
        let since = self.since.map_or_else(String::new, |since| format!(" since {since}"));
        format!("{}{of}{since}", self.kind)
    }
}

/// The collections whose requests make one new thing each.
const MAKING: [&str; 7] = [
    "instances",
    "clones",
    "temporary-instances",
    "migration-tasks",
    "data-sources",
    "logical-backup-tasks",
    "restore-tasks",
];

/// Looks at everything that was shown with an id, and at what requests were answered to have made.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    let mut known: BTreeMap<&str, (usize, Identity<'_>)> = BTreeMap::new();
    for (index, event) in lens.history.events.iter().enumerate() {
        let Some((id, identity)) = shown(&event.what) else { continue };
        match known.get(id) {
            None => {
                known.insert(id, (index, identity));
                finding.judge(&at_event(index, event.at), None::<InvariantViolation>);
            }
            Some((_, first)) if *first != identity => {
                let (first, again) = (first.words(), identity.words());
                let violation = InvariantViolation::IdUsedTwice { id: id.to_owned(), first, again };
                finding.judge(&at_event(index, event.at), Some(violation));
            }
            Some(_) => {}
        }
    }
    for story in lens.instances() {
        let Some((gone, _)) = story.gone.first() else { continue };
        // Who asks again for a release is told that it is gone while it is still being taken down.
        let back =
            |seen: &&Seen<'_, InstanceView>| seen.index > *gone && alive(seen.it.state) && is_fresh(lens, seen.index);
        let back = story.views.iter().find(back);
        if let Some(seen) = back {
            let (id, first) = (story.id.to_string(), "an instance that is gone".to_owned());
            finding.judge(seen, Some(InvariantViolation::IdUsedTwice { id, first, again: "there again".into() }));
        }
    }
    made_twice(lens, &known, &mut finding);
    finding
}

/// Requests that were answered with something that had been there before, though they were made for the first time.
fn made_twice<'a>(lens: &Lens<'a>, known: &BTreeMap<&'a str, (usize, Identity<'a>)>, finding: &mut Finding) {
    let mut keys: BTreeMap<&str, usize> = BTreeMap::new();
    for call in lens.calls().filter(|call| call.it.method == "POST") {
        let again = call.it.key.as_deref().is_some_and(|key| keys.insert(key, call.index).is_some());
        let makes = call.it.last_part().is_some_and(|last| MAKING.contains(&last));
        if again || !makes || !call.it.accepted() {
            continue;
        }
        let many = call.it.answer.get("instances").and_then(Value::as_array);
        let made = many.map_or(std::slice::from_ref(&*call.it.answer), Vec::as_slice);
        for id in made.iter().filter_map(|made| made.get("id")?.as_str()) {
            if let Some((_, first)) = known.get(id).filter(|(first, _)| *first < call.index) {
                let (first, again) = (first.words(), format!("made by {} {}", call.it.method, call.it.path));
                finding.judge(&call, Some(InvariantViolation::IdUsedTwice { id: id.to_owned(), first, again }));
            }
        }
    }
}

fn shown(what: &What) -> Option<(&str, Identity<'_>)> {
    let identity = |kind, of, since| Identity { kind, of, origin: None, since };
    Some(match what {
        What::InstanceSeen(it) => {
            let identity = identity("instance", Some(it.region.as_str()), Some(it.requested_at));
            (it.id.as_str(), Identity { origin: Some(&it.origin), ..identity })
        }
        What::BackupSeen(it) => (it.id.as_str(), identity("backup", Some(it.instance.as_str()), Some(it.began_at))),
        What::TaskSeen(it) => (it.id.as_str(), identity("migration task", None, Some(it.created_at))),
        What::DataSourceSeen(it) => (it.id.as_str(), identity("data source", None, None)),
        What::LogicalTaskSeen(it) => (it.id.as_str(), identity("logical backup task", Some(it.source.as_str()), None)),
        What::LogicalSetSeen(it) => (it.id.as_str(), identity("set", Some(it.task.as_str()), Some(it.began_at))),
        What::RestoreSeen(it) => (it.id.as_str(), identity("restore task", None, Some(it.created_at))),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::invariants::made_up::{Tale, holds, wrong};
    use crate::checks::testing::{clone_of, span, start, task};
    use serde_json::json;

    fn ids(tale: &Tale) -> Vec<String> {
        let found = wrong(&tale.story, check).into_iter();
        found
            .filter_map(|it| if let InvariantViolation::IdUsedTwice { id, .. } = it { Some(id) } else { None })
            .collect()
    }

    #[test]
    fn an_id_of_two_kinds_of_things_is_found() {
        let mut tale = Tale::new();
        let view = task("rm-1", &tale.shop, &tale.shop);
        tale.story.see_task(&view);
        assert_eq!(ids(&tale), ["rm-1"]);
    }

    #[test]
    fn an_id_that_is_given_to_another_instance_is_found() {
        let mut tale = Tale::new();
        let other = InstanceView { requested_at: start() + span("1h"), ..tale.shop.clone() };
        tale.story.see(&other);
        assert_eq!(ids(&tale), ["rm-1"]);
    }

    #[test]
    fn an_instance_that_is_back_is_found() {
        let mut tale = Tale::new();
        let shop = tale.shop.clone();
        tale.story.gone("rm-1").call("GET /v1/instances/rm-1", json!(null), 200, json!({}));
        tale.story.now = tale.story.history.events.last().map_or(start(), |event| event.at);
        tale.story.see(&shop);
        assert_eq!(ids(&tale), ["rm-1"]);
    }

    #[test]
    fn a_second_order_that_is_answered_with_the_first_instance_is_found_and_a_repeated_one_is_not() {
        for (key, found) in [("a", 0), ("b", 1)] {
            let mut tale = Tale::new();
            let copy = clone_of("rm-2", &tale.shop, start());
            let answer = json!({"instances": [copy]});
            tale.story
                .keyed_call("POST /v1/instances/rm-1/clones", Some("a"), json!({}), 202, answer.clone())
                .see(&copy);
            tale.story.keyed_call("POST /v1/instances/rm-1/clones", Some(key), json!({}), 202, answer).see(&copy);
            assert_eq!(ids(&tale).len(), found, "{key}");
        }
    }

    #[test]
    fn one_id_for_each_thing_holds() {
        let mut tale = Tale::new();
        let shop = tale.shop.clone();
        tale.rescue().story.see(&shop);
        holds(&tale.story, check, 2);
    }
}
