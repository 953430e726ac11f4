//! Prepared transactions: nobody sees them, nobody changes what they lock, and they end once.

use super::{at, mysql, numbers, ok, run, server_of};
use crate::servers::server::Server;
use recovery::ports::database::DatabaseError;

const TABLES: &str = "create table goods (id int primary key);
    create table orders (id int primary key, item int, constraint bought foreign key (item) references goods (id));
    create table notes (id int primary key); insert into goods values (1)";

fn postgresql() -> Server {
    let mut server = server_of("postgresql 10");
    server.configuration.parameters.insert("max_prepared_transactions".into(), "2".into());
    ok(&mut server, 0, TABLES);
    server
}

fn locked(server: &mut Server, sql: &str) -> bool {
    matches!(run(server, 1, sql), Err(DatabaseError::Statement(why)) if why.starts_with("lock wait timeout"))
}

#[test]
fn what_is_prepared_shows_once_it_is_committed_and_never_once_it_is_rolled_back() {
    let mut server = postgresql();
    let position = server.log.position();
    ok(&mut server, 1, "begin; insert into orders values (7, 1); prepare transaction 'one'");
    ok(&mut server, 1, "insert into notes values (1)");
    assert_eq!(numbers(&mut server, "select count(*) from orders"), [0]);
    assert_eq!(server.log.position(), position + 1);
    ok(&mut server, 2, "commit prepared 'one'");
    assert_eq!(numbers(&mut server, "select id from orders"), [7]);
    assert_eq!(server.log.position(), position + 2);
    ok(&mut server, 3, "begin; delete from orders; prepare transaction 'two'");
    ok(&mut server, 4, "rollback prepared 'two'");
    assert_eq!(numbers(&mut server, "select id from orders"), [7]);
    assert_eq!(run(&mut server, 5, "commit prepared 'two'"), Err(DatabaseError::NoSuchObject("two".into())));
}

#[test]
fn what_a_prepared_transaction_locks_nobody_changes_until_it_ends() {
    let mut server = postgresql();
    ok(&mut server, 1, "begin; insert into orders values (7, 1); prepare transaction 'one'");
    for sql in [
        "insert into orders values (8, 1)",
        "delete from goods",
        "drop table orders",
        "alter table goods add column name text",
        "create index by_item on orders (item)",
    ] {
        assert!(locked(&mut server, sql), "{sql}");
    }
    ok(&mut server, 1, "create view seen as select id from orders");
    ok(&mut server, 2, "commit prepared 'one'");
    ok(&mut server, 3, "insert into orders values (8, 1); alter table goods add column name text");
    assert_eq!(numbers(&mut server, "select count(*) from orders"), [2]);
}

#[test]
fn the_server_tells_which_transactions_are_prepared() {
    let mut server = postgresql();
    ok(&mut server, 1_000, "begin; insert into notes values (1); prepare transaction 'it''s'");
    let told = server.told().expect("told").transactions;
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].id.as_str(), told[0].since, told[0].prepared), ("'it''s'", Some(at(1_000)), true));
    assert_eq!((told[0].account.as_deref(), told[0].database.as_deref()), (Some("app"), Some("app")));
    let mut mysql = mysql();
    ok(&mut mysql, 0, TABLES);
    ok(&mut mysql, 1, "xa start 'x'; insert into notes values (1); xa end 'x'; xa prepare 'x'");
    let told = mysql.told().expect("told").transactions;
    assert!(told.len() == 1 && told[0].id == "'x'" && told[0].since.is_none(), "{told:?}");
    ok(&mut mysql, 2, "xa commit 'x'");
    assert_eq!(numbers(&mut mysql, "select count(*) from notes"), [1]);
    assert_eq!(mysql.told().expect("told").transactions, []);
}

#[test]
fn a_server_that_prepares_nothing_says_so() {
    let mut server = server_of("postgresql 10");
    ok(&mut server, 0, TABLES);
    let why = run(&mut server, 1, "begin; insert into notes values (1); prepare transaction 'one'");
    assert!(matches!(why, Err(DatabaseError::Statement(why)) if why.contains("max_prepared_transactions")));
    let mut old = server_of("mysql 5.6");
    ok(&mut old, 0, TABLES);
    assert!(run(&mut old, 1, "xa start 'x'; insert into notes values (1); xa end 'x'; xa prepare 'x'").is_err());
    for server in [&mut server, &mut old] {
        assert_eq!(numbers(server, "select count(*) from notes"), [0]);
    }
    let mut server = postgresql();
    for sql in [
        "begin; create table t (id int); prepare transaction 'one'",
        "begin; insert into orders values (1, 9); prepare transaction 'one'",
        "begin; prepare transaction 'one'; insert into notes values (1)",
    ] {
        assert!(run(&mut server, 1, sql).is_err(), "{sql}");
    }
    assert_eq!(server.told().expect("told").transactions, []);
}
