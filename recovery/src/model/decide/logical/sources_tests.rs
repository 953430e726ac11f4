//! Facts about data sources.

use super::*;
use crate::model::decide::logical::bench::{by_set, desk, new_source, success};
use crate::model::decide::logical::{restores, tasks};
use crate::model::decide::testing::{Bench, MYSQL, SQL_SERVER_WEB, code};
use crate::model::precheck::PrecheckItem;
use crate::model::work::Report;
use crate::model::{InstanceId, Secret};

#[test]
fn a_running_instance_becomes_a_data_source_that_workers_may_reach() {
    let mut bench = Bench::new();
    let instance = bench.primary(SQL_SERVER_WEB);
    let id = bench.decide(|ctx| register(ctx, &new_source(&instance))).unwrap();
    let source = &bench.state.sources[&id];
    assert_eq!((source.product, &source.instance), (SQL_SERVER_WEB.parse().unwrap(), &instance));
    assert!(id.as_str().starts_with("ds-"));
    let whitelist = &bench.state.instances[&instance].configuration.whitelist;
    assert!(bench.policy.migration_addresses.iter().all(|address| whitelist.contains(address)));
    assert!(whitelist.contains("application"));
}

#[test]
fn a_data_source_needs_a_name_of_1_to_64_characters_an_account_a_password_and_a_running_instance() {
    let mut bench = Bench::new();
    let instance = bench.primary(MYSQL);
    let new = new_source(&instance);
    let named = |name: String| NewDataSource { name, ..new.clone() };
    for name in [String::new(), "  ".into(), "é".repeat(65)] {
        assert_eq!(code(bench.decide(|ctx| register(ctx, &named(name)))), RefusalCode::InvalidParameter);
    }
    bench.decide(|ctx| register(ctx, &named("店".repeat(64)))).unwrap();
    for wrong in [
        NewDataSource { account: " ".into(), ..new.clone() },
        NewDataSource { password: Secret::new(""), ..new.clone() },
    ] {
        assert_eq!(code(bench.decide(|ctx| register(ctx, &wrong))), RefusalCode::InvalidParameter);
    }
    let nowhere = new_source(&InstanceId::from("rm-none"));
    assert_eq!(code(bench.decide(|ctx| register(ctx, &nowhere))), RefusalCode::InstanceNotFound);
    let creating = bench.creating(MYSQL);
    assert_eq!(code(bench.decide(|ctx| register(ctx, &new_source(&creating)))), RefusalCode::InstanceStatus);
}

#[test]
fn a_data_source_is_removed_only_once_no_task_uses_it() {
    let mut desk = desk(MYSQL);
    let (source, target, task) = (desk.source.clone(), desk.target.clone(), desk.task.clone());
    assert_eq!(code(desk.bench.decide(|ctx| remove(ctx, &source))), RefusalCode::DataSourceInUse);
    let set = desk.complete();
    let id = desk.restore(&desk.new_restore(by_set(&set))).unwrap();
    desk.bench.decide(|ctx| tasks::stop(ctx, &task)).unwrap();
    for used in [&source, &target] {
        assert_eq!(code(desk.bench.decide(|ctx| remove(ctx, used))), RefusalCode::DataSourceInUse);
    }
    desk.work(&[success(PrecheckItem::RestoreSetReadable), Report::PrecheckDone]);
    assert_eq!(code(desk.bench.decide(|ctx| remove(ctx, &target))), RefusalCode::DataSourceInUse);
    desk.bench.decide(|ctx| restores::delete(ctx, &id)).unwrap();
    for unused in [&source, &target] {
        desk.bench.decide(|ctx| remove(ctx, unused)).unwrap();
        assert_eq!(code(desk.bench.decide(|ctx| remove(ctx, unused))), RefusalCode::DataSourceNotFound);
    }
    assert!(desk.bench.state.sets.contains_key(&set));
}
