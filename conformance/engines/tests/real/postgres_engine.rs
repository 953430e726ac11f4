//! PostgreSQL in containers: backups into the vault, and recovery into a new server up to a time.

use crate::ground::ground;
use crate::postgres::birth;
use crate::{Test, wait};
use engines::docker::Docker;
use engines::engine::{Engine, Ground, Kept, Restore, Server};
use engines::images::Image;
use engines::postgres::PostgresEngine;
use object_store::path::Path;
use recovery::model::Secret;
use recovery::model::backup::{BackupKind, Held};
use recovery::model::content::Value;
use recovery::model::instance::{FirstAccount, Grants, Rights};
use recovery::model::photograph::Photograph;
use recovery::ports::Session;
use recovery::ports::cloud::{AccountOrder, CloudError};
use recovery::ports::database::{DatabaseError, Login};

/// The tests.
pub const TESTS: &[Test] = &[
    ("a_server_comes_back_as_of_any_time_its_backups_reach", || {
        wait(a_server_comes_back_as_of_any_time_its_backups_reach())
    }),
    ("accounts_have_the_rights_they_are_given_and_settings_hold", || {
        wait(accounts_have_the_rights_they_are_given_and_settings_hold())
    }),
];

const ACCOUNT: &str = "app's \"account\"";

/// The ground and every PostgreSQL image that is here.
async fn images() -> (Ground, Vec<Image>) {
    let docker = Docker::connect().await.expect("a container engine");
    let here = docker.images().await.expect("images");
    let names: Vec<String> = match std::env::var("FIREDRILL_IMAGE_POSTGRES") {
        Ok(named) => named.split(',').map(str::to_owned).collect(),
        Err(_) => here.into_iter().filter(|name| name.contains("postgres:")).collect(),
    };
    assert!(!names.is_empty(), "no image of PostgreSQL is here");
    (ground(docker), names.iter().map(|name| name.parse().expect("an image")).collect())
}

async fn session(
    server: &Server,
    account: &str,
    password: &Secret,
    ssl: bool,
) -> Result<Box<dyn Session>, DatabaseError> {
    let endpoint = server.container.endpoint().await.expect("an endpoint");
    let login = Login { account: account.to_owned(), password: password.clone(), ssl };
    PostgresEngine.database().connect(&endpoint, &login).await
}

async fn sql(session: &mut dyn Session, sql: &str) -> Vec<Vec<Value>> {
    session.run("app", sql).await.unwrap_or_else(|error| panic!("{sql}: {error}")).rows
}

fn account(rights: Rights) -> FirstAccount {
    FirstAccount { name: ACCOUNT.to_owned(), password: Secret::new("p'w\\d"), grants: Grants::all(rights) }
}

async fn kept(ground: &Ground, server: &Server, name: &str, kind: BackupKind, after: u64) -> Kept {
    let place = Path::from(format!("backups/{name}"));
    let held = PostgresEngine
        .back_up(ground, server, &place, kind, after)
        .await
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    Kept { backup: name.into(), place, held }
}

async fn photograph(ground: &Ground, server: &Server) -> Photograph {
    let taken = PostgresEngine.photograph(ground, server, None).await.expect("a photograph");
    Photograph { log_position: 0, ..taken }
}

async fn a_server_comes_back_as_of_any_time_its_backups_reach() {
    let (ground, images) = images().await;
    for image in images {
        println!("{image}");
        comes_back(&ground, image).await;
    }
    ground.docker.close().await.expect("closed");
}

async fn comes_back(ground: &Ground, image: Image) {
    let first = account(Rights::ReadWrite);
    let server = PostgresEngine.begin(ground, &birth("shop", &image), Some(&first)).await.expect("a server");
    let mut app = session(&server, ACCOUNT, &first.password, false).await.expect("a session");
    let make = "create type mood as enum ('ok'); create table orders (id serial primary key, item text, m mood default 'ok'); \
        insert into orders (item) values ('lamp'); create view v as select * from orders";
    sql(&mut *app, make).await;
    let data = kept(ground, &server, "data", BackupKind::Data, 0).await;
    let at_backup = photograph(ground, &server).await;
    sql(&mut *app, "insert into orders (item) values ('desk')").await;
    let log_one = kept(ground, &server, "log one", BackupKind::Log, data.held.to_position).await;
    sql(&mut *app, "insert into orders (item) values ('chair'); create table more (id int)").await;
    let before_mistake = photograph(ground, &server).await;
    let times =
        sql(&mut *app, "select to_char(clock_timestamp() at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
            .await;
    let Value::Text(until) = &times[0][0] else { panic!("no time: {times:?}") };
    let until: jiff::Timestamp = until.parse().expect("a time");
    sql(&mut *app, "drop table orders cascade").await;
    let log_two = kept(ground, &server, "log two", BackupKind::Log, log_one.held.to_position).await;
    let Held { from_position, from_time, .. } = log_two.held;
    assert_eq!((from_position, from_time), (log_one.held.to_position, log_one.held.to_time));
    let at_end = photograph(ground, &server).await;
    let restore = |logs: &[&Kept], until| Restore {
        data: data.clone(),
        logs: logs.iter().map(|log| (*log).clone()).collect(),
        until,
    };
    let cases = [
        (restore(&[], None), at_backup),
        (restore(&[&log_one, &log_two], Some(until)), before_mistake),
        (restore(&[&log_one, &log_two], Some(log_two.held.to_time)), at_end),
    ];
    for (restore, expected) in cases {
        let born = birth("rescue", &image);
        let (rescue, as_of) = PostgresEngine.restore(ground, &born, &restore).await.expect("a restored server");
        assert_eq!(as_of, Some(restore.until.unwrap_or(data.held.to_time)));
        assert_eq!(photograph(ground, &rescue).await, expected);
        let mut app = session(&rescue, ACCOUNT, &first.password, false).await.expect("the account came along");
        sql(&mut *app, "create table written (id int primary key); insert into written values (1)").await;
        let again = kept(ground, &rescue, "of the restored", BackupKind::Data, 0).await;
        assert!(again.held.size_bytes > 0);
        rescue.container.remove().await.expect("removed");
    }
    refuses(ground, &image, &data, &log_one, &log_two).await;
    server.container.remove().await.expect("removed");
}

async fn refuses(ground: &Ground, image: &Image, data: &Kept, log_one: &Kept, log_two: &Kept) {
    let second = jiff::SignedDuration::from_secs(1);
    let early = data.held.to_time - second;
    let late = log_two.held.to_time + second;
    let cases = [
        (vec![log_one.clone()], early, "is before the end of the data backup"),
        (vec![log_one.clone(), log_two.clone()], late, "is beyond the end of the log"),
        (vec![log_two.clone()], log_two.held.to_time, "a gap"),
    ];
    for (logs, until, why) in cases {
        let restore = Restore { data: data.clone(), logs, until: Some(until) };
        let refused = PostgresEngine.restore(ground, &birth("rescue", image), &restore).await.err();
        assert!(refused.as_ref().is_some_and(|error| error.to_string().contains(why)), "{why}: {refused:?}");
    }
}

async fn accounts_have_the_rights_they_are_given_and_settings_hold() {
    let (ground, images) = images().await;
    for image in images {
        println!("{image}");
        let server = PostgresEngine
            .begin(&ground, &birth("shop", &image), Some(&account(Rights::ReadWrite)))
            .await
            .expect("a server");
        rights(&ground, &server).await;
        settings(&server).await;
        server.container.remove().await.expect("removed");
    }
    ground.docker.close().await.expect("closed");
}

async fn rights(ground: &Ground, server: &Server) {
    let password = account(Rights::None).password;
    let mut writer = session(server, ACCOUNT, &password, false).await.expect("a session");
    sql(&mut *writer, "create table a (id int); create table b (id int); insert into a values (1)").await;
    assert_eq!(writer.facts().await.expect("facts").grants, Grants::all(Rights::ReadWrite));
    let same = AccountOrder::Create(account(Rights::ReadWrite));
    assert_eq!(PostgresEngine.account(server, &same).await, Ok(()), "the same order again");
    let other = AccountOrder::Create(account(Rights::ReadOnly));
    assert_eq!(PostgresEngine.account(server, &other).await, Err(CloudError::AccountExists(ACCOUNT.into())));
    let reader = FirstAccount { name: "reader".into(), ..account(Rights::ReadOnly) };
    PostgresEngine.account(server, &AccountOrder::Create(reader.clone())).await.expect("a reader");
    let mut reads = session(server, "reader", &password, false).await.expect("a session");
    assert_eq!(sql(&mut *reads, "select id from a").await, [vec![Value::Integer(1)]]);
    sql(&mut *writer, "create table later (id int)").await;
    assert!(reads.run("app", "select id from later").await.is_ok());
    assert!(matches!(reads.run("app", "insert into a values (2)").await, Err(DatabaseError::NotPermitted { .. })));
    let mut grants = Grants::all(Rights::ReadWrite);
    grants.exceptions.insert("app.b".into(), Rights::None);
    let order = AccountOrder::Grants { name: "reader".into(), grants: grants.clone() };
    PostgresEngine.account(server, &order).await.expect("granted");
    let mut reads = session(server, "reader", &password, false).await.expect("a session");
    assert!(reads.run("app", "insert into a values (2)").await.is_ok());
    assert!(matches!(reads.run("app", "select * from b").await, Err(DatabaseError::NotPermitted { .. })));
    let changed = AccountOrder::Password { name: "reader".into(), password: Secret::new("new") };
    PostgresEngine.account(server, &changed).await.expect("changed");
    assert!(matches!(session(server, "reader", &password, false).await.err(), Some(DatabaseError::AccessDenied(_))));
    ground.passwords.note("reader", &Secret::new("new"));
    let photograph = photograph(ground, server).await;
    assert_eq!(photograph.accounts["reader"].grants, grants);
    assert_eq!(
        photograph.accounts["reader"].password_mark,
        recovery::model::photograph::password_mark(&Secret::new("new"))
    );
    let gone = AccountOrder::Drop { name: "reader".into() };
    assert_eq!(PostgresEngine.account(server, &gone).await, Ok(()));
    assert_eq!(PostgresEngine.account(server, &gone).await, Err(CloudError::NoSuchAccount("reader".into())));
    assert_eq!(PostgresEngine.accounts(server).await.expect("accounts").len(), 1);
}

async fn settings(server: &Server) {
    let password = account(Rights::None).password;
    assert_eq!(session(server, ACCOUNT, &password, true).await.err(), Some(DatabaseError::SslDisabled));
    let mut configuration = birth("shop", &"a:1".parse().expect("an image")).configuration;
    configuration.ssl = true;
    configuration.parameters.insert("statement_timeout".into(), "54321".into());
    PostgresEngine.configure(server, &configuration).await.expect("configured");
    let mut encrypted = None;
    // The server takes settings over a moment after it is told to.
    for _ in 0..50 {
        encrypted = session(server, ACCOUNT, &password, true).await.ok();
        if encrypted.is_some() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let mut encrypted = encrypted.expect("an encrypted session");
    let facts = encrypted.facts().await.expect("facts");
    assert_eq!(facts.parameters.get("statement_timeout").map(String::as_str), Some("54321"));
    assert_eq!(facts.parameters.get("time_zone").map(String::as_str), Some("UTC"));
    let seen = sql(&mut *encrypted, "set role none; select ssl from pg_stat_ssl where pid = pg_backend_pid()").await;
    assert_eq!(seen, [vec![Value::Text("t".into())]]);
}
