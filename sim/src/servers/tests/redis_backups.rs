//! Backups of Redis instances, clones of them, and recovery into the instance itself, over the network.

use super::super::timing;
use super::ports::{Site, empty, play};
use super::{configuration, login, text};
use jiff::SignedDuration;
use object_store::ObjectStoreExt;
use recovery::model::InstanceId;
use recovery::model::backup::{BackupKind, Held, Node};
use recovery::model::content::{Row, Value};
use recovery::model::instance::Configuration;
use recovery::ports::cloud::{CloudError, Content, InstanceOrder, RestoreOrder};
use recovery::ports::database::{DatabaseError, ReadChunk, Session};
use recovery::ports::{Cloud, Database};

fn order(instance: &str) -> InstanceOrder {
    InstanceOrder { product: "redis 5.0".parse().expect("a product"), ..empty(instance) }
}

fn shop() -> InstanceId {
    InstanceId::from("r-shop")
}

async fn made(site: &Site) -> (String, Box<dyn Session>) {
    let endpoint = site.cloud.create(&order("r-shop")).await.expect("an instance").endpoint;
    let session = site.session(&endpoint).await;
    (endpoint, session)
}

async fn rows(session: &mut Box<dyn Session>, commands: &str) -> Vec<Row> {
    session.run("0", commands).await.unwrap_or_else(|error| panic!("{commands}: {error}")).rows
}

async fn backup(site: &Site, id: &str) -> Held {
    site.cloud.back_up(&shop(), &id.into(), BackupKind::Data, 0).await.expect("a backup")
}

fn clone_of(backup: &str, instance: &str) -> InstanceOrder {
    let content = Content::Restored(RestoreOrder { of: shop(), data: backup.into(), logs: Vec::new(), until: None });
    InstanceOrder { content, ..order(instance) }
}

#[test]
fn a_backup_holds_one_instant_of_the_replica_and_a_clone_has_just_that() {
    play(|site| async move {
        let (_, mut session) = made(&site).await;
        let began = site.kit.clock.now();
        rows(&mut session, "set a 1\nset short 1 px 5000\nset long 1 ex 3600\nselect 2\nrpush l x y").await;
        site.kit.clock.sleep(SignedDuration::from_secs(1)).await;
        rows(&mut session, "set late 1").await;
        let taking = backup(&site, "bk-1");
        let writing = async {
            site.kit.clock.sleep(SignedDuration::from_secs(3)).await;
            rows(&mut session, "set later 1\ndel a").await;
        };
        let (held, ()) = futures_util::future::join(taking, writing).await;
        assert_eq!(held.node, Some(Node::Replica));
        assert!(held.to_time > began && held.to_time < site.kit.clock.now());
        assert_eq!((held.from_position, held.from_time), (held.to_position, held.to_time));
        let again = backup(&site, "bk-1").await;
        assert_eq!(again, held, "the same order gives the same backup");
        let made = site.cloud.create(&clone_of("bk-1", "r-copy")).await.expect("a clone");
        assert_eq!(made.recovered_to, Some(held.to_time));
        let mut copy = site.session(&made.endpoint).await;
        let keys = rows(&mut copy, "keys *").await.concat();
        assert_eq!(keys, [text("a"), text("long")], "late is behind the replica, later after it, short is over");
        assert_eq!(rows(&mut copy, "select 2\nlrange l 0 -1").await.concat(), [text("x"), text("y")]);
        let ttl = async |session: &mut Box<dyn Session>| rows(session, "pttl long").await[0][0].clone();
        let (there, here) = (ttl(&mut session).await, ttl(&mut copy).await);
        let (Value::Integer(there), Value::Integer(here)) = (there, here) else { panic!("times") };
        assert!((there - here).abs() < 50, "the time to go at is absolute: {there} {here}");
        let logs = site.cloud.back_up(&shop(), &"bk-2".into(), BackupKind::Log, 0).await;
        assert!(matches!(logs, Err(CloudError::Failed(_))));
    });
}

#[test]
fn nobody_reads_a_password_in_a_backup_file() {
    play(|site| async move {
        made(&site).await;
        backup(&site, "bk-1").await;
        let place = recovery::ports::cloud::backup_place(&shop(), &"bk-1".into());
        let bytes = site.vault.get(&place).await.expect("a file").bytes().await.expect("bytes");
        assert!(bytes.starts_with(b"REDIS"));
        assert!(!bytes.windows(6).any(|window| window == b"s3cret"));
        let made = site.cloud.create(&clone_of("bk-1", "r-copy")).await.expect("a clone");
        assert!(site.database.connect(&made.endpoint, &login("app")).await.is_ok(), "the clone has the account");
    });
}

#[test]
fn a_recovery_puts_the_backup_in_the_place_of_everything_and_lets_nobody_in_meanwhile() {
    play(|site| async move {
        let (endpoint, mut session) = made(&site).await;
        rows(&mut session, "set a 1\nset b 1").await;
        site.kit.clock.sleep(SignedDuration::from_secs(1)).await;
        backup(&site, "bk-1").await;
        let parameters = [("maxmemory-policy".to_owned(), "noeviction".to_owned())].into();
        let configured = Configuration { parameters, ..configuration() };
        site.cloud.configure(&shop(), &configured).await.expect("configured");
        rows(&mut session, "set a 2\ndel b\nset newer 1\nselect 7\nset other 1").await;
        let before = site.rack.photograph(&shop()).expect("a photograph");
        let (clock, instance, backup) = (&site.kit.clock, shop(), "bk-1".into());
        let recovering = site.cloud.overwrite(&instance, &backup, 1);
        let trying = async {
            clock.sleep(SignedDuration::from_secs(5)).await;
            let mut refusals = vec![session.run("0", "get a").await.map(drop)];
            refusals.push(site.database.connect(&endpoint, &login("app")).await.map(drop));
            assert_eq!(site.rack.photograph(&shop()).expect("a photograph").databases, before.databases);
            refusals
        };
        let (done, refusals) = futures_util::future::join(recovering, trying).await;
        done.expect("recovered");
        assert!(refusals.iter().all(|refusal| matches!(refusal, Err(DatabaseError::Unreachable(_)))), "{refusals:?}");
        let mut session = site.session(&endpoint).await;
        assert_eq!(rows(&mut session, "keys *").await.concat(), [text("a"), text("b")]);
        assert_eq!(rows(&mut session, "mget a b").await.concat(), [text("1"), text("1")]);
        let after = site.rack.photograph(&shop()).expect("a photograph");
        assert_eq!(after.databases.keys().collect::<Vec<_>>(), ["0"]);
        assert_eq!((&after.accounts, &after.settings), (&before.accounts, &before.settings));
        clock.sleep(SignedDuration::from_secs(1)).await;
        let replica = site.rack.photograph_node(&shop(), Node::Replica).expect("a replica");
        assert_eq!(replica.databases, after.databases, "the replica follows");
        rows(&mut session, "set written-since 1").await;
        site.cloud.overwrite(&shop(), &backup, 1).await.expect("done already");
        assert_eq!(rows(&mut session, "exists written-since").await, [[Value::Integer(1)]]);
        site.cloud.overwrite(&shop(), &backup, 2).await.expect("recovered once more");
        let mut session = site.session(&endpoint).await;
        assert_eq!(rows(&mut session, "exists written-since").await, [[Value::Integer(0)]]);
        let unreadable = site.cloud.overwrite(&shop(), &"bk-none".into(), 3).await;
        assert!(matches!(unreadable, Err(CloudError::BackupUnreadable { .. })));
        assert_eq!(rows(&mut session, "get a").await, [[text("1")]], "what cannot be recovered changes nothing");
    });
}

#[test]
fn a_recovery_that_a_crash_cuts_off_is_done_when_it_is_ordered_again() {
    play(|site| async move {
        let (endpoint, mut session) = made(&site).await;
        rows(&mut session, "set a 1").await;
        site.kit.clock.sleep(SignedDuration::from_secs(1)).await;
        backup(&site, "bk-1").await;
        rows(&mut session, "set a 2").await;
        let (shop, backup) = (shop(), "bk-1".into());
        let recovering = site.cloud.overwrite(&shop, &backup, 1);
        let crash = async {
            site.kit.clock.sleep(SignedDuration::from_secs(5)).await;
            site.faults.crash("machine-1").await.expect("crashed");
            site.faults.bounce("machine-1").await.expect("started");
        };
        let (cut, ()) = futures_util::future::join(recovering, crash).await;
        assert!(matches!(cut, Err(CloudError::Unreachable(_))), "{cut:?}");
        let entering = site.database.connect(&endpoint, &login("app")).await.map(drop);
        assert!(matches!(entering, Err(DatabaseError::Unreachable(_))), "nobody is let in before it is done");
        site.cloud.overwrite(&shop, &backup, 1).await.expect("recovered");
        let mut session = site.session(&endpoint).await;
        assert_eq!(rows(&mut session, "get a").await, [[text("1")]]);
    });
}

#[test]
fn a_backup_on_the_master_would_show_in_its_answers() {
    play(|site| async move {
        let (_, mut session) = made(&site).await;
        for (node, slower) in [("replica", false), ("master", true)] {
            let parameters = [("backup_node".to_owned(), node.to_owned())].into();
            let configured = Configuration { parameters, ..configuration() };
            site.cloud.configure(&shop(), &configured).await.expect("configured");
            let id = format!("bk-{node}");
            let (clock, took) = (&site.kit.clock, async |session: &mut Box<dyn Session>| {
                let began = site.kit.clock.now();
                rows(session, "ping").await;
                site.kit.clock.now().duration_since(began)
            });
            let usual = took(&mut session).await;
            let measuring = async {
                clock.sleep(SignedDuration::from_secs(2)).await;
                took(&mut session).await
            };
            let (held, during) = futures_util::future::join(backup(&site, &id), measuring).await;
            assert_eq!(held.node == Some(Node::Master), slower);
            assert_eq!(during >= usual + timing::SNAPSHOT_SLOWS - SignedDuration::from_millis(10), slower, "{node}");
        }
        let keys = site.rack.node_keys(&shop(), Node::Master).expect("keys");
        assert!(keys["0"].is_empty());
    });
}

#[test]
fn a_session_goes_on_reading_as_of_its_snapshot() {
    play(|site| async move {
        let (endpoint, mut writer) = made(&site).await;
        rows(&mut writer, "set a 1\nset brief 1 px 3000").await;
        let mut reader = site.session(&endpoint).await;
        let facts = reader.snapshot().await.expect("a snapshot");
        rows(&mut writer, "set b 1\ndel a\nselect 4\nset c 1").await;
        site.kit.clock.sleep(SignedDuration::from_secs(5)).await;
        let read = ReadChunk {
            database: "0".into(),
            table: "keys".into(),
            columns: vec!["key".into()],
            after: None,
            limit: 9,
        };
        let chunk = reader.read(&read).await.expect("a chunk");
        assert_eq!(chunk.rows.concat(), [text("a"), text("brief")]);
        assert_eq!(reader.databases().await.expect("databases").len(), 1);
        let tail = reader.changes(facts.position, 99).await.expect("changes");
        assert_eq!(tail.len(), 4, "b, a, c, and brief that went");
        assert!(tail.iter().all(|change| change.at > facts.at));
        assert_eq!(writer.read(&read).await.expect("a chunk").rows.concat(), [text("b")]);
    });
}
