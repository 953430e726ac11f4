//! Facts about logical backup tasks.

use super::*;
use crate::model::DataSourceId;
use crate::model::decide::logical::bench::{desk, desk_of, new_source, new_task};
use crate::model::decide::logical::sources;
use crate::model::decide::testing::{Bench, MYSQL, SQL_SERVER_WEB, code};
use crate::model::instance::Weekday;
use crate::model::logical::backup::{SetKind, SetStatus};
use crate::model::work::{Job, Report};
use std::collections::BTreeSet;

fn bench(product: &str) -> (Bench, DataSourceId) {
    let mut bench = Bench::new();
    let instance = bench.primary(product);
    let source = bench.decide(|ctx| sources::register(ctx, &new_source(&instance))).unwrap();
    (bench, source)
}

#[test]
fn a_new_task_begins_its_first_set_at_once() {
    for (backup_type, kind) in [
        (LogicalType::Structure, SetKind::Structure),
        (LogicalType::StructureFull, SetKind::Full),
        (LogicalType::StructureFullLog, SetKind::Full),
    ] {
        let desk = desk_of(MYSQL, backup_type);
        let set = desk.set(desk.task().running.as_ref().unwrap());
        assert_eq!((set.kind, set.status, set.began_at), (kind, SetStatus::Running, desk.bench.now));
        assert!(set.id.as_str().starts_with("bkx-") && desk.task.as_str().starts_with("bk-"));
        assert_eq!((desk.task().state, desk.task().retention_days), (LogicalTaskState::Normal, 7));
    }
}

#[test]
fn only_mysql_has_a_log_and_redis_has_no_logical_backup() {
    for (product, possible) in [(MYSQL, 3), (SQL_SERVER_WEB, 2), ("postgresql 9.4", 2), ("redis 5.0", 0)] {
        let (mut bench, source) = bench(product);
        let types = [LogicalType::Structure, LogicalType::StructureFull, LogicalType::StructureFullLog];
        for (place, backup_type) in types.into_iter().enumerate() {
            let made = bench.decide(|ctx| create(ctx, &new_task(&source, backup_type)));
            match place < possible {
                true => assert!(made.is_ok(), "{product} {backup_type:?}"),
                false => assert_eq!(code(made), RefusalCode::BackupTypeNotSupported),
            }
        }
    }
}

#[test]
fn what_is_not_possible_is_refused() {
    let (mut bench, source) = bench(MYSQL);
    let new = new_task(&source, LogicalType::StructureFull);
    let scheduled = |weekdays: &[Weekday], hour| {
        let schedule = Some(Schedule { weekdays: weekdays.iter().copied().collect(), hour });
        NewLogicalBackupTask { schedule, ..new.clone() }
    };
    let wrong = [
        NewLogicalBackupTask { name: String::new(), ..new.clone() },
        NewLogicalBackupTask { name: "n".repeat(65), ..new.clone() },
        NewLogicalBackupTask { retention_days: Some(8), ..new.clone() },
        NewLogicalBackupTask { databases: BTreeSet::from(["".into()]), ..new.clone() },
        scheduled(&[], 3),
        scheduled(&[Weekday::Monday], 24),
    ];
    for wrong in wrong {
        assert_eq!(code(bench.decide(|ctx| create(ctx, &wrong))), RefusalCode::InvalidParameter, "{wrong:?}");
    }
    let unknown = NewLogicalBackupTask { source: "ds-none".into(), ..new.clone() };
    assert_eq!(code(bench.decide(|ctx| create(ctx, &unknown))), RefusalCode::DataSourceNotFound);
    for days in [7, 30, 60, 90, 180, 365, 730] {
        let new = NewLogicalBackupTask { retention_days: Some(days), ..scheduled(&[Weekday::Monday], 23) };
        let id = bench.decide(|ctx| create(ctx, &new)).unwrap();
        assert_eq!(bench.state.logical_tasks[&id].retention_days, days);
    }
}

#[test]
fn a_run_begins_another_set_once_none_is_being_taken() {
    let mut desk = desk(MYSQL);
    let task = desk.task.clone();
    assert_eq!(code(desk.bench.decide(|ctx| run(ctx, &task))), RefusalCode::BackupJobExists);
    let first = desk.complete();
    let second = desk.bench.decide(|ctx| run(ctx, &task)).unwrap();
    assert_ne!(first, second);
    assert_eq!(desk.task().running, Some(second));
    assert_eq!(code(desk.bench.decide(|ctx| run(ctx, &"bk-none".into()))), RefusalCode::TaskNotFound);
}

#[test]
fn a_stopped_task_gives_up_what_it_takes_and_keeps_what_it_has() {
    let mut desk = desk(MYSQL);
    let task = desk.task.clone();
    let first = desk.complete();
    let collected = desk.collect();
    let second = desk.bench.decide(|ctx| run(ctx, &task)).unwrap();
    let log = desk.task().log.clone().unwrap();
    let leased = desk.lease().unwrap();
    assert!(matches!(leased.job, Job::Dump(_)));
    desk.bench.decide(|ctx| stop(ctx, &task)).unwrap();
    assert_eq!((desk.task().state, desk.task().stopped_at), (LogicalTaskState::Stopped, Some(desk.bench.now)));
    assert_eq!(code(desk.say(&leased, &[Report::Renew])), RefusalCode::LeaseLost);
    assert_eq!(desk.set(&first).status, SetStatus::Completed);
    assert_eq!(desk.set(&second).status, SetStatus::Failed);
    assert_eq!((desk.set(&log).status, desk.set(&log).to), (SetStatus::Completed, Some(collected)));
    assert!(desk.lease().is_none());
    assert_eq!(code(desk.bench.decide(|ctx| stop(ctx, &task))), RefusalCode::TaskStatus);
    assert_eq!(code(desk.bench.decide(|ctx| run(ctx, &task))), RefusalCode::TaskStatus);
}
