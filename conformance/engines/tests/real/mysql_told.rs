//! What a MySQL or MariaDB server tells prechecks of transactions that stay open, and of SUPER.

use crate::mysql::SERVERS;
use crate::named::{Server, servers};
use crate::{Test, wait};
use engines::mysql::MySql;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, OptsBuilder};
use recovery::model::Secret;
use recovery::ports::Database;
use recovery::ports::database::{Login, OpenTransaction};

/// The tests.
pub const TESTS: &[Test] = &[
    ("open_and_prepared_transactions_are_told", open_and_prepared_transactions_are_told),
    ("who_has_super_is_told_and_who_has_it_not", who_has_super_is_told_and_who_has_it_not),
];

/// A connection with nothing in between.
async fn bare(server: &Server) -> Conn {
    let (host, port) = server.endpoint.rsplit_once(':').expect("host:port");
    let options = OptsBuilder::default()
        .ip_or_hostname(host)
        .tcp_port(port.parse().expect("a port"))
        .user(Some(&server.login.account))
        .pass(Some(server.login.password.expose()))
        .prefer_socket(false);
    Conn::new(options).await.expect("a connection")
}

async fn told(server: &Server) -> Vec<OpenTransaction> {
    let mut session = MySql.connect(&server.endpoint, &server.login).await.expect("a session");
    let facts = session.facts().await.expect("facts");
    let packet = facts.parameters.get("max_allowed_packet").and_then(|value| value.parse::<u64>().ok());
    assert!(packet.is_some_and(|bytes| bytes >= 1024), "{packet:?}");
    session.circumstances().await.expect("told").transactions
}

fn open_and_prepared_transactions_are_told() {
    for server in servers(SERVERS) {
        wait(async {
            let mut one = bare(&server).await;
            let mut other = MySql.connect(&server.endpoint, &server.login).await.expect("a session");
            for sql in
                ["drop database if exists told", "create database told", "create table told.t (id int primary key)"]
            {
                one.query_drop(sql).await.expect(sql);
            }
            for sql in ["use told", "begin", "insert into t values (1)"] {
                one.query_drop(sql).await.expect(sql);
            }
            let late = "xa start 'it''s'; insert into t values (2); xa end 'it''s'; xa prepare 'it''s'";
            other.run("told", late).await.expect("prepared");
            let found = told(&server).await;
            let of = |id: &str| found.iter().find(|open| open.id == id);
            let open = of(&one.id().to_string()).unwrap_or_else(|| panic!("{found:?}"));
            assert!(!open.prepared && open.database.as_deref() == Some("told"), "{open:?}");
            let age_s = open.since.map(|since| (jiff::Timestamp::now().as_second() - since.as_second()).abs());
            assert!(age_s.is_some_and(|age_s| age_s < 30), "{open:?}");
            let prepared = found.iter().find(|open| open.prepared).unwrap_or_else(|| panic!("{found:?}"));
            let committed = other.run("told", &format!("XA COMMIT {}", prepared.id)).await;
            assert!(committed.is_ok(), "{committed:?}: {prepared:?}");
            one.query_drop("rollback").await.expect("rolled back");
            // The list of transactions is a tenth of a second old at most.
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
            let found = told(&server).await;
            assert!(!found.iter().any(|open| open.prepared || open.id == one.id().to_string()), "{found:?}");
        });
    }
}

fn who_has_super_is_told_and_who_has_it_not() {
    for server in servers(SERVERS) {
        wait(async {
            let mut root = bare(&server).await;
            for sql in [
                "drop user if exists plain",
                "create user plain identified by 'plain-pass-1'",
                "grant select, create routine, trigger on *.* to plain",
            ] {
                root.query_drop(sql).await.expect(sql);
            }
            let plain = Login { account: "plain".into(), password: Secret::new("plain-pass-1"), ssl: false };
            for (login, wanted) in [(&server.login, true), (&plain, false)] {
                let mut session = MySql.connect(&server.endpoint, login).await.expect("a session");
                let trusts = "log_bin_trust_function_creators";
                let facts = session.facts().await.expect("facts");
                assert!(facts.parameters.contains_key(trusts), "{:?}", facts.parameters);
                assert_eq!(session.circumstances().await.expect("told").is_super, wanted, "{}", login.account);
            }
            root.query_drop("drop user plain").await.expect("dropped");
        });
    }
}
