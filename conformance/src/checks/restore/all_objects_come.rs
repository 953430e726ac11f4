//! The whole backup means everything in it (LOG-44).

use super::RestoreViolation;
use super::content::{made_in_the_log, made_otherwise, rows_verdict, wanted};
use super::scene::{Scene, scenes};
use crate::checks::Finding;
use crate::checks::temporary::Difference;
use crate::history::lens::Lens;
use recovery::model::content::ObjectKind;
use recovery::model::logical::restore::RestoreObjects;

/// Looks for every object of the backup after restores of all of it that ended well.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for scene in scenes(lens).filter(|scene| scene.completed() && scene.structure()) {
        let Some(truth) = scene.truth.filter(|_| scene.view().objects == RestoreObjects::All) else { continue };
        let wanted = wanted(&scene, truth);
        if wanted.is_empty() {
            continue;
        }
        let difference = wanted.iter().find_map(|wanted| missing(&scene, wanted));
        let task = scene.story.id.clone();
        finding.judge(
            &scene.after,
            difference.map(|difference| RestoreViolation::RestoredContentDiffers { task, difference }),
        );
    }
    finding
}

fn missing(scene: &Scene<'_, '_>, wanted: &super::content::Wanted<'_>) -> Option<Difference> {
    if made_in_the_log(scene, wanted.database, wanted.object) {
        return None;
    }
    let Some(is) = wanted.in_target(scene.is()) else {
        return Some(Difference::Missing { what: wanted.words() });
    };
    let stood = wanted.in_target(scene.was()).is_some();
    let other = if stood { None } else { made_otherwise(scene, wanted, is) };
    let table = wanted.object.kind == ObjectKind::Table;
    other.or_else(|| if table { rows_verdict(scene, wanted).flatten() } else { None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::restore::made_up::{self, Tale, holds, nothing, orders, with, with_view, wrong};

    #[test]
    fn a_view_that_is_missing_is_found() {
        let mut tale = Tale::between(&with_view(orders()), &nothing());
        tale.complete(&with_view(orders()), &orders());
        let difference = Difference::Missing { what: "view recent of app".into() };
        let task = "rst-1".into();
        assert_eq!(wrong(&tale.story, check), vec![RestoreViolation::RestoredContentDiffers { task, difference }]);
    }

    #[test]
    fn a_view_with_another_definition_is_found() {
        let other = with(orders(), ObjectKind::View, "recent", "create view recent as select 1");
        let mut tale = Tale::between(&with_view(orders()), &nothing());
        tale.complete(&with_view(orders()), &other);
        assert!(matches!(wrong(&tale.story, check)[..], [RestoreViolation::RestoredContentDiffers { .. }]));
    }

    #[test]
    fn everything_without_the_foreign_keys_holds() {
        let text = "alter table orders add constraint to_item foreign key (item) references items (id)";
        let source = with(with_view(orders()), ObjectKind::ForeignKey, "to_item", text);
        let mut tale = Tale::between(&source, &nothing());
        tale.complete(&source, &with_view(orders()));
        holds(&tale.story, check, 1);
    }

    #[test]
    fn chosen_objects_exercise_nothing() {
        let mut tale = Tale::between(&with_view(orders()), &nothing());
        let objects = made_up::branch(Some(ObjectKind::Table), None);
        tale.set(|view| view.objects = objects).complete(&with_view(orders()), &orders());
        holds(&tale.story, check, 0);
    }
}
