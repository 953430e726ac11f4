//! Changes carried over.

use super::load::{failure, world};
use super::sample::{only, row, table, whole};
use super::world::{End, Shared};
use crate::model::Engine;
use crate::model::content::{ChangeKind, ObjectKind};
use crate::model::task::{MigrationType, PhaseStatus, Selection, TaskFailure};
use std::collections::BTreeMap;

/// Loads and follows for a minute; after half of it the changes come.
fn follow(engine: Engine, selections: Vec<Selection>, changes: Vec<(&'static str, ChangeKind)>) -> Shared {
    let shared = world(engine, "sfi", selections);
    shared.after_s(30, move |world| {
        let source = world.servers.get_mut("source").expect("a server");
        changes.into_iter().for_each(|(database, kind)| source.log(database, kind));
    });
    drop(shared.turn(60));
    shared
}

fn insert(table: &str, id: i64) -> ChangeKind {
    ChangeKind::Row { table: table.to_owned(), old: None, new: Some(row(id, &[("item", "new"), ("note", "n")])) }
}

fn ddl(object: &str, sql: &str) -> ChangeKind {
    ChangeKind::Ddl { object: object.to_owned(), sql: sql.to_owned() }
}

fn ids(shared: &Shared, database: &str, table: &str) -> usize {
    shared.lock().servers["target"].rows(database, table).len()
}

#[test]
fn an_incremental_task_never_ends_by_itself() {
    let shared = world(Engine::MySql, "sfi", vec![whole("shop")]);
    let end = shared.turn(86_400);
    assert!(matches!(end, End::Still), "{end:?}");
    let world = shared.lock();
    assert!(!world.service.finished && world.service.caught_up);
    assert_eq!(world.service.phases[&MigrationType::Incremental], PhaseStatus::Migrating);
}

#[test]
fn a_task_of_changes_only_begins_where_the_log_stands() {
    let shared = world(Engine::MySql, "i", vec![whole("shop")]);
    shared.server("source", |server| server.log("shop", insert("orders", 1)));
    shared.after_s(30, |world| {
        let source = world.servers.get_mut("source").expect("a server");
        source.log("shop", insert("orders", 6));
    });
    drop(shared.turn(60));
    assert_eq!((failure(&shared), ids(&shared, "shop", "orders")), (None, 1));
    assert_eq!(shared.lock().service.work.log_position, Some(2));
}

#[test]
fn inserts_updates_and_deletes_reach_the_target() {
    let changed = row(2, &[("item", "other")]);
    let changes = vec![
        ("shop", insert("orders", 6)),
        ("shop", ChangeKind::Row { table: "orders".into(), old: Some(row(2, &[])), new: Some(changed.clone()) }),
        ("shop", ChangeKind::Row { table: "orders".into(), old: Some(row(3, &[])), new: None }),
    ];
    let shared = follow(Engine::PostgreSql, vec![whole("shop")], changes);
    let rows = shared.lock().servers["target"].rows("shop", "orders");
    assert_eq!(rows.len(), 5);
    assert!(rows.contains(&changed) && !rows.iter().any(|row| row["id"] == crate::model::content::Value::Integer(3)));
    assert_eq!(shared.lock().service.work.log_position, Some(3));
}

#[test]
fn what_is_not_selected_is_not_carried_over() {
    let changes = vec![
        ("shop", insert("orders", 6)),
        ("shop", insert("goods", 7)),
        ("other", insert("orders", 8)),
        ("shop", ddl("goods", "drop table goods")),
        ("shop", ddl("nightly", "create event nightly on schedule every 1 day do select 1")),
    ];
    let shared = follow(Engine::MySql, vec![only("shop", "orders"), only("shop", "goods_2")], changes);
    assert_eq!(failure(&shared), Some(TaskFailure::DdlDuringMigration { object: "shop.goods_2".into() }));
    let changes = vec![
        ("shop", insert("orders", 6)),
        ("shop", insert("goods", 7)),
        ("other", insert("orders", 8)),
        ("shop", ddl("goods", "drop table goods")),
        ("shop", ddl("nightly", "create event nightly on schedule every 1 day do select 1")),
    ];
    let mut selected = vec![only("shop", "orders")];
    selected[0].columns = Some(vec!["id".into(), "note".into()]);
    let shared = follow(Engine::MySql, selected, changes);
    assert_eq!((failure(&shared), ids(&shared, "shop", "orders")), (None, 6));
    assert!(shared.lock().servers["target"].rows("shop", "orders").contains(&row(6, &[("note", "n")])));
    assert!(shared.lock().servers["target"].rows("shop", "goods").is_empty());
    assert_eq!(shared.lock().service.work.log_position, Some(5));
}

#[test]
fn changes_bear_the_targets_names() {
    let columns_as = BTreeMap::from([("item".to_owned(), "thing".to_owned())]);
    let selection = Selection { table_as: Some("old".into()), columns_as, ..only("shop", "orders") };
    let changes = vec![("shop", insert("orders", 6)), ("shop", ddl("orders", "alter table orders add size text"))];
    let shared = follow(Engine::MySql, vec![selection], changes);
    assert_eq!(failure(&shared), None);
    let mut world = shared.lock();
    let target = world.servers.get_mut("target").expect("a server");
    assert!(target.rows("shop", "old").contains(&row(6, &[("thing", "new"), ("note", "n")])));
    let columns = &target.db("shop").expect("it is there").table("old").expect("it is there").columns;
    assert_eq!(columns.last().map(|column| column.name.as_str()), Some("size"));
}

#[test]
fn a_table_made_in_a_selected_database_is_made_in_the_target_with_its_rows() {
    let shared = world(Engine::MySql, "sfi", vec![whole("shop")]);
    shared.after_s(30, |world| {
        let source = world.servers.get_mut("source").expect("a server");
        source.db("shop").expect("it is there").objects.push(table("fresh", &["item"]));
        source.log("shop", ddl("fresh", "create table fresh (id int primary key, item varchar(40))"));
        source.log("shop", insert("fresh", 1));
    });
    drop(shared.turn(60));
    assert_eq!((failure(&shared), ids(&shared, "shop", "fresh")), (None, 1));
    assert!(shared.lock().servers["target"].names("shop", ObjectKind::Table).contains(&"fresh".to_owned()));
}

#[test]
fn a_statement_that_no_incremental_migration_carries_fails_the_task() {
    let fails = |engine, selection, object: &str, sql: &str| {
        failure(&follow(engine, vec![selection], vec![("shop", ddl(object, sql))]))
    };
    let unsupported = |object: &str| Some(TaskFailure::UnsupportedDdl { object: format!("shop.{object}") });
    assert_eq!(fails(Engine::MySql, whole("shop"), "open_orders", "drop view open_orders"), unsupported("open_orders"));
    assert_eq!(fails(Engine::PostgreSql, whole("shop"), "goods", "truncate goods"), unsupported("goods"));
    let renamed = fails(Engine::MySql, only("shop", "goods"), "goods", "rename table goods to wares");
    assert_eq!(renamed, unsupported("goods"));
    let some = Selection { columns: Some(vec!["id".into()]), ..only("shop", "goods") };
    assert_eq!(fails(Engine::MySql, some, "goods", "alter table goods add size text"), unsupported("goods"));
}

#[test]
fn a_statement_the_target_refuses_fails_the_task() {
    let shared = world(Engine::MySql, "sfi", vec![whole("shop")]);
    shared.after_s(30, |world| {
        let target = world.servers.get_mut("target").expect("a server");
        target.ddl("shop", "alter table goods add size text").expect("it is there");
        let source = world.servers.get_mut("source").expect("a server");
        source.log("shop", insert("orders", 9));
        source.log("shop", ddl("goods", "alter table goods add size text"));
    });
    drop(shared.turn(60));
    assert!(matches!(failure(&shared), Some(TaskFailure::Refused { side, .. }) if side == "target"));
    assert_eq!(ids(&shared, "shop", "orders"), 6);
}

#[test]
fn a_task_within_one_instance_does_not_carry_over_what_it_wrote_itself() {
    let shared = world(
        Engine::MySql,
        "sfi",
        vec![Selection { table_as: Some("copy".into()), ..only("shop", "orders") }, only("shop", "goods")],
    );
    shared.lock().service.work.target.instance = "rm-source".into();
    shared.after_s(30, |world| {
        let source = world.servers.get_mut("source").expect("a server");
        source.log("shop", insert("copy", 9));
        source.log("shop", insert("orders", 9));
    });
    drop(shared.turn(60));
    assert_eq!((ids(&shared, "shop", "copy"), failure(&shared)), (6, None));
}

#[test]
fn a_task_that_is_caught_up_is_given_back_while_another_waits() {
    let shared = world(Engine::MySql, "sfi", vec![whole("shop")]);
    shared.after_s(60, |world| world.service.others_wait = true);
    let began = shared.lock().now;
    let end = shared.turn(86_400);
    assert!(matches!(end, End::Done(Ok(()))), "{end:?}");
    let world = shared.lock();
    assert!((60..=75).contains(&began.duration_until(world.now).as_secs()));
    assert!(world.service.caught_up && !world.service.finished);
    assert_eq!((world.service.turns_over, world.calls.last().copied()), (1, Some("report")));
}

#[test]
fn what_comes_between_two_turns_is_carried_over_in_the_second() {
    let shared = world(Engine::MySql, "sfi", vec![whole("shop")]);
    shared.lock().service.others_wait = true;
    assert!(matches!(shared.turn(60), End::Done(Ok(()))));
    shared.server("source", |source| source.log("shop", insert("orders", 9)));
    assert!(matches!(shared.turn(60), End::Done(Ok(()))));
    assert_eq!((ids(&shared, "shop", "orders"), failure(&shared)), (6, None));
    assert_eq!(shared.lock().service.turns_over, 2);
}
