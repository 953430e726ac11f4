//! What a fault waits for.

use super::super::logical::{self, covers, second_for, set_named};
use super::super::operator::{Operator, Stepped};
use super::super::rebuild;
use super::super::restore::{is_covered, second_of};
use super::super::wait::{self, copied};
use jiff::SignedDuration;
use recovery::model::instance::InstanceState;
use recovery::model::logical::views::LogicalSetView;
use recovery::model::task::TaskStatus;
use recovery::model::views::{BackupView, TaskView};
use scenarios::WaitUntil;
use std::pin::pin;

/// How often to look, at first and at most: as a wait of the operator looks at a task.
const PAUSES_MS: (i64, i64) = (20, 60_000);

/// What a look shows.
enum Look {
    /// What is waited for has no name yet.
    Nothing,
    /// It waits for its user.
    Waits,
    /// It is not so; while it changes, it is looked at often.
    NotYet(String),
    /// It is so.
    So,
}

/// Waits until something is so; for ever where it never is. It costs nothing as long as what it names was not made.
pub async fn until_so(operator: &Operator, condition: &WaitUntil) {
    let (mut last, mut pause_ms) = (String::new(), PAUSES_MS.0);
    loop {
        // Before looking, so that nothing is missed that is written down meanwhile.
        let (event, change) = (operator.recorder.next_event(), operator.recorder.next_change());
        let (mut event, mut change) = (pin!(event), pin!(change));
        event.as_mut().enable();
        change.as_mut().enable();
        let look = match look(operator, condition).await {
            Ok(look) => look,
            // No answer now; somebody else reports it where it matters.
            Err(_) => Look::NotYet(last.clone()),
        };
        match look {
            Look::So => {
                operator.photograph_all(None).await;
                return;
            }
            Look::Nothing => event.await,
            Look::Waits => change.await,
            Look::NotYet(now) => {
                if now != last {
                    operator.photograph_all(None).await;
                    (last, pause_ms) = (now, PAUSES_MS.0);
                }
                operator.sleep(SignedDuration::from_millis(pause_ms)).await;
                pause_ms = (pause_ms * 4 / 3).min(PAUSES_MS.1);
            }
        }
    }
}

fn so(is: bool, state: impl FnOnce() -> String) -> Look {
    if is { Look::So } else { Look::NotYet(state()) }
}

async fn look(operator: &Operator, condition: &WaitUntil) -> Stepped<Look> {
    Ok(match condition {
        WaitUntil::TaskStatus { task, status } => of_task(operator, task, |view| view.status == *status).await?,
        WaitUntil::TaskStage { task, stage } => of_task(operator, task, |view| view.stage >= *stage).await?,
        WaitUntil::TaskPhase { task, phase, status } => {
            of_task(operator, task, |view| wait::has_reached(view, *phase, *status)).await?
        }
        WaitUntil::TaskRows { task, rows } => of_task(operator, task, |view| copied(view) >= *rows).await?,
        WaitUntil::Instance { instance, state } => {
            let Ok(id) = operator.instance(instance) else { return Ok(Look::Nothing) };
            let seen = operator.see(&id).await?.map_or(InstanceState::Released, |view| view.state);
            so(seen == *state, || format!("{seen:?}"))
        }
        WaitUntil::Backup { backup, status } => {
            let id = operator.backups.borrow().get(backup).cloned();
            let Some(id) = id else { return Ok(Look::Nothing) };
            let view: BackupView = operator.get(&format!("/v1/backups/{id}")).await?;
            so(view.status == *status, || format!("{:?}", view.status))
        }
        WaitUntil::Restorable { of, mark } => {
            let Ok(id) = operator.instance(of) else { return Ok(Look::Nothing) };
            let Ok(second) = second_of(operator, mark, &id) else { return Ok(Look::Nothing) };
            so(is_covered(operator, &id, second).await?, String::new)
        }
        WaitUntil::Restore { .. }
        | WaitUntil::RestoreRecords { .. }
        | WaitUntil::LogicalSet { .. }
        | WaitUntil::LogicalRestorable { .. } => logically(operator, condition).await?,
    })
}

async fn logically(operator: &Operator, condition: &WaitUntil) -> Stepped<Look> {
    Ok(match condition {
        WaitUntil::Restore { restore, .. } | WaitUntil::RestoreRecords { restore, .. } => {
            let Ok(id) = rebuild::restore_named(operator, restore) else { return Ok(Look::Nothing) };
            let Some(view) = rebuild::see(operator, &id).await? else { return Ok(Look::NotYet(String::new())) };
            let is = match condition {
                WaitUntil::Restore { status, .. } => view.status == *status,
                WaitUntil::RestoreRecords { records, .. } => rebuild::written(&view) >= *records,
                _ => false,
            };
            so(is, || format!("{:?}", view.status))
        }
        WaitUntil::LogicalSet { set, status } => {
            let has_log = |task| logical::task_named(operator, task).is_ok();
            if !operator.logical.sets.borrow().contains_key(set) && !set.strip_suffix(" log").is_some_and(has_log) {
                return Ok(Look::Nothing);
            }
            let id = set_named(operator, set).await?;
            let view: LogicalSetView = operator.get(&format!("/v1/logical-backup-sets/{id}")).await?;
            so(view.status == *status, || format!("{:?}", view.status))
        }
        WaitUntil::LogicalRestorable { task, mark } => {
            let Ok(task) = logical::task_named(operator, task) else { return Ok(Look::Nothing) };
            let Ok(second) = second_for(operator, mark, &task) else { return Ok(Look::Nothing) };
            so(covers(&logical::restorable(operator, &task).await?, second), String::new)
        }
        _ => Look::Nothing,
    })
}

async fn of_task(operator: &Operator, name: &str, is: impl Fn(&TaskView) -> bool) -> Stepped<Look> {
    let Ok(id) = operator.task(name) else { return Ok(Look::Nothing) };
    let Some(view) = operator.see_task(&id).await? else { return Ok(Look::NotYet(String::new())) };
    Ok(match view.status {
        _ if is(&view) => Look::So,
        // These change by the user's requests alone, and those are written down.
        TaskStatus::NotStarted
        | TaskStatus::PrecheckFailed
        | TaskStatus::PrecheckPassed
        | TaskStatus::Suspending
        | TaskStatus::Finished => Look::Waits,
        TaskStatus::Prechecking | TaskStatus::Migrating | TaskStatus::MigrationFailed => {
            Look::NotYet(format!("{:?} {:?}", view.status, view.phases))
        }
    })
}
