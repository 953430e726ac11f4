//! The operator's faults of servers and of the vault, in the whole world.

use crate::world::{Control, Damage, DamageError, Stage, WorldOptions, run};
use jiff::{SignedDuration, Timestamp};
use recovery::model::backup::{BackupKind, Held};
use recovery::model::instance::{BackupPolicy, Configuration, FirstAccount, Grants, Rights};
use recovery::model::{BackupId, InstanceId, Secret, SetId};
use recovery::ports::cloud::{CloudError, Content, InstanceOrder, Made, RestoreOrder, backup_place};
use recovery::ports::database::{Login, Session};
use std::collections::{BTreeMap, BTreeSet};

fn order(instance: &str, content: Content) -> InstanceOrder {
    let backup_policy = BackupPolicy {
        weekdays: BTreeSet::new(),
        hour: 0,
        log_backup: true,
        data_retention_days: 7,
        log_retention_days: 7,
    };
    let configuration = Configuration {
        whitelist: BTreeSet::from(["0.0.0.0/0".to_owned()]),
        ssl: false,
        parameters: BTreeMap::new(),
        backup_policy,
        alarm_thresholds: BTreeMap::new(),
    };
    let product = "mysql 5.7".parse().unwrap();
    InstanceOrder { instance: InstanceId::from(instance), product, configuration, content, life_s: None }
}

fn shop() -> InstanceId {
    InstanceId::from("rm-shop")
}

async fn session(stage: &Stage, made: &Made) -> Box<dyn Session> {
    let login = Login { account: "app".into(), password: Secret::new("s3cret"), ssl: false };
    stage.ports.database.connect(&made.endpoint, &login).await.unwrap()
}

/// A shop with a row before each of two data backups and one before each of two log backups.
async fn shop_with_backups(stage: &Stage) -> Held {
    let account =
        FirstAccount { name: "app".into(), password: Secret::new("s3cret"), grants: Grants::all(Rights::Owner) };
    let made = stage.ports.cloud.create(&order("rm-shop", Content::Empty { account: Some(account) })).await.unwrap();
    let mut session = session(stage, &made).await;
    session.run("app", "create table t (id int primary key); insert into t values (1)").await.unwrap();
    let back_up = |backup: &'static str, kind, after| {
        let cloud = stage.ports.cloud.clone();
        async move { cloud.back_up(&shop(), &BackupId::from(backup), kind, after).await.unwrap() }
    };
    let first = back_up("bk-z-data", BackupKind::Data, 0).await;
    session.run("app", "insert into t values (2)").await.unwrap();
    let log = back_up("bk-y-log", BackupKind::Log, first.to_position).await;
    session.run("app", "insert into t values (3)").await.unwrap();
    let log = back_up("bk-b-log", BackupKind::Log, log.to_position).await;
    back_up("bk-a-data", BackupKind::Data, 0).await;
    log
}

async fn restored(
    stage: &Stage,
    name: &str,
    data: &str,
    logs: &[&str],
    until: Option<Timestamp>,
) -> Result<usize, CloudError> {
    let logs = logs.iter().map(|log| BackupId::from(*log)).collect();
    let restore = RestoreOrder { of: shop(), data: BackupId::from(data), logs, until };
    let id = InstanceId::from(name);
    let made = stage.ports.cloud.create(&order(name, Content::Restored(restore))).await;
    let made = match made {
        Ok(made) => made,
        Err(error) => {
            stage.ports.cloud.destroy(&id).await.unwrap();
            return Err(error);
        }
    };
    let rows = session(stage, &made).await.run("app", "select id from t").await.unwrap().rows.len();
    stage.ports.cloud.destroy(&id).await.unwrap();
    Ok(rows)
}

fn unreadable(outcome: &Result<usize, CloudError>, backup: &str) -> bool {
    matches!(outcome, Err(CloudError::BackupUnreadable { backup: named, .. }) if named.as_str() == backup)
}

#[test]
fn a_damaged_backup_is_never_restored_and_the_others_still_are() {
    for damage in [Damage::Corrupt, Damage::Missing, Damage::Half] {
        run(&WorldOptions::default(), move |stage: Stage| async move {
            let control: &Control = &stage.control;
            let reached = shop_with_backups(&stage).await.to_time;
            let (shop, id) = (shop(), |name: &str| BackupId::from(name));
            let newest = |kind| control.newest_backup(&shop, kind);
            assert_eq!(newest(BackupKind::Data).await, Ok(Some(id("bk-a-data"))), "the newest, whatever its name");
            assert_eq!(newest(BackupKind::Log).await, Ok(Some(id("bk-b-log"))));
            control.damage_backup(&shop, &id("bk-a-data"), damage).await.unwrap();
            let lost = restored(&stage, "rm-new", "bk-a-data", &[], None).await;
            assert!(unreadable(&lost, "bk-a-data"), "{lost:?}");
            assert_eq!(newest(BackupKind::Data).await, Ok(Some(id("bk-z-data"))));
            assert_eq!(restored(&stage, "rm-new", "bk-z-data", &[], None).await, Ok(1));
            let logs = ["bk-y-log", "bk-b-log"];
            assert_eq!(restored(&stage, "rm-new", "bk-z-data", &logs, Some(reached)).await, Ok(3));
            control.damage_backup(&shop, &id("bk-y-log"), damage).await.unwrap();
            let lost = restored(&stage, "rm-new", "bk-z-data", &logs, Some(reached)).await;
            assert!(unreadable(&lost, "bk-y-log"), "{lost:?}");
            let gap = restored(&stage, "rm-new", "bk-z-data", &["bk-b-log"], Some(reached)).await;
            assert!(unreadable(&gap, "bk-b-log"), "a gap is never jumped: {gap:?}");
        })
        .unwrap();
    }
}

#[test]
fn the_same_seed_damages_the_same_bytes() {
    let damaged = |seed: u64| {
        let options = WorldOptions { seed, ..WorldOptions::default() };
        let ran = run(&options, |stage: Stage| async move {
            shop_with_backups(&stage).await;
            let (control, backup) = (&stage.control, BackupId::from("bk-a-data"));
            let place = backup_place(&shop(), &backup);
            let read =
                async || stage.ports.vault.get_opts(&place, Default::default()).await.unwrap().bytes().await.unwrap();
            let before = read().await;
            control.damage_backup(&shop(), &backup, Damage::Corrupt).await.unwrap();
            let after = read().await;
            assert_eq!(before.len(), after.len());
            let changed = before.iter().zip(after.iter()).enumerate().filter(|(_, (was, is))| was != is);
            changed.map(|(at, _)| at).collect::<Vec<_>>()
        });
        ran.unwrap().0
    };
    assert!(!damaged(1).is_empty());
    assert_eq!(damaged(1), damaged(1));
    assert_ne!(damaged(1), damaged(2));
}

#[test]
fn what_is_not_there_cannot_be_harmed() {
    run(&WorldOptions::default(), |stage: Stage| async move {
        shop_with_backups(&stage).await;
        let (control, none) = (&stage.control, InstanceId::from("rm-none"));
        let gone = DamageError::NoSuchInstance(none.clone());
        assert_eq!(control.failover(&none), Err(gone.clone()));
        assert_eq!(control.set_version(&none, "mysql 8.0".parse().unwrap()), Err(gone.clone()));
        assert_eq!(control.replica_lag(&none, 5), Err(gone.clone()));
        assert_eq!(control.replica_lag(&shop(), 5), Err(DamageError::NoReplica(shop())));
        assert_eq!(control.time_zone(&none, "UTC"), Err(gone.clone()));
        assert!(matches!(control.time_zone(&shop(), "Mars/Olympus"), Err(DamageError::NoSuchZone { .. })));
        assert!(matches!(control.set_version(&shop(), "redis 5.0".parse().unwrap()), Err(DamageError::OtherEngine { .. })));
        assert!(matches!(control.full_disk("service", true), Err(DamageError::NoSuchMachine { known, .. }) if known.starts_with("machine-1, ")));
        let missing = control.damage_backup(&shop(), &BackupId::from("bk-none"), Damage::Half).await;
        assert!(matches!(missing, Err(DamageError::NotInVault(_))), "{missing:?}");
        let missing = control.damage_set(&SetId::from("set-none"), Damage::Half).await;
        assert!(matches!(missing, Err(DamageError::NotInVault(_))), "{missing:?}");
        assert_eq!(control.newest_backup(&none, BackupKind::Data).await, Ok(None));
        assert_eq!(control.vanish(&none), Err(gone));
        assert_eq!(control.vanish(&shop()), Ok(()));
        stage.ports.clock.sleep(SignedDuration::from_secs(1)).await;
        assert!(control.photograph(&shop()).is_none() && control.machine_of(&shop()).is_none());
    })
    .unwrap();
}
