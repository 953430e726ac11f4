//! Duties: what the service has to do by itself, and when it has to look again.

use super::tasks::{self, changed, find, go_on, pause_over_at, phases_fail};
use super::{Context, Decided, backups, leases, logical, nothing};
use crate::model::backup::{Backup, BackupKind, BackupMode, BackupStatus};
use crate::model::instance::{Instance, InstanceState, Origin, Weekday};
use crate::model::policy::Policy;
use crate::model::state::State;
use crate::model::task::{Task, TaskFailure, TaskStatus};
use crate::model::{BackupId, InstanceId, SetId, TaskId};
use crate::ports::clock::later_s;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

const DAY_S: i64 = 86_400;
const WEEKDAYS: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];
/// Place of 1970-01-01, a Thursday, among the weekdays.
const FIRST_WEEKDAY: i64 = 3;
/// Seconds after which a failed automatic data backup is taken again.
const BACKUP_AGAIN_S: i64 = 3_600;

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Duty {
    /// Make an instance.
    Make(InstanceId),
    /// Take an instance down.
    TakeDown(InstanceId),
    /// Recover a backup set into its instance.
    Recover(InstanceId),
    /// Take a backup that was asked for.
    RunBackup(BackupId),
    /// Ask for an automatic backup.
    StartBackup {
        /// Of which instance.
        instance: InstanceId,
        /// Data or log.
        kind: BackupKind,
    },
    /// End a temporary instance whose time is over.
    Expire(InstanceId),
    /// Delete a backup whose retention has passed.
    DropBackup(BackupId),
    /// Try a failed task again.
    Retry(TaskId),
    /// Fail a task that was paused for too long.
    FailLongPause(TaskId),
    /// Take the set of a logical backup task that its schedule asks for.
    StartRun(TaskId),
    /// Delete a set of a logical backup task whose retention has passed.
    DropSet(SetId),
    /// Forget an answer kept under its idempotency key.
    ForgetAnswer(String),
}

/// Everything that is to be done now.
#[must_use]
pub fn due(state: &State, policy: &Policy, now: Timestamp) -> Vec<Duty> {
    let mut due = Vec::new();
    for instance in state.instances.values() {
        match instance.state {
            InstanceState::Creating => due.push(Duty::Make(instance.id.clone())),
            InstanceState::Deleting => due.push(Duty::TakeDown(instance.id.clone())),
            InstanceState::BackupRecovering => due.push(Duty::Recover(instance.id.clone())),
            _ => {}
        }
    }
    for backup in state.backups.values().filter(|backup| backup.status == BackupStatus::Running) {
        due.push(Duty::RunBackup(backup.id.clone()));
    }
    due.extend(backups::expired(state, now).into_iter().map(Duty::DropBackup));
    due.extend(logical::sets::expired(state, now).map(|set| Duty::DropSet(set.id.clone())));
    let times = times(state, policy, now);
    due.extend(times.into_iter().filter(|(at, _)| *at <= now).filter_map(|(_, duty)| duty));
    due
}

/// When there will be something else to do, if nothing changes until then. What a worker can have only then counts too:
/// a task whose lease lapses, a log that is due.
#[must_use]
pub fn next_at(state: &State, policy: &Policy, now: Timestamp) -> Option<Timestamp> {
    let expiries = state.backups.values().filter_map(|backup| backup.expires_at);
    let expiries = expiries.chain(state.sets.values().filter_map(|set| set.expires_at));
    let times = times(state, policy, now).into_iter().map(|(at, _)| at);
    times.chain(expiries).filter(|at| *at > now).min()
}

/// The times at which something is to be done, past and future, with what; without a duty where it is a worker's to do.
fn times(state: &State, policy: &Policy, now: Timestamp) -> Vec<(Timestamp, Option<Duty>)> {
    let mut times = Vec::new();
    for instance in state.instances.values().filter(|instance| instance.state == InstanceState::Running) {
        times.extend(instance.expires_at.map(|at| (at, Some(Duty::Expire(instance.id.clone())))));
    }
    times.extend(automatic_backups(state, policy, now));
    for task in state.tasks.values() {
        times.extend(retry_at(task).map(|at| (at, Some(Duty::Retry(task.id.clone())))));
        times.extend(pause_fails_at(policy, task).map(|at| (at, Some(Duty::FailLongPause(task.id.clone())))));
    }
    times.extend(leases::free_times(state).map(|at| (at, None)));
    times.extend(logical::duties::runs(state, now).map(|(at, task)| (at, Some(Duty::StartRun(task)))));
    for (key, answer) in &state.answers {
        let at = later_s(answer.at, policy.idempotency_days * DAY_S);
        times.push((at, Some(Duty::ForgetAnswer(key.clone()))));
    }
    times
}

fn retry_at(task: &Task) -> Option<Timestamp> {
    task.retry_at.filter(|_| task.status == TaskStatus::MigrationFailed)
}

/// The first whole second at which a pause is too long: its last allowed second has passed.
fn pause_fails_at(policy: &Policy, task: &Task) -> Option<Timestamp> {
    pause_over_at(policy, task).map(|over_at| later_s(over_at, 1))
}

/// Tries a failed task again by itself (DTS-21).
///
/// # Errors
/// `InvalidTaskId.NotFound`.
pub fn retry(ctx: &Context<'_>, id: &TaskId) -> Decided<()> {
    let task = find(ctx, id)?;
    if retry_at(task).is_none_or(|at| at > ctx.now) {
        return nothing();
    }
    let after = Task { retries: task.retries + 1, ..go_on(task, ctx.now) };
    changed(ctx, task, after)
}

/// Fails a task that was paused for too long in its incremental phase (DTS-22); it does not go on any more.
///
/// # Errors
/// `InvalidTaskId.NotFound`.
pub fn fail_long_pause(ctx: &Context<'_>, id: &TaskId) -> Decided<()> {
    let task = find(ctx, id)?;
    if pause_fails_at(ctx.policy, task).is_none_or(|at| at > ctx.now) {
        return nothing();
    }
    let mut after = task.clone();
    phases_fail(&mut after);
    after.status = TaskStatus::MigrationFailed;
    after.failure = Some(TaskFailure::PausedTooLong);
    after.failed_since = Some(ctx.now);
    after.paused_at = None;
    after.incremental_since = None;
    Ok(super::Decision::new(tasks::put(ctx, task, after), ()))
}

/// When the next automatic backup of each kind is due, by instance; only primary instances have them.
fn automatic_backups(state: &State, policy: &Policy, now: Timestamp) -> Vec<(Timestamp, Option<Duty>)> {
    let mut by_instance: BTreeMap<&InstanceId, Vec<&Backup>> = BTreeMap::new();
    for backup in state.backups.values() {
        by_instance.entry(&backup.instance).or_default().push(backup);
    }
    let mut times = Vec::new();
    let is_backed_up =
        |instance: &&Instance| instance.origin == Origin::Primary && instance.state == InstanceState::Running;
    for instance in state.instances.values().filter(is_backed_up) {
        let taken = by_instance.get(&instance.id).map_or(&[][..], Vec::as_slice);
        let data = (BackupKind::Data, next_data_backup(instance, taken, now));
        let log = (BackupKind::Log, next_log_backup(instance, taken, policy, now));
        for (kind, at) in [data, log] {
            let duty = Duty::StartBackup { instance: instance.id.clone(), kind };
            times.extend(at.map(|at| (at, Some(duty))));
        }
    }
    times
}

fn is_running(taken: &[&Backup], kind: BackupKind) -> bool {
    taken.iter().any(|backup| backup.kind == kind && backup.status == BackupStatus::Running)
}

/// The scheduled instant of the automatic data backup that has not been taken yet, past (it was missed, the service being
/// down or another backup running) or next; an hour after its end where the last attempt failed.
fn next_data_backup(instance: &Instance, taken: &[&Backup], now: Timestamp) -> Option<Timestamp> {
    if is_running(taken, BackupKind::Data) {
        return None;
    }
    let policy = &instance.configuration.backup_policy;
    let slot = |after| slot(&policy.weekdays, policy.hour, now, after);
    let next = slot(true)?;
    // A schedule counts from when it was chosen, not for the hours before (RED-06).
    let begins_at = instance.created_at.max(instance.scheduled_at);
    let is_of_its_life = |last: &Timestamp| instance.created_at.is_some() && Some(*last) > begins_at;
    let Some(last) = slot(false).filter(is_of_its_life) else { return Some(next) };
    let of_slot = |backup: &&&Backup| {
        backup.kind == BackupKind::Data && backup.mode == BackupMode::Automated && backup.began_at >= last
    };
    match taken.iter().filter(of_slot).max_by_key(|backup| backup.began_at) {
        None => Some(last),
        Some(backup) if backup.status == BackupStatus::Failed => {
            Some(later_s(backup.ended_at.unwrap_or(backup.began_at), BACKUP_AGAIN_S).min(next))
        }
        Some(_) => Some(next),
    }
}

/// The last scheduled instant up to `now`, or the next one after it.
pub(super) fn slot(weekdays: &BTreeSet<Weekday>, hour: u8, now: Timestamp, after: bool) -> Option<Timestamp> {
    let today = now.as_second().div_euclid(DAY_S);
    let is_chosen = |day: &i64| {
        let place = usize::try_from((day + FIRST_WEEKDAY).rem_euclid(7)).unwrap_or(0);
        weekdays.contains(&WEEKDAYS[place])
    };
    let instant = |day: i64| later_s(Timestamp::UNIX_EPOCH, day * DAY_S + i64::from(hour) * 3_600);
    let days = (0..=7).map(|away| if after { today + away } else { today - away });
    days.filter(is_chosen).map(instant).find(|instant| (*instant > now) == after)
}

/// One interval after the last log backup began, or after the first data backup ended where there is no log backup.
/// Later data backups do not put it off, so the logs reach as far as they can.
fn next_log_backup(instance: &Instance, taken: &[&Backup], policy: &Policy, now: Timestamp) -> Option<Timestamp> {
    let is_whole = |backup: &&&Backup| {
        backup.kind == BackupKind::Data && backup.status == BackupStatus::Success && backups::is_kept(backup, now)
    };
    let first_data = taken.iter().filter(is_whole).filter_map(|backup| backup.ended_at).min()?;
    if !instance.configuration.backup_policy.log_backup || is_running(taken, BackupKind::Log) {
        return None;
    }
    let logs = taken.iter().filter(|backup| backup.kind == BackupKind::Log);
    let last = logs.map(|backup| backup.began_at).max().unwrap_or(first_data);
    Some(later_s(last, policy.log_interval_s(instance.product.engine)))
}

#[cfg(test)]
#[path = "duties_tests.rs"]
mod tests;
