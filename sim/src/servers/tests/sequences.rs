//! Sequences give each value once, and come along with backups and the log.

use super::{at, birth, int, numbers, ok, run, server_of};
use crate::servers::server::Server;
use recovery::ports::database::DatabaseError;

fn counting() -> Server {
    let mut server = server_of("postgresql 10");
    ok(&mut server, 0, "create sequence numbers start with 5 increment by 2; create table t (id int primary key)");
    server
}

#[test]
fn a_sequence_gives_each_value_once_and_gives_none_back() {
    let mut server = counting();
    ok(&mut server, 1, "insert into t values (nextval('numbers')), (nextval('public.numbers'))");
    assert_eq!(numbers(&mut server, "select id from t"), [5, 7]);
    assert!(run(&mut server, 2, "select nextval('numbers'); insert into t values (5)").is_err());
    assert_eq!(numbers(&mut server, "select nextval('numbers')"), [11]);
    assert_eq!(numbers(&mut server, "select setval('numbers', 40)"), [40]);
    assert_eq!(numbers(&mut server, "select nextval('numbers')"), [42]);
    let unknown = run(&mut server, 3, "select nextval('nobody')");
    assert!(matches!(unknown, Err(DatabaseError::Statement(why)) if why.contains("no such sequence: nobody")));
    ok(&mut server, 4, "drop sequence numbers; create sequence numbers");
    assert_eq!(numbers(&mut server, "select nextval('numbers')"), [1]);
}

#[test]
fn a_backup_and_the_log_after_it_carry_the_value_along() {
    let mut server = counting();
    ok(&mut server, 1, "insert into t values (nextval('numbers'))");
    let bytes = server.data_backup(at(2)).expect("a backup");
    let position = server.log.position();
    ok(&mut server, 3, "insert into t values (nextval('numbers'))");
    let (mut copy, _) = Server::with_content(birth("rm-copy", "postgresql 10"), &bytes).expect("a copy");
    for entry in server.log.after(position).expect("the log") {
        copy.replay(entry).expect("replayed");
    }
    assert_eq!(ok(&mut copy, 4, "select id, nextval('numbers') from t order by id limit 1"), [[int(5), int(9)]]);
}
