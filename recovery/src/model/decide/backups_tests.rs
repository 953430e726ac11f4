//! Facts about decisions on backups.

use super::*;
use crate::model::decide::testing::{Bench, MYSQL, REDIS, SQL_SERVER_WEB, at, code};
use crate::model::decide::{clones, temporary};
use crate::model::instance::Billing;
use crate::model::views::{ConfigurationChange, NewClone};

fn time(time: &str) -> RestoreChoice {
    RestoreChoice { backup_set_id: None, point_in_time: Some(at(time)) }
}

fn set(id: &BackupId) -> RestoreChoice {
    RestoreChoice { backup_set_id: Some(id.clone()), point_in_time: None }
}

fn chosen(bench: &Bench, of: &InstanceId, choice: &RestoreChoice, window: Window) -> Result<RestoreOrder, Refusal> {
    choose(&bench.state, &bench.policy, of, choice, bench.now, window)
}

fn ranges(bench: &Bench, of: &InstanceId) -> Vec<(String, String)> {
    let restorable = restorable(&bench.state, &bench.policy, of, bench.now);
    restorable.ranges.iter().map(|range| (range.earliest.to_string(), range.latest.to_string())).collect()
}

fn range(earliest: &str, latest: &str) -> (String, String) {
    (format!("2026-01-05T{earliest}Z"), format!("2026-01-05T{latest}Z"))
}

/// A data backup at 09:00:00.4 and a log backup to 09:30:00.6.
fn with_a_range() -> (Bench, InstanceId, BackupId, BackupId) {
    let mut bench = Bench::new();
    let id = bench.primary(SQL_SERVER_WEB);
    bench.now = at("2026-01-05T09:00:00.4Z");
    let data = bench.data_backup(&id, 10);
    bench.now = at("2026-01-05T09:30:00.6Z");
    let log = bench.log_backup(&id, 10, 20);
    bench.now = at("2026-01-05T10:00:00Z");
    (bench, id, data, log)
}

#[test]
fn the_range_goes_from_the_first_whole_second_to_the_last() {
    let (bench, id, data, _) = with_a_range();
    assert_eq!(ranges(&bench, &id), [range("09:00:01", "09:30:00")]);
    assert_eq!(restorable(&bench.state, &bench.policy, &id, bench.now).backup_sets, [data]);
}

#[test]
fn both_ends_of_the_range_are_restored_and_a_second_outside_is_refused() {
    let (bench, id, data, log) = with_a_range();
    for inside in ["2026-01-05T09:00:01Z", "2026-01-05T09:30:00Z"] {
        let order = chosen(&bench, &id, &time(inside), Window::Temporary).unwrap();
        assert_eq!((order.data, order.logs, order.until), (data.clone(), vec![log.clone()], Some(at(inside))));
    }
    for outside in ["2026-01-05T09:00:00Z", "2026-01-05T09:30:01Z"] {
        let refused = chosen(&bench, &id, &time(outside), Window::Temporary).map(drop);
        assert_eq!(code(refused), RefusalCode::LogNotCovering, "{outside}");
    }
}

#[test]
fn without_a_log_backup_there_is_no_range() {
    let mut bench = Bench::new();
    let id = bench.restorable_primary(SQL_SERVER_WEB);
    assert_eq!(ranges(&bench, &id), []);
    let refused = chosen(&bench, &id, &time("2026-01-05T09:00:00Z"), Window::Clone).map(drop);
    assert_eq!(code(refused), RefusalCode::LogNotCovering);
}

/// Data at 9:00, logs to 9:30 and 10:00, the log from there to 10:30 lost, a log to 11:00.
fn with_a_gap() -> (Bench, InstanceId) {
    let mut bench = Bench::new();
    let id = bench.restorable_primary(SQL_SERVER_WEB);
    for (from, to, lost) in [(10, 20, false), (20, 30, false), (30, 40, true), (40, 50, false)] {
        bench.wait(1_800);
        let log = bench.log_backup(&id, from, to);
        if lost {
            bench.decide(|ctx| dropped(ctx, &log)).unwrap();
        }
    }
    (bench, id)
}

#[test]
fn a_gap_in_the_logs_ends_the_range() {
    let (bench, id) = with_a_gap();
    assert_eq!(ranges(&bench, &id), [range("09:00:00", "10:00:00")]);
    let refused = chosen(&bench, &id, &time("2026-01-05T10:00:01Z"), Window::Clone).map(drop);
    assert_eq!(code(refused), RefusalCode::LogNotCovering);
}

#[test]
fn a_data_backup_after_the_gap_begins_a_second_range() {
    let (mut bench, id) = with_a_gap();
    bench.wait(600);
    bench.data_backup(&id, 52);
    bench.wait(1_200);
    bench.log_backup(&id, 50, 60);
    assert_eq!(ranges(&bench, &id), [range("09:00:00", "10:00:00"), range("11:10:00", "11:30:00")]);
}

#[test]
fn overlapping_ranges_are_one_and_the_newest_data_backup_is_used() {
    let mut bench = Bench::new();
    let id = bench.restorable_primary(SQL_SERVER_WEB);
    bench.wait(600);
    let second = bench.data_backup(&id, 15);
    bench.wait(1_200);
    let first_log = bench.log_backup(&id, 10, 20);
    bench.wait(1_800);
    let second_log = bench.log_backup(&id, 20, 20);
    bench.wait(1_800);
    bench.log_backup(&id, 20, 30);
    assert_eq!(ranges(&bench, &id), [range("09:00:00", "10:30:00")]);
    let order = chosen(&bench, &id, &time("2026-01-05T09:40:00Z"), Window::Clone).unwrap();
    assert_eq!((order.data, order.logs), (second, vec![first_log, second_log]));
}

#[test]
fn exactly_one_of_set_and_time_is_needed() {
    let (bench, id, data, _) = with_a_range();
    let both = RestoreChoice { backup_set_id: Some(data), ..time("2026-01-05T09:10:00Z") };
    for choice in [RestoreChoice::default(), both] {
        assert_eq!(code(chosen(&bench, &id, &choice, Window::Clone).map(drop)), RefusalCode::InvalidParameter);
    }
}

#[test]
fn a_set_has_to_be_a_completed_data_backup_of_that_instance() {
    let (mut bench, id, data, log) = with_a_range();
    let other = bench.restorable_primary(SQL_SERVER_WEB);
    assert_eq!(chosen(&bench, &id, &set(&data), Window::Temporary).unwrap().logs, [] as [BackupId; 0]);
    assert_eq!(code(chosen(&bench, &other, &set(&data), Window::Temporary).map(drop)), RefusalCode::BackupNotFound);
    assert_eq!(code(chosen(&bench, &id, &set(&log), Window::Temporary).map(drop)), RefusalCode::BackupNotFound);
    let running = bench.decide(|ctx| request(ctx, &id, BackupKind::Data, BackupMode::Manual)).unwrap();
    assert_eq!(code(chosen(&bench, &id, &set(&running), Window::Clone).map(drop)), RefusalCode::BackupStatus);
    bench.decide(|ctx| failed(ctx, &running, "disk full")).unwrap();
    assert_eq!(code(chosen(&bench, &id, &set(&running), Window::Clone).map(drop)), RefusalCode::BackupStatus);
}

#[test]
fn without_any_completed_data_backup_that_is_said_first() {
    let mut bench = Bench::new();
    let id = bench.primary(SQL_SERVER_WEB);
    for choice in [set(&"bk-none".into()), time("2026-01-05T08:00:00Z"), time("2030-01-01T00:00:00Z")] {
        assert_eq!(code(chosen(&bench, &id, &choice, Window::Clone).map(drop)), RefusalCode::NotFoundBackup);
    }
}

#[test]
fn fractions_and_the_future_are_refused() {
    let (bench, id, ..) = with_a_range();
    let cases = [
        ("2026-01-05T09:10:00.5Z", RefusalCode::InvalidParameter),
        ("2026-01-05T10:00:00Z", RefusalCode::LogNotCovering),
        ("2026-01-05T10:00:01Z", RefusalCode::RestoreTime),
    ];
    for (when, expected) in cases {
        assert_eq!(code(chosen(&bench, &id, &time(when), Window::Clone).map(drop)), expected, "{when}");
    }
}

#[test]
fn a_temporary_instance_reaches_back_seven_days_and_a_clone_further() {
    let (mut bench, id, ..) = with_a_range();
    for backup in bench.state.backups.values_mut() {
        backup.expires_at = None;
    }
    bench.now = at("2026-01-12T09:10:00Z");
    assert!(chosen(&bench, &id, &time("2026-01-05T09:10:00Z"), Window::Temporary).is_ok());
    let older = time("2026-01-05T09:09:59Z");
    assert_eq!(code(chosen(&bench, &id, &older, Window::Temporary).map(drop)), RefusalCode::RestoreTime);
    assert!(chosen(&bench, &id, &older, Window::Clone).is_ok());
}

#[test]
fn a_backup_is_kept_for_its_retention_to_the_second() {
    let (mut bench, id, data, log) = with_a_range();
    assert_eq!(expired(&bench.state, bench.now), []);
    bench.now = at("2026-01-12T09:00:00.3Z");
    assert_eq!(expired(&bench.state, bench.now), []);
    bench.now = at("2026-01-12T09:00:00.4Z");
    assert_eq!(expired(&bench.state, bench.now), [data]);
    assert_eq!(ranges(&bench, &id), []);
    bench.now = at("2026-01-13T00:00:00Z");
    assert!(expired(&bench.state, bench.now).contains(&log));
}

#[test]
fn a_backup_that_is_being_restored_from_is_not_deleted() {
    let (mut bench, id, data, log) = with_a_range();
    let by_time = bench.decide(|ctx| temporary::create(ctx, &id, &time("2026-01-05T09:10:00Z"))).unwrap();
    bench.now = at("2026-02-05T00:00:00Z");
    assert_eq!(expired(&bench.state, bench.now), []);
    bench.make(&by_time);
    assert_eq!(expired(&bench.state, bench.now), [data, log]);
}

#[test]
fn only_what_a_restore_needs_is_held_back() {
    let mut bench = Bench::new();
    let id = bench.restorable_primary(MYSQL);
    let first = bench.last_set(&id);
    bench.wait(600);
    let second = bench.data_backup(&id, 20);
    let order = NewClone {
        restore: first,
        billing: Billing::PayAsYouGo,
        network: None,
        count: None,
        terms_accepted: true,
        entry: None,
    };
    bench.decide(|ctx| clones::create(ctx, &id, &order)).unwrap();
    bench.now = at("2026-02-05T00:00:00Z");
    assert_eq!(expired(&bench.state, bench.now), [second]);
}

#[test]
fn one_backup_of_a_kind_runs_at_a_time() {
    let mut bench = Bench::new();
    let id = bench.restorable_primary(SQL_SERVER_WEB);
    let mut ask = |kind| bench.decide(|ctx| request(ctx, &id, kind, BackupMode::Manual));
    ask(BackupKind::Data).unwrap();
    assert_eq!(code(ask(BackupKind::Data)), RefusalCode::BackupJobExists);
    ask(BackupKind::Log).unwrap();
    assert_eq!(code(ask(BackupKind::Log)), RefusalCode::BackupJobExists);
}

#[test]
fn a_log_backup_needs_a_data_backup_and_the_policy() {
    let mut bench = Bench::new();
    let id = bench.primary(MYSQL);
    let log = |ctx: &Context<'_>| request(ctx, &id, BackupKind::Log, BackupMode::Manual);
    assert_eq!(code(bench.decide(log)), RefusalCode::NotFoundBackup);
    bench.data_backup(&id, 10);
    assert!(bench.ask(log).is_ok());
    let mut backup_policy = bench.state.instances[&id].configuration.backup_policy.clone();
    backup_policy.log_backup = false;
    let change = ConfigurationChange { backup_policy: Some(backup_policy), ..ConfigurationChange::default() };
    bench.decide(|ctx| instances::configure(ctx, &id, &change)).unwrap();
    assert_eq!(code(bench.decide(log)), RefusalCode::BackupMethod);
}

#[test]
fn a_temporary_instance_is_not_backed_up() {
    let mut bench = Bench::new();
    let master = bench.restorable_primary(SQL_SERVER_WEB);
    let id = bench.temporary(&master);
    let decided = bench.decide(|ctx| request(ctx, &id, BackupKind::Data, BackupMode::Manual));
    assert_eq!(code(decided), RefusalCode::ProductNotSupported);
}

#[test]
fn a_backup_that_ended_stays_as_it_ended() {
    let mut bench = Bench::new();
    let id = bench.primary(SQL_SERVER_WEB);
    let backup = bench.data_backup(&id, 10);
    let before = bench.state.clone();
    bench.decide(|ctx| failed(ctx, &backup, "late")).unwrap();
    assert_eq!(bench.state, before);
}

#[test]
fn a_redis_backup_stays_exactly_seven_days_whatever_the_settings_say() {
    let mut bench = Bench::new();
    let id = bench.primary(REDIS);
    bench.edit(&id, |instance| instance.configuration.backup_policy.data_retention_days = 30);
    let backup = bench.decide(|ctx| request(ctx, &id, BackupKind::Data, BackupMode::Manual)).unwrap();
    bench.wait(90);
    let completed_at = bench.now;
    let held = Held {
        from_position: 1,
        to_position: 1,
        from_time: at("2026-01-05T09:00:00Z"),
        to_time: bench.now,
        size_bytes: 1,
        sha256: None,
        node: None,
    };
    bench.decide(|ctx| completed(ctx, &backup, held)).unwrap();
    let gone_at = later_s(completed_at, 7 * 86_400);
    assert_eq!(bench.state.backups[&backup].expires_at, Some(gone_at));
    bench.now = later_s(gone_at, -1);
    let sets = restorable(&bench.state, &bench.policy, &id, bench.now).backup_sets;
    assert_eq!(sets, std::slice::from_ref(&backup));
    bench.now = gone_at;
    assert_eq!(restorable(&bench.state, &bench.policy, &id, bench.now).backup_sets, [] as [BackupId; 0]);
    assert_eq!(expired(&bench.state, bench.now), [backup]);
}

#[test]
fn a_redis_instance_has_no_log_backup() {
    let mut bench = Bench::new();
    let id = bench.restorable_primary(REDIS);
    let decided = bench.decide(|ctx| request(ctx, &id, BackupKind::Log, BackupMode::Manual));
    assert_eq!(code(decided), RefusalCode::BackupMethod);
    assert_eq!(ranges(&bench, &id), []);
}
