//! With the policy of stopping, a row that is there already ends the task and stays as it was (LOG-40).

use super::RestoreViolation;
use super::content::{conflicts, keyed, tables};
use super::scene::scenes;
use crate::checks::Finding;
use crate::checks::temporary::Difference;
use crate::history::lens::Lens;
use recovery::model::logical::restore::{DataConflict, StructureConflict};

/// Looks at every restore of rows under that policy into a table with rows of the same keys.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for scene in scenes(lens).filter(|scene| scene.full() && scene.view().data_conflict == DataConflict::Stop) {
        let Some(truth) = scene.truth else { continue };
        // A table that stops the task already never lets it come to its rows.
        if scene.structure() && scene.view().structure_conflict == StructureConflict::Stop {
            continue;
        }
        let tables = tables(&scene, truth);
        let Some(table) = tables.iter().find(|table| conflicts(&scene, table) > 0) else { continue };
        let (task, what) = (scene.story.id.clone(), table.words());
        let rows = |held| table.in_target(held).and_then(|table| table.rows.as_ref()).and_then(keyed);
        let violation = if scene.completed() {
            Some(RestoreViolation::WentOnDespite { task, what })
        } else if scene.view().failure.is_none() {
            Some(RestoreViolation::StoppedWithoutCause { task })
        } else {
            rows(scene.was()).zip(rows(scene.is())).and_then(|(was, is)| {
                let kept = was.iter().all(|(key, row)| is.get(key) == Some(row));
                let difference = Difference::Rows { what, want: was.len() as u64, got: is.len() as u64 };
                let stirred = scene.stirred(table.database, table.name);
                (!kept && !stirred).then_some(RestoreViolation::ExistingChanged { task, difference })
            })
        };
        finding.judge(&scene.done, violation);
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::restore::made_up::{Tale, holds, orders, orders_with, wrong};
    use recovery::model::logical::restore::{RestoreFailure, RestoreStatus};

    const OWN: &[(i64, &str)] = &[(1, "own"), (5, "own")];

    fn tale(stopped: bool, before: &[(i64, &str)], after: &[(i64, &str)]) -> Tale {
        let mut tale = Tale::between(&orders(), &orders_with(before));
        tale.set(|view| view.data_conflict = DataConflict::Stop).begin();
        if stopped {
            let failure = RestoreFailure::DataExists { table: "app.orders".into(), detail: "key 1".into() };
            tale.set(|view| view.failure = Some(failure)).end(RestoreStatus::Stopped);
        } else {
            tale.end(RestoreStatus::Completed);
        }
        tale.after(&orders(), &orders_with(after));
        tale
    }

    #[test]
    fn a_task_that_goes_on_is_found() {
        let found = wrong(&tale(false, OWN, &[(1, "own"), (2, "desk"), (5, "own")]).story, check);
        assert!(matches!(found[..], [RestoreViolation::WentOnDespite { .. }]));
    }

    #[test]
    fn an_existing_row_that_was_changed_before_the_stop_is_found() {
        let found = wrong(&tale(true, OWN, &[(1, "lamp"), (5, "own")]).story, check);
        assert!(matches!(found[..], [RestoreViolation::ExistingChanged { .. }]));
    }

    #[test]
    fn a_stop_with_the_rows_as_they_were_holds_and_other_keys_exercise_nothing() {
        holds(&tale(true, OWN, OWN).story, check, 1);
        let other = &[(5, "own")][..];
        holds(&tale(false, other, &[(1, "lamp"), (2, "desk"), (5, "own")]).story, check, 0);
    }
}
