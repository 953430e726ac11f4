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

/// What is to be done now, and when there will be something else.
#[derive(Debug, PartialEq, Eq)]
pub struct Agenda {
    now: Timestamp,
    /// Everything that is to be done now.
    pub due: Vec<Duty>,
    /// When there will be something else to do, if nothing changes until then. What a worker can have only then counts too:
    /// a task whose lease lapses, a log that is due.
    pub next_at: Option<Timestamp>,
}

impl Agenda {
    /// What the state asks for.
    #[must_use]
    pub fn of(state: &State, policy: &Policy, now: Timestamp) -> Self {
        let mut agenda = Self { now, due: Vec::new(), next_at: None };
        agenda.note_states(state);
        agenda.note_expiries(state);
        for instance in state.instances.values().filter(|instance| instance.state == InstanceState::Running) {
            agenda.note(instance.expires_at, || Duty::Expire(instance.id.clone()));
        }
        agenda.note_automatic_backups(state, policy);
        for task in state.tasks.values() {
            agenda.note(retry_at(task), || Duty::Retry(task.id.clone()));
            agenda.note(pause_fails_at(policy, task), || Duty::FailLongPause(task.id.clone()));
        }
        leases::free_times(state).for_each(|at| agenda.wake_at(at));
        for (at, task) in logical::duties::runs(state, now) {
            agenda.note(Some(at), || Duty::StartRun(task));
        }
        for (key, answer) in &state.answers {
            let at = later_s(answer.at, policy.idempotency_days * DAY_S);
            agenda.note(Some(at), || Duty::ForgetAnswer(key.clone()));
        }
        agenda
    }

    /// A duty that is due at a time, past or future.
    fn note(&mut self, at: Option<Timestamp>, duty: impl FnOnce() -> Duty) {
        match at {
            Some(at) if at <= self.now => self.due.push(duty()),
            Some(at) => self.wake_at(at),
            None => {}
        }
    }

    fn wake_at(&mut self, at: Timestamp) {
        if at > self.now {
            self.next_at = Some(self.next_at.map_or(at, |next_at| next_at.min(at)));
        }
    }

    fn note_states(&mut self, state: &State) {
        for instance in state.instances.values() {
            match instance.state {
                InstanceState::Creating => self.due.push(Duty::Make(instance.id.clone())),
                InstanceState::Deleting => self.due.push(Duty::TakeDown(instance.id.clone())),
                InstanceState::BackupRecovering => self.due.push(Duty::Recover(instance.id.clone())),
                _ => {}
            }
        }
        for backup in state.backups.values().filter(|backup| backup.status == BackupStatus::Running) {
            self.due.push(Duty::RunBackup(backup.id.clone()));
        }
    }

    fn note_expiries(&mut self, state: &State) {
        self.due.extend(backups::expired(state, self.now).into_iter().map(Duty::DropBackup));
        self.due.extend(logical::sets::expired(state, self.now).map(|set| Duty::DropSet(set.id.clone())));
        let expiries = state.backups.values().filter_map(|backup| backup.expires_at);
        expiries.chain(state.sets.values().filter_map(|set| set.expires_at)).for_each(|at| self.wake_at(at));
    }

    /// When the next automatic backup of each kind is due; only primary instances have them.
    fn note_automatic_backups(&mut self, state: &State, policy: &Policy) {
        let mut by_instance: BTreeMap<&InstanceId, Vec<&Backup>> = BTreeMap::new();
        for backup in state.backups.values() {
            by_instance.entry(&backup.instance).or_default().push(backup);
        }
        let is_backed_up =
            |instance: &&Instance| instance.origin == Origin::Primary && instance.state == InstanceState::Running;
        for instance in state.instances.values().filter(is_backed_up) {
            let taken = by_instance.get(&instance.id).map_or(&[][..], Vec::as_slice);
            let data = (BackupKind::Data, next_data_backup(instance, taken, self.now));
            let log = (BackupKind::Log, next_log_backup(instance, taken, policy, self.now));
            for (kind, at) in [data, log] {
                self.note(at, || Duty::StartBackup { instance: instance.id.clone(), kind });
            }
        }
    }
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
