//! The life of a task once it is configured: precheck, confirmation, start, pause, stop and delete.

use super::{changed, configuration, find, has_reached, shields, wrong_status};
use crate::model::TaskId;
use crate::model::decide::{Context, Decided, Decision, charges, recoveries, refuse};
use crate::model::policy::Policy;
use crate::model::precheck::PrecheckRun;
use crate::model::refusal::{Refusal, RefusalCode};
use crate::model::state::StateChange;
use crate::model::task::{MigrationType, PhaseStatus, Stage, Task, TaskFailure, TaskStatus};
use crate::model::views::Purchase;
use crate::ports::clock::later_s;
use jiff::Timestamp;

/// "Pre-check and start": begins a fresh precheck run. What was confirmed on an earlier pass has to be confirmed again.
///
/// # Errors
/// `InvalidTaskId.NotFound`, `OperationDenied.TaskStatus`, `OperationDenied.TaskStep`.
pub fn precheck(ctx: &Context<'_>, id: &TaskId) -> Decided<()> {
    let task = find(ctx, id)?;
    let (TaskStatus::NotStarted | TaskStatus::PrecheckFailed | TaskStatus::PrecheckPassed) = task.status else {
        return wrong_status(task, "a precheck is for a task that has not started and is not being checked");
    };
    has_reached(task, Stage::Selected, "choose types and objects")?;
    changed(ctx, task, prechecking(ctx, task, Stage::Selected)?)
}

/// The task with a new precheck run at its beginning.
fn prechecking(ctx: &Context<'_>, task: &Task, stage: Stage) -> Result<Task, Refusal> {
    recoveries::none_on(ctx, task)?;
    let number = task.precheck_runs + 1;
    let run = PrecheckRun::begin(number, ctx.now, configuration(ctx.state, task));
    Ok(Task {
        stage,
        status: TaskStatus::Prechecking,
        precheck: Some(run),
        precheck_runs: number,
        lease: None,
        ..task.clone()
    })
}

/// OK after a passed precheck (TMP-48, C-06). Where no purchase is needed the start follows by itself, guarded by a fresh
/// precheck run: between the pass and the OK the world may have changed, and a stale pass never counts (C-07).
///
/// # Errors
/// `InvalidTaskId.NotFound`, `OperationDenied.TaskStatus`.
pub fn confirm(ctx: &Context<'_>, id: &TaskId) -> Decided<()> {
    let task = find(ctx, id)?;
    if task.status != TaskStatus::PrecheckPassed {
        return wrong_status(task, "OK is said after a passed precheck");
    }
    let after = if task.purchase_required {
        Task { stage: Stage::Confirmed, ..task.clone() }
    } else {
        prechecking(ctx, task, Stage::Ordered)?
    };
    changed(ctx, task, after)
}

/// Buys a confirmed task of the clone flow (CLN-46 to CLN-48); it starts as after [`confirm`].
///
/// # Errors
/// `InvalidTaskId.NotFound`, `OperationDenied.TaskStep`, `OperationDenied.TermsNotAccepted` (CLN-47).
pub fn purchase(ctx: &Context<'_>, id: &TaskId, purchase: &Purchase) -> Decided<()> {
    let task = find(ctx, id)?;
    if !task.purchase_required {
        return refuse(RefusalCode::TaskStep, format!("task {id} needs no purchase; OK after its precheck starts it"));
    }
    if task.stage != Stage::Confirmed || task.status != TaskStatus::PrecheckPassed {
        let detail =
            format!("task {id} is {:?} and {:?}; pass the precheck and confirm first", task.stage, task.status);
        return refuse(RefusalCode::TaskStep, detail);
    }
    if !purchase.terms_accepted {
        let detail = "the terms of service have to be accepted: terms_accepted is false";
        return refuse(RefusalCode::TermsNotAccepted, detail);
    }
    changed(ctx, task, prechecking(ctx, task, Stage::Ordered)?)
}

/// Start in the task list: from not started or a failed precheck a fresh precheck (C-07, TMP-46), from paused or failed
/// the migration goes on. Where all failed items are shielded the start is the user's OK, and a fresh precheck that passes
/// begins the migration (prechecks.md section 4), unless it has to be bought first (C-06).
///
/// # Errors
/// `InvalidTaskId.NotFound`, `OperationDenied.TaskStatus`, `OperationDenied.TaskStep`.
pub fn start(ctx: &Context<'_>, id: &TaskId) -> Decided<()> {
    let task = find(ctx, id)?;
    match task.status {
        TaskStatus::PrecheckFailed if shields::cover(task) && !task.purchase_required => {
            has_reached(task, Stage::Selected, "choose types and objects")?;
            changed(ctx, task, prechecking(ctx, task, Stage::Ordered)?)
        }
        TaskStatus::NotStarted | TaskStatus::PrecheckFailed => precheck(ctx, id),
        TaskStatus::Suspending => resume(ctx, id),
        TaskStatus::MigrationFailed if task.failure.as_ref().is_some_and(TaskFailure::may_pass) => {
            recoveries::none_on(ctx, task)?;
            changed(ctx, task, go_on(task, ctx.now))
        }
        TaskStatus::MigrationFailed => wrong_status(task, "its failure does not pass; delete it and make another task"),
        TaskStatus::PrecheckPassed => wrong_status(task, "say OK to start it"),
        TaskStatus::Finished => wrong_status(task, "it never starts again; make another task"),
        TaskStatus::Prechecking | TaskStatus::Migrating => wrong_status(task, "it has started"),
    }
}

/// Goes on with a paused task (DTS-22: not after six hours in the incremental phase).
///
/// # Errors
/// `InvalidTaskId.NotFound`, `OperationDenied.TaskStatus`.
pub fn resume(ctx: &Context<'_>, id: &TaskId) -> Decided<()> {
    let task = find(ctx, id)?;
    if task.status != TaskStatus::Suspending {
        return wrong_status(task, "only a paused task can be resumed");
    }
    if pause_over_at(ctx.policy, task).is_some_and(|over_at| over_at < ctx.now) {
        return wrong_status(task, "it was paused for too long in the incremental phase; make another task");
    }
    changed(ctx, task, go_on(task, ctx.now))
}

/// Pauses a task; only while it migrates (DTS-22). Incremental migration stays billed, since the log is kept for it.
///
/// # Errors
/// `InvalidTaskId.NotFound`, `OperationDenied.TaskStatus`.
pub fn pause(ctx: &Context<'_>, id: &TaskId) -> Decided<()> {
    let task = find(ctx, id)?;
    if task.status != TaskStatus::Migrating {
        return wrong_status(task, "only a migrating task can be paused");
    }
    let after = Task { status: TaskStatus::Suspending, paused_at: Some(ctx.now), lease: None, ..task.clone() };
    changed(ctx, task, after)
}

/// Stops a task for good; only while it migrates (DTS-23). What was broken off shows as a failed phase, the incremental
/// phase, which ends in no other way, as finished (DTS-11).
///
/// # Errors
/// `InvalidTaskId.NotFound`, `OperationDenied.TaskStatus`.
pub fn stop(ctx: &Context<'_>, id: &TaskId) -> Decided<()> {
    let task = find(ctx, id)?;
    if task.status != TaskStatus::Migrating {
        return wrong_status(task, "only a migrating task can be stopped; any task can be deleted");
    }
    let mut after = task.clone();
    if is_incremental(task) {
        after.phases.insert(MigrationType::Incremental, PhaseStatus::Finished);
    }
    phases_fail(&mut after);
    after = Task {
        status: TaskStatus::Finished,
        ended_at: Some(ctx.now),
        lease: None,
        incremental_since: None,
        failed_since: None,
        retries: 0,
        ..after
    };
    changed(ctx, task, after)
}

/// Deletes a task in whatever status, for good (DTS-23).
///
/// # Errors
/// `InvalidTaskId.NotFound`.
pub fn delete(ctx: &Context<'_>, id: &TaskId) -> Decided<()> {
    find(ctx, id)?;
    let mut changes = charges::end(ctx, id.as_str());
    changes.push(StateChange::DropTask(id.clone()));
    Ok(Decision::new(changes, ()))
}

/// Whether the incremental phase is under way (also while paused).
fn is_incremental(task: &Task) -> bool {
    let phase = task.phases.get(&MigrationType::Incremental);
    matches!(phase, Some(PhaseStatus::Migrating | PhaseStatus::Catched))
}

/// Until when a paused task may be resumed, that second included; without end outside the incremental phase (DTS-22).
pub(in crate::model::decide) fn pause_over_at(policy: &Policy, task: &Task) -> Option<Timestamp> {
    let paused_at = task.paused_at.filter(|_| task.status == TaskStatus::Suspending && is_incremental(task))?;
    Some(later_s(paused_at, policy.incremental_pause_s))
}

/// Marks the phases under way as failed.
pub(in crate::model::decide) fn phases_fail(task: &mut Task) {
    for status in task.phases.values_mut() {
        if matches!(status, PhaseStatus::Migrating | PhaseStatus::Catched) {
            *status = PhaseStatus::Failed;
        }
    }
}

/// The task at the beginning of its migration, after the precheck that guards it.
pub(in crate::model::decide) fn begin_migration(task: &mut Task, now: Timestamp) {
    task.status = TaskStatus::Migrating;
    task.phases = task.types.iter().map(|phase| (*phase, PhaseStatus::NotStarted)).collect();
    task.progress.clear();
    task.planned.clear();
    task.log_position = None;
    task.started_at = Some(now);
    task.lease = None;
}

/// The task going on after a pause or failure, from where it was.
pub(in crate::model::decide) fn go_on(task: &Task, now: Timestamp) -> Task {
    let mut after = Task {
        status: TaskStatus::Migrating,
        failure: None,
        retry_at: None,
        paused_at: None,
        lease: None,
        follow_at: None,
        ..task.clone()
    };
    for status in after.phases.values_mut().filter(|status| **status == PhaseStatus::Failed) {
        *status = PhaseStatus::Migrating;
    }
    if is_incremental(&after) {
        after.incremental_since.get_or_insert(now);
    }
    after
}
