//! Decisions on logical backup tasks: made, run again, stopped.

use super::taking::Desk;
use super::{backup_task, check_name, invalid, source};
use crate::model::decide::{Context, Decided, Decision, instances, refuse};
use crate::model::logical::backup::{LogicalBackupTask, LogicalTaskState, LogicalType, Schedule};
use crate::model::logical::source::DataSource;
use crate::model::logical::views::NewLogicalBackupTask;
use crate::model::refusal::{Refusal, RefusalCode};
use crate::model::{SetId, TaskId};

/// Makes a backup task; its first set is begun at once.
///
/// # Errors
/// `InvalidParameter`, `InvalidDataSource.NotFound`, `OperationDenied.BackupType` (LOG-06), and those of
/// [`instances::running`].
pub fn create(ctx: &Context<'_>, new: &NewLogicalBackupTask) -> Decided<TaskId> {
    check_name(ctx, &new.name)?;
    let retention_days = retention(ctx, new.retention_days)?;
    check_schedule(new.schedule.as_ref())?;
    if new.databases.iter().any(|database| database.trim().is_empty()) {
        return invalid("databases holds an empty name; leave databases out for all of them");
    }
    let source = source(ctx.state, &new.source)?;
    check_type(ctx, source, new.backup_type)?;
    instances::running(ctx, &source.instance)?;
    let task = LogicalBackupTask {
        id: TaskId((ctx.new_id)("bk-")),
        name: new.name.clone(),
        source: source.id.clone(),
        product: source.product,
        backup_type: new.backup_type,
        databases: new.databases.clone(),
        schedule: new.schedule.clone(),
        retention_days,
        state: LogicalTaskState::Normal,
        running: None,
        log: None,
        log_due_at: None,
        retries: 0,
        retry_at: None,
        away_since: None,
        lease: None,
        collecting: false,
        epochs: 0,
        created_at: ctx.now,
        stopped_at: None,
    };
    let id = task.id.clone();
    let mut desk = Desk::new(ctx, &task);
    desk.begin();
    Ok(Decision::new(desk.changes(), id))
}

/// Takes another full or structure set.
///
/// # Errors
/// `InvalidTaskId.NotFound`, `OperationDenied.TaskStatus` when it was stopped, `OperationDenied.BackupJobExists`, and those
/// of [`instances::running`].
pub fn run(ctx: &Context<'_>, id: &TaskId) -> Decided<SetId> {
    let task = normal(ctx, id)?;
    if let Some(set) = &task.running {
        let detail = format!("backup set {set} of backup task {id} is being taken; wait until it has ended");
        return refuse(RefusalCode::BackupJobExists, detail);
    }
    instances::running(ctx, &source(ctx.state, &task.source)?.instance)?;
    let mut desk = Desk::new(ctx, task);
    let set = desk.begin();
    Ok(Decision::new(desk.changes(), set))
}

/// Stops a task for good. Its sets stay, and can be restored.
///
/// # Errors
/// `InvalidTaskId.NotFound`, `OperationDenied.TaskStatus` when it was stopped before.
pub fn stop(ctx: &Context<'_>, id: &TaskId) -> Decided<()> {
    let mut desk = Desk::new(ctx, normal(ctx, id)?);
    desk.stop(ctx.now);
    Ok(Decision::new(desk.changes(), ()))
}

fn normal<'a>(ctx: &Context<'a>, id: &TaskId) -> Result<&'a LogicalBackupTask, Refusal> {
    let task = backup_task(ctx.state, id)?;
    match task.state {
        LogicalTaskState::Normal => Ok(task),
        LogicalTaskState::Stopped => {
            refuse(RefusalCode::TaskStatus, format!("backup task {id} was stopped and never runs again; make another"))
        }
    }
}

/// Which engine has which logical backup (LOG-06: a log for MySQL only).
fn check_type(ctx: &Context<'_>, source: &DataSource, wanted: LogicalType) -> Result<(), Refusal> {
    let engine = source.product.engine;
    if ctx.policy.logical_excluded_engines.contains(&engine) {
        let detail = format!("data source {} is {engine}, and that has no logical backup", source.id);
        return refuse(RefusalCode::BackupTypeNotSupported, detail);
    }
    if wanted == LogicalType::StructureFullLog && !ctx.policy.logical_log_engines.contains(&engine) {
        let detail = format!(
            "data source {} is {engine}, whose logical backups have no log; choose structure or structure-full",
            source.id
        );
        return refuse(RefusalCode::BackupTypeNotSupported, detail);
    }
    Ok(())
}

/// The days given, if they can be chosen; the first that can without.
fn retention(ctx: &Context<'_>, given: Option<u16>) -> Result<u16, Refusal> {
    let possible = &ctx.policy.logical_retention_days;
    match given.or(possible.first().copied()) {
        Some(days) if possible.contains(&days) => Ok(days),
        _ => invalid(format!("retention_days has to be one of {possible:?}")),
    }
}

fn check_schedule(schedule: Option<&Schedule>) -> Result<(), Refusal> {
    match schedule {
        Some(schedule) if schedule.weekdays.is_empty() => {
            invalid("schedule.weekdays is empty; name at least one day, or leave the schedule out")
        }
        Some(schedule) if schedule.hour > 23 => {
            invalid(format!("schedule.hour is {}; 0 to 23 are possible", schedule.hour))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
#[path = "tasks_tests.rs"]
mod tests;
