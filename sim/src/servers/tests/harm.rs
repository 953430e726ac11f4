//! What befalls servers behind the service's back: full disks, failovers, other versions, lag, time zones.

use super::super::harm::{Unharmed, check_zone};
use super::super::timing;
use super::ports::{Site, empty, play};
use super::redis_commands::{ok as redis_ok, redis};
use super::{at, configuration, login, mysql, ok, text};
use jiff::{SignedDuration, Timestamp};
use recovery::model::backup::{BackupKind, Node};
use recovery::model::instance::Configuration;
use recovery::model::{BackupId, InstanceId};
use recovery::ports::cloud::{CloudError, Content, InstanceOrder, RestoreOrder};
use recovery::ports::database::{DatabaseError, OnConflict, WriteChunk};
use recovery::ports::{Cloud, Database, Session};

const TABLE: &str = "create table t (id int primary key); insert into t values (1)";

fn shop() -> InstanceId {
    InstanceId::from("rm-shop")
}

async fn made(site: &Site) -> (String, Box<dyn Session>) {
    let endpoint = site.cloud.create(&empty("rm-shop")).await.expect("an instance").endpoint;
    let session = site.session(&endpoint).await;
    (endpoint, session)
}

async fn count(session: &mut dyn Session) -> usize {
    session.run("app", "select id from t").await.expect("rows").rows.len()
}

#[test]
fn a_full_disk_refuses_what_takes_room_and_lets_the_rest_be_read() {
    play(|site| async move {
        let (_, mut session) = made(&site).await;
        session.run("app", TABLE).await.expect("a table");
        assert!(site.rack.fill_disk("machine-1", true));
        assert!(!site.rack.fill_disk("machine-9", true));
        for sql in ["insert into t values (2)", "create table u (id int)", "drop table t", "delete from t"] {
            assert_eq!(session.run("app", sql).await, Err(DatabaseError::DiskFull), "{sql}");
        }
        assert_eq!(session.create_database("other", "utf8").await, Err(DatabaseError::DiskFull));
        let write = WriteChunk {
            database: "app".into(),
            table: "t".into(),
            columns: vec!["id".into()],
            key: vec!["id".into()],
            rows: vec![vec![super::int(1)], vec![super::int(3)]],
            on_conflict: OnConflict::Keep,
        };
        assert_eq!(session.write(&write).await, Err(DatabaseError::DiskFull));
        assert_eq!(count(session.as_mut()).await, 1, "nothing of it is there");
        let held = session.facts().await.expect("facts").log_position;
        assert!(site.rack.fill_disk("machine-1", false));
        assert_eq!(session.write(&write).await, Ok(1));
        assert_eq!(session.facts().await.expect("facts").log_position, held + 1);
        assert!(site.rack.fill_disk("machine-2", true));
        let refused = site.cloud.create(&empty("rm-second")).await;
        assert_eq!(refused, Err(CloudError::Failed("the disk of the server is full".into())));
    });
}

#[test]
fn a_redis_server_with_a_full_disk_refuses_writes_and_answers_reads() {
    let mut server = redis("redis 5.0");
    redis_ok(&mut server, 0, "set a 1");
    server.harm.disk_full = true;
    assert_eq!(server.run("app", "0", "set b 1"), Err(DatabaseError::DiskFull));
    assert_eq!(redis_ok(&mut server, 1, "get a"), redis_ok(&mut server, 2, "get a"));
    assert_eq!(server.node_keys(Node::Master)["0"], ["a"]);
    server.harm.disk_full = false;
    redis_ok(&mut server, 3, "set b 1");
    assert_eq!(server.node_keys(Node::Master)["0"], ["a", "b"]);
}

#[test]
fn a_failover_breaks_sessions_for_some_seconds_and_loses_nothing() {
    play(|site| async move {
        let (endpoint, mut session) = made(&site).await;
        session.run("app", TABLE).await.expect("a table");
        session.claim("dts-1", 4).await.expect("claimed");
        let before = (site.rack.photograph(&shop()), session.facts().await.expect("facts").log_position);
        site.rack.fail_over(&shop(), site.kit.clock.now()).expect("failed over");
        assert!(matches!(session.facts().await, Err(DatabaseError::Unreachable(_))));
        let refused = site.database.connect(&endpoint, &login("app")).await.map(|_| ());
        assert!(matches!(refused, Err(DatabaseError::Unreachable(_))), "{refused:?}");
        site.kit.clock.sleep(timing::FAILOVER).await;
        let mut session = site.session(&endpoint).await;
        let after = (site.rack.photograph(&shop()), session.facts().await.expect("facts").log_position);
        assert_eq!(after, before);
        assert_eq!(session.claim("dts-1", 3).await, Err(DatabaseError::Fenced(4)));
        assert_eq!(site.rack.fail_over(&"rm-none".into(), site.kit.clock.now()), Err(Unharmed::NoInstance));
    });
}

#[test]
fn after_a_failover_of_redis_the_new_replica_has_all_that_was_committed() {
    let mut server = redis("redis 5.0");
    server.harm.lag_ms = Some(60_000);
    redis_ok(&mut server, 10, "set a 1");
    assert!(server.node_keys(Node::Replica).get("0").is_none_or(Vec::is_empty));
    server.promote_replica();
    assert_eq!(server.node_keys(Node::Replica)["0"], ["a"]);
}

#[test]
fn a_replica_shows_what_its_master_had_as_long_ago_as_it_lags() {
    play(|site| async move {
        let (_, mut session) = made(&site).await;
        session.run("app", TABLE).await.expect("a table");
        let content = Content::Replica { master: shop() };
        let made = site.cloud.create(&InstanceOrder { content, ..empty("rr-1") }).await.expect("a replica");
        assert_eq!(site.rack.set_lag(&shop(), 1), Err(Unharmed::NoReplica));
        site.rack.set_lag(&"rr-1".into(), 30_000).expect("it lags");
        let mut replica = site.session(&made.endpoint).await;
        session.run("app", "insert into t values (2)").await.expect("a row");
        site.kit.clock.sleep(SignedDuration::from_secs(29)).await;
        assert_eq!(count(replica.as_mut()).await, 1);
        site.kit.clock.sleep(SignedDuration::from_secs(2)).await;
        assert_eq!(count(replica.as_mut()).await, 2);
        site.rack.set_lag(&"rr-1".into(), 0).expect("it lags no more");
        session.run("app", "insert into t values (3)").await.expect("a row");
        site.kit.clock.sleep(SignedDuration::from_millis(20)).await;
        assert_eq!(site.rack.photograph(&"rr-1".into()), site.rack.photograph(&shop()));
    });
}

#[test]
fn an_upgraded_server_says_what_it_is_and_an_older_one_cannot_read_its_backups() {
    play(|site| async move {
        let (endpoint, mut session) = made(&site).await;
        session.run("app", TABLE).await.expect("a table");
        site.cloud.back_up(&shop(), &"bk-old".into(), BackupKind::Data, 0).await.expect("a backup");
        let product = |text: &str| text.parse().expect("a product");
        let now = site.kit.clock.now();
        assert_eq!(
            site.rack.set_product(&shop(), product("sqlserver 2012 web"), now),
            Err(Unharmed::OtherEngine(product("mysql 5.7")))
        );
        site.rack.set_product(&shop(), product("mysql 8.0"), now).expect("upgraded");
        assert!(session.facts().await.is_err(), "it started again");
        site.kit.clock.sleep(timing::FAILOVER).await;
        let mut session = site.session(&endpoint).await;
        assert_eq!(session.facts().await.expect("facts").product, product("mysql 8.0"));
        assert_eq!(count(session.as_mut()).await, 1);
        site.cloud.back_up(&shop(), &"bk-new".into(), BackupKind::Data, 0).await.expect("a backup");
        let order = |data: &str| {
            let restore = RestoreOrder { of: shop(), data: BackupId::from(data), logs: vec![], until: None };
            InstanceOrder { content: Content::Restored(restore), ..empty("rm-rescue") }
        };
        let refused = site.cloud.create(&order("bk-new")).await;
        assert!(
            matches!(&refused, Err(CloudError::BackupUnreadable { why, .. }) if why.contains("cannot read")),
            "{refused:?}"
        );
        site.cloud.create(&order("bk-old")).await.expect("an instance of the older backup");
    });
}

/// The local time a server of that zone has at a time.
fn now_in(zone: &str, time: &str) -> recovery::model::content::Value {
    let mut server = mysql();
    server.harm.zone = Some(zone.to_owned());
    let time: Timestamp = time.parse().expect("a time");
    server.run("app", "app", "select now()", time).expect("the time").rows[0][0].clone()
}

#[test]
fn the_time_zone_of_a_server_is_seen_in_sql_and_skips_and_repeats_an_hour() {
    for (time, local) in [
        ("2026-03-29T00:59:59Z", "2026-03-29 01:59:59"),
        ("2026-03-29T01:00:00Z", "2026-03-29 03:00:00"),
        ("2026-10-25T00:30:00Z", "2026-10-25 02:30:00"),
        ("2026-10-25T01:30:00Z", "2026-10-25 02:30:00"),
    ] {
        assert_eq!(now_in("Europe/Berlin", time), text(local));
    }
    assert_eq!(now_in("+08:00", "2026-01-05T20:00:00Z"), text("2026-01-06 04:00:00"));
    assert_eq!(now_in("Mars/Olympus", "2026-01-05T20:00:00Z"), text("2026-01-05 20:00:00"));
    assert!(check_zone("Mars/Olympus").is_err_and(|known| known.contains("Europe/Berlin")));
}

#[test]
fn a_time_zone_among_the_parameters_holds_until_the_server_is_set_and_again_when_set_anew() {
    let mut server = mysql();
    let zone = |zone: &str| {
        let parameters = [("time_zone".to_owned(), zone.to_owned())].into();
        Configuration { parameters, ..configuration() }
    };
    server.configure(&zone("+01:00"));
    assert_eq!(ok(&mut server, 0, "select curtime()"), [[text("09:00:00")]]);
    server.harm.zone = Some("+02:00".into());
    server.configure(&zone("+01:00"));
    assert_eq!(ok(&mut server, 0, "select curtime()"), [[text("10:00:00")]]);
    assert_eq!(server.facts("app", at(0)).expect("facts").parameters["time_zone"], "+02:00");
    server.configure(&zone("+03:00"));
    assert_eq!(ok(&mut server, 0, "select curtime()"), [[text("11:00:00")]]);
    assert_eq!(ok(&mut server, 0, "select datetime('now')"), [[text("2026-01-05 08:00:00")]], "SQLite's own is UTC");
}

#[test]
fn a_row_of_the_log_bears_the_local_time_and_is_replayed_by_the_instant() {
    let mut server = mysql();
    server.harm.zone = Some("Europe/Berlin".into());
    let time = |text: &str| -> Timestamp { text.parse().expect("a time") };
    let mut run = |sql: &str, at: &str| server.run("app", "app", sql, time(at)).expect("it runs");
    run("create table t (id int primary key, noted text default current_timestamp)", "2026-10-25T00:00:00Z");
    run("insert into t (id) values (1)", "2026-10-25T00:30:00Z");
    let data = super::super::backup::Fetched {
        id: BackupId::from("bk-data"),
        bytes: server.data_backup(time("2026-10-25T00:40:00Z")).expect("a backup"),
    };
    let position = server.log.position();
    server.run("app", "app", "insert into t (id) values (2)", time("2026-10-25T01:30:00Z")).expect("a row");
    let bytes = server.log_backup(position, time("2026-10-25T02:00:00Z")).expect("a log backup");
    let log = [super::super::backup::Fetched { id: BackupId::from("bk-log"), bytes }];
    let rows = |until: &str| {
        let birth = super::birth("rm-new", "mysql 5.7");
        let (mut server, _) =
            super::super::server::Server::restored(birth, &data, &log, Some(time(until))).expect("a server");
        ok(&mut server, 0, "select id, noted from t order by id")
    };
    let row = |id: i64| vec![super::int(id), text("2026-10-25 02:30:00")];
    assert_eq!(rows("2026-10-25T00:45:00Z"), [row(1)]);
    assert_eq!(rows("2026-10-25T01:29:59Z"), [row(1)]);
    assert_eq!(rows("2026-10-25T01:30:00Z"), [row(1), row(2)]);
}
