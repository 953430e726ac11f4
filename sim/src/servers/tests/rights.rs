//! Who may do what: logins, whitelist, SSL, rights on tables, views with their definers.

use super::super::server::Server;
use super::{account, at, login, mysql, numbers, ok, server_of};
use recovery::model::Secret;
use recovery::model::instance::{FirstAccount, Grants, Rights};
use recovery::ports::cloud::{AccountOrder, CloudError};
use recovery::ports::database::DatabaseError;
use std::collections::BTreeMap;

fn add(server: &mut Server, name: &str, grants: Grants) {
    let first = FirstAccount { grants, ..account(name, Rights::None) };
    server.order_account(&AccountOrder::Create(first), at(0)).expect("an account");
}

fn refused(server: &mut Server, account: &str, sql: &str) -> bool {
    matches!(server.run(account, "app", sql, at(1)), Err(DatabaseError::NotPermitted { .. }))
}

#[test]
fn a_login_needs_whitelist_password_and_ssl_where_it_asks_for_it() {
    let mut server = mysql();
    assert!(server.log_in(&login("app"), "anywhere", at(1)).is_ok());
    server.configuration.whitelist = ["worker".to_owned()].into();
    assert_eq!(server.log_in(&login("app"), "other", at(1)), Err(DatabaseError::NotWhitelisted("other".into())));
    assert!(server.log_in(&login("app"), "worker", at(1)).is_ok());
    let ssl = recovery::ports::database::Login { ssl: true, ..login("app") };
    assert_eq!(server.log_in(&ssl, "worker", at(1)), Err(DatabaseError::SslDisabled));
    server.configuration.ssl = true;
    assert!(server.log_in(&ssl, "worker", at(1)).is_ok());
    let wrong = recovery::ports::database::Login { password: Secret::new("x"), ..login("app") };
    assert_eq!(server.log_in(&wrong, "worker", at(1)), Err(DatabaseError::AccessDenied("app".into())));
    assert_eq!(server.log_in(&login("nobody"), "worker", at(1)), Err(DatabaseError::AccessDenied("nobody".into())));
}

#[test]
fn a_server_lets_nobody_in_from_the_very_end_of_its_life() {
    let mut server = mysql();
    server.life_s = Some(48 * 3600);
    let end = 48 * 3600 * 1000;
    assert!(server.log_in(&login("app"), "x", at(end - 1)).is_ok());
    assert!(matches!(server.log_in(&login("app"), "x", at(end)), Err(DatabaseError::Unreachable(_))));
}

#[test]
fn statements_need_rights_on_what_they_touch() {
    let mut server = mysql();
    ok(&mut server, 0, "create table t (id int primary key); create table secret (id int); insert into t values (1)");
    add(
        &mut server,
        "reader",
        Grants { default: Rights::ReadOnly, exceptions: BTreeMap::from([("app.secret".into(), Rights::None)]) },
    );
    add(&mut server, "writer", Grants::all(Rights::ReadWrite));
    add(&mut server, "nobody", Grants::all(Rights::None));
    assert!(server.run("reader", "app", "select * from t", at(1)).is_ok());
    for sql in [
        "select * from secret",
        "select count(*) from secret",
        "select 1 from t where id in (select id from secret)",
        "insert into t values (2)",
        "delete from t",
        "truncate table t",
        "drop table t",
        "create table u (id int)",
        "create index i on t (id)",
        "create procedure p() begin end",
        "create database d",
        "alter table t add column x int",
    ] {
        assert!(refused(&mut server, "reader", sql), "{sql}");
    }
    assert!(refused(&mut server, "nobody", "select * from t"));
    assert!(
        server
            .run("writer", "app", "insert into t values (2); create table u (id int); create database d", at(1))
            .is_ok()
    );
    assert_eq!(server.describe("reader", "app").expect("objects").len(), 2, "what may not be read is not seen");
    assert!(server.visible_databases("nobody").expect("databases").is_empty());
}

#[test]
fn a_view_runs_with_the_rights_of_its_definer_or_of_its_caller() {
    let mut server = mysql();
    ok(
        &mut server,
        0,
        "create table t (id int); insert into t values (1); create view by_definer as select * from t;
        create sql security invoker view by_invoker as select * from t",
    );
    let hidden = BTreeMap::from([("app.t".to_owned(), Rights::None)]);
    add(&mut server, "reader", Grants { default: Rights::ReadOnly, exceptions: hidden });
    assert!(server.run("reader", "app", "select * from by_definer", at(1)).is_ok());
    assert!(refused(&mut server, "reader", "select * from by_invoker"));
    add(&mut server, "writer", Grants::all(Rights::ReadWrite));
    assert!(
        refused(&mut server, "writer", "create definer=app view z as select 1"),
        "only an owner names another definer"
    );
    server.order_account(&AccountOrder::Drop { name: "app".into() }, at(2)).expect("dropped");
    assert!(refused(&mut server, "reader", "select * from by_definer"), "a definer that is gone has no rights");
}

#[test]
fn accounts_repeat_without_harm_and_say_what_is_missing() {
    let mut server = server_of("sqlserver 2012 web");
    let create = AccountOrder::Create(account("second", Rights::ReadOnly));
    assert_eq!(server.order_account(&create, at(1)), Ok(()));
    let position = server.log.position();
    assert_eq!(server.order_account(&create, at(2)), Ok(()));
    assert_eq!(server.log.position(), position);
    let other = AccountOrder::Create(account("second", Rights::Owner));
    assert_eq!(server.order_account(&other, at(3)), Err(CloudError::AccountExists("second".into())));
    let missing = AccountOrder::Password { name: "third".into(), password: Secret::new("x") };
    assert_eq!(server.order_account(&missing, at(3)), Err(CloudError::NoSuchAccount("third".into())));
    assert_eq!(server.list_accounts().len(), 2);
    assert_eq!(numbers(&mut server, "select 1"), [1]);
}

#[test]
fn a_mysql_server_that_does_not_trust_makers_of_triggers_and_functions_takes_neither_while_it_writes_a_log() {
    let made = [
        "create trigger counting after insert on t for each row begin update u set id = 1; end",
        "create function price() returns int return 1",
    ];
    let set = |server: &mut Server, name: &str, value: &str| {
        server.configuration.parameters.insert(name.to_owned(), value.to_owned());
    };
    for sql in made {
        let mut server = mysql();
        ok(&mut server, 0, "create table t (id int primary key); create table u (id int)");
        set(&mut server, "log_bin_trust_function_creators", "OFF");
        let said = server.run("app", "app", sql, at(1)).expect_err("it is refused").to_string();
        assert!(said.contains("You do not have the SUPER privilege and binary logging is enabled"), "{said}");
        ok(&mut server, 1, "create procedure p() begin end; create view v as select * from t");
        set(&mut server, "log_bin", "OFF");
        ok(&mut server, 2, sql);
    }
    let mut server = mysql();
    ok(&mut server, 0, "create table t (id int primary key); create table u (id int)");
    for sql in made {
        ok(&mut server, 1, sql);
    }
}
