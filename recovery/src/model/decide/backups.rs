//! Decisions on backups: taking and keeping them, what can be restored from those that are there, and which are chosen.

use super::{Context, Decided, Decision, instances, nothing, refuse};
use crate::model::backup::{Backup, BackupKind, BackupMode, BackupStatus, Held, RestorableRange};
use crate::model::instance::{Instance, InstanceState, Origin, Restored};
use crate::model::policy::Policy;
use crate::model::refusal::{Refusal, RefusalCode};
use crate::model::state::{State, StateChange};
use crate::model::views::{Restorable, RestoreChoice};
use crate::model::{BackupId, Engine, InstanceId};
use crate::ports::clock::{later, later_s};
use crate::ports::cloud::RestoreOrder;
use jiff::{SignedDuration, Timestamp};

const DAY_S: i64 = 86_400;

/// For what a point in time is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// A temporary instance: at most seven days back (C-32).
    Temporary,
    /// A clone: as far back as backups are kept.
    Clone,
}

/// Whether the retention of a backup has not passed; one whose retention has is no longer shown or chosen.
#[must_use]
pub fn is_kept(backup: &Backup, now: Timestamp) -> bool {
    backup.expires_at.is_none_or(|expires_at| expires_at > now)
}

/// Asks for a backup.
///
/// # Errors
/// Those of [`instances::running`], `OperationDenied.DBInstanceType`, `OperationDenied.BackupMethod`,
/// `OperationDenied.BackupJobExists`, `OperationDenied.NotFoundBackup`.
pub fn request(ctx: &Context<'_>, instance: &InstanceId, kind: BackupKind, mode: BackupMode) -> Decided<BackupId> {
    let of = instances::running(ctx, instance)?;
    if of.is_temporary() {
        let detail =
            format!("instance {instance} is a temporary instance, and those are not backed up; back up its master");
        return refuse(RefusalCode::ProductNotSupported, detail);
    }
    if kind == BackupKind::Log && of.product.engine == Engine::Redis {
        let detail = format!("instance {instance} is {}, which has no log backup; take a data backup", of.product);
        return refuse(RefusalCode::BackupMethod, detail);
    }
    if kind == BackupKind::Log && !of.configuration.backup_policy.log_backup {
        let detail = format!("log backup is off for instance {instance}; switch it on in its backup policy");
        return refuse(RefusalCode::BackupMethod, detail);
    }
    none_running(ctx.state, instance, kind)?;
    if kind == BackupKind::Log && completed_of(ctx.state, instance, BackupKind::Data, ctx.now).next().is_none() {
        let detail =
            format!("instance {instance} has no completed data backup a log backup could follow; take one first");
        return refuse(RefusalCode::NotFoundBackup, detail);
    }
    let id = BackupId((ctx.new_id)("bk-"));
    let backup = Backup {
        id: id.clone(),
        instance: instance.clone(),
        kind,
        mode,
        status: BackupStatus::Running,
        began_at: ctx.now,
        ended_at: None,
        held: None,
        failure: None,
        expires_at: None,
        download: None,
    };
    Ok(Decision::new(vec![StateChange::Backup(Box::new(backup))], id))
}

/// Refuses while a backup of that kind is being taken.
pub(super) fn none_running(state: &State, instance: &InstanceId, kind: BackupKind) -> Result<(), Refusal> {
    let is_running = |backup: &&Backup| {
        backup.instance == *instance && backup.kind == kind && backup.status == BackupStatus::Running
    };
    match state.backups.values().find(is_running) {
        None => Ok(()),
        Some(backup) => refuse(
            RefusalCode::BackupJobExists,
            format!("backup {} of instance {instance} is being taken; wait until it has ended", backup.id),
        ),
    }
}

pub(super) fn find<'a>(ctx: &Context<'a>, id: &BackupId) -> Result<&'a Backup, Refusal> {
    ctx.state.backups.get(id).ok_or_else(|| {
        Refusal::new(
            RefusalCode::BackupNotFound,
            format!("there is no backup {id}; the list of the instance's backups has those there are"),
        )
    })
}

fn ended(ctx: &Context<'_>, backup: &Backup) -> Backup {
    let days =
        ctx.state.instances.get(&backup.instance).map_or(7, |instance| retention_days(ctx, instance, backup.kind));
    let expires_at = Some(later_s(ctx.now, i64::from(days) * DAY_S));
    Backup { ended_at: Some(ctx.now), expires_at, ..backup.clone() }
}

/// Days a backup stays from its end; for Redis always the same, whatever the settings say (RED-07, RED-08, C-25).
fn retention_days(ctx: &Context<'_>, instance: &Instance, kind: BackupKind) -> u16 {
    let policy = &instance.configuration.backup_policy;
    match kind {
        _ if instance.product.engine == Engine::Redis => ctx.policy.redis_retention_days,
        BackupKind::Data => policy.data_retention_days,
        BackupKind::Log => policy.log_retention_days,
    }
}

/// A backup is whole; its retention begins.
///
/// # Errors
/// `InvalidBackupId.NotFound`.
pub fn completed(ctx: &Context<'_>, id: &BackupId, held: Held) -> Decided<()> {
    let backup = find(ctx, id)?;
    if backup.status != BackupStatus::Running {
        return nothing();
    }
    let backup = Backup { status: BackupStatus::Success, held: Some(held), ..ended(ctx, backup) };
    Ok(Decision::new(vec![StateChange::Backup(Box::new(backup))], ()))
}

/// A backup failed; it stays in the list as long as a good one would.
///
/// # Errors
/// `InvalidBackupId.NotFound`.
pub fn failed(ctx: &Context<'_>, id: &BackupId, why: &str) -> Decided<()> {
    let backup = find(ctx, id)?;
    if backup.status != BackupStatus::Running {
        return nothing();
    }
    let backup = Backup { status: BackupStatus::Failed, failure: Some(why.to_owned()), ..ended(ctx, backup) };
    Ok(Decision::new(vec![StateChange::Backup(Box::new(backup))], ()))
}

/// A backup is gone from the vault.
///
/// # Errors
/// `InvalidBackupId.NotFound`.
pub fn dropped(ctx: &Context<'_>, id: &BackupId) -> Decided<()> {
    find(ctx, id)?;
    Ok(Decision::new(vec![StateChange::DropBackup(id.clone())], ()))
}

/// The backups whose retention has passed, without those that an instance in the making, or a recovery, still reads.
#[must_use]
pub fn expired(state: &State, now: Timestamp) -> Vec<BackupId> {
    let old = state.backups.values().filter(|backup| !is_kept(backup, now));
    old.filter(|backup| !is_needed(state, backup)).map(|backup| backup.id.clone()).collect()
}

fn is_needed(state: &State, backup: &Backup) -> bool {
    state.instances.values().any(|instance| match instance.state {
        InstanceState::Creating => needs(state, instance, backup),
        InstanceState::BackupRecovering => instance.recovering.as_ref() == Some(&backup.id),
        _ => false,
    })
}

fn needs(state: &State, instance: &Instance, backup: &Backup) -> bool {
    let (Origin::Temporary { master, restored } | Origin::Clone { source: master, restored }) = &instance.origin else {
        return false;
    };
    let by_time = matches!(restored, Restored::PointInTime { .. });
    let (Restored::BackupSet { backup_set_id } | Restored::PointInTime { backup_set_id, .. }) = restored;
    if *master != backup.instance {
        return false;
    }
    let ends_at = |backup: &Backup| backup.held.as_ref().map(|held| held.to_time);
    let is_after = || state.backups.get(backup_set_id).is_some_and(|data| ends_at(data) <= ends_at(backup));
    *backup_set_id == backup.id || (by_time && backup.kind == BackupKind::Log && is_after())
}

/// The completed and kept backups of a kind, with what they hold.
fn completed_of<'a>(
    state: &'a State,
    instance: &'a InstanceId,
    kind: BackupKind,
    now: Timestamp,
) -> impl Iterator<Item = (&'a Held, &'a BackupId)> {
    let is_of = move |backup: &&Backup| {
        backup.instance == *instance
            && backup.kind == kind
            && backup.status == BackupStatus::Success
            && is_kept(backup, now)
    };
    state.backups.values().filter(is_of).filter_map(|backup| backup.held.as_ref().map(|held| (held, &backup.id)))
}

/// Data backups, oldest content first.
fn data_of<'a>(state: &'a State, instance: &'a InstanceId, now: Timestamp) -> Vec<(&'a Held, &'a BackupId)> {
    let mut data: Vec<_> = completed_of(state, instance, BackupKind::Data, now).collect();
    data.sort_by_key(|(held, id)| (held.to_time, *id));
    data
}

/// Log backups in the order of the log.
fn logs_of<'a>(state: &'a State, instance: &'a InstanceId, now: Timestamp) -> Vec<(&'a Held, &'a BackupId)> {
    let mut logs: Vec<_> = completed_of(state, instance, BackupKind::Log, now).collect();
    logs.sort_by_key(|(held, id)| (held.from_position, held.to_position, *id));
    logs
}

/// The log backups that join a data backup and each other without a gap: each begins no later than where the one before
/// ends, and leads further.
#[must_use]
pub fn chain<'a>(data: &'a Held, logs: &[(&'a Held, &'a BackupId)]) -> Vec<(&'a Held, &'a BackupId)> {
    let mut end = data;
    let mut joined = Vec::new();
    for (log, id) in logs {
        let joins = log.from_position <= end.to_position && log.to_position >= end.to_position;
        if joins && log.to_time > end.to_time {
            end = log;
            joined.push((*log, *id));
        }
    }
    joined
}

pub(super) fn whole_second_up(time: Timestamp) -> Timestamp {
    if time.subsec_nanosecond() == 0 { time } else { later_s(whole_second_down(time), 1) }
}

pub(super) fn whole_second_down(time: Timestamp) -> Timestamp {
    let fraction = i64::from(time.subsec_nanosecond()).rem_euclid(1_000_000_000);
    later(time, SignedDuration::from_nanos(-fraction))
}

/// What can be restored, as it follows from the backups that are really there: from the end of a data backup, through
/// the log backups that join it, to the end of the last of them (SQL-10, C-08). It is the same for every use; how far
/// back a temporary instance may reach is a matter of [`choose`].
#[must_use]
pub fn restorable(state: &State, _policy: &Policy, instance: &InstanceId, now: Timestamp) -> Restorable {
    let (data, logs) = (data_of(state, instance, now), logs_of(state, instance, now));
    let mut ranges: Vec<RestorableRange> = Vec::new();
    for (held, _) in &data {
        let Some((last, _)) = chain(held, &logs).pop() else { continue };
        let (earliest, latest) = (whole_second_up(held.to_time), whole_second_down(last.to_time));
        match ranges.last_mut() {
            Some(range) if earliest <= range.latest => range.latest = range.latest.max(latest),
            _ if earliest <= latest => ranges.push(RestorableRange { earliest, latest }),
            _ => {}
        }
    }
    Restorable { ranges, backup_sets: data.into_iter().map(|(_, id)| id.clone()).collect() }
}

/// Chooses the backups for a restore. A point in time the logs do not cover is refused, never moved (SQL-10, C-08).
///
/// # Errors
/// `InvalidParameter`, `OperationDenied.NotFoundBackup`, `InvalidBackupId.NotFound`, `OperationDenied.BackupStatus`,
/// `InvalidRestoreTime`, `OperationDenied.RestoreTimeNotCovered`.
pub fn choose(
    state: &State,
    policy: &Policy,
    instance: &InstanceId,
    choice: &RestoreChoice,
    now: Timestamp,
    window: Window,
) -> Result<RestoreOrder, Refusal> {
    let is_shapely = choice.backup_set_id.is_some() != choice.point_in_time.is_some();
    if !is_shapely {
        let detail = "exactly one of backup_set_id and point_in_time has to be given";
        return refuse(RefusalCode::InvalidParameter, detail);
    }
    let data = data_of(state, instance, now);
    if data.is_empty() {
        let detail = format!("instance {instance} has no completed data backup; take one first");
        return refuse(RefusalCode::NotFoundBackup, detail);
    }
    match (&choice.backup_set_id, choice.point_in_time) {
        (Some(set), _) => by_set(state, instance, set, now),
        (None, Some(time)) => {
            check_time(policy, time, now, window)?;
            by_time(instance, &data, &logs_of(state, instance, now), time)
        }
        (None, None) => refuse(RefusalCode::InvalidParameter, "backup_set_id or point_in_time has to be given"),
    }
}

/// Chooses a completed and kept data backup of the instance.
pub(super) fn by_set(
    state: &State,
    instance: &InstanceId,
    set: &BackupId,
    now: Timestamp,
) -> Result<RestoreOrder, Refusal> {
    let is_of =
        |backup: &&Backup| backup.instance == *instance && backup.kind == BackupKind::Data && is_kept(backup, now);
    let Some(backup) = state.backups.get(set).filter(is_of) else {
        let detail = format!("instance {instance} has no data backup {set}; GET its backups for their ids");
        return refuse(RefusalCode::BackupNotFound, detail);
    };
    if backup.status != BackupStatus::Success {
        let detail = format!("data backup {set} is {:?}; only one that is Success can be restored", backup.status);
        return refuse(RefusalCode::BackupStatus, detail);
    }
    Ok(RestoreOrder { of: instance.clone(), data: set.clone(), logs: Vec::new(), until: None })
}

fn check_time(policy: &Policy, time: Timestamp, now: Timestamp, window: Window) -> Result<(), Refusal> {
    if time.subsec_nanosecond() != 0 {
        let detail = format!("point_in_time {time} has a fraction of a second; give whole seconds");
        return refuse(RefusalCode::InvalidParameter, detail);
    }
    if time > now {
        let detail = format!("point_in_time {time} is in the future; it is {now}");
        return refuse(RefusalCode::RestoreTime, detail);
    }
    let first = later_s(now, -policy.temporary_window_s);
    if window == Window::Temporary && time < first {
        let detail = format!("point_in_time {time} is too long ago; a temporary instance reaches back to {first}");
        return refuse(RefusalCode::RestoreTime, detail);
    }
    Ok(())
}

fn by_time(
    instance: &InstanceId,
    data: &[(&Held, &BackupId)],
    logs: &[(&Held, &BackupId)],
    time: Timestamp,
) -> Result<RestoreOrder, Refusal> {
    for (held, id) in data.iter().rev().filter(|(held, _)| held.to_time <= time) {
        let joined = chain(held, logs);
        if let Some(last) = joined.iter().position(|(log, _)| log.to_time >= time) {
            let logs = joined[..=last].iter().map(|(_, log)| (*log).clone()).collect();
            return Ok(RestoreOrder { of: instance.clone(), data: (*id).clone(), logs, until: Some(time) });
        }
    }
    let detail = format!(
        "the data and log backups of instance {instance} do not cover {time}; \
         GET /v1/instances/{instance}/restorable tells what they cover, or choose a data backup"
    );
    refuse(RefusalCode::LogNotCovering, detail)
}

#[cfg(test)]
#[path = "backups_tests.rs"]
mod tests;
