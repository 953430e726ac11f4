//! Statements: what is captured, what rolls back, what SQL sees of time and chance.

use super::super::log::Entry;
use super::super::server::Server;
use super::{at, int, mysql, numbers, ok, run, server_of, text};
use recovery::ports::database::DatabaseError;

fn images(server: &Server) -> Vec<String> {
    let entries = server.log.after(0).expect("the whole log").iter();
    let rows = entries.filter_map(|entry| match &entry.entry {
        Entry::Row { table, old, new, .. } => Some(format!("{table} {old:?} {new:?}")),
        _ => None,
    });
    rows.collect()
}

#[test]
fn every_changed_row_is_in_the_log_with_what_user_triggers_wrote() {
    let mut server = mysql();
    ok(
        &mut server,
        0,
        "create table t (id int primary key, x text); create table audit (what text);
        create trigger noted after insert on t begin insert into audit values (new.x); end;",
    );
    ok(
        &mut server,
        1,
        "insert into t values (1, 'a'), (2, 'it''s'); update t set x = 'c' where id = 1; delete from t where id = 2",
    );
    assert_eq!(
        images(&server),
        [
            "t None Some([Integer(1), Text(\"a\")])",
            "audit None Some([Text(\"a\")])",
            "t None Some([Integer(2), Text(\"it's\")])",
            "audit None Some([Text(\"it's\")])",
            "t Some([Integer(1), Text(\"a\")]) Some([Integer(1), Text(\"c\")])",
            "t Some([Integer(2), Text(\"it's\")]) None",
        ]
    );
}

#[test]
fn a_replaced_row_is_in_the_log_as_deleted() {
    let mut server = mysql();
    ok(&mut server, 0, "create table t (id int primary key, x text unique); insert into t values (1, 'a')");
    ok(&mut server, 1, "replace into t values (2, 'a')");
    let found = images(&server);
    assert_eq!(found[1..], ["t Some([Integer(1), Text(\"a\")]) None", "t None Some([Integer(2), Text(\"a\")])"]);
}

#[test]
fn a_failed_run_leaves_nothing_neither_rows_nor_definitions_nor_log() {
    let mut server = mysql();
    ok(&mut server, 0, "create table t (id int primary key)");
    let position = server.log.position();
    let failed = run(
        &mut server,
        1,
        "insert into t values (1); create table u (id int); create procedure p() begin select 1; select 2; end;
         create database other; insert into t values (1)",
    );
    assert!(matches!(failed, Err(DatabaseError::Constraint(_))), "{failed:?}");
    assert_eq!(server.log.position(), position);
    assert_eq!(numbers(&mut server, "select count(*) from t"), [0]);
    assert_eq!(server.describe("app", "app").expect("objects").len(), 1);
    assert!(!server.databases.contains_key("other"));
    ok(&mut server, 2, "create table u (id int); insert into u values (3)");
    assert_eq!(images(&server), ["u None Some([Integer(3)])"]);
}

#[test]
fn sql_sees_the_servers_clock_and_nothing_else() {
    let mut server = mysql();
    ok(&mut server, 0, "create table t (id integer primary key, made text default current_timestamp)");
    ok(&mut server, 90_000, "insert into t (id) values (1)");
    let rows = ok(
        &mut server,
        90_500,
        "select made, datetime('now'), datetime('now', '+1 day', 'localtime'), date(), now(),
        strftime('%H:%M'), datetime('2020-02-29'), unixepoch('now') from t",
    );
    let now = "2026-01-05 08:01:30";
    let expected = [
        text(now),
        text(now),
        text("2026-01-06 08:01:30"),
        text("2026-01-05"),
        text(now),
        text("08:01"),
        text("2020-02-29 00:00:00"),
        int(at(90_500).as_second()),
    ];
    assert_eq!(rows, [expected]);
}

#[test]
fn the_same_statements_give_the_same_log_and_backup() {
    let play = || {
        let mut server = mysql();
        ok(
            &mut server,
            0,
            "create table t (id integer primary key auto_increment, x int, y blob, z text default (datetime()))",
        );
        ok(&mut server, 1, "insert into t (x, y) values (random(), randomblob(9)), (random(), randomblob(9))");
        ok(&mut server, 5, "update t set x = x / 2; delete from t where id = 1");
        let log = serde_json::to_string(server.log.after(0).expect("the log")).expect("text");
        (log, server.data_backup(at(9)).expect("a backup"))
    };
    assert_eq!(play(), play());
}

#[test]
fn what_other_engines_write_in_tables_is_understood() {
    let mut server = mysql();
    ok(
        &mut server,
        0,
        "create table if not exists `order` (id int unsigned not null auto_increment, n varchar(9) character set utf8 \
        collate utf8_bin not null comment 'name', primary key (id), unique key by_n (n)) engine=innodb default charset=utf8",
    );
    ok(&mut server, 0, "insert into `order` (n) values ('a'), ('b'); insert ignore into `order` (n) values ('a')");
    assert_eq!(numbers(&mut server, "select id from `order` order by id"), [1, 2]);
    let mut server = server_of("sqlserver 2012 web");
    ok(
        &mut server,
        0,
        "create table dbo.t (id int identity(1,1) primary key, n nvarchar(9)); insert into dbo.t (n) values ('x')",
    );
    ok(&mut server, 1, "select * into t2 from t where n = 'x'");
    assert_eq!(numbers(&mut server, "select id from t2"), [1]);
    assert_eq!(images(&server).len(), 2, "rows made by a query are in the log");
}

#[test]
fn a_run_cannot_reach_the_storage_behind_the_server() {
    let mut server = mysql();
    ok(&mut server, 0, "create table t (id int primary key)");
    for sql in ["pragma user_version = 3", "attach 'x' as y", "select __capture('t', 2, 1)", "vacuum", "rollback"] {
        assert!(matches!(run(&mut server, 0, sql), Err(DatabaseError::Statement(_))), "{sql}");
    }
    assert_eq!(run(&mut server, 0, "select * from missing"), Err(DatabaseError::NoSuchObject("missing".into())));
    assert_eq!(run(&mut server, 0, "create table t (x int)"), Err(DatabaseError::ObjectExists("t".into())));
    assert!(matches!(server.run("app", "none", "select 1", at(0)), Err(DatabaseError::NoSuchDatabase(_))));
}

#[test]
fn strange_text_is_an_error_and_never_a_panic() {
    let mut server = mysql();
    for sql in [
        "create",
        "create table",
        "create table t",
        "create table t (",
        "create table t ()",
        "alter table",
        "drop",
        "'",
        "[",
        "$$",
        "create view",
        "create trigger t",
        "rename table",
        "set",
        "(((",
        "create index",
        "create unique",
        "alter",
        "create table t (a int references)",
        "alter table t add foreign key",
        "create table t (a int,)",
        "/*",
        "--",
        ";;;",
        "é$é",
    ] {
        let _ = run(&mut server, 0, sql);
    }
    ok(&mut server, 0, "create table t (a int)");
}
