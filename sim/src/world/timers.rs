//! Virtual time: what every host's clock shows, and who waits for which instant.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use recovery::ports::Clock;
use recovery::ports::clock::later;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// A host as the timers know it.
pub(crate) type HostIndex = usize;

/// The time of the whole world and everybody who waits for an instant. Whole milliseconds since the start.
#[derive(Clone)]
pub struct Timers {
    start: Timestamp,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    now_ms: i64,
    next_id: u64,
    hosts: Vec<HostTime>,
    sleepers: BTreeMap<u64, Sleeper>,
    /// True deadline and id of every sleeper whose host is not frozen; the id keeps the order of registration.
    queue: BTreeSet<(i64, u64)>,
}

#[derive(Default)]
struct HostTime {
    /// How far the host's clock is ahead of true time.
    skew_ms: i64,
    /// Whether its timers are stopped.
    frozen: bool,
}

struct Sleeper {
    host: HostIndex,
    /// What the host's own clock shall show, in milliseconds since the start.
    host_deadline_ms: i64,
    waker: Waker,
}

impl State {
    fn host_now_ms(&self, host: HostIndex) -> i64 {
        self.now_ms.saturating_add(self.hosts[host].skew_ms)
    }

    fn true_deadline_ms(&self, sleeper: &Sleeper) -> i64 {
        sleeper.host_deadline_ms.saturating_sub(self.hosts[sleeper.host].skew_ms)
    }

    /// Changes a host's time and puts its sleepers where they then belong.
    fn change(&mut self, host: HostIndex, change: impl FnOnce(&mut HostTime)) {
        let ids: Vec<u64> = self.sleepers.iter().filter(|(_, one)| one.host == host).map(|(id, _)| *id).collect();
        for id in &ids {
            let deadline = self.true_deadline_ms(&self.sleepers[id]);
            self.queue.remove(&(deadline, *id));
        }
        change(&mut self.hosts[host]);
        if self.hosts[host].frozen {
            return;
        }
        for id in ids {
            let deadline = self.true_deadline_ms(&self.sleepers[&id]);
            self.queue.insert((deadline, id));
        }
    }

    fn forget(&mut self, id: u64) {
        if let Some(sleeper) = self.sleepers.remove(&id) {
            let deadline = self.true_deadline_ms(&sleeper);
            self.queue.remove(&(deadline, id));
        }
    }
}

impl Timers {
    /// A world whose true time begins at `start`.
    #[must_use]
    pub fn new(start: Timestamp) -> Self {
        Self { start, state: Arc::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a host in and gives its clock.
    #[must_use]
    pub fn host(&self, skew_ms: i64) -> SimClock {
        let mut state = self.lock();
        state.hosts.push(HostTime { skew_ms, frozen: false });
        SimClock { timers: self.clone(), host: state.hosts.len() - 1 }
    }

    /// True time.
    #[must_use]
    pub fn true_now(&self) -> Timestamp {
        self.at(self.now_ms())
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.lock().now_ms
    }

    pub(crate) fn at(&self, ms: i64) -> Timestamp {
        later(self.start, SignedDuration::from_millis(ms))
    }

    /// Sets true time forward; it never goes back.
    pub(crate) fn advance_to(&self, ms: i64) {
        let mut state = self.lock();
        state.now_ms = state.now_ms.max(ms);
    }

    /// Wakes everybody whose instant has come, in the order of instants and then of registration.
    pub(crate) fn fire_due(&self) {
        loop {
            let due = {
                let mut state = self.lock();
                let now = state.now_ms;
                match state.queue.first().copied() {
                    Some((deadline, id)) if deadline <= now => {
                        state.queue.pop_first();
                        state.sleepers.remove(&id)
                    }
                    _ => return,
                }
            };
            if let Some(sleeper) = due {
                sleeper.waker.wake();
            }
        }
    }

    /// The earliest instant anybody waits for.
    pub(crate) fn next_ms(&self) -> Option<i64> {
        self.lock().queue.first().map(|(deadline, _)| *deadline)
    }

    pub(crate) fn set_skew(&self, host: HostIndex, skew_ms: i64) {
        self.lock().change(host, |time| time.skew_ms = skew_ms);
    }

    pub(crate) fn set_frozen(&self, host: HostIndex, frozen: bool) {
        self.lock().change(host, |time| time.frozen = frozen);
    }

    /// How many sleepers a host has, stopped ones included.
    pub(crate) fn sleepers_of(&self, host: HostIndex) -> usize {
        self.lock().sleepers.values().filter(|sleeper| sleeper.host == host).count()
    }

    /// An instant as milliseconds since the start; a part of a millisecond counts as a whole one.
    fn ms_of(&self, time: Timestamp) -> i64 {
        const NANOS: i128 = 1_000_000;
        let nanos = time.as_nanosecond() - self.start.as_nanosecond();
        let ms = nanos.div_euclid(NANOS) + i128::from(nanos.rem_euclid(NANOS) != 0);
        i64::try_from(ms).unwrap_or(if ms < 0 { i64::MIN } else { i64::MAX })
    }
}

/// The clock of one host: true time plus the host's skew.
#[derive(Clone)]
pub struct SimClock {
    timers: Timers,
    host: HostIndex,
}

impl SimClock {
    pub(crate) fn index(&self) -> HostIndex {
        self.host
    }
}

#[async_trait]
impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        let ms = self.timers.lock().host_now_ms(self.host);
        self.timers.at(ms)
    }

    async fn sleep_until(&self, deadline: Timestamp) {
        let host_deadline_ms = self.timers.ms_of(deadline);
        Sleep { clock: self, host_deadline_ms, id: None }.await;
    }
}

/// Waits until a host's clock shows an instant; dropping it takes the entry away.
struct Sleep<'a> {
    clock: &'a SimClock,
    host_deadline_ms: i64,
    id: Option<u64>,
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.clock.timers.lock();
        let state = &mut *state;
        if let Some(id) = self.id
            && let Some(sleeper) = state.sleepers.get_mut(&id)
        {
            sleeper.waker.clone_from(context.waker());
            return Poll::Pending;
        }
        let host = self.clock.host;
        if state.host_now_ms(host) >= self.host_deadline_ms {
            return Poll::Ready(());
        }
        let id = state.next_id;
        state.next_id += 1;
        let sleeper = Sleeper { host, host_deadline_ms: self.host_deadline_ms, waker: context.waker().clone() };
        if !state.hosts[host].frozen {
            let deadline = state.true_deadline_ms(&sleeper);
            state.queue.insert((deadline, id));
        }
        state.sleepers.insert(id, sleeper);
        self.id = Some(id);
        Poll::Pending
    }
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            self.clock.timers.lock().forget(id);
        }
    }
}
