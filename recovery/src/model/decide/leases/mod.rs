//! Leases: which task a worker gets, whatever its kind, and how what it reports is taken.

mod checks;
mod logical;
mod migration;
mod restore;

use super::{Context, Decided, Decision, refuse};
use crate::model::instance::Origin;
use crate::model::logical::backup::LogicalBackupTask;
use crate::model::logical::restore::RestoreTask;
use crate::model::logical::source::DataSource;
use crate::model::refusal::{Refusal, RefusalCode};
use crate::model::state::{State, StateChange};
use crate::model::task::{ConnectionMode, Lease, Task};
use crate::model::work::{Access, LeaseKept, LeasedWork, Report, Reports};
use crate::model::{DataSourceId, InstanceId, Secret, TaskId};
use crate::ports::clock::later_s;
use crate::ports::database::Login;
use jiff::Timestamp;

/// A task that workers lease.
#[derive(Clone, Copy)]
enum Leasable<'a> {
    Migration(&'a Task),
    Logical(&'a LogicalBackupTask),
    Restore(&'a RestoreTask),
}

impl<'a> Leasable<'a> {
    fn all(state: &'a State) -> impl Iterator<Item = Self> {
        let migrations = state.tasks.values().map(Self::Migration);
        let logical = state.logical_tasks.values().map(Self::Logical);
        migrations.chain(logical).chain(state.restores.values().map(Self::Restore))
    }

    fn find(state: &'a State, id: &TaskId) -> Option<Self> {
        let migration = state.tasks.get(id).map(Self::Migration);
        let logical = || state.logical_tasks.get(id).map(Self::Logical);
        migration.or_else(logical).or_else(|| state.restores.get(id).map(Self::Restore))
    }

    fn lease(self) -> Option<&'a Lease> {
        match self {
            Self::Migration(task) => task.lease.as_ref(),
            Self::Logical(task) => task.lease.as_ref(),
            Self::Restore(task) => task.lease.as_ref(),
        }
    }

    fn epochs(self) -> u64 {
        match self {
            Self::Migration(task) => task.epochs,
            Self::Logical(task) => task.epochs,
            Self::Restore(task) => task.epochs,
        }
    }

    fn age(self) -> (Timestamp, &'a TaskId) {
        match self {
            Self::Migration(task) => (task.created_at, &task.id),
            Self::Logical(task) => (task.created_at, &task.id),
            Self::Restore(task) => (task.created_at, &task.id),
        }
    }

    /// From when a worker may have it, if there is work on it: once the work is due and no other lease is on it.
    fn free_at(self) -> Option<Timestamp> {
        let due_at = match self {
            Self::Migration(task) => task.work().map(|_| task.follow_at.unwrap_or(Timestamp::MIN)),
            Self::Logical(task) => logical::due_at(task),
            Self::Restore(task) => task.work().map(|_| Timestamp::MIN),
        };
        due_at.map(|due_at| self.lease().map_or(due_at, |lease| lease.until.max(due_at)))
    }
}

/// When another task becomes free for a worker, if nothing changes until then: a lease lapses, a log is due, a failed
/// attempt is repeated.
#[must_use]
pub fn next_at(state: &State, now: Timestamp) -> Option<Timestamp> {
    free_times(state).filter(|at| *at > now).min()
}

/// The times, past and future, from which tasks are free for workers.
pub(super) fn free_times(state: &State) -> impl Iterator<Item = Timestamp> {
    Leasable::all(state).filter_map(Leasable::free_at)
}

/// Gives a worker the task that has work and has been free for longest, the oldest first among equals; a lease that
/// lapsed counts for nothing. However few the workers, each task has its turn.
pub fn next(ctx: &Context<'_>, worker: &str) -> Option<Decision<LeasedWork>> {
    let free = Leasable::all(ctx.state).filter_map(|task| Some((task.free_at()?, task)));
    let mut waiting: Vec<_> = free.filter(|(at, _)| *at <= ctx.now).collect();
    waiting.sort_by_key(|(at, task)| (*at, task.age()));
    waiting.into_iter().find_map(|(_, task)| give(ctx, worker, task))
}

/// Whether a task other than this one is free and no worker has taken it: all of them are busy.
fn others_wait(ctx: &Context<'_>, id: &TaskId) -> bool {
    let is_free = |task: Leasable<'_>| task.age().1 != id && task.free_at().is_some_and(|at| at <= ctx.now);
    Leasable::all(ctx.state).any(is_free)
}

fn give(ctx: &Context<'_>, worker: &str, task: Leasable<'_>) -> Option<Decision<LeasedWork>> {
    let (epoch, lease_s) = (task.epochs() + 1, ctx.policy.lease_s);
    let lease = Lease { worker: worker.to_owned(), epoch, until: later_s(ctx.now, lease_s) };
    let (change, job) = match task {
        Leasable::Migration(task) => migration::give(ctx, task, lease)?,
        Leasable::Logical(task) => logical::give(ctx, task, lease)?,
        Leasable::Restore(task) => restore::give(ctx, task, lease)?,
    };
    let (_, id) = task.age();
    Some(Decision::new(vec![change], LeasedWork { task: id.clone(), epoch, lease_s, job }))
}

/// How a worker reaches a server; without an endpoint when the instance is gone.
fn access(
    ctx: &Context<'_>,
    instance: &InstanceId,
    account: &str,
    password: &Secret,
    connection: ConnectionMode,
) -> Option<Access> {
    let server = ctx.state.instances.get(instance)?;
    let replica_of = match &server.origin {
        Origin::ReadOnly { master } | Origin::DisasterRecovery { master } => Some(master.0.clone()),
        Origin::Primary | Origin::Temporary { .. } | Origin::Clone { .. } => None,
    };
    Some(Access {
        replica_of,
        expires_at: server.expires_at,
        instance: instance.0.clone(),
        endpoint: server.endpoint.clone().filter(|_| server.is_there(ctx.now)),
        product: server.product,
        login: Login {
            account: account.to_owned(),
            password: password.clone(),
            ssl: connection == ConnectionMode::Ssl,
        },
    })
}

/// A data source, and how a worker reaches it.
fn source<'a>(ctx: &Context<'a>, id: &DataSourceId) -> Option<(&'a DataSource, Access)> {
    let source = ctx.state.sources.get(id)?;
    let access = access(ctx, &source.instance, &source.account, &source.password, source.connection)?;
    Some((source, access))
}

/// What a worker's reports make of a task, until they are all taken.
trait Draft {
    /// Takes one report.
    fn take(&mut self, ctx: &Context<'_>, report: &Report) -> Result<(), Refusal>;

    /// Its lease; none once the work has ended.
    fn lease(&mut self) -> &mut Option<Lease>;

    /// What is to be committed.
    fn changes(self, ctx: &Context<'_>) -> Vec<StateChange>;
}

/// Takes a worker's reports, all of them or none, and renews its lease while there is more to do. A report may arrive
/// twice or late; one that would turn progress back is passed over.
///
/// # Errors
/// `LeaseLost` when the lease lapsed or passed on, or the task was paused, stopped or deleted; `InvalidParameter` for
/// reports that make no sense for the task.
pub fn report(ctx: &Context<'_>, id: &TaskId, reports: &Reports) -> Decided<LeaseKept> {
    let is_holder =
        |lease: &Lease| lease.worker == reports.worker && lease.epoch == reports.epoch && lease.until > ctx.now;
    let held = |task: &Leasable<'_>| task.lease().is_some_and(is_holder);
    match Leasable::find(ctx.state, id).filter(held) {
        Some(Leasable::Migration(task)) => settle(ctx, id, migration::Draft::new(task), reports),
        Some(Leasable::Logical(task)) => settle(ctx, id, logical::Draft::new(ctx, task), reports),
        Some(Leasable::Restore(task)) => settle(ctx, id, restore::Draft::new(task), reports),
        None => lost(id, reports),
    }
}

fn lost<T>(id: &TaskId, reports: &Reports) -> Result<T, Refusal> {
    refuse(RefusalCode::LeaseLost, format!("worker {} does not hold task {id} any more", reports.worker))
}

fn settle<D: Draft>(ctx: &Context<'_>, id: &TaskId, draft: Option<D>, reports: &Reports) -> Decided<LeaseKept> {
    let Some(mut draft) = draft else { return lost(id, reports) };
    for report in &reports.reports {
        if draft.lease().is_none() {
            return invalid("a report follows one that ended the work");
        }
        draft.take(ctx, report)?;
    }
    let kept = |lease_s| LeaseKept { lease_s, others_wait: others_wait(ctx, id) };
    // Zero seconds tell the worker that it holds nothing any more.
    let mut lease_s = 0;
    if let Some(lease) = draft.lease() {
        lease_s = ctx.policy.lease_s;
        lease.until = later_s(ctx.now, lease_s);
        if reports.reports.iter().all(|report| matches!(report, Report::Renew)) {
            let renewed = StateChange::Renewed(id.clone(), lease.until);
            return Ok(Decision::new(vec![renewed], kept(lease_s)));
        }
    }
    Ok(Decision::new(draft.changes(ctx), kept(lease_s)))
}

fn invalid<T>(detail: impl Into<String>) -> Result<T, Refusal> {
    refuse(RefusalCode::InvalidParameter, detail)
}

#[cfg(test)]
mod logical_tests;
#[cfg(test)]
mod tests;
