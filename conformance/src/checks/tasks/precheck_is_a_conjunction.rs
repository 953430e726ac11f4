//! A precheck has passed exactly when no item failed (DTS-09; C-28).

use super::TaskViolation;
use super::runs::{failed, runs};
use crate::checks::Finding;
use crate::history::lens::Lens;

/// Compares the verdict of every run with its items.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for run in runs(lens) {
        let Some(passed) = run.let_through() else { continue };
        let failed = run.run.items.iter().find(|result| failed(result)).map(|result| result.item);
        let (task, number) = (run.task.id.clone(), run.run.number);
        let violation = match (passed, failed) {
            (true, Some(item)) => Some(TaskViolation::PassedWithFailed { task, run: number, item }),
            (false, None) => Some(TaskViolation::FailedWithoutFailed { task, run: number }),
            _ => None,
        };
        finding.judge(&run.seen, violation);
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::tasks::made_up::{Tale, holds, wrong};
    use recovery::model::precheck::PrecheckItem;
    use recovery::model::task::TaskStatus;

    const ITEM: PrecheckItem = PrecheckItem::ConstraintIntegrity;

    #[test]
    fn a_pass_with_a_failed_item_is_found() {
        let mut tale = Tale::begin();
        tale.ready().precheck(&[ITEM]).set(|task| task.status = TaskStatus::PrecheckPassed);
        tale.story.history.events.truncate(tale.story.history.events.len() - 2);
        tale.look();
        let expected = TaskViolation::PassedWithFailed { task: "dts-1".into(), run: 1, item: ITEM };
        assert_eq!(wrong(&tale, check), vec![expected]);
    }

    #[test]
    fn a_failure_without_a_failed_item_is_found() {
        let mut tale = Tale::begin();
        tale.ready().precheck(&[]).set(|task| task.status = TaskStatus::PrecheckFailed);
        tale.story.history.events.truncate(tale.story.history.events.len() - 2);
        tale.look();
        assert_eq!(wrong(&tale, check), vec![TaskViolation::FailedWithoutFailed { task: "dts-1".into(), run: 1 }]);
    }

    #[test]
    fn a_failed_and_a_passed_run_hold() {
        let mut tale = Tale::begin();
        tale.ready().precheck(&[ITEM]).precheck(&[]);
        holds(&tale, check, 2);
    }

    #[test]
    fn a_run_that_is_under_way_exercises_nothing() {
        let mut tale = Tale::begin();
        tale.ready().begin_run("precheck");
        holds(&tale, check, 0);
    }
}
