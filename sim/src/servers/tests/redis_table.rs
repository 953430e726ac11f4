//! A key space as the recovery system handles it: one table of keys.

use super::super::redis::Redis;
use super::redis_commands::{ok, redis};
use super::{at, int, text};
use recovery::model::content::{ChangeKind, ObjectKind, Row, Value};
use recovery::model::photograph::Rows;
use recovery::ports::database::{Apply, DatabaseError, OnConflict, ReadChunk, WriteChunk};
use std::collections::BTreeMap;

fn sample() -> Redis {
    let mut server = redis("redis 7.0");
    ok(&mut server, 0, "set s 'a \"b\"' px 5000\nhset h y 2 x 1\nrpush l 2 1\nsadd e b a\nzadd z 1.5 m 1 n");
    server
}

fn columns() -> Vec<String> {
    ["key", "type", "value", "expires_at"].map(str::to_owned).to_vec()
}

fn read(server: &Redis, after: Option<&str>, limit: usize) -> (Vec<Row>, Option<String>, bool) {
    let read = ReadChunk {
        database: "0".into(),
        table: "keys".into(),
        columns: columns(),
        after: after.map(str::to_owned),
        limit,
    };
    let chunk = server.read("app", &read, &server.view()).expect("a chunk");
    (chunk.rows, chunk.last, chunk.done)
}

fn write(rows: Vec<Row>, on_conflict: OnConflict) -> WriteChunk {
    let (database, table, key) = ("0".into(), "keys".into(), vec!["key".into()]);
    WriteChunk { database, table, columns: columns(), key, rows, on_conflict }
}

#[test]
fn every_type_is_a_row_with_canonical_json() {
    let (rows, last, done) = read(&sample(), None, 9);
    let expires_at = int(at(5000).as_millisecond());
    let wanted = [
        ("e", "set", r#"["a","b"]"#, Value::Null),
        ("h", "hash", r#"{"x":"1","y":"2"}"#, Value::Null),
        ("l", "list", r#"["2","1"]"#, Value::Null),
        ("s", "string", r#""a \"b\"""#, expires_at),
        ("z", "zset", r#"{"m":"1.5","n":"1"}"#, Value::Null),
    ];
    let wanted: Vec<Row> = wanted.map(|(k, t, v, at)| vec![text(k), text(t), text(v), at]).to_vec();
    assert_eq!((rows, last.as_deref(), done), (wanted, Some("z"), true));
}

#[test]
fn keys_are_read_in_chunks_in_their_order() {
    let server = sample();
    let (first, mark, done) = read(&server, None, 2);
    assert_eq!((first.len(), mark.as_deref(), done), (2, Some("h"), false));
    let (rest, mark, done) = read(&server, mark.as_deref(), 3);
    assert_eq!((rest.len(), mark.as_deref(), done), (3, Some("z"), true));
    assert_eq!(read(&server, Some("z"), 3), (Vec::new(), None, true));
}

#[test]
fn what_is_read_here_and_written_there_is_the_same() {
    let source = sample();
    let (rows, ..) = read(&source, None, 99);
    let mut target = redis("redis 6.0");
    target.settle(at(10));
    assert_eq!(target.write("app", &write(rows.clone(), OnConflict::Keep)), Ok(5));
    assert_eq!(read(&target, None, 99).0, rows);
    assert_eq!(ok(&mut target, 10, "lrange l 0 0"), [[text("2")]]);
    assert_eq!(ok(&mut target, 10, "zscore z m"), [[text("1.5")]]);
    assert_eq!(ok(&mut target, 5000, "exists s"), [[int(0)]], "it goes there at the time it would have gone here");
}

#[test]
fn a_key_that_is_there_stays_is_replaced_or_stops_the_write() {
    let mut server = redis("redis 5.0");
    ok(&mut server, 0, "set a old");
    let row = |key: &str, value: &str| vec![text(key), text("string"), text(value), Value::Null];
    let rows = vec![row("0", r#""x""#), row("a", r#""new""#)];
    let stopped = server.write("app", &write(rows.clone(), OnConflict::Stop));
    assert!(matches!(stopped, Err(DatabaseError::Constraint(_))));
    assert_eq!(ok(&mut server, 0, "dbsize"), [[int(1)]], "nothing of it was written");
    assert_eq!(server.write("app", &write(rows.clone(), OnConflict::Keep)), Ok(1));
    assert_eq!(ok(&mut server, 0, "get a"), [[text("old")]]);
    assert_eq!(server.write("app", &write(rows, OnConflict::Replace)), Ok(2));
    assert_eq!(ok(&mut server, 0, "get a"), [[text("new")]]);
    let over = vec![vec![text("b"), text("string"), text(r#""x""#), int(at(-1).as_millisecond())]];
    assert_eq!(server.write("app", &write(over, OnConflict::Keep)), Ok(1));
    assert_eq!(ok(&mut server, 0, "exists b"), [[int(0)]], "what is over is not there");
    for bad in [row("c", "no json"), vec![text("c"), text("frob"), text("1"), Value::Null], vec![text("c")]] {
        assert!(matches!(server.write("app", &write(vec![bad], OnConflict::Keep)), Err(DatabaseError::Statement(_))));
    }
}

#[test]
fn the_stream_carries_every_change_to_a_follower() {
    let mut source = sample();
    ok(&mut source, 10, "del l\nhset h x 9\nrename z y\nappend s !\nset k v px 1");
    source.settle(at(20));
    let mut target = redis("redis 7.0");
    target.settle(at(20));
    let changes = source.changes("app", 0, 99).expect("changes");
    assert!(changes.windows(2).all(|pair| pair[0].position < pair[1].position && pair[0].at <= pair[1].at));
    let applied: Vec<Apply> = changes
        .into_iter()
        .map(|change| {
            let ChangeKind::Row { table, old, new } = change.kind else { panic!("a row") };
            let (database, key) = (change.database, vec!["key".to_owned()]);
            match new {
                Some(new) => Apply::Upsert { database, table, key, old, new },
                None => Apply::Delete { database, table, key, old: old.unwrap_or_default() },
            }
        })
        .collect();
    target.apply("app", &applied).expect("applied");
    assert_eq!(read(&target, None, 99), read(&source, None, 99));
    target.apply("app", &applied).expect("applied again");
    assert_eq!(read(&target, None, 99), read(&source, None, 99), "applied twice it is the same");
    let moved = BTreeMap::from([("key".to_owned(), text("e"))]);
    let new = [("key", text("e2")), ("type", text("set")), ("value", text(r#"["q"]"#))];
    let new = new.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let (database, table, key) = ("0".to_owned(), "keys".to_owned(), vec!["key".to_owned()]);
    target.apply("app", &[Apply::Upsert { database, table, key, old: Some(moved), new }]).expect("applied");
    assert_eq!(ok(&mut target, 20, "exists e"), [[int(0)]]);
    assert_eq!(ok(&mut target, 20, "smembers e2"), [[text("q")]]);
}

#[test]
fn a_database_describes_and_photographs_its_keys_as_one_table() {
    let mut server = sample();
    ok(&mut server, 0, "select 5\nset x 1");
    let view = server.view();
    let names: Vec<_> =
        server.visible_databases("app", &view).expect("databases").into_iter().map(|d| d.name).collect();
    assert_eq!(names, ["0", "5"]);
    let described = server.describe("app", "0", &view).expect("objects");
    let [keys] = described.as_slice() else { panic!("{described:?}") };
    assert_eq!((keys.kind, keys.name.as_str(), keys.rows), (ObjectKind::Table, "keys", 5));
    assert_eq!(keys.key, ["key"]);
    assert!(server.create("app", "0", keys).is_ok());
    assert!(matches!(server.describe("app", "16", &view), Err(DatabaseError::NoSuchDatabase(_))));
    let photograph = server.photograph();
    let table = photograph.databases["5"].table("keys").expect("the table");
    let Some(Rows::Whole { rows, .. }) = &table.rows else { panic!("rows") };
    assert_eq!(rows, &[vec![text("x"), text("string"), text("\"1\""), Value::Null]]);
    server.settle(at(5000));
    let photograph = server.photograph();
    assert_eq!(photograph.databases["0"].table("keys").and_then(|table| table.rows.as_ref()).map(Rows::count), Some(4));
}
