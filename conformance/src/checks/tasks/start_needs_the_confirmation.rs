//! After a passed precheck the user confirms, and buys where that is asked for; nothing migrates before, and nothing else
//! is demanded (TMP-44, CLN-41, CLN-45, CLN-46; C-06, C-13). A start after all failed items were shielded is a confirmation
//! (prechecks.md section 4; C-07).

use super::TaskViolation;
use super::calls::{asked_before, changed_between, changes};
use crate::catalogue::Source;
use crate::checks::Finding;
use crate::history::Call;
use crate::history::lens::{Lens, Seen, TaskStory};
use recovery::model::task::{Stage, TaskStatus};
use serde_json::Value;

/// Judges starts, purchases, refused confirmations, and tasks that wait for their confirmation.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for task in lens.tasks() {
        let id = || task.id.clone();
        if let Some(started) = task.started() {
            let confirmed =
                asked_before(lens, task, "confirm", started.index) || started_shielded(lens, task, started.index);
            let bought = lens.source_of(task.first) != Some(Source::Clone) || bought_before(lens, task, started.index);
            let violation = if confirmed {
                (!bought).then(|| TaskViolation::StartedUnbought { task: id() })
            } else {
                Some(TaskViolation::StartedUnconfirmed { task: id() })
            };
            finding.judge(&started, violation);
        } else if let Some(waiting) = waited(lens, task) {
            finding.judge(&waiting, None::<TaskViolation>);
        }
        for (call, step) in lens.calls_of_task(task.id) {
            match step {
                "purchase"
                    if !asked_before(lens, task, "confirm", call.index)
                        && call.it.status.is_some_and(|status| status < 500) =>
                {
                    finding.judge(&call, call.it.accepted().then(|| TaskViolation::BoughtUnconfirmed { task: id() }));
                }
                "confirm" if call.it.status == Some(409) || call.it.status == Some(400) => {
                    refused(lens, &mut finding, task, &call)
                }
                _ => {}
            }
        }
    }
    finding
}

/// Whether the user may have bought a task with ticked terms before an event.
fn bought_before<'a>(lens: &Lens<'a>, task: &TaskStory<'a>, index: usize) -> bool {
    let at = lens.history.events[index].at;
    changes(lens, task.id).any(|(call, step)| {
        let ticked = call.it.request.get("terms_accepted") == Some(&Value::Bool(true));
        step == "purchase" && ticked && (call.index < index || call.it.sent_at < at)
    })
}

/// Whether a start was asked for before an event while the run before had failed, by items that were all shielded.
fn started_shielded<'a>(lens: &Lens<'a>, task: &TaskStory<'a>, index: usize) -> bool {
    changes(lens, task.id).filter(|(call, step)| *step == "start" && call.index < index).any(|(call, _)| {
        let before = task.views.iter().rev().find(|seen| seen.index < call.index && seen.at <= call.it.sent_at);
        let run = before.and_then(|seen| seen.it.precheck.as_ref());
        let shields = |item| before.is_some_and(|seen| seen.it.shields.contains(item));
        let failed: Vec<_> = run.into_iter().flat_map(|run| &run.items).filter(|it| it.outcome.is_failure()).collect();
        !failed.is_empty() && failed.into_iter().all(|result| shields(&result.item))
    })
}

/// A later sight of a task that had passed and was never confirmed, or confirmed and not bought.
fn waited<'a>(lens: &Lens<'a>, task: &TaskStory<'a>) -> Option<Seen<'a, recovery::model::views::TaskView>> {
    let passed = task.first_in(TaskStatus::PrecheckPassed)?;
    let last = task.views.last().filter(|seen| seen.index > passed.index)?;
    let confirmed = asked_before(lens, task, "confirm", last.index);
    let to_buy = lens.source_of(task.first) == Some(Source::Clone) && !bought_before(lens, task, last.index);
    (!confirmed || to_buy).then_some(*last)
}

/// A confirmation that was refused though nothing but the confirmation was left to do.
fn refused<'a>(lens: &Lens<'a>, finding: &mut Finding, task: &TaskStory<'a>, call: &Seen<'_, Call>) {
    let passed = |seen: &Seen<'_, recovery::model::views::TaskView>| {
        seen.it.status == TaskStatus::PrecheckPassed && seen.it.stage < Stage::Confirmed
    };
    let before = task
        .views
        .iter()
        .rev()
        .find(|seen| seen.index < call.index && seen.at <= call.it.sent_at)
        .filter(|seen| passed(seen));
    let after = task.views.iter().find(|seen| seen.index > call.index).filter(|seen| passed(seen));
    let (Some(before), Some(after)) = (before, after) else { return };
    if !changed_between(lens, task, before, after) {
        let code = call.it.code().unwrap_or_default().to_owned();
        finding.judge(call, Some(TaskViolation::ConfirmationRefused { task: task.id.clone(), code }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::tasks::made_up::{Tale, holds, shop, wrong};
    use crate::checks::testing::{clone_of, start};
    use recovery::model::precheck::PrecheckItem;
    use serde_json::json;

    fn of_clone() -> Tale {
        let mut tale = Tale::between(&clone_of("rm-3", &shop(), start()), &shop());
        tale.ready().precheck(&[]);
        tale
    }

    #[test]
    fn a_task_that_migrates_without_confirmation_is_found() {
        let mut tale = Tale::begin();
        tale.ready().precheck(&[]).migrate();
        assert_eq!(wrong(&tale, check), vec![TaskViolation::StartedUnconfirmed { task: "dts-1".into() }]);
    }

    #[test]
    fn a_task_from_a_clone_that_migrates_unbought_is_found() {
        let mut tale = of_clone();
        tale.step("confirm").migrate();
        assert_eq!(wrong(&tale, check), vec![TaskViolation::StartedUnbought { task: "dts-1".into() }]);
    }

    #[test]
    fn a_purchase_without_confirmation_is_found() {
        let mut tale = of_clone();
        tale.step_with("purchase", json!({"terms_accepted": true}));
        assert_eq!(wrong(&tale, check), vec![TaskViolation::BoughtUnconfirmed { task: "dts-1".into() }]);
    }

    #[test]
    fn a_confirmation_that_is_refused_after_a_pass_is_found() {
        let mut tale = Tale::begin();
        tale.ready().precheck(&[]).refuse("confirm", Value::Null, 409, "OperationDenied.TaskStep").look();
        let code = "OperationDenied.TaskStep".into();
        assert_eq!(wrong(&tale, check), vec![TaskViolation::ConfirmationRefused { task: "dts-1".into(), code }]);
    }

    #[test]
    fn confirmed_bought_and_waiting_tasks_hold() {
        let mut tale = Tale::begin();
        tale.ready().precheck(&[]).confirm();
        holds(&tale, check, 1);
        let mut tale = of_clone();
        tale.refuse("purchase", json!({"terms_accepted": true}), 409, "OperationDenied.TaskStep").step("confirm");
        tale.step_with("purchase", json!({"terms_accepted": true})).migrate();
        holds(&tale, check, 2);
        let mut tale = of_clone();
        tale.step("confirm").look();
        holds(&tale, check, 1);
    }

    #[test]
    fn a_start_confirms_where_all_that_failed_is_shielded() {
        let item = PrecheckItem::SameNameObject;
        let mut tale = Tale::begin();
        tale.ready().precheck(&[item]).begin_run("start").end_run(&[]).migrate();
        assert_eq!(wrong(&tale, check), vec![TaskViolation::StartedUnconfirmed { task: "dts-1".into() }]);
        let mut tale = Tale::begin();
        tale.ready().precheck(&[]).begin_run("start").end_run(&[]).migrate();
        assert_eq!(wrong(&tale, check), vec![TaskViolation::StartedUnconfirmed { task: "dts-1".into() }]);
        let mut tale = Tale::begin();
        tale.ready().precheck(&[item]).set(|task| task.shields = [item].into()).step("shields");
        tale.begin_run("start").end_run(&[]).migrate();
        holds(&tale, check, 1);
    }

    #[test]
    fn a_task_that_never_passed_exercises_nothing() {
        let mut tale = Tale::begin();
        tale.ready();
        holds(&tale, check, 0);
    }
}
