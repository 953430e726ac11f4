//! A point in time needs logs that cover it, and gives exactly the state at that time; a chosen backup gives the backup's
//! (SQL-10; C-08: never later than chosen, never a silent fall-back to the last backup).

use super::TemporaryViolation;
use super::truth::{data_difference, fresh_shot, truth};
use super::witness::{Choice, Order, TEMPORARIES, asked, choice, orders, skewed};
use crate::checks::Finding;
use crate::history::lens::{InstanceStory, Lens, Seen};
use jiff::Timestamp;
use recovery::model::instance::{Origin, Restored};
use recovery::model::views::{InstanceView, Restorable};
use serde::Deserialize;

/// Refusals that name the cause.
const CAUSES: [&str; 2] = ["OperationDenied.RestoreTimeNotCovered", "InvalidRestoreTime"];

/// Judges orders of times that cannot be had, and what the instances made hold.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for order in orders(lens, TEMPORARIES) {
        let Some(Choice::PointInTime(time)) = choice(order.call.it) else { continue };
        if !order.made.is_empty() && not_covered(lens, &order, time) {
            let violation = TemporaryViolation::TimeNotCovered { master: order.master.id.clone(), time };
            finding.judge(&order.call, Some(violation));
        } else if order.call.it.code().is_some_and(|code| CAUSES.contains(&code)) {
            finding.judge(&order.call, None::<TemporaryViolation>);
        }
    }
    for story in lens.temporaries() {
        if let Some(Choice::PointInTime(chosen)) = asked(lens, story)
            && let Some((seen, violation)) = strayed(story, chosen)
        {
            finding.judge(&seen, Some(violation));
            continue;
        }
        let (Some(truth), Some(shot)) = (truth(lens, story), fresh_shot(lens, story)) else { continue };
        let instance = story.id.clone();
        let difference = data_difference(truth, &shot.it.photograph);
        finding.judge(&shot, difference.map(|difference| TemporaryViolation::ContentDiffers { instance, difference }));
    }
    finding
}

/// Where an instance says itself that it does not hold what was chosen.
fn strayed<'a>(story: &InstanceStory<'a>, chosen: Timestamp) -> Option<(Seen<'a, InstanceView>, TemporaryViolation)> {
    let instance = story.id.clone();
    if let Origin::Temporary { restored: Restored::BackupSet { backup_set_id }, .. } = &story.first.origin {
        return Some((story.views[0], TemporaryViolation::FellBack { instance, chosen, set: backup_set_id.clone() }));
    }
    story.views.iter().find_map(|seen| {
        let recovered_to = seen.it.recovered_to.filter(|recovered_to| *recovered_to > chosen)?;
        let violation = TemporaryViolation::RecoveredTooFar { instance: instance.clone(), chosen, recovered_to };
        Some((*seen, violation))
    })
}

/// Whether a time was still to come, or lies outside all that could be restored even after the order. Later logs only add.
fn not_covered(lens: &Lens<'_>, order: &Order<'_, '_>, time: Timestamp) -> bool {
    let future = !skewed(lens) && time > order.call.at;
    let mut answers =
        lens.calls_to("GET /v1/instances/{}/restorable").filter(|(_, found)| found[0] == order.master.id.as_str());
    let outside =
        |restorable: Restorable| !restorable.ranges.iter().any(|range| range.earliest <= time && time <= range.latest);
    let uncovered = answers.any(|(answer, _)| {
        let soon =
            answer.it.accepted() && answer.it.sent_at >= order.call.at && answer.at < time + super::witness::LIFE;
        soon && Restorable::deserialize(&*answer.it.answer).is_ok_and(outside)
    });
    future || uncovered
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::temporary::Difference;
    use crate::checks::temporary::made_up::{by_set, by_time, holds, to_time, wrong};
    use crate::checks::testing::{Story, master, photograph, span, start, temporary};
    use recovery::model::photograph::Photograph;
    use serde_json::json;

    fn at_mark(found: &Photograph, recovered_to: Timestamp) -> Story {
        let shop = master("rm-1", "sqlserver 2012 web");
        let rescue =
            InstanceView { recovered_to: Some(recovered_to), ..to_time(&temporary("sub1", &shop, start()), start()) };
        let mut story = Story::new();
        story.mark("before", &[("rm-1", &photograph(&[("orders", &[(1, "a")])]))]).see(&shop).wait("1m");
        story.statement("rm-1", "drop table orders", crate::checks::testing::done()).shot("rm-1", &photograph(&[]));
        story.order_temporary("k", &shop, by_time(start()), &rescue).see(&rescue).shot("sub1", found);
        story
    }

    #[test]
    fn content_of_another_time_is_found() {
        let difference = Difference::Missing { what: "table orders of app".into() };
        let expected = TemporaryViolation::ContentDiffers { instance: "sub1".into(), difference };
        assert_eq!(wrong(&at_mark(&photograph(&[]), start()), check), vec![expected]);
    }

    #[test]
    fn data_of_a_later_time_than_chosen_are_found() {
        let recovered_to = start() + span("1s");
        let expected = TemporaryViolation::RecoveredTooFar { instance: "sub1".into(), chosen: start(), recovered_to };
        assert_eq!(wrong(&at_mark(&photograph(&[]), recovered_to), check), vec![expected]);
    }

    #[test]
    fn content_of_the_chosen_time_holds() {
        holds(&at_mark(&photograph(&[("orders", &[(1, "a")])]), start() - span("5s")), check, 1);
    }

    #[test]
    fn a_backup_set_in_the_place_of_a_time_is_found() {
        let shop = master("rm-1", "sqlserver 2012 web");
        let mut story = Story::new();
        story.see(&shop).order_temporary("k", &shop, by_time(start()), &temporary("sub1", &shop, start()));
        let expected = TemporaryViolation::FellBack { instance: "sub1".into(), chosen: start(), set: "bk-1".into() };
        assert_eq!(wrong(&story, check), vec![expected]);
    }

    #[test]
    fn a_time_no_log_covers_that_is_accepted_is_found() {
        let shop = master("rm-1", "sqlserver 2012 web");
        let mut story = Story::new();
        story.see(&shop).order_temporary(
            "k",
            &shop,
            by_time(start()),
            &to_time(&temporary("sub1", &shop, start()), start()),
        );
        story.call(
            "GET /v1/instances/rm-1/restorable",
            json!(null),
            200,
            json!({"ranges": [], "backup_sets": ["bk-1"]}),
        );
        let expected = TemporaryViolation::TimeNotCovered { master: "rm-1".into(), time: start() };
        assert_eq!(wrong(&story, check), vec![expected]);
    }

    #[test]
    fn a_refused_time_and_the_content_of_a_backup_hold() {
        let (shop, content) = (master("rm-1", "sqlserver 2012 web"), photograph(&[("orders", &[(1, "a")])]));
        let rescue = temporary("sub1", &shop, start());
        let mut story = Story::new();
        story.see(&shop).shot("rm-1", &content).data_backup(&shop);
        story.refused("POST /v1/instances/rm-1/temporary-instances", by_time(start()), 403, CAUSES[0]);
        story.order_temporary("k", &shop, by_set(), &rescue).see(&rescue).shot("sub1", &content);
        holds(&story, check, 2);
    }

    #[test]
    fn content_of_a_backup_taken_while_rows_were_written_exercises_nothing() {
        let shop = master("rm-1", "sqlserver 2012 web");
        let rescue = temporary("sub1", &shop, start());
        let mut story = Story::new();
        story.see(&shop).shot("rm-1", &photograph(&[]));
        story
            .statement("rm-1", "insert into orders values (1, 'a')", crate::checks::testing::done())
            .data_backup(&shop);
        story.order_temporary("k", &shop, by_set(), &rescue).see(&rescue).shot("sub1", &photograph(&[("orders", &[])]));
        holds(&story, check, 0);
    }
}
