//! Leases of migration tasks: what a worker gets to know, and what its reports mean.

use super::{access, checks, invalid};
use crate::model::content::Object;
use crate::model::decide::{Context, tasks};
use crate::model::precheck::PrecheckRun;
use crate::model::refusal::Refusal;
use crate::model::state::StateChange;
use crate::model::task::{
    Lease, MigrationType, ObjectProgress, PhaseStatus, Side, Stage, Task, TaskFailure, TaskStatus, Work,
};
use crate::model::work::{Access, Job, MigrationJob, Report};
use crate::ports::clock::later_s;

/// Seconds between two automatic retries at most.
const RETRY_MOST_S: i64 = 3_600;

/// Seconds after which the log of a source is looked at again, where a worker had carried over all of it and gave the
/// task back for another one's sake.
const FOLLOW_AGAIN_S: i64 = 30;

/// The task under a lease, and the job it is.
pub(super) fn give(ctx: &Context<'_>, task: &Task, lease: Lease) -> Option<(StateChange, Job)> {
    let job = Job::Migration(Box::new(MigrationJob {
        work: task.work()?,
        source: side(ctx, &task.source)?,
        target: side(ctx, &task.target)?,
        types: task.types.clone(),
        objects: task.objects.clone(),
        // The precheck looks for what a shield covers, and shows it; the migration goes by the shield.
        same_name: match task.work()? {
            Work::Precheck => task.same_name,
            Work::Migrate => task.effective_same_name(),
        },
        without_advice: task.without_advice.clone(),
        way_back: tasks::way_back(ctx.state, task),
        progress: task.progress.clone(),
        planned: task.planned.clone(),
        loaded: is_loaded(task),
        log_position: task.log_position,
        chunk_rows: ctx.policy.chunk_rows,
        connection_retry_s: ctx.policy.connection_retry_s,
    }));
    let mut after = Task { epochs: lease.epoch, lease: Some(lease), follow_at: None, ..task.clone() };
    if let (TaskStatus::Prechecking, Some(run)) = (after.status, after.precheck.as_mut()) {
        // What another worker found before it went away is looked at anew (C-07).
        run.items.clear();
    }
    // Nor is a log caught up with that this worker has not looked at yet.
    if let Some(status @ PhaseStatus::Catched) = after.phases.get_mut(&MigrationType::Incremental) {
        *status = PhaseStatus::Migrating;
    }
    Some((StateChange::Task(Box::new(after)), job))
}

fn side(ctx: &Context<'_>, side: &Side) -> Option<Access> {
    access(ctx, &side.instance, &side.account, &side.password, side.connection)
}

/// Whether every phase before the incremental one is done.
fn is_loaded(task: &Task) -> bool {
    let before = task.types.iter().filter(|phase| **phase != MigrationType::Incremental);
    before.into_iter().all(|phase| task.phases.get(phase) == Some(&PhaseStatus::Finished))
}

/// A migration task while reports are taken.
pub(super) struct Draft<'a> {
    before: &'a Task,
    after: Task,
    work: Work,
}

impl<'a> Draft<'a> {
    pub(super) fn new(task: &'a Task) -> Option<Self> {
        Some(Self { before: task, after: task.clone(), work: task.work()? })
    }
}

impl super::Draft for Draft<'_> {
    fn take(&mut self, ctx: &Context<'_>, report: &Report) -> Result<(), Refusal> {
        match self.work {
            Work::Precheck => prechecked(ctx, &mut self.after, report),
            Work::Migrate => migrated(ctx, &mut self.after, report),
        }
    }

    fn lease(&mut self) -> &mut Option<Lease> {
        &mut self.after.lease
    }

    fn changes(self, ctx: &Context<'_>) -> Vec<StateChange> {
        tasks::put(ctx, self.before, self.after)
    }
}

fn prechecked(ctx: &Context<'_>, task: &mut Task, report: &Report) -> Result<(), Refusal> {
    match report {
        Report::Renew => {}
        Report::PrecheckItem(result) => checks::note(task.precheck.as_mut(), &task.shields, result)?,
        Report::PrecheckDone => end_precheck(ctx, task),
        _ => return invalid("a migration was reported on, but the work is a precheck"),
    }
    Ok(())
}

/// The run is over: an ordered task starts, another waits for OK; after a failure OK has to be said again. Where a side was
/// changed while it was looked at, what was found is of neither state, and the run is made again (C-07).
fn end_precheck(ctx: &Context<'_>, task: &mut Task) {
    let now = tasks::configuration(ctx.state, task);
    if task.precheck.as_ref().is_some_and(|run| !run.stale(&now).is_empty()) {
        task.precheck_runs += 1;
        task.precheck = Some(PrecheckRun::begin(task.precheck_runs, ctx.now, now));
        task.lease = None;
        return;
    }
    let passed = checks::end(task.precheck.as_mut(), ctx.now) || !ctx.policy.precheck_blocks;
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
        Report::TurnOver => give_back(ctx, task),
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

/// The worker follows the log no longer, though there is more to come; another lease goes on with it.
fn give_back(ctx: &Context<'_>, task: &mut Task) -> Result<(), Refusal> {
    let wait_s = match task.phases.get(&MigrationType::Incremental) {
        Some(PhaseStatus::Catched) => FOLLOW_AGAIN_S,
        Some(PhaseStatus::Migrating) => 0,
        _ => return invalid("only a task that follows a log is given back"),
    };
    task.follow_at = Some(later_s(ctx.now, wait_s));
    task.lease = None;
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
