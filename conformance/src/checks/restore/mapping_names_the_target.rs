//! A table has the name in the target that the mapping gives it, which is its own unless changed (LOG-46; C-30).

use super::RestoreViolation;
use super::content::{rows_verdict, tables};
use super::scene::{Scene, scenes};
use crate::checks::Finding;
use crate::checks::migration::content::find;
use crate::checks::temporary::Difference;
use crate::history::lens::Lens;
use recovery::model::content::ObjectKind;

/// Looks for every table under its name in the target, and for mapped ones under their old name, after restores that ended
/// well.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for scene in scenes(lens).filter(Scene::completed) {
        let Some(truth) = scene.truth else { continue };
        for table in &tables(&scene, truth) {
            let there = table.in_target(scene.is()).is_some();
            let stands = |held| find(held, table.database, ObjectKind::Table, &table.object.name).is_some();
            // Another table may be mapped to the old name.
            let reused = scene
                .view()
                .mapping
                .iter()
                .any(|other| other.database == table.database && other.table_as == table.object.name);
            let difference = if !there && scene.structure() {
                Some(Difference::Missing { what: table.words() })
            } else if table.name == table.object.name {
                None
            } else if stands(scene.is()) && !stands(scene.was()) && !reused {
                Some(Difference::Extra { what: format!("table {} of {}", table.object.name, table.database) })
            } else {
                rows_verdict(&scene, table).flatten()
            };
            let task = scene.story.id.clone();
            let violation = difference.map(|difference| RestoreViolation::MappingIgnored { task, difference });
            finding.judge(&scene.after, violation);
        }
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::restore::made_up::{Tale, holds, nothing, orders, wrong};
    use crate::checks::testing::photograph;
    use recovery::model::logical::restore::TableMapping;
    use recovery::model::photograph::Photograph;

    fn tale(after: &Photograph) -> Tale {
        let mut tale = Tale::between(&orders(), &nothing());
        let (database, table, table_as) = ("app".into(), "orders".into(), "orders_2".into());
        tale.set(|view| view.mapping = vec![TableMapping { database, table, table_as }]).complete(&orders(), after);
        tale
    }

    #[test]
    fn a_mapping_that_is_ignored_is_found() {
        let difference = Difference::Missing { what: "table orders_2 of app".into() };
        let task = "rst-1".into();
        assert_eq!(wrong(&tale(&orders()).story, check), vec![RestoreViolation::MappingIgnored { task, difference }]);
    }

    #[test]
    fn a_table_under_both_names_is_found() {
        let rows: &[(i64, &str)] = &[(1, "lamp"), (2, "desk")];
        let found = wrong(&tale(&photograph(&[("orders", rows), ("orders_2", rows)])).story, check);
        assert!(matches!(&found[..], [RestoreViolation::MappingIgnored { difference: Difference::Extra { .. }, .. }]));
    }

    #[test]
    fn the_new_name_and_kept_names_hold() {
        holds(&tale(&photograph(&[("orders_2", &[(1, "lamp"), (2, "desk")])])).story, check, 1);
        let mut kept = Tale::between(&orders(), &nothing());
        kept.complete(&orders(), &orders());
        holds(&kept.story, check, 1);
    }
}
