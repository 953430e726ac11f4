//! Decisions on sets: which can be restored, how far their logs reach, which are chosen, and when they are deleted.

use super::invalid;
use super::taking::Desk;
use crate::model::backup::RestorableRange;
use crate::model::decide::backups::{whole_second_down, whole_second_up};
use crate::model::decide::{Context, Decided, Decision, refuse};
use crate::model::logical::backup::{Instant, LogicalBackupTask, LogicalSet, LogicalType, SetKind, SetStatus};
use crate::model::logical::restore::RestoreMethod;
use crate::model::logical::views::LogicalRestorable;
use crate::model::refusal::{Refusal, RefusalCode};
use crate::model::state::{State, StateChange};
use crate::model::{SetId, TaskId};
use jiff::Timestamp;

/// Whether the retention of a set has not passed; one whose retention has is no longer shown or chosen.
#[must_use]
pub fn is_kept(set: &LogicalSet, now: Timestamp) -> bool {
    set.expires_at.is_none_or(|expires_at| expires_at > now)
}

/// Whether a restore may begin from a set (LOG-02, LOG-16, LOG-32).
#[must_use]
pub fn is_restorable(set: &LogicalSet, now: Timestamp) -> bool {
    set.kind == SetKind::Full && set.status == SetStatus::Completed && is_kept(set, now)
}

/// A set whose retention has not passed.
///
/// # Errors
/// `InvalidBackupSet.NotFound`.
pub fn find<'a>(state: &'a State, id: &SetId, now: Timestamp) -> Result<&'a LogicalSet, Refusal> {
    state.sets.get(id).filter(|set| is_kept(set, now)).ok_or_else(|| {
        Refusal::new(
            RefusalCode::SetNotFound,
            format!("there is no backup set {id}; GET /v1/logical-backup-sets lists those there are"),
        )
    })
}

/// A full set with where its rows were read and where it was complete; in between it is exact by itself.
struct Full<'a> {
    from: Instant,
    to: Instant,
    set: &'a LogicalSet,
}

/// The full sets a restore may begin from, the one read first first.
fn fulls<'a>(state: &'a State, task: &TaskId, now: Timestamp) -> Vec<Full<'a>> {
    let of_task = state.sets.values().filter(|set| set.task == *task && is_restorable(set, now));
    let mut fulls: Vec<Full<'a>> = of_task.filter_map(|set| Some(Full { from: set.from?, to: set.to?, set })).collect();
    fulls.sort_by_key(|full| (full.from, &full.set.id));
    fulls
}

/// A log set with where it begins and ends.
struct Log<'a> {
    from: Instant,
    to: Instant,
    id: &'a SetId,
}

/// The log sets of a task in the order of the log.
fn logs<'a>(state: &'a State, task: &TaskId, now: Timestamp) -> Vec<Log<'a>> {
    let is_good = |set: &&LogicalSet| {
        set.task == *task && set.kind == SetKind::Log && set.status != SetStatus::Failed && is_kept(set, now)
    };
    let good = state.sets.values().filter(is_good);
    let mut logs: Vec<Log<'_>> =
        good.filter_map(|set| Some(Log { from: set.from?, to: set.to?, id: &set.id })).collect();
    logs.sort_by_key(|log| (log.from, log.to, log.id));
    logs
}

/// The log sets that join a full set and each other without a gap: each begins no later than where the one before ends,
/// and leads further.
fn chain<'a, 'b>(full: &Full<'_>, logs: &'b [Log<'a>]) -> Vec<&'b Log<'a>> {
    let mut end = full.to;
    let mut joined = Vec::new();
    for log in logs {
        let joins = log.from.position <= end.position && log.to.position >= end.position;
        if joins && log.to.at > end.at {
            end = log.to;
            joined.push(log);
        }
    }
    joined
}

/// What can be restored now, as it follows from the sets that are really there: from the instant a full set was read at
/// to its completion, and on to the last second its log was collected to (LOG-26, LOG-31, C-19, C-29), no later than now.
///
/// # Errors
/// `InvalidTaskId.NotFound`.
pub fn restorable(state: &State, task: &TaskId, now: Timestamp) -> Result<LogicalRestorable, Refusal> {
    let task = super::backup_task(state, task)?;
    let fulls = fulls(state, &task.id, now);
    let backup_sets = fulls.iter().map(|full| full.set.id.clone()).collect();
    let ranges = match task.backup_type {
        LogicalType::StructureFullLog => ranges(&fulls, &logs(state, &task.id, now), now),
        LogicalType::Structure | LogicalType::StructureFull => Vec::new(),
    };
    Ok(LogicalRestorable { ranges, backup_sets })
}

fn ranges(fulls: &[Full<'_>], logs: &[Log<'_>], now: Timestamp) -> Vec<RestorableRange> {
    let mut ranges: Vec<RestorableRange> = Vec::new();
    for full in fulls {
        let end = chain(full, logs).last().map_or(full.to, |last| last.to);
        let (earliest, latest) = (whole_second_up(full.from.at), whole_second_down(end.at.min(now)));
        match ranges.last_mut() {
            Some(range) if earliest <= range.latest => range.latest = range.latest.max(latest),
            _ if earliest <= latest => ranges.push(RestorableRange { earliest, latest }),
            _ => {}
        }
    }
    ranges
}

/// What a restore reads: a full set, and the log sets after it in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen<'a> {
    /// The full set.
    pub set: &'a LogicalSet,
    /// Log sets that are replayed; none by backup set (LOG-27, LOG-33).
    pub logs: Vec<SetId>,
}

/// Chooses what a restore of a backup task reads.
///
/// # Errors
/// `InvalidBackupSet.NotFound`, `OperationDenied.BackupSet`, `OperationDenied.RestoreMethod`,
/// `OperationDenied.NotFoundBackup`, `InvalidRestoreTime`, `OperationDenied.RestoreTimeNotCovered`, `InvalidParameter`.
pub fn choose<'a>(ctx: &Context<'a>, task: &LogicalBackupTask, method: &RestoreMethod) -> Result<Chosen<'a>, Refusal> {
    match method {
        RestoreMethod::BackupSet { backup_set_id } => by_set(ctx, task, backup_set_id),
        RestoreMethod::PointInTime { point_in_time } => by_time(ctx, task, *point_in_time),
    }
}

fn none_complete<T>(task: &TaskId) -> Result<T, Refusal> {
    refuse(
        RefusalCode::NotFoundBackup,
        format!("backup task {task} has no completed full backup set yet; a restore needs one"),
    )
}

fn by_set<'a>(ctx: &Context<'a>, task: &LogicalBackupTask, id: &SetId) -> Result<Chosen<'a>, Refusal> {
    let set = match find(ctx.state, id, ctx.now) {
        Ok(set) => set,
        Err(_) if fulls(ctx.state, &task.id, ctx.now).is_empty() => return none_complete(&task.id),
        Err(refusal) => return Err(refusal),
    };
    let wrong = if set.task != task.id {
        Some(format!("it is of backup task {}, not of {}", set.task, task.id))
    } else if set.kind != SetKind::Full {
        Some(format!("it is a {:?} set", set.kind))
    } else if set.status != SetStatus::Completed {
        Some(format!("it is {:?}", set.status))
    } else {
        None
    };
    match wrong {
        None => Ok(Chosen { set, logs: Vec::new() }),
        Some(wrong) => {
            let detail = format!(
                "backup set {id} cannot be restored: {wrong}; only a completed full set of the backup task can"
            );
            refuse(RefusalCode::SetNotRestorable, detail)
        }
    }
}

fn by_time<'a>(ctx: &Context<'a>, task: &LogicalBackupTask, time: Timestamp) -> Result<Chosen<'a>, Refusal> {
    if time.subsec_nanosecond() != 0 {
        return invalid(format!("point_in_time {time} has a fraction of a second; give whole seconds (LOG-30)"));
    }
    if task.backup_type != LogicalType::StructureFullLog
        || !ctx.policy.logical_log_engines.contains(&task.product.engine)
    {
        let detail = format!(
            "backup task {} of a {} has no log, so it cannot be restored to a point in time; choose a backup set",
            task.id, task.product.engine
        );
        return refuse(RefusalCode::RestoreMethodNotSupported, detail);
    }
    let (fulls, logs) = (fulls(ctx.state, &task.id, ctx.now), logs(ctx.state, &task.id, ctx.now));
    let Some(first) = fulls.first() else { return none_complete(&task.id) };
    if time > ctx.now {
        let detail = format!("point_in_time {time} is in the future; it is {}", ctx.now);
        return refuse(RefusalCode::RestoreTime, detail);
    }
    let earliest = whole_second_up(first.from.at);
    if time < earliest {
        let detail = format!("point_in_time {time} is before the first backup, which begins at {earliest}");
        return refuse(RefusalCode::RestoreTime, detail);
    }
    for full in fulls.iter().rev().filter(|full| full.from.at <= time) {
        let set = full.set;
        if time <= full.to.at {
            return Ok(Chosen { set, logs: Vec::new() });
        }
        let joined = chain(full, &logs);
        if let Some(last) = joined.iter().position(|log| log.to.at >= time) {
            let logs = joined[..=last].iter().map(|log| log.id.clone()).collect();
            return Ok(Chosen { set, logs });
        }
    }
    let detail = format!(
        "the log of backup task {0} was not collected at {time}, or not yet; \
         GET /v1/logical-backup-tasks/{0}/restorable tells what can be restored",
        task.id
    );
    refuse(RefusalCode::LogNotCovering, detail)
}

/// The sets whose retention has passed, without those a restore still reads.
pub(in crate::model::decide) fn expired(state: &State, now: Timestamp) -> impl Iterator<Item = &LogicalSet> {
    state.sets.values().filter(move |set| !is_kept(set, now) && !is_in_use(state, &set.id))
}

fn is_in_use(state: &State, set: &SetId) -> bool {
    let mut users = state.restores.values().filter(|restore| restore.uses_sets());
    users.any(|restore| restore.set == *set || restore.logs.contains(set))
}

/// A set is gone from the vault. Without any full set left, the log that is collected is of no use and is followed no
/// further; the next full set begins another.
///
/// # Errors
/// `InvalidBackupSet.NotFound`.
pub fn dropped(ctx: &Context<'_>, id: &SetId) -> Decided<()> {
    let Some(set) = ctx.state.sets.get(id) else {
        return refuse(RefusalCode::SetNotFound, format!("there is no backup set {id}"));
    };
    let mut changes = vec![StateChange::DropSet(id.clone())];
    let is_another = |other: &LogicalSet| {
        other.task == set.task
            && other.id != *id
            && other.kind == SetKind::Full
            && other.status != SetStatus::Failed
            && is_kept(other, ctx.now)
    };
    if let Some(task) = ctx.state.logical_tasks.get(&set.task)
        && task.log.is_some()
        && !ctx.state.sets.values().any(is_another)
    {
        let mut desk = Desk::new(ctx, task);
        desk.close_log(None);
        changes.extend(desk.changes());
    }
    Ok(Decision::new(changes, ()))
}

#[cfg(test)]
#[path = "sets_tests.rs"]
mod tests;
