//! Foreign keys are of no effect after a restore, and none stands in its way (LOG-13; C-16).

use super::RestoreViolation;
use super::content::words;
use super::scene::{Scene, scenes};
use crate::checks::Finding;
use crate::checks::migration::content::{belongs_to, find};
use crate::history::lens::Lens;
use recovery::model::content::ObjectKind;
use recovery::model::logical::restore::RestoreFailure;
use recovery::model::photograph::Photograph;

/// Judges restores of tables with foreign keys that ended well, and those that failed over one.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for scene in scenes(lens).filter(Scene::structure) {
        let Some(held) = scene.truth.or(scene.of_set) else { continue };
        if keys(&scene, held).is_empty() {
            continue;
        }
        let task = scene.story.id.clone();
        match &scene.view().failure {
            Some(RestoreFailure::Refused { detail, .. }) if detail.to_lowercase().contains("foreign") => {
                let detail = detail.clone();
                finding.judge(&scene.done, Some(RestoreViolation::FailedOverForeignKey { task, detail }));
            }
            _ if scene.completed() => {
                let key = enforced(&scene);
                finding.judge(&scene.after, key.map(|key| RestoreViolation::ForeignKeyEnforced { task, key }));
            }
            _ => {}
        }
    }
    finding
}

/// Foreign keys of the backup whose tables were made by the restore.
fn keys<'v>(scene: &Scene<'_, '_>, held: &'v Photograph) -> Vec<&'v str> {
    let mut found = Vec::new();
    for (database, held) in &held.databases {
        for object in held.objects.values().filter(|object| object.kind == ObjectKind::ForeignKey) {
            let made =
                belongs_to(object).is_none_or(|table| find(scene.was(), database, ObjectKind::Table, &table).is_none());
            found.extend(made.then_some(object.name.as_str()));
        }
    }
    found
}

/// A foreign key in the target that is enforced and was not there before.
fn enforced(scene: &Scene<'_, '_>) -> Option<String> {
    scene.is().databases.iter().find_map(|(database, held)| {
        let mut keys = held.objects.values().filter(|object| object.kind == ObjectKind::ForeignKey && object.enabled);
        let new = |name: &str| find(scene.was(), database, ObjectKind::ForeignKey, name).is_none();
        keys.find(|key| new(&key.name)).map(|key| words(database, key.kind, &key.name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::restore::made_up::{Tale, holds, nothing, orders, with, wrong};
    use recovery::model::logical::restore::RestoreStatus;

    fn keyed() -> Photograph {
        let text = "alter table orders add constraint to_item foreign key (item) references items (id)";
        with(orders(), ObjectKind::ForeignKey, "to_item", text)
    }

    #[test]
    fn a_foreign_key_that_is_enforced_is_found() {
        let mut tale = Tale::between(&keyed(), &nothing());
        tale.complete(&keyed(), &keyed());
        let (task, key) = ("rst-1".into(), "foreign-key to_item of app".into());
        assert_eq!(wrong(&tale.story, check), vec![RestoreViolation::ForeignKeyEnforced { task, key }]);
    }

    #[test]
    fn a_restore_that_fails_over_a_foreign_key_is_found() {
        let mut tale = Tale::between(&keyed(), &nothing());
        let (object, detail) = ("table app.orders".into(), "foreign key to_item: no parent".to_owned());
        tale.begin().set(|view| view.failure = Some(RestoreFailure::Refused { object, detail: detail.clone() }));
        tale.end(RestoreStatus::Failed).after(&keyed(), &nothing());
        let task = "rst-1".into();
        assert_eq!(wrong(&tale.story, check), vec![RestoreViolation::FailedOverForeignKey { task, detail }]);
    }

    #[test]
    fn a_key_that_stays_behind_or_is_switched_off_holds() {
        let mut off = keyed();
        off.databases.values_mut().flat_map(|held| held.objects.values_mut()).for_each(|object| object.enabled = false);
        for target in [orders(), off] {
            let mut tale = Tale::between(&keyed(), &nothing());
            tale.complete(&keyed(), &target);
            holds(&tale.story, check, 1);
        }
    }

    #[test]
    fn tables_without_foreign_keys_exercise_nothing() {
        let mut tale = Tale::between(&orders(), &nothing());
        tale.complete(&orders(), &orders());
        holds(&tale.story, check, 0);
    }
}
