//! Facts about what is due and when to look again.

use super::*;
use crate::model::decide::testing::{Bench, MYSQL, REDIS, SQL_SERVER_HA, SQL_SERVER_WEB, at};
use crate::model::decide::{clones, instances};
use crate::model::instance::Billing;
use crate::model::state::{KeptAnswer, StateChange};
use crate::model::task::{Lease, MigrationType, PhaseStatus};
use crate::model::views::{ConfigurationChange, NewClone};

fn is_due(bench: &Bench) -> Vec<Duty> {
    Agenda::of(&bench.state, &bench.policy, bench.now).due
}

fn look_at(bench: &Bench) -> Option<Timestamp> {
    Agenda::of(&bench.state, &bench.policy, bench.now).next_at
}

fn start(instance: &InstanceId, kind: BackupKind) -> Duty {
    Duty::StartBackup { instance: instance.clone(), kind }
}

fn schedule(bench: &mut Bench, id: &InstanceId, weekdays: &[Weekday], hour: u8) {
    let mut backup_policy = bench.state.instances[id].configuration.backup_policy.clone();
    backup_policy.weekdays = weekdays.iter().copied().collect();
    backup_policy.hour = hour;
    let change = ConfigurationChange { backup_policy: Some(backup_policy), ..ConfigurationChange::default() };
    bench.decide(|ctx| instances::configure(ctx, id, &change)).unwrap();
}

fn begin(bench: &mut Bench, id: &InstanceId, kind: BackupKind) -> BackupId {
    bench.decide(|ctx| backups::request(ctx, id, kind, BackupMode::Automated)).unwrap()
}

#[test]
fn instances_are_made_and_taken_down() {
    let mut bench = Bench::new();
    let id = bench.creating(MYSQL);
    assert_eq!(is_due(&bench), [Duty::Make(id.clone())]);
    bench.make(&id);
    assert_eq!((is_due(&bench), look_at(&bench)), (vec![], None));
    bench.decide(|ctx| instances::release(ctx, &id)).unwrap();
    assert_eq!(is_due(&bench), [Duty::TakeDown(id.clone())]);
    bench.decide(|ctx| instances::taken_down(ctx, &id)).unwrap();
    assert_eq!(is_due(&bench), []);
}

#[test]
fn a_temporary_instance_expires_at_48_hours_to_the_second() {
    let mut bench = Bench::new();
    let master = bench.restorable_primary(SQL_SERVER_WEB);
    bench.state.backups.clear();
    bench.data_backup(&master, 10);
    let id = bench.temporary(&master);
    bench.state.backups.clear();
    let expires_at = later_s(bench.now, 48 * 3_600);
    assert_eq!(look_at(&bench), Some(expires_at));
    bench.now = later_s(expires_at, -1);
    assert_eq!(is_due(&bench), []);
    bench.now = expires_at;
    assert_eq!((is_due(&bench), look_at(&bench)), (vec![Duty::Expire(id.clone())], None));
    bench.decide(|ctx| instances::expire(ctx, &id)).unwrap();
    assert_eq!(is_due(&bench), [Duty::TakeDown(id)]);
}

#[test]
fn the_automatic_data_backup_begins_on_its_weekday_and_hour() {
    let mut bench = Bench::new();
    let id = bench.primary(MYSQL);
    schedule(&mut bench, &id, &[Weekday::Tuesday, Weekday::Saturday], 18);
    assert_eq!((is_due(&bench), look_at(&bench)), (vec![], Some(at("2026-01-06T18:00:00Z"))));
    bench.now = at("2026-01-06T17:59:59Z");
    assert_eq!(is_due(&bench), []);
    bench.now = at("2026-01-06T18:00:00Z");
    assert_eq!(is_due(&bench), [start(&id, BackupKind::Data)]);
    let backup = begin(&mut bench, &id, BackupKind::Data);
    assert_eq!(is_due(&bench), [Duty::RunBackup(backup.clone())]);
    let held = bench_held(&bench);
    bench.decide(|ctx| backups::completed(ctx, &backup, held.clone())).unwrap();
    assert_eq!(is_due(&bench), []);
    assert_eq!(
        next_data_backup(&bench.state.instances[&id], &[&bench.state.backups[&backup]], bench.now),
        Some(at("2026-01-10T18:00:00Z"))
    );
}

fn bench_held(bench: &Bench) -> crate::model::backup::Held {
    crate::model::backup::Held {
        from_position: 1,
        to_position: 1,
        from_time: bench.now,
        to_time: bench.now,
        size_bytes: 1,
        sha256: None,
        node: None,
    }
}

#[test]
fn a_missed_backup_is_made_up_for_but_none_from_before_the_instance() {
    let mut bench = Bench::new();
    let id = bench.primary(MYSQL);
    schedule(&mut bench, &id, &[Weekday::Monday, Weekday::Friday], 8);
    assert_eq!(is_due(&bench), []);
    bench.now = at("2026-01-10T00:00:00Z");
    assert_eq!(is_due(&bench), [start(&id, BackupKind::Data)]);
}

#[test]
fn a_failed_automatic_backup_is_taken_again_after_an_hour() {
    let mut bench = Bench::new();
    let id = bench.primary(MYSQL);
    schedule(&mut bench, &id, &[Weekday::Tuesday, Weekday::Saturday], 18);
    bench.now = at("2026-01-06T18:00:00Z");
    let backup = begin(&mut bench, &id, BackupKind::Data);
    bench.wait(60);
    bench.decide(|ctx| backups::failed(ctx, &backup, "vault away")).unwrap();
    assert_eq!((is_due(&bench), look_at(&bench)), (vec![], Some(at("2026-01-06T19:01:00Z"))));
    bench.now = at("2026-01-06T19:01:00Z");
    assert_eq!(is_due(&bench), [start(&id, BackupKind::Data)]);
}

#[test]
fn logs_are_backed_up_every_interval_once_there_is_a_data_backup() {
    let mut bench = Bench::new();
    let id = bench.primary(SQL_SERVER_WEB);
    assert_eq!(look_at(&bench), None);
    bench.data_backup(&id, 10);
    assert_eq!((is_due(&bench), look_at(&bench)), (vec![], Some(at("2026-01-05T09:30:00Z"))));
    bench.now = at("2026-01-05T09:10:00Z");
    bench.data_backup(&id, 12);
    assert_eq!(look_at(&bench), Some(at("2026-01-05T09:30:00Z")));
    bench.now = at("2026-01-05T09:30:00Z");
    assert_eq!(is_due(&bench), [start(&id, BackupKind::Log)]);
    let backup = begin(&mut bench, &id, BackupKind::Log);
    assert_eq!(is_due(&bench), [Duty::RunBackup(backup.clone())]);
    bench.decide(|ctx| backups::failed(ctx, &backup, "vault away")).unwrap();
    assert_eq!((is_due(&bench), look_at(&bench)), (vec![], Some(at("2026-01-05T10:00:00Z"))));
}

#[test]
fn without_log_backup_in_the_policy_none_is_due() {
    let mut bench = Bench::new();
    let id = bench.restorable_primary(MYSQL);
    bench.edit(&id, |instance| instance.configuration.backup_policy.log_backup = false);
    bench.wait(86_400);
    assert_eq!(is_due(&bench), []);
}

#[test]
fn only_primary_instances_are_backed_up_by_themselves() {
    let mut bench = Bench::new();
    let master = bench.restorable_primary(SQL_SERVER_HA);
    schedule(&mut bench, &master, &WEEKDAYS, 0);
    let restore = bench.last_set(&master);
    let order = NewClone {
        restore,
        billing: Billing::PayAsYouGo,
        network: None,
        count: None,
        terms_accepted: true,
        entry: None,
    };
    let copy = bench.decide(|ctx| clones::create(ctx, &master, &order)).unwrap().remove(0);
    bench.make(&copy);
    bench.data_backup(&copy, 1);
    bench.wait(86_400);
    assert_eq!(is_due(&bench), [start(&master, BackupKind::Data), start(&master, BackupKind::Log)]);
}

#[test]
fn an_old_backup_is_dropped_when_its_retention_has_passed() {
    let mut bench = Bench::new();
    let id = bench.restorable_primary(MYSQL);
    bench.edit(&id, |instance| instance.configuration.backup_policy.log_backup = false);
    let backup = bench.state.backups.keys().next().unwrap().clone();
    assert_eq!(look_at(&bench), Some(at("2026-01-12T09:00:00Z")));
    bench.now = at("2026-01-12T09:00:00Z");
    assert_eq!(is_due(&bench), [Duty::DropBackup(backup.clone())]);
    bench.decide(|ctx| backups::dropped(ctx, &backup)).unwrap();
    assert_eq!((is_due(&bench), look_at(&bench)), (vec![], None));
}

fn paused() -> (Bench, TaskId) {
    let mut bench = Bench::new();
    let master = bench.primary(MYSQL);
    let target = bench.primary(MYSQL);
    let id = bench.selected_task(&master, &target, &[MigrationType::Full, MigrationType::Incremental]);
    let now = bench.now;
    bench.edit_task(&id, |task| {
        task.status = TaskStatus::Suspending;
        task.paused_at = Some(now);
        task.phases.insert(MigrationType::Incremental, PhaseStatus::Catched);
    });
    (bench, id)
}

#[test]
fn a_pause_of_more_than_six_hours_in_the_incremental_phase_fails_the_task() {
    let (mut bench, id) = paused();
    let paused_at = bench.now;
    bench.now = later_s(paused_at, 6 * 3_600);
    assert_eq!((is_due(&bench), look_at(&bench)), (vec![], Some(later_s(bench.now, 1))));
    bench.decide(|ctx| fail_long_pause(ctx, &id)).unwrap();
    assert_eq!(bench.state.tasks[&id].status, TaskStatus::Suspending);
    bench.wait(1);
    assert_eq!(is_due(&bench), [Duty::FailLongPause(id.clone())]);
    bench.decide(|ctx| fail_long_pause(ctx, &id)).unwrap();
    let task = &bench.state.tasks[&id];
    assert_eq!((task.status, &task.failure), (TaskStatus::MigrationFailed, &Some(TaskFailure::PausedTooLong)));
    assert_eq!((task.retry_at, is_due(&bench)), (None, vec![]));
}

#[test]
fn a_pause_before_the_incremental_phase_has_no_end() {
    let (mut bench, id) = paused();
    bench.edit_task(&id, |task| task.phases.clear());
    bench.wait(86_400);
    assert_eq!((is_due(&bench), look_at(&bench)), (vec![], None));
}

#[test]
fn a_retry_is_due_at_its_time_and_not_before() {
    let (mut bench, id) = paused();
    let retry_at = later_s(bench.now, 60);
    bench.edit_task(&id, |task| {
        task.status = TaskStatus::MigrationFailed;
        task.retry_at = Some(retry_at);
    });
    assert_eq!((is_due(&bench), look_at(&bench)), (vec![], Some(retry_at)));
    bench.decide(|ctx| retry(ctx, &id)).unwrap();
    assert_eq!(bench.state.tasks[&id].status, TaskStatus::MigrationFailed);
    bench.now = retry_at;
    assert_eq!(is_due(&bench), [Duty::Retry(id.clone())]);
    bench.decide(|ctx| retry(ctx, &id)).unwrap();
    assert_eq!((bench.state.tasks[&id].status, bench.state.tasks[&id].retries), (TaskStatus::Migrating, 1));
}

#[test]
fn the_end_of_a_lease_is_worth_a_look() {
    let (mut bench, id) = paused();
    let until = later_s(bench.now, 30);
    bench.edit_task(&id, |task| {
        task.status = TaskStatus::Migrating;
        task.lease = Some(Lease { worker: "w".into(), epoch: 1, until });
    });
    assert_eq!((is_due(&bench), look_at(&bench)), (vec![], Some(until)));
}

#[test]
fn a_kept_answer_is_forgotten_after_seven_days() {
    let mut bench = Bench::new();
    let answer = KeptAnswer { request_sha256: String::new(), status: 201, body: String::new(), at: bench.now };
    bench.state.apply(&[StateChange::Answer("key".into(), answer)]);
    let forgotten_at = later_s(bench.now, 7 * DAY_S);
    assert_eq!((is_due(&bench), look_at(&bench)), (vec![], Some(forgotten_at)));
    bench.now = forgotten_at;
    assert_eq!(is_due(&bench), [Duty::ForgetAnswer("key".into())]);
}

#[test]
fn a_schedule_counts_from_when_it_was_chosen() {
    let mut bench = Bench::new();
    let id = bench.primary(REDIS);
    bench.now = at("2026-01-12T10:00:00Z");
    schedule(&mut bench, &id, &[Weekday::Monday], 8);
    assert_eq!((is_due(&bench), look_at(&bench)), (vec![], Some(at("2026-01-19T08:00:00Z"))));
    bench.now = at("2026-01-19T08:00:00Z");
    schedule(&mut bench, &id, &[Weekday::Monday], 8);
    assert_eq!(is_due(&bench), [start(&id, BackupKind::Data)]);
}

#[test]
fn a_manual_backup_takes_the_place_of_no_automatic_one() {
    let mut bench = Bench::new();
    let id = bench.primary(REDIS);
    schedule(&mut bench, &id, &[Weekday::Tuesday], 18);
    bench.now = at("2026-01-06T18:00:00Z");
    let manual = bench.decide(|ctx| backups::request(ctx, &id, BackupKind::Data, BackupMode::Manual)).unwrap();
    assert_eq!(is_due(&bench), [Duty::RunBackup(manual.clone())]);
    let held = bench_held(&bench);
    bench.decide(|ctx| backups::completed(ctx, &manual, held)).unwrap();
    assert_eq!(is_due(&bench), [start(&id, BackupKind::Data)]);
}
