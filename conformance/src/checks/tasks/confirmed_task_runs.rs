//! A task that was confirmed, and bought where that is asked for, runs by itself (TMP-48, SQL-47, CLN-48; C-06).

use super::TaskViolation;
use super::calls::changes;
use crate::catalogue::Source;
use crate::checks::Finding;
use crate::history::What;
use crate::history::lens::Lens;
use recovery::model::task::TaskStatus;

/// Judges what became of every task after its last confirmation or purchase.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    let healed = lens.history.events.iter().position(|event| matches!(event.what, What::Healed));
    for task in lens.tasks() {
        let last_step = if lens.source_of(task.first) == Some(Source::Clone) { "purchase" } else { "confirm" };
        let asked: Vec<_> = changes(lens, task.id).collect();
        for (position, (call, step)) in asked.iter().enumerate() {
            if *step != last_step || !call.it.accepted() {
                continue;
            }
            let before = task.views.iter().rev().find(|seen| seen.index < call.index);
            if before.is_some_and(|seen| seen.it.started_at.is_some()) {
                continue;
            }
            let next = asked.get(position + 1).map_or(usize::MAX, |(next, _)| next.index);
            let mut after = task.views.iter().filter(|seen| seen.index > call.index && seen.index < next);
            if let Some(started) = after.clone().find(|seen| seen.it.started_at.is_some()) {
                finding.judge(started, None::<TaskViolation>);
                continue;
            }
            let Some(last) =
                after.next_back().filter(|seen| next == usize::MAX && healed.is_some_and(|healed| seen.index > healed))
            else {
                continue;
            };
            // A fresh precheck that failed is another matter (C-07).
            if task.gone.is_empty() && last.it.status != TaskStatus::PrecheckFailed {
                finding.judge(last, Some(TaskViolation::NeverRan { task: task.id.clone(), status: last.it.status }));
            }
        }
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::tasks::made_up::{Tale, holds, shop, wrong};
    use crate::checks::testing::{clone_of, start};
    use recovery::model::precheck::PrecheckItem;
    use serde_json::json;

    #[test]
    fn a_confirmed_task_that_never_runs_is_found() {
        let mut tale = Tale::begin();
        tale.ready().precheck(&[]).step("confirm");
        tale.story.push(What::Healed);
        tale.look();
        let status = TaskStatus::PrecheckPassed;
        assert_eq!(wrong(&tale, check), vec![TaskViolation::NeverRan { task: "dts-1".into(), status }]);
    }

    #[test]
    fn a_bought_task_that_is_checked_for_ever_is_found() {
        let mut tale = Tale::between(&clone_of("rm-3", &shop(), start()), &shop());
        tale.ready().precheck(&[]).step("confirm").step_with("purchase", json!({"terms_accepted": true}));
        tale.set(|task| task.status = TaskStatus::Prechecking).story.push(What::Healed);
        tale.look();
        let status = TaskStatus::Prechecking;
        assert_eq!(wrong(&tale, check), vec![TaskViolation::NeverRan { task: "dts-1".into(), status }]);
    }

    #[test]
    fn a_confirmed_task_that_runs_holds() {
        let mut tale = Tale::begin();
        tale.ready().precheck(&[]).confirm().finish();
        holds(&tale, check, 1);
    }

    #[test]
    fn a_task_whose_last_precheck_failed_or_that_was_deleted_exercises_nothing() {
        let mut tale = Tale::begin();
        tale.ready().precheck(&[]).begin_run("confirm").end_run(&[PrecheckItem::SameNameObject]);
        tale.story.push(What::Healed);
        tale.look();
        holds(&tale, check, 0);
        let mut tale = Tale::begin();
        tale.ready().precheck(&[]).step("confirm");
        tale.story.call("DELETE /v1/migration-tasks/dts-1", json!(null), 204, json!(null)).push(What::Healed);
        holds(&tale, check, 0);
    }
}
