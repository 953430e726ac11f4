//! Master and replica node: lag, and what each of them shows.

use super::super::redis::Redis;
use super::redis_commands::{ok, redis};
use super::{at, configuration};
use recovery::model::backup::Node;
use recovery::model::instance::Configuration;

fn keys(server: &mut Redis, ms: i64, node: Node) -> String {
    server.settle(at(ms));
    server.node_keys(node).remove("0").unwrap_or_default().join(" ")
}

#[test]
fn the_replica_has_a_write_as_long_after_the_master_as_it_lags() {
    let mut server = redis("redis 5.0");
    ok(&mut server, 10, "set a 1");
    ok(&mut server, 30, "set b 1");
    assert_eq!(keys(&mut server, 59, Node::Master), "a b");
    assert_eq!(keys(&mut server, 59, Node::Replica), "");
    assert_eq!(keys(&mut server, 60, Node::Replica), "a");
    ok(&mut server, 70, "del a");
    assert_eq!(keys(&mut server, 80, Node::Replica), "a b");
    assert_eq!(keys(&mut server, 120, Node::Replica), "b");
    let parameters = [("replica_lag_ms".to_owned(), "0".to_owned())].into();
    server.configure(&Configuration { parameters, ..configuration() });
    ok(&mut server, 130, "set c 1");
    assert_eq!(keys(&mut server, 130, Node::Replica), "b c");
}

#[test]
fn neither_node_shows_a_key_whose_time_has_come() {
    let mut server = redis("redis 5.0");
    ok(&mut server, 0, "set a 1 px 100\nset b 1");
    assert_eq!(keys(&mut server, 99, Node::Replica), "a b");
    assert_eq!(keys(&mut server, 100, Node::Master), "b");
    assert_eq!(keys(&mut server, 100, Node::Replica), "b");
    assert_eq!(server.photograph_node(Node::Replica).databases, server.photograph_node(Node::Master).databases);
}

#[test]
fn a_node_says_how_many_snapshots_were_taken_on_it_and_whether_it_is_slower() {
    let mut server = redis("redis 5.0");
    let told = |server: &Redis, node: Node| {
        let settings = server.photograph_node(node).settings;
        (settings["node.snapshots"].clone(), settings["node.slower_ms"].clone())
    };
    server.begin_backup(at(0)).expect("a backup");
    assert_eq!(told(&server, Node::Replica), ("1".into(), "25".into()));
    assert_eq!(told(&server, Node::Master), ("0".into(), "0".into()));
    assert!(server.slowness(at(5)).is_zero(), "the master answers as ever (RED-04)");
    let parameters = [("backup_node".to_owned(), "master".to_owned())].into();
    server.configure(&Configuration { parameters, ..configuration() });
    server.begin_backup(at(20_000)).expect("a backup");
    assert_eq!(told(&server, Node::Master), ("1".into(), "25".into()));
    assert!(!server.slowness(at(20_005)).is_zero());
    assert!(server.slowness(at(30_000)).is_zero());
    assert!(!server.photograph().settings.contains_key("node.snapshots"), "settings of the server are its own");
}
