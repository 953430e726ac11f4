//! Faults: what breaks, when, and for how long.

use crate::action::{AccountStep, ConfigureStep, ReleaseStep, SqlStep, WaitUntil};
use crate::scenario::Host;
use recovery::model::Product;
use recovery::model::backup::BackupKind;
use std::time::Duration;

/// `fault = { … }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultStep {
    /// What breaks.
    pub fault: Fault,
    /// `for`: how long, after which it heals by itself (a crashed host restarts); until healed unless given. Only where
    /// [`Fault::can_end`].
    pub lasts: Option<Duration>,
    /// `when`: it happens as soon as that is so, in the background; what it names may be made by a later step. Where that
    /// is never so before the last step is over, it does not happen.
    pub when: Option<WaitUntil>,
    /// `after`: it happens a seeded random delay later, at least the first and at most the second; with `when`, counted
    /// from then.
    pub after: Option<(Duration, Duration)>,
    /// `background`: go on with the next step at once; otherwise the step ends when the fault has begun and, where
    /// `for` is given, ended. Always so with `when`.
    pub background: bool,
}

/// What breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// `crash`: the host loses its memory and all that its disk had not synced.
    Crash {
        /// Host.
        host: Host,
        /// Whether the last unsynced write is torn rather than lost.
        torn: bool,
    },
    /// `restart`: a crashed host starts again.
    Restart {
        /// Host.
        host: Host,
    },
    /// `partition`: nothing passes between two hosts.
    Partition {
        /// One.
        a: Host,
        /// Other.
        b: Host,
        /// Whether only messages from `a` to `b` are lost.
        oneway: bool,
    },
    /// `hold`: messages between two hosts wait.
    Hold {
        /// One.
        a: Host,
        /// Other.
        b: Host,
    },
    /// `slow`: messages between two hosts take long.
    Slow {
        /// One.
        a: Host,
        /// Other.
        b: Host,
        /// How long.
        latency_ms: u64,
    },
    /// `reorder`: each message between two hosts takes a random time of its own, so that they overtake one another.
    Reorder {
        /// One.
        a: Host,
        /// Other.
        b: Host,
        /// How long at most.
        latency_ms: u64,
    },
    /// `reset`: connections that are open between two hosts break, on both sides at once.
    Reset {
        /// One.
        a: Host,
        /// Other.
        b: Host,
    },
    /// `pause`: the host stands still and keeps its memory.
    Pause {
        /// Host.
        host: Host,
    },
    /// `disk_full`: the service's disk, or that of a database server, takes nothing more.
    DiskFull {
        /// Service or machine.
        host: Host,
    },
    /// `skew`: the host's clock is off by so much from now on.
    Skew {
        /// Host.
        host: Host,
        /// Fast when positive.
        ms: i64,
    },
    /// `jump`: the host's clock is set forward or back by so much, from where it is.
    Jump {
        /// Host.
        host: Host,
        /// Forward when positive.
        ms: i64,
    },
    /// `twice`: each of the operator's next requests that change something reaches the service twice, with the same
    /// idempotency key.
    Twice {
        /// So many requests.
        requests: u32,
        /// `at_once`: both at the same time; otherwise the second after the first was answered.
        at_once: bool,
    },
    /// `answers_lost`: the operator's next requests that bear an idempotency key have their effect, but the answer does
    /// not arrive; the operator then asks again with the same key.
    AnswersLost {
        /// So many requests.
        requests: u32,
    },
    /// `client_zone`: the operator states times in the local time of a zone, with its offset then.
    ClientZone {
        /// `+02:00`, or `Europe/Berlin`.
        zone: String,
    },
    /// Somebody does something ordinary at the worst moment.
    Act(Box<Act>),
    /// `damage`: a backup in the vault goes bad.
    Damage {
        /// Which.
        backup: Damaged,
        /// How.
        how: Damage,
    },
    /// `log_gap`: the newest log backup of an instance is lost, so that its logs have a gap.
    LogGap {
        /// Instance.
        of: String,
    },
    /// `log_file_lost`: the files of a MySQL server's log up to now are gone from its disk, and the server still lists them; what
    /// log backups hold stays.
    LogFileLost {
        /// Instance.
        of: String,
    },
    /// `failover`: another node becomes the master of an instance.
    Failover {
        /// Instance.
        of: String,
    },
    /// `version`: the engine of an instance is upgraded or downgraded.
    Version {
        /// Instance.
        of: String,
        /// From now on.
        engine: Product,
    },
    /// `lag`: the replica of an instance falls behind its master.
    Lag {
        /// Instance.
        of: String,
        /// So far.
        ms: u64,
    },
    /// `time_zone`: the server of an instance is set to another time zone.
    TimeZone {
        /// Instance.
        of: String,
        /// `+02:00`, or `Europe/Berlin`.
        zone: String,
    },
    /// `vanish`: the machine of an instance loses it, and the service is not told.
    Vanish {
        /// Instance.
        of: String,
    },
    /// `heal`: everything is well again, crashed hosts start.
    Heal,
}

/// An ordinary step that somebody takes in the middle of something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// Which key said it.
    pub kind: ActKind,
    /// What is done.
    pub deed: Deed,
    /// What puts it back, at the end of `for` and when everything heals; none where nothing can.
    pub undo: Option<Deed>,
}

/// Acts that are faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ActKind {
    /// `ddl`: statements that change definitions.
    Ddl,
    /// `sql`: any statements.
    Sql,
    /// `rights`: an account gets other rights.
    Rights,
    /// `password`: an account gets another password.
    Password,
    /// `drop_account`: an account is dropped.
    DropAccount,
    /// `ssl`: SSL is switched.
    Ssl,
    /// `whitelist`: entries are taken away or added.
    Whitelist,
    /// `delete`: an instance is released through the interface.
    Delete,
}

/// What an act does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// Runs statements; whatever the server says of them.
    Sql(SqlStep),
    /// Changes an account.
    Account(AccountStep),
    /// Changes settings.
    Configure(ConfigureStep),
    /// Releases an instance.
    Release(ReleaseStep),
}

impl Deed {
    /// The instance it is done to.
    #[must_use]
    pub fn on(&self) -> &str {
        match self {
            Self::Sql(step) => &step.on,
            Self::Account(step) => &step.on,
            Self::Configure(step) => &step.on,
            Self::Release(step) => &step.instance,
        }
    }
}

/// Which backup goes bad.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Damaged {
    /// `backup`: by the name a backup step gave it.
    Named(String),
    /// `backup`: a set of a logical backup task, by its name.
    Set(String),
    /// `newest`: the newest completed one of an instance.
    Newest {
        /// `of`: instance.
        of: String,
        /// `kind`: data unless given.
        kind: BackupKind,
    },
}

/// How a backup goes bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Damage {
    /// Some of its bytes are others.
    Corrupt,
    /// It is not there any more.
    Missing,
    /// Only its first half was written.
    Half,
}

impl Fault {
    /// Every kind of fault, as [`Self::kind`] gives it.
    pub const ALL_KINDS: &'static [&'static str] = &[
        "crash",
        "crash-torn",
        "restart",
        "partition",
        "partition-oneway",
        "hold",
        "slow",
        "reorder",
        "reset",
        "pause",
        "disk-full",
        "server-disk-full",
        "skew",
        "jump",
        "twice",
        "answers-lost",
        "client-zone",
        "ddl",
        "sql",
        "rights",
        "password",
        "drop-account",
        "ssl",
        "whitelist",
        "delete",
        "backup-corrupt",
        "backup-missing",
        "backup-half",
        "log-gap",
        "log-file-lost",
        "failover",
        "version",
        "lag",
        "time-zone",
        "vanish",
        "heal",
    ];

    /// Its kind, for statistics; one of [`Self::ALL_KINDS`].
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Crash { torn: false, .. } => "crash",
            Self::Crash { torn: true, .. } => "crash-torn",
            Self::Restart { .. } => "restart",
            Self::Partition { oneway: false, .. } => "partition",
            Self::Partition { oneway: true, .. } => "partition-oneway",
            Self::Hold { .. } => "hold",
            Self::Slow { .. } => "slow",
            Self::Reorder { .. } => "reorder",
            Self::Reset { .. } => "reset",
            Self::Pause { .. } => "pause",
            Self::DiskFull { host: Host::Service } => "disk-full",
            Self::DiskFull { .. } => "server-disk-full",
            Self::Skew { .. } => "skew",
            Self::Jump { .. } => "jump",
            Self::Twice { .. } => "twice",
            Self::AnswersLost { .. } => "answers-lost",
            Self::ClientZone { .. } => "client-zone",
            Self::Act(act) => act.kind.text(),
            Self::Damage { how: Damage::Corrupt, .. } => "backup-corrupt",
            Self::Damage { how: Damage::Missing, .. } => "backup-missing",
            Self::Damage { how: Damage::Half, .. } => "backup-half",
            Self::LogGap { .. } => "log-gap",
            Self::LogFileLost { .. } => "log-file-lost",
            Self::Failover { .. } => "failover",
            Self::Version { .. } => "version",
            Self::Lag { .. } => "lag",
            Self::TimeZone { .. } => "time-zone",
            Self::Vanish { .. } => "vanish",
            Self::Heal => "heal",
        }
    }

    /// Whether it has an end of its own, so that `for` goes with it.
    #[must_use]
    pub fn can_end(&self) -> bool {
        match self {
            Self::Crash { .. }
            | Self::Partition { .. }
            | Self::Hold { .. }
            | Self::Slow { .. }
            | Self::Reorder { .. }
            | Self::Pause { .. }
            | Self::DiskFull { .. }
            | Self::Skew { .. }
            | Self::Jump { .. }
            | Self::ClientZone { .. }
            | Self::Lag { .. } => true,
            Self::Act(act) => act.undo.is_some(),
            Self::Restart { .. }
            | Self::Reset { .. }
            | Self::Twice { .. }
            | Self::AnswersLost { .. }
            | Self::Damage { .. }
            | Self::LogGap { .. }
            | Self::LogFileLost { .. }
            | Self::Failover { .. }
            | Self::Version { .. }
            | Self::TimeZone { .. }
            | Self::Vanish { .. }
            | Self::Heal => false,
        }
    }

    /// The hosts it is about.
    #[must_use]
    pub fn hosts(&self) -> Vec<&Host> {
        match self {
            Self::Crash { host, .. }
            | Self::Restart { host }
            | Self::Pause { host }
            | Self::DiskFull { host }
            | Self::Skew { host, .. }
            | Self::Jump { host, .. } => vec![host],
            Self::Partition { a, b, .. }
            | Self::Hold { a, b }
            | Self::Slow { a, b, .. }
            | Self::Reorder { a, b, .. }
            | Self::Reset { a, b } => vec![a, b],
            _ => vec![],
        }
    }

    /// The hosts it is about, to be changed.
    pub fn hosts_mut(&mut self) -> Vec<&mut Host> {
        match self {
            Self::Crash { host, .. }
            | Self::Restart { host }
            | Self::Pause { host }
            | Self::DiskFull { host }
            | Self::Skew { host, .. }
            | Self::Jump { host, .. } => vec![host],
            Self::Partition { a, b, .. }
            | Self::Hold { a, b }
            | Self::Slow { a, b, .. }
            | Self::Reorder { a, b, .. }
            | Self::Reset { a, b } => vec![a, b],
            _ => vec![],
        }
    }

    /// The instance it is about, where it is about one rather than about hosts; none for a backup by its name.
    #[must_use]
    pub fn instance(&self) -> Option<&str> {
        match self {
            Self::Act(act) => Some(act.deed.on()),
            Self::Damage { backup: Damaged::Newest { of, .. }, .. }
            | Self::LogGap { of }
            | Self::LogFileLost { of }
            | Self::Failover { of }
            | Self::Version { of, .. }
            | Self::Lag { of, .. }
            | Self::TimeZone { of, .. }
            | Self::Vanish { of } => Some(of),
            _ => None,
        }
    }
}

impl ActKind {
    /// The act as a kind of fault.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Ddl => "ddl",
            Self::Sql => "sql",
            Self::Rights => "rights",
            Self::Password => "password",
            Self::DropAccount => "drop-account",
            Self::Ssl => "ssl",
            Self::Whitelist => "whitelist",
            Self::Delete => "delete",
        }
    }
}
