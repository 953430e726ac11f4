//! Bulk reads and writes, changes of a follower, fencing.

use super::super::log::Entry;
use super::super::server::Server;
use super::{at, int, mysql, numbers, ok, text};
use recovery::model::content::{Row, Value};
use recovery::ports::database::{Apply, DatabaseError, OnConflict, ReadChunk, WriteChunk};
use std::collections::BTreeMap;

fn read(table: &str, columns: &[&str], after: Option<String>, limit: usize) -> ReadChunk {
    let columns = columns.iter().map(|name| (*name).to_owned()).collect();
    ReadChunk { database: "app".into(), table: table.into(), columns, after, limit }
}

fn write(table: &str, columns: &[&str], key: &[&str], rows: Vec<Row>) -> WriteChunk {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    WriteChunk {
        database: "app".into(),
        table: table.into(),
        columns: names(columns),
        key: names(key),
        rows,
        on_conflict: OnConflict::Keep,
    }
}

#[test]
fn chunks_come_in_key_order_and_together_are_the_table() {
    let mut server = mysql();
    ok(&mut server, 0, "create table t (a text, b int, x real, primary key (a, b));
        insert into t values ('b', 2, 0.5), ('a', 10, null), ('a', 9, 1e300), ('c''', 1, 2.25); create table heap (v text);
        insert into heap values ('x'), ('x'), ('y')");
    for (table, columns, count) in [("t", vec!["x", "b", "a"], 4), ("heap", vec!["v"], 3)] {
        let (mut after, mut found) = (None, Vec::new());
        loop {
            let chunk = server.read("app", &read(table, &columns, after, 2), at(1)).expect("a chunk");
            found.extend(chunk.rows);
            after = chunk.last;
            if chunk.done {
                break;
            }
        }
        assert_eq!(found.len(), count, "{table}");
        if table == "t" {
            assert_eq!(found[0], [Value::Real(1e300), int(9), text("a")]);
            assert_eq!(found[3], [Value::Real(2.25), int(1), text("c'")]);
        }
    }
    let none = server.read("app", &read("heap", &["v"], Some("[3]".into()), 2), at(1)).expect("a chunk");
    assert_eq!((none.rows.len(), none.last, none.done), (0, None, true));
    assert!(server.read("app", &read("heap", &["v"], Some("]".into()), 2), at(1)).is_err());
}

#[test]
fn a_written_row_whose_key_is_there_stays_as_it_is_and_triggers_do_not_fire() {
    let mut server = mysql();
    ok(&mut server, 0, "create table t (id int primary key, x blob); create table audit (id int);
        create trigger tr after insert on t begin insert into audit values (new.id); end; insert into t values (1, 'mine')");
    let bytes = Value::Bytes { hex: "00ff".into() };
    let rows = vec![vec![int(1), text("other")], vec![int(2), bytes.clone()]];
    assert_eq!(server.write("app", &write("t", &["id", "x"], &["id"], rows), at(1)), Ok(1));
    assert_eq!(ok(&mut server, 2, "select x from t order by id"), [vec![text("mine")], vec![bytes]]);
    assert_eq!(numbers(&mut server, "select id from audit"), [1]);
    assert!(
        matches!(server.log.after(0).expect("log").last().map(|last| &last.entry), Some(Entry::Row { table, .. }) if table == "t")
    );
    ok(&mut server, 3, "insert into t values (3, null)");
    assert_eq!(numbers(&mut server, "select id from audit"), [1, 3], "triggers act on statements again");
    assert!(server.write("app", &write("t", &["id", "x"], &["id"], vec![vec![int(4)]]), at(4)).is_err());
    assert_eq!(
        server.write("app", &write("u", &["id"], &[], vec![]), at(4)),
        Err(DatabaseError::NoSuchObject("u".into()))
    );
}

#[test]
fn applied_changes_come_out_the_same_when_they_are_applied_twice() {
    let mut server = mysql();
    ok(&mut server, 0, "create table t (id int primary key, x text); insert into t values (1, 'a'), (2, 'b')");
    let row = |id: i64, x: &str| BTreeMap::from([("id".to_owned(), int(id)), ("x".to_owned(), text(x))]);
    let (database, table, key) = ("app".to_owned(), "t".to_owned(), vec!["id".to_owned()]);
    let upsert =
        |old, new| Apply::Upsert { database: database.clone(), table: table.clone(), key: key.clone(), old, new };
    let changes = [
        upsert(Some(row(1, "a")), row(5, "moved")),
        upsert(Some(row(2, "b")), row(2, "changed")),
        upsert(None, row(3, "new")),
        Apply::Delete { database: database.clone(), table: table.clone(), key: key.clone(), old: row(9, "not there") },
        Apply::Ddl { database: database.clone(), sql: "create table if not exists u (id int)".into() },
    ];
    for ms in [1, 2] {
        server.apply("app", &changes, at(ms)).expect("applied");
        assert_eq!(
            ok(&mut server, ms, "select id, x from t order by id"),
            [vec![int(2), text("changed")], vec![int(3), text("new")], vec![int(5), text("moved")]]
        );
    }
    let failing = [upsert(None, row(70, "x")), Apply::Ddl { database: database.clone(), sql: "create tabel".into() }];
    assert!(server.apply("app", &failing, at(3)).is_err());
    assert_eq!(numbers(&mut server, "select count(*) from t where id = 70"), [0], "all or none");
}

#[test]
fn changes_to_a_table_without_a_key_hit_one_row_of_the_same_values() {
    let mut server = mysql();
    ok(&mut server, 0, "create table t (x text, y int); insert into t values ('a', null), ('a', null), ('b', 1)");
    let row = |x: &str, y: Value| BTreeMap::from([("x".to_owned(), text(x)), ("y".to_owned(), y)]);
    let (database, table, key) = ("app".to_owned(), "t".to_owned(), Vec::new());
    let changes = [
        Apply::Delete {
            database: database.clone(),
            table: table.clone(),
            key: key.clone(),
            old: row("a", Value::Null),
        },
        Apply::Upsert { database, table, key, old: Some(row("b", int(1))), new: row("b", int(2)) },
    ];
    server.apply("app", &changes, at(1)).expect("applied");
    assert_eq!(
        ok(&mut server, 2, "select x, y from t order by x"),
        [vec![text("a"), Value::Null], vec![text("b"), int(2)]]
    );
}

#[test]
fn an_earlier_epoch_is_fenced_off() {
    let mut server = mysql();
    assert_eq!(server.claim("dts-1", 2), Ok(()));
    assert_eq!(server.claim("dts-1", 1), Err(DatabaseError::Fenced(2)));
    assert_eq!(server.claim("dts-1", 2), Ok(()));
    assert_eq!(server.claim("dts-2", 1), Ok(()), "tasks are fenced each for itself");
    assert_eq!(server.fence("dts-1", 1), Err(DatabaseError::Fenced(2)));
}

#[test]
fn only_an_owner_reads_the_log() {
    let mut server = mysql();
    let order = recovery::ports::cloud::AccountOrder::Create(super::account(
        "low",
        recovery::model::instance::Rights::ReadWrite,
    ));
    server.order_account(&order, at(0)).expect("an account");
    assert!(matches!(server.changes("low", 0, 9), Err(DatabaseError::NotPermitted { .. })));
    assert_eq!(server.changes("app", 0, 9).map(|changes| changes.len()), Ok(0), "accounts are no content");
}

#[test]
fn numbers_with_fractions_go_over_the_wire_bit_by_bit() {
    let mut wrong = Vec::new();
    for number in 1..20_000_u32 {
        let value = f64::from(number) * 1.1 / 7.0;
        let text = serde_json::to_string(&Value::Real(value)).expect("text");
        if serde_json::from_str::<Value>(&text).expect("a value") != Value::Real(value) {
            wrong.push(value);
        }
    }
    assert_eq!(wrong.len(), 0);
}

#[test]
fn a_row_whose_key_is_there_stays_stops_the_write_or_is_replaced() {
    let made = || {
        let mut server = mysql();
        ok(&mut server, 0, "create table t (id integer primary key, code text unique, note text)");
        ok(&mut server, 0, "insert into t values (1, 'a', 'old'), (2, 'b', 'old')");
        server
    };
    // The first row meets the primary key of one row, the second the unique code of another one, the third nothing.
    let rows = [(1, "x"), (3, "b"), (4, "d")].map(|(id, code)| vec![int(id), text(code), text("new")]).to_vec();
    let write = |on_conflict| WriteChunk { on_conflict, ..write("t", &["id", "code", "note"], &["id"], rows.clone()) };
    let of = |server: &mut Server| ok(server, 0, "select id, note from t order by id");
    let rows_of = |pairs: &[(i64, &str)]| pairs.iter().map(|(id, note)| vec![int(*id), text(note)]).collect::<Vec<_>>();

    let mut server = made();
    assert_eq!(server.write("app", &write(OnConflict::Keep), at(1)), Ok(1));
    assert_eq!(of(&mut server), rows_of(&[(1, "old"), (2, "old"), (4, "new")]));

    let mut server = made();
    let refused = server.write("app", &write(OnConflict::Stop), at(1));
    assert!(matches!(&refused, Err(DatabaseError::Constraint(why)) if why.contains("id = 1")), "{refused:?}");
    assert_eq!(of(&mut server), rows_of(&[(1, "old"), (2, "old")]));

    let mut server = made();
    let before = server.log.position();
    assert_eq!(server.write("app", &write(OnConflict::Replace), at(1)), Ok(3));
    assert_eq!(of(&mut server), rows_of(&[(1, "new"), (3, "new"), (4, "new")]));
    let changes = server.log.after(before).expect("a log");
    let deleted = changes.iter().filter(|entry| matches!(&entry.entry, Entry::Row { old: Some(_), new: None, .. }));
    assert_eq!(deleted.count(), 2, "{changes:?}");
}

#[test]
fn a_session_with_a_snapshot_reads_as_of_its_instant() {
    let mut server = mysql();
    ok(&mut server, 0, "create table t (id integer primary key)");
    ok(&mut server, 0, "insert into t values (1)");
    let position = server.log.position();
    let (frozen, facts) = server.snapshot(at(5)).expect("a snapshot");
    ok(&mut server, 5, "insert into t values (2)");
    ok(&mut server, 6, "create table later (id integer primary key)");
    assert_eq!((facts.position, facts.at), (position, at(5)));
    assert!(server.log.after(position).expect("a log").iter().all(|entry| entry.time > at(5)));
    let chunk = frozen.read("app", &read("t", &["id"], None, 10), at(9)).expect("rows");
    assert_eq!(chunk.rows, vec![vec![int(1)]]);
    assert!(frozen.describe("app", "app").expect("objects").iter().all(|object| object.name != "later"));
}
