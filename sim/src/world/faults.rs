//! What the operator may do to the world: crash, cut, hold, slow down, skew, pause and heal.
//!
//! turmoil cannot crash a host from inside one, so every wish is queued, carried out between two steps in the order
//! it was made, and then answered.

use super::network::{Activity, Ways};
use super::timers::Timers;
use jiff::Timestamp;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use thiserror::Error;
use tokio::sync::oneshot;

/// Why a fault cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FaultError {
    /// No host of that name.
    #[error("there is no host {host}; there are {known}")]
    UnknownHost {
        /// The name asked for.
        host: String,
        /// The names there are.
        known: String,
    },
    /// A link needs two hosts.
    #[error("{0} has no link with itself")]
    SameHost(String),
    /// The operator carries the run out and cannot be crashed or paused.
    #[error("the host {0} carries the run out and can neither be crashed nor paused")]
    Operator(String),
    /// Only the application host runs futures given to it.
    #[error("{0} runs nothing but its own program; futures are run on the application host")]
    TakesNoGuests(String),
    /// The run is over.
    #[error("the run is over")]
    Over,
}

/// One wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Order {
    Crash {
        host: String,
        torn: bool,
    },
    CrashAtWrite {
        host: String,
        nth: u64,
        torn: bool,
    },
    Start {
        host: String,
    },
    /// The host's main function returned; it is started again as a supervisor would.
    Exit {
        host: String,
    },
    Cut {
        from: String,
        to: String,
    },
    Hold {
        a: String,
        b: String,
    },
    Release {
        a: String,
        b: String,
    },
    Heal {
        a: String,
        b: String,
    },
    HealAll,
    Slow {
        a: String,
        b: String,
        latency_ms: u64,
    },
    /// Every message takes a time of its own.
    Reorder {
        a: String,
        b: String,
        latency_ms: u64,
    },
    /// Connections that are open break.
    Reset {
        a: String,
        b: String,
    },
    /// The disk takes nothing more, or has room again.
    FillDisk {
        host: String,
        full: bool,
    },
    Skew {
        host: String,
        skew_ms: i64,
    },
    Pause {
        host: String,
    },
    Unpause {
        host: String,
    },
    /// Nothing is changed; what is under way is told.
    Look(Rc<RefCell<Vec<UnderWay>>>),
}

/// Messages from one host to another that have not arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnderWay {
    /// Host that sent them.
    pub from: String,
    /// Host they are for.
    pub to: String,
    /// How many.
    pub count: usize,
    /// Whether they are held: by a fault, or because one of the two stands still.
    pub held: bool,
}

impl Order {
    /// The hosts it names.
    pub(crate) fn hosts(&self) -> Vec<&str> {
        match self {
            Self::Crash { host, .. }
            | Self::CrashAtWrite { host, .. }
            | Self::Start { host }
            | Self::Exit { host }
            | Self::FillDisk { host, .. }
            | Self::Skew { host, .. }
            | Self::Pause { host }
            | Self::Unpause { host } => vec![host],
            Self::Cut { from: a, to: b }
            | Self::Hold { a, b }
            | Self::Release { a, b }
            | Self::Heal { a, b }
            | Self::Slow { a, b, .. }
            | Self::Reorder { a, b, .. }
            | Self::Reset { a, b } => vec![a, b],
            Self::HealAll | Self::Look(_) => vec![],
        }
    }
}

pub(crate) struct Wish {
    pub(crate) orders: Vec<Order>,
    pub(crate) done: Option<oneshot::Sender<()>>,
}

/// The handle through which faults are made. Clones are the same handle.
#[derive(Clone)]
pub struct Faults(Rc<Shared>);

struct Shared {
    wishes: RefCell<VecDeque<Wish>>,
    hosts: Vec<String>,
    operator: String,
    timers: Timers,
    ways: Ways,
    activity: Activity,
}

impl Faults {
    pub(crate) fn new(hosts: Vec<String>, operator: &str, timers: &Timers, ways: &Ways, activity: &Activity) -> Self {
        Self(Rc::new(Shared {
            wishes: RefCell::default(),
            hosts,
            operator: operator.to_owned(),
            timers: timers.clone(),
            ways: ways.clone(),
            activity: activity.clone(),
        }))
    }

    pub(crate) fn take(&self) -> Option<Wish> {
        self.0.wishes.borrow_mut().pop_front()
    }

    pub(crate) fn exited(&self, host: &str) {
        let orders = vec![Order::Exit { host: host.to_owned() }];
        self.0.wishes.borrow_mut().push_back(Wish { orders, done: None });
    }

    /// Says that something was done by which another host may have work now.
    pub(crate) fn note_activity(&self) {
        self.0.activity.note();
    }

    /// Starts a host that waits for a call.
    pub(crate) fn call(&self, host: &str) {
        self.0.ways.call(host);
        self.note_activity();
    }

    async fn wish(&self, orders: Vec<Order>) -> Result<(), FaultError> {
        let (done, answer) = oneshot::channel();
        self.0.wishes.borrow_mut().push_back(Wish { orders, done: Some(done) });
        answer.await.map_err(|_| FaultError::Over)
    }

    fn host(&self, host: &str) -> Result<String, FaultError> {
        if self.0.hosts.iter().any(|known| known == host) {
            Ok(host.to_owned())
        } else {
            Err(FaultError::UnknownHost { host: host.to_owned(), known: self.0.hosts.join(", ") })
        }
    }

    fn server(&self, host: &str) -> Result<String, FaultError> {
        let host = self.host(host)?;
        if host == self.0.operator { Err(FaultError::Operator(host)) } else { Ok(host) }
    }

    fn link(&self, a: &str, b: &str) -> Result<(String, String), FaultError> {
        let (a, b) = (self.host(a)?, self.host(b)?);
        if a == b { Err(FaultError::SameHost(a)) } else { Ok((a, b)) }
    }

    /// All hosts.
    #[must_use]
    pub fn hosts(&self) -> &[String] {
        &self.0.hosts
    }

    /// True time, which no host's skew touches.
    #[must_use]
    pub fn true_now(&self) -> Timestamp {
        self.0.timers.true_now()
    }

    /// The messages between hosts that have not arrived.
    ///
    /// # Errors
    /// When the run is over.
    pub async fn under_way(&self) -> Result<Vec<UnderWay>, FaultError> {
        let found = Rc::default();
        self.wish(vec![Order::Look(Rc::clone(&found))]).await?;
        Ok(found.take())
    }

    /// Crashes a host: its tasks are gone, its disk loses what was not synced. Its peers see their connections close;
    /// cut it off first for a power failure of which they learn nothing.
    ///
    /// # Errors
    /// When there is no such host.
    pub async fn crash(&self, host: &str) -> Result<(), FaultError> {
        self.wish(vec![Order::Crash { host: self.server(host)?, torn: false }]).await
    }

    /// Crashes a host whose disk keeps any part of what was not synced.
    ///
    /// # Errors
    /// When there is no such host.
    pub async fn crash_torn(&self, host: &str) -> Result<(), FaultError> {
        self.wish(vec![Order::Crash { host: self.server(host)?, torn: true }]).await
    }

    /// Lets a host crash in the middle of its work: at the `nth` change or sync of its disk from now, which is then lost
    /// or torn with all that was not synced before it. Without a disk this changes nothing; [`Self::is_down`] tells
    /// whether it has happened. A new start takes an unspent order back.
    ///
    /// # Errors
    /// When there is no such host.
    pub async fn crash_at_write(&self, host: &str, nth: u64, torn: bool) -> Result<(), FaultError> {
        self.wish(vec![Order::CrashAtWrite { host: self.server(host)?, nth, torn }]).await
    }

    /// Whether a host is down.
    #[must_use]
    pub fn is_down(&self, host: &str) -> bool {
        self.0.ways.lock().down.contains(host)
    }

    /// Starts a host again; one that still runs is crashed first.
    ///
    /// # Errors
    /// When there is no such host.
    pub async fn bounce(&self, host: &str) -> Result<(), FaultError> {
        self.wish(vec![Order::Start { host: self.server(host)? }]).await
    }

    /// Drops everything between two hosts.
    ///
    /// # Errors
    /// When there is no such link.
    pub async fn partition(&self, a: &str, b: &str) -> Result<(), FaultError> {
        let (a, b) = self.link(a, b)?;
        self.wish(vec![Order::Cut { from: a.clone(), to: b.clone() }, Order::Cut { from: b, to: a }]).await
    }

    /// Drops everything from one host to another.
    ///
    /// # Errors
    /// When there is no such link.
    pub async fn partition_oneway(&self, from: &str, to: &str) -> Result<(), FaultError> {
        let (from, to) = self.link(from, to)?;
        self.wish(vec![Order::Cut { from, to }]).await
    }

    /// Holds everything between two hosts until it is released.
    ///
    /// # Errors
    /// When there is no such link.
    pub async fn hold(&self, a: &str, b: &str) -> Result<(), FaultError> {
        let (a, b) = self.link(a, b)?;
        self.wish(vec![Order::Hold { a, b }]).await
    }

    /// Lets through what was held.
    ///
    /// # Errors
    /// When there is no such link.
    pub async fn release(&self, a: &str, b: &str) -> Result<(), FaultError> {
        let (a, b) = self.link(a, b)?;
        self.wish(vec![Order::Release { a, b }]).await
    }

    /// Makes a link whole: not cut, not held, not slow.
    ///
    /// # Errors
    /// When there is no such link.
    pub async fn heal(&self, a: &str, b: &str) -> Result<(), FaultError> {
        let (a, b) = self.link(a, b)?;
        self.wish(vec![Order::Heal { a, b }]).await
    }

    /// Makes everything whole: links healed, paused hosts going on, crashed hosts started again. Clocks keep their skew.
    ///
    /// # Errors
    /// When the run is over.
    pub async fn heal_all(&self) -> Result<(), FaultError> {
        self.wish(vec![Order::HealAll]).await
    }

    /// Gives a link a fixed latency, of one millisecond at least.
    ///
    /// # Errors
    /// When there is no such link.
    pub async fn slow(&self, a: &str, b: &str, latency_ms: u64) -> Result<(), FaultError> {
        let (a, b) = self.link(a, b)?;
        self.wish(vec![Order::Slow { a, b, latency_ms }]).await
    }

    /// Gives each message on a link a random latency of its own, of one millisecond at least and `latency_ms` at most: they
    /// overtake one another. Bytes of one connection arrive in order all the same, as TCP has it.
    ///
    /// # Errors
    /// When there is no such link.
    pub async fn reorder(&self, a: &str, b: &str, latency_ms: u64) -> Result<(), FaultError> {
        let (a, b) = self.link(a, b)?;
        self.wish(vec![Order::Reorder { a, b, latency_ms }]).await
    }

    /// Breaks the connections that are open between two hosts: both sides read and write a reset from now on. New ones can
    /// be opened at once.
    ///
    /// # Errors
    /// When there is no such link.
    pub async fn reset(&self, a: &str, b: &str) -> Result<(), FaultError> {
        let (a, b) = self.link(a, b)?;
        self.wish(vec![Order::Reset { a, b }]).await
    }

    /// Fills a host's disk up, so that every change and sync of it fails, or makes room on it again. Without a disk this
    /// changes nothing.
    ///
    /// # Errors
    /// When there is no such host.
    pub async fn fill_disk(&self, host: &str, full: bool) -> Result<(), FaultError> {
        self.wish(vec![Order::FillDisk { host: self.server(host)?, full }]).await
    }

    /// Sets how far a host's clock is ahead of true time (behind, where negative).
    ///
    /// # Errors
    /// When there is no such host.
    pub async fn skew(&self, host: &str, skew_ms: i64) -> Result<(), FaultError> {
        self.wish(vec![Order::Skew { host: self.host(host)?, skew_ms }]).await
    }

    /// Stops a host as a long garbage collection or a suspended machine would: its timers do not fire, its links are
    /// held, its clock goes on.
    ///
    /// # Errors
    /// When there is no such host.
    pub async fn pause(&self, host: &str) -> Result<(), FaultError> {
        self.wish(vec![Order::Pause { host: self.server(host)? }]).await
    }

    /// Lets a paused host go on.
    ///
    /// # Errors
    /// When there is no such host.
    pub async fn unpause(&self, host: &str) -> Result<(), FaultError> {
        self.wish(vec![Order::Unpause { host: self.server(host)? }]).await
    }
}
