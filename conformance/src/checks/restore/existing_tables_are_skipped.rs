//! With the policy of going on, a table that is there already is left as it is, and the task goes on (LOG-37; C-20).

use super::RestoreViolation;
use super::content::wanted;
use super::scene::{Scene, scenes};
use crate::checks::Finding;
use crate::checks::temporary::Difference;
use crate::history::lens::Lens;
use recovery::model::logical::restore::{RestoreFailure, StructureConflict};

/// Looks at every object that stood in the target before a restore with structure under that policy.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for scene in scenes(lens).filter(Scene::structure) {
        let Some(held) = scene.truth.or(scene.of_set) else { continue };
        if scene.view().structure_conflict != StructureConflict::Ignore {
            continue;
        }
        let wanted = wanted(&scene, held);
        let standing: Vec<_> = wanted.iter().filter(|wanted| wanted.in_target(scene.was()).is_some()).collect();
        if standing.is_empty() {
            continue;
        }
        let task = scene.story.id.clone();
        if let Some(RestoreFailure::ObjectExists { object }) = &scene.view().failure {
            let object = object.clone();
            finding.judge(&scene.done, Some(RestoreViolation::StoppedByExisting { task, object }));
            continue;
        }
        let difference = standing.into_iter().find_map(|wanted| {
            let was = wanted.in_target(scene.was())?;
            let what = wanted.words();
            match wanted.in_target(scene.is()) {
                None => Some(Difference::Missing { what }),
                Some(is) => (is.definition != was.definition || is.definer != was.definer)
                    .then_some(Difference::Changed { what }),
            }
        });
        finding
            .judge(&scene.after, difference.map(|difference| RestoreViolation::ExistingChanged { task, difference }));
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::restore::made_up::{Tale, holds, nothing, orders, orders_with, wrong};
    use recovery::model::logical::restore::RestoreStatus;

    #[test]
    fn a_task_that_stops_at_an_existing_table_is_found() {
        let mut tale = Tale::between(&orders(), &orders());
        let object = "table app.orders".to_owned();
        tale.begin().set(|view| view.failure = Some(RestoreFailure::ObjectExists { object: object.clone() }));
        tale.end(RestoreStatus::Stopped).after(&orders(), &orders());
        let task = "rst-1".into();
        assert_eq!(wrong(&tale.story, check), vec![RestoreViolation::StoppedByExisting { task, object }]);
    }

    #[test]
    fn an_existing_table_that_is_made_anew_is_found() {
        let mut old = orders_with(&[]);
        old.databases.values_mut().flat_map(|held| held.objects.values_mut()).for_each(|object| {
            object.definition = "create table orders (id int primary key, item text, price int)".into();
        });
        let mut tale = Tale::between(&orders(), &old);
        tale.complete(&orders(), &orders());
        let difference = Difference::Changed { what: "table orders of app".into() };
        let task = "rst-1".into();
        assert_eq!(wrong(&tale.story, check), vec![RestoreViolation::ExistingChanged { task, difference }]);
    }

    #[test]
    fn an_existing_table_as_before_holds_and_an_empty_target_exercises_nothing() {
        let mut tale = Tale::between(&orders(), &orders_with(&[]));
        tale.complete(&orders(), &orders());
        holds(&tale.story, check, 1);
        let mut tale = Tale::between(&orders(), &nothing());
        tale.complete(&orders(), &orders());
        holds(&tale.story, check, 0);
    }
}
