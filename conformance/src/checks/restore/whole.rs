//! The whole content that a restore brought: every chosen object and every row, by what the source held at that moment.

use super::RestoreViolation;
use super::content::{made_in_the_log, made_otherwise, rows_verdict, wanted};
use super::scene::Scene;
use crate::checks::temporary::Difference;
use recovery::model::content::ObjectKind;
use recovery::model::photograph::Photograph;

/// How the content differs from what was to come; `None` where nothing can be said of it.
pub fn verdict(scene: &Scene<'_, '_>, truth: &Photograph) -> Option<Option<RestoreViolation>> {
    let mut judged = false;
    for wanted in wanted(scene, truth) {
        let mut difference = None;
        if wanted.object.kind == ObjectKind::Table {
            let verdict = rows_verdict(scene, &wanted);
            judged |= verdict.is_some();
            difference = verdict.flatten();
        }
        let made = scene.structure() && wanted.in_target(scene.was()).is_none();
        if difference.is_none() && made && !made_in_the_log(scene, wanted.database, wanted.object) {
            judged = true;
            difference = match wanted.in_target(scene.is()) {
                Some(is) => made_otherwise(scene, &wanted, is),
                None => Some(Difference::Missing { what: wanted.words() }),
            };
        }
        if let Some(difference) = difference {
            let task = scene.story.id.clone();
            return Some(Some(RestoreViolation::RestoredContentDiffers { task, difference }));
        }
    }
    judged.then_some(None)
}
