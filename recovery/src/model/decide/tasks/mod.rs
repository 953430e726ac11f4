//! Decisions on migration tasks: from configuration to the end of their life (rules.md section 8.3).

mod configure;
mod life;
mod objects;
mod shields;
mod topology;

pub use configure::{authorise, create, edit};
pub(super) use life::{begin_migration, go_on, pause_over_at, phases_fail};
pub use life::{confirm, delete, pause, precheck, purchase, resume, start, stop};
pub use objects::select;
pub(super) use shields::settings;
pub use shields::{configuration, shield};
pub use topology::way_back;

use super::{Context, Decided, Decision, charges, refuse};
use crate::model::TaskId;
use crate::model::refusal::{Refusal, RefusalCode};
use crate::model::state::StateChange;
use crate::model::task::{Stage, Task, TaskStatus};

pub(super) fn find<'a>(ctx: &Context<'a>, id: &TaskId) -> Result<&'a Task, Refusal> {
    ctx.state.tasks.get(id).ok_or_else(|| {
        Refusal::new(
            RefusalCode::TaskNotFound,
            format!("there is no migration task {id}; GET /v1/migration-tasks lists those there are"),
        )
    })
}

/// The changes that put a task in the place of what it was, with the bill for its incremental phase (DTS-12).
pub(super) fn put(ctx: &Context<'_>, before: &Task, mut after: Task) -> Vec<StateChange> {
    let mut changes = Vec::new();
    match (before.incremental_since, after.incremental_since) {
        (None, Some(_)) => {
            let price = ctx.policy.incremental_cents_per_hour;
            changes.push(charges::begin(ctx, after.id.as_str(), charges::INCREMENTAL, price));
        }
        (Some(since), None) => {
            let span_s = since.duration_until(ctx.now).as_secs();
            after.incremental_billed_s += u64::try_from(span_s).unwrap_or(0);
            changes.extend(charges::end(ctx, after.id.as_str()));
        }
        _ => {}
    }
    changes.push(StateChange::Task(Box::new(after)));
    changes
}

/// The decision that changes a task and says nothing more.
pub(super) fn changed(ctx: &Context<'_>, before: &Task, after: Task) -> Decided<()> {
    Ok(Decision::new(put(ctx, before, after), ()))
}

fn wrong_status<T>(task: &Task, wanted: &str) -> Result<T, Refusal> {
    refuse(RefusalCode::TaskStatus, format!("task {} is {:?}; {wanted}", task.id, task.status))
}

/// A task whose configuration may be changed: nothing runs, and nothing ran yet.
fn configurable<'a>(ctx: &Context<'a>, id: &TaskId) -> Result<&'a Task, Refusal> {
    let task = find(ctx, id)?;
    match task.status {
        TaskStatus::NotStarted | TaskStatus::PrecheckFailed | TaskStatus::PrecheckPassed => Ok(task),
        _ => wrong_status(task, "it can be changed only before it starts, while no precheck runs"),
    }
}

fn has_reached(task: &Task, stage: Stage, first: &str) -> Result<(), Refusal> {
    if task.stage >= stage {
        return Ok(());
    }
    refuse(RefusalCode::TaskStep, format!("task {} is {:?}; {first} first", task.id, task.stage))
}

#[cfg(test)]
mod tests;
