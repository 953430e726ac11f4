//! What answers show of the state: views and lists, without any password.

use crate::model::InstanceId;
use crate::model::backup::{Backup, BackupKind};
use crate::model::decide::tasks;
use crate::model::instance::{Instance, InstanceState, Origin};
use crate::model::precheck::PrecheckRun;
use crate::model::refusal::{Refusal, RefusalCode};
use crate::model::state::{Charge, State};
use crate::model::task::{MigrationType, PhaseStatus, Side, Task, TaskStatus};
use crate::model::views::{
    BackupList, BackupView, ChargeList, ChargeView, InstanceList, InstanceView, SideView, TaskList, TaskView,
};
use jiff::Timestamp;
use std::collections::BTreeMap;

const HOUR_S: u64 = 3_600;

/// The state a user sees: a running master shows `INS_CLONING` while a clone of it is being made (CLN-18).
#[must_use]
pub fn state_shown(instance: &Instance, state: &State, now: Timestamp) -> InstanceState {
    let own = instance.state_at(now);
    let is_clone_in_the_making = |other: &Instance| {
        other.state == InstanceState::Creating
            && matches!(&other.origin, Origin::Clone { source, .. } if *source == instance.id)
    };
    if own == InstanceState::Running && state.instances.values().any(is_clone_in_the_making) {
        return InstanceState::InsCloning;
    }
    own
}

/// An instance as answers show it.
#[must_use]
pub fn instance_view(instance: &Instance, state: &State, now: Timestamp) -> InstanceView {
    InstanceView {
        id: instance.id.clone(),
        product: instance.product,
        origin: instance.origin.clone(),
        region: instance.region.clone(),
        network: instance.network,
        state: state_shown(instance, state, now),
        endpoint: instance.endpoint.clone(),
        configuration: instance.configuration.clone(),
        billing: instance.billing,
        requested_at: instance.requested_at,
        created_at: instance.created_at,
        expires_at: instance.expires_at,
        recovered_to: instance.recovered_to,
        failure: instance.failure.clone(),
    }
}

/// A backup as answers show it.
#[must_use]
pub fn backup_view(backup: &Backup) -> BackupView {
    BackupView {
        id: backup.id.clone(),
        instance: backup.instance.clone(),
        kind: backup.kind,
        mode: backup.mode,
        status: backup.status,
        began_at: backup.began_at,
        ended_at: backup.ended_at,
        content_to: backup.held.as_ref().map(|held| held.to_time),
        size_bytes: backup.held.as_ref().map(|held| held.size_bytes),
        node: backup.held.as_ref().and_then(|held| held.node),
        expires_at: backup.expires_at,
        failure: backup.failure.clone(),
    }
}

fn side_view(side: &Side) -> SideView {
    SideView {
        instance_type: "rds".to_owned(),
        region: side.region.clone(),
        instance_id: side.instance.clone(),
        account: side.account.clone(),
        connection: side.connection,
    }
}

/// The phases as answers show them: a log that nobody has looked at for a while is not known to be caught up with.
fn phases(task: &Task, now: Timestamp) -> BTreeMap<MigrationType, PhaseStatus> {
    let leased_until = task.lease.as_ref().map(|lease| lease.until);
    let is_followed = leased_until.max(task.follow_at).is_some_and(|until| until > now);
    let mut phases = task.phases.clone();
    if task.status == TaskStatus::Migrating && !is_followed {
        let caught_up = phases.values_mut().filter(|status| **status == PhaseStatus::Catched);
        caught_up.for_each(|status| *status = PhaseStatus::Migrating);
    }
    phases
}

/// A task as answers show it.
#[must_use]
pub fn task_view(task: &Task, state: &State, now: Timestamp) -> TaskView {
    let waits = matches!(task.status, TaskStatus::NotStarted | TaskStatus::PrecheckFailed | TaskStatus::PrecheckPassed);
    let stale = |run: &PrecheckRun| run.stale(&tasks::configuration(state, task));
    TaskView {
        id: task.id.clone(),
        name: task.name.clone(),
        source: side_view(&task.source),
        target: side_view(&task.target),
        purchase_required: task.purchase_required,
        stage: task.stage,
        types: task.types.clone(),
        objects: task.objects.clone(),
        same_name: task.same_name,
        without_advice: task.without_advice.clone(),
        status: task.status,
        shields: task.shields.clone(),
        precheck: task.precheck.clone(),
        precheck_stale: task.precheck.as_ref().filter(|_| waits).map(stale).unwrap_or_default(),
        phases: phases(task, now),
        progress: task.progress.clone(),
        failure: task.failure.clone(),
        retry_at: task.retry_at,
        pay_type: "PostPaid".to_owned(),
        created_at: task.created_at,
        started_at: task.started_at,
        ended_at: task.ended_at,
    }
}

/// A charge as answers show it: every begun hour counts, the first from the beginning.
#[must_use]
pub fn charge_view(charge: &Charge, now: Timestamp) -> ChargeView {
    let until = charge.until.unwrap_or(now).max(charge.from);
    let span = charge.from.duration_until(until).unsigned_abs();
    let begun_second = u64::from(span.subsec_nanos() > 0);
    let hours = (span.as_secs() + begun_second).div_ceil(HOUR_S).max(1);
    ChargeView {
        subject: charge.subject.clone(),
        what: charge.what.clone(),
        from: charge.from,
        until: charge.until,
        cents: hours.saturating_mul(charge.cents_per_hour),
    }
}

fn list(state: &State, now: Timestamp, wanted: impl Fn(&Instance) -> bool) -> InstanceList {
    let there = state.instances.values().filter(|instance| instance.is_there(now) && wanted(instance));
    InstanceList { instances: there.map(|instance| instance_view(instance, state, now)).collect() }
}

/// The instances that exist or are being made, of one region if asked; released, expired and failed ones are in no list.
#[must_use]
pub fn list_instances(state: &State, region: Option<&str>, now: Timestamp) -> InstanceList {
    list(state, now, |instance| region.is_none_or(|region| region == instance.region))
}

/// The drop-down list of the source and target of a task (TMP-25): running instances of a region.
#[must_use]
pub fn migration_sources(state: &State, region: &str, now: Timestamp) -> InstanceList {
    list(state, now, |instance| {
        instance.region == region && state_shown(instance, state, now) == InstanceState::Running
    })
}

/// The temporary instances of a master.
#[must_use]
pub fn temporary_instances(state: &State, master: &InstanceId, now: Timestamp) -> InstanceList {
    list(state, now, |instance| instance.is_temporary() && instance.master() == Some(master))
}

/// The times in which the backups of a list began, both ends included (RED-11).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Began {
    /// First time.
    pub from: Option<Timestamp>,
    /// Last time.
    pub to: Option<Timestamp>,
}

impl Began {
    fn includes(self, time: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= time) && self.to.is_none_or(|to| time <= to)
    }
}

/// The backups of an instance that began within the times and whose retention has not passed (RED-12), oldest first.
///
/// # Errors
/// `InvalidParameter` when the first time is after the last.
pub fn list_backups(state: &State, instance: &InstanceId, began: Began, now: Timestamp) -> Result<BackupList, Refusal> {
    if let (Some(from), Some(to)) = (began.from, began.to)
        && from > to
    {
        return super::refuse(RefusalCode::InvalidParameter, format!("from {from} is after to {to}"));
    }
    let kept = |backup: &&Backup| {
        backup.instance == *instance && began.includes(backup.began_at) && super::backups::is_kept(backup, now)
    };
    let mut backups: Vec<&Backup> = state.backups.values().filter(kept).collect();
    backups.sort_by_key(|backup| (backup.began_at, backup.kind == BackupKind::Log, &backup.id));
    Ok(BackupList { backups: backups.into_iter().map(backup_view).collect() })
}

/// The tasks, oldest first.
#[must_use]
pub fn list_tasks(state: &State, now: Timestamp) -> TaskList {
    let mut tasks: Vec<&Task> = state.tasks.values().collect();
    tasks.sort_by_key(|task| (task.created_at, &task.id));
    TaskList { tasks: tasks.into_iter().map(|task| task_view(task, state, now)).collect() }
}

/// The charges, those of one instance or task if asked, in the order they began.
#[must_use]
pub fn list_charges(state: &State, subject: Option<&str>, now: Timestamp) -> ChargeList {
    let wanted = |charge: &&Charge| subject.is_none_or(|subject| subject == charge.subject);
    let mut charges: Vec<&Charge> = state.charges.values().filter(wanted).collect();
    charges.sort_by_key(|charge| (charge.from, &charge.subject));
    ChargeList { charges: charges.into_iter().map(|charge| charge_view(charge, now)).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::decide::testing::{Bench, REDIS, SQL_SERVER_WEB, at};
    use crate::ports::clock::later_s;

    fn charge(from: Timestamp, until: Timestamp) -> Charge {
        Charge { subject: "rm-1".into(), what: "instance".into(), from, until: Some(until), cents_per_hour: 12 }
    }

    #[test]
    fn every_begun_hour_is_charged() {
        let from = at("2026-01-05T09:00:00Z");
        for (seconds, cents) in [(0, 12), (1, 12), (3_600, 12), (3_601, 24), (48 * 3_600, 48 * 12)] {
            assert_eq!(charge_view(&charge(from, later_s(from, seconds)), from).cents, cents, "{seconds} s");
        }
    }

    #[test]
    fn a_running_charge_grows_with_time() {
        let from = at("2026-01-05T09:00:00Z");
        let charge = Charge { until: None, ..charge(from, from) };
        assert_eq!(charge_view(&charge, later_s(from, 7_201)).cents, 36);
    }

    #[test]
    fn an_expired_temporary_instance_is_in_no_list_though_nothing_took_it_down_yet() {
        let mut bench = Bench::new();
        let master = bench.restorable_primary(SQL_SERVER_WEB);
        let temporary = bench.temporary(&master);
        let expires_at = later_s(bench.now, 48 * 3_600);
        let seen = |bench: &Bench| {
            let everywhere = list_instances(&bench.state, None, bench.now);
            let sources = migration_sources(&bench.state, "east", bench.now);
            let of_master = temporary_instances(&bench.state, &master, bench.now);
            [everywhere, sources, of_master].map(|list| list.instances.iter().any(|seen| seen.id == temporary))
        };
        bench.now = later_s(expires_at, -1);
        assert_eq!(seen(&bench), [true; 3]);
        bench.now = expires_at;
        assert_eq!(seen(&bench), [false; 3]);
        let view = instance_view(&bench.state.instances[&temporary], &bench.state, bench.now);
        assert_eq!(view.state, InstanceState::Released);
    }

    #[test]
    fn the_drop_down_of_a_region_offers_its_running_instances_only() {
        let mut bench = Bench::new();
        let here = bench.primary(SQL_SERVER_WEB);
        let elsewhere = bench.primary(SQL_SERVER_WEB);
        bench.edit(&elsewhere, |instance| instance.region = "west".into());
        let creating = bench.creating(SQL_SERVER_WEB);
        let offered = migration_sources(&bench.state, "east", bench.now).instances;
        assert_eq!(offered.iter().map(|seen| &seen.id).collect::<Vec<_>>(), [&here]);
        let listed = list_instances(&bench.state, Some("east"), bench.now).instances;
        assert!(listed.iter().any(|seen| seen.id == creating));
    }

    #[test]
    fn the_list_of_backups_holds_those_that_began_within_the_times_and_are_kept() {
        let mut bench = Bench::new();
        let id = bench.primary(REDIS);
        let first = bench.data_backup(&id, 1);
        bench.wait(3_600);
        let second = bench.data_backup(&id, 2);
        let time = |text: &str| Some(at(text));
        let listed = |bench: &Bench, from, to| {
            let list = list_backups(&bench.state, &id, Began { from, to }, bench.now)?;
            Ok::<_, Refusal>(list.backups.into_iter().map(|backup| backup.id).collect::<Vec<_>>())
        };
        for (from, to, expected) in [
            (None, None, vec![first.clone(), second.clone()]),
            (time("2026-01-05T09:00:00Z"), time("2026-01-05T10:00:00Z"), vec![first.clone(), second.clone()]),
            (time("2026-01-05T09:00:01Z"), None, vec![second.clone()]),
            (None, time("2026-01-05T09:59:59Z"), vec![first]),
            (time("2026-01-05T09:30:00Z"), time("2026-01-05T09:30:00Z"), vec![]),
        ] {
            assert_eq!(listed(&bench, from, to), Ok(expected), "{from:?} {to:?}");
        }
        let turned = listed(&bench, time("2026-01-05T10:00:00Z"), time("2026-01-05T09:00:00Z"));
        assert_eq!(turned.map_err(|refusal| refusal.code), Err(RefusalCode::InvalidParameter));
        bench.now = at("2026-01-12T09:00:00Z");
        assert_eq!(listed(&bench, None, None), Ok(vec![second]));
    }
}
