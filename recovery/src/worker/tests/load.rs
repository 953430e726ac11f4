//! Structure and rows, end to end.

use super::sample::{of_table, only, product, row, shop, table, view, whole, work};
use super::servers::Server;
use super::world::{End, Shared};
use crate::model::Engine;
use crate::model::content::{Object, ObjectKind as K};
use crate::model::task::{MigrationType, PhaseStatus, SameNameMode, Selection, TaskFailure, Work};
use crate::ports::database::DatabaseError;
use std::collections::BTreeMap;

/// A world whose source has a shop with five orders and one good, and whose target has an empty database of that name.
pub fn world(engine: Engine, letters: &str, objects: Vec<Selection>) -> Shared {
    let shared = Shared::new(work(Work::Migrate, engine, letters, objects));
    shared.server("source", fill);
    shared.server("target", |server| server.put_empty("shop"));
    shared
}

fn fill(server: &mut Server) {
    let shop = server.put("shop", shop());
    let orders = (1..=5).map(|id| row(id, &[("item", "lamp"), ("note", "n")])).collect();
    shop.rows.insert("orders".into(), orders);
    shop.rows.insert("goods".into(), vec![row(1, &[("name", "lamp")])]);
}

/// Turns until nothing is left to do.
pub fn run(shared: &Shared) {
    let end = shared.turn(100_000);
    assert!(matches!(end, End::Done(Ok(()))), "{end:?}");
}

/// What a task failed with.
pub fn failure(shared: &Shared) -> Option<TaskFailure> {
    shared.lock().service.failure.clone()
}

/// Whether the target has the rows of the source, once each.
pub fn rows_are_equal(shared: &Shared, table: &str) -> bool {
    let world = shared.lock();
    let mut rows = world.servers["target"].rows("shop", table);
    rows.sort_by_key(|row| format!("{row:?}"));
    rows == world.servers["source"].rows("shop", table)
}

fn refused_with(shared: &Shared, part: &str) -> bool {
    matches!(failure(shared), Some(TaskFailure::Refused { side, detail }) if side == "target" && detail.contains(part))
}

#[test]
fn every_engine_moves_a_whole_database() {
    for engine in [Engine::MySql, Engine::SqlServer, Engine::PostgreSql, Engine::Ppas] {
        let shared = world(engine, "sf", vec![whole("shop")]);
        run(&shared);
        assert!(shared.lock().service.finished, "{engine}: {:?}", failure(&shared));
        assert!(rows_are_equal(&shared, "orders") && rows_are_equal(&shared, "goods"));
        let world = shared.lock();
        for kind in [K::Table, K::View, K::Trigger, K::Index, K::ForeignKey] {
            let (mut had, mut has) =
                (world.servers["source"].names("shop", kind), world.servers["target"].names("shop", kind));
            had.sort();
            has.sort();
            assert_eq!(had, has);
        }
        let orders = world.service.work.progress.iter().find(|entry| entry.name == "orders").expect("planned");
        assert_eq!((orders.rows_written, orders.rows_done), (5, true));
    }
}

#[test]
fn nothing_is_written_to_a_target_older_than_the_source_and_the_task_goes_on_once_it_is_not() {
    let older = "the data is of mysql 5.7, and the server is mysql 5.6";
    let shared = world(Engine::MySql, "sf", vec![whole("shop")]);
    shared.server("target", |server| server.product = product("mysql 5.6"));
    run(&shared);
    assert!(refused_with(&shared, older), "{:?}", failure(&shared));
    assert_eq!(shared.lock().servers["target"].writes, 0);
    let shared = world(Engine::MySql, "sf", vec![whole("shop")]);
    shared.before("write", 2, |world| {
        let target = world.servers.get_mut("target").expect("a server");
        (target.product, target.refuses) =
            (product("mysql 5.6"), Some(DatabaseError::Unreachable("it starts again".into())));
    });
    shared.after_s(5, |world| world.servers.get_mut("target").expect("a server").refuses = None);
    run(&shared);
    assert!(refused_with(&shared, older), "{:?}", failure(&shared));
    assert!(!shared.lock().service.finished);
    shared.server("target", |server| server.product = product("mysql 5.7"));
    shared.lock().service.failure = None;
    run(&shared);
    assert!(shared.lock().service.finished, "{:?}", failure(&shared));
    assert!(rows_are_equal(&shared, "orders") && rows_are_equal(&shared, "goods"));
}

#[test]
fn phases_are_said_in_order_and_structure_ends_when_all_of_it_is_made() {
    use {MigrationType::Full, MigrationType::Structure, PhaseStatus::Finished, PhaseStatus::Migrating};
    let said = |engine| {
        let shared = world(engine, "sf", vec![whole("shop")]);
        run(&shared);
        shared.lock().service.phase_log.clone()
    };
    let wanted = [(Structure, Migrating), (Structure, Finished), (Full, Migrating), (Full, Finished)];
    assert_eq!(said(Engine::MySql), wanted);
    let wanted = [(Structure, Migrating), (Full, Migrating), (Structure, Finished), (Full, Finished)];
    assert_eq!(said(Engine::SqlServer), wanted);
}

#[test]
fn the_source_is_never_written() {
    let shared = world(Engine::MySql, "sf", vec![whole("shop")]);
    run(&shared);
    let world = shared.lock();
    assert_eq!((world.servers["source"].writes, world.servers["source"].epoch), (0, 0));
}

#[test]
fn a_table_goes_alone_and_under_its_new_names() {
    let columns_as = BTreeMap::from([("item".to_owned(), "thing".to_owned())]);
    let columns = Some(vec!["id".to_owned(), "item".to_owned()]);
    let selection = Selection {
        database_as: Some("put_back".into()),
        table_as: Some("old".into()),
        columns,
        columns_as,
        ..only("shop", "orders")
    };
    let shared = world(Engine::MySql, "sf", vec![selection]);
    shared.server("target", |server| server.put_empty("put_back"));
    run(&shared);
    let world = shared.lock();
    let target = &world.servers["target"];
    assert_eq!(target.names("put_back", K::Table), ["old"]);
    assert_eq!(target.rows("put_back", "old")[0], row(1, &[("thing", "lamp")]));
    assert_eq!(target.rows("put_back", "old").len(), 5);
    assert!(target.names("shop", K::Table).is_empty() && target.names("put_back", K::View).is_empty());
}

#[test]
fn ddl_while_rows_are_copied_fails_the_task_and_names_the_table() {
    let wanted = Some(TaskFailure::DdlDuringMigration { object: "shop.orders".into() });
    for read in 1..=4 {
        let shared = world(Engine::MySql, "sf", vec![whole("shop")]);
        shared.before("read", read, |world| {
            world.servers.get_mut("source").expect("a server").touch("shop", "orders");
        });
        run(&shared);
        assert_eq!(failure(&shared), wanted, "before read {read}");
    }
}

#[test]
fn a_table_dropped_or_made_in_the_source_meanwhile_fails_the_task() {
    let fails = |change: fn(&mut Server)| {
        let shared = world(Engine::PostgreSql, "sf", vec![whole("shop")]);
        shared.before("write", 4, move |world| change(world.servers.get_mut("source").expect("a server")));
        run(&shared);
        failure(&shared)
    };
    let dropped = fails(|server| server.ddl("shop", "drop table goods").expect("it is there"));
    assert_eq!(dropped, Some(TaskFailure::DdlDuringMigration { object: "shop.goods".into() }));
    let made = fails(|server| server.ddl("shop", "create table fresh (id int)").expect("it is new"));
    assert_eq!(made, Some(TaskFailure::DdlDuringMigration { object: "shop.fresh".into() }));
}

#[test]
fn a_target_table_altered_meanwhile_fails_the_task() {
    let shared = world(Engine::MySql, "sf", vec![whole("shop")]);
    shared.before("write", 3, |world| {
        let target = world.servers.get_mut("target").expect("a server");
        target.ddl("shop", "alter table orders add surprise text").expect("it is there");
    });
    run(&shared);
    assert!(refused_with(&shared, "shop.orders was changed meanwhile"), "{:?}", failure(&shared));
}

#[test]
fn an_object_that_came_into_the_target_after_the_precheck_fails_the_task() {
    let shared = world(Engine::MySql, "sf", vec![whole("shop")]);
    shared.server("target", |server| server.db("shop").expect("it is there").objects.push(table("goods", &["name"])));
    run(&shared);
    for attempt in 1..=3 {
        assert!(refused_with(&shared, "Table shop.goods could not be made"), "{attempt}: {:?}", failure(&shared));
        shared.lock().service.failure = None;
        run(&shared);
    }
    assert!(shared.lock().servers["target"].rows("shop", "goods").is_empty());
}

#[test]
fn objects_and_rows_of_the_same_name_stay_in_ignore_mode() {
    let shared = world(Engine::MySql, "sf", vec![only("shop", "goods")]);
    shared.lock().service.work.same_name = SameNameMode::Ignore;
    shared.server("source", |server| {
        let goods = server.db("shop").expect("it is there").rows.get_mut("goods").expect("it is there");
        goods.push(row(2, &[("name", "desk")]));
    });
    shared.server("target", |server| {
        let shop = server.db("shop").expect("it is there");
        shop.objects.push(table("goods", &["name"]));
        shop.rows.insert("goods".into(), vec![row(1, &[("name", "mine")])]);
    });
    run(&shared);
    let world = shared.lock();
    assert!(world.service.finished);
    let wanted = vec![row(1, &[("name", "mine")]), row(2, &[("name", "desk")])];
    assert_eq!(world.servers["target"].rows("shop", "goods"), wanted);
    assert_eq!(world.service.work.progress[0].rows_written, 1);
}

#[test]
fn a_view_left_without_its_renamed_table_fails_the_task() {
    let renamed = Selection { table_as: Some("old_orders".into()), ..only("shop", "orders") };
    let shared = world(Engine::MySql, "sf", vec![whole("shop"), renamed]);
    run(&shared);
    assert!(refused_with(&shared, "View shop.open_orders could not be made"), "{:?}", failure(&shared));
    assert!(shared.lock().servers["target"].names("shop", K::View).is_empty());
}

#[test]
fn full_without_structure_copies_into_the_tables_that_are_there() {
    let shared = world(Engine::MySql, "f", vec![only("shop", "goods")]);
    shared.server("target", |server| {
        server.db("shop").expect("it is there").objects.push(table("goods", &["name", "extra"]));
    });
    run(&shared);
    assert!(shared.lock().service.finished && rows_are_equal(&shared, "goods"));
    assert!(!shared.lock().calls.contains(&"create"));
}

#[test]
fn structure_without_full_copies_no_row() {
    let shared = world(Engine::SqlServer, "s", vec![whole("shop")]);
    run(&shared);
    let world = shared.lock();
    assert!(world.service.finished && world.servers["target"].rows("shop", "orders").is_empty());
    assert_eq!(world.servers["target"].names("shop", K::Trigger), ["audit"]);
}

#[test]
fn a_dropped_database_fails_the_task() {
    let shared = world(Engine::MySql, "sf", vec![whole("shop")]);
    shared.before("read", 2, |world| world.servers.get_mut("source").expect("a server").databases.clear());
    run(&shared);
    assert!(matches!(failure(&shared), Some(TaskFailure::DdlDuringMigration { object }) if object.starts_with("shop")));
}

#[test]
fn a_view_of_another_view_is_made_after_it() {
    let shared = world(Engine::MySql, "s", vec![whole("shop")]);
    shared.server("source", |server| {
        let more: Vec<Object> = vec![
            view("a_first", &["z_last"], "select * from z_last"),
            view("z_last", &["goods"], "select * from goods"),
            of_table(K::Index, "by_name", "goods", "create index by_name on goods (name)"),
        ];
        server.db("shop").expect("it is there").objects.extend(more);
    });
    run(&shared);
    assert_eq!(shared.lock().servers["target"].names("shop", K::View), ["open_orders", "z_last", "a_first"]);
}
