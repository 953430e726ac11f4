//! What the user picks comes, and nothing else is made or changed (LOG-45).

use super::RestoreViolation;
use super::content::{made_in_the_log, wanted, words};
use super::scene::{Scene, scenes};
use crate::checks::Finding;
use crate::checks::migration::content::find;
use crate::checks::temporary::Difference;
use crate::history::lens::Lens;
use recovery::model::content::ObjectKind;
use recovery::model::logical::restore::RestoreObjects;
use recovery::model::photograph::Photograph;

/// Judges restores of chosen objects: what else is new or changed in the target, and for those that ended well, what lacks.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for scene in scenes(lens).filter(|scene| matches!(scene.view().objects, RestoreObjects::Custom { .. })) {
        let Some(truth) = scene.truth else { continue };
        let difference = other(&scene, truth).or_else(|| if scene.completed() { lacking(&scene, truth) } else { None });
        let task = scene.story.id.clone();
        let violation = difference.map(|difference| RestoreViolation::NotAsChosen { task, difference });
        finding.judge(&scene.after, violation);
    }
    finding
}

/// An object that was not chosen and is new, changed or gone.
fn other(scene: &Scene<'_, '_>, truth: &Photograph) -> Option<Difference> {
    let chosen = wanted(scene, truth);
    let is_chosen = |database: &str, kind, name: &str| {
        chosen.iter().any(|wanted| wanted.database == database && wanted.object.kind == kind && wanted.name == name)
    };
    for (database, held) in &scene.is().databases {
        for object in held.objects.values().filter(|object| !is_chosen(database, object.kind, &object.name)) {
            let what = words(database, object.kind, &object.name);
            match find(scene.was(), database, object.kind, &object.name) {
                None if scene.by_time() && object.kind == ObjectKind::Trigger => {}
                None => return Some(Difference::Extra { what }),
                Some(was) if was != object && !scene.stirred(database, &object.name) => {
                    return Some(Difference::Changed { what });
                }
                Some(_) => {}
            }
        }
    }
    scene.was().databases.iter().find_map(|(database, held)| {
        let gone =
            held.objects.values().find(|object| find(scene.is(), database, object.kind, &object.name).is_none())?;
        Some(Difference::Missing { what: words(database, gone.kind, &gone.name) })
    })
}

/// A chosen object that is not there after a restore with structure.
fn lacking(scene: &Scene<'_, '_>, truth: &Photograph) -> Option<Difference> {
    wanted(scene, truth).into_iter().filter(|_| scene.structure()).find_map(|wanted| {
        let there = wanted.in_target(scene.is()).is_some();
        let left = made_in_the_log(scene, wanted.database, wanted.object);
        (!there && !left).then(|| Difference::Missing { what: wanted.words() })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::restore::made_up::{Tale, branch, holds, nothing, orders, with_view, wrong};

    fn tale(before: &Photograph, after: &Photograph) -> Tale {
        let mut tale = Tale::between(&with_view(orders()), before);
        tale.set(|view| view.objects = branch(Some(ObjectKind::Table), Some("orders")));
        tale.complete(&with_view(orders()), after);
        tale
    }

    #[test]
    fn a_view_that_nobody_chose_is_found() {
        let difference = Difference::Extra { what: "view recent of app".into() };
        let task = "rst-1".into();
        let expected = vec![RestoreViolation::NotAsChosen { task, difference }];
        assert_eq!(wrong(&tale(&nothing(), &with_view(orders())).story, check), expected);
    }

    #[test]
    fn a_chosen_table_that_is_missing_is_found() {
        let difference = Difference::Missing { what: "table orders of app".into() };
        let task = "rst-1".into();
        let expected = vec![RestoreViolation::NotAsChosen { task, difference }];
        assert_eq!(wrong(&tale(&nothing(), &nothing()).story, check), expected);
    }

    #[test]
    fn the_chosen_table_alone_holds_and_all_exercises_nothing() {
        holds(&tale(&nothing(), &orders()).story, check, 1);
        let mut all = Tale::between(&orders(), &nothing());
        all.complete(&orders(), &orders());
        holds(&all.story, check, 0);
    }
}
