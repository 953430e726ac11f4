//! With the policy of going on, a row that is there already stays and all others come (LOG-39).

use super::existing_rows::go_on;
use crate::checks::Finding;
use crate::history::lens::Lens;
use recovery::model::logical::restore::DataConflict;

/// Judges restores under that policy into tables with rows of the same keys.
pub fn check(lens: &Lens<'_>) -> Finding {
    go_on(lens, DataConflict::Ignore)
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
        tale.set(|view| view.data_conflict = DataConflict::Ignore).complete(&orders(), &orders_with(after));
        tale
    }

    #[test]
    fn existing_rows_that_change_and_others_that_are_lost_are_found() {
        for after in
            [&[(1, "lamp"), (2, "desk"), (5, "own")][..], &[(1, "own"), (5, "own")], &[(1, "own"), (2, "desk")]]
        {
            let found = wrong(&tale(after).story, check);
            assert!(matches!(found[..], [RestoreViolation::RowsSettledWrong { .. }]), "{after:?}");
        }
    }

    /// Restores into a table with the same rows, and ends for that.
    fn ended(failure: RestoreFailure) -> Tale {
        let mut tale = Tale::between(&orders(), &orders());
        tale.set(|view| view.data_conflict = DataConflict::Ignore).begin().set(|view| view.failure = Some(failure));
        tale.end(RestoreStatus::Stopped).after(&orders(), &orders());
        tale
    }

    #[test]
    fn a_task_that_stops_is_found() {
        let tale = ended(RestoreFailure::DataExists { table: "app.orders".into(), detail: "key 1".into() });
        assert!(matches!(wrong(&tale.story, check)[..], [RestoreViolation::StoppedByExisting { .. }]));
    }

    #[test]
    fn a_task_that_fails_with_what_the_server_says_of_the_key_is_found_and_for_another_rule_it_is_not() {
        let refused =
            |detail: &str| ended(RestoreFailure::Refused { object: "table app.orders".into(), detail: detail.into() });
        let tale = refused("constraint: UNIQUE constraint failed: orders.id");
        assert!(matches!(wrong(&tale.story, check)[..], [RestoreViolation::StoppedByExisting { .. }]));
        holds(&refused("constraint: NOT NULL constraint failed: orders.item").story, check, 0);
    }

    #[test]
    fn the_own_row_and_all_others_hold() {
        holds(&tale(&[(1, "own"), (2, "desk"), (5, "own")]).story, check, 1);
    }

    #[test]
    fn other_keys_exercise_nothing() {
        let mut tale = Tale::between(&orders(), &orders_with(&[(5, "own")]));
        tale.set(|view| view.data_conflict = DataConflict::Ignore);
        tale.complete(&orders(), &orders_with(&[(1, "lamp"), (2, "desk"), (5, "own")]));
        holds(&tale.story, check, 0);
    }
}
