//! A changed table name in a database with views, functions, procedures or triggers makes a full restore fail; kept names
//! do not (LOG-08; C-17). A database with events alone is left open (C-18).

use super::RestoreViolation;
use super::content::{PROGRAMMABLE, renames_in, words};
use super::scene::{Scene, scenes};
use crate::checks::Finding;
use crate::checks::temporary::truth::data_difference;
use crate::history::lens::Lens;
use recovery::model::logical::restore::RestoreFailure;
use recovery::model::photograph::Photograph;

/// Judges restores that ended, by what their backup held.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for scene in scenes(lens) {
        let Some(held) = scene.of_set.or(scene.truth) else { continue };
        // What the log added or took away may count or not.
        let both = scene.of_set.zip(scene.truth);
        if scene.by_time() && both.is_none_or(|(set, then)| holds(&scene, set).0 != holds(&scene, then).0) {
            continue;
        }
        let task = scene.story.id.clone();
        let by_mapping = matches!(scene.view().failure, Some(RestoreFailure::MappingWithProgrammableObjects { .. }));
        match holds(&scene, held) {
            (true, Some(object)) if scene.full() => {
                let violation = if scene.completed() {
                    Some(RestoreViolation::MappedWithProgrammable { task, object })
                } else {
                    let wrote = data_difference(scene.was(), scene.is()).filter(|_| by_mapping);
                    wrote.map(|difference| RestoreViolation::FailedAfterWriting { task, difference })
                };
                finding.judge(&scene.done, violation);
            }
            (false, object) if object.is_some() || by_mapping => {
                finding.judge(&scene.done, by_mapping.then_some(RestoreViolation::MappingRefused { task }));
            }
            _ => {}
        }
    }
    finding
}

/// Whether a name is changed where such objects are, and one of those objects.
fn holds(scene: &Scene<'_, '_>, held: &Photograph) -> (bool, Option<String>) {
    let programmable =
        held.databases.iter().filter(|(name, _)| scene.databases.is_empty() || scene.databases.contains(*name));
    let mut found: Vec<(&String, String)> = Vec::new();
    for (name, database) in programmable {
        let object = database.objects.values().find(|object| PROGRAMMABLE.contains(&object.kind));
        found.extend(object.map(|object| (name, words(name, object.kind, &object.name))));
    }
    let renamed = found.iter().find(|(name, _)| renames_in(scene.view(), name));
    match renamed {
        Some((_, object)) => (true, Some(object.clone())),
        None => (false, found.into_iter().next().map(|(_, object)| object)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::restore::made_up::{self, Tale, nothing, orders, with_view, wrong};
    use recovery::model::logical::restore::{RestoreStatus, TableMapping};

    fn renaming(source: &Photograph) -> Tale {
        let mut tale = Tale::between(source, &nothing());
        let (database, table, table_as) = ("app".into(), "orders".into(), "orders_2".into());
        tale.set(|view| view.mapping = vec![TableMapping { database, table, table_as }]);
        tale
    }

    fn by_mapping() -> Option<RestoreFailure> {
        Some(RestoreFailure::MappingWithProgrammableObjects { objects: vec!["view app.recent".into()] })
    }

    #[test]
    fn a_changed_name_beside_a_view_that_ends_well_is_found() {
        let source = with_view(orders());
        let mut tale = renaming(&source);
        tale.complete(&source, &nothing());
        let expected =
            RestoreViolation::MappedWithProgrammable { task: "rst-1".into(), object: "view recent of app".into() };
        assert_eq!(wrong(&tale.story, check), vec![expected]);
    }

    #[test]
    fn a_failure_for_the_mapping_with_every_name_kept_is_found() {
        let source = with_view(orders());
        let mut tale = Tale::between(&source, &nothing());
        tale.begin().set(|view| view.failure = by_mapping()).end(RestoreStatus::Failed).after(&source, &nothing());
        assert_eq!(wrong(&tale.story, check), vec![RestoreViolation::MappingRefused { task: "rst-1".into() }]);
    }

    #[test]
    fn a_failure_that_wrote_before_it_is_found() {
        let source = with_view(orders());
        let mut tale = renaming(&source);
        tale.begin().set(|view| view.failure = by_mapping()).end(RestoreStatus::Failed).after(&source, &orders());
        assert!(matches!(wrong(&tale.story, check)[..], [RestoreViolation::FailedAfterWriting { .. }]));
    }

    #[test]
    fn a_failure_with_a_changed_name_and_success_with_kept_ones_hold() {
        let source = with_view(orders());
        let mut tale = renaming(&source);
        tale.begin().set(|view| view.failure = by_mapping()).end(RestoreStatus::Failed).after(&source, &nothing());
        made_up::holds(&tale.story, check, 1);
        let mut tale = Tale::between(&source, &nothing());
        tale.complete(&source, &source);
        made_up::holds(&tale.story, check, 1);
    }

    #[test]
    fn a_changed_name_among_tables_alone_exercises_nothing() {
        let mut tale = renaming(&orders());
        tale.complete(&orders(), &nothing());
        made_up::holds(&tale.story, check, 0);
    }
}
