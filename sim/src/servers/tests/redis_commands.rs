//! The commands of Redis servers: answers, errors, versions, rights, clusters.

use super::super::redis::Redis;
use super::{account, at, birth, int, text};
use recovery::model::content::{Row, Value};
use recovery::model::instance::Rights;
use recovery::ports::database::DatabaseError;

/// A server of that product with the account `app`, which may do everything.
pub(super) fn redis(product: &str) -> Redis {
    Redis::empty(birth("r-shop", product), Some(&account("app", Rights::Owner)))
}

pub(super) fn run(server: &mut Redis, ms: i64, commands: &str) -> Result<Vec<Row>, DatabaseError> {
    server.settle(at(ms));
    server.run("app", "0", commands).map(|outcome| outcome.rows)
}

#[track_caller]
pub(super) fn ok(server: &mut Redis, ms: i64, commands: &str) -> Vec<Row> {
    run(server, ms, commands).unwrap_or_else(|error| panic!("{commands}: {error}"))
}

/// The one value of an answer.
#[track_caller]
fn one(server: &mut Redis, commands: &str) -> Value {
    ok(server, 0, commands)[0][0].clone()
}

fn texts(rows: &[Row]) -> Vec<Vec<String>> {
    let word = |value: &Value| if let Value::Text(word) = value { word.clone() } else { format!("{value:?}") };
    rows.iter().map(|row| row.iter().map(word).collect()).collect()
}

#[track_caller]
fn refused(server: &mut Redis, commands: &str) -> String {
    match run(server, 0, commands) {
        Err(DatabaseError::Statement(why)) => why,
        other => panic!("{commands}: {other:?}"),
    }
}

#[test]
fn strings_hold_texts_and_count() {
    let mut server = redis("redis 5.0");
    assert_eq!(one(&mut server, "set a 'one two'"), text("OK"));
    assert_eq!(one(&mut server, "get a"), text("one two"));
    assert_eq!(one(&mut server, r#"append a "\n\x41""#), int(9));
    assert_eq!(one(&mut server, "get a"), text("one two\nA"));
    assert_eq!(one(&mut server, "set a x nx"), Value::Null);
    assert_eq!(one(&mut server, "set b x xx"), Value::Null);
    assert_eq!(one(&mut server, "getset a 5"), text("one two\nA"));
    assert_eq!(one(&mut server, "incrby a 3"), int(8));
    assert_eq!(one(&mut server, "DECR a"), int(7));
    assert_eq!(one(&mut server, "strlen a"), int(1));
    ok(&mut server, 0, "mset x 1 y 2");
    assert_eq!(ok(&mut server, 0, "mget x none y"), vec![vec![text("1")], vec![Value::Null], vec![text("2")]]);
    assert_eq!(one(&mut server, "exists x y none"), int(2));
    assert_eq!(one(&mut server, "del x y none"), int(2));
    assert_eq!(texts(&ok(&mut server, 0, "keys *")), [["a"]]);
    assert_eq!(refused(&mut server, "set a ''\nincr a"), "ERR value is not an integer or out of range");
    assert_eq!(refused(&mut server, "set a 9223372036854775807\nincr a"), "ERR increment or decrement would overflow");
    assert_eq!(one(&mut server, "get a"), text("7"), "lines that fail together change nothing");
}

#[test]
fn hashes_lists_and_sets_keep_their_elements() {
    let mut server = redis("redis 7.0");
    assert_eq!(one(&mut server, "hset h f 1 g 2"), int(2));
    assert_eq!(one(&mut server, "hset h f 3"), int(0));
    assert_eq!(texts(&ok(&mut server, 0, "hgetall h")), [["f", "3"], ["g", "2"]]);
    assert_eq!(one(&mut server, "hdel h f g none"), int(2));
    assert_eq!(one(&mut server, "type h"), text("none"), "an empty hash is no key");
    assert_eq!(one(&mut server, "rpush l b c"), int(2));
    assert_eq!(one(&mut server, "lpush l a"), int(3));
    assert_eq!(texts(&ok(&mut server, 0, "lrange l 0 -2")), [["a"], ["b"]]);
    assert_eq!(texts(&ok(&mut server, 0, "lrange l -9 99")), [["a"], ["b"], ["c"]]);
    assert!(ok(&mut server, 0, "lrange l 3 1").is_empty());
    assert_eq!(one(&mut server, "rpop l"), text("c"));
    assert_eq!(texts(&ok(&mut server, 0, "lpop l 5")), [["a"], ["b"]]);
    assert_eq!(one(&mut server, "lpop l"), Value::Null);
    assert_eq!(one(&mut server, "sadd s b a b"), int(2));
    assert_eq!(texts(&ok(&mut server, 0, "smembers s")), [["a"], ["b"]]);
    assert_eq!(one(&mut server, "sismember s a"), int(1));
    assert_eq!(one(&mut server, "srem s a none"), int(1));
    assert_eq!(one(&mut server, "scard s"), int(1));
}

#[test]
fn sorted_sets_are_in_the_order_of_scores_and_names() {
    let mut server = redis("redis 6.0");
    assert_eq!(one(&mut server, "zadd z 2 b 2 a 0.1 c -inf d"), int(4));
    assert_eq!(texts(&ok(&mut server, 0, "zrange z 0 -1")), [["d"], ["c"], ["a"], ["b"]]);
    let scores = texts(&ok(&mut server, 0, "zrange z 1 2 withscores"));
    assert_eq!(scores, [["c", "0.10000000000000001"], ["a", "2"]]);
    assert_eq!(one(&mut server, "zadd z xx ch 5 a 5 new"), int(1));
    assert_eq!(one(&mut server, "zscore z a"), text("5"));
    assert_eq!(one(&mut server, "zadd z 1e30 a"), int(0));
    assert_eq!(one(&mut server, "zscore z a"), text("1e+30"));
    assert_eq!(one(&mut server, "zrem z a b"), int(2));
    assert_eq!(one(&mut server, "zcard z"), int(2));
    assert_eq!(refused(&mut server, "zadd z nan x"), "ERR value is not a valid float");
    assert_eq!(refused(&mut server, "zadd z nx xx 1 x"), "ERR XX and NX options at the same time are not compatible");
}

#[test]
fn a_key_is_gone_at_its_time_and_its_going_is_in_the_stream() {
    let mut server = redis("redis 7.0");
    ok(&mut server, 0, "set a 1 px 100\nset b 2 ex 1\nset c 3\nexpire c 2\nset d 4");
    assert_eq!(ok(&mut server, 99, "pttl a"), [[int(1)]]);
    assert_eq!(ok(&mut server, 100, "exists a"), [[int(0)]]);
    assert_eq!(ok(&mut server, 100, "ttl d"), [[int(-1)]]);
    assert_eq!(ok(&mut server, 100, "ttl a"), [[int(-2)]]);
    assert_eq!(ok(&mut server, 500, "persist b"), [[int(1)]]);
    assert_eq!(ok(&mut server, 1999, "dbsize"), [[int(3)]]);
    assert_eq!(ok(&mut server, 2000, "dbsize"), [[int(2)]]);
    let gone: Vec<_> = server.changes("app", 0, 99).expect("changes").into_iter().rev().take(1).collect();
    assert_eq!(gone[0].at, at(2000), "it went at its time");
    ok(&mut server, 2000, "expire b -1");
    assert_eq!(ok(&mut server, 2000, "get b"), [[Value::Null]]);
    ok(&mut server, 2000, "set e 5 ex 9\nset e 6 keepttl");
    assert_eq!(ok(&mut server, 2000, "ttl e"), [[int(9)]]);
    ok(&mut server, 2000, "set e 7");
    assert_eq!(ok(&mut server, 2000, "ttl e"), [[int(-1)]], "a new value stays");
    assert_eq!(refused(&mut server, "set e 1 ex 0"), "ERR invalid expire time in 'set' command");
    let options = [("nx", 9, 1), ("nx", 9, 0), ("gt", 5, 0), ("lt", 5, 1), ("xx", 7, 1)];
    for (option, seconds, wanted) in options {
        assert_eq!(ok(&mut server, 2000, &format!("expire e {seconds} {option}")), [[int(wanted)]], "{option}");
    }
    let late = at(5000).as_millisecond();
    ok(&mut server, 2000, &format!("set f 1 pxat {late}\nrename f g"));
    assert_eq!(ok(&mut server, 2000, "pexpiretime g"), [[int(late)]], "a new name, the same time");
}

#[test]
fn older_versions_refuse_what_came_later() {
    let refusals = [
        ("redis 5.0", "set a 1 keepttl", "ERR syntax error"),
        ("redis 6.0", "set a 1 exat 99999999999", "ERR syntax error"),
        ("redis 6.0", "set a 1\nexpire a 1 nx", "ERR wrong number of arguments for 'expire' command"),
        ("redis 2.8", "hset h a 1 b 2", "ERR wrong number of arguments for 'hset' command"),
        ("redis 2.8", "exists a b", "ERR wrong number of arguments for 'exists' command"),
        ("redis 2.8", "unlink a", "ERR unknown command 'unlink'"),
        ("redis 6.0", "GETDEL a", "ERR unknown command `GETDEL`, with args beginning with: `a`, "),
        ("redis 7.0", "frob 'x y'", "ERR unknown command 'frob', with args beginning with: 'x y' "),
        ("redis 7.0", "get", "ERR wrong number of arguments for 'get' command"),
        ("redis 7.0", "lpush l x\nget l", "WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("redis 7.0", "rename a b", "ERR no such key"),
        ("redis 7.0", "select 16", "ERR DB index is out of range"),
        ("redis 7.0", "set 'a", "ERR Protocol error: unbalanced quotes in request"),
    ];
    for (product, commands, why) in refusals {
        let mut server = redis(product);
        assert_eq!(refused(&mut server, commands), why, "{product}");
        assert_eq!(one(&mut server, "dbsize"), int(0), "{product}: {commands}");
    }
    assert_eq!(one(&mut redis("redis 6.0"), "set a 1 ex 5\nset a 2 keepttl\nttl a"), int(5));
}

#[test]
fn a_cluster_has_one_database_and_keys_of_one_slot_in_a_command() {
    let mut server = redis("redis 7.0 cluster");
    let crossed = "CROSSSLOT Keys in request don't hash to the same slot";
    assert_eq!(refused(&mut server, "mset a 1 b 2"), crossed);
    assert_eq!(refused(&mut server, "set a 1\nrename a b"), crossed);
    assert_eq!(one(&mut server, "mset {u}a 1 {u}b 2"), text("OK"));
    assert_eq!(one(&mut server, "del {u}a {u}b"), int(2));
    assert_eq!(refused(&mut server, "select 1"), "ERR SELECT is not allowed in cluster mode");
    assert_eq!(server.run("app", "1", "ping"), Err(DatabaseError::NoSuchDatabase("1".into())));
    ok(&mut server, 0, "set a 1\nset b 2");
    assert_eq!(one(&mut server, "dbsize"), int(2), "lines of their own may be of other slots");
}

#[test]
fn databases_are_apart_and_patterns_find_keys() {
    let mut server = redis("redis 4.0");
    ok(&mut server, 0, "set a 1\nselect 3\nset a 2\nset a1 x\nset b[ x");
    assert_eq!(one(&mut server, "get a"), text("1"), "the next run begins in its own database");
    let mut keys = |pattern: &str| texts(&ok(&mut server, 0, &format!("select 3\nkeys {pattern}"))).concat();
    assert_eq!(keys("a?"), ["a1"]);
    assert_eq!(keys("[^a]*"), ["b["]);
    assert_eq!(keys("*[0-9]"), ["a1"]);
    assert_eq!(keys(r"?\["), ["b["]);
    ok(&mut server, 0, "select 3\nflushdb");
    assert_eq!(one(&mut server, "select 3\ndbsize"), int(0));
    ok(&mut server, 0, "flushall");
    assert_eq!(one(&mut server, "dbsize"), int(0));
    let Value::Text(info) = one(&mut server, "set k v ex 10\ninfo keyspace") else { panic!("info") };
    assert_eq!(info, "# Keyspace\r\ndb0:keys=1,expires=1,avg_ttl=10000\r\n");
}

#[test]
fn rights_say_who_reads_writes_and_synchronizes() {
    let mut server = redis("redis 5.0");
    server.admit(&account("reader", Rights::ReadOnly));
    server.admit(&account("writer", Rights::ReadWrite));
    ok(&mut server, 0, "set a 1");
    assert_eq!(server.run("reader", "0", "get a").map(|outcome| outcome.rows), Ok(vec![vec![text("1")]]));
    let refused = |result: Result<(), DatabaseError>| matches!(result, Err(DatabaseError::NotPermitted { .. }));
    assert!(refused(server.run("reader", "0", "set a 2").map(drop)));
    assert!(server.run("writer", "0", "set a 2").is_ok());
    assert!(refused(server.changes("writer", 0, 9).map(drop)));
    assert_eq!(server.changes("app", 0, 9).expect("changes").len(), 2);
}
