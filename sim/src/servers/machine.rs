//! One machine: takes the cloud's orders and the sessions with the server it holds.

use super::backup::{self, Fetched};
use super::hosted::Hosted;
use super::protocol::{Answer, Ask, Order, Ordered, Replied, Said, receive, send};
use super::rack::Rack;
use super::redis;
use super::server::{Actor, Server};
use super::{CONTROL_PORT, DATABASE_PORT, timing};
use jiff::SignedDuration;
use object_store::{ObjectStoreExt, PutMode, PutOptions};
use recovery::model::backup::{BackupKind, Held};
use recovery::model::{BackupId, InstanceId};
use recovery::ports::cloud::{CloudError, Content, InstanceOrder, Made, backup_place};
use recovery::ports::database::DatabaseError;
use recovery::ports::{Clock, Network, Stream, Vault};
use std::io;
use std::pin::pin;
use std::sync::Arc;
use tokio::sync::{Mutex, Notify};
use tokio::task::JoinSet;

/// What a machine runs with.
#[derive(Clone)]
pub struct MachineHost {
    /// Its name on the network.
    pub name: String,
    /// Its clock.
    pub clock: Arc<dyn Clock>,
    /// Its network.
    pub network: Arc<dyn Network>,
    /// Where backups lie.
    pub vault: Vault,
    /// Its disk, among those of all machines.
    pub rack: Rack,
}

/// Runs a machine until its network fails; everything it does ends with this future.
///
/// # Errors
/// When its ports are taken or gone.
pub async fn run_machine(host: MachineHost) -> io::Result<()> {
    let mut control = host.network.listen(CONTROL_PORT).await?;
    let mut sessions = host.network.listen(DATABASE_PORT).await?;
    host.rack.wind_up(&host.name, &host.clock);
    let machine = Arc::new(Machine { host, making: Mutex::new(()), rescheduled: Notify::new() });
    let mut tasks = JoinSet::new();
    tasks.spawn(Arc::clone(&machine).events());
    loop {
        tokio::select! {
            biased;
            Some(_) = tasks.join_next(), if !tasks.is_empty() => {}
            connection = control.accept() => {
                let (stream, _) = connection?;
                tasks.spawn(Arc::clone(&machine).orders(stream));
            }
            connection = sessions.accept() => {
                let (stream, peer) = connection?;
                tasks.spawn(Arc::clone(&machine).session(stream, peer));
            }
        }
    }
}

struct Machine {
    host: MachineHost,
    /// One instance is made or taken down at a time; whoever asks again waits for the first.
    making: Mutex<()>,
    /// Told when the times of events may have changed: another instance, other settings, other definitions.
    rescheduled: Notify,
}

/// One logged-in session.
struct Seat {
    instance: InstanceId,
    account: String,
    mark: u64,
    claim: Option<(String, u64)>,
    /// The server as it was at the instant the session reads as of.
    snapshot: Option<Box<Server>>,
    /// The same of a Redis server.
    frozen: Option<redis::View>,
}

impl Machine {
    /// Runs the events of the server this machine holds, each at its time.
    async fn events(self: Arc<Self>) {
        let MachineHost { name, clock, rack, .. } = &self.host;
        loop {
            let mut rescheduled = pin!(self.rescheduled.notified());
            rescheduled.as_mut().enable();
            let now = clock.now();
            let instance = rack.instance_on(name);
            let next_at = instance.and_then(|instance| rack.on(name, &instance, |server| server.run_events(now)));
            match next_at.flatten() {
                None => rescheduled.await,
                Some(next_at) => tokio::select! {
                    biased;
                    () = rescheduled => {}
                    () = clock.sleep_until(next_at) => {}
                },
            }
        }
    }

    /// Carries out the orders of one connection; an order once begun is finished, whether anyone still listens or not.
    async fn orders(self: Arc<Self>, mut stream: Box<dyn Stream>) {
        while let Ok(order) = receive::<Order, _>(&mut stream).await {
            let answer: Ordered = self.order(order).await;
            self.rescheduled.notify_waiters();
            if send(&mut stream, &answer).await.is_err() {
                return;
            }
        }
    }

    async fn order(&self, order: Order) -> Ordered {
        match order {
            Order::Create(order) => self.create(&order).await.map(Answer::Made),
            Order::Destroy(instance) => {
                let _alone = self.making.lock().await;
                self.host.clock.sleep(timing::DESTROY).await;
                self.host.rack.free(&self.host.name, &instance);
                Ok(Answer::Done)
            }
            Order::Configure(instance, configuration) => {
                self.on(&instance, |server| server.configure(&configuration))?;
                Ok(Answer::Done)
            }
            Order::Overwrite(instance, backup, recovery) => {
                self.overwrite(&instance, &backup, recovery).await.map(|()| Answer::Done)
            }
            Order::Account(instance, order) => {
                let now = self.host.clock.now();
                self.on(&instance, |server| server.order_account(&order, now))??;
                Ok(Answer::Done)
            }
            Order::Accounts(instance) => self.on(&instance, |server| server.list_accounts()).map(Answer::Accounts),
            Order::BackUp { instance, backup, kind, after_position } => {
                self.back_up(&instance, &backup, kind, after_position).await.map(Answer::Held)
            }
        }
    }

    fn on<T>(&self, instance: &InstanceId, work: impl FnOnce(&mut Hosted) -> T) -> Result<T, CloudError> {
        let done = self.host.rack.on(&self.host.name, instance, work);
        done.ok_or_else(|| CloudError::NoSuchInstance(instance.clone()))
    }

    async fn create(&self, order: &InstanceOrder) -> Result<Made, CloudError> {
        let _alone = self.making.lock().await;
        let MachineHost { name, clock, rack, .. } = &self.host;
        if let Some(made) = rack.made(name, &order.instance) {
            return Ok(made);
        }
        if !rack.is_reserved(name, &order.instance) {
            return Err(CloudError::NoSuchInstance(order.instance.clone()));
        }
        let mut fetched = Vec::new();
        match &order.content {
            Content::Empty { .. } => clock.sleep(timing::CREATE).await,
            Content::Replica { .. } => clock.sleep(timing::RESTORE).await,
            Content::Restored(restore) => {
                clock.sleep(timing::RESTORE).await;
                for backup in std::iter::once(&restore.data).chain(&restore.logs) {
                    let bytes = self.fetch(&restore.of, backup).await;
                    let bytes = bytes.map_err(|why| CloudError::BackupUnreadable { backup: backup.clone(), why })?;
                    fetched.push(Fetched { id: backup.clone(), bytes });
                }
            }
        }
        let endpoint = format!("{}.{name}:{DATABASE_PORT}", order.instance);
        let (server, replayed) = rack.build(name, order, endpoint, &fetched, clock.now())?;
        let seconds = i64::try_from(replayed / timing::REPLAYED_PER_S).unwrap_or(0);
        clock.sleep(SignedDuration::from_secs(seconds)).await;
        rack.install(name, server, clock.now())
    }

    async fn fetch(&self, instance: &InstanceId, backup: &BackupId) -> Result<Vec<u8>, String> {
        let found = self.host.vault.get(&backup_place(instance, backup)).await.map_err(|error| error.to_string())?;
        Ok(found.bytes().await.map_err(|error| error.to_string())?.to_vec())
    }

    async fn back_up(
        &self,
        instance: &InstanceId,
        backup: &BackupId,
        kind: BackupKind,
        after: u64,
    ) -> Result<Held, CloudError> {
        self.on(instance, |_| ())?;
        if let Ok(there) = self.fetch(instance, backup).await {
            return self.held(backup, &there);
        }
        let failed = |error: DatabaseError| CloudError::Failed(error.to_string());
        let now = self.host.clock.now();
        let begun = self.on(instance, |server| server.begin_backup(kind, now))?.map_err(failed)?;
        let took = if kind == BackupKind::Data { timing::DATA_BACKUP } else { timing::LOG_BACKUP };
        self.host.clock.sleep(took).await;
        let now = self.host.clock.now();
        let ended = self.on(instance, |server| server.end_backup(kind, after, now))?.map_err(failed)?;
        let bytes = begun.or(ended).ok_or_else(|| CloudError::Failed("the server gave no backup".into()))?;
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        let put = self.host.vault.put_opts(&backup_place(instance, backup), bytes.clone().into(), options).await;
        match put {
            Ok(_) => self.held(backup, &bytes),
            // The same order, given twice, was carried out by the other one.
            Err(object_store::Error::AlreadyExists { .. }) => {
                let there = self.fetch(instance, backup).await.map_err(CloudError::Failed)?;
                self.held(backup, &there)
            }
            Err(error) => Err(CloudError::Failed(format!("backup {backup} cannot be written: {error}"))),
        }
    }

    /// Recovers a backup of an instance into the instance itself, unless that was done before or a later recovery was.
    async fn overwrite(&self, instance: &InstanceId, backup: &BackupId, recovery: u64) -> Result<(), CloudError> {
        let _alone = self.making.lock().await;
        if !self.on(instance, |server| server.recoverable().map(|redis| redis.awaits(recovery)))?? {
            return Ok(());
        }
        let done = self.recover(instance, backup, recovery).await;
        if done.is_err() {
            self.on(instance, |server| server.recoverable().map(|redis| redis.give_up_recovery()))??;
        }
        done
    }

    async fn recover(&self, instance: &InstanceId, backup: &BackupId, recovery: u64) -> Result<(), CloudError> {
        let bytes = self.fetch(instance, backup).await;
        let bytes = bytes.map_err(|why| CloudError::BackupUnreadable { backup: backup.clone(), why })?;
        let (data, clock) = (Fetched { id: backup.clone(), bytes }, &self.host.clock);
        self.on(instance, |server| server.recoverable()?.begin_recovery(&data, clock.now()))??;
        clock.sleep(timing::RESTORE).await;
        self.on(instance, |server| server.recoverable()?.end_recovery(&data, recovery, clock.now()))?
    }

    fn held(&self, backup: &BackupId, bytes: &[u8]) -> Result<Held, CloudError> {
        backup::held(bytes).map_err(|why| CloudError::BackupUnreadable { backup: backup.clone(), why })
    }

    /// Serves one session until it ends, its account is dropped, its instance goes or its instance's time is over.
    async fn session(self: Arc<Self>, mut stream: Box<dyn Stream>, peer: String) {
        let Ok(Ask::Login { instance, login }) = receive(&mut stream).await else { return };
        let (rack, clock) = (&self.host.rack, &self.host.clock);
        let there = rack.instance_on(&self.host.name);
        let instance = instance.or_else(|| there.clone()).unwrap_or_else(|| InstanceId(String::new()));
        let now = clock.now();
        let entered = rack.on(&self.host.name, &instance, |server| {
            server.let_in(&login, &peer, now).map(|mark| (mark, server.ends_at()))
        });
        let entered = entered.unwrap_or_else(|| {
            Err(DatabaseError::Unreachable(format!("there is no instance {instance} on {}", self.host.name)))
        });
        let (mark, ends_at) = match entered {
            Ok(entered) => entered,
            Err(error) => {
                let refusal: Replied = Err(error);
                let _ = send(&mut stream, &refusal).await;
                return;
            }
        };
        if send(&mut stream, &Replied::Ok(Said::Done)).await.is_err() {
            return;
        }
        let mut seat = Seat { instance, account: login.account, mark, claim: None, snapshot: None, frozen: None };
        let serve = async {
            while let Ok(ask) = receive::<Ask, _>(&mut stream).await {
                let Some((said, slowness)) = self.answer(&mut seat, ask) else { return };
                if !slowness.is_zero() {
                    clock.sleep(slowness).await;
                }
                if send(&mut stream, &said).await.is_err() {
                    return;
                }
            }
        };
        match ends_at {
            None => serve.await,
            Some(ends_at) => {
                tokio::select! {
                    biased;
                    () = clock.sleep_until(ends_at) => {}
                    () = serve => {}
                }
            }
        }
    }

    /// Answers a request, or ends the session; says how much later than usual the answer comes.
    fn answer(&self, seat: &mut Seat, ask: Ask) -> Option<(Replied, SignedDuration)> {
        let now = self.host.clock.now();
        let answered = self.host.rack.on(&self.host.name, &seat.instance.clone(), |server| {
            let account = server.accounts.get(&seat.account);
            if server.is_over(now) || account.is_none_or(|account| account.mark != seat.mark) {
                return None;
            }
            if let Some((task, epoch)) = &seat.claim
                && let Err(fenced) = server.fence(task, *epoch)
            {
                return Some((Err(fenced), SignedDuration::ZERO, false));
            }
            let (revision, slowness) = (server.revision, server.slowness(now));
            let said = match (ask, &mut *server) {
                (Ask::Claim { task, epoch }, server) => server.claim(&task, epoch).map(|()| {
                    seat.claim = Some((task, epoch));
                    Said::Done
                }),
                (ask, Hosted::Sql(server)) => serve(server, seat, ask, now),
                (ask, Hosted::Redis(redis)) => redis.serve(&seat.account, &mut seat.frozen, ask, now),
            };
            Some((said, slowness, server.revision != revision))
        });
        let (said, slowness, redefined) = answered.flatten()?;
        if redefined {
            self.rescheduled.notify_waiters();
        }
        Some((said, slowness))
    }
}

/// Has an SQL server answer a request of a session that is in order.
fn serve(server: &mut Server, seat: &mut Seat, ask: Ask, now: jiff::Timestamp) -> Replied {
    let account = seat.account.as_str();
    if let Some(frozen) = seat.snapshot.as_deref() {
        match &ask {
            Ask::Databases => return frozen.visible_databases(account).map(Said::Databases),
            Ask::Describe { database } => return frozen.describe(account, database).map(Said::Objects),
            Ask::Read(read) => return frozen.read(account, read, now).map(Said::Chunk),
            _ => {}
        }
    }
    match ask {
        Ask::Login { .. } | Ask::Claim { .. } => {
            Err(DatabaseError::Statement("the session is logged in already".into()))
        }
        Ask::Circumstances => server.told().map(|told| Said::Circumstances(Box::new(told))),
        Ask::Facts => server.facts(account, now).map(|facts| Said::Facts(Box::new(facts))),
        Ask::Snapshot => {
            let (frozen, facts) = server.snapshot(now)?;
            seat.snapshot = Some(Box::new(frozen));
            Ok(Said::Snapshot(facts))
        }
        Ask::Databases => server.visible_databases(account).map(Said::Databases),
        Ask::CreateDatabase { name, charset } => {
            let actor = Actor::session(account);
            let made = server.transact(now, true, |server, transaction| {
                server.make_database(transaction, &actor, &name, Some(&charset))
            });
            made.map(|()| Said::Done)
        }
        Ask::Describe { database } => server.describe(account, &database).map(Said::Objects),
        Ask::Create { database, object } => server.create(account, &database, &object, now).map(|()| Said::Done),
        Ask::Run { database, sql } => server.run(account, &database, &sql, now).map(Said::Outcome),
        Ask::Read(read) => server.read(account, &read, now).map(Said::Chunk),
        Ask::Write(write) => server.write(account, &write, now).map(Said::Count),
        Ask::Changes { after, limit } => server.changes(account, after, limit).map(Said::Changes),
        Ask::Apply(changes) => server.apply(account, &changes, now).map(|()| Said::Done),
    }
}
