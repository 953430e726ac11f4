//! With the policy of stopping, a table that is there already ends the task and stays as it was (LOG-38).

use super::RestoreViolation;
use super::content::tables;
use super::scene::{Scene, scenes};
use crate::checks::Finding;
use crate::checks::temporary::Difference;
use crate::history::lens::Lens;
use recovery::model::logical::restore::StructureConflict;

/// Looks at every restore with structure under that policy into a target that has one of its tables.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for scene in scenes(lens).filter(Scene::structure) {
        let Some(held) = scene.truth.or(scene.of_set) else { continue };
        let tables = tables(&scene, held);
        let standing = tables.iter().find(|table| table.in_target(scene.was()).is_some());
        let Some(table) = standing.filter(|_| scene.view().structure_conflict == StructureConflict::Stop) else {
            continue;
        };
        let (task, what) = (scene.story.id.clone(), table.words());
        let violation = if scene.completed() {
            Some(RestoreViolation::WentOnDespite { task, what })
        } else if scene.view().failure.is_none() {
            Some(RestoreViolation::StoppedWithoutCause { task })
        } else {
            let changed = table.in_target(scene.was()) != table.in_target(scene.is());
            let stirred = scene.stirred(table.database, table.name);
            let difference = Difference::Changed { what };
            (changed && !stirred).then_some(RestoreViolation::ExistingChanged { task, difference })
        };
        finding.judge(&scene.done, violation);
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::restore::made_up::{Tale, holds, nothing, orders, orders_with, wrong};
    use recovery::model::logical::restore::{RestoreFailure, RestoreStatus};
    use recovery::model::photograph::Photograph;

    fn tale(before: &Photograph) -> Tale {
        let mut tale = Tale::between(&orders(), before);
        tale.set(|view| view.structure_conflict = StructureConflict::Stop).begin();
        tale
    }

    fn stop(tale: &mut Tale, after: &Photograph) {
        let object = "table app.orders".into();
        tale.set(|view| view.failure = Some(RestoreFailure::ObjectExists { object }));
        tale.end(RestoreStatus::Stopped).after(&orders(), after);
    }

    #[test]
    fn a_task_that_goes_on_is_found() {
        let mut tale = tale(&orders_with(&[]));
        tale.end(RestoreStatus::Completed).after(&orders(), &orders());
        let (task, what) = ("rst-1".into(), "table orders of app".into());
        assert_eq!(wrong(&tale.story, check), vec![RestoreViolation::WentOnDespite { task, what }]);
    }

    #[test]
    fn a_table_changed_before_the_stop_is_found() {
        let mut tale = tale(&orders_with(&[]));
        stop(&mut tale, &orders());
        assert!(matches!(wrong(&tale.story, check)[..], [RestoreViolation::ExistingChanged { .. }]));
    }

    #[test]
    fn a_stop_that_changes_nothing_holds_and_an_empty_target_exercises_nothing() {
        let mut stopped = tale(&orders_with(&[]));
        stop(&mut stopped, &orders_with(&[]));
        holds(&stopped.story, check, 1);
        let mut free = tale(&nothing());
        free.end(RestoreStatus::Completed).after(&orders(), &orders());
        holds(&free.story, check, 0);
    }
}
