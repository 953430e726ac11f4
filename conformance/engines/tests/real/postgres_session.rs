//! What a session with a real PostgreSQL server does.

use crate::postgres::{PASSWORD, Server, as_account, login, server};
use crate::{Test, wait};
use engines::postgres::Postgres;
use recovery::model::content::{ObjectKind, Row, Value};
use recovery::model::instance::Rights;
use recovery::ports::database::{DatabaseError, EventTrigger, OnConflict, ReadChunk, WriteChunk};
use recovery::ports::{Database, Session};

/// The tests.
pub const TESTS: &[Test] = &[
    ("why_a_login_fails_is_told_apart", || wait(why_a_login_fails_is_told_apart())),
    ("a_later_lease_ends_the_sessions_of_earlier_ones", || wait(a_later_lease_ends_the_sessions_of_earlier_ones())),
    ("a_revision_changes_with_definitions_and_truncation_alone", || {
        wait(a_revision_changes_with_definitions_and_truncation_alone())
    }),
    ("every_row_is_read_once_with_a_key_and_without", || wait(every_row_is_read_once_with_a_key_and_without())),
    ("a_row_whose_key_is_there_stays_stops_or_is_replaced", || {
        wait(a_row_whose_key_is_there_stays_stops_or_is_replaced())
    }),
    ("sixteen_megabytes_in_a_value_come_along_one_row_a_chunk", || {
        wait(sixteen_megabytes_in_a_value_come_along_one_row_a_chunk())
    }),
    ("a_script_is_one_transaction_and_tells_its_last_answer", || {
        wait(a_script_is_one_transaction_and_tells_its_last_answer())
    }),
    ("a_snapshot_reads_as_of_one_instant", || wait(a_snapshot_reads_as_of_one_instant())),
    ("rights_are_those_the_server_grants", || wait(rights_are_those_the_server_grants())),
    ("what_advice_asks_of_a_server_is_told", || wait(what_advice_asks_of_a_server_is_told())),
];

async fn refusal(server: &Server, account: &str, password: &str, ssl: bool) -> DatabaseError {
    let mut login = as_account(account, password);
    login.ssl = ssl;
    Postgres::default().connect(&server.endpoint, &login).await.err().expect("a refusal")
}

async fn sql(session: &mut dyn Session, database: &str, sql: &str) -> Vec<Row> {
    session.run(database, sql).await.unwrap_or_else(|error| panic!("{sql}: {error}")).rows
}

async fn database(session: &mut dyn Session, name: &str) {
    sql(session, "postgres", &format!("drop database if exists \"{name}\"")).await;
    session.create_database(name, "UTF8").await.expect("a database");
}

async fn why_a_login_fails_is_told_apart() {
    let server = server().await;
    let mut admin = login(&server, "postgres").await;
    sql(&mut *admin, "postgres", "drop role if exists stranger; create role stranger login password 'x'").await;
    assert_eq!(refusal(&server, "postgres", "wrong", false).await, DatabaseError::AccessDenied("postgres".into()));
    assert_eq!(refusal(&server, "nobody", "wrong", false).await, DatabaseError::AccessDenied("nobody".into()));
    assert!(matches!(refusal(&server, "stranger", "x", false).await, DatabaseError::NotWhitelisted(_)));
    assert_eq!(refusal(&server, "postgres", PASSWORD, true).await, DatabaseError::SslDisabled);
    let missing = admin.run("there is none", "select 1").await;
    assert_eq!(missing.err(), Some(DatabaseError::NoSuchDatabase("there is none".into())));
    let away = Postgres::default().connect("127.0.0.1:1", &as_account("postgres", PASSWORD)).await;
    assert!(matches!(away.err(), Some(DatabaseError::Unreachable(_))));
}

async fn a_later_lease_ends_the_sessions_of_earlier_ones() {
    let server = server().await;
    let mut old = login(&server, "postgres").await;
    database(&mut *old, "leased").await;
    old.claim("task one", 1).await.expect("the first claim");
    sql(&mut *old, "leased", "create table t (id int)").await;
    let mut other = login(&server, "postgres").await;
    other.claim("task two", 1).await.expect("another task");
    let mut new = login(&server, "postgres").await;
    new.claim("task one", 2).await.expect("a later lease");
    assert!(matches!(old.run("leased", "insert into t values (1)").await, Err(DatabaseError::Unreachable(_))));
    assert!(other.run("leased", "insert into t values (2)").await.is_ok());
    let mut late = login(&server, "postgres").await;
    assert_eq!(late.claim("task one", 1).await, Err(DatabaseError::Fenced(2)));
    let mut again = login(&server, "postgres").await;
    assert_eq!(again.claim("task one", 2).await, Ok(()), "the same lease, after its session broke");
    let left = new.describe("leased").await.expect("a description");
    assert_eq!(left.len(), 1, "nothing of it is left in a database of users");
    sql(&mut *new, "postgres", "select 1").await;
    drop((new, late, again, other));
    let mut admin = login(&server, "postgres").await;
    sql(&mut *admin, "postgres", "drop database leased with (force)").await;
}

async fn a_revision_changes_with_definitions_and_truncation_alone() {
    let server = server().await;
    let mut session = login(&server, "postgres").await;
    database(&mut *session, "revised").await;
    let make = "create table t (id int primary key, item text); create table u (id int references t); insert into t values (1)";
    sql(&mut *session, "revised", make).await;
    let mut before = revision(&mut *session).await;
    for same in
        ["insert into t values (2, 'x')", "analyze t", "vacuum t", "grant select on t to public", "create table v ()"]
    {
        sql(&mut *session, "revised", same).await;
        assert_eq!(revision(&mut *session).await, before, "{same}");
    }
    for other in [
        "alter table t add note text",
        "alter table t alter item type varchar(40)",
        "alter table t alter item set default 'y'",
        "alter table t add check (id > 0)",
        "alter table t rename note to remark",
        "alter table t drop remark",
        "truncate t cascade",
        "drop table t cascade; create table t (id int primary key, item varchar(40))",
    ] {
        sql(&mut *session, "revised", other).await;
        let after = revision(&mut *session).await;
        assert_ne!(after, before, "{other}");
        before = after;
    }
    sql(&mut *session, "postgres", "drop database revised with (force)").await;
}

/// The revision of table `t`, which a description and a chunk agree on.
async fn revision(session: &mut dyn Session) -> u64 {
    let described = session.describe("revised").await.expect("a description");
    let table = described.iter().find(|object| object.kind == ObjectKind::Table && object.name == "t").expect("t");
    let read = chunk("revised", "t", &["id"], None, 10);
    let chunk = session.read(&read).await.expect("a chunk");
    assert_eq!(chunk.revision, table.revision);
    table.revision
}

fn chunk(database: &str, table: &str, columns: &[&str], after: Option<String>, limit: usize) -> ReadChunk {
    let columns = columns.iter().map(|name| (*name).to_owned()).collect();
    ReadChunk { database: database.into(), table: table.into(), columns, after, limit }
}

async fn read_all(session: &mut dyn Session, database: &str, table: &str, columns: &[&str], limit: usize) -> Vec<Row> {
    let (mut rows, mut after) = (Vec::new(), None);
    loop {
        let read = chunk(database, table, columns, after.clone(), limit);
        let next = session.read(&read).await.unwrap_or_else(|error| panic!("{table}: {error}"));
        assert!(next.rows.len() <= limit);
        rows.extend(next.rows);
        after = next.last.or(after);
        if next.done {
            return rows;
        }
    }
}

async fn every_row_is_read_once_with_a_key_and_without() {
    let server = server().await;
    let mut session = login(&server, "postgres").await;
    database(&mut *session, "read").await;
    let make = "create type mood as enum ('sad', 'ok', 'it''s'); \
        create table k (a mood, b text collate \"C\", c int, primary key (b, a)); \
        insert into k select (enum_range(null::mood))[1 + n % 3], 'x''\\\"' || n, n from generate_series(1, 1000) n; \
        create table n (c int); insert into n select n % 7 from generate_series(1, 3000) n; \
        create table parent (id int, at int) partition by range (id); \
        create table part partition of parent for values from (0) to (100); insert into parent values (1, 1); \
        create table empty (id int primary key); create table one (u text not null unique, v int unique)";
    sql(&mut *session, "read", make).await;
    let rows = read_all(&mut *session, "read", "k", &["c"], 77).await;
    let mut seen: Vec<String> = rows.iter().map(|row| format!("{:?}", row[0])).collect();
    seen.sort();
    seen.dedup();
    assert_eq!((rows.len(), seen.len()), (1000, 1000));
    let sum = |rows: &[Row]| rows.iter().map(|row| if let Value::Integer(n) = row[0] { n } else { 0 }).sum::<i64>();
    let rows = read_all(&mut *session, "read", "n", &["c"], 500).await;
    assert_eq!((rows.len(), sum(&rows)), (3000, (1..=3000).map(|n| n % 7).sum()));
    assert!(read_all(&mut *session, "read", "parent", &["id"], 5).await.is_empty(), "its rows are its partitions'");
    assert_eq!(read_all(&mut *session, "read", "part", &["id"], 5).await.len(), 1);
    assert!(read_all(&mut *session, "read", "empty", &["id"], 5).await.is_empty());
    let described = session.describe("read").await.expect("a description");
    let key = |name: &str| described.iter().find(|object| object.name == name).map(|object| object.key.clone());
    assert_eq!(key("k"), Some(vec!["b".to_owned(), "a".to_owned()]));
    assert_eq!(key("n"), Some(vec![]));
    assert_eq!(key("one"), Some(vec!["u".to_owned()]));
    let missing = session.read(&chunk("read", "gone", &[], None, 1)).await;
    assert!(matches!(missing, Err(DatabaseError::NoSuchObject(_))));
    sql(&mut *session, "postgres", "drop database read with (force)").await;
}

async fn a_row_whose_key_is_there_stays_stops_or_is_replaced() {
    let server = server().await;
    let mut session = login(&server, "postgres").await;
    database(&mut *session, "written").await;
    let make = "create table t (id int primary key, code text unique, twice int generated always as (id * 2) stored, \
        own bigint generated always as identity, parent int references t); \
        create function fire() returns trigger language plpgsql as $$ begin raise 'a trigger fired'; end $$; \
        insert into t (id, code) values (1, 'a'), (2, 'b'); \
        create trigger fires before insert or delete on t execute function fire()";
    sql(&mut *session, "written", make).await;
    let columns = ["id", "code", "twice", "own", "parent"].map(str::to_owned).to_vec();
    let row = |id: i64, code: &str| -> Row {
        vec![Value::Integer(id), Value::Text(code.into()), Value::Null, Value::Integer(id + 50), Value::Integer(99)]
    };
    let mut write = WriteChunk {
        database: "written".into(),
        table: "t".into(),
        columns,
        key: vec!["id".into()],
        rows: vec![row(2, "new"), row(3, "c")],
        on_conflict: OnConflict::Stop,
    };
    assert!(matches!(session.write(&write).await, Err(DatabaseError::Constraint(_))));
    write.on_conflict = OnConflict::Keep;
    assert_eq!(session.write(&write).await, Ok(1));
    assert_eq!(session.write(&write).await, Ok(0));
    write.on_conflict = OnConflict::Replace;
    write.rows = vec![row(1, "c")];
    assert_eq!(session.write(&write).await, Ok(1), "it has the key of one row and the code of another");
    let rows = sql(&mut *session, "written", "select id, code, twice, own, parent from t order by id").await;
    let shown: Vec<String> = rows.iter().map(|row| serde_json::to_string(row).unwrap_or_default()).collect();
    assert_eq!(shown, [r#"[1,"c",2,51,99]"#, r#"[2,"b",4,2,null]"#]);
    sql(&mut *session, "postgres", "drop database written with (force)").await;
}

async fn sixteen_megabytes_in_a_value_come_along_one_row_a_chunk() {
    let server = server().await;
    let mut session = login(&server, "postgres").await;
    database(&mut *session, "large").await;
    let make = "create table t (id int primary key, b bytea, x text); insert into t select n, \
        decode(repeat('00ff5c0a', 4 << 20), 'hex'), repeat(E'ä\\\\\\n', 4 << 20) from generate_series(1, 3) n; \
        create table copy (like t including all)";
    sql(&mut *session, "large", make).await;
    let mut after = None;
    for chunks in 1.. {
        let read = chunk("large", "t", &["id", "b", "x"], after, 200);
        let next = session.read(&read).await.expect("a chunk");
        assert!(next.rows.len() <= 2, "a chunk holds {} rows", next.rows.len());
        let write = WriteChunk {
            database: "large".into(),
            table: "copy".into(),
            columns: read.columns,
            key: vec!["id".into()],
            rows: next.rows,
            on_conflict: OnConflict::Keep,
        };
        session.write(&write).await.expect("written");
        after = next.last;
        if next.done {
            assert!(chunks >= 3);
            break;
        }
    }
    let same = "select count(*) from t join copy using (id) where t.b = copy.b and t.x = copy.x";
    assert_eq!(sql(&mut *session, "large", same).await, [vec![Value::Integer(3)]]);
    sql(&mut *session, "postgres", "drop database large with (force)").await;
}

async fn a_script_is_one_transaction_and_tells_its_last_answer() {
    let server = server().await;
    let mut session = login(&server, "postgres").await;
    database(&mut *session, "script").await;
    let failed = session.run("script", "create table t (id int); select 1 / 0").await;
    assert!(matches!(failed, Err(DatabaseError::Statement(_))));
    assert!(matches!(session.run("script", "select * from t").await, Err(DatabaseError::NoSuchObject(_))));
    let done = session
        .run("script", "create table t (id int, n numeric); insert into t values (1, 2.50), (2, null) returning id")
        .await;
    let done = done.expect("an outcome");
    assert_eq!((done.affected, done.rows), (2, vec![vec![Value::Integer(1)], vec![Value::Integer(2)]]));
    let rows = sql(&mut *session, "script", "select count(*), sum(id), max(n), 0.5::float8, true, null from t").await;
    let text = |text: &str| Value::Text(text.into());
    let all = vec![Value::Integer(2), Value::Integer(3), text("2.50"), Value::Real(0.5), text("t"), Value::Null];
    assert_eq!(rows, [all]);
    sql(&mut *session, "postgres", "drop database script with (force)").await;
}

async fn a_snapshot_reads_as_of_one_instant() {
    let server = server().await;
    let mut session = login(&server, "postgres").await;
    database(&mut *session, "still").await;
    sql(&mut *session, "still", "create table t (id int primary key); insert into t values (1)").await;
    let mut reader = login(&server, "postgres").await;
    reader.snapshot().await.expect("a snapshot");
    sql(&mut *session, "still", "insert into t values (2); create table later (id int)").await;
    assert!(reader.read(&chunk("still", "later", &["id"], None, 9)).await.is_err());
    assert_eq!(read_all(&mut *reader, "still", "t", &["id"], 9).await.len(), 1);
    let described = reader.describe("still").await.expect("a description");
    assert_eq!(described.iter().map(|object| object.name.as_str()).collect::<Vec<_>>(), ["t"]);
    drop(reader);
    sql(&mut *session, "postgres", "drop database still with (force)").await;
}

async fn rights_are_those_the_server_grants() {
    let server = server().await;
    let mut admin = login(&server, "postgres").await;
    assert_eq!(admin.facts().await.expect("facts").grants.default, Rights::Owner);
    sql(&mut *admin, "postgres", "drop role if exists reader").await;
    database(&mut *admin, "granted").await;
    let make = format!(
        "create table a (id int); create table b (id int); create role reader login password {}; \
         grant select on a to reader; grant select, insert, update, delete on b to reader",
        engines::postgres::literal(PASSWORD)
    );
    sql(&mut *admin, "granted", &make).await;
    let mut reader = login(&server, "reader").await;
    let grants = reader.facts().await.expect("facts").grants;
    assert_eq!((grants.on("granted", "a"), grants.on("granted", "b")), (Rights::ReadOnly, Rights::ReadWrite));
    assert_eq!(grants.on("another", "c"), Rights::None);
    let refused = reader.run("granted", "delete from a").await;
    assert!(matches!(refused, Err(DatabaseError::NotPermitted { .. })), "{refused:?}");
    drop(reader);
    sql(&mut *admin, "postgres", "drop database granted with (force)").await;
    sql(&mut *admin, "postgres", "drop role reader").await;
}

async fn what_advice_asks_of_a_server_is_told() {
    let server = server().await;
    let mut session = login(&server, "postgres").await;
    database(&mut *session, "advised").await;
    sql(&mut *session, "advised", "create extension citext; create table words (id int primary key, word citext)")
        .await;
    sql(
        &mut *session,
        "advised",
        "create table plain (id int primary key); create view seen as select word from words",
    )
    .await;
    let function = "create function guard() returns event_trigger language plpgsql as $$ begin null; end $$";
    sql(&mut *session, "advised", function).await;
    let triggers = "create event trigger watch on ddl_command_end when tag in ('CREATE TABLE') execute procedure guard(); \
                    create event trigger off on ddl_command_start execute procedure guard(); \
                    alter event trigger off disable";
    sql(&mut *session, "advised", triggers).await;
    let mut other = login(&server, "postgres").await;
    sql(&mut *other, "advised", "begin; insert into plain values (1)").await;
    let told = session.circumstances().await.expect("told");
    let extensions = &told.extensions["advised"];
    assert!(extensions.installed.contains("citext"), "{extensions:?}");
    let citext = ["citext".to_owned()].into();
    assert_eq!((extensions.used.get("words"), extensions.used.get("seen")), (Some(&citext), Some(&citext)));
    assert!(!extensions.used.contains_key("plain"), "{extensions:?}");
    assert!(told.offered_extensions.is_some_and(|offered| offered.contains("citext")));
    let own = |trigger: &&EventTrigger| trigger.database == "advised";
    let watch = EventTrigger {
        database: "advised".into(),
        name: "watch".into(),
        event: "ddl_command_end".into(),
        tags: vec!["CREATE TABLE".into()],
        function: "guard".into(),
    };
    assert_eq!(told.event_triggers.iter().filter(own).collect::<Vec<_>>(), [&watch]);
    let open = told.transactions.iter().find(|open| open.database.as_deref() == Some("advised")).expect("it is open");
    assert!(!open.prepared && open.account.as_deref() == Some("postgres") && open.since.is_some(), "{open:?}");
    sql(&mut *other, "advised", "rollback").await;
    let told = session.circumstances().await.expect("told");
    assert!(!told.transactions.iter().any(|open| open.database.as_deref() == Some("advised")), "{told:?}");
}
