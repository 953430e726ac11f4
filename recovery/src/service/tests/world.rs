//! A small world in memory for the tests of the service: clock, network, disk, cloud.

use crate::client::{Answer, Client};
use crate::model::backup::{BackupKind, Held};
use crate::model::instance::Configuration;
use crate::model::policy::Policy;
use crate::model::views::AccountView;
use crate::model::{BackupId, InstanceId, Secret};
use crate::ports::cloud::{AccountOrder, CloudError, Content, InstanceOrder, Made};
use crate::ports::database::{DatabaseError, Login};
use crate::ports::{Clock, Cloud, Database, Dice, Disk, Listener, Network, Ports, Session, Stream, Vault};
use crate::service::{ServiceConfig, ServiceError, run};
use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use jiff::{SignedDuration, Timestamp};
use redb::StorageBackend;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;

pub(super) const TOKEN: &str = "users-token";
pub(super) const WORKER_TOKEN: &str = "workers-token";
pub(super) const PASSWORD: &str = "hunter2-s3cret";

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no test panics while it holds a lock")
}

/// Lets everything run that can run without time going on.
pub(super) async fn settle() {
    for _ in 0..300 {
        tokio::task::yield_now().await;
    }
}

pub(super) struct HandClock {
    now: Mutex<Timestamp>,
    moved: Notify,
}

impl HandClock {
    /// Lets time go on, an hour at a time at most, once nothing more happens without.
    pub(super) async fn advance(&self, mut seconds: i64) {
        settle().await;
        while seconds > 0 {
            let step = seconds.min(3_600);
            seconds -= step;
            *locked(&self.now) += SignedDuration::from_secs(step);
            self.moved.notify_waiters();
            settle().await;
        }
    }
}

#[async_trait]
impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        *locked(&self.now)
    }

    async fn sleep_until(&self, deadline: Timestamp) {
        loop {
            let mut moved = std::pin::pin!(self.moved.notified());
            moved.as_mut().enable();
            if self.now() >= deadline {
                return;
            }
            moved.await;
        }
    }
}

#[derive(Default)]
pub(super) struct Wires {
    ports: Mutex<BTreeMap<u16, mpsc::UnboundedSender<Box<dyn Stream>>>>,
}

struct Door(mpsc::UnboundedReceiver<Box<dyn Stream>>);

#[async_trait]
impl Listener for Door {
    async fn accept(&mut self) -> io::Result<(Box<dyn Stream>, String)> {
        let stream = self.0.recv().await.ok_or(io::ErrorKind::BrokenPipe)?;
        Ok((stream, "test".to_owned()))
    }
}

#[async_trait]
impl Network for Wires {
    async fn connect(&self, address: &str) -> io::Result<Box<dyn Stream>> {
        let port =
            address.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).ok_or(io::ErrorKind::InvalidInput)?;
        let (near, far) = tokio::io::duplex(1 << 16);
        let door = locked(&self.ports).get(&port).cloned().ok_or(io::ErrorKind::ConnectionRefused)?;
        door.send(Box::new(far)).map_err(|_| io::ErrorKind::ConnectionRefused)?;
        Ok(Box::new(near))
    }

    async fn listen(&self, port: u16) -> io::Result<Box<dyn Listener>> {
        let (door, behind) = mpsc::unbounded_channel();
        locked(&self.ports).insert(port, door);
        Ok(Box::new(Door(behind)))
    }
}

#[derive(Debug, Default)]
struct Platter {
    durable: Vec<u8>,
    working: Vec<u8>,
    unsynced: Vec<(usize, Vec<u8>)>,
    generation: u64,
    failing: bool,
}

/// A disk that keeps at a crash only every other write that was not synced.
#[derive(Debug, Clone, Default)]
pub(super) struct MemoryDisk(Arc<Mutex<Platter>>);

impl MemoryDisk {
    pub(super) fn crash(&self) {
        let mut platter = locked(&self.0);
        let unsynced = std::mem::take(&mut platter.unsynced);
        for (offset, data) in unsynced.into_iter().step_by(2) {
            let end = offset + data.len();
            if platter.durable.len() >= end {
                platter.durable[offset..end].copy_from_slice(&data);
            }
        }
        platter.working = platter.durable.clone();
        platter.generation += 1;
    }

    pub(super) fn fail(&self) {
        locked(&self.0).failing = true;
    }

    pub(super) fn heal(&self) {
        locked(&self.0).failing = false;
    }
}

impl Disk for MemoryDisk {
    fn open(&self) -> io::Result<Box<dyn StorageBackend>> {
        Ok(Box::new(Handle { platter: Arc::clone(&self.0), generation: locked(&self.0).generation }))
    }
}

#[derive(Debug)]
struct Handle {
    platter: Arc<Mutex<Platter>>,
    generation: u64,
}

impl Handle {
    fn platter(&self) -> io::Result<MutexGuard<'_, Platter>> {
        let platter = locked(&self.platter);
        if platter.failing || platter.generation != self.generation {
            return Err(io::Error::other("the disk is gone"));
        }
        Ok(platter)
    }
}

impl StorageBackend for Handle {
    fn len(&self) -> io::Result<u64> {
        Ok(self.platter()?.working.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).map_err(io::Error::other)?;
        let platter = self.platter()?;
        let bytes = platter.working.get(offset..offset + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let len = usize::try_from(len).map_err(io::Error::other)?;
        let mut platter = self.platter()?;
        platter.working.resize(len, 0);
        platter.durable.resize(len, 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut platter = self.platter()?;
        for (offset, data) in std::mem::take(&mut platter.unsynced) {
            let end = offset + data.len();
            if let Some(place) = platter.durable.get_mut(offset..end) {
                place.copy_from_slice(&data);
            }
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).map_err(io::Error::other)?;
        let mut platter = self.platter()?;
        let place = platter.working.get_mut(offset..offset + data.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        place.copy_from_slice(data);
        platter.unsynced.push((offset, data.to_vec()));
        Ok(())
    }
}

#[derive(Default)]
pub(super) struct Machines {
    pub(super) unreachable: bool,
    /// Restores find their backups unreadable.
    pub(super) unreadable: bool,
    /// The next effect happens, and its answer is lost together with everything after it.
    pub(super) hang_after_effect: bool,
    pub(super) orders: Vec<InstanceOrder>,
    pub(super) settings: BTreeMap<InstanceId, Configuration>,
    pub(super) accounts: BTreeMap<(InstanceId, String), AccountView>,
    pub(super) backups: Vec<(BackupId, u64)>,
    pub(super) destroyed: Vec<InstanceId>,
    /// The recoveries that had their effect: instance, backup set and number.
    pub(super) overwritten: Vec<(InstanceId, BackupId, u64)>,
}

pub(super) struct FakeCloud {
    machines: Mutex<Machines>,
    clock: Arc<HandClock>,
}

impl FakeCloud {
    pub(super) fn machines(&self) -> MutexGuard<'_, Machines> {
        locked(&self.machines)
    }

    async fn reached(&self) -> Result<(), CloudError> {
        let lost = self.machines().unreachable;
        if lost { Err(CloudError::Unreachable("cable cut".to_owned())) } else { Ok(()) }
    }

    async fn answered(&self) {
        if self.machines().hang_after_effect {
            std::future::pending::<()>().await;
        }
    }
}

#[async_trait]
impl Cloud for FakeCloud {
    async fn create(&self, order: &InstanceOrder) -> Result<Made, CloudError> {
        self.reached().await?;
        let mut machines = self.machines();
        if let (true, Content::Restored(restore)) = (machines.unreadable, &order.content) {
            return Err(CloudError::BackupUnreadable { backup: restore.data.clone(), why: "torn".to_owned() });
        }
        machines.settings.insert(order.instance.clone(), order.configuration.clone());
        if let Content::Empty { account: Some(account) } = &order.content {
            let view = AccountView { name: account.name.clone(), grants: account.grants.clone() };
            machines.accounts.insert((order.instance.clone(), account.name.clone()), view);
        }
        machines.orders.push(order.clone());
        let recovered_to = match &order.content {
            Content::Restored(restore) => restore.until.or(Some(self.clock.now())),
            _ => None,
        };
        Ok(Made { endpoint: format!("{}:3306", order.instance), recovered_to })
    }

    async fn destroy(&self, instance: &InstanceId) -> Result<(), CloudError> {
        self.reached().await?;
        self.machines().destroyed.push(instance.clone());
        Ok(())
    }

    async fn configure(&self, instance: &InstanceId, configuration: &Configuration) -> Result<(), CloudError> {
        self.reached().await?;
        self.machines().settings.insert(instance.clone(), configuration.clone());
        Ok(())
    }

    async fn overwrite(&self, instance: &InstanceId, backup: &BackupId, recovery: u64) -> Result<(), CloudError> {
        self.reached().await?;
        {
            let mut machines = self.machines();
            if machines.unreadable {
                return Err(CloudError::BackupUnreadable { backup: backup.clone(), why: "torn".to_owned() });
            }
            let is_old = |done: &(InstanceId, BackupId, u64)| done.0 == *instance && done.2 >= recovery;
            if !machines.overwritten.iter().any(is_old) {
                machines.overwritten.push((instance.clone(), backup.clone(), recovery));
            }
        }
        self.answered().await;
        Ok(())
    }

    async fn account(&self, instance: &InstanceId, order: &AccountOrder) -> Result<(), CloudError> {
        self.reached().await?;
        let key = |name: &String| (instance.clone(), name.clone());
        {
            let accounts = &mut self.machines().accounts;
            match order {
                AccountOrder::Create(new) => {
                    if accounts.contains_key(&key(&new.name)) {
                        return Err(CloudError::AccountExists(new.name.clone()));
                    }
                    let view = AccountView { name: new.name.clone(), grants: new.grants.clone() };
                    accounts.insert(key(&new.name), view);
                }
                AccountOrder::Password { name, .. } => {
                    accounts.get(&key(name)).ok_or(CloudError::NoSuchAccount(name.clone()))?;
                }
                AccountOrder::Grants { name, grants } => {
                    let account = accounts.get_mut(&key(name)).ok_or(CloudError::NoSuchAccount(name.clone()))?;
                    account.grants = grants.clone();
                }
                AccountOrder::Drop { name } => {
                    accounts.remove(&key(name)).ok_or(CloudError::NoSuchAccount(name.clone()))?;
                }
            }
        }
        self.answered().await;
        Ok(())
    }

    async fn accounts(&self, instance: &InstanceId) -> Result<Vec<AccountView>, CloudError> {
        self.reached().await?;
        let machines = self.machines();
        let accounts = machines.accounts.iter().filter(|((of, _), _)| of == instance);
        Ok(accounts.map(|(_, account)| account.clone()).collect())
    }

    async fn back_up(
        &self,
        _: &InstanceId,
        backup: &BackupId,
        kind: BackupKind,
        after_position: u64,
    ) -> Result<Held, CloudError> {
        self.reached().await?;
        let mut machines = self.machines();
        machines.backups.push((backup.clone(), after_position));
        let now = self.clock.now();
        let to_position = 100 + machines.backups.len() as u64;
        let (from_position, from_time) = match kind {
            BackupKind::Data => (to_position, now),
            BackupKind::Log => (after_position, now - SignedDuration::from_secs(3_600)),
        };
        // The file is the byte 0xff.
        let sha256 = Some("a8100ae6aa1940d0b663bb31cd466142ebbdbd5187131b92d93818987832eb89".to_owned());
        Ok(Held { from_position, to_position, from_time, to_time: now, size_bytes: 1, sha256, node: None })
    }

    async fn discard_backup(&self, _: &InstanceId, _: &BackupId) -> Result<(), CloudError> {
        self.reached().await
    }
}

struct Nowhere;

#[async_trait]
impl Database for Nowhere {
    async fn connect(&self, endpoint: &str, _: &Login) -> Result<Box<dyn Session>, DatabaseError> {
        Err(DatabaseError::Unreachable(endpoint.to_owned()))
    }
}

#[derive(Default)]
struct Counter(Mutex<u64>);

impl Dice for Counter {
    fn next(&self) -> u64 {
        let mut count = locked(&self.0);
        *count += 1;
        count.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

/// The service in its world.
pub(super) struct World {
    pub(super) clock: Arc<HandClock>,
    pub(super) disk: MemoryDisk,
    pub(super) cloud: Arc<FakeCloud>,
    pub(super) service: Option<JoinHandle<Result<(), ServiceError>>>,
    pub(super) client: Client,
    ports: Ports,
}

impl World {
    pub(super) async fn new() -> Self {
        let start: Timestamp = "2026-01-05T09:00:00Z".parse().expect("a time");
        let clock = Arc::new(HandClock { now: Mutex::new(start), moved: Notify::new() });
        let cloud = Arc::new(FakeCloud { machines: Mutex::default(), clock: Arc::clone(&clock) });
        let ports = Ports {
            clock: clock.clone(),
            network: Arc::new(Wires::default()),
            database: Arc::new(Nowhere),
            cloud: cloud.clone(),
            vault: Arc::new(object_store::memory::InMemory::new()),
            dice: Arc::new(Counter::default()),
        };
        let client =
            Client::new(clock.clone(), Arc::clone(&ports.network), "service:80".to_owned(), Secret::new(TOKEN));
        let mut world = Self { clock, disk: MemoryDisk::default(), cloud, service: None, client, ports };
        world.start().await;
        world
    }

    pub(super) async fn start(&mut self) {
        let config = ServiceConfig {
            policy: Policy::default(),
            port: 80,
            access_token: Secret::new(TOKEN),
            worker_token: Secret::new(WORKER_TOKEN),
        };
        self.service = Some(tokio::spawn(run(self.ports.clone(), Arc::new(self.disk.clone()), config)));
        settle().await;
    }

    /// Crashes the host of the service and starts it again.
    pub(super) async fn crash_and_start(&mut self) {
        self.disk.crash();
        if let Some(service) = self.service.take() {
            service.abort();
            assert!(service.await.expect_err("it was aborted").is_cancelled());
        }
        settle().await;
        self.start().await;
    }

    pub(super) fn vault(&self) -> &Vault {
        &self.ports.vault
    }

    pub(super) fn client_of_a_worker(&self) -> Client {
        let network = Arc::clone(&self.ports.network);
        Client::new(self.clock.clone(), network, "service:80".to_owned(), Secret::new(WORKER_TOKEN))
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None, None).await
    }

    pub(super) async fn post(&self, path: &str, key: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, Some(body), Some(key)).await
    }

    pub(super) async fn step(&self, path: &str) -> Answer {
        self.send(Method::POST, path, None, None).await
    }

    pub(super) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PUT, path, Some(body), None).await
    }

    pub(super) async fn send(&self, method: Method, path: &str, body: Option<&Value>, key: Option<&str>) -> Answer {
        let sent = self.client.send(method, path, body, key, SignedDuration::from_secs(60));
        sent.await.expect("the service answers")
    }

    /// A request as raw as it gets: status, content type and bytes of the answer.
    pub(super) async fn raw(&self, request: Request<Full<Bytes>>) -> (u16, String, String) {
        let stream = self.ports.network.connect("service:80").await.expect("a connection");
        let (mut sender, driver) = http1::handshake(TokioIo::new(stream)).await.expect("a handshake");
        let driver = tokio::spawn(driver);
        let response = sender.send_request(request).await.expect("a response");
        let status = response.status().as_u16();
        let content_type = response.headers().get("content-type").and_then(|value| value.to_str().ok());
        let content_type = content_type.unwrap_or_default().to_owned();
        assert!(response.headers().get("date").is_none());
        let bytes = response.into_body().collect().await.expect("a body").to_bytes();
        driver.abort();
        (status, content_type, String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Makes a running primary of a product with the account `app`; gives its id.
    pub(super) async fn primary(&self, product: &str, key: &str) -> String {
        let made = self.post("/v1/instances", key, &new_primary(product)).await;
        assert_eq!(made.status, 202, "{}", made.body);
        settle().await;
        let id = made.body["id"].as_str().expect("an id").to_owned();
        assert_eq!(self.get(&format!("/v1/instances/{id}")).await.body["state"], "Running");
        id
    }
}

pub(super) fn new_primary(product: &str) -> Value {
    json!({
        "product": product,
        "region": "hangzhou",
        "account": { "name": "app", "password": PASSWORD, "grants": { "default": "read-write" } },
    })
}
