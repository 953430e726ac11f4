//! Tasks between Redis instances: which items their precheck has, and keys that come and go while they move.

use super::load::{failure, run};
use super::sample::{object, product, whole, work};
use super::servers::Server;
use super::world::{End, Shared};
use crate::model::Engine;
use crate::model::content::{ChangeKind, Column, Object, ObjectKind, Value};
use crate::model::instance::{Grants, Rights};
use crate::model::precheck::{PrecheckItem as I, PrecheckOutcome};
use crate::model::task::{SameNameMode, Work};
use std::collections::BTreeMap;

fn key(name: &str) -> BTreeMap<String, Value> {
    let text = |text: &str| Value::Text(text.to_owned());
    BTreeMap::from([
        ("key".to_owned(), text(name)),
        ("type".to_owned(), text("string")),
        ("value".to_owned(), text("\"1\"")),
        ("expires_at".to_owned(), Value::Null),
    ])
}

/// The table of a database with keys.
fn keys(rows: u64) -> Object {
    let column = |name: &str| Column { name: name.into(), declared: "text".into(), nullable: false };
    let columns = ["key", "type", "value", "expires_at"].map(column).into();
    Object { columns, key: vec!["key".into()], rows, ..object(ObjectKind::Table, "keys", "") }
}

fn put(server: &mut Server, database: &str, names: &[&str]) {
    let rows = names.iter().map(|name| key(name)).collect();
    server.put(database, vec![keys(names.len() as u64)]).rows.insert("keys".into(), rows);
}

/// A source with keys in database 0, and a target that has the table ready to be written.
fn world(is: Work, letters: &str) -> Shared {
    let shared = Shared::new(work(is, Engine::Redis, letters, vec![whole("0")]));
    shared.server("source", |server| {
        server.grants = Grants::all(Rights::Owner);
        put(server, "0", &["a"]);
    });
    shared.server("target", |server| put(server, "0", &[]));
    shared
}

/// Runs the precheck: its items, and causes by failed item.
fn checked(shared: &Shared) -> (Vec<I>, BTreeMap<I, String>) {
    let end = shared.turn(1_000);
    assert!(matches!(end, End::Done(Ok(()))), "{end:?}");
    let world = shared.lock();
    let items: Vec<_> = world.service.items.iter().filter(|result| !result.item.is_advisory()).collect();
    let failed = items.iter().filter_map(|result| match &result.outcome {
        PrecheckOutcome::Failed(found) => Some((result.item, found.causes())),
        _ => None,
    });
    (items.iter().map(|result| result.item).collect(), failed.collect())
}

const ALWAYS: [I; 5] =
    [I::SourceConnectivity, I::SourcePermission, I::TargetConnectivity, I::TargetPermission, I::SourceVersion];

#[test]
fn the_items_of_redis_are_those_documented_for_it() {
    for (letters, is_full) in [("f", true), ("fi", true), ("i", false)] {
        let shared = world(Work::Precheck, letters);
        shared.server("source", |server| server.grants = Grants::all(Rights::Owner));
        let mut wanted = ALWAYS.to_vec();
        wanted.extend(is_full.then_some(I::TargetEmpty));
        wanted.extend([I::EvictionPolicy, I::Psync]);
        wanted.extend(letters.contains('i').then_some(I::Topology));
        assert_eq!(checked(&shared), (wanted, BTreeMap::new()), "{letters}");
        assert_eq!(shared.lock().servers["target"].writes, 0);
    }
}

#[test]
fn a_target_that_evicts_keys_fails_with_what_keeps_them() {
    let shared = world(Work::Precheck, "f");
    shared.server("target", |server| {
        server.parameters.insert("maxmemory-policy".into(), "allkeys-lru".into());
    });
    let cause = "maxmemory-policy of the target rm-target is allkeys-lru: keys that were copied may be evicted again";
    assert_eq!(checked(&shared).1, BTreeMap::from([(I::EvictionPolicy, cause.to_owned())]));
}

#[test]
fn a_target_with_keys_fails_a_full_migration_whatever_the_same_name_mode() {
    for mode in [SameNameMode::Stop, SameNameMode::Ignore] {
        let shared = world(Work::Precheck, "f");
        shared.lock().service.work.same_name = mode;
        shared.server("target", |server| put(server, "3", &["x", "y"]));
        let cause = "database 3 of the target rm-target holds 2 keys".to_owned();
        assert_eq!(checked(&shared).1, BTreeMap::from([(I::TargetEmpty, cause)]));
    }
    let shared = world(Work::Precheck, "i");
    shared.server("source", |server| server.grants = Grants::all(Rights::Owner));
    shared.server("target", |server| put(server, "3", &["x"]));
    assert_eq!(checked(&shared).1, BTreeMap::new());
}

#[test]
fn incremental_needs_the_right_to_replicate_and_full_to_read() {
    let with = |letters: &str, rights: Rights| {
        let shared = world(Work::Precheck, letters);
        shared.server("source", |server| server.grants = Grants::all(rights));
        let mut failed = checked(&shared).1;
        let may_not = "source account app may not run SYNC and PSYNC on rm-source".to_owned();
        assert_eq!(failed.remove(&I::Psync), (rights < Rights::Owner).then_some(may_not));
        failed.remove(&I::SourcePermission)
    };
    assert_eq!(with("f", Rights::ReadOnly), None);
    assert_eq!(with("f", Rights::None).as_deref(), Some("source account app lacks read on 0"));
    assert_eq!(with("fi", Rights::ReadWrite).as_deref(), Some("source account app lacks SYNC and PSYNC on 0"));
}

#[test]
fn a_target_older_than_the_source_and_a_cluster_as_source_fail() {
    for (source, target, cause) in [
        ("redis 2.8", "redis 7.0", None),
        ("redis 5.0", "redis 5.0", None),
        ("redis 7.0", "redis 6.0", Some("the target redis 6.0 is older than the source redis 7.0")),
        (
            "redis 7.0 cluster",
            "redis 7.0",
            Some("the source is redis 7.0 cluster, a cluster, which data cannot be migrated from"),
        ),
    ] {
        let shared = world(Work::Precheck, "f");
        shared.server("source", |server| server.product = product(source));
        shared.server("target", |server| server.product = product(target));
        assert_eq!(checked(&shared).1.get(&I::SourceVersion).map(String::as_str), cause);
    }
}

#[test]
fn the_keys_of_a_database_are_moved() {
    let shared = world(Work::Migrate, "f");
    run(&shared);
    let world = shared.lock();
    assert!(world.service.finished, "{:?}", world.service.failure);
    assert_eq!(world.servers["target"].rows("0", "keys"), [key("a")]);
}

#[test]
fn an_empty_database_is_moved_too() {
    for is_known in [true, false] {
        let shared = world(Work::Migrate, "f");
        shared.server("source", |server| {
            server.databases.clear();
            if is_known {
                server.put_empty("0");
            }
        });
        run(&shared);
        assert!(shared.lock().service.finished, "{:?}", failure(&shared));
    }
}

#[test]
fn the_last_key_that_goes_and_the_first_that_comes_are_no_change_of_definitions() {
    let moved = |shared: &Shared, at_reading: fn(&mut Server)| {
        shared.before("read", 1, move |world| at_reading(world.servers.get_mut("source").expect("a server")));
        run(shared);
        let world = shared.lock();
        assert!(world.service.finished, "{:?}", world.service.failure);
        world.servers["target"].rows("0", "keys")
    };
    assert_eq!(moved(&world(Work::Migrate, "f"), |server| server.databases.clear()), []);
    let shared = world(Work::Migrate, "f");
    shared.server("source", |server| server.databases.clear());
    assert_eq!(moved(&shared, |server| put(server, "0", &["late"])), [key("late")]);
}

#[test]
fn changes_of_keys_are_carried_over_to_a_database_that_was_empty() {
    let shared = world(Work::Migrate, "fi");
    shared.server("source", |server| server.databases.clear());
    let set = |old: Option<&str>| {
        let mut new = key("b");
        new.insert("value".into(), Value::Text("\"2\"".into()));
        ChangeKind::Row { table: "keys".into(), old: old.map(key), new: Some(new) }
    };
    let (first, second) = (set(None), set(Some("b")));
    shared.after_s(30, move |world| {
        let source = world.servers.get_mut("source").expect("a server");
        source.log("0", first);
        source.log("0", second);
    });
    drop(shared.turn(60));
    assert_eq!(failure(&shared), None);
    let rows = shared.lock().servers["target"].rows("0", "keys");
    assert_eq!(rows.len(), 1, "{rows:?}");
}
