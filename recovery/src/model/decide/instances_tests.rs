//! Facts about decisions on instances.

use super::*;
use crate::model::decide::testing::{Bench, MYSQL, REDIS, SQL_SERVER_HA, SQL_SERVER_WEB, at, code};
use crate::model::instance::Grants;
use crate::model::instance::{Rights, Weekday};
use crate::model::secret::Secret;
use crate::model::views::NewAccount;

const LIFE_S: i64 = 48 * 3_600;

fn new(role: Option<Role>, master: Option<InstanceId>) -> NewInstance {
    NewInstance {
        product: MYSQL.parse().unwrap(),
        region: "east".into(),
        network: None,
        role,
        master,
        billing: None,
        account: None,
    }
}

fn policy(weekdays: &[Weekday], data: u16, log: u16) -> ConfigurationChange {
    let backup_policy = BackupPolicy {
        weekdays: weekdays.iter().copied().collect(),
        hour: 3,
        log_backup: true,
        data_retention_days: data,
        log_retention_days: log,
    };
    ConfigurationChange { backup_policy: Some(backup_policy), ..ConfigurationChange::default() }
}

fn ssl(on: bool) -> ConfigurationChange {
    ConfigurationChange { ssl: Some(on), ..ConfigurationChange::default() }
}

#[test]
fn a_new_instance_is_charged_from_when_it_runs_until_it_is_released() {
    let mut bench = Bench::new();
    let id = bench.creating(MYSQL);
    assert!(bench.state.charges.is_empty());
    bench.wait(60);
    bench.make(&id);
    let made_at = bench.now;
    assert_eq!(bench.state.instances[&id].created_at, Some(made_at));
    bench.wait(3_600);
    bench.decide(|ctx| release(ctx, &id)).unwrap();
    let released_at = bench.now;
    bench.wait(60);
    bench.decide(|ctx| taken_down(ctx, &id)).unwrap();
    let charge = bench.state.charges.values().next().unwrap();
    assert_eq!((bench.state.charges.len(), charge.from, charge.until), (1, made_at, Some(released_at)));
    assert_eq!(bench.state.instances[&id].state, InstanceState::Released);
}

#[test]
fn a_charge_never_ends_before_it_began_though_the_clock_is_set_back() {
    let mut bench = Bench::new();
    let id = bench.creating(MYSQL);
    bench.wait(60);
    bench.make(&id);
    let made_at = bench.now;
    bench.wait(-3_600);
    bench.decide(|ctx| release(ctx, &id)).unwrap();
    let charge = bench.state.charges.values().next().unwrap();
    assert!(bench.now < made_at);
    assert_eq!((charge.from, charge.until), (made_at, Some(made_at)));
}

#[test]
fn the_first_account_is_forgotten_once_the_server_has_it() {
    let mut bench = Bench::new();
    let grants = Grants::all(Rights::Owner);
    let account = NewAccount { name: "app".into(), password: Secret::new("s3cret"), grants };
    let order = NewInstance { account: Some(account), ..new(None, None) };
    let id = bench.decide(|ctx| create(ctx, &order)).unwrap();
    assert!(bench.state.instances[&id].first_account.is_some());
    bench.make(&id);
    assert!(bench.state.instances[&id].first_account.is_none());
}

#[test]
fn a_replica_needs_a_running_primary_master_of_its_version() {
    let mut bench = Bench::new();
    let replica = |master: &InstanceId| new(Some(Role::ReadOnly), Some(master.clone()));
    let without = new(Some(Role::ReadOnly), None);
    assert_eq!(code(bench.decide(|ctx| create(ctx, &without))), RefusalCode::InvalidParameter);
    let creating = bench.creating(MYSQL);
    assert_eq!(code(bench.decide(|ctx| create(ctx, &replica(&creating)))), RefusalCode::InstanceStatus);
    let other = bench.primary(SQL_SERVER_HA);
    assert_eq!(code(bench.decide(|ctx| create(ctx, &replica(&other)))), RefusalCode::InvalidParameter);
    bench.make(&creating);
    let first = bench.decide(|ctx| create(ctx, &replica(&creating))).unwrap();
    bench.make(&first);
    assert_eq!(code(bench.decide(|ctx| create(ctx, &replica(&first)))), RefusalCode::InvalidParameter);
}

#[test]
fn a_master_is_released_after_its_read_only_instances() {
    let mut bench = Bench::new();
    let master = bench.primary(MYSQL);
    let replica = bench.decide(|ctx| create(ctx, &new(Some(Role::ReadOnly), Some(master.clone())))).unwrap();
    assert_eq!(code(bench.decide(|ctx| release(ctx, &master))), RefusalCode::InstanceStatus);
    bench.decide(|ctx| release(ctx, &replica)).unwrap();
    assert_eq!(bench.decide(|ctx| release(ctx, &master)), Ok(()));
    assert_eq!(code(bench.decide(|ctx| release(ctx, &master))), RefusalCode::InstanceNotFound);
}

#[test]
fn the_48_hours_begin_when_the_making_succeeds_and_end_to_the_second() {
    let mut bench = Bench::new();
    let master = bench.restorable_primary(SQL_SERVER_WEB);
    bench.wait(600);
    let id = bench.temporary(&master);
    let made_at = bench.now;
    assert_eq!(bench.state.instances[&id].expires_at, Some(later_s(made_at, LIFE_S)));
    bench.now = later_s(made_at, LIFE_S - 1);
    bench.decide(|ctx| expire(ctx, &id)).unwrap();
    assert!(bench.ask(|ctx| running(ctx, &id).is_ok()));
    bench.now = later_s(made_at, LIFE_S);
    assert_eq!(code(bench.ask(|ctx| running(ctx, &id).map(drop))), RefusalCode::InstanceNotFound);
    assert_eq!(code(bench.decide(|ctx| release(ctx, &id))), RefusalCode::InstanceNotFound);
    bench.decide(|ctx| expire(ctx, &id)).unwrap();
    assert_eq!(bench.state.instances[&id].state, InstanceState::Deleting);
    bench.decide(|ctx| taken_down(ctx, &id)).unwrap();
    assert_eq!(bench.state.instances[&id].released_at, Some(bench.now));
}

#[test]
fn an_instance_released_in_the_making_does_not_come_back() {
    let mut bench = Bench::new();
    let id = bench.creating(MYSQL);
    bench.decide(|ctx| release(ctx, &id)).unwrap();
    bench.make(&id);
    assert_eq!(bench.state.instances[&id].state, InstanceState::Deleting);
    assert!(bench.state.charges.is_empty());
    bench.decide(|ctx| making_failed(ctx, &id, "late")).unwrap();
    assert_eq!(bench.state.instances[&id].failure, None);
}

#[test]
fn being_made_twice_begins_one_life_and_one_charge() {
    let mut bench = Bench::new();
    let id = bench.primary(MYSQL);
    let before = bench.state.clone();
    bench.wait(60);
    bench.make(&id);
    assert_eq!(bench.state, before);
}

#[test]
fn a_failed_instance_says_why_and_is_not_there() {
    let mut bench = Bench::new();
    let id = bench.creating(MYSQL);
    bench.decide(|ctx| making_failed(ctx, &id, "no machine is free")).unwrap();
    assert_eq!(bench.state.instances[&id].failure.as_deref(), Some("no machine is free"));
    assert_eq!(code(bench.ask(|ctx| running(ctx, &id).map(drop))), RefusalCode::InstanceNotFound);
}

#[test]
fn retention_and_weekdays_have_their_bounds() {
    let two = [Weekday::Tuesday, Weekday::Saturday];
    let cases: [(&[Weekday], u16, u16, bool); 8] = [
        (&two, 7, 7, true),
        (&two, 730, 730, true),
        (&[], 7, 7, true),
        (&two, 6, 6, false),
        (&two, 731, 7, false),
        (&two, 30, 31, false),
        (&two, 30, 6, false),
        (&two[..1], 7, 7, false),
    ];
    for (weekdays, data, log, is_allowed) in cases {
        let mut bench = Bench::new();
        let id = bench.primary(MYSQL);
        let decided = bench.decide(|ctx| configure(ctx, &id, &policy(weekdays, data, log)));
        assert_eq!(decided.is_ok(), is_allowed, "{weekdays:?} {data} {log}: {decided:?}");
    }
}

#[test]
fn log_backup_may_be_switched_off_only_where_documented() {
    let cases = [
        ("sqlserver 2012 standard", false),
        ("sqlserver 2012 web", false),
        ("mysql 5.7 basic", false),
        ("mysql 5.7", true),
        ("postgresql 10 basic", false),
        ("postgresql 10", true),
        ("ppas 10", true),
    ];
    for (product, is_allowed) in cases {
        let mut bench = Bench::new();
        let id = bench.primary(product);
        let mut change = policy(&[], 7, 7);
        change.backup_policy.as_mut().unwrap().log_backup = false;
        let decided = bench.decide(|ctx| configure(ctx, &id, &change));
        match is_allowed {
            true => assert!(decided.is_ok(), "{product}: {decided:?}"),
            false => assert_eq!(code(decided), RefusalCode::BackupMethod, "{product}"),
        }
    }
}

#[test]
fn ssl_is_offered_only_where_documented() {
    let cases = [
        ("sqlserver 2008r2", true),
        ("sqlserver 2016 web", true),
        ("mysql 8.0", true),
        ("mysql 8.0 basic", false),
        ("mysql 5.7", true),
        ("mysql 5.7 basic", false),
        ("mysql 5.6 basic", true),
        ("mysql 5.5", false),
        ("postgresql 11", false),
        ("ppas 10", false),
    ];
    for (product, is_allowed) in cases {
        let mut bench = Bench::new();
        let id = bench.primary(product);
        let decided = bench.decide(|ctx| configure(ctx, &id, &ssl(true)));
        match is_allowed {
            true => assert!(decided.unwrap().ssl, "{product}"),
            false => assert_eq!(code(decided), RefusalCode::SslNotSupported, "{product}"),
        }
    }
}

#[test]
fn ssl_stays_on_at_sql_server() {
    for (product, is_allowed) in [(SQL_SERVER_WEB, false), (MYSQL, true)] {
        let mut bench = Bench::new();
        let id = bench.primary(product);
        bench.decide(|ctx| configure(ctx, &id, &ssl(true))).unwrap();
        assert_eq!(bench.decide(|ctx| configure(ctx, &id, &ssl(false))).is_ok(), is_allowed, "{product}");
    }
}

#[test]
fn what_is_not_given_stays_as_it_was() {
    let mut bench = Bench::new();
    let id = bench.primary(MYSQL);
    let parameters = |name: &str| ConfigurationChange {
        parameters: Some([(name.to_owned(), "1".to_owned())].into()),
        ..ConfigurationChange::default()
    };
    bench.decide(|ctx| configure(ctx, &id, &parameters("a"))).unwrap();
    let settings = bench.decide(|ctx| configure(ctx, &id, &parameters("b"))).unwrap();
    assert_eq!(settings.parameters.keys().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(settings.whitelist, configuration_at_first(&bench.policy, Engine::MySql).whitelist);
    assert_eq!(settings, bench.state.instances[&id].configuration);
}

#[test]
fn a_temporary_instance_is_in_no_hurry_before_it_is_made() {
    let mut bench = Bench::new();
    let master = bench.restorable_primary(SQL_SERVER_WEB);
    let choice = bench.last_set(&master);
    let id = bench.decide(|ctx| super::super::temporary::create(ctx, &master, &choice)).unwrap();
    bench.now = at("2026-02-05T09:00:00Z");
    assert!(bench.state.instances[&id].is_there(bench.now));
    bench.make(&id);
    assert!(bench.ask(|ctx| running(ctx, &id).is_ok()));
}

fn redis_policy(weekdays: &[Weekday], days: u16, log_backup: bool) -> ConfigurationChange {
    let mut change = policy(weekdays, days, days);
    if let Some(policy) = &mut change.backup_policy {
        policy.log_backup = log_backup;
    }
    change
}

#[test]
fn a_redis_instance_begins_without_logs_and_keeps_its_backups_for_seven_days() {
    let mut bench = Bench::new();
    let id = bench.primary(REDIS);
    let policy = &bench.state.instances[&id].configuration.backup_policy;
    assert_eq!((policy.log_backup, policy.data_retention_days, policy.log_retention_days), (false, 7, 7));
}

#[test]
fn weekdays_and_hour_of_a_redis_backup_can_be_chosen_and_nothing_else() {
    let mut bench = Bench::new();
    let id = bench.primary(REDIS);
    let all = [
        Weekday::Monday,
        Weekday::Tuesday,
        Weekday::Wednesday,
        Weekday::Thursday,
        Weekday::Friday,
        Weekday::Saturday,
        Weekday::Sunday,
    ];
    for weekdays in [&all[..1], &all[3..5], &all[..]] {
        let settings = bench.decide(|ctx| configure(ctx, &id, &redis_policy(weekdays, 7, false))).unwrap();
        assert_eq!((settings.backup_policy.weekdays.len(), settings.backup_policy.hour), (weekdays.len(), 3));
    }
    let before = bench.state.clone();
    for (change, expected) in [
        (redis_policy(&all, 8, false), RefusalCode::RetentionFixed),
        (redis_policy(&all, 6, false), RefusalCode::RetentionFixed),
        (redis_policy(&[], 30, true), RefusalCode::RetentionFixed),
        (redis_policy(&all, 7, true), RefusalCode::BackupMethod),
        (redis_policy(&[], 7, false), RefusalCode::InvalidParameter),
    ] {
        assert_eq!(code(bench.decide(|ctx| configure(ctx, &id, &change))), expected);
    }
    assert_eq!(bench.state, before);
    let parameters = BTreeMap::from([("replica_lag_ms".into(), "200".into())]);
    let change = ConfigurationChange { parameters: Some(parameters.clone()), ..ConfigurationChange::default() };
    assert_eq!(bench.decide(|ctx| configure(ctx, &id, &change)).unwrap().parameters, parameters);
}

#[test]
fn redis_has_primary_instances_only() {
    let mut bench = Bench::new();
    let master = bench.primary(REDIS);
    for role in [Role::ReadOnly, Role::DisasterRecovery] {
        let new = NewInstance { product: REDIS.parse().unwrap(), ..new(Some(role), Some(master.clone())) };
        assert_eq!(code(bench.decide(|ctx| create(ctx, &new))), RefusalCode::ProductNotSupported);
    }
}
