//! With the policy of going on, a table that is there already is left as it is, and the task goes on (LOG-37; C-20).

use super::RestoreViolation;
use super::content::{Wanted, keyed, wanted};
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
                Some(is) if is.definition != was.definition || is.definer != was.definer => {
                    Some(Difference::Changed { what })
                }
                Some(_) => lost(&scene, wanted),
            }
        });
        finding
            .judge(&scene.after, difference.map(|difference| RestoreViolation::ExistingChanged { task, difference }));
    }
    finding
}

/// Rows that stood in a table before and are not there any more, by their keys: who drops a table and makes it anew loses
/// them, and no policy takes one away.
fn lost(scene: &Scene<'_, '_>, table: &Wanted<'_>) -> Option<Difference> {
    let keys = |held| table.in_target(held).and_then(|table| table.rows.as_ref()).and_then(keyed);
    let (was, is) = keys(scene.was()).zip(keys(scene.is()))?;
    let gone = was.keys().filter(|key| !is.contains_key(*key)).count() as u64;
    let (want, got) = (was.len() as u64, was.len() as u64 - gone);
    (gone > 0 && !scene.stirred(table.database, table.name)).then(|| Difference::Rows {
        what: table.words(),
        want,
        got,
    })
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
    fn an_existing_table_that_lost_its_own_rows_is_found() {
        let mut tale = Tale::between(&orders(), &orders_with(&[(2, "own"), (9, "own")]));
        tale.complete(&orders(), &orders());
        let difference = Difference::Rows { what: "table orders of app".into(), want: 2, got: 1 };
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
