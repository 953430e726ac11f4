//! A restore to a point in time brings the full set and every change after it up to that second (LOG-24, LOG-25).

use super::RestoreViolation;
use super::scene::scenes;
use super::whole::verdict;
use crate::checks::Finding;
use crate::checks::temporary::truth::data_difference;
use crate::history::lens::Lens;

/// Compares the target with the photograph of the source at that second. What never changed after the full set puts
/// nothing to the test.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for scene in scenes(lens).filter(|scene| scene.by_time() && scene.completed() && scene.full()) {
        let Some(truth) = scene.truth else { continue };
        let same = scene.of_set.is_some_and(|set| data_difference(set, truth).is_none());
        if let Some(violation) = verdict(&scene, truth)
            && (violation.is_some() || !same)
        {
            finding.judge(&scene.after, violation);
        }
    }
    for scene in scenes(lens).filter(|scene| scene.by_time() && scene.view().failure.is_some()) {
        if let Some(violation) = unread(&scene) {
            finding.judge(&scene.done, Some(violation));
        }
    }
    finding
}

/// A restore that failed for a gap in what the service itself had collected, where nothing was broken.
fn unread(scene: &super::scene::Scene<'_, '_>) -> Option<RestoreViolation> {
    use recovery::model::logical::restore::RestoreFailure;
    match &scene.view().failure {
        Some(RestoreFailure::BackupUnreadable { set, detail }) if !scene.faulted => {
            let (task, set, detail) = (scene.story.id.clone(), set.clone(), detail.clone());
            Some(RestoreViolation::OwnBackupUnreadable { task, set, detail })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::restore::made_up::{Tale, holds, nothing, orders, orders_with, wrong};
    use crate::checks::temporary::Difference;
    use crate::checks::testing::done;
    use recovery::model::logical::restore::{RestoreFailure, RestoreStatus};

    const LATER: &[(i64, &str)] = &[(1, "lamp"), (3, "chair")];

    fn tale(target: &[(i64, &str)]) -> Tale {
        let mut tale = Tale::between(&orders(), &nothing());
        tale.story.statement("rm-1", "update orders", done());
        tale.at_mark("later", &orders_with(LATER)).complete(&orders_with(LATER), &orders_with(target));
        tale
    }

    #[test]
    fn a_change_of_the_log_that_is_missing_is_found() {
        let difference = Difference::Rows { what: "table orders of app".into(), want: 2, got: 2 };
        let task = "rst-1".into();
        let expected = vec![RestoreViolation::RestoredContentDiffers { task, difference }];
        assert_eq!(wrong(&tale(&[(1, "lamp"), (2, "desk")]).story, check), expected);
    }

    #[test]
    fn a_log_that_cannot_be_read_back_is_found() {
        let mut tale = Tale::between(&orders(), &nothing());
        let failure = RestoreFailure::BackupUnreadable { set: "bkx-2".into(), detail: "a segment is missing".into() };
        tale.at_mark("later", &orders()).begin().set(|view| view.failure = Some(failure));
        tale.end(RestoreStatus::Failed).after(&orders(), &nothing());
        assert!(matches!(wrong(&tale.story, check)[..], [RestoreViolation::OwnBackupUnreadable { .. }]));
    }

    #[test]
    fn the_content_of_that_second_holds() {
        holds(&tale(LATER).story, check, 1);
    }

    #[test]
    fn a_source_that_never_changed_exercises_nothing() {
        let mut tale = Tale::between(&orders(), &nothing());
        tale.at_mark("later", &orders()).complete(&orders(), &orders());
        holds(&tale.story, check, 0);
    }
}
