//! Event triggers and extensions of PostgreSQL, and how large a statement of MySQL may be.

use super::{account, at, mysql, numbers, ok, run, server_of};
use crate::servers::server::Server;
use recovery::model::instance::Rights;
use recovery::ports::cloud::AccountOrder;
use recovery::ports::database::DatabaseError;

const GUARD: &str =
    "create function guard() returns event_trigger language plpgsql as $$ begin raise exception 'closed'; end $$";

fn refused(server: &mut Server, sql: &str, why: &str) -> bool {
    run(server, 1, sql) == Err(DatabaseError::Statement(why.into()))
}

#[test]
fn an_event_trigger_that_raises_lets_no_command_through_that_it_fires_for() {
    let mut server = server_of("postgresql 10");
    ok(&mut server, 0, GUARD);
    ok(
        &mut server,
        0,
        "create event trigger no_tables on ddl_command_start when tag in ('CREATE TABLE') execute procedure guard()",
    );
    assert!(refused(&mut server, "create table t (id int primary key)", "closed"));
    ok(&mut server, 1, "create view one as select 1 as id");
    let told = server.told().expect("told").event_triggers;
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].name.as_str(), told[0].function.as_str()), ("no_tables", "guard"));
    assert_eq!((told[0].event.as_str(), told[0].tags.clone()), ("ddl_command_start", vec!["CREATE TABLE".to_owned()]));
    ok(&mut server, 2, "alter event trigger no_tables disable");
    assert_eq!(server.told().expect("told").event_triggers, []);
    ok(&mut server, 2, "create table t (id int primary key)");
    ok(&mut server, 3, "alter event trigger no_tables enable; drop event trigger no_tables");
    ok(&mut server, 4, "create table u (id int primary key)");
}

#[test]
fn an_event_trigger_without_tags_fires_for_every_command_and_one_that_raises_nothing_for_none() {
    let mut server = server_of("postgresql 10");
    ok(&mut server, 0, &format!("create table t (id int primary key); {GUARD}"));
    ok(&mut server, 0, "create function watch() returns event_trigger language plpgsql as $$ begin null; end $$");
    ok(&mut server, 0, "create event trigger watches on ddl_command_end execute procedure watch()");
    ok(&mut server, 0, "create event trigger closes on ddl_command_end execute procedure guard()");
    for sql in ["create index by_id on t (id)", "drop table t", "alter table t add column name text"] {
        assert!(refused(&mut server, sql, "closed"), "{sql}");
    }
    ok(&mut server, 1, "insert into t values (1); alter event trigger closes disable; drop table t");
}

#[test]
fn a_table_needs_the_extension_of_its_types() {
    let mut server = server_of("postgresql 10");
    let table = "create table words (id int primary key, word citext)";
    assert!(refused(&mut server, table, "type \"citext\" does not exist"));
    assert_eq!(ok(&mut server, 0, "select name from sqlite_schema where name = 'words'"), Vec::<Vec<_>>::new());
    ok(&mut server, 1, &format!("create extension citext; {table}; insert into words values (1, 'lamp')"));
    let told = server.told().expect("told");
    assert_eq!(told.extensions["app"].used["words"], ["citext".to_owned()].into());
    assert!(told.offered_extensions.is_some_and(|offered| offered.contains("hstore")));
    assert!(refused(
        &mut server,
        "drop extension citext",
        "cannot drop extension citext because table words depends on it"
    ));
    ok(&mut server, 2, "drop table words; drop extension citext");
    assert!(refused(&mut server, "create extension nonsense", "extension nonsense is not available"));
    ok(&mut server, 3, "create extension if not exists citext; create extension if not exists citext");
    assert!(matches!(run(&mut server, 4, "create extension citext"), Err(DatabaseError::ObjectExists(_))));
    assert!(run(&mut mysql(), 0, "create extension citext").is_err());
}

#[test]
fn event_triggers_and_extensions_take_a_superuser() {
    let mut server = server_of("postgresql 10");
    ok(&mut server, 0, GUARD);
    server.order_account(&AccountOrder::Create(account("clerk", Rights::ReadWrite)), at(0)).expect("an account");
    for sql in ["create extension citext", "create event trigger t on ddl_command_end execute procedure guard()"] {
        let refused = server.run("clerk", "app", sql, at(1));
        assert!(matches!(refused, Err(DatabaseError::NotPermitted { .. })), "{sql}: {refused:?}");
    }
}

#[test]
fn a_statement_with_more_bytes_than_a_packet_is_refused() {
    let mut server = mysql();
    ok(&mut server, 0, "create table notes (id int primary key, note longtext)");
    let insert = format!("insert into notes values (1, '{}')", "x".repeat(2_000));
    server.configuration.parameters.insert("max_allowed_packet".into(), "1024".into());
    let refused = run(&mut server, 1, &insert);
    assert!(matches!(refused, Err(DatabaseError::Statement(why)) if why.contains("'max_allowed_packet' bytes (1024)")));
    server.configuration.parameters.remove("max_allowed_packet");
    ok(&mut server, 2, &insert);
    assert_eq!(numbers(&mut server, "select octet_length(note) from notes"), [2_000]);
}
