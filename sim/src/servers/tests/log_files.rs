//! Files of a MySQL server's log that are lost are listed until they are purged, and followed no more.

use super::{at, mysql, ok, run, server_of};
use recovery::ports::database::DatabaseError;

#[test]
fn a_lost_file_is_listed_until_it_is_purged_and_what_was_in_it_is_gone() {
    let mut server = mysql();
    ok(&mut server, 0, "create table t (id int primary key); insert into t values (1)");
    let end = server.log.position();
    server.log_files.lose(end);
    ok(&mut server, 1, "insert into t values (2)");
    assert_eq!(server.told().expect("told").lost_log_files, ["mysql-bin.000001"]);
    assert_eq!(server.changes("app", end - 1, 10), Err(DatabaseError::LogGone(end)));
    assert_eq!(server.changes("app", end, 10).map(|changes| changes.len()), Ok(1));
    assert!(run(&mut server, 2, "purge binary logs to 'mysql-bin.000003'").is_err());
    ok(&mut server, 2, "purge binary logs to 'mysql-bin.000002'");
    assert_eq!(server.told().expect("told").lost_log_files, Vec::<String>::new());
    assert_eq!(server.changes("app", 0, 10), Err(DatabaseError::LogGone(end)));
    assert_eq!(server.log.time(at(3)), at(3));
}

#[test]
fn purging_takes_a_server_with_log_files_and_an_owner() {
    let mut server = mysql();
    let clerk = super::account("clerk", recovery::model::instance::Rights::ReadWrite);
    server.order_account(&recovery::ports::cloud::AccountOrder::Create(clerk), at(0)).expect("an account");
    let refused = server.run("clerk", "app", "purge binary logs to 'mysql-bin.000001'", at(1));
    assert!(matches!(refused, Err(DatabaseError::NotPermitted { .. })), "{refused:?}");
    assert!(run(&mut server_of("postgresql 10"), 1, "purge binary logs to 'mysql-bin.000001'").is_err());
}
