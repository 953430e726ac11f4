//! Real time: the system's, plus an offset that a rehearsal may advance; and what is under way in it.
//!
//! The service's clock runs ahead of the servers' by the offset. Each jump is kept, so that a time of the one is known in
//! the other: recovery points stay in the servers' own time.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use recovery::ports::Clock;
use recovery::ports::clock::later;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// How long nothing may be under way before time is let jump.
const QUIET: Duration = Duration::from_millis(40);

/// From so many milliseconds of a second on a jump may take all of it.
const MOMENT_BEFORE: i32 = 750;

/// How long the same things may be under way before they count as standing still.
const STUCK: Duration = Duration::from_secs(15);

/// Spans up to this are waited for as they are: what servers write meanwhile has times of its own.
const SHORT: SignedDuration = SignedDuration::from_millis(3_000);

/// No timer of the system waits for longer than this.
const LONGEST: SignedDuration = SignedDuration::from_mins(10);

/// The time of a run. Clones are the same time.
#[derive(Clone)]
pub struct Time(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    jumped: watch::Sender<u64>,
    /// Begun and not ended.
    under_way: AtomicI64,
    /// Begun or ended.
    changes: AtomicU64,
}

#[derive(Default)]
struct State {
    offset: SignedDuration,
    /// Server time of each jump, and the offset from then on.
    jumps: Vec<(Timestamp, SignedDuration)>,
    /// When timers are due, each with a number of its own.
    due: BTreeSet<(Timestamp, u64)>,
    timers: u64,
}

impl Default for Time {
    fn default() -> Self {
        Self(Arc::new(Inner {
            state: Mutex::default(),
            jumped: watch::Sender::new(0),
            under_way: AtomicI64::new(0),
            changes: AtomicU64::new(0),
        }))
    }
}

impl Time {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The service's time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        later(Timestamp::now(), self.state().offset)
    }

    /// A server's time, as the service has it.
    #[must_use]
    pub fn of_service(&self, server: Timestamp) -> Timestamp {
        let state = self.state();
        let jump = state.jumps.iter().rev().find(|(at, _)| *at <= server);
        later(server, jump.map_or(SignedDuration::ZERO, |(_, offset)| *offset))
    }

    /// A time of the service, as the servers have it; a time that was jumped over is that of the jump.
    #[must_use]
    pub fn of_servers(&self, service: Timestamp) -> Timestamp {
        let state = self.state();
        for (index, (at, offset)) in state.jumps.iter().enumerate().rev() {
            let before = index.checked_sub(1).map_or(SignedDuration::ZERO, |index| state.jumps[index].1);
            let there = later(service, -*offset);
            if there >= *at {
                return there;
            }
            if later(service, -before) >= *at {
                return *at;
            }
        }
        service
    }

    /// Says that something is under way until the answer is dropped.
    #[must_use]
    pub fn busy(&self) -> Busy {
        self.0.under_way.fetch_add(1, Ordering::SeqCst);
        self.0.changes.fetch_add(1, Ordering::SeqCst);
        Busy(self.clone())
    }

    /// Waits: a short span as it is; in a longer one, time jumps to what is due next wherever nothing is under way.
    pub async fn pass(&self, span: SignedDuration) {
        let until = later(self.now(), span);
        if span <= SHORT {
            return self.reach(until).await;
        }
        while self.now() < until {
            self.settle().await;
            let now = self.now();
            let next = self.state().due.range((now, u64::MAX)..).next().map(|(at, _)| *at);
            let next = next.unwrap_or(until).min(until);
            let gap = next.duration_since(now);
            // Whole seconds only, so that seconds stay seconds. The end is overshot by no more than a moment: that in which
            // was looked whether anything is under way.
            let left = until.duration_since(now);
            let longest = if left.subsec_millis() >= MOMENT_BEFORE { left.as_secs() + 1 } else { left.as_secs() };
            let seconds = if gap.subsec_nanos() > 0 { gap.as_secs() + 1 } else { gap.as_secs() };
            let whole = SignedDuration::from_secs(seconds.min(longest));
            if whole > SignedDuration::ZERO {
                self.jump(whole);
            } else {
                self.reach(next).await;
            }
        }
    }

    fn jump(&self, span: SignedDuration) {
        {
            let mut state = self.state();
            state.offset = state.offset.saturating_add(span);
            let offset = state.offset;
            state.jumps.push((Timestamp::now(), offset));
        }
        self.0.jumped.send_modify(|count| *count += 1);
    }

    /// Waits until nothing has been under way for a moment, or the same things have been for long.
    async fn settle(&self) {
        let (mut seen, mut since) = (self.0.changes.load(Ordering::SeqCst), tokio::time::Instant::now());
        loop {
            tokio::time::sleep(QUIET / 4).await;
            let changes = self.0.changes.load(Ordering::SeqCst);
            if changes != seen {
                (seen, since) = (changes, tokio::time::Instant::now());
                continue;
            }
            let idle = self.0.under_way.load(Ordering::SeqCst) == 0;
            if since.elapsed() >= if idle { QUIET } else { STUCK } {
                return;
            }
        }
    }

    /// Waits until the service's time is there.
    async fn reach(&self, until: Timestamp) {
        let mut jumped = self.0.jumped.subscribe();
        loop {
            let left = until.duration_since(self.now()).min(LONGEST);
            let Ok(left) = Duration::try_from(left) else { return };
            if left.is_zero() {
                return;
            }
            tokio::select! {
                biased;
                // The sender lives as long as this time does.
                _ = jumped.changed() => {}
                () = tokio::time::sleep(left) => {}
            }
        }
    }
}

/// Something under way.
pub struct Busy(Time);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.0.under_way.fetch_sub(1, Ordering::SeqCst);
        self.0.0.changes.fetch_add(1, Ordering::SeqCst);
    }
}

/// The clock of one host: the run's time, off by its skew.
#[derive(Clone)]
pub struct HostClock {
    time: Time,
    skew_ms: Arc<AtomicI64>,
}

impl HostClock {
    /// A clock that shows the run's time.
    #[must_use]
    pub fn new(time: Time) -> Self {
        Self { time, skew_ms: Arc::default() }
    }

    /// Sets how far it is ahead. Timers that run are woken to look at it again.
    pub fn skew(&self, ms: i64) {
        self.skew_ms.store(ms, Ordering::SeqCst);
        self.time.0.jumped.send_modify(|count| *count += 1);
    }

    fn ahead(&self) -> SignedDuration {
        SignedDuration::from_millis(self.skew_ms.load(Ordering::SeqCst))
    }
}

#[async_trait]
impl Clock for HostClock {
    fn now(&self) -> Timestamp {
        later(self.time.now(), self.ahead())
    }

    async fn sleep_until(&self, deadline: Timestamp) {
        loop {
            let ahead = self.ahead();
            let due = later(deadline, -ahead);
            if due <= self.time.now() {
                return;
            }
            let _timer = Timer::new(&self.time, due);
            let mut jumped = self.time.0.jumped.subscribe();
            tokio::select! {
                biased;
                // A jump or a skew: look again.
                _ = jumped.changed() => {}
                () = self.time.reach(due) => {}
            }
        }
    }
}

/// A timer that is set.
struct Timer<'a> {
    time: &'a Time,
    key: (Timestamp, u64),
}

impl<'a> Timer<'a> {
    fn new(time: &'a Time, due: Timestamp) -> Self {
        let mut state = time.state();
        state.timers += 1;
        let key = (due, state.timers);
        state.due.insert(key);
        Self { time, key }
    }
}

impl Drop for Timer<'_> {
    fn drop(&mut self) {
        self.time.state().due.remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn two_days_pass_in_a_moment_and_timers_fire_on_the_way() {
        let time = Time::default();
        let clock = HostClock::new(time.clone());
        let began = time.now();
        let deadline = later(began, SignedDuration::from_hours(30));
        let sleeper = tokio::spawn(async move {
            clock.sleep_until(deadline).await;
            clock.now()
        });
        tokio::task::yield_now().await;
        let real = tokio::time::Instant::now();
        time.pass(SignedDuration::from_hours(48)).await;
        assert!(real.elapsed() < Duration::from_secs(5), "{:?}", real.elapsed());
        assert!(time.now() >= later(began, SignedDuration::from_hours(48)));
        let woken = sleeper.await.expect("the sleeper ends");
        assert!(woken >= deadline && woken < later(deadline, SignedDuration::from_secs(5)), "{woken} {deadline}");
    }

    #[tokio::test]
    async fn time_does_not_jump_while_something_is_under_way() {
        let time = Time::default();
        let busy = time.busy();
        let work = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(400)).await;
            drop(busy);
        });
        let real = tokio::time::Instant::now();
        time.pass(SignedDuration::from_hours(1)).await;
        assert!(real.elapsed() >= Duration::from_millis(400));
        work.await.expect("the work ends");
    }

    #[tokio::test]
    async fn a_time_of_the_servers_and_of_the_service_are_known_in_each_other() {
        let time = Time::default();
        let before = Timestamp::now();
        tokio::time::sleep(Duration::from_millis(5)).await;
        time.jump(SignedDuration::from_secs(3_600));
        let after = Timestamp::now();
        let hour = SignedDuration::from_secs(3_600);
        assert_eq!(time.of_service(before), before);
        assert_eq!(time.of_service(after), later(after, hour));
        for server in [before, after] {
            assert_eq!(time.of_servers(time.of_service(server)), server);
        }
        // What was jumped over is the moment of the jump.
        let within = time.of_servers(later(before, SignedDuration::from_secs(1_800)));
        assert!(before < within && within <= after);
    }
}
