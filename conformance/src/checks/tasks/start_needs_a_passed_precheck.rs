//! A migration begins only after a precheck that passed (TMP-43, CLN-40).

use super::TaskViolation;
use super::runs::{failed, runs_of};
use crate::checks::Finding;
use crate::history::lens::Lens;
use recovery::model::task::TaskStatus;

/// Judges the newest run of every task that started, and whether tasks whose precheck failed stay where they are.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for task in lens.tasks() {
        if let Some(started) = task.started() {
            let run = started.it.precheck.as_ref();
            let failed = run.and_then(|run| run.items.iter().find(|result| failed(result)));
            let passed = run.is_some_and(|run| run.ended_at.is_some()) && failed.is_none();
            let (run, item) = (run.map_or(0, |run| run.number), failed.map(|result| result.item));
            let violation = TaskViolation::StartedThoughFailed { task: task.id.clone(), run, item };
            finding.judge(&started, (!passed).then_some(violation));
        }
        let failed = runs_of(lens, task).into_iter().filter(|run| run.seen.it.status == TaskStatus::PrecheckFailed);
        for run in failed {
            // One that migrates after it was found above.
            let later = task.views.iter().find(|seen| seen.index > run.seen.index);
            if let Some(later) = later.filter(|seen| seen.it.started_at.is_none()) {
                finding.judge(later, None::<TaskViolation>);
            }
        }
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::tasks::made_up::{Tale, holds, wrong};
    use recovery::model::precheck::PrecheckItem;

    const ITEM: PrecheckItem = PrecheckItem::SameNameObject;

    #[test]
    fn a_task_that_migrates_after_a_failed_precheck_is_found() {
        let mut tale = Tale::begin();
        tale.ready().precheck(&[ITEM]).migrate();
        let expected = TaskViolation::StartedThoughFailed { task: "dts-1".into(), run: 1, item: Some(ITEM) };
        assert_eq!(wrong(&tale, check), vec![expected]);
    }

    #[test]
    fn a_task_that_migrates_while_it_is_checked_is_found() {
        let mut tale = Tale::begin();
        tale.ready().precheck(&[]).begin_run("confirm").migrate();
        let expected = TaskViolation::StartedThoughFailed { task: "dts-1".into(), run: 2, item: None };
        assert_eq!(wrong(&tale, check), vec![expected]);
    }

    #[test]
    fn a_task_that_waits_and_migrates_after_a_pass_holds() {
        let mut tale = Tale::begin();
        tale.ready().precheck(&[ITEM]).look().precheck(&[]).confirm();
        holds(&tale, check, 2);
    }

    #[test]
    fn a_task_that_was_never_checked_exercises_nothing() {
        let mut tale = Tale::begin();
        tale.ready();
        holds(&tale, check, 0);
    }
}
