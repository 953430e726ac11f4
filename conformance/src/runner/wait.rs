//! Waits until something is so.

use super::operator::{Operator, StepFailed, Stepped};
use super::restore::{second_of, until_covered};
use super::watch::watch;
use super::{logical, rebuild};
use jiff::{SignedDuration, Timestamp};
use recovery::model::backup::BackupStatus;
use recovery::model::instance::InstanceState;
use recovery::model::logical::backup::SetStatus;
use recovery::model::logical::views::{LogicalSetView, RestoreView};
use recovery::model::task::{MigrationType, PhaseStatus};
use recovery::model::views::{BackupView, TaskView};
use recovery::ports::clock::later;
use scenarios::{WaitStep, WaitUntil};

/// How long to wait before looking again, at first and at most.
const PAUSES_MS: (i64, i64) = (500, 10_000);

/// Waits before looking again, longer each time, but not past the end.
async fn pause(operator: &Operator, pause_ms: &mut i64, give_up: Timestamp) {
    let left_ms = i64::try_from(operator.now().duration_until(give_up).as_millis()).unwrap_or(i64::MAX).max(1);
    operator.sleep(SignedDuration::from_millis(left_ms.min(*pause_ms))).await;
    *pause_ms = (*pause_ms * 3 / 2).min(PAUSES_MS.1);
}

/// Waits, at most as long as the step says.
pub async fn wait(operator: &Operator, step: &WaitStep) -> Stepped {
    let at_most = SignedDuration::try_from(step.at_most).unwrap_or(SignedDuration::MAX);
    match &step.until {
        WaitUntil::Restore { restore, status } => {
            until_restore(operator, restore, at_most, &format!("{status:?}"), |view| view.status == *status).await
        }
        WaitUntil::RestoreRecords { restore, records } => {
            let reached = |view: &RestoreView| rebuild::written(view) >= *records;
            until_restore(operator, restore, at_most, &format!("{records} rows written"), reached).await
        }
        WaitUntil::LogicalSet { set, status } => until_set(operator, set, *status, at_most).await,
        WaitUntil::LogicalRestorable { task, mark } => {
            let task = logical::task_named(operator, task)?;
            logical::until_covered(operator, &task, logical::second_for(operator, mark, &task)?, at_most).await
        }
        WaitUntil::TaskStatus { task, status } => {
            until_task(operator, task, at_most, &format!("{status:?}"), |view| view.status == *status).await
        }
        WaitUntil::TaskStage { task, stage } => {
            until_task(operator, task, at_most, &format!("{stage:?}"), |view| view.stage >= *stage).await
        }
        WaitUntil::TaskPhase { task, phase, status } => {
            let reached = |view: &TaskView| has_reached(view, *phase, *status);
            until_task(operator, task, at_most, &format!("{phase:?} {status:?}"), reached).await
        }
        WaitUntil::TaskRows { task, rows } => {
            until_task(operator, task, at_most, &format!("{rows} rows copied"), |view| copied(view) >= *rows).await
        }
        WaitUntil::Instance { instance, state } => until_instance(operator, instance, *state, at_most).await,
        WaitUntil::Backup { backup, status } => until_backup(operator, backup, *status, at_most).await,
        WaitUntil::Restorable { of, mark } => {
            let id = operator.instance(of)?;
            until_covered(operator, &id, second_of(operator, mark, &id)?, at_most).await
        }
    }
}

/// Rows a task has written so far.
pub fn copied(view: &TaskView) -> u64 {
    view.progress.iter().map(|object| object.rows_written).sum()
}

/// Whether a phase has got at least so far.
pub fn has_reached(view: &TaskView, phase: MigrationType, status: PhaseStatus) -> bool {
    view.phases.get(&phase).is_some_and(|now| rank(*now) >= rank(status))
}

fn rank(status: PhaseStatus) -> u8 {
    match status {
        PhaseStatus::NotStarted => 0,
        PhaseStatus::Migrating => 1,
        PhaseStatus::Failed => 2,
        PhaseStatus::Catched => 3,
        PhaseStatus::Finished => 4,
    }
}

async fn until_task(
    operator: &Operator,
    name: &str,
    at_most: SignedDuration,
    want: &str,
    reached: impl Fn(&TaskView) -> bool,
) -> Stepped {
    let id = operator.task(name)?;
    let give_up = later(operator.now(), at_most);
    watch(operator, &id, give_up, &format!("task {name} {want}"), reached).await.map(drop)
}

async fn until_restore(
    operator: &Operator,
    name: &str,
    at_most: SignedDuration,
    want: &str,
    reached: impl Fn(&RestoreView) -> bool,
) -> Stepped {
    let id = rebuild::restore_named(operator, name)?;
    let give_up = later(operator.now(), at_most);
    watch(operator, &id, give_up, &format!("restore {name} {want}"), reached).await.map(drop)
}

async fn until_set(operator: &Operator, name: &str, status: SetStatus, at_most: SignedDuration) -> Stepped {
    let id = logical::set_named(operator, name).await?;
    let want = format!("set {name} {status:?}");
    let reached = |view: &LogicalSetView| view.status == status || view.status != SetStatus::Running;
    let view = logical::until_set(operator, &id, reached, at_most, &want).await?;
    operator.photograph_all(None).await;
    if view.status == status { Ok(()) } else { Err(StepFailed::new(want, logical::described(&view))) }
}

async fn until_instance(operator: &Operator, name: &str, state: InstanceState, at_most: SignedDuration) -> Stepped {
    let id = operator.instance(name)?;
    let give_up = later(operator.now(), at_most);
    let mut pause_ms = PAUSES_MS.0;
    loop {
        let seen = operator.see(&id).await?.map_or(InstanceState::Released, |view| view.state);
        if seen == state {
            return Ok(());
        }
        if operator.now() >= give_up {
            return Err(StepFailed::new(format!("{name} {state:?}"), format!("{seen:?} after {at_most:#}")));
        }
        pause(operator, &mut pause_ms, give_up).await;
    }
}

async fn until_backup(operator: &Operator, name: &str, status: BackupStatus, at_most: SignedDuration) -> Stepped {
    let id = operator.backups.borrow().get(name).cloned();
    let id = id.ok_or_else(|| StepFailed::new(format!("backup {name}"), "it was never taken"))?;
    let give_up = later(operator.now(), at_most);
    let mut pause_ms = PAUSES_MS.0;
    loop {
        let view: BackupView = operator.get(&format!("/v1/backups/{id}")).await?;
        if view.status == status {
            return Ok(());
        }
        if view.status != BackupStatus::Running || operator.now() >= give_up {
            return Err(StepFailed::new(format!("backup {name} {status:?}"), format!("{:?}", view.status)));
        }
        pause(operator, &mut pause_ms, give_up).await;
    }
}
