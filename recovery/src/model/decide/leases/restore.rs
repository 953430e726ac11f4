//! Leases of restore tasks: what a worker gets to know, and what its reports mean.

use super::{checks, invalid, source};
use crate::model::SetId;
use crate::model::decide::Context;
use crate::model::decide::logical::sets;
use crate::model::logical::restore::{
    RestoreFailure, RestoreMethod, RestoreStatus, RestoreTask, RestoredObject, RestoredStatus,
};
use crate::model::refusal::Refusal;
use crate::model::state::StateChange;
use crate::model::task::{Lease, Work};
use crate::model::work::{Job, LogPart, Report, RestoreJob};
use jiff::Timestamp;
use std::collections::BTreeSet;

/// The task under a lease, and the job it is.
pub(super) fn give(ctx: &Context<'_>, task: &RestoreTask, lease: Lease) -> Option<(StateChange, Job)> {
    let (registered, target) = source(ctx, &task.target)?;
    let set = ctx.state.sets.get(&task.set);
    let backup_task = ctx.state.logical_tasks.get(&task.backup_task);
    let until = match &task.method {
        RestoreMethod::BackupSet { .. } => None,
        RestoreMethod::PointInTime { point_in_time } => Some(*point_in_time),
    };
    let job = Job::Restore(Box::new(RestoreJob {
        work: task.work()?,
        target,
        registered: registered.product,
        source_product: set.map(|set| set.product).or(backup_task.map(|task| task.product))?,
        set: task.set.clone(),
        set_completed: set.is_some_and(|set| sets::is_restorable(set, ctx.now)),
        logs: task.logs.iter().filter_map(|log| log_part(ctx, log)).collect(),
        until,
        types: task.types.clone(),
        objects: task.objects.clone(),
        mapping: task.mapping.clone(),
        structure_conflict: task.structure_conflict,
        data_conflict: task.data_conflict,
        details: task.details.clone(),
        planned: task.planned,
        chunk_rows: ctx.policy.chunk_rows,
        connection_retry_s: ctx.policy.connection_retry_s,
    }));
    let mut after = RestoreTask { epochs: lease.epoch, lease: Some(lease), ..task.clone() };
    if let (RestoreStatus::Checking, Some(run)) = (after.status, after.precheck.as_mut()) {
        // What another worker found before it went away is looked at anew (LOG-49).
        run.items.clear();
    }
    Some((StateChange::Restore(Box::new(after)), job))
}

fn log_part(ctx: &Context<'_>, id: &SetId) -> Option<LogPart> {
    let log = ctx.state.sets.get(id)?;
    Some(LogPart { set: id.clone(), segments: log.segments, from_position: log.from?.position })
}

/// A restore task while reports are taken.
pub(super) struct Draft {
    after: RestoreTask,
    work: Work,
}

impl Draft {
    pub(super) fn new(task: &RestoreTask) -> Option<Self> {
        Some(Self { after: task.clone(), work: task.work()? })
    }

    fn prechecked(&mut self, ctx: &Context<'_>, report: &Report) -> Result<(), Refusal> {
        let task = &mut self.after;
        match report {
            Report::Renew => {}
            Report::PrecheckItem(result) => checks::note(task.precheck.as_mut(), &BTreeSet::new(), result)?,
            Report::PrecheckDone => {
                let passed = checks::end(task.precheck.as_mut(), ctx.now);
                task.status = if passed { RestoreStatus::CheckPassed } else { RestoreStatus::CheckFailed };
                task.lease = None;
            }
            _ => return invalid("something else was reported on, but the work is the precheck of a restore"),
        }
        Ok(())
    }

    fn restored(&mut self, ctx: &Context<'_>, report: &Report) -> Result<(), Refusal> {
        let task = &mut self.after;
        match report {
            Report::Renew => Ok(()),
            Report::RestorePlanned(details) => plan(task, details),
            Report::RestoreObject { index, object } => set_object(task, *index, object),
            Report::RestoreFailed(failure) => {
                fail(task, failure, ctx.now);
                Ok(())
            }
            Report::Finished => finish(task, ctx.now),
            _ => invalid("something else was reported on, but the work is a restore"),
        }
    }
}

impl super::Draft for Draft {
    fn take(&mut self, ctx: &Context<'_>, report: &Report) -> Result<(), Refusal> {
        match self.work {
            Work::Precheck => self.prechecked(ctx, report),
            Work::Migrate => self.restored(ctx, report),
        }
    }

    fn lease(&mut self) -> &mut Option<Lease> {
        &mut self.after.lease
    }

    fn changes(self, _: &Context<'_>) -> Vec<StateChange> {
        vec![StateChange::Restore(Box::new(self.after))]
    }
}

fn is_same(one: &RestoredObject, other: &RestoredObject) -> bool {
    let identity = |object: &RestoredObject| {
        let names = (object.database.clone(), object.name.clone(), object.target_name.clone());
        (object.phase, object.kind, names)
    };
    identity(one) == identity(other)
}

fn plan(task: &mut RestoreTask, details: &[RestoredObject]) -> Result<(), Refusal> {
    if !task.planned {
        task.details = details.to_vec();
        task.planned = true;
        return Ok(());
    }
    // The answer to the plan may have been lost, and the worker says it again.
    let known = task.details.iter().zip(details);
    if task.details.len() == details.len() && known.into_iter().all(|(known, said)| is_same(known, said)) {
        return Ok(());
    }
    invalid("the restore has another plan already")
}

/// How far an object is; a portion is announced at a place before the place moves on.
fn far(object: &RestoredObject) -> (u8, u64, bool, u64) {
    let stage = match object.status {
        RestoredStatus::Waiting => 0,
        RestoredStatus::Running | RestoredStatus::Failed => 1,
        RestoredStatus::Done | RestoredStatus::Skipped => 2,
    };
    (stage, object.cursor, object.announced, object.records + object.records_skipped)
}

fn set_object(task: &mut RestoreTask, index: usize, object: &RestoredObject) -> Result<(), Refusal> {
    let count = task.details.len();
    let Some(known) = task.details.get_mut(index) else {
        return invalid(format!("there is no object {index} among the {count} of the plan"));
    };
    if !is_same(known, object) {
        return invalid(format!("object {index} of the plan is {}.{}", known.database, known.name));
    }
    if far(object) >= far(known) {
        known.clone_from(object);
    }
    Ok(())
}

/// A conflict that was to stop the task stops it (LOG-38, LOG-40); anything else is a failure.
fn fail(task: &mut RestoreTask, failure: &RestoreFailure, now: Timestamp) {
    task.status = match failure {
        RestoreFailure::ObjectExists { .. } | RestoreFailure::DataExists { .. } => RestoreStatus::Stopped,
        _ => RestoreStatus::Failed,
    };
    for object in task.details.iter_mut().filter(|object| object.status == RestoredStatus::Running) {
        object.status = RestoredStatus::Failed;
        object.ended_at = Some(now);
    }
    task.failure = Some(failure.clone());
    task.ended_at = Some(now);
    task.lease = None;
}

fn finish(task: &mut RestoreTask, now: Timestamp) -> Result<(), Refusal> {
    let is_done = |object: &RestoredObject| matches!(object.status, RestoredStatus::Done | RestoredStatus::Skipped);
    match task.details.iter().find(|object| !is_done(object)) {
        Some(object) => invalid(format!("{}.{} is still {:?}", object.database, object.name, object.status)),
        None if !task.planned => invalid("a restore without a plan does not end"),
        None => {
            task.status = RestoreStatus::Completed;
            task.ended_at = Some(now);
            task.lease = None;
            Ok(())
        }
    }
}
