//! A world in memory: a clock that jumps to the next deadline, and a service that keeps what it is told. Every call of the
//! worker into it is counted, and any of them can be made its last, or have something happen first.

use super::servers::{FakeDatabase, Server};
use super::vault::FakeVault;
use crate::model::TaskId;
use crate::model::precheck::PrecheckResult;
use crate::model::task::{MigrationType, PhaseStatus, TaskFailure};
use crate::model::work::{Job, LeaseKept, LeasedWork, MigrationJob, Report};
use crate::ports::{Clock, Database, Dice, Vault};
use crate::worker::channel::{Channel, ReportError};
use crate::worker::servers::Outages;
use crate::worker::{Interruption, Worker};
use async_trait::async_trait;
use jiff::Timestamp;
use object_store::memory::InMemory;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

/// Where a worker dies in a call: before it had its effect, or after it but before the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Death {
    Before,
    After,
}

type Happening = Box<dyn FnOnce(&mut World) + Send>;

/// Everything outside the worker.
pub struct World {
    pub now: Timestamp,
    deadlines: BTreeSet<Timestamp>,
    sleepers: Vec<Waker>,
    pub servers: BTreeMap<String, Server>,
    pub service: Service,
    pub logical: Option<Logical>,
    pub calls: Vec<&'static str>,
    pub dies_at: Option<(usize, Death)>,
    dead: bool,
    happenings: Vec<(&'static str, usize, Happening)>,
    timed: Vec<(Timestamp, Happening)>,
}

/// What the service keeps of the one task there is.
pub struct Service {
    pub work: MigrationJob,
    pub epoch: u64,
    pub away: bool,
    pub renewals: usize,
    pub phases: BTreeMap<MigrationType, PhaseStatus>,
    pub phase_log: Vec<(MigrationType, PhaseStatus)>,
    pub items: Vec<PrecheckResult>,
    pub precheck_done: bool,
    pub failure: Option<TaskFailure>,
    pub finished: bool,
    pub caught_up: bool,
    pub others_wait: bool,
    pub turns_over: usize,
}

/// What the service keeps of a logical backup or restore, where that is what there is to do.
pub struct Logical {
    pub job: Job,
    pub epoch: u64,
    pub reports: Vec<Report>,
    pub over: bool,
}

/// The world, shared by all that looks at it.
#[derive(Clone)]
pub struct Shared(Arc<Mutex<World>>, pub Arc<InMemory>);

/// How a drive ended.
#[derive(Debug)]
pub enum End<T> {
    Done(T),
    Dead,
    /// The time was over.
    Still,
}

impl Shared {
    pub fn new(work: MigrationJob) -> Self {
        let servers = ["source", "target"].map(|name| (name.to_owned(), Server::new(work.source.product)));
        let world = World {
            now: "2024-01-01T00:00:00Z".parse().expect("a time"),
            deadlines: BTreeSet::new(),
            sleepers: Vec::new(),
            servers: BTreeMap::from(servers),
            service: Service {
                work,
                epoch: 0,
                away: false,
                renewals: 0,
                phases: BTreeMap::new(),
                phase_log: Vec::new(),
                items: Vec::new(),
                precheck_done: false,
                failure: None,
                finished: false,
                caught_up: false,
                others_wait: false,
                turns_over: 0,
            },
            logical: None,
            calls: Vec::new(),
            dies_at: None,
            dead: false,
            happenings: Vec::new(),
            timed: Vec::new(),
        };
        Self(Arc::new(Mutex::new(world)), Arc::default())
    }

    /// Gives the worker a logical backup or restore to do.
    pub fn order(&self, job: Job) {
        let mut world = self.lock();
        let epoch = world.logical.as_ref().map_or(0, |logical| logical.epoch);
        world.logical = Some(Logical { job, epoch, reports: Vec::new(), over: false });
        world.calls.clear();
    }

    pub fn lock(&self) -> MutexGuard<'_, World> {
        self.0.lock().expect("the lock")
    }

    /// Changes a server.
    pub fn server(&self, name: &str, change: impl FnOnce(&mut Server)) {
        change(self.lock().servers.get_mut(name).expect("a server"));
    }

    /// Lets something happen before the n-th call (from 1) of that name.
    pub fn before(&self, call: &'static str, number: usize, happening: impl FnOnce(&mut World) + Send + 'static) {
        self.lock().happenings.push((call, number, Box::new(happening)));
    }

    /// Lets something happen after so many seconds.
    pub fn after_s(&self, seconds: i64, happening: impl FnOnce(&mut World) + Send + 'static) {
        let mut world = self.lock();
        let at = crate::ports::clock::later_s(world.now, seconds);
        world.timed.push((at, Box::new(happening)));
    }

    /// Counts a call; never returns from one the worker dies before.
    pub async fn enter(&self, call: &'static str) {
        let dies = 'dies: {
            let mut world = self.lock();
            if world.dead {
                break 'dies true;
            }
            world.calls.push(call);
            let number = world.calls.iter().filter(|known| **known == call).count();
            let now = world.happenings.iter().position(|(name, at, _)| *name == call && *at == number);
            if let Some(now) = now {
                let (_, _, happening) = world.happenings.remove(now);
                happening(&mut world);
            }
            world.dead = world.dies_at == Some((world.calls.len(), Death::Before));
            world.dead
        };
        if dies {
            pending::<()>().await;
        }
    }

    /// Never returns from a call the worker dies after.
    pub async fn leave(&self) {
        let dies = {
            let mut world = self.lock();
            world.dead |= world.dies_at == Some((world.calls.len(), Death::After));
            world.dead
        };
        if dies {
            pending::<()>().await;
        }
    }

    /// A worker in this world.
    pub fn worker(&self) -> Worker {
        let database: Arc<dyn Database> = Arc::new(FakeDatabase(self.clone()));
        let shared = Arc::new(self.clone());
        let vault: Vault = Arc::new(FakeVault(self.clone()));
        Worker { clock: Arc::clone(&shared) as _, dice: Arc::clone(&shared) as _, database, vault, channel: shared }
    }

    /// Drives a future, at most for so many seconds of the world's time.
    pub fn drive<T>(&self, seconds: i64, future: impl Future<Output = T>) -> End<T> {
        let end = crate::ports::clock::later_s(self.lock().now, seconds);
        let mut future = pin!(future);
        loop {
            let sleepers = {
                let mut world = self.lock();
                world.deadlines.clear();
                std::mem::take(&mut world.sleepers)
            };
            // Whoever sleeps looks at the time again, also deep inside of futures that are polled only when woken.
            sleepers.into_iter().for_each(Waker::wake);
            if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return End::Done(done);
            }
            let mut world = self.lock();
            if std::mem::take(&mut world.dead) {
                return End::Dead;
            }
            let timed = world.timed.iter().map(|(at, _)| *at).min();
            let next = world.deadlines.first().copied().into_iter().chain(timed).min();
            match next.filter(|next| *next <= end) {
                None => return End::Still,
                Some(next) => world.jump(next),
            }
        }
    }

    /// Asks for work once and does it, at most for so many seconds.
    pub fn turn(&self, seconds: i64) -> End<Result<(), Interruption>> {
        let worker = self.worker();
        self.drive(seconds, async { worker.turn(&mut Outages::default()).await })
    }
}

impl World {
    fn jump(&mut self, to: Timestamp) {
        self.now = self.now.max(to);
        let (due, later): (Vec<_>, Vec<_>) = std::mem::take(&mut self.timed).into_iter().partition(|(at, _)| *at <= to);
        self.timed = later;
        for (_, happening) in due {
            happening(self);
        }
    }
}

#[async_trait]
impl Clock for Shared {
    fn now(&self) -> Timestamp {
        self.lock().now
    }

    async fn sleep_until(&self, deadline: Timestamp) {
        poll_fn(|cx| {
            let mut world = self.lock();
            if world.now >= deadline {
                return Poll::Ready(());
            }
            world.deadlines.insert(deadline);
            world.sleepers.push(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

impl Dice for Shared {
    fn next(&self) -> u64 {
        4
    }
}

#[async_trait]
impl Channel for Shared {
    async fn lease(&self) -> Result<Option<LeasedWork>, ReportError> {
        let mut world = self.lock();
        if let Some(logical) = &mut world.logical {
            return Ok(logical.leased().map(|work| as_sent(&work)));
        }
        let service = &mut world.service;
        if service.finished || service.failure.is_some() || service.precheck_done {
            return Ok(None);
        }
        service.epoch += 1;
        let loaded = |kind: &MigrationType| service.phases.get(kind) == Some(&PhaseStatus::Finished);
        let before = service.work.types.iter().filter(|kind| **kind != MigrationType::Incremental);
        service.work.loaded = before.into_iter().all(loaded);
        Ok(Some(service.leased()))
    }

    async fn report(&self, _: &TaskId, epoch: u64, reports: &[Report]) -> Result<LeaseKept, ReportError> {
        if self.lock().service.away {
            return Err(ReportError::Unreachable("away".to_owned()));
        }
        self.enter("report").await;
        let reports: Vec<Report> = reports.iter().map(as_sent).collect();
        let kept = {
            let mut world = self.lock();
            match &mut world.logical {
                Some(logical) => logical.take(epoch, &reports),
                None => world.service.take(epoch, &reports),
            }
        };
        self.leave().await;
        kept
    }
}

/// What arrives of what is sent.
fn as_sent<T: Serialize + DeserializeOwned>(value: &T) -> T {
    let text = serde_json::to_string(value).expect("it can be written");
    serde_json::from_str(&text).expect("it can be read")
}

/// Seconds a lease lasts.
const LEASE_S: i64 = 30;

impl Service {
    /// The work as a worker leases it.
    pub fn leased(&self) -> LeasedWork {
        let job = Job::Migration(Box::new(self.work.clone()));
        LeasedWork { task: "dts-1".into(), epoch: self.epoch, lease_s: LEASE_S, job }
    }

    fn take(&mut self, epoch: u64, reports: &[Report]) -> Result<LeaseKept, ReportError> {
        if epoch != self.epoch || self.finished || self.failure.is_some() {
            return Err(ReportError::LeaseLost);
        }
        for report in reports.iter().cloned() {
            match report {
                Report::Renew => self.renewals += 1,
                Report::PrecheckItem(result) => self.items.push(result),
                Report::PrecheckDone => self.precheck_done = true,
                Report::Planned { progress, planned, log_position } => {
                    (self.work.progress, self.work.planned, self.work.log_position) = (progress, planned, log_position);
                }
                Report::Phase { phase, status } => {
                    self.phases.insert(phase, status);
                    self.phase_log.push((phase, status));
                }
                Report::Object { index, progress } => self.work.progress[index] = progress,
                Report::Applied { log_position, caught_up } => {
                    (self.work.log_position, self.caught_up) = (Some(log_position), caught_up);
                }
                Report::TurnOver => self.turns_over += 1,
                Report::Failed(failure) => self.failure = Some(failure),
                Report::Finished => self.finished = true,
                other => panic!("no report of a migration: {other:?}"),
            }
        }
        Ok(LeaseKept { lease_s: LEASE_S, others_wait: self.others_wait })
    }
}

impl Logical {
    fn leased(&mut self) -> Option<LeasedWork> {
        if self.over {
            return None;
        }
        self.epoch += 1;
        Some(LeasedWork { task: "rst-1".into(), epoch: self.epoch, lease_s: LEASE_S, job: self.job.clone() })
    }

    fn take(&mut self, epoch: u64, reports: &[Report]) -> Result<LeaseKept, ReportError> {
        if epoch != self.epoch || self.over {
            return Err(ReportError::LeaseLost);
        }
        for report in reports.iter().cloned() {
            match (&mut self.job, report) {
                (_, Report::Renew) => {}
                (Job::Restore(job), Report::RestorePlanned(details)) => {
                    (job.details, job.planned) = (details, true);
                }
                (Job::Restore(job), Report::RestoreObject { index, object }) => job.details[index] = object,
                (_, report @ (Report::Snapshot(_) | Report::PrecheckItem(_))) => self.reports.push(report),
                (_, report) => {
                    self.over = true;
                    self.reports.push(report);
                }
            }
        }
        Ok(LeaseKept { lease_s: LEASE_S, others_wait: false })
    }
}
