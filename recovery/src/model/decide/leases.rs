//! Leases: which task a worker gets, and what its reports mean.

use super::{Context, Decided, Decision, refuse, tasks};
use crate::model::TaskId;
use crate::model::content::Object;
use crate::model::precheck::{PrecheckOutcome, PrecheckResult};
use crate::model::refusal::{Refusal, RefusalCode};
use crate::model::state::StateChange;
use crate::model::task::{
    ConnectionMode, Lease, MigrationType, ObjectProgress, PhaseStatus, Side, Stage, Task, TaskFailure, TaskStatus, Work,
};
use crate::model::work::{Access, Job, LeaseKept, LeasedWork, MigrationJob, Report, Reports};
use crate::ports::clock::later_s;
use crate::ports::database::Login;

/// Seconds between two automatic retries at most.
const RETRY_MOST_S: i64 = 3_600;

/// Gives a worker the oldest task that has work and no lease; a lease that lapsed counts for nothing.
pub fn next(ctx: &Context<'_>, worker: &str) -> Option<Decision<LeasedWork>> {
    let is_free = |task: &&Task| task.lease.as_ref().is_none_or(|lease| lease.until <= ctx.now);
    let waiting = ctx.state.tasks.values().filter(|task| task.work().is_some()).filter(is_free);
    let task = waiting.min_by_key(|task| (task.created_at, &task.id))?;
    let mut after = task.clone();
    after.epochs += 1;
    let until = later_s(ctx.now, ctx.policy.lease_s);
    after.lease = Some(Lease { worker: worker.to_owned(), epoch: after.epochs, until });
    if let (TaskStatus::Prechecking, Some(run)) = (after.status, after.precheck.as_mut()) {
        // What another worker found before it went away is looked at anew (C-07).
        run.items.clear();
    }
    let work = LeasedWork {
        task: task.id.clone(),
        epoch: after.epochs,
        lease_s: ctx.policy.lease_s,
        job: Job::Migration(Box::new(MigrationJob {
            work: task.work()?,
            source: access(ctx, &task.source)?,
            target: access(ctx, &task.target)?,
            types: task.types.clone(),
            objects: task.objects.clone(),
            same_name: task.same_name,
            progress: task.progress.clone(),
            planned: task.planned.clone(),
            loaded: is_loaded(task),
            log_position: task.log_position,
            chunk_rows: ctx.policy.chunk_rows,
            connection_retry_s: ctx.policy.connection_retry_s,
        })),
    };
    Some(Decision::new(vec![StateChange::Task(Box::new(after))], work))
}

/// How a worker reaches one side; without an endpoint when the instance is gone.
fn access(ctx: &Context<'_>, side: &Side) -> Option<Access> {
    let instance = ctx.state.instances.get(&side.instance)?;
    Some(Access {
        instance: side.instance.0.clone(),
        endpoint: instance.endpoint.clone().filter(|_| instance.is_there(ctx.now)),
        product: instance.product,
        login: Login {
            account: side.account.clone(),
            password: side.password.clone(),
            ssl: side.connection == ConnectionMode::Ssl,
        },
    })
}

/// Whether every phase before the incremental one is done.
fn is_loaded(task: &Task) -> bool {
    let before = task.types.iter().filter(|phase| **phase != MigrationType::Incremental);
    before.into_iter().all(|phase| task.phases.get(phase) == Some(&PhaseStatus::Finished))
}

/// Takes a worker's reports, all of them or none, and renews its lease while there is more to do. A report may arrive
/// twice or late; one that would turn progress back is passed over.
///
/// # Errors
/// `LeaseLost` when the lease lapsed or passed on, or the task was paused, stopped or deleted; `InvalidParameter` for
/// reports that make no sense for the task.
pub fn report(ctx: &Context<'_>, task: &TaskId, reports: &Reports) -> Decided<LeaseKept> {
    let lost =
        || refuse(RefusalCode::LeaseLost, format!("worker {} does not hold task {task} any more", reports.worker));
    let Some(before) = ctx.state.tasks.get(task) else { return lost() };
    let is_holder =
        |lease: &Lease| lease.worker == reports.worker && lease.epoch == reports.epoch && lease.until > ctx.now;
    let (Some(lease), Some(work)) = (before.lease.as_ref().filter(|lease| is_holder(lease)), before.work()) else {
        return lost();
    };
    let mut after = before.clone();
    for report in &reports.reports {
        if after.lease.is_none() {
            return invalid("a report follows one that ended the work");
        }
        match work {
            Work::Precheck => prechecked(ctx, &mut after, report)?,
            Work::Migrate => migrated(ctx, &mut after, report)?,
        }
    }
    // Zero seconds tell the worker that it holds nothing any more.
    let mut lease_s = 0;
    if after.lease.is_some() {
        lease_s = ctx.policy.lease_s;
        after.lease = Some(Lease { until: later_s(ctx.now, lease_s), ..lease.clone() });
    }
    Ok(Decision::new(tasks::put(ctx, before, after), LeaseKept { lease_s }))
}

fn invalid<T>(detail: impl Into<String>) -> Result<T, Refusal> {
    refuse(RefusalCode::InvalidParameter, detail)
}

fn prechecked(ctx: &Context<'_>, task: &mut Task, report: &Report) -> Result<(), Refusal> {
    match report {
        Report::Renew => {}
        Report::PrecheckItem(result) => note_item(task, result)?,
        Report::PrecheckDone => end_precheck(ctx, task),
        _ => return invalid("a migration was reported on, but the work is a precheck"),
    }
    Ok(())
}

/// Notes an item; a failed one has a cause and a remedy (TMP-45).
fn note_item(task: &mut Task, result: &PrecheckResult) -> Result<(), Refusal> {
    if let PrecheckOutcome::Failed { cause, remedy } = &result.outcome
        && (cause.trim().is_empty() || remedy.trim().is_empty())
    {
        return invalid("a failed precheck item needs a cause and a remedy");
    }
    let Some(run) = task.precheck.as_mut() else { return Ok(()) };
    match run.items.iter_mut().find(|known| known.item == result.item) {
        Some(known) => *known = result.clone(),
        None => run.items.push(result.clone()),
    }
    Ok(())
}

/// The run is over: an ordered task starts, another waits for OK; after a failure OK has to be said again.
fn end_precheck(ctx: &Context<'_>, task: &mut Task) {
    let passed = task.precheck.as_mut().is_some_and(|run| {
        run.ended_at = Some(ctx.now);
        run.passed()
    });
    task.lease = None;
    if !passed {
        task.status = TaskStatus::PrecheckFailed;
        task.stage = task.stage.min(Stage::Selected);
    } else if task.stage == Stage::Ordered {
        tasks::begin_migration(task, ctx.now);
    } else {
        task.status = TaskStatus::PrecheckPassed;
    }
}

fn migrated(ctx: &Context<'_>, task: &mut Task, report: &Report) -> Result<(), Refusal> {
    match report {
        Report::Renew => Ok(()),
        Report::Planned { progress, planned, log_position } => plan(task, progress, planned, *log_position),
        Report::Phase { phase, status } => set_phase(ctx, task, *phase, *status),
        Report::Object { index, progress } => set_object(task, *index, progress),
        Report::Applied { log_position, caught_up } => set_applied(ctx, task, *log_position, *caught_up),
        Report::Failed(failure) => {
            fail(ctx, task, failure);
            Ok(())
        }
        Report::Finished => finish(ctx, task),
        _ => invalid("something else was reported on, but the work is a migration"),
    }
}

fn plan(
    task: &mut Task,
    progress: &[ObjectProgress],
    planned: &[Object],
    log_position: Option<u64>,
) -> Result<(), Refusal> {
    if progress.len() != planned.len() {
        return invalid(format!("the plan has {} entries and {} descriptions", progress.len(), planned.len()));
    }
    if task.progress.is_empty() {
        task.progress = progress.to_vec();
        task.planned = planned.to_vec();
        task.log_position = log_position.or(task.log_position);
        return Ok(());
    }
    // The answer to the plan may have been lost, and the worker says it again.
    if task.planned == planned { Ok(()) } else { invalid("the task has another plan already") }
}

fn set_phase(ctx: &Context<'_>, task: &mut Task, phase: MigrationType, status: PhaseStatus) -> Result<(), Refusal> {
    let Some(known) = task.phases.get_mut(&phase) else {
        return invalid(format!("the task has no phase {phase:?}"));
    };
    let is_incremental = phase == MigrationType::Incremental;
    match status {
        PhaseStatus::Finished if is_incremental => {
            return invalid("incremental migration ends only when it is stopped");
        }
        PhaseStatus::Catched if !is_incremental => return invalid("only the incremental phase catches up"),
        PhaseStatus::NotStarted => return invalid("a phase does not go back to its beginning"),
        _ if *known == PhaseStatus::Finished => return Ok(()),
        _ => *known = status,
    }
    if matches!(status, PhaseStatus::Finished | PhaseStatus::Catched) {
        runs_well(task);
    }
    if is_incremental && status != PhaseStatus::Failed {
        task.incremental_since.get_or_insert(ctx.now);
    }
    Ok(())
}

fn set_object(task: &mut Task, index: usize, progress: &ObjectProgress) -> Result<(), Refusal> {
    let count = task.progress.len();
    let Some(known) = task.progress.get_mut(index) else {
        return invalid(format!("there is no object {index} among the {count} of the plan"));
    };
    if (known.kind, &known.database, &known.name) != (progress.kind, &progress.database, &progress.name) {
        return invalid(format!("object {index} of the plan is {}.{}", known.database, known.name));
    }
    let far = |entry: &ObjectProgress| (entry.announced || entry.made, entry.made, entry.rows_written, entry.rows_done);
    let ((announced, made, rows, done), (was_announced, was_made, rows_before, was_done)) = (far(progress), far(known));
    if announced >= was_announced && made >= was_made && rows >= rows_before && done >= was_done {
        known.clone_from(progress);
        runs_well(task);
    }
    Ok(())
}

fn set_applied(ctx: &Context<'_>, task: &mut Task, log_position: u64, caught_up: bool) -> Result<(), Refusal> {
    let status = if caught_up { PhaseStatus::Catched } else { PhaseStatus::Migrating };
    let is_late = task.log_position.is_some_and(|known| log_position < known);
    if is_late && task.types.contains(&MigrationType::Incremental) {
        return Ok(());
    }
    set_phase(ctx, task, MigrationType::Incremental, status)?;
    task.log_position = Some(log_position);
    runs_well(task);
    Ok(())
}

/// Good progress: an earlier failure is over, and another one counts from anew.
fn runs_well(task: &mut Task) {
    task.failed_since = None;
    task.retries = 0;
}

/// The migration failed; one that may pass is tried again by itself for seven days from its first failure (DTS-21).
fn fail(ctx: &Context<'_>, task: &mut Task, failure: &TaskFailure) {
    tasks::phases_fail(task);
    task.status = TaskStatus::MigrationFailed;
    task.failure = Some(failure.clone());
    task.lease = None;
    task.incremental_since = None;
    let since = *task.failed_since.get_or_insert(ctx.now);
    let given_up_at = later_s(since, ctx.policy.auto_retry_s);
    let doubled = ctx.policy.auto_retry_first_s.saturating_mul(1_i64 << task.retries.min(30));
    let retry_at = later_s(ctx.now, doubled.clamp(1, RETRY_MOST_S));
    task.retry_at = Some(retry_at).filter(|retry_at| failure.may_pass() && *retry_at <= given_up_at);
}

fn finish(ctx: &Context<'_>, task: &mut Task) -> Result<(), Refusal> {
    if task.types.contains(&MigrationType::Incremental) {
        return invalid("a task with incremental migration ends only when it is stopped");
    }
    task.phases = task.types.iter().map(|phase| (*phase, PhaseStatus::Finished)).collect();
    task.status = TaskStatus::Finished;
    task.ended_at = Some(ctx.now);
    task.lease = None;
    runs_well(task);
    Ok(())
}

#[cfg(test)]
#[path = "leases_tests.rs"]
mod tests;
