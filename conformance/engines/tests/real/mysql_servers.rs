//! MySQL and MariaDB servers in containers: their backups give what they held, to the second asked for.

use crate::ground::{self, grounds};
use crate::{Test, wait};
use engines::engine::{Birth, Engine, Ground, Kept, Restore, Server};
use engines::images::{Family, Image};
use engines::mysql::MySqlServers;
use jiff::{SignedDuration, Timestamp};
use object_store::ObjectStoreExt;
use object_store::path::Path;
use recovery::model::Secret;
use recovery::model::backup::{BackupKind, Held};
use recovery::model::content::Value;
use recovery::model::instance::{FirstAccount, Grants, Rights};
use recovery::model::photograph::{Rows, password_mark};
use recovery::ports::Session;
use recovery::ports::cloud::{AccountOrder, CloudError};
use recovery::ports::database::Login;

/// The tests.
pub const TESTS: &[Test] = &[
    ("what_was_dropped_comes_back_to_the_second", || wait(what_was_dropped_comes_back_to_the_second())),
    ("accounts_have_the_rights_they_are_given", || wait(accounts_have_the_rights_they_are_given())),
];

fn birth(instance: &str, image: &Image, ssl: bool) -> Birth {
    let mut birth = ground::birth(instance, "mysql 8.0", image);
    birth.configuration.ssl = ssl;
    birth
}

fn app() -> FirstAccount {
    FirstAccount { name: "app".into(), password: Secret::new("s3cret-one"), grants: Grants::all(Rights::ReadWrite) }
}

async fn session(engine: &MySqlServers, server: &Server, password: &str, ssl: bool) -> Box<dyn Session> {
    let endpoint = server.container.endpoint().await.expect("an endpoint");
    let login = Login { account: "app".into(), password: Secret::new(password), ssl };
    engine.database().connect(&endpoint, &login).await.expect("a session")
}

async fn count(session: &mut dyn Session) -> i64 {
    match session.run("app", "select count(*) from orders").await.expect("counted").rows[0][0] {
        Value::Integer(count) => count,
        ref other => panic!("{other:?}"),
    }
}

/// Waits until a second of the server's own clock has just begun, and gives it.
async fn full_second(session: &mut dyn Session) -> Timestamp {
    let now = session.facts().await.expect("facts").now;
    let next = Timestamp::from_second(now.as_second() + 1).expect("a time");
    tokio::time::sleep(now.duration_until(next).try_into().expect("a while")).await;
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    next
}

fn kept(name: &str, place: &Path, held: &Held) -> Kept {
    Kept { backup: name.into(), place: place.clone(), held: held.clone() }
}

const MADE: &str = "create table orders (id int primary key, item varchar(40), f float);
create view items as select item from orders;
create trigger t before insert on orders for each row set new.item = upper(new.item);
insert into orders values (1, 'lamp', 16777217.25), (2, 'désk 😀', 0.1);";

async fn rehearse(ground: &Ground, family: Family, image: &Image) {
    let engine = MySqlServers::new(family);
    let server = engine.begin(ground, &birth("rm-a", image, true), Some(&app())).await.expect("begun");
    let mut app = session(&engine, &server, "s3cret-one", true).await;
    app.run("app", MADE).await.expect("made");
    let data = Path::from("backups/rm-a/bk-1");
    let held = engine.back_up(ground, &server, &data, BackupKind::Data, 0).await.expect("backed up");
    app.run("app", "insert into orders values (3, 'chair', 1)").await.expect("written");
    let order = AccountOrder::Password { name: "app".into(), password: Secret::new("s3cret-two") };
    ground.passwords.note("app", &Secret::new("s3cret-two"));
    engine.account(&server, &order).await.expect("changed");
    let mut app = session(&engine, &server, "s3cret-two", false).await;
    let first = Path::from("backups/rm-a/bk-2");
    let one = engine.back_up(ground, &server, &first, BackupKind::Log, held.to_position).await.expect("backed up");
    app.run("app", "insert into orders values (4, 'rug', 2)").await.expect("written");
    let until = full_second(app.as_mut()).await;
    let before = engine.photograph(ground, &server, None).await.expect("photographed");
    app.run("app", "drop table orders").await.expect("dropped");
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    let second = Path::from("backups/rm-a/bk-3");
    let two = engine.back_up(ground, &server, &second, BackupKind::Log, one.to_position).await.expect("backed up");
    assert!(held.to_time <= one.to_time && one.to_time < until && until < two.to_time);
    let logs = vec![kept("bk-2", &first, &one), kept("bk-3", &second, &two)];
    let mut restore = Restore { data: kept("bk-1", &data, &held), logs, until: Some(until) };
    let (rescue, as_of) = engine.restore(ground, &birth("rm-b", image, false), &restore).await.expect("restored");
    assert_eq!(as_of, Some(until));
    let found = engine.photograph(ground, &rescue, None).await.expect("photographed");
    assert_eq!(found.databases, before.databases);
    assert_eq!(found.accounts, before.accounts);
    assert_eq!(found.accounts["app"].password_mark, password_mark(&Secret::new("s3cret-two")));
    let orders = found.databases["app"].table("orders").expect("there");
    assert!(matches!(&orders.rows, Some(Rows::Whole { rows, .. }) if rows.len() == 4), "{orders:?}");
    let mut back = session(&engine, &rescue, "s3cret-two", false).await;
    assert_eq!(count(back.as_mut()).await, 4);
    rescue.container.remove().await.expect("removed");
    // The data alone, without its log.
    restore.until = None;
    let (alone, as_of) = engine.restore(ground, &birth("rm-c", image, false), &restore).await.expect("restored");
    assert_eq!(as_of, Some(held.to_time));
    assert_eq!(count(session(&engine, &alone, "s3cret-one", false).await.as_mut()).await, 2);
    alone.container.remove().await.expect("removed");
    refusals(ground, &engine, image, restore, two.to_time).await;
    server.container.remove().await.expect("removed");
}

/// What cannot be restored is refused with the reason.
async fn refusals(ground: &Ground, engine: &MySqlServers, image: &Image, restore: Restore, end: Timestamp) {
    let birth = birth("rm-d", image, false);
    let at = |time: Timestamp, seconds| time.checked_add(SignedDuration::from_secs(seconds)).expect("a time");
    for (until, said) in [(at(end, 5), "before the time"), (at(restore.data.held.to_time, -5), "after the time")] {
        let order = Restore { until: Some(until), ..restore.clone() };
        let refused = engine.restore(ground, &birth, &order).await.err();
        assert!(matches!(&refused, Some(CloudError::Failed(why)) if why.contains(said)), "{refused:?}");
    }
    let order = Restore { logs: restore.logs[1..].to_vec(), until: Some(end), ..restore.clone() };
    let refused = engine.restore(ground, &birth, &order).await.err();
    assert!(matches!(&refused, Some(CloudError::BackupUnreadable { backup, .. }) if backup.as_str() == "bk-3"));
    let bytes = ground.vault.get(&restore.data.place).await.expect("there").bytes().await.expect("read");
    let mut damaged = bytes.to_vec();
    damaged[bytes.len() / 2] ^= 1;
    ground.vault.put(&restore.data.place, damaged.into()).await.expect("written");
    let refused = engine.restore(ground, &birth, &restore).await.err();
    assert!(matches!(&refused, Some(CloudError::BackupUnreadable { backup, .. }) if backup.as_str() == "bk-1"));
}

async fn what_was_dropped_comes_back_to_the_second() {
    let (ground, images) = grounds(&[Family::MariaDb, Family::MySql]).await;
    for (family, image) in images {
        rehearse(&ground, family, &image).await;
    }
    ground.docker.close().await.expect("closed");
}

async fn accounts_have_the_rights_they_are_given() {
    let (ground, images) = grounds(&[Family::MariaDb, Family::MySql]).await;
    for (family, image) in images {
        let engine = MySqlServers::new(family);
        let server = engine.begin(&ground, &birth("rm-r", &image, false), Some(&app())).await.expect("begun");
        let mut app = session(&engine, &server, "s3cret-one", false).await;
        app.run("app", "create table orders (id int primary key); create table secrets (id int primary key)")
            .await
            .expect("made");
        app.claim("dts-1", 1).await.expect("an ordinary account may claim");
        assert_eq!(app.facts().await.expect("facts").grants, Grants::all(Rights::ReadWrite));
        let mut grants = Grants::all(Rights::ReadOnly);
        for rights in [Rights::None, Rights::ReadOnly, Rights::ReadWrite, Rights::Owner] {
            let (name, grants) = (format!("{rights:?}"), Grants::all(rights));
            let account = FirstAccount { name: name.clone(), password: Secret::new("x'y\\z"), grants: grants.clone() };
            engine.account(&server, &AccountOrder::Create(account)).await.expect("made");
            let all = engine.accounts(&server).await.expect("listed");
            assert_eq!(all.iter().find(|account| account.name == name).map(|account| &account.grants), Some(&grants));
        }
        grants.exceptions.insert("app.secrets".into(), Rights::None);
        engine
            .account(&server, &AccountOrder::Grants { name: "app".into(), grants: grants.clone() })
            .await
            .expect("granted");
        let mut app = session(&engine, &server, "s3cret-one", false).await;
        app.run("app", "select * from orders").await.expect("read");
        assert!(app.run("app", "select * from secrets").await.is_err());
        assert!(app.run("app", "insert into orders values (1)").await.is_err());
        let own = app.facts().await.expect("facts").grants;
        assert_eq!((own.on("app", "orders"), own.on("app", "secrets")), (Rights::ReadOnly, Rights::None));
        let drop = AccountOrder::Drop { name: "app".into() };
        engine.account(&server, &drop).await.expect("dropped");
        assert_eq!(engine.account(&server, &drop).await, Err(CloudError::NoSuchAccount("app".into())));
        server.container.remove().await.expect("removed");
    }
    ground.docker.close().await.expect("closed");
}
