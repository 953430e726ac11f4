//! Restores into tables that hold rows of the same keys already, under one data conflict policy (LOG-39 to LOG-41).

use super::RestoreViolation;
use super::content::{conflicts, rows_verdict, tables};
use super::scene::scenes;
use crate::checks::Finding;
use crate::history::lens::Lens;
use recovery::model::logical::restore::{DataConflict, RestoreFailure};

/// What servers say of a row whose key is there.
const KEY_RULES: [&str; 4] = ["already", "duplicate", "unique", "primary key"];

/// What a restore ended at because of a row that is there.
fn stopped_at(failure: Option<&RestoreFailure>) -> Option<&String> {
    match failure? {
        RestoreFailure::DataExists { table, .. } => Some(table),
        RestoreFailure::Refused { object, detail } => {
            let detail = detail.to_lowercase();
            (detail.starts_with("constraint") && KEY_RULES.iter().any(|rule| detail.contains(rule))).then_some(object)
        }
        _ => None,
    }
}

/// Judges the rows of such tables where the policy lets the task go on.
pub fn go_on(lens: &Lens<'_>, policy: DataConflict) -> Finding {
    let mut finding = Finding::default();
    for scene in scenes(lens).filter(|scene| scene.full() && scene.view().data_conflict == policy) {
        let Some(truth) = scene.truth else { continue };
        let tables = tables(&scene, truth);
        let hit: Vec<_> = tables.iter().filter(|table| conflicts(&scene, table) > 0).collect();
        if hit.is_empty() {
            continue;
        }
        let task = scene.story.id.clone();
        if let Some(table) = stopped_at(scene.view().failure.as_ref()) {
            let object = table.clone();
            finding.judge(&scene.done, Some(RestoreViolation::StoppedByExisting { task, object }));
            continue;
        }
        if !scene.completed() {
            continue;
        }
        let verdicts: Vec<_> = hit.into_iter().filter_map(|table| rows_verdict(&scene, table)).collect();
        if !verdicts.is_empty() {
            let difference = verdicts.into_iter().flatten().next();
            finding.judge(
                &scene.after,
                difference.map(|difference| RestoreViolation::RowsSettledWrong { task, policy, difference }),
            );
        }
    }
    finding
}
