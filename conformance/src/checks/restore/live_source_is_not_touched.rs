//! A restore needs the backup alone: the living source stays as it was, and need not be there (LOG-21).

use super::RestoreViolation;
use super::bystanders::change;
use super::content::{rows_verdict, tables};
use super::scene::{Scene, scenes};
use crate::checks::Finding;
use crate::history::lens::Lens;
use recovery::model::logical::restore::RestoreFailure;

/// Compares the source before and after each restore into another server, and looks at restores that failed for want of it
/// or brought what it held when they ran instead of what the backup holds.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for scene in scenes(lens).filter(|scene| scene.source != scene.target) {
        let (task, source) = (scene.story.id.clone(), scene.source.clone());
        let gone = lens
            .instance(scene.source)
            .is_some_and(|story| story.gone.iter().any(|(index, _)| *index < scene.before.index));
        let wanting = match &scene.view().failure {
            Some(RestoreFailure::InstanceGone { instance }) => *instance == source.as_str(),
            Some(RestoreFailure::Unreachable { detail } | RestoreFailure::Refused { detail, .. }) => {
                detail.contains(source.as_str())
            }
            _ => false,
        };
        if wanting {
            finding.judge(&scene.done, Some(RestoreViolation::LiveSourceNeeded { task, source }));
        } else if let Some(table) = live(lens, &scene) {
            finding.judge(&scene.after, Some(RestoreViolation::LiveSourceRead { task, source, table }));
        } else if gone && scene.completed() {
            finding.judge(&scene.done, None::<RestoreViolation>);
        } else if let Some((seen, difference)) = lens.instance(scene.source).and_then(|it| change(lens, &scene, it)) {
            let violation =
                difference.map(|difference| RestoreViolation::LiveSourceChanged { task, source, difference });
            finding.judge(&seen, violation);
        }
    }
    finding
}

/// A table whose rows are those that the source held when the restore began, and not those of the backup.
fn live(lens: &Lens<'_>, scene: &Scene<'_, '_>) -> Option<String> {
    let truth = scene.truth.filter(|_| scene.completed() && scene.full())?;
    let now = lens.shot_before(scene.source, scene.begun)?.it.photograph.as_ref();
    let present = tables(scene, now);
    let of_now = |name: &str| present.iter().find(|table| table.object.name == name);
    let wrong = tables(scene, truth).into_iter().find(|table| {
        let differs = |rows| matches!(rows, Some(Some(_)));
        let same = |table| matches!(rows_verdict(scene, table), Some(None));
        differs(rows_verdict(scene, table)) && of_now(&table.object.name).is_some_and(same)
    });
    wrong.map(|table| table.words())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::restore::made_up::{Tale, holds, nothing, orders, orders_with, wrong};
    use crate::checks::temporary::Difference;
    use crate::checks::testing::done;
    use recovery::model::logical::restore::RestoreStatus;

    #[test]
    fn a_source_that_lost_its_table_is_found() {
        let mut tale = Tale::between(&orders(), &nothing());
        tale.complete(&nothing(), &orders());
        let difference = Difference::Missing { what: "table orders of app".into() };
        let (task, source) = ("rst-1".into(), "rm-1".into());
        assert_eq!(wrong(&tale.story, check), vec![RestoreViolation::LiveSourceChanged { task, source, difference }]);
    }

    #[test]
    fn a_restore_that_fails_without_its_source_is_found() {
        let mut tale = Tale::between(&orders(), &nothing());
        tale.begin().set(|view| view.failure = Some(RestoreFailure::InstanceGone { instance: "rm-1".into() }));
        tale.end(RestoreStatus::Failed).after(&orders(), &nothing());
        let (task, source) = ("rst-1".into(), "rm-1".into());
        assert_eq!(wrong(&tale.story, check), vec![RestoreViolation::LiveSourceNeeded { task, source }]);
    }

    #[test]
    fn a_restore_that_brings_what_the_source_holds_now_is_found() {
        let mut tale = Tale::between(&orders(), &nothing());
        tale.placed();
        tale.story.statement("rm-1", "delete from orders where id = 1", done());
        let mut now = orders_with(&[(2, "desk")]);
        now.log_position = 2;
        tale.after(&now, &nothing()).complete(&now, &now);
        let (task, source, table) = ("rst-1".into(), "rm-1".into(), "table orders of app".into());
        assert_eq!(wrong(&tale.story, check), vec![RestoreViolation::LiveSourceRead { task, source, table }]);
    }

    #[test]
    fn a_source_as_before_holds_and_one_that_was_written_to_exercises_nothing() {
        let mut tale = Tale::between(&orders(), &nothing());
        tale.complete(&orders(), &orders());
        holds(&tale.story, check, 1);
        let mut tale = Tale::between(&orders(), &nothing());
        tale.begin().story.statement("rm-1", "delete from orders", done());
        tale.end(RestoreStatus::Completed).after(&nothing(), &orders());
        holds(&tale.story, check, 0);
    }
}
