//! Definitions: revisions, descriptions, definers, databases.

use super::super::server::Server;
use super::{at, mysql, numbers, ok, run, server_of};
use recovery::model::content::{Object, ObjectKind, Security};
use recovery::ports::database::{DatabaseError, ReadChunk};

fn object(server: &Server, kind: ObjectKind, name: &str) -> Object {
    let objects = server.describe("app", "app").expect("objects");
    objects.into_iter().find(|object| object.kind == kind && object.name == name).expect("the object")
}

fn revision(server: &Server) -> u64 {
    object(server, ObjectKind::Table, "t").revision
}

#[test]
fn every_definition_change_gives_a_table_another_revision_and_rows_do_not() {
    let mut server = mysql();
    ok(&mut server, 0, "create table t (id int primary key, x int)");
    let mut seen = vec![revision(&server)];
    for sql in [
        "alter table t add column y int",
        "create index by_x on t (x)",
        "drop index by_x on t",
        "truncate table t",
        "drop table t; create table t (id int primary key, x int)",
        "rename table t to u; alter table u rename to t",
    ] {
        ok(&mut server, 1, sql);
        let now = revision(&server);
        assert!(!seen.contains(&now), "{sql}");
        seen.push(now);
    }
    ok(&mut server, 2, "insert into t values (1, 1)");
    assert_eq!(revision(&server), *seen.last().expect("revisions"));
    let read =
        ReadChunk { database: "app".into(), table: "t".into(), columns: vec!["id".into()], after: None, limit: 9 };
    assert_eq!(server.read("app", &read, at(2)).expect("rows").revision, revision(&server));
}

#[test]
fn changes_are_captured_with_the_columns_of_the_altered_table() {
    let mut server = mysql();
    ok(&mut server, 0, "create table t (id int primary key); insert into t values (1)");
    ok(
        &mut server,
        1,
        "alter table t add column x text default 'd'; insert into t values (2, 'b'); rename table t to u;
        update u set x = 'e' where id = 1; truncate table u; drop table u",
    );
    let changes = server.changes("app", 0, 99).expect("changes");
    let text = serde_json::to_string(&changes).expect("text");
    assert_eq!(changes.len(), 8);
    assert!(text.contains(r#""table":"u","old":{"id":1,"x":"d"},"new":{"id":1,"x":"e"}"#), "{text}");
}

#[test]
fn a_description_has_columns_keys_needs_definers_and_rows() {
    let mut server = mysql();
    ok(
        &mut server,
        0,
        "create table parent (id int primary key);
        create table t (a int not null, b text, c varchar(9) not null unique, pid int references parent(id));
        insert into t values (1, null, 'x', null);
        create definer=`app`@`%` sql security invoker view v as select a from t;
        create view w as select * from v;
        create trigger tr before insert on t begin select 1; end;
        create procedure p() begin if 1 then select * from t; end if; end;
        create event e on schedule every 1 day do delete from t",
    );
    let table = object(&server, ObjectKind::Table, "t");
    assert_eq!(table.key, ["c"]);
    assert_eq!(table.rows, 1);
    assert!(!table.definition.contains("references"), "{}", table.definition);
    let nullable: Vec<_> = table.columns.iter().map(|column| (column.name.as_str(), column.nullable)).collect();
    assert_eq!(nullable, [("a", false), ("b", true), ("c", false), ("pid", true)]);
    let view = object(&server, ObjectKind::View, "v");
    assert_eq!(
        (view.needs, view.security, view.definer.as_deref()),
        (vec!["t".into()], Some(Security::Invoker), Some("app"))
    );
    assert!(!view.definition.contains("definer"), "{}", view.definition);
    assert_eq!(object(&server, ObjectKind::View, "w").needs, ["v"]);
    assert_eq!(object(&server, ObjectKind::View, "w").security, Some(Security::Definer));
    assert_eq!(object(&server, ObjectKind::Procedure, "p").needs, ["t"]);
    assert_eq!(object(&server, ObjectKind::Trigger, "tr").table.as_deref(), Some("t"));
    let key = object(&server, ObjectKind::ForeignKey, "fk_t_1");
    assert_eq!((key.table.as_deref(), key.needs), (Some("t"), vec!["parent".to_owned()]));
    assert_eq!(
        object(&server, ObjectKind::Event, "e").definition,
        "create event e on schedule every 1 day do delete from t"
    );
}

#[test]
fn a_foreign_key_to_its_own_table_needs_that_table() {
    let mut server = mysql();
    ok(&mut server, 0, "create table t (id int primary key, boss int references t(id)); insert into t values (1, 1)");
    assert_eq!(object(&server, ObjectKind::ForeignKey, "fk_t_1").needs, ["t"]);
    assert!(run(&mut server, 1, "insert into t values (2, 3)").is_err());
    ok(&mut server, 2, "delete from t; drop table t");
}

#[test]
fn everything_described_can_be_made_again_elsewhere_from_its_description() {
    let mut source = mysql();
    ok(&mut source, 0, "create table parent (id int primary key); create table t (id int primary key, pid int references parent(id));
        create index by_pid on t (pid); create view v as select * from t; create trigger tr after delete on t begin delete from parent; end;
        create procedure p() begin select 1; end; create function f() returns int return 1");
    let mut target = mysql();
    for object in source.describe("app", "app").expect("objects") {
        target.create("app", "app", &object, at(5)).unwrap_or_else(|error| panic!("{}: {error}", object.definition));
    }
    let strip = |server: &Server| -> Vec<_> {
        let objects = server.describe("app", "app").expect("objects").into_iter();
        objects.map(|object| Object { revision: 0, ..object }).collect()
    };
    assert_eq!(strip(&source), strip(&target));
}

#[test]
fn an_engine_makes_only_the_kinds_of_objects_it_has() {
    let mut server = mysql();
    assert!(matches!(run(&mut server, 0, "create synonym s for t"), Err(DatabaseError::Statement(_))));
    let mut server = server_of("sqlserver 2012 web");
    ok(
        &mut server,
        0,
        "create synonym s for t; create sequence q start with 1; create type ty from int; create rule r as @x > 1;
        create default d as 0; create plan guide pg; alter procedure pr as select 1",
    );
    assert_eq!(server.describe("app", "app").expect("objects").len(), 7);
    assert_eq!(object(&server, ObjectKind::Procedure, "pr").definition, "create procedure pr as select 1");
    assert!(matches!(run(&mut server, 0, "create domain x as int"), Err(DatabaseError::Statement(_))));
    ok(&mut server, 0, "drop synonym s; drop plan guide pg");
    assert_eq!(run(&mut server, 0, "drop synonym s"), Err(DatabaseError::NoSuchObject("s".into())));
}

#[test]
fn databases_are_made_dropped_and_keep_their_character_set() {
    let mut server = mysql();
    ok(&mut server, 0, "create database other character set latin1; create database if not exists other");
    server.run("app", "other", "create table t (id int)", at(1)).expect("a table");
    let facts = server.visible_databases("app").expect("databases");
    assert_eq!(
        facts.iter().map(|facts| (facts.name.as_str(), facts.charset.as_str())).collect::<Vec<_>>(),
        [("app", "utf8"), ("other", "latin1")]
    );
    assert!(run(&mut server, 2, "drop database other; select * from nowhere").is_err());
    assert!(server.databases.contains_key("other"), "a failed run drops nothing");
    ok(&mut server, 3, "drop database other");
    assert!(!server.databases.contains_key("other"));
    assert_eq!(numbers(&mut server, "select 1"), [1]);
}
