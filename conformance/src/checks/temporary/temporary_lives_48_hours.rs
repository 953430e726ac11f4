//! A temporary instance is there until 48 hours after its making succeeded, and released then (TMP-11, SQL-17; C-05).
//!
//! Observations in the last hour and after the end put the rule to the test; those in between prove nothing about the end.

use super::violation::{Proof, TemporaryViolation};
use super::witness::{LIFE, alive, asked_at, at_event, birth, faulted_before, released_by_user, sights};
use crate::checks::Finding;
use crate::history::lens::{InstanceStory, Lens};
use crate::history::{ListKind, What};
use jiff::{SignedDuration, Timestamp};
use recovery::model::instance::InstanceState;

/// How near the end an observation of life must be to count.
const NEAR: SignedDuration = SignedDuration::from_hours(1);
/// How long it may take to shut a server down; the interface has no such excuse.
const SHUTDOWN: SignedDuration = SignedDuration::from_secs(10);
/// How long after all faults healed a server may still be up.
const GRACE: SignedDuration = SignedDuration::from_mins(10);

/// Something seen: true of some instant between two times.
struct Observation {
    index: usize,
    from: Timestamp,
    to: Timestamp,
    by: Proof,
}

impl Proof {
    fn excuse(self) -> SignedDuration {
        if self == Self::Used { SHUTDOWN } else { SignedDuration::ZERO }
    }
}

/// Judges the end once and the time before it once.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for story in lens.temporaries() {
        let Some(birth) = birth(lens, story) else { continue };
        let (ends_after, ends_by) = (birth.earliest + LIFE, birth.latest + LIFE);
        let (alive, gone) = (life_of(lens, story), end_of(lens, story));
        let (instance, created_at) = (story.id.clone(), birth.latest);
        if let Some(late) = alive.iter().find(|it| it.from >= ends_by + it.by.excuse()) {
            let (seen_at, by) = (late.from, late.by);
            let violation = TemporaryViolation::OutlivedItsTime { instance: instance.clone(), created_at, seen_at, by };
            finding.judge(&at_event(late.index, late.to), Some(violation));
        } else if let Some(end) =
            gone.iter().find(|it| it.to >= ends_after && !released_by_user(lens, story, ends_after))
        {
            finding.judge(&at_event(end.index, end.to), None::<TemporaryViolation>);
        }
        if let Some(early) = gone.iter().find(|it| it.to < ends_after && !released_by_user(lens, story, it.to)) {
            let violation = TemporaryViolation::GoneEarly { instance, created_at: birth.earliest, gone_at: early.to };
            finding.judge(&at_event(early.index, early.to), Some(violation));
        } else if let Some(near) = alive.iter().find(|it| it.from >= ends_after - NEAR && it.to < ends_by) {
            finding.judge(&at_event(near.index, near.to), None::<TemporaryViolation>);
        }
    }
    finding
}

/// What proves that it was there: answers that show it, lists of what can be used, logins and statements.
fn life_of(lens: &Lens<'_>, story: &InstanceStory<'_>) -> Vec<Observation> {
    let shown = sights(lens, story).filter(|seen| alive(seen.it.state));
    let shown = shown.map(|seen| Observation {
        index: seen.index,
        from: asked_at(lens, seen.index),
        to: seen.at,
        by: Proof::Shown,
    });
    let listed = lists(lens).filter(|(_, list, _, ids)| *list != ListKind::Instances && ids.contains(story.id));
    let listed = listed.map(|(index, ..)| observed(lens, index, Proof::Listed));
    let alone = !shares_its_endpoint(lens, story);
    let logins = lens.logins().filter(|login| login.it.instance == *story.id && login.it.outcome.is_ok());
    let logins = logins.map(|login| (login.index, login.it.sent_at, login.at));
    let statements = lens.statements(story.id).filter(|statement| statement.it.outcome.is_ok());
    let statements = statements.map(|statement| (statement.index, statement.it.sent_at, statement.at));
    let used = logins.chain(statements).filter(|(index, from, _)| alone && service_can_release(lens, *index, *from));
    let used = used.map(|(index, from, to)| Observation { index, from, to, by: Proof::Used });
    let mut all: Vec<Observation> = shown.chain(listed).chain(used).collect();
    all.sort_by_key(|it| it.index);
    all
}

/// What proves that it was gone: answers that say so, and lists it must be on that leave it out.
fn end_of(lens: &Lens<'_>, story: &InstanceStory<'_>) -> Vec<Observation> {
    let over = |state| matches!(state, InstanceState::Released | InstanceState::Deleting);
    let denied = story.gone.iter().map(|(index, _)| *index);
    let shown = sights(lens, story).filter(|seen| over(seen.it.state)).map(|seen| seen.index);
    let running = story.running().map_or(Timestamp::MAX, |seen| seen.at);
    let left_out = lists(lens).filter(|(index, list, of, ids)| {
        let whole = match list {
            ListKind::Instances => of.is_none_or(|region| *region == story.first.region),
            ListKind::Temporaries => *of == story.master().map(recovery::model::InstanceId::as_str),
            ListKind::MigrationSources => false,
        };
        whole && asked_at(lens, *index) >= running && !ids.contains(story.id)
    });
    let mut all: Vec<usize> = denied.chain(shown).chain(left_out.map(|(index, ..)| index)).collect();
    all.sort_unstable();
    all.into_iter().map(|index| observed(lens, index, Proof::Shown)).collect()
}

fn observed(lens: &Lens<'_>, index: usize, by: Proof) -> Observation {
    Observation { index, from: asked_at(lens, index), to: lens.history.events[index].at, by }
}

type List<'a> = (usize, ListKind, Option<&'a str>, &'a [recovery::model::InstanceId]);

fn lists<'a>(lens: &Lens<'a>) -> impl Iterator<Item = List<'a>> + use<'a> {
    lens.history.events.iter().enumerate().filter_map(|(index, event)| match &event.what {
        What::InstancesListed { list, of, ids } => Some((index, *list, of.as_deref(), ids.as_slice())),
        _ => None,
    })
}

/// A machine serves other instances after a release; then a login there proves nothing.
fn shares_its_endpoint(lens: &Lens<'_>, story: &InstanceStory<'_>) -> bool {
    let own = |endpoint: &str| story.views.iter().any(|seen| seen.it.endpoint.as_deref() == Some(endpoint));
    let others = lens.instances().filter(|other| other.id != story.id);
    others.flat_map(|other| &other.views).any(|seen| seen.it.endpoint.as_deref().is_some_and(own))
}

/// A service that is down or cut off cannot take a server down: until some minutes after healing only its answers count.
fn service_can_release(lens: &Lens<'_>, index: usize, from: Timestamp) -> bool {
    let healed = lens.history.events[..index].iter().find(|event| event.what == What::Healed);
    !faulted_before(lens, index) || healed.is_some_and(|event| event.at + GRACE <= from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::temporary::made_up::{by_set, holds, in_state, wrong};
    use crate::checks::testing::{Story, master, span, start, temporary};
    use recovery::model::views::InstanceView;

    fn story() -> (Story, InstanceView) {
        let shop = master("rm-1", "sqlserver 2012 web");
        let rescue = InstanceView { endpoint: Some("machine-9:1".into()), ..temporary("sub1", &shop, start()) };
        let mut story = Story::new();
        story.see(&shop).order_temporary("k", &shop, by_set(), &rescue).see(&rescue);
        (story, rescue)
    }

    #[test]
    fn alive_at_47_59_59_and_gone_at_48_hours_holds() {
        let (mut story, rescue) = story();
        story.go_to("47h 59m 59s").see(&rescue).go_to("48h").see(&in_state(&rescue, InstanceState::Released));
        holds(&story, check, 2);
    }

    #[test]
    fn running_at_48_hours_is_found() {
        let (mut story, rescue) = story();
        story.go_to("48h").see(&rescue);
        let seen_at = start() + span("48h");
        let (instance, created_at, by) = ("sub1".into(), start(), Proof::Shown);
        assert_eq!(
            wrong(&story, check),
            vec![TemporaryViolation::OutlivedItsTime { instance, created_at, seen_at, by }]
        );
    }

    #[test]
    fn a_login_after_48_hours_is_found() {
        let (mut story, _) = story();
        story.go_to("48h 10s").login("sub1", "app", "aaaa", Ok(()));
        let seen_at = start() + span("48h 10s");
        let (instance, created_at, by) = ("sub1".into(), start(), Proof::Used);
        assert_eq!(
            wrong(&story, check),
            vec![TemporaryViolation::OutlivedItsTime { instance, created_at, seen_at, by }]
        );
    }

    #[test]
    fn a_login_after_48_hours_while_the_service_is_down_exercises_nothing() {
        let (mut story, _) = story();
        story.go_to("47h").push(What::fault("crash", "crash", Some("service")));
        story.go_to("48h 1s").login("sub1", "app", "aaaa", Ok(()));
        holds(&story, check, 0);
    }

    #[test]
    fn gone_a_millisecond_early_is_found() {
        let (mut story, _) = story();
        story.go_to("47h 59m 59s 999ms").gone("sub1");
        let gone_at = start() + span("47h 59m 59s 999ms");
        let expected = TemporaryViolation::GoneEarly { instance: "sub1".into(), created_at: start(), gone_at };
        assert_eq!(wrong(&story, check), vec![expected]);
    }

    #[test]
    fn a_list_that_leaves_it_out_too_early_is_found() {
        let (mut story, _) = story();
        story.go_to("3h").show_list(ListKind::Temporaries, Some("rm-1"), &[]);
        let gone_at = start() + span("3h");
        let expected = TemporaryViolation::GoneEarly { instance: "sub1".into(), created_at: start(), gone_at };
        assert_eq!(wrong(&story, check), vec![expected]);
    }

    #[test]
    fn released_by_its_user_or_seen_in_the_middle_exercises_nothing() {
        let (mut story, rescue) = story();
        story.go_to("2h").see(&rescue);
        story.call("DELETE /v1/instances/sub1", serde_json::Value::Null, 204, serde_json::Value::Null).gone("sub1");
        story.go_to("49h").gone("sub1");
        holds(&story, check, 0);
    }

    #[test]
    fn with_a_wrong_clock_true_times_count() {
        let (mut story, rescue) = story();
        let fault = story.history.events.remove(0);
        story.history.events.insert(0, fault.clone());
        let skew = crate::history::Event { what: What::fault("skew", "clock skew of 1h", None), ..fault };
        story.history.events.insert(0, skew);
        story.go_to("47h 30m").see(&rescue).go_to("48h 1s").gone("sub1");
        holds(&story, check, 2);
    }
}
