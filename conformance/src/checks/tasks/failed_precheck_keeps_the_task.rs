//! After a failed precheck the task is there as it was, and can be started again (TMP-46, CLN-43, DTS-10; C-07).

use super::TaskViolation;
use super::calls::{changed_between, changes};
use super::runs::runs_of;
use crate::checks::Finding;
use crate::checks::temporary::witness::at_event;
use crate::history::Call;
use crate::history::lens::{Lens, Seen, TaskStory};
use recovery::model::TaskId;
use recovery::model::task::TaskStatus;
use recovery::model::views::TaskView;
use serde_json::Value;

/// Judges what becomes of a task after each failed run: it stays, keeps its settings, and is checked again when asked.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for task in lens.tasks() {
        for run in runs_of(lens, task).into_iter().filter(|run| run.seen.it.status == TaskStatus::PrecheckFailed) {
            let next = task.views.iter().find(|seen| seen.index > run.seen.index);
            if let Some((index, at)) = vanished(lens, task, run.seen.index) {
                finding.judge(&at_event(index, at), Some(TaskViolation::Vanished { task: task.id.clone() }));
            } else if let Some(next) = next {
                finding.judge(next, lost(lens, task, &run.seen, next));
            }
            let restart = lens.calls_of_task(task.id).find(|(call, step)| {
                matches!(*step, "start" | "precheck") && call.index > run.seen.index && call.it.sent_at >= run.seen.at
            });
            if let Some((call, _)) = restart {
                restarted(lens, &mut finding, task, &call);
            }
        }
    }
    finding
}

/// When a task was first not there after an event though nobody had deleted it.
fn vanished<'a>(lens: &Lens<'a>, task: &TaskStory<'a>, after: usize) -> Option<(usize, jiff::Timestamp)> {
    let unlisted =
        lens.calls_to("GET /v1/migration-tasks").filter(|(call, _)| call.it.accepted() && !lists(call.it, task.id));
    let absent = task.gone.iter().copied().chain(unlisted.map(|(call, _)| (call.index, call.at)));
    let first = absent.filter(|(index, _)| *index > after).min()?;
    let deleted = changes(lens, task.id)
        .any(|(call, step)| step.is_empty() && call.it.method == "DELETE" && call.it.sent_at <= first.1);
    (!deleted).then_some(first)
}

/// Whether a list has a task; one that is no list of everything says nothing.
fn lists(call: &Call, task: &TaskId) -> bool {
    let listed = call.answer.get("tasks").and_then(Value::as_array);
    call.path.contains('?') || listed.is_none_or(|tasks| tasks.iter().any(|shown| shown["id"] == task.as_str()))
}

/// What the next sight of a task no longer has of what it had, though nobody changed it.
fn lost<'a>(
    lens: &Lens<'a>,
    task: &TaskStory<'a>,
    failed: &Seen<'_, TaskView>,
    next: &Seen<'_, TaskView>,
) -> Option<TaskViolation> {
    let id = task.id.clone();
    let (had, has) = (failed.it, next.it);
    let changed = changed_between(lens, task, failed, next);
    if has.status == TaskStatus::Finished && !changed {
        return Some(TaskViolation::EndedByPrecheck { task: id, status: has.status });
    }
    let edited = changes(lens, task.id).any(|(call, step)| {
        let edits = call.it.method == "PUT" && matches!(step, "" | "objects");
        edits && (call.index > failed.index || super::calls::unanswered(call.it)) && call.it.sent_at <= next.at
    });
    let kept = [
        ("name", had.name == has.name),
        ("source", had.source == has.source),
        ("target", had.target == has.target),
        ("types", had.types == has.types),
        ("objects", had.objects == has.objects),
        ("same-name mode", had.same_name == has.same_name),
        ("advice left out", had.without_advice == has.without_advice),
    ];
    let what = kept.into_iter().find(|(_, kept)| !kept).map(|(what, _)| what.to_owned()).filter(|_| !edited)?;
    Some(TaskViolation::SettingsLost { task: id, what })
}

/// Judges the first start after a failed run, if nothing else happened to the task.
fn restarted<'a>(lens: &Lens<'a>, finding: &mut Finding, task: &TaskStory<'a>, call: &Seen<'_, Call>) {
    let before = task.views.iter().rev().find(|seen| seen.index < call.index && seen.at <= call.it.sent_at);
    let Some(before) = before.filter(|seen| seen.it.status == TaskStatus::PrecheckFailed) else { return };
    if changed_between(lens, task, before, call) {
        return;
    }
    if call.it.accepted() {
        finding.judge(call, None::<TaskViolation>);
    } else if matches!(call.it.status, Some(400 | 409)) {
        let code = call.it.code().unwrap_or_default().to_owned();
        finding.judge(call, Some(TaskViolation::StartRefused { task: task.id.clone(), code }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::tasks::made_up::{Tale, holds, wrong};
    use crate::history::What;
    use recovery::model::precheck::PrecheckItem;
    use serde_json::json;

    fn failed() -> Tale {
        let mut tale = Tale::begin();
        tale.ready().precheck(&[PrecheckItem::SameNameObject]);
        tale
    }

    #[test]
    fn a_task_that_is_gone_or_no_longer_listed_is_found() {
        let expected = vec![TaskViolation::Vanished { task: "dts-1".into() }];
        let mut tale = failed();
        tale.story.push(What::TaskGone { id: "dts-1".into() });
        assert_eq!(wrong(&tale, check), expected);
        let mut tale = failed();
        tale.story.call("GET /v1/migration-tasks", Value::Null, 200, json!({"tasks": []}));
        assert_eq!(wrong(&tale, check), expected);
    }

    #[test]
    fn settings_that_are_lost_are_found() {
        let mut tale = failed();
        tale.set(|task| task.objects.clear()).look();
        assert_eq!(
            wrong(&tale, check),
            vec![TaskViolation::SettingsLost { task: "dts-1".into(), what: "objects".into() }]
        );
    }

    #[test]
    fn a_task_at_its_end_is_found() {
        let mut tale = failed();
        tale.finish();
        let status = TaskStatus::Finished;
        assert_eq!(wrong(&tale, check), vec![TaskViolation::EndedByPrecheck { task: "dts-1".into(), status }]);
    }

    #[test]
    fn a_start_that_is_refused_is_found() {
        let mut tale = failed();
        tale.refuse("start", Value::Null, 409, "OperationDenied.TaskStatus");
        let code = "OperationDenied.TaskStatus".into();
        assert_eq!(wrong(&tale, check), vec![TaskViolation::StartRefused { task: "dts-1".into(), code }]);
    }

    #[test]
    fn a_task_that_stays_and_is_checked_again_holds() {
        let mut tale = failed();
        tale.story.call("GET /v1/migration-tasks", Value::Null, 200, json!({"tasks": [tale.task]}));
        tale.look().begin_run("start").end_run(&[]);
        holds(&tale, check, 2);
    }

    #[test]
    fn a_task_that_its_user_deletes_or_nobody_looks_at_again_exercises_nothing() {
        holds(&failed(), check, 0);
        let mut tale = failed();
        tale.story.call("DELETE /v1/migration-tasks/dts-1", Value::Null, 204, Value::Null);
        tale.story.push(What::TaskGone { id: "dts-1".into() });
        holds(&tale, check, 0);
    }
}
