//! Facts about restore tasks: what is saved, what is refused, and when what may be done.

use super::*;
use crate::model::decide::logical::bench::{Desk, by_set, desk};
use crate::model::decide::logical::tasks;
use crate::model::decide::testing::{MYSQL, SQL_SERVER_WEB, code};
use crate::model::logical::restore::{RestoreType, StructureConflict};
use crate::model::precheck::{PrecheckItem, PrecheckOutcome, PrecheckResult};
use crate::model::work::{Job, Report};
use crate::model::{DataSourceId, SetId};

fn saved() -> (Desk, SetId, NewRestore) {
    let mut desk = desk(MYSQL);
    let set = desk.complete();
    desk.collect();
    let new = desk.new_restore(by_set(&set));
    (desk, set, new)
}

fn mapping(database: &str, table: &str, table_as: &str) -> TableMapping {
    TableMapping { database: database.into(), table: table.into(), table_as: table_as.into() }
}

fn branch(kind: Option<ObjectKind>, name: Option<&str>) -> Branch {
    Branch { database: "app".into(), kind, name: name.map(str::to_owned) }
}

fn custom(branches: Vec<Branch>) -> RestoreObjects {
    RestoreObjects::Custom { branches }
}

#[test]
fn a_saved_task_is_being_prechecked() {
    let (mut desk, set, new) = saved();
    let id = desk.restore(&new).unwrap();
    let task = desk.restore_of(&id);
    assert!(id.as_str().starts_with("rst-"));
    assert_eq!((task.status, task.precheck_runs, &task.set), (RestoreStatus::Checking, 1, &set));
    assert!(task.logs.is_empty() && task.uses_sets());
}

#[test]
fn a_name_has_1_to_64_characters_whatever_their_bytes() {
    let (mut desk, _, new) = saved();
    for (name, possible) in [
        (String::new(), false),
        (" ".into(), false),
        ("a".into(), true),
        ("恢".repeat(64), true),
        ("恢".repeat(65), false),
        ("a".repeat(65), false),
    ] {
        let made = desk.restore(&NewRestore { name: name.clone(), ..new.clone() });
        match possible {
            true => assert!(made.is_ok(), "{name}"),
            false => assert_eq!(code(made), RefusalCode::InvalidParameter, "{name}"),
        }
    }
}

#[test]
fn what_makes_no_sense_is_an_invalid_parameter() {
    let (mut desk, _, new) = saved();
    let other_source = desk.register(MYSQL);
    let with_objects = |objects| NewRestore { objects, ..new.clone() };
    let with_mapping = |mapping| NewRestore { mapping, ..new.clone() };
    let table = Some(ObjectKind::Table);
    let wrong = [
        NewRestore { types: [].into(), ..new.clone() },
        NewRestore { source: other_source, ..new.clone() },
        with_objects(custom(vec![])),
        with_objects(custom(vec![branch(None, Some("orders"))])),
        with_objects(custom(vec![branch(table, Some(""))])),
        with_objects(custom(vec![branch(table, Some("nowhere"))])),
        with_mapping(vec![mapping("app", "orders", "a"), mapping("app", "orders", "b")]),
        with_mapping(vec![mapping("app", "orders", "a"), mapping("app", "items", "a")]),
        with_mapping(vec![mapping("app", "orders", "")]),
        with_mapping(vec![mapping("app", "nowhere", "a")]),
        with_mapping(vec![mapping("app", "orders", "items")]),
    ];
    for wrong in wrong {
        assert_eq!(code(desk.restore(&wrong)), RefusalCode::InvalidParameter, "{wrong:?}");
    }
    assert!(desk.bench.state.restores.is_empty());
}

#[test]
fn what_makes_sense_is_saved() {
    let (mut desk, _, new) = saved();
    let table = Some(ObjectKind::Table);
    let swapped = vec![mapping("app", "orders", "items"), mapping("app", "items", "orders")];
    let only_orders = custom(vec![branch(table, Some("orders"))]);
    let over_an_unchosen_one = vec![mapping("app", "orders", "items")];
    let right = [
        NewRestore { types: [RestoreType::Full].into(), ..new.clone() },
        NewRestore { objects: custom(vec![branch(None, None)]), ..new.clone() },
        NewRestore { objects: custom(vec![branch(Some(ObjectKind::View), None)]), ..new.clone() },
        NewRestore { mapping: swapped, ..new.clone() },
        NewRestore { mapping: vec![mapping("app", "orders", "orders")], ..new.clone() },
        NewRestore { objects: only_orders, mapping: over_an_unchosen_one, ..new.clone() },
        NewRestore { target: new.source.clone(), ..new.clone() },
    ];
    for right in right {
        assert!(desk.restore(&right).is_ok(), "{right:?}");
    }
}

#[test]
fn a_table_made_after_the_full_set_may_be_named_by_point_in_time() {
    let (mut desk, set, new) = saved();
    desk.bench.wait(30);
    desk.collect();
    let recovery = RestoreMethod::PointInTime { point_in_time: desk.bench.now };
    let objects = custom(vec![branch(Some(ObjectKind::Table), Some("later"))]);
    let id = desk.restore(&NewRestore { recovery, objects, ..new }).unwrap();
    assert_eq!((&desk.restore_of(&id).set, desk.restore_of(&id).logs.len()), (&set, 1));
}

#[test]
fn source_target_and_backup_task_have_to_be_there() {
    let (mut desk, _, new) = saved();
    let nowhere = || DataSourceId::from("ds-none");
    let unknown = [NewRestore { source: nowhere(), ..new.clone() }, NewRestore { target: nowhere(), ..new.clone() }];
    for unknown in unknown {
        assert_eq!(code(desk.restore(&unknown)), RefusalCode::DataSourceNotFound);
    }
    let unknown = NewRestore { backup_task: "bk-none".into(), ..new };
    assert_eq!(code(desk.restore(&unknown)), RefusalCode::TaskNotFound);
}

#[test]
fn the_target_is_of_the_same_engine_and_of_no_lower_version() {
    let (mut desk, _, new) = saved();
    for (product, refused) in [
        ("mysql 5.5", Some(RefusalCode::TargetVersion)),
        ("mysql 5.6", Some(RefusalCode::TargetVersion)),
        (MYSQL, None),
        ("mysql 5.7 basic", None),
        ("mysql 8.0", None),
        (SQL_SERVER_WEB, Some(RefusalCode::TargetEngine)),
        ("postgresql 11", Some(RefusalCode::TargetEngine)),
    ] {
        let target = desk.register(product);
        let made = desk.restore(&NewRestore { target, ..new.clone() });
        match refused {
            None => assert!(made.is_ok(), "{product}"),
            Some(refused) => assert_eq!(code(made), refused, "{product}"),
        }
    }
}

#[test]
fn a_task_starts_only_once_its_precheck_passed() {
    let (mut desk, set, new) = saved();
    let id = desk.restore(&new).unwrap();
    let start_it = |desk: &mut Desk| desk.bench.decide(|ctx| start(ctx, &id));
    assert_eq!(code(start_it(&mut desk)), RefusalCode::TaskStatus);
    let outcome = PrecheckOutcome::failed("no account", "make it");
    let failed = PrecheckResult { item: PrecheckItem::RestoreTargetConnection, outcome };
    desk.work(&[Report::PrecheckItem(failed), Report::PrecheckDone]);
    assert_eq!(desk.restore_of(&id).status, RestoreStatus::CheckFailed);
    assert!(!desk.restore_of(&id).uses_sets());
    assert_eq!(code(start_it(&mut desk)), RefusalCode::TaskStatus);
    desk.bench.decide(|ctx| precheck(ctx, &id)).unwrap();
    assert_eq!(code(start_it(&mut desk)), RefusalCode::TaskStatus);
    desk.pass();
    start_it(&mut desk).unwrap();
    let task = desk.restore_of(&id);
    assert_eq!((task.status, task.started_at), (RestoreStatus::Running, Some(desk.bench.now)));
    assert_eq!((task.precheck_runs, &task.set), (2, &set));
    assert_eq!(code(start_it(&mut desk)), RefusalCode::TaskStatus);
}

#[test]
fn an_edited_task_is_checked_anew_and_nothing_old_counts() {
    let (mut desk, set, new) = saved();
    let id = desk.checked(&set);
    let changed = NewRestore { structure_conflict: StructureConflict::Ignore, name: "other".into(), ..new.clone() };
    desk.bench.decide(|ctx| edit(ctx, &id, &changed)).unwrap();
    let task = desk.restore_of(&id);
    assert_eq!((task.status, task.name.as_str()), (RestoreStatus::Checking, "other"));
    let run = task.precheck.as_ref().unwrap();
    assert_eq!((run.number, run.items.len(), run.ended_at), (2, 0, None));
    assert_eq!(code(desk.bench.decide(|ctx| edit(ctx, &id, &changed))), RefusalCode::TaskStatus);
    assert_eq!(code(desk.bench.decide(|ctx| precheck(ctx, &id))), RefusalCode::TaskStatus);
    desk.pass();
    let nameless = NewRestore { name: String::new(), ..new };
    assert_eq!(code(desk.bench.decide(|ctx| edit(ctx, &id, &nameless))), RefusalCode::InvalidParameter);
    assert_eq!(desk.restore_of(&id).status, RestoreStatus::CheckPassed);
}

#[test]
fn a_running_task_is_not_deleted_and_any_other_is() {
    let (mut desk, set, new) = saved();
    let checking = desk.restore(&new).unwrap();
    desk.bench.decide(|ctx| delete(ctx, &checking)).unwrap();
    let id = desk.checked(&set);
    desk.bench.decide(|ctx| start(ctx, &id)).unwrap();
    assert_eq!(code(desk.bench.decide(|ctx| delete(ctx, &id))), RefusalCode::TaskStatus);
    desk.work(&[Report::RestorePlanned(vec![]), Report::Finished]);
    desk.bench.decide(|ctx| delete(ctx, &id)).unwrap();
    assert_eq!(code(desk.bench.decide(|ctx| delete(ctx, &id))), RefusalCode::TaskNotFound);
}

#[test]
fn a_precheck_learns_that_its_set_is_gone() {
    let (mut desk, _, new) = saved();
    desk.restore(&new).unwrap();
    let known = |desk: &mut Desk| match desk.lease().unwrap().job {
        Job::Restore(job) => job.set_completed,
        other => panic!("{other:?}"),
    };
    assert!(known(&mut desk));
    let task = desk.task.clone();
    desk.bench.decide(|ctx| tasks::stop(ctx, &task)).unwrap();
    desk.wait_days(7);
    assert!(!known(&mut desk));
}
