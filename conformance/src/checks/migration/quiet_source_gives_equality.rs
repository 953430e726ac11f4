//! Without the incremental type, what nobody writes to meanwhile is equal on both sides afterwards (DTS-20).

use super::MigrationViolation;
use super::content::{moves, table_difference};
use super::scene::{follows, quiet, scene};
use crate::checks::Finding;
use crate::history::lens::Lens;

/// Compares the tables of both sides of each task that moved rows, ended by itself, and whose source was quiet. Where the
/// source was written to, nothing is promised.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for scene in lens.tasks().filter_map(|task| scene(lens, task)) {
        if follows(scene.view()) || !scene.full() || !quiet(lens, &scene) {
            continue;
        }
        let moved = moves(scene.view(), scene.from());
        let judged: Vec<_> =
            moved.iter().filter(|table| !scene.disturbed(lens, Some((table.to_database, table.to_table)))).collect();
        if judged.is_empty() {
            continue;
        }
        let task = scene.task.id.clone();
        let difference = judged.iter().find_map(|table| table_difference(&scene, table));
        finding.judge(&scene.after, difference.map(|difference| MigrationViolation::SidesDiffer { task, difference }));
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::migration::made_up::{Plot, holds, nothing, orders, wrong};
    use crate::checks::temporary::Difference;
    use crate::checks::testing::{done, photograph};

    #[test]
    fn sides_that_differ_after_a_quiet_migration_are_found() {
        let mut plot = Plot::between(&orders(), &nothing());
        plot.begin().finish().after(&orders(), &photograph(&[("orders", &[(1, "lamp"), (2, "chair")])]));
        let difference = Difference::Rows { what: "table orders of app".into(), want: 2, got: 2 };
        assert_eq!(
            wrong(&plot.story, check),
            vec![MigrationViolation::SidesDiffer { task: "dts-1".into(), difference }]
        );
    }

    #[test]
    fn equal_sides_hold() {
        let mut plot = Plot::between(&orders(), &nothing());
        plot.begin().finish().after(&orders(), &orders());
        holds(&plot.story, check, 1);
    }

    #[test]
    fn a_source_that_was_written_to_exercises_nothing() {
        let mut plot = Plot::between(&orders(), &nothing());
        plot.begin();
        plot.story.statement("rm-2", "delete from orders", done());
        plot.finish().after(&nothing(), &orders());
        holds(&plot.story, check, 0);
    }
}
