//! Backups, recovery to a point in time, replicas, photographs.

use super::super::backup::{Fetched, held};
use super::super::server::Server;
use super::{account, at, birth, login, mysql, numbers, ok};
use recovery::model::instance::Rights;
use recovery::model::photograph::Rows;
use recovery::model::{BackupId, Secret};
use recovery::ports::cloud::{AccountOrder, CloudError};

fn fetched(id: &str, bytes: Vec<u8>) -> Fetched {
    Fetched { id: BackupId::from(id), bytes }
}

fn restored(data: &Fetched, logs: &[Fetched], ms: Option<i64>) -> Result<Server, CloudError> {
    Server::restored(birth("rm-new", "mysql 5.7"), data, logs, ms.map(at)).map(|(server, _)| server)
}

/// A data backup at 10 ms, changes after it, and the log up to 100 ms.
fn history() -> (Server, Fetched, Fetched) {
    let mut server = mysql();
    ok(&mut server, 0, "create table t (id int primary key, x text); create table audit (n integer primary key auto_increment, id int);
        create trigger tr after insert on t begin insert into audit (id) values (new.id); end; insert into t values (1, 'a')");
    let data = fetched("bk-data", server.data_backup(at(10)).expect("a backup"));
    ok(&mut server, 20, "insert into t values (2, 'b')");
    ok(&mut server, 30, "insert into t values (3, 'c'); update t set x = 'z' where id = 1");
    ok(
        &mut server,
        31,
        "delete from t; create view v as select 1; create table f (id int references t(id)); create database other",
    );
    server.run("app", "other", "create table o (id int); insert into o values (1)", at(32)).expect("rows");
    let position = held(&data.bytes).expect("a backup").to_position;
    let log = fetched("bk-log", server.log_backup(position, at(100)).expect("a log backup"));
    (server, data, log)
}

#[test]
fn a_point_in_time_takes_what_happened_at_it_and_nothing_after() {
    let (_, data, log) = history();
    let logs = [log];
    for (ms, rows) in
        [(10, vec![1]), (19, vec![1]), (20, vec![1, 2]), (29, vec![1, 2]), (30, vec![1, 2, 3]), (31, vec![])]
    {
        let mut server = restored(&data, &logs, Some(ms)).expect("a server");
        assert_eq!(numbers(&mut server, "select id from t order by id"), rows, "as of {ms} ms");
        assert_eq!(server.made.recovered_to, Some(at(ms)));
    }
    let mut server = restored(&data, &[], None).expect("a server");
    assert_eq!(numbers(&mut server, "select id from t"), [1]);
    assert_eq!(server.made.recovered_to, Some(at(10)));
}

#[test]
fn a_replay_gives_the_content_of_the_master_without_firing_triggers_again() {
    let (mut master, data, log) = history();
    let mut server = restored(&data, &[log], Some(100)).expect("a server");
    let is = server.photograph().expect("a photograph");
    let mut was = master.photograph().expect("a photograph").as_ref().clone();
    assert_eq!(numbers(&mut server, "select id from audit order by n"), [1, 2, 3]);
    was.settings.clone_from(&is.settings);
    assert_eq!(was, *is);
    ok(&mut server, 200, "insert into t values (9, 'n')");
    assert_eq!(numbers(&mut server, "select max(id) from audit"), [9], "triggers act again");
    assert_eq!(numbers(&mut master, "select count(*) from t"), [0], "the master is as it was");
}

#[test]
fn accounts_are_those_of_the_restored_time() {
    let mut server = mysql();
    let data = fetched("bk-data", server.data_backup(at(10)).expect("a backup"));
    server.order_account(&AccountOrder::Create(account("late", Rights::ReadOnly)), at(20)).expect("an account");
    let password = Secret::new("changed");
    server.order_account(&AccountOrder::Password { name: "app".into(), password }, at(30)).expect("a password");
    let logs = [fetched("bk-log", server.log_backup(0, at(50)).expect("a log backup"))];
    let names = |server: &Server| server.accounts.keys().cloned().collect::<Vec<_>>();
    let early = restored(&data, &[], None).expect("a server");
    assert_eq!(names(&early), ["app"]);
    assert!(early.log_in(&login("app"), "x", at(60)).is_ok());
    let middle = restored(&data, &logs, Some(29)).expect("a server");
    assert_eq!(names(&middle), ["app", "late"]);
    assert!(middle.log_in(&login("app"), "x", at(60)).is_ok());
    assert!(restored(&data, &logs, Some(30)).expect("a server").log_in(&login("app"), "x", at(60)).is_err());
    let mark = |server: &Server| server.photograph().expect("a photograph").accounts["app"].password_mark.clone();
    assert_eq!(mark(&early), mark(&middle));
    assert_ne!(mark(&early), mark(&server));
}

#[test]
fn a_backup_with_a_gap_or_other_bytes_is_unreadable() {
    let (mut server, data, log) = history();
    let mut broken = data.bytes.clone();
    broken[40] ^= 1;
    let unreadable = |result: Result<Server, CloudError>| matches!(result, Err(CloudError::BackupUnreadable { .. }));
    assert!(unreadable(restored(&fetched("bk-data", broken), &[], None)));
    assert!(unreadable(restored(&fetched("bk-data", data.bytes[..9].to_vec()), &[], None)));
    assert!(unreadable(restored(&log, &[], None)));
    let late = fetched("bk-late", server.log_backup(server.log.position(), at(200)).expect("a log backup"));
    assert!(unreadable(restored(&data, &[late], Some(150))));
    assert!(restored(&data, &[log], Some(5)).is_err(), "a time before the data backup");
}

#[test]
fn a_change_after_a_backup_in_the_same_instant_is_later_than_what_the_backup_says_it_holds() {
    let mut server = mysql();
    ok(&mut server, 0, "create table t (id int)");
    let log = held(&server.log_backup(0, at(50)).expect("a log backup")).expect("what it holds");
    assert_eq!((log.to_time, log.from_position, log.to_position), (at(50), 0, 1));
    ok(&mut server, 50, "insert into t values (1)");
    let next = held(&server.log_backup(1, at(60)).expect("a log backup")).expect("what it holds");
    assert_eq!((next.from_position, next.to_position), (1, 2));
    assert!(server.log.time_at(2).is_some_and(|time| time > at(50)));
}

#[test]
fn a_replica_follows_its_master_and_takes_no_writes() {
    let mut master = mysql();
    ok(&mut master, 0, "create table t (id int primary key)");
    let mut replica = Server::replica(birth("rr-1", "mysql 5.7"), &mut master).expect("a replica");
    ok(&mut master, 5, "insert into t values (4); alter table t add column x int; update t set x = 2");
    let news = master.log.after(replica.log.position()).expect("news").to_vec();
    replica.follow(news).expect("followed");
    assert_eq!(master.photograph(), replica.photograph());
    assert!(replica.run("app", "app", "delete from t", at(6)).is_err());
    assert_eq!(numbers(&mut replica, "select x from t"), [2]);
}

#[test]
fn a_photograph_shows_rows_sorted_and_large_tables_as_a_digest() {
    let mut server = mysql();
    ok(
        &mut server,
        0,
        "create table t (b text,   a int); insert into t values ('z', 1), ('a', 2), (null, 3);
        create table big (id int primary key)",
    );
    let numbers: Vec<String> = (0..1001).map(|number| format!("({number})")).collect();
    ok(&mut server, 1, &format!("insert into big values {}", numbers.join(",")));
    let photograph = server.photograph().expect("a photograph");
    let table = photograph.databases["app"].table("t").expect("the table");
    assert_eq!(table.definition, "CREATE TABLE t (b text, a int)");
    let Some(Rows::Whole { rows, columns, key }) = &table.rows else { panic!("rows") };
    assert_eq!((columns.join(" "), key.len()), ("b a".to_owned(), 0));
    assert_eq!(rows[0][1], super::int(3));
    let big = photograph.databases["app"].table("big").and_then(|table| table.rows.as_ref());
    assert!(matches!(big, Some(Rows::Digest { count: 1001, sha256 }) if sha256.len() == 64));
    assert_eq!(photograph.settings["whitelist"], "0.0.0.0/0");
}
