//! The run loop: a step, and a jump to the next instant at which a message arrives or somebody's time has come.
//!
//! A step lets every host run until all its tasks wait. Messages take at least a millisecond, so those sent in a step
//! are seen on the links after it. What is delivered wakes the host it is for, which has its turn after that; only a
//! request for a connection can wake another one, its sender, which may have had its turn already: such a step is
//! followed by another one at once. Once a step left nothing of this kind, every task waits on the network or on a clock,
//! and time jumps.
//!
//! turmoil runs every host in every step, whether it has work or not, and what a step costs grows with the square of
//! their number. So a host that does nothing but answer is taken in at the first call to it.

use super::carry_out::Machinery;
use super::dice::SeededDice;
use super::disk::MemoryDisk;
use super::faults::Faults;
use super::graves::{Graves, LastOne};
use super::mail::FOR_EVER;
use super::network::{Activity, SimNetwork, Ways};
use super::panics::{PanicWatch, this_runtime_is};
use super::timers::{SimClock, Timers};
use futures_util::future::LocalBoxFuture;
use jiff::{SignedDuration, Timestamp};
use recovery::ports::{Clock, Dice, Network};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

/// The host that carries the run out.
pub(crate) const OPERATOR: &str = "operator";

/// How long a host whose main function returned stays away: so long at first, and twice as long each time it returns
/// again within the longest pause, up to that.
const RESTART_PAUSES_S: (i64, i64) = (1, 30);

/// What a run depends on, beside the hosts.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// Seed of everything random.
    pub seed: u64,
    /// True time at the start.
    pub start: Timestamp,
    /// Longest latency of a message; the shortest is one millisecond.
    pub latency_ms_max: u64,
    /// How far hosts' clocks are ahead of true time at the start.
    pub skew_ms: BTreeMap<String, i64>,
    /// Virtual time after which the run is given up.
    pub virtual_limit: SignedDuration,
    /// Steps after which the run is given up.
    pub step_limit: u64,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            seed: 0,
            start: jiff::civil::date(2026, 1, 5)
                .to_zoned(jiff::tz::TimeZone::UTC)
                .map_or(Timestamp::UNIX_EPOCH, |time| time.timestamp()),
            latency_ms_max: 4,
            skew_ms: BTreeMap::new(),
            virtual_limit: SignedDuration::from_hours(366 * 24),
            step_limit: 5_000_000,
        }
    }
}

/// What every start of a host is given.
#[derive(Clone)]
pub struct HostKit {
    /// The host's name.
    pub name: String,
    /// Its clock.
    pub clock: Arc<dyn Clock>,
    /// Its network.
    pub network: Arc<dyn Network>,
    /// Its dice, other ones at each start.
    pub dice: Arc<dyn Dice>,
}

/// The main function of a host; called anew at each start.
pub type HostMain = Rc<dyn Fn(HostKit) -> LocalBoxFuture<'static, ()>>;

/// A host and what runs on it. What the main function captured survives a crash; what lives in its future does not.
pub struct HostPlan {
    name: String,
    disk: Option<MemoryDisk>,
    main: HostMain,
    waits_for_a_call: bool,
}

impl HostPlan {
    /// A host; when its main function returns it is started again a second later, and later still where it keeps doing so.
    pub fn new<Fut>(name: &str, main: impl Fn(HostKit) -> Fut + 'static) -> Self
    where
        Fut: Future<Output = ()> + 'static,
    {
        let main: HostMain = Rc::new(move |kit| Box::pin(main(kit)));
        Self { name: name.to_owned(), disk: None, main, waits_for_a_call: false }
    }

    /// The same with a disk that a crash of the host damages.
    #[must_use]
    pub fn with_disk(self, disk: MemoryDisk) -> Self {
        Self { disk: Some(disk), ..self }
    }

    /// The same, started at the first call to it or the first fault it is named in.
    #[must_use]
    pub fn started_when_called(self) -> Self {
        Self { waits_for_a_call: true, ..self }
    }
}

/// What a run took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Facts {
    /// Virtual time that passed.
    pub virtual_seconds: f64,
    /// Steps that were taken.
    pub steps: u64,
}

/// Why a run came to no end.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WorldError {
    /// Nothing can happen any more.
    #[error("nothing is under way and no clock is waited for, but the run has not ended: {reason}")]
    Stuck {
        /// What each host waits for.
        reason: String,
    },
    /// A limit was reached.
    #[error("the run was given up: {reason}")]
    TooLong {
        /// Which limit, and who still waits.
        reason: String,
    },
    /// A host panicked.
    #[error("{host} panicked: {message}")]
    Panicked {
        /// Which.
        host: String,
        /// Its words and their place.
        message: String,
    },
    /// The simulation itself failed.
    #[error("the simulation failed: {0}")]
    Failed(String),
}

/// What is kept of the starts of a host's main function.
#[derive(Default)]
struct Patience {
    began_at: Cell<Option<Timestamp>>,
    pause_s: Cell<i64>,
}

impl Patience {
    /// How long to wait before the next start after the main function returned.
    fn pause(&self, now: Timestamp) -> SignedDuration {
        let (shortest, longest) = RESTART_PAUSES_S;
        let ran = self.began_at.get().map_or(SignedDuration::MAX, |began| now.duration_since(began));
        let soon = ran.as_secs() < longest;
        let pause_s = if soon { (self.pause_s.get() * 2).clamp(shortest, longest) } else { shortest };
        self.pause_s.set(pause_s);
        SignedDuration::from_secs(pause_s)
    }
}

/// Runs hosts until the operator's future ends.
///
/// # Errors
/// See [`WorldError`].
pub fn drive<T, F, Fut>(options: &EngineOptions, hosts: Vec<HostPlan>, operator: F) -> Result<(T, Facts), WorldError>
where
    T: 'static,
    F: FnOnce(HostKit, Faults) -> Fut + 'static,
    Fut: Future<Output = T> + 'static,
{
    let watch = PanicWatch::begin();
    let mut machinery = build(options, hosts);
    let outcome = Rc::new(RefCell::new(None));
    add_operator(&mut machinery, options, operator, &outcome);
    for steps in 1.. {
        machinery.timers.fire_due();
        let connecting = machinery.deliver();
        let step = catch_unwind(AssertUnwindSafe(|| machinery.sim.step().map_err(|error| error.to_string())));
        if let Some(panic) = watch.first() {
            return Err(WorldError::Panicked { host: panic.host, message: panic.message });
        }
        step.map_err(|_| WorldError::Failed("a step was cut off".to_owned()))?.map_err(WorldError::Failed)?;
        if let Some(value) = outcome.take() {
            return Ok((value, facts(&machinery.timers, steps)));
        }
        machinery.bury_the_dead();
        machinery.carry_out_wishes();
        machinery.rouse_the_called();
        machinery.watch_messages();
        let go_on = machinery.activity.take() || connecting;
        let next_ms = next_instant(&machinery, go_on)?;
        check_limits(options, &machinery, steps, next_ms)?;
        machinery.timers.advance_to(next_ms);
    }
    Err(WorldError::TooLong { reason: "the steps cannot be counted any more".to_owned() })
}

fn facts(timers: &Timers, steps: u64) -> Facts {
    let passed = SignedDuration::from_millis(timers.now_ms());
    Facts { virtual_seconds: passed.as_secs_f64(), steps }
}

fn next_instant(machinery: &Machinery, go_on: bool) -> Result<i64, WorldError> {
    let following = machinery.timers.now_ms() + 1;
    if go_on {
        return Ok(following);
    }
    match machinery.timers.next_ms().into_iter().chain(machinery.next_message_ms()).min() {
        Some(deadline) => Ok(deadline.max(following)),
        None => Err(WorldError::Stuck { reason: machinery.describe() }),
    }
}

fn check_limits(options: &EngineOptions, machinery: &Machinery, steps: u64, next_ms: i64) -> Result<(), WorldError> {
    let reason = if SignedDuration::from_millis(next_ms) > options.virtual_limit {
        format!("{:#} of virtual time have passed before anything else happens", options.virtual_limit)
    } else if steps >= options.step_limit {
        format!("{steps} steps were taken")
    } else {
        return Ok(());
    };
    Err(WorldError::TooLong { reason: format!("{reason}; {}", machinery.describe()) })
}

fn build(options: &EngineOptions, plans: Vec<HostPlan>) -> Machinery {
    let timers = Timers::new(options.start);
    let (ways, activity) = (Ways::default(), Activity::default());
    let mut sim = turmoil::Builder::new();
    sim.rng_seed(options.seed)
        .epoch(std::time::UNIX_EPOCH)
        .enable_random_order()
        .tick_duration(Duration::from_millis(1))
        .simulation_duration(Duration::MAX)
        .min_message_latency(FOR_EVER)
        .max_message_latency(FOR_EVER)
        .tcp_capacity(65_536)
        .ephemeral_ports(16_384..=65_535);
    let mut names: Vec<String> = plans.iter().map(|plan| plan.name.clone()).collect();
    names.push(OPERATOR.to_owned());
    let faults = Faults::new(names, OPERATOR, &timers, &ways, &activity);
    let mut machinery = Machinery::new(sim.build(), options, timers, ways, activity, faults);
    for plan in plans {
        add_host(&mut machinery, options, plan);
    }
    machinery
}

fn clock_of(machinery: &mut Machinery, options: &EngineOptions, name: &str) -> SimClock {
    let clock = machinery.timers.host(options.skew_ms.get(name).copied().unwrap_or(0));
    machinery.clocks.insert(name.to_owned(), clock.index());
    clock
}

fn add_host(machinery: &mut Machinery, options: &EngineOptions, plan: HostPlan) {
    let HostPlan { name, disk, main, waits_for_a_call } = plan;
    let clock: Arc<dyn Clock> = Arc::new(clock_of(machinery, options, &name));
    let dead = disk.as_ref().map(|disk| Arc::clone(disk.dead())).unwrap_or_default();
    let graves = Graves::default();
    machinery.graves.insert(name.clone(), graves.clone());
    let network = SimNetwork::new(&name, &machinery.ways, &machinery.activity, &dead, &graves);
    let network: Arc<dyn Network> = Arc::new(network);
    let exited = Rc::new(Cell::new(false));
    let patience = Rc::new(Patience::default());
    machinery.exited.insert(name.clone(), Rc::clone(&exited));
    if let Some(disk) = disk {
        machinery.disks.insert(name.clone(), disk);
    }
    let (seed, faults, starts) = (options.seed, machinery.faults.clone(), Cell::new(0));
    let host = name.clone();
    let software = move || {
        let start = starts.get();
        starts.set(start + 1);
        let dice = Arc::new(SeededDice::new(seed, &host, start));
        let kit = HostKit { name: host.clone(), clock: Arc::clone(&clock), network: Arc::clone(&network), dice };
        let (main, faults, after_exit) = (Rc::clone(&main), faults.clone(), exited.take());
        let patience = Rc::clone(&patience);
        let last = LastOne(graves.clone());
        async move {
            let _last = last;
            this_runtime_is(&kit.name);
            let name = kit.name.clone();
            if after_exit {
                kit.clock.sleep(patience.pause(kit.clock.now())).await;
            }
            patience.began_at.set(Some(kit.clock.now()));
            main(kit).await;
            faults.exited(&name);
            std::future::pending().await
        }
    };
    let called = name.clone();
    machinery.sleeping.insert(name.clone(), Box::new(move |sim| sim.host(called.as_str(), software)));
    if waits_for_a_call {
        machinery.ways.lock().sleeping.insert(name);
    } else {
        machinery.rouse(&name);
    }
}

fn add_operator<T, F, Fut>(
    machinery: &mut Machinery,
    options: &EngineOptions,
    operator: F,
    outcome: &Rc<RefCell<Option<T>>>,
) where
    T: 'static,
    F: FnOnce(HostKit, Faults) -> Fut + 'static,
    Fut: Future<Output = T> + 'static,
{
    let kit = HostKit {
        name: OPERATOR.to_owned(),
        clock: Arc::new(clock_of(machinery, options, OPERATOR)),
        network: Arc::new(SimNetwork::new(
            OPERATOR,
            &machinery.ways,
            &machinery.activity,
            &Arc::default(),
            &Graves::default(),
        )),
        dice: Arc::new(SeededDice::new(options.seed, OPERATOR, 0)),
    };
    let (faults, outcome) = (machinery.faults.clone(), Rc::clone(outcome));
    machinery.sim.client(OPERATOR, async move {
        this_runtime_is(OPERATOR);
        let value = operator(kit, faults).await;
        outcome.replace(Some(value));
        Ok(())
    });
    machinery.know(OPERATOR);
}
