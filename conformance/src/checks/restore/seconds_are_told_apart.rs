//! A point in time is exact to the second: neighbouring seconds give different contents (LOG-30).

use super::RestoreViolation;
use super::scene::scenes;
use super::whole::verdict;
use super::witness::requests;
use crate::checks::Finding;
use crate::checks::temporary::truth::{data_difference, held_at};
use crate::history::lens::Lens;
use jiff::{SignedDuration, Timestamp};
use recovery::model::logical::restore::RestoreMethod;

/// How far apart two times are that must be told apart (LOG-30).
const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// Judges restores to a second beside which the source held something else a second earlier or later, and requests whose
/// time was moved.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for scene in scenes(lens).filter(|scene| scene.completed() && scene.full()) {
        let RestoreMethod::PointInTime { point_in_time } = scene.view().recovery else { continue };
        let Some(truth) = scene.truth else { continue };
        let other = |time: Timestamp| {
            held_at(lens, scene.source, time).is_some_and(|held| data_difference(held, truth).is_some())
        };
        if (other(point_in_time - SECOND) || other(point_in_time + SECOND))
            && let Some(violation) = verdict(&scene, truth)
        {
            finding.judge(&scene.after, violation);
        }
    }
    for request in requests(lens) {
        let Some(made) = &request.made else { continue };
        let asked = request.text("/recovery/point_in_time").and_then(|time| time.parse::<Timestamp>().ok());
        if let (Some(asked), RestoreMethod::PointInTime { point_in_time: told }) = (asked, &made.recovery)
            && asked != *told
        {
            let (task, told) = (made.id.clone(), *told);
            finding.judge(&request.call, Some(RestoreViolation::TimeMoved { task, asked, told }));
        }
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::restore::made_up::{Tale, holds, nothing, orders, orders_with, wrong};
    use crate::checks::testing::{done, span};

    /// Marks a second apart, with a change between them; the restore goes to the earlier one.
    fn tale(target: &[(i64, &str)]) -> Tale {
        let later = orders_with(&[(1, "lamp"), (2, "desk"), (3, "chair")]);
        let mut tale = Tale::between(&orders(), &nothing());
        let time = tale.story.now;
        tale.story.mark("one", &[("rm-1", &orders())]).statement("rm-1", "insert", done());
        tale.story.now = time + span("1s");
        tale.at_mark("two", &later);
        tale.view.recovery = RestoreMethod::PointInTime { point_in_time: time };
        tale.complete(&later, &orders_with(target));
        tale
    }

    #[test]
    fn the_content_of_the_next_second_is_found() {
        let found = wrong(&tale(&[(1, "lamp"), (2, "desk"), (3, "chair")]).story, check);
        assert!(matches!(found[..], [RestoreViolation::RestoredContentDiffers { .. }]));
    }

    #[test]
    fn the_content_of_that_second_holds() {
        holds(&tale(&[(1, "lamp"), (2, "desk")]).story, check, 1);
    }

    #[test]
    fn a_time_that_is_moved_is_found() {
        let mut tale = Tale::between(&orders(), &nothing());
        tale.at_mark("one", &orders());
        let asked = crate::checks::restore::made_up::body(&tale.view);
        let told = tale.story.now;
        tale.view.recovery = RestoreMethod::PointInTime { point_in_time: told };
        tale.story.call("POST /v1/restore-tasks", asked, 201, serde_json::json!(tale.view));
        assert!(matches!(wrong(&tale.story, check)[..], [RestoreViolation::TimeMoved { .. }]));
    }

    #[test]
    fn a_quiet_neighbourhood_exercises_nothing() {
        let mut tale = Tale::between(&orders(), &nothing());
        tale.at_mark("one", &orders()).complete(&orders(), &orders());
        holds(&tale.story, check, 0);
    }
}
