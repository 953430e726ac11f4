//! Where a scenario runs: the system, the truth about its instances, and what may be done to them. The simulated world is
//! one target, real servers in containers another.

mod choose;
mod real;
mod simulated;
mod suits;

pub use choose::servers_for;
pub use engines::harm::Refused;
pub use real::{RealTarget, Servers};
pub use simulated::simulated;
pub use suits::unsuitable;

use futures_util::future::LocalBoxFuture;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use recovery::model::backup::{BackupKind, Node};
use recovery::model::photograph::Photograph;
use recovery::model::{BackupId, InstanceId, Product, Secret, SetId};
use recovery::ports::Ports;
use scenarios::Damage;
use sim::UnderWay;
use std::rc::Rc;
use std::sync::Arc;

/// What the operator of a run is given, whatever the target.
#[derive(Clone)]
pub struct Stage {
    /// The operator's own ports.
    pub ports: Ports,
    /// Faults and the truth.
    pub control: Rc<dyn Control>,
    /// The service, `host:port`.
    pub service: String,
    /// What users of the service show it.
    pub access_token: Secret,
}

/// What runs on the application's or a stranger's host, with that host's ports.
pub type Guest = Box<dyn FnOnce(Ports) -> LocalBoxFuture<'static, ()>>;

/// Something that is to befall the system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// A host crashes; its disk keeps any part of what was not synced, where `torn`.
    Crash {
        /// Host.
        host: String,
        /// Whether its disk is torn.
        torn: bool,
    },
    /// A host crashes at one of its next disk operations, with its disk torn.
    CrashAtWrite {
        /// Host.
        host: String,
        /// At which operation from now.
        nth: u64,
    },
    /// A host starts again; one that still runs is crashed first.
    Start(String),
    /// A host stands still.
    Pause(String),
    /// A host goes on.
    GoOn(String),
    /// Nothing passes between two hosts, or from the one to the other.
    Cut {
        /// One.
        a: String,
        /// The other.
        b: String,
        /// Whether only from `a` to `b`.
        oneway: bool,
    },
    /// What passes between two hosts is held.
    Hold(String, String),
    /// What was held goes on.
    Release(String, String),
    /// What passes between two hosts takes so many milliseconds.
    Slow(String, String, u64),
    /// What passes between two hosts takes up to so many milliseconds.
    Reorder(String, String, u64),
    /// Connections between two hosts break.
    Reset(String, String),
    /// The way between two hosts is whole again.
    Heal(String, String),
    /// Everything is whole again: ways, disks, and hosts that are down or stand still.
    HealAll,
    /// A host's clock is so many milliseconds ahead of true time.
    Skew(String, i64),
    /// The disk of the service or a machine is full, or has room again.
    FillDisk {
        /// Host.
        host: String,
        /// Whether it is full.
        full: bool,
    },
    /// A backup in the vault is damaged.
    Damage(InstanceId, BackupId, Damage),
    /// A part of a set of a logical backup task is damaged.
    DamageSet(SetId, Damage),
    /// The files of a server's log up to now are gone, and it still lists them.
    LoseLogFile(InstanceId),
    /// A stand-by takes over from an instance's server.
    FailOver(InstanceId),
    /// An instance's server becomes another version or edition.
    Version(InstanceId, Product),
    /// A replica is so many milliseconds behind.
    Lag(InstanceId, u64),
    /// An instance's server goes by a time zone.
    Zone(InstanceId, String),
    /// An instance is gone from its machine.
    Vanish(InstanceId),
}

/// What the operator can do and know beside the interface.
pub trait Control {
    /// True time, which no host's skew touches.
    fn true_now(&self) -> Timestamp;

    /// Lets time pass.
    fn sleep(&self, span: SignedDuration) -> LocalBoxFuture<'_, ()>;

    /// The content of an instance, or of one node of it, as it truly is.
    fn photograph<'a>(
        &'a self,
        instance: &'a InstanceId,
        node: Option<Node>,
    ) -> LocalBoxFuture<'a, Option<Arc<Photograph>>>;

    /// Whether a photograph takes time, so that nobody may write meanwhile.
    fn takes_time(&self) -> bool;

    /// The machine an instance is on.
    fn machine_of(&self, instance: &InstanceId) -> Option<String>;

    /// Whether a host is down.
    fn is_down<'a>(&'a self, host: &'a str) -> LocalBoxFuture<'a, bool>;

    /// Has something befall the system.
    ///
    /// # Errors
    /// When it cannot be, or did not work.
    fn wish(&self, wish: Wish) -> LocalBoxFuture<'_, Result<(), Refused>>;

    /// The newest backup of a kind that lies whole in the vault.
    ///
    /// # Errors
    /// When the vault refuses.
    fn newest_backup<'a>(
        &'a self,
        instance: &'a InstanceId,
        kind: BackupKind,
    ) -> LocalBoxFuture<'a, Result<Option<BackupId>, Refused>>;

    /// A time zone by its name, as servers know them.
    ///
    /// # Errors
    /// When there is no such zone.
    fn zone(&self, name: &str) -> Result<TimeZone, Refused>;

    /// Runs something on the application's or the stranger's host, until it ends or the host crashes.
    ///
    /// # Errors
    /// When the host is another one.
    fn spawn_on(&self, host: &str, guest: Guest) -> Result<(), Refused>;

    /// The messages between hosts that have not arrived, as far as the target knows them.
    ///
    /// # Errors
    /// When the run is over.
    fn under_way(&self) -> LocalBoxFuture<'_, Result<Vec<UnderWay>, Refused>>;
}
