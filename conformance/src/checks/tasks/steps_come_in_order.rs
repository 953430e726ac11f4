//! The steps of a task come in their order (DTS-01).

use super::TaskViolation;
use super::calls::asked_before;
use crate::checks::Finding;
use crate::history::Call;
use crate::history::lens::{Lens, Seen, TaskStory};
use recovery::model::task::TaskStatus;
use recovery::model::views::TaskView;

/// Refusals of a step that comes too early.
const EARLY: [&str; 2] = ["OperationDenied.TaskStep", "OperationDenied.TaskStatus"];
/// Each step with the one it stands on.
const STEPS: [(&str, &str); 5] = [
    ("objects", "authorise"),
    ("precheck", "objects"),
    ("start", "objects"),
    ("confirm", "precheck"),
    ("purchase", "confirm"),
];

/// Judges every request that came before the step it stands on.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for task in lens.tasks() {
        for (call, step) in lens.calls_of_task(task.id) {
            let Some((_, before)) = STEPS.iter().find(|(known, _)| *known == step) else { continue };
            if call.it.method == "GET" || !too_early(lens, task, &call, before) {
                continue;
            }
            if call.it.accepted() {
                let (task, step, before) = (task.id.clone(), step.to_owned(), (*before).to_owned());
                finding.judge(&call, Some(TaskViolation::StepTooEarly { task, step, before }));
            } else if call.it.code().is_some_and(|code| EARLY.contains(&code)) {
                finding.judge(&call, None::<TaskViolation>);
            }
        }
    }
    finding
}

/// Whether the step before was certainly not done when a request came. A precheck is done once it has passed.
fn too_early<'a>(lens: &Lens<'a>, task: &TaskStory<'a>, call: &Seen<'_, Call>, before: &str) -> bool {
    if before != "precheck" {
        return !asked_before(lens, task, before, call.index);
    }
    if !["precheck", "start"].into_iter().any(|step| asked_before(lens, task, step, call.index)) {
        return true;
    }
    let known = task.views.iter().rev().find(|seen| seen.index < call.index && seen.at <= call.it.sent_at);
    known.is_some_and(|known| {
        let unready = matches!(known.it.status, TaskStatus::NotStarted | TaskStatus::PrecheckFailed);
        (unready || runs_on(task, known, call)) && !super::calls::changed_between(lens, task, known, call)
    })
}

/// Whether the precheck that was seen to run before a request was still running after it.
fn runs_on(task: &TaskStory<'_>, known: &Seen<'_, TaskView>, call: &Seen<'_, Call>) -> bool {
    let running = |view: &TaskView| {
        let run = view.precheck.as_ref().filter(|run| run.ended_at.is_none())?;
        (view.status == TaskStatus::Prechecking).then_some(run.number)
    };
    let later = task.views.iter().find(|seen| seen.index > call.index);
    running(known.it).is_some_and(|run| later.is_some_and(|later| running(later.it) == Some(run)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::tasks::made_up::{Tale, holds, wrong};
    use recovery::model::precheck::PrecheckItem;
    use serde_json::{Value, json};

    fn early(tale: &Tale, step: &str, before: &str) {
        let (task, step, before) = ("dts-1".into(), step.into(), before.into());
        assert_eq!(wrong(tale, check), vec![TaskViolation::StepTooEarly { task, step, before }]);
    }

    #[test]
    fn each_step_that_comes_too_early_is_found() {
        let mut tale = Tale::begin();
        tale.create().choose();
        early(&tale, "objects", "authorise");
        let mut tale = Tale::begin();
        tale.create().step("authorise").step("precheck");
        early(&tale, "precheck", "objects");
        let mut tale = Tale::begin();
        tale.ready().step("confirm");
        early(&tale, "confirm", "precheck");
        let mut tale = Tale::begin();
        tale.ready().precheck(&[]).step_with("purchase", json!({"terms_accepted": true}));
        early(&tale, "purchase", "confirm");
    }

    #[test]
    fn a_confirmation_after_a_failed_precheck_is_found() {
        let mut tale = Tale::begin();
        tale.ready().precheck(&[PrecheckItem::SameNameObject]).step("confirm");
        early(&tale, "confirm", "precheck");
    }

    #[test]
    fn a_confirmation_while_the_precheck_runs_is_found() {
        let mut tale = Tale::begin();
        tale.ready().begin_run("precheck").step("confirm").end_run(&[]);
        early(&tale, "confirm", "precheck");
    }

    #[test]
    fn a_confirmation_whose_precheck_ended_meanwhile_holds() {
        let mut tale = Tale::begin();
        tale.ready().begin_run("precheck").confirm();
        holds(&tale, check, 0);
    }

    #[test]
    fn steps_that_are_refused_as_too_early_hold() {
        let mut tale = Tale::begin();
        tale.create();
        for (step, code) in
            [("objects", EARLY[0]), ("precheck", EARLY[0]), ("confirm", EARLY[1]), ("purchase", EARLY[0])]
        {
            tale.refuse(step, Value::Null, 409, code);
        }
        holds(&tale, check, 4);
    }

    #[test]
    fn steps_in_their_order_exercise_nothing() {
        let mut tale = Tale::begin();
        tale.ready().precheck(&[]).confirm();
        holds(&tale, check, 0);
    }
}
