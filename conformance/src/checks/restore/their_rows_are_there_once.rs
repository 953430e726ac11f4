//! Rows that triggers and events of the log wrote are restored, and once (LOG-11).

use super::RestoreViolation;
use super::content::{rows_verdict, tables};
use super::log_objects::made_later;
use super::scene::scenes;
use crate::checks::Finding;
use crate::history::lens::Lens;
use recovery::model::content::ObjectKind;

/// Judges the rows of restores to a point in time at which the source had a trigger or event of the log.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for scene in scenes(lens).filter(|scene| scene.by_time() && scene.completed() && scene.full()) {
        let Some(truth) = scene.truth.filter(|_| scene.of_set.is_some()) else { continue };
        let of_log =
            [ObjectKind::Trigger, ObjectKind::Event].into_iter().any(|kind| !made_later(lens, &scene, kind).is_empty());
        if !of_log {
            continue;
        }
        let tables = tables(&scene, truth);
        let verdicts: Vec<_> = tables.iter().filter_map(|table| rows_verdict(&scene, table)).collect();
        if !verdicts.is_empty() {
            let task = scene.story.id.clone();
            let difference = verdicts.into_iter().flatten().next();
            finding.judge(
                &scene.after,
                difference.map(|difference| RestoreViolation::RestoredContentDiffers { task, difference }),
            );
        }
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::restore::made_up::{Tale, holds, nothing, orders, orders_with, with, wrong};
    use crate::checks::temporary::Difference;
    use crate::checks::testing::done;
    use recovery::model::photograph::Photograph;

    fn tale(rows: &[(i64, &str)]) -> Tale {
        let text = "create trigger audit after insert on orders begin insert into orders values (9, 'x'); end";
        let audited = |held: Photograph| with(held, ObjectKind::Trigger, "audit", text);
        let later = audited(orders_with(&[(1, "lamp"), (2, "desk"), (3, "chair"), (9, "x")]));
        let mut tale = Tale::between(&orders(), &nothing());
        tale.story.statement("rm-1", text, done());
        tale.at_mark("later", &later).complete(&later, &orders_with(rows));
        tale
    }

    #[test]
    fn a_row_of_a_trigger_that_is_missing_is_found() {
        let difference = Difference::Rows { what: "table orders of app".into(), want: 4, got: 3 };
        let expected = RestoreViolation::RestoredContentDiffers { task: "rst-1".into(), difference };
        assert_eq!(wrong(&tale(&[(1, "lamp"), (2, "desk"), (3, "chair")]).story, check), vec![expected]);
    }

    #[test]
    fn every_row_once_holds() {
        holds(&tale(&[(1, "lamp"), (2, "desk"), (3, "chair"), (9, "x")]).story, check, 1);
    }

    #[test]
    fn a_log_without_triggers_and_events_exercises_nothing() {
        let mut tale = Tale::between(&orders(), &nothing());
        tale.at_mark("later", &orders()).complete(&orders(), &orders());
        holds(&tale.story, check, 0);
    }
}
