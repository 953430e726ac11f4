//! The log folded into definitions and rows.

use super::*;
use crate::worker::logical::fold::rows::Sieve;
use crate::worker::logical::fold::statement::Statement;
use crate::worker::logical::fold::{State, TableRows};

fn keyed() -> TableRows {
    TableRows::of_backup(0, &["id".to_owned()], ["id", "item", "note"].map(ToOwned::to_owned).into_iter())
}

fn values(row: &RowByName) -> Vec<Value> {
    ["id", "item", "note"].iter().map(|name| row[*name].clone()).collect()
}

fn left(rows: &TableRows, backup: &[RowByName]) -> Vec<RowByName> {
    let mut sieve = Sieve::new(rows);
    let kept = backup.chunks(2).flat_map(|chunk| sieve.pass(chunk.iter().map(values).collect()).expect("they fit"));
    let mut all: Vec<RowByName> = kept.collect();
    all.extend(rows.added().cloned());
    all.sort_by_key(|row| format!("{row:?}"));
    all
}

#[test]
fn changes_of_a_key_come_down_to_the_last() {
    let mut rows = keyed();
    let (one, two) = (order(1), order(2));
    let changed = row(1, &[("item", "desk"), ("note", "n")]);
    let moved = row(7, &[("item", "desk"), ("note", "n")]);
    rows.change(Some(&one), Some(&changed)).expect("it fits");
    rows.change(Some(&changed), Some(&moved)).expect("it fits");
    rows.change(None, Some(&one)).expect("it fits");
    rows.change(Some(&two), None).expect("it fits");
    rows.change(None, Some(&order(8))).expect("it fits");
    rows.change(Some(&order(8)), None).expect("it fits");
    assert_eq!(left(&rows, &[one.clone(), two, order(3)]), [one, order(3), moved]);
    assert_eq!((rows.count(3), rows.added_count()), (3, 2));
}

#[test]
fn rows_without_a_key_are_counted() {
    let mut rows = TableRows::of_backup(0, &[], ["id", "item", "note"].map(ToOwned::to_owned).into_iter());
    let (one, two) = (order(1), order(2));
    rows.change(Some(&one), None).expect("it fits");
    rows.change(Some(&one), Some(&two)).expect("it fits");
    rows.change(None, Some(&two)).expect("it fits");
    rows.change(None, Some(&one)).expect("it fits");
    let backup = [one.clone(), one.clone(), one.clone(), two.clone()];
    assert_eq!(left(&rows, &backup), [one.clone(), one, two.clone(), two.clone(), two]);
    assert_eq!(rows.count(4), 5);
}

#[test]
fn an_emptied_table_has_only_what_came_later() {
    let mut rows = keyed();
    rows.change(None, Some(&order(9))).expect("it fits");
    rows.clear();
    rows.change(None, Some(&order(4))).expect("it fits");
    assert_eq!((left(&rows, &[]), rows.origin(), rows.count(5)), (vec![order(4)], None, 1));
    assert!(rows.change(Some(&order(1)), None).is_err());
}

/// The state after a dump and these statements and changes.
fn folded(log: Vec<ChangeKind>) -> State {
    let shared = world();
    let to = dump(&shared);
    let shelf_job = restore_job();
    let worker = shared.worker();
    let manifest = shared.drive(10, async {
        let asked_at = shared.lock().now;
        let work = crate::model::work::LeasedWork {
            task: "rst-1".into(),
            epoch: shared.lock().logical.as_ref().expect("a job").epoch,
            lease_s: 30,
            job: Job::Restore(Box::new(shelf_job.clone())),
        };
        let (clock, channel) = (std::sync::Arc::clone(&worker.clock), std::sync::Arc::clone(&worker.channel));
        let mut lease = crate::worker::lease::Lease::take(clock, channel, &work, asked_at).await.expect("a lease");
        worker.shelf(&shelf_job.set).manifest(&mut lease).await
    });
    let End::Done(Ok(manifest)) = manifest else { panic!("no manifest") };
    let mut state = State::begin(&manifest, true);
    for (number, kind) in log.into_iter().enumerate() {
        let position = to.position + 1 + number as u64;
        let change = crate::model::content::Change { position, at: at(1), database: "shop".into(), kind };
        state.take(&change).expect("it fits");
    }
    state
}

fn ddl(sql: &str) -> ChangeKind {
    ChangeKind::Ddl { object: "x".into(), sql: sql.to_owned() }
}

fn insert(table: &str, row: RowByName) -> ChangeKind {
    ChangeKind::Row { table: table.to_owned(), old: None, new: Some(row) }
}

fn definition(state: &State, kind: K, name: &str) -> Option<String> {
    let entries = &state.databases["shop"].entries;
    let is_it = |entry: &&crate::worker::logical::fold::Entry| entry.object.kind == kind && entry.object.name == name;
    entries.iter().find(is_it).map(|entry| entry.object.definition.clone())
}

fn count(state: &State, table: &str) -> Option<u64> {
    let entries = &state.databases["shop"].entries;
    entries.iter().find(|entry| entry.object.name == table).map(|entry| entry.rows.count(5))
}

#[test]
fn tables_are_altered_made_renamed_and_dropped() {
    let state = folded(vec![
        ddl(
            "alter table orders add column size int default 3, add constraint f foreign key (item) references goods (id)",
        ),
        insert("orders", row(6, &[("item", "x"), ("note", "y"), ("size", "4")])),
        ddl("alter table orders drop foreign key f"),
        ddl("create table fresh (id int primary key, n int references goods (id))"),
        insert("fresh", row(1, &[("n", "1")])),
        ddl("rename table goods to wares"),
        ddl("drop table if exists notes"),
        ddl("create unique index once on fresh (n)"),
        ddl("alter table fresh add index twice (n)"),
        ddl("drop index once on fresh"),
    ]);
    assert_eq!(state.unsupported(), None);
    let orders = definition(&state, K::Table, "orders").expect("it is there");
    assert!(orders.contains("note varchar(40), size int default 3, primary key (id)"), "{orders}");
    assert!(!orders.contains("references"));
    assert_eq!(
        definition(&state, K::Table, "fresh").as_deref(),
        Some("create table fresh (id int primary key, n int)")
    );
    assert!(definition(&state, K::Table, "goods").is_none() && definition(&state, K::Table, "notes").is_none());
    assert!(definition(&state, K::Table, "wares").expect("it is there").starts_with("create table `wares` ("));
    assert!(definition(&state, K::Index, "once").is_none());
    let twice = "create index `twice` on `fresh` (n)";
    assert_eq!(definition(&state, K::Index, "twice").as_deref(), Some(twice));
    assert_eq!((count(&state, "orders"), count(&state, "fresh"), count(&state, "wares")), (Some(6), Some(1), Some(5)));
}

#[test]
fn a_truncated_or_remade_table_begins_anew() {
    let state = folded(vec![
        ddl("truncate orders"),
        insert("orders", order(1)),
        ddl("drop table goods"),
        ddl("create table goods (id int primary key, name varchar(40))"),
    ]);
    assert_eq!((count(&state, "orders"), count(&state, "goods")), (Some(1), Some(0)));
    assert!(state.databases["shop"].entries.iter().any(|entry| entry.object.name == "by_note"));
}

#[test]
fn what_cannot_be_carried_exactly_is_marked_on_its_table_alone() {
    for sql in [
        "alter table orders modify note text",
        "alter table orders add column at timestamp default current_timestamp",
        "alter table orders drop primary key",
        "alter table orders drop column id",
        "alter table orders convert to character set gbk",
        "alter table notes add column size int",
    ] {
        let state = folded(vec![ddl(sql)]);
        let marked: Vec<&str> = state.databases["shop"]
            .entries
            .iter()
            .filter(|entry| entry.unsupported.as_deref() == Some(sql))
            .map(|entry| entry.object.name.as_str())
            .collect();
        let table = sql.split_whitespace().nth(2).expect("a name");
        assert_eq!(marked, [table], "{sql}");
    }
    let unread = folded(vec![ddl("create table copy as select * from orders")]);
    assert!(unread.databases["shop"].unsupported.is_some());
}

#[test]
fn views_and_routines_are_replaced_and_dropped() {
    let state = folded(vec![
        ddl("create or replace definer=root@localhost view open_orders as select id, note from orders"),
        ddl("drop procedure clean"),
        ddl("create function f() returns int return 1"),
        ddl("alter event nightly on schedule every 2 day do delete from goods"),
    ]);
    let view = definition(&state, K::View, "open_orders").expect("it is there");
    assert!(view.contains("select id, note") && !view.contains("root") && !view.contains("replace"), "{view}");
    assert!(definition(&state, K::Procedure, "clean").is_none());
    assert!(definition(&state, K::Function, "f").is_some());
}

#[test]
fn statements_about_accounts_are_beside() {
    for sql in ["grant select on shop.* to app", "create user x", "drop user x", "set password = 'x'", "flush logs"] {
        assert_eq!(Statement::read(Engine::MySql, sql), Statement::Beside, "{sql}");
    }
}
