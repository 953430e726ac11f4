//! Leases of logical backup tasks: a set to be taken or a log to be collected, and what a worker's reports mean.

use super::{invalid, source};
use crate::model::decide::Context;
use crate::model::decide::logical::taking::Desk;
use crate::model::logical::backup::LogicalBackupTask;
use crate::model::refusal::Refusal;
use crate::model::state::StateChange;
use crate::model::task::Lease;
use crate::model::work::{DumpJob, Job, LogJob, Report};
use jiff::Timestamp;

fn dump_due_at(task: &LogicalBackupTask) -> Option<Timestamp> {
    task.running.as_ref().map(|_| task.retry_at.unwrap_or(Timestamp::MIN))
}

fn log_due_at(task: &LogicalBackupTask) -> Option<Timestamp> {
    task.log_due_at.filter(|_| task.log.is_some())
}

/// When there is work on the task.
pub(super) fn due_at(task: &LogicalBackupTask) -> Option<Timestamp> {
    dump_due_at(task).into_iter().chain(log_due_at(task)).min()
}

/// The task under a lease, and the job it is. A log that is due comes first: it is short, and it lags as little as may be.
pub(super) fn give(ctx: &Context<'_>, task: &LogicalBackupTask, lease: Lease) -> Option<(StateChange, Job)> {
    let collecting = log_due_at(task).is_some_and(|at| at <= ctx.now);
    let job = if collecting { collect(ctx, task)? } else { dump(ctx, task)? };
    let after = LogicalBackupTask { epochs: lease.epoch, lease: Some(lease), collecting, ..task.clone() };
    Some((StateChange::LogicalTask(Box::new(after)), job))
}

fn dump(ctx: &Context<'_>, task: &LogicalBackupTask) -> Option<Job> {
    let (_, source) = source(ctx, &task.source)?;
    Some(Job::Dump(Box::new(DumpJob {
        set: task.running.clone()?,
        source,
        backup_type: task.backup_type,
        databases: task.databases.clone(),
        chunk_rows: ctx.policy.chunk_rows,
    })))
}

fn collect(ctx: &Context<'_>, task: &LogicalBackupTask) -> Option<Job> {
    let (_, source) = source(ctx, &task.source)?;
    let log = ctx.state.sets.get(task.log.as_ref()?)?;
    Some(Job::CollectLog(Box::new(LogJob {
        set: log.id.clone(),
        segment: log.segments,
        after: log.to.or(log.from)?,
        source,
        databases: task.databases.clone(),
    })))
}

/// A logical backup task while reports are taken.
pub(super) struct Draft<'a> {
    desk: Desk<'a>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(ctx: &Context<'a>, task: &LogicalBackupTask) -> Option<Self> {
        let subject = if task.collecting { &task.log } else { &task.running };
        subject.as_ref().map(|_| Self { desk: Desk::new(ctx, task) })
    }
}

impl super::Draft for Draft<'_> {
    fn take(&mut self, _: &Context<'_>, report: &Report) -> Result<(), Refusal> {
        let desk = &mut self.desk;
        let collecting = desk.task.collecting;
        match report {
            Report::Renew => {}
            Report::Snapshot(at) if !collecting => desk.snapshot(*at),
            Report::SetCompleted { to, objects, size_bytes } if !collecting => {
                return desk.complete(*to, objects, *size_bytes);
            }
            Report::LogCollected { to, segment_bytes } if collecting => desk.collected(*to, *segment_bytes),
            Report::SetFailed { why } if collecting => desk.end_following(why),
            Report::SetFailed { why } => desk.fail(why),
            Report::SourceAway { why } => desk.away(why),
            _ if collecting => return invalid("something else was reported on, but the work is to collect a log"),
            _ => return invalid("something else was reported on, but the work is to take a set"),
        }
        Ok(())
    }

    fn lease(&mut self) -> &mut Option<Lease> {
        &mut self.desk.task.lease
    }

    fn changes(self, _: &Context<'_>) -> Vec<StateChange> {
        self.desk.changes()
    }
}
