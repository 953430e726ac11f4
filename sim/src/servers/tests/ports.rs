//! The ports over the network of the simulated world: orders, sessions, timeouts, crashes.

use super::super::{MachineHost, Rack, SimCloud, SimDatabase, run_machine, timing};
use super::{account, configuration, login};
use crate::world::{EngineOptions, Faults, HostKit, HostPlan, drive};
use jiff::SignedDuration;
use object_store::memory::InMemory;
use recovery::model::backup::BackupKind;
use recovery::model::instance::{Configuration, Rights};
use recovery::model::{BackupId, InstanceId};
use recovery::ports::cloud::{AccountOrder, CloudError, Content, InstanceOrder, RestoreOrder};
use recovery::ports::database::{DatabaseError, ReadChunk};
use recovery::ports::{Cloud, Database, Session, Vault};
use std::future::Future;
use std::sync::Arc;

pub(super) struct Site {
    pub cloud: SimCloud,
    pub database: SimDatabase,
    pub rack: Rack,
    pub vault: Vault,
    pub kit: HostKit,
    pub faults: Faults,
}

impl Site {
    pub async fn session(&self, endpoint: &str) -> Box<dyn Session> {
        self.database.connect(endpoint, &login("app")).await.expect("a session")
    }

    async fn shop(&self) -> (String, Box<dyn Session>) {
        let endpoint = self.cloud.create(&empty("rm-shop")).await.expect("an instance").endpoint;
        let session = self.session(&endpoint).await;
        (endpoint, session)
    }
}

/// Runs a story on two machines.
pub(super) fn play<Fut: Future<Output = ()> + 'static>(story: impl FnOnce(Site) -> Fut + 'static) {
    let vault: Vault = Arc::new(InMemory::new());
    let rack = Rack::new(3, ["machine-1", "machine-2"]);
    let machine = |name: &str| {
        let (vault, rack) = (vault.clone(), rack.clone());
        HostPlan::new(name, move |kit: HostKit| {
            let (vault, rack) = (vault.clone(), rack.clone());
            async move {
                let HostKit { name, clock, network, .. } = kit;
                let _ = run_machine(MachineHost { name, clock, network, vault, rack }).await;
            }
        })
    };
    let hosts = vec![machine("machine-1"), machine("machine-2")];
    let done = drive(&EngineOptions::default(), hosts, move |kit, faults| {
        let (clock, network) = (kit.clock.clone(), kit.network.clone());
        let cloud = SimCloud::new(clock.clone(), network.clone(), vault.clone(), rack.clone());
        story(Site { cloud, database: SimDatabase::new(clock, network), rack, vault, kit, faults })
    });
    done.expect("the story comes to its end");
}

pub(super) fn empty(instance: &str) -> InstanceOrder {
    InstanceOrder {
        instance: InstanceId::from(instance),
        product: "mysql 5.7".parse().expect("a product"),
        configuration: configuration(),
        content: Content::Empty { account: Some(account("app", Rights::Owner)) },
        life_s: None,
    }
}

fn restore(instance: &str, data: &str, logs: &[&str], until: Option<jiff::Timestamp>) -> InstanceOrder {
    let logs = logs.iter().map(|log| BackupId::from(*log)).collect();
    let of = InstanceId::from("rm-shop");
    let content = Content::Restored(RestoreOrder { of, data: BackupId::from(data), logs, until });
    InstanceOrder { content, life_s: Some(3600), ..empty(instance) }
}

#[test]
fn an_instance_is_made_used_backed_up_restored_and_taken_down() {
    play(|site| async move {
        let began = site.kit.clock.now();
        let (endpoint, mut session) = site.shop().await;
        assert_eq!(endpoint, "rm-shop.machine-1:5432");
        assert!(site.kit.clock.now().duration_since(began) >= timing::CREATE);
        let shop = InstanceId::from("rm-shop");
        session.run("app", "create table t (id int primary key); insert into t values (1)").await.expect("rows");
        let held = site.cloud.back_up(&shop, &"bk-1".into(), BackupKind::Data, 0).await.expect("a backup");
        let again = site.cloud.back_up(&shop, &"bk-1".into(), BackupKind::Data, 0).await.expect("the same backup");
        assert_eq!((held.clone(), held.to_position), (again, 2));
        session.run("app", "insert into t values (2)").await.expect("a row");
        let until = site.kit.clock.now();
        session.run("app", "drop table t").await.expect("dropped");
        let log =
            site.cloud.back_up(&shop, &"bk-2".into(), BackupKind::Log, held.to_position).await.expect("a log backup");
        assert_eq!((log.from_position, log.to_position), (2, 4));
        let order = restore("rm-rescue", "bk-1", &["bk-2"], Some(until));
        let made = site.cloud.create(&order).await.expect("an instance");
        assert_eq!(made.recovered_to, Some(until));
        assert_eq!(site.cloud.create(&order).await, Ok(made.clone()), "made again, it is the same");
        let mut rescue = site.session(&made.endpoint).await;
        let read =
            ReadChunk { database: "app".into(), table: "t".into(), columns: vec!["id".into()], after: None, limit: 9 };
        assert_eq!(rescue.read(&read).await.expect("rows").rows.len(), 2);
        assert_eq!(site.cloud.create(&empty("rm-third")).await, Err(CloudError::NoCapacity));
        site.cloud.destroy(&"rm-rescue".into()).await.expect("gone");
        site.cloud.destroy(&"rm-rescue".into()).await.expect("gone still");
        assert!(matches!(rescue.facts().await, Err(DatabaseError::Unreachable(_))));
        assert_eq!(site.rack.instances(), std::slice::from_ref(&shop));
        site.cloud.create(&empty("rm-third")).await.expect("a machine is free again");
        let stale = site.database.connect(&made.endpoint, &login("app")).await.map(|_| ());
        assert!(matches!(stale, Err(DatabaseError::Unreachable(_))), "a machine's next instance is not the one before");
        site.cloud.discard_backup(&shop, &"bk-1".into()).await.expect("discarded");
        site.cloud.discard_backup(&shop, &"bk-1".into()).await.expect("discarded still");
        site.cloud.destroy(&"rm-third".into()).await.expect("gone");
        let lost = site.cloud.create(&restore("rm-late", "bk-1", &[], None)).await;
        assert!(matches!(lost, Err(CloudError::BackupUnreadable { .. })), "{lost:?}");
    });
}

#[test]
fn a_crash_of_a_machine_loses_sessions_and_no_data() {
    play(|site| async move {
        let (endpoint, mut session) = site.shop().await;
        session.claim("dts-1", 5).await.expect("claimed");
        session.run("app", "create table t (id int); insert into t values (1)").await.expect("rows");
        let before = site.rack.photograph(&"rm-shop".into());
        site.faults.crash("machine-1").await.expect("crashed");
        assert!(matches!(session.facts().await, Err(DatabaseError::Unreachable(_))));
        assert!(matches!(session.facts().await, Err(DatabaseError::Unreachable(_))), "a broken session stays so");
        assert!(site.database.connect(&endpoint, &login("app")).await.is_err());
        site.faults.bounce("machine-1").await.expect("started");
        let mut session = site.session(&endpoint).await;
        assert_eq!(session.run("app", "select id from t").await.expect("rows").rows.len(), 1);
        assert_eq!(site.rack.photograph(&"rm-shop".into()), before);
        assert_eq!(session.claim("dts-1", 4).await, Err(DatabaseError::Fenced(5)));
    });
}

#[test]
fn a_making_that_a_crash_cuts_off_succeeds_when_it_is_ordered_again() {
    play(|site| async move {
        let order = empty("rm-shop");
        let making = site.cloud.create(&order);
        let crash = async {
            site.kit.clock.sleep(SignedDuration::from_secs(1)).await;
            site.faults.crash("machine-1").await.expect("crashed");
            site.faults.bounce("machine-1").await.expect("started");
        };
        let (made, ()) = futures_util::future::join(making, crash).await;
        assert!(matches!(made, Err(CloudError::Unreachable(_))), "{made:?}");
        assert!(site.rack.instances().is_empty());
        assert!(site.rack.photograph(&"rm-shop".into()).is_none());
        assert_eq!(site.cloud.create(&order).await.expect("made").endpoint, "rm-shop.machine-1:5432");
    });
}

#[test]
fn a_machine_that_does_not_answer_is_given_up_in_time() {
    play(|site| async move {
        let (endpoint, mut session) = site.shop().await;
        site.faults.partition("operator", "machine-1").await.expect("parted");
        let began = site.kit.clock.now();
        let lost = session.run("app", "create table t (id int)").await;
        assert!(matches!(lost, Err(DatabaseError::Unreachable(_))));
        assert_eq!(site.kit.clock.now().duration_since(began), timing::REQUEST_TIMEOUT);
        assert!(site.database.connect(&endpoint, &login("app")).await.is_err());
        let order = site.cloud.accounts(&"rm-shop".into()).await;
        assert!(matches!(order, Err(CloudError::Unreachable(_))));
        site.faults.heal_all().await.expect("healed");
        assert_eq!(site.cloud.accounts(&"rm-shop".into()).await.expect("accounts").len(), 1);
    });
}

#[test]
fn sessions_end_with_their_account_and_are_fenced_by_a_later_claim() {
    play(|site| async move {
        let (endpoint, mut early) = site.shop().await;
        let shop = InstanceId::from("rm-shop");
        let mut late = site.session(&endpoint).await;
        early.claim("dts-1", 1).await.expect("claimed");
        late.claim("dts-1", 2).await.expect("claimed");
        assert_eq!(early.facts().await, Err(DatabaseError::Fenced(2)));
        assert_eq!(early.run("app", "create table t (id int)").await, Err(DatabaseError::Fenced(2)));
        let strict = Configuration { whitelist: ["elsewhere".to_owned()].into(), ..configuration() };
        site.cloud.configure(&shop, &strict).await.expect("configured");
        late.facts().await.expect("open sessions stay");
        let refused = site.database.connect(&endpoint, &login("app")).await.map(|_| ());
        assert_eq!(refused, Err(DatabaseError::NotWhitelisted("operator".into())));
        site.cloud.account(&shop, &AccountOrder::Drop { name: "app".into() }).await.expect("dropped");
        assert!(matches!(late.facts().await, Err(DatabaseError::Unreachable(_))));
        let missing = site.cloud.account(&"rm-none".into(), &AccountOrder::Drop { name: "app".into() }).await;
        assert_eq!(missing, Err(CloudError::NoSuchInstance("rm-none".into())));
    });
}

#[test]
fn a_life_that_is_over_cuts_sessions_at_its_very_end() {
    play(|site| async move {
        let order = InstanceOrder { life_s: Some(60), ..empty("rm-brief") };
        let made = site.cloud.create(&order).await.expect("an instance");
        let mut session = site.session(&made.endpoint).await;
        site.kit.clock.sleep(SignedDuration::from_secs(59)).await;
        session.facts().await.expect("it lives");
        site.kit.clock.sleep(SignedDuration::from_secs(2)).await;
        assert!(matches!(session.facts().await, Err(DatabaseError::Unreachable(_))));
        assert!(site.database.connect(&made.endpoint, &login("app")).await.is_err());
    });
}

#[test]
fn a_replica_shows_what_its_master_has() {
    play(|site| async move {
        let (_, mut session) = site.shop().await;
        session.run("app", "create table t (id int)").await.expect("a table");
        let content = Content::Replica { master: "rm-shop".into() };
        let made = site.cloud.create(&InstanceOrder { content, ..empty("rr-1") }).await.expect("a replica");
        session.run("app", "insert into t values (1)").await.expect("a row");
        let mut replica = site.session(&made.endpoint).await;
        assert_eq!(replica.run("app", "select * from t").await.expect("rows").rows.len(), 1);
        assert_eq!(site.rack.photograph(&"rr-1".into()), site.rack.photograph(&"rm-shop".into()));
        assert!(replica.create_database("other", "utf8").await.is_err());
        site.rack.stop(&"rm-shop".into());
        assert_eq!(replica.run("app", "select * from t").await.expect("rows").rows.len(), 1);
    });
}

#[test]
fn a_bad_frame_closes_the_connection_and_harms_nobody() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    play(|site| async move {
        let (_, mut session) = site.shop().await;
        for bytes in [&b"\xff\xff\xff\xffrubbish"[..], b"\x00\x00\x00\x02{]", b"\x00\x00\x00\x05\"Run\""] {
            for port in ["5432", "7000"] {
                let mut stream = site.kit.network.connect(&format!("machine-1:{port}")).await.expect("a stream");
                stream.write_all(bytes).await.expect("sent");
                let mut answer = Vec::new();
                let closed = stream.read_to_end(&mut answer);
                let closed = site.kit.clock.timeout(SignedDuration::from_secs(5), closed).await;
                assert!(closed.is_some() && answer.is_empty());
            }
        }
        session.facts().await.expect("others go on");
    });
}
