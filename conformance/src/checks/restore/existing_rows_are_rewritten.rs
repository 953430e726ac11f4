//! With the policy of rewriting, the row of the backup takes the place of one that is there already, and no other row goes (LOG-41).

use super::existing_rows::go_on;
use crate::checks::Finding;
use crate::history::lens::Lens;
use recovery::model::logical::restore::DataConflict;

/// Judges restores under that policy into tables with rows of the same keys.
pub fn check(lens: &Lens<'_>) -> Finding {
    go_on(lens, DataConflict::DeleteThenRewrite)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::restore::RestoreViolation;
    use crate::checks::restore::made_up::{Tale, holds, orders, orders_with, wrong};
    use recovery::model::logical::restore::{RestoreFailure, RestoreStatus};

    /// Rows 1 and 2 are restored into a table with the rows 1 and 5.
    fn tale(after: &[(i64, &str)]) -> Tale {
        let mut tale = Tale::between(&orders(), &orders_with(&[(1, "own"), (5, "own")]));
        tale.set(|view| view.data_conflict = DataConflict::DeleteThenRewrite).complete(&orders(), &orders_with(after));
        tale
    }

    #[test]
    fn existing_rows_that_stay_and_others_that_are_deleted_are_found() {
        for after in [
            &[(1, "own"), (2, "desk"), (5, "own")][..],
            &[(1, "lamp"), (2, "desk")],
            &[(1, "lamp"), (1, "own"), (2, "desk"), (5, "own")],
        ] {
            let found = wrong(&tale(after).story, check);
            assert!(matches!(found[..], [RestoreViolation::RowsSettledWrong { .. }]), "{after:?}");
        }
    }

    #[test]
    fn a_task_that_stops_is_found() {
        let mut tale = Tale::between(&orders(), &orders());
        let failure = RestoreFailure::DataExists { table: "app.orders".into(), detail: "key 1".into() };
        tale.set(|view| view.data_conflict = DataConflict::DeleteThenRewrite)
            .begin()
            .set(|view| view.failure = Some(failure));
        tale.end(RestoreStatus::Stopped).after(&orders(), &orders());
        assert!(matches!(wrong(&tale.story, check)[..], [RestoreViolation::StoppedByExisting { .. }]));
    }

    #[test]
    fn the_row_of_the_backup_and_all_others_hold() {
        holds(&tale(&[(1, "lamp"), (2, "desk"), (5, "own")]).story, check, 1);
    }

    #[test]
    fn other_keys_exercise_nothing() {
        let mut tale = Tale::between(&orders(), &orders_with(&[(5, "own")]));
        tale.set(|view| view.data_conflict = DataConflict::DeleteThenRewrite);
        tale.complete(&orders(), &orders_with(&[(1, "lamp"), (2, "desk"), (5, "own")]));
        holds(&tale.story, check, 0);
    }
}
