//! A clone is billed as ordered, like any instance, and stays until a user releases it (CLN-13).
//!
//! That it stays is put to the test by a sight more than 48 hours after it was made, when a temporary instance would be gone.

use super::CloneViolation;
use crate::checks::Finding;
use crate::checks::temporary::witness::{LIFE, alive, at_event, faulted_before, order_of, released_by_user, sights};
use crate::history::lens::{InstanceStory, Lens};
use recovery::model::instance::{Billing, InstanceState};
use recovery::model::views::{ChargeList, ChargeView};
use recovery::ports::database::DatabaseError;
use serde::Deserialize;

/// Judges how each clone is billed, what is charged for it, and how long it is there.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for story in lens.clones() {
        let order = order_of(lens, story.id);
        let ordered = order.and_then(|order| Billing::deserialize(order.it.request.get("billing")?).ok());
        let wrong = |billing: Billing| billing == Billing::Free || ordered.is_some_and(|ordered| billing != ordered);
        let other = story.views.iter().find(|seen| wrong(seen.it.billing));
        let clone = story.id.clone();
        let violation =
            other.map(|seen| CloneViolation::CloneBilling { clone: clone.clone(), ordered, found: seen.it.billing });
        finding.judge(other.unwrap_or(&story.views[0]), violation);
        charges(lens, story, &mut finding);
        if let Some((seen, at)) = story.views.iter().find_map(|seen| seen.it.expires_at.map(|at| (seen, at))) {
            finding.judge(seen, Some(CloneViolation::CloneExpires { clone, at }));
        } else {
            stay(lens, story, &mut finding);
        }
    }
    finding
}

/// A running clone that is paid by use has a charge from its first hour on.
fn charges(lens: &Lens<'_>, story: &InstanceStory<'_>, finding: &mut Finding) {
    let Some(running) = story.running().filter(|seen| seen.it.billing == Billing::PayAsYouGo) else { return };
    let path = format!("/v1/charges?subject={}", story.id);
    let asked = lens.calls_to("GET /v1/charges").map(|(call, _)| call);
    let told = asked.filter(|call| {
        call.it.accepted() && call.it.sent_at >= running.at && (call.it.path == path || !call.it.path.contains('?'))
    });
    let lists: Vec<_> = told
        .filter_map(|call| ChargeList::deserialize(&*call.it.answer).ok().map(|list| (call, list.charges)))
        .collect();
    let costs = |charge: &ChargeView| charge.subject == story.id.as_str() && charge.cents > 0;
    let without = lists.iter().find(|(_, charges)| !charges.iter().any(costs));
    if let Some((call, _)) = without.or(lists.first()) {
        finding.judge(call, without.map(|_| CloneViolation::CloneNotCharged { clone: story.id.clone() }));
    }
}

fn stay(lens: &Lens<'_>, story: &InstanceStory<'_>, finding: &mut Finding) {
    let Some(running) = story.running() else { return };
    let over = |state| matches!(state, InstanceState::Released | InstanceState::Deleting);
    let shown = story.views.iter().filter(|seen| over(seen.it.state)).map(|seen| (seen.index, seen.at));
    let by_itself = |(_, at): &(usize, _)| !released(lens, story, *at);
    let gone = story.gone.iter().copied().chain(shown).chain(unreached(lens, story, running.index));
    if let Some((index, gone_at)) = gone.filter(by_itself).min() {
        let violation = CloneViolation::CloneVanished { clone: story.id.clone(), gone_at };
        finding.judge(&at_event(index, gone_at), Some(violation));
    } else if let Some(late) = sights(lens, story).find(|seen| alive(seen.it.state) && seen.at >= running.at + LIFE) {
        finding.judge(&late, None::<CloneViolation>);
    }
}

/// Logins and statements that did not reach the server of a running clone though nothing was broken.
fn unreached<'l, 'a, 'b>(
    lens: &'l Lens<'a>,
    story: &'l InstanceStory<'b>,
    running: usize,
) -> impl Iterator<Item = (usize, jiff::Timestamp)> + use<'l, 'a, 'b> {
    let cut = |outcome: Option<&DatabaseError>| matches!(outcome, Some(DatabaseError::Unreachable(_)));
    let logins =
        lens.logins().filter(move |login| login.it.instance == *story.id && cut(login.it.outcome.as_ref().err()));
    let statements = lens.statements(story.id).filter(move |statement| cut(statement.it.outcome.as_ref().err()));
    let tried =
        logins.map(|login| (login.index, login.at)).chain(statements.map(|statement| (statement.index, statement.at)));
    tried.filter(move |(index, _)| *index > running && !faulted_before(lens, *index))
}

/// Whether a user had this very clone released; what becomes of its master is nothing to it.
fn released(lens: &Lens<'_>, story: &InstanceStory<'_>, before: jiff::Timestamp) -> bool {
    let asked = format!("/v1/instances/{}", story.id);
    released_by_user(lens, story, before)
        && lens.calls().any(|seen| {
            seen.it.method == "DELETE" && seen.it.path == asked && seen.it.sent_at < before && !seen.it.refused()
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::temporary::made_up::{by_set, clone_body, holds, wrong_clone};
    use crate::checks::testing::{Story, clone_of, master, span, start};
    use recovery::model::views::InstanceView;
    use serde_json::json;

    fn story(copy: &InstanceView) -> Story {
        let shop = master("rm-1", "mysql 5.7");
        let mut story = Story::new();
        story.see(&shop).order_clones("k", &shop, clone_body(by_set()), &[copy]).see(copy);
        story
    }

    fn copy() -> InstanceView {
        clone_of("rm-2", &master("rm-1", "mysql 5.7"), start())
    }

    #[test]
    fn a_free_clone_is_found() {
        let (ordered, found) = (Some(Billing::PayAsYouGo), Billing::Free);
        let story = story(&InstanceView { billing: found, ..copy() });
        assert_eq!(
            wrong_clone(&story, check),
            vec![CloneViolation::CloneBilling { clone: "rm-2".into(), ordered, found }]
        );
    }

    #[test]
    fn a_clone_nobody_pays_for_is_found() {
        let mut story = story(&copy());
        story.call("GET /v1/charges?subject=rm-2", json!(null), 200, json!({"charges": []}));
        assert_eq!(wrong_clone(&story, check), vec![CloneViolation::CloneNotCharged { clone: "rm-2".into() }]);
    }

    #[test]
    fn a_clone_that_is_charged_with_nothing_is_found() {
        let mut story = story(&copy());
        let charge = json!({"subject": "rm-2", "what": "instance", "from": start(), "until": null, "cents": 0});
        story.call("GET /v1/charges", json!(null), 200, json!({"charges": [charge]}));
        assert_eq!(wrong_clone(&story, check), vec![CloneViolation::CloneNotCharged { clone: "rm-2".into() }]);
    }

    #[test]
    fn a_clone_that_is_shown_and_cannot_be_reached_is_found_unless_something_was_broken() {
        let cut = Err(DatabaseError::Unreachable("nobody there".into()));
        let mut dead = story(&copy());
        dead.go_to("49h").see(&copy()).statement("rm-2", "select 1", cut.clone());
        let gone_at = dead.history.events.last().map_or(start(), |event| event.at);
        assert_eq!(wrong_clone(&dead, check), vec![CloneViolation::CloneVanished { clone: "rm-2".into(), gone_at }]);
        let mut broken = story(&copy());
        broken.push(crate::history::What::fault("partition", "partition", None));
        broken.go_to("49h").see(&copy()).statement("rm-2", "select 1", cut);
        assert_eq!(wrong_clone(&broken, check), vec![]);
    }

    #[test]
    fn a_clone_that_vanishes_after_48_hours_is_found() {
        let mut story = story(&copy());
        story.go_to("48h").gone("rm-2");
        let gone_at = start() + span("48h");
        assert_eq!(wrong_clone(&story, check), vec![CloneViolation::CloneVanished { clone: "rm-2".into(), gone_at }]);
    }

    #[test]
    fn a_clone_that_says_it_expires_is_found() {
        let at = start() + span("48h");
        let story = story(&InstanceView { expires_at: Some(at), ..copy() });
        assert_eq!(wrong_clone(&story, check), vec![CloneViolation::CloneExpires { clone: "rm-2".into(), at }]);
    }

    #[test]
    fn a_charged_clone_that_stays_until_it_is_released_holds() {
        let mut story = story(&copy());
        let charge = json!({"subject": "rm-2", "what": "instance", "from": start(), "until": null, "cents": 12});
        story.call("GET /v1/charges", json!(null), 200, json!({"charges": [charge]}));
        story.go_to("49h").see(&copy());
        story.call("DELETE /v1/instances/rm-2", json!(null), 204, json!(null)).gone("rm-2");
        holds(&story, check, 3);
    }

    #[test]
    fn a_clone_seen_only_in_its_first_hours_says_nothing_of_staying() {
        holds(&story(&copy()), check, 1);
    }
}
