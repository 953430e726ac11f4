//! Redis and Valkey servers in containers: backups are taken on the replica and give back what they held.

use crate::ground::{self, grounds};
use crate::{Test, wait};
use engines::engine::{Birth, Engine, Ground, Kept, Restore, Server};
use engines::images::{Family, Image};
use engines::redis::RedisServers;
use object_store::ObjectStoreExt;
use object_store::path::Path;
use recovery::model::Secret;
use recovery::model::backup::{BackupKind, Node};
use recovery::model::content::Value;
use recovery::model::instance::{FirstAccount, Grants, Rights};
use recovery::model::photograph::{Rows, password_mark};
use recovery::ports::Session;
use recovery::ports::cloud::{AccountOrder, CloudError};
use recovery::ports::database::{DatabaseError, Login};

/// The tests.
pub const TESTS: &[Test] =
    &[("a_backup_of_the_replica_gives_back_what_it_held", || wait(a_backup_of_the_replica_gives_back_what_it_held()))];

fn birth(instance: &str, image: &Image) -> Birth {
    let mut birth = ground::birth(instance, "redis 7.0", image);
    birth.configuration.backup_policy.log_backup = false;
    birth
}

async fn session(engine: &RedisServers, server: &Server, account: &str) -> Box<dyn Session> {
    let endpoint = server.container.endpoint().await.expect("an endpoint");
    let login = Login { account: account.into(), password: Secret::new("s3cret"), ssl: false };
    engine.database().connect(&endpoint, &login).await.expect("a session")
}

async fn rehearse(ground: &Ground, family: Family, image: &Image) {
    let engine = RedisServers::new(family);
    let account =
        FirstAccount { name: "app".into(), password: Secret::new("s3cret"), grants: Grants::all(Rights::ReadWrite) };
    let server = engine.begin(ground, &birth("r-a", image), Some(&account)).await.expect("begun");
    let mut app = session(&engine, &server, "app").await;
    assert_eq!(app.facts().await.expect("facts").grants, Grants::all(Rights::ReadWrite));
    let made = "SET a old\nHSET h f v\nRPUSH l 1 2\nSADD s x y\nZADD z 1.5 m\nSET soon x\nPEXPIREAT soon 4102444800123";
    app.run("0", made).await.expect("made");
    app.run("3", "SET \"\\xff\" \"\\x00\"").await.expect("made");
    app.claim("dts-1", 7).await.expect("claimed");
    let then = engine.photograph(ground, &server, None).await.expect("photographed");
    let follower = engine.photograph(ground, &server, Some(Node::Replica)).await.expect("photographed");
    assert_eq!(then.databases, follower.databases);
    assert_eq!(then.accounts["app"].password_mark, password_mark(&Secret::new("s3cret")));
    let place = Path::from("backups/r-a/bk-1");
    let held = engine.back_up(ground, &server, &place, BackupKind::Data, 0).await.expect("backed up");
    assert_eq!(held.node, Some(Node::Replica));
    assert!(engine.back_up(ground, &server, &place, BackupKind::Log, 0).await.is_err());
    app.run("0", "SET a new\nDEL h\nSET later 1").await.expect("changed");
    let data = Kept { backup: "bk-1".into(), place, held };
    let restore = Restore { data: data.clone(), logs: Vec::new(), until: None };
    let (clone, as_of) = engine.restore(ground, &birth("r-b", image), &restore).await.expect("restored");
    assert_eq!(as_of, Some(data.held.to_time));
    let found = engine.photograph(ground, &clone, None).await.expect("photographed");
    assert_eq!((&found.databases, &found.accounts), (&then.databases, &then.accounts));
    let keys = found.databases["0"].table("keys").and_then(|keys| keys.rows.clone());
    let Some(Rows::Whole { rows, .. }) = keys else { panic!("{keys:?}") };
    assert!(rows.iter().any(|row| row[3] == Value::Integer(4_102_444_800_123)));
    let mut copy = session(&engine, &clone, "app").await;
    copy.claim("dts-1", 1).await.expect("claims are not restored");
    copy.run("0", "SET written 1").await.expect("written");
    clone.container.kill().await.expect("killed");
    clone.container.restart().await.expect("started");
    engine.wait(&clone).await.expect("answers");
    let mut copy = session(&engine, &clone, "app").await;
    assert_eq!(copy.run("0", "GET written").await.expect("read").rows, [[Value::Text("1".into())]], "kept on disk");
    for container in [Some(&clone.container), clone.replica.as_ref()].into_iter().flatten() {
        container.remove().await.expect("removed");
    }
    engine.overwrite(ground, &server, &data).await.expect("overwritten");
    let found = engine.photograph(ground, &server, None).await.expect("photographed");
    assert_eq!((&found.databases, &found.accounts), (&then.databases, &then.accounts));
    let follower = engine.photograph(ground, &server, Some(Node::Replica)).await.expect("photographed");
    assert_eq!(follower.databases, then.databases, "its replica has it, too");
    let mut app = session(&engine, &server, "app").await;
    assert_eq!(app.claim("dts-1", 6).await, Err(DatabaseError::Fenced(7)), "claims stay");
    rights(ground, &engine, &server).await;
    let bytes = ground.vault.get(&data.place).await.expect("there").bytes().await.expect("read");
    let mut damaged = bytes.to_vec();
    damaged[bytes.len() / 2] ^= 1;
    ground.vault.put(&data.place, damaged.into()).await.expect("written");
    let refused = engine.restore(ground, &birth("r-c", image), &restore).await.err();
    assert!(matches!(&refused, Some(CloudError::BackupUnreadable { backup, .. }) if backup.as_str() == "bk-1"));
}

async fn rights(ground: &Ground, engine: &RedisServers, server: &Server) {
    for rights in [Rights::None, Rights::ReadOnly, Rights::ReadWrite, Rights::Owner] {
        let (name, grants) = (format!("{rights:?}"), Grants::all(rights));
        let account = FirstAccount { name: name.clone(), password: Secret::new("s3cret"), grants: grants.clone() };
        ground.passwords.note(&name, &account.password);
        engine.account(server, &AccountOrder::Create(account)).await.expect("made");
        let all = engine.accounts(server).await.expect("listed");
        assert_eq!(all.iter().find(|account| account.name == name).map(|account| &account.grants), Some(&grants));
        if rights != Rights::None {
            let mut own = session(engine, server, &name).await;
            assert_eq!(own.facts().await.expect("facts").grants, grants);
        }
    }
    let mut reader = session(engine, server, "ReadOnly").await;
    reader.run("0", "GET a").await.expect("read");
    let refused = reader.run("0", "SET a 1").await;
    assert!(matches!(refused, Err(DatabaseError::NotPermitted { .. })), "{refused:?}");
    let drop = AccountOrder::Drop { name: "ReadOnly".into() };
    engine.account(server, &drop).await.expect("dropped");
    assert_eq!(engine.account(server, &drop).await, Err(CloudError::NoSuchAccount("ReadOnly".into())));
}

async fn a_backup_of_the_replica_gives_back_what_it_held() {
    let (ground, images) = grounds(&[Family::Redis, Family::Valkey]).await;
    for (family, image) in images {
        rehearse(&ground, family, &image).await;
    }
    ground.docker.close().await.expect("closed");
}
