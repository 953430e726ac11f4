//! Facts about decisions on direct recoveries.

use super::*;
use crate::model::backup::{BackupKind, BackupMode};
use crate::model::decide::duties::{Agenda, Duty};
use crate::model::decide::testing::{Bench, MYSQL, REDIS, code};
use crate::model::decide::views::instance_view;
use crate::model::decide::{clones, instances, tasks};
use crate::model::instance::Billing;
use crate::model::views::NewClone;
use crate::ports::clock::later_s;

fn of(set: &BackupId) -> NewRecovery {
    NewRecovery { backup_set_id: set.clone(), overwrite_confirmed: true }
}

/// A Redis instance with one backup set.
fn redis() -> (Bench, InstanceId, BackupId) {
    let mut bench = Bench::new();
    let id = bench.primary(REDIS);
    let set = bench.data_backup(&id, 10);
    bench.wait(600);
    (bench, id, set)
}

#[test]
fn an_instance_is_recovering_until_all_of_the_set_is_in_it() {
    let (mut bench, id, set) = redis();
    let taken_at = later_s(bench.now, -600);
    bench.decide(|ctx| create(ctx, &id, &of(&set))).unwrap();
    let instance = &bench.state.instances[&id];
    assert_eq!((instance.state, instance.recoveries), (InstanceState::BackupRecovering, 1));
    assert_eq!(Agenda::of(&bench.state, &bench.policy, bench.now).due, [Duty::Recover(id.clone())]);
    assert_eq!(code(bench.decide(|ctx| create(ctx, &id, &of(&set)))), RefusalCode::InstanceStatus);
    let backup = bench.decide(|ctx| backups::request(ctx, &id, BackupKind::Data, BackupMode::Manual));
    assert_eq!(code(backup), RefusalCode::InstanceStatus);
    bench.decide(|ctx| done(ctx, &id, 1)).unwrap();
    let view = instance_view(&bench.state.instances[&id], &bench.state, bench.now);
    assert_eq!((view.state, view.recovered_to, view.failure), (InstanceState::Running, Some(taken_at), None));
    assert_eq!(Agenda::of(&bench.state, &bench.policy, bench.now).due, []);
}

#[test]
fn a_failed_recovery_leaves_the_instance_running_and_says_why_until_the_next_one() {
    let (mut bench, id, set) = redis();
    bench.decide(|ctx| create(ctx, &id, &of(&set))).unwrap();
    bench.decide(|ctx| failed(ctx, &id, 1, "torn")).unwrap();
    let instance = &bench.state.instances[&id];
    assert_eq!((instance.state, instance.recovered_to), (InstanceState::Running, None));
    assert!(instance.failure.as_ref().is_some_and(|why| why.contains(set.as_str()) && why.contains("torn")));
    bench.decide(|ctx| create(ctx, &id, &of(&set))).unwrap();
    assert_eq!((&bench.state.instances[&id].failure, bench.state.instances[&id].recoveries), (&None, 2));
}

#[test]
fn what_is_said_of_an_earlier_recovery_does_not_count_for_the_next() {
    let (mut bench, id, set) = redis();
    bench.decide(|ctx| create(ctx, &id, &of(&set))).unwrap();
    bench.decide(|ctx| done(ctx, &id, 1)).unwrap();
    bench.decide(|ctx| create(ctx, &id, &of(&set))).unwrap();
    let before = bench.state.clone();
    bench.decide(|ctx| done(ctx, &id, 1)).unwrap();
    bench.decide(|ctx| failed(ctx, &id, 1, "late")).unwrap();
    assert_eq!(bench.state, before);
}

#[test]
fn who_did_not_confirm_is_warned_and_nothing_changes() {
    let (mut bench, id, set) = redis();
    let before = bench.state.clone();
    let unconfirmed = NewRecovery { overwrite_confirmed: false, ..of(&set) };
    let refusal = bench.decide(|ctx| create(ctx, &id, &unconfirmed)).unwrap_err();
    assert_eq!(refusal.code, RefusalCode::NotConfirmed);
    assert!(refusal.detail.contains("overwrites all data") && refusal.detail.contains("clone"), "{refusal}");
    assert_eq!(bench.state, before);
}

#[test]
fn the_set_has_to_be_a_completed_and_kept_one_of_the_instance() {
    let (mut bench, id, set) = redis();
    let other = bench.restorable_primary(REDIS);
    for (instance, set) in [(&id, &"bk-none".into()), (&other, &set)] {
        assert_eq!(code(bench.decide(|ctx| create(ctx, instance, &of(set)))), RefusalCode::BackupNotFound);
    }
    let running = bench.decide(|ctx| backups::request(ctx, &id, BackupKind::Data, BackupMode::Manual)).unwrap();
    assert_eq!(code(bench.decide(|ctx| create(ctx, &id, &of(&running)))), RefusalCode::BackupStatus);
    bench.decide(|ctx| backups::failed(ctx, &running, "vault away")).unwrap();
    assert_eq!(code(bench.decide(|ctx| create(ctx, &id, &of(&running)))), RefusalCode::BackupStatus);
    let gone_at = bench.state.backups[&set].expires_at.unwrap();
    bench.now = gone_at;
    assert_eq!(code(bench.decide(|ctx| create(ctx, &id, &of(&set)))), RefusalCode::BackupNotFound);
    bench.now = later_s(gone_at, -1);
    assert!(bench.decide(|ctx| create(ctx, &id, &of(&set))).is_ok());
}

#[test]
fn the_set_that_is_being_recovered_is_not_deleted_meanwhile() {
    let (mut bench, id, set) = redis();
    let other = bench.data_backup(&id, 20);
    bench.decide(|ctx| create(ctx, &id, &of(&set))).unwrap();
    bench.wait(8 * 86_400);
    assert_eq!(backups::expired(&bench.state, bench.now), std::slice::from_ref(&other));
    bench.decide(|ctx| done(ctx, &id, 1)).unwrap();
    assert_eq!(backups::expired(&bench.state, bench.now), [set, other]);
}

#[test]
fn only_redis_is_recovered_directly_and_a_cluster_as_the_policy_says() {
    let mut bench = Bench::new();
    let id = bench.restorable_primary(MYSQL);
    let set = bench.last_set(&id).backup_set_id.unwrap();
    assert_eq!(code(bench.decide(|ctx| create(ctx, &id, &of(&set)))), RefusalCode::ProductNotSupported);
    let id = bench.restorable_primary("redis 7.0 cluster");
    let set = bench.last_set(&id).backup_set_id.unwrap();
    bench.policy.redis_cluster_recoverable = false;
    assert_eq!(code(bench.decide(|ctx| create(ctx, &id, &of(&set)))), RefusalCode::ProductNotSupported);
    bench.policy.redis_cluster_recoverable = true;
    assert!(bench.decide(|ctx| create(ctx, &id, &of(&set))).is_ok());
}

#[test]
fn an_instance_that_does_not_run_is_not_recovered() {
    let (mut bench, id, set) = redis();
    let creating = bench.creating(REDIS);
    assert_eq!(code(bench.decide(|ctx| create(ctx, &creating, &of(&set)))), RefusalCode::InstanceStatus);
    let order = NewClone {
        restore: bench.last_set(&id),
        billing: Billing::PayAsYouGo,
        network: None,
        count: None,
        terms_accepted: true,
        entry: None,
    };
    let copy = bench.decide(|ctx| clones::create(ctx, &id, &order)).unwrap().remove(0);
    assert_eq!(code(bench.decide(|ctx| create(ctx, &id, &of(&set)))), RefusalCode::InstanceStatus);
    bench.make(&copy);
    assert!(bench.decide(|ctx| create(ctx, &id, &of(&set))).is_ok());
}

#[test]
fn a_recovery_and_a_migration_do_not_meet() {
    let (mut bench, id, set) = redis();
    let other = bench.primary(REDIS);
    let task = bench.task(&other, &id);
    for status in [TaskStatus::Migrating, TaskStatus::Suspending, TaskStatus::Prechecking] {
        bench.edit_task(&task, |task| (task.status, task.stage) = (status, Stage::Ordered));
        assert_eq!(code(bench.decide(|ctx| create(ctx, &id, &of(&set)))), RefusalCode::MigrationInProgress);
    }
    bench.edit_task(&task, |task| (task.status, task.stage) = (TaskStatus::PrecheckPassed, Stage::Selected));
    bench.decide(|ctx| create(ctx, &id, &of(&set))).unwrap();
    assert_eq!(code(bench.decide(|ctx| tasks::confirm(ctx, &task))), RefusalCode::InstanceStatus);
    assert_eq!(code(bench.decide(|ctx| tasks::precheck(ctx, &task))), RefusalCode::InstanceStatus);
    bench.decide(|ctx| done(ctx, &id, 1)).unwrap();
    assert!(bench.decide(|ctx| tasks::confirm(ctx, &task)).is_ok());
}

#[test]
fn an_instance_released_while_it_is_recovered_stays_on_its_way_out() {
    let (mut bench, id, set) = redis();
    bench.decide(|ctx| create(ctx, &id, &of(&set))).unwrap();
    bench.decide(|ctx| instances::release(ctx, &id)).unwrap();
    bench.decide(|ctx| done(ctx, &id, 1)).unwrap();
    assert_eq!(bench.state.instances[&id].state, InstanceState::Deleting);
    assert_eq!(Agenda::of(&bench.state, &bench.policy, bench.now).due, [Duty::TakeDown(id)]);
}
