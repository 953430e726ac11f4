//! What is charged adds up with lifetimes: a charge begins when its subject began, ends when it ended, counts every begun
//! hour at one price, and what is free is charged nothing.

use super::InvariantViolation;
use crate::checks::Finding;
use crate::checks::temporary::witness::{alive, asked_at, sights, skewed};
use crate::history::Call;
use crate::history::lens::{InstanceStory, Lens, Seen};
use jiff::Timestamp;
use recovery::model::InstanceId;
use recovery::model::instance::{Billing, InstanceState};
use recovery::model::views::{ChargeList, ChargeView};
use serde::Deserialize;
use std::collections::BTreeMap;

const HOUR_MS: i128 = 3_600_000;

/// Looks at every answer that tells charges.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    let mut prices: BTreeMap<String, u64> = BTreeMap::new();
    let steady = std::cell::OnceCell::new();
    for (call, _) in lens.calls_to("GET /v1/charges").filter(|(call, _)| call.it.accepted()) {
        let Ok(list) = ChargeList::deserialize(&*call.it.answer) else { continue };
        let steady = *steady.get_or_init(|| !skewed(lens));
        let wrong = list.charges.iter().find_map(|charge| {
            counted(charge, &call, steady, &mut prices).or_else(|| lived(lens, charge, &call, steady))
        });
        let wrong = wrong.or_else(|| overlapping(&list.charges)).or_else(|| uncharged(lens, &call, &list.charges));
        finding.judge(&call, wrong);
    }
    finding
}

fn differs(charge: &ChargeView, want: impl Into<String>, got: impl Into<String>) -> Option<InvariantViolation> {
    let subject = format!("{} of {}", charge.what, charge.subject);
    Some(InvariantViolation::ChargeDiffers { subject, want: want.into(), got: got.into() })
}

/// Begun hours of a span; the first begins with it.
fn hours(from: Timestamp, until: Timestamp) -> i128 {
    let ms = until.duration_since(from).as_millis();
    ((ms + HOUR_MS - 1) / HOUR_MS).max(1)
}

/// Whether the cents are those of the hours, at the price all others of the kind have. A charge that goes on is counted to
/// some time between the question and the answer.
fn counted(
    charge: &ChargeView,
    call: &Seen<'_, Call>,
    steady: bool,
    prices: &mut BTreeMap<String, u64>,
) -> Option<InvariantViolation> {
    let (least, most) = match charge.until {
        Some(until) if until < charge.from => return differs(charge, "an end after the beginning", until.to_string()),
        Some(until) => (hours(charge.from, until), hours(charge.from, until)),
        None if !steady => return None,
        None => (hours(charge.from, call.it.sent_at), hours(charge.from, call.at)),
    };
    let fits = |price: u64| {
        i128::from(charge.cents) >= least * i128::from(price) && i128::from(charge.cents) <= most * i128::from(price)
    };
    let price = match prices.get(&charge.what) {
        Some(price) => *price,
        None if least == most => {
            let price = u64::try_from(i128::from(charge.cents) / least).unwrap_or(0);
            prices.insert(charge.what.clone(), price);
            price
        }
        None => return None,
    };
    if fits(price) {
        None
    } else {
        differs(charge, format!("{least} hours at {price} cents"), format!("{} cents", charge.cents))
    }
}

/// Whether a charge is for something that is paid for, and for the time it was there.
fn lived(lens: &Lens<'_>, charge: &ChargeView, call: &Seen<'_, Call>, steady: bool) -> Option<InvariantViolation> {
    let id = InstanceId::from(charge.subject.as_str());
    if let Some(story) = lens.instance(&id) {
        return instance_lived(lens, story, charge, call, steady);
    }
    let task = lens.task(&charge.subject)?;
    let seen = task.view_at(call.index)?;
    if steady && seen.it.started_at.is_none_or(|began| charge.from < began) && seen.at > charge.from {
        let began = seen
            .it
            .started_at
            .map_or_else(|| "no charge: it never began".into(), |began| format!("not before {began}"));
        return differs(charge, began, format!("from {}", charge.from));
    }
    match (seen.it.ended_at, charge.until) {
        (Some(ended), None) => differs(charge, format!("an end at {ended}"), "it goes on"),
        (Some(ended), Some(until)) if until > ended => differs(charge, format!("an end by {ended}"), until.to_string()),
        _ => None,
    }
}

fn instance_lived(
    lens: &Lens<'_>,
    story: &InstanceStory<'_>,
    charge: &ChargeView,
    call: &Seen<'_, Call>,
    steady: bool,
) -> Option<InvariantViolation> {
    if story.first.billing == Billing::Free {
        return differs(charge, "nothing charged", format!("{} cents", charge.cents));
    }
    let created = story.views.iter().find_map(|seen| seen.it.created_at);
    match created {
        Some(created) if charge.from != created => {
            return differs(charge, format!("from {created}"), format!("from {}", charge.from));
        }
        None if story.views.iter().any(|seen| seen.it.state == InstanceState::Failed) => {
            return differs(charge, "nothing charged: it was never made", format!("{} cents", charge.cents));
        }
        _ => {}
    }
    let gone = story.gone.first().copied().into_iter();
    let released = story.views.iter().find(|seen| seen.it.state == InstanceState::Released);
    let over = gone.chain(released.map(|seen| (seen.index, seen.at))).min();
    match charge.until {
        None => {
            let over = over.filter(|(index, at)| *index < call.index && *at <= call.it.sent_at);
            over.and_then(|(_, at)| differs(charge, format!("an end by {at}, when it was gone"), "it goes on"))
        }
        Some(until) if steady => {
            let late = over.filter(|(_, at)| until > *at).map(|(_, at)| format!("an end by {at}"));
            let asked =
                |call: &Seen<'_, Call>| call.it.method == "DELETE" && call.it.part(2) == Some(story.id.as_str());
            let begun = lens.calls().find(|call| asked(call) && !call.it.refused()).map(|call| call.it.sent_at);
            let living = sights(lens, story).filter(|seen| alive(seen.it.state)).last();
            let living =
                living.map(|seen| asked_at(lens, seen.index)).filter(|at| begun.is_none_or(|begun| begun > *at));
            let early = living.filter(|at| until < *at).map(|at| format!("no end before {at}, when it was there"));
            late.or(early).and_then(|want| differs(charge, want, until.to_string()))
        }
        Some(_) => None,
    }
}

/// Two charges of one subject for the same at the same time.
fn overlapping(charges: &[ChargeView]) -> Option<InvariantViolation> {
    let mut last: BTreeMap<(&str, &str), &ChargeView> = BTreeMap::new();
    charges.iter().find_map(|charge| {
        let earlier = last.insert((&charge.subject, &charge.what), charge)?;
        let over = earlier.until.is_some_and(|until| until <= charge.from);
        if over { None } else { differs(charge, "one charge at a time", format!("another from {}", earlier.from)) }
    })
}

/// An instance paid for by use that was there before all charges were asked for, and is not among them.
fn uncharged(lens: &Lens<'_>, call: &Seen<'_, Call>, charges: &[ChargeView]) -> Option<InvariantViolation> {
    let subject = call.it.path.split_once("subject=").map(|(_, subject)| subject);
    let asked = |story: &&InstanceStory<'_>| subject.is_none_or(|subject| subject == story.id.as_str());
    let made = |story: &&InstanceStory<'_>| {
        story.first.billing == Billing::PayAsYouGo
            && story.running().is_some_and(|seen| seen.index < call.index && seen.at <= call.it.sent_at)
    };
    let without = |story: &&InstanceStory<'_>| !charges.iter().any(|charge| charge.subject == story.id.as_str());
    let story = lens.instances().find(|story| asked(story) && made(story) && without(story))?;
    Some(InvariantViolation::Uncharged { subject: story.id.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::invariants::made_up::{Tale, holds, wrong};
    use crate::checks::testing::{span, start};
    use serde_json::{Value, json};

    fn told(tale: &mut Tale, charges: &[Value]) {
        tale.story.call("GET /v1/charges", Value::Null, 200, json!({ "charges": charges }));
    }

    fn charge(subject: &str, from: Timestamp, until: Option<Timestamp>, cents: u64) -> Value {
        json!({"subject": subject, "what": "instance", "from": from, "until": until, "cents": cents})
    }

    fn is_wrong(charges: &[Value]) -> bool {
        let mut tale = Tale::new();
        tale.rescue().story.wait("2h");
        tale.story.gone("rm-1");
        told(&mut tale, charges);
        !wrong(&tale.story, check).is_empty()
    }

    #[test]
    fn charges_that_do_not_fit_the_life_of_an_instance_are_found() {
        let until = Some(start() + span("90m"));
        assert!(!is_wrong(&[charge("rm-1", start(), until, 24)]));
        assert!(
            is_wrong(&[charge("rm-1", start(), until, 24), charge("rm-1", start() + span("1h"), until, 12)]),
            "overlap"
        );
        assert!(is_wrong(&[charge("rm-1", start() + span("1s"), until, 24)]), "another beginning");
        assert!(is_wrong(&[charge("rm-1", start(), None, 36)]), "it goes on");
        assert!(is_wrong(&[charge("rm-1", start(), Some(start() + span("3h")), 36)]), "it ends late");
        assert!(is_wrong(&[]), "not charged");
    }

    #[test]
    fn another_number_of_hours_at_the_same_price_is_found() {
        let mut tale = Tale::new();
        tale.story.wait("3h");
        told(
            &mut tale,
            &[
                charge("rm-1", start(), Some(start() + span("90m")), 24),
                charge("rm-9", start(), Some(start() + span("30m")), 24),
            ],
        );
        let expected = InvariantViolation::ChargeDiffers {
            subject: "instance of rm-9".into(),
            want: "1 hours at 12 cents".into(),
            got: "24 cents".into(),
        };
        assert!(wrong(&tale.story, check).contains(&expected));
    }

    #[test]
    fn a_charge_for_a_temporary_instance_is_found() {
        let mut tale = Tale::new();
        tale.rescue();
        told(&mut tale, &[charge("rm-1", start(), None, 12), charge("sub1", start(), None, 12)]);
        let (subject, want) = ("instance of sub1".into(), "nothing charged".into());
        assert_eq!(
            wrong(&tale.story, check),
            vec![InvariantViolation::ChargeDiffers { subject, want, got: "12 cents".into() }]
        );
    }

    #[test]
    fn every_begun_hour_of_a_living_instance_holds() {
        let mut tale = Tale::new();
        tale.story.wait("61m");
        told(&mut tale, &[charge("rm-1", start(), None, 24)]);
        holds(&tale.story, check, 1);
    }
}
