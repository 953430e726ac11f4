//! Faults, and raw calls to the service.

use crate::scenario::Host;
use recovery::model::RefusalCode;
use std::time::Duration;

/// `fault = { … }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultStep {
    /// What breaks.
    pub fault: Fault,
    /// `for`: how long, after which it heals by itself (a crashed host restarts); until healed unless given.
    pub lasts: Option<Duration>,
    /// `after`: it happens a seeded random delay later, at least the first and at most the second.
    pub after: Option<(Duration, Duration)>,
    /// `background`: go on with the next step at once; otherwise the step ends when the fault has begun and, where
    /// `for` is given, ended.
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
    /// `pause`: the host stands still and keeps its memory.
    Pause {
        /// Host.
        host: Host,
    },
    /// `skew`: the host's clock is off by so much from now on.
    Skew {
        /// Host.
        host: Host,
        /// Fast when positive.
        ms: i64,
    },
    /// `heal`: everything is well again, crashed hosts start.
    Heal,
}

/// `call = { method, path, body, key, token, status, code, contains }`.
#[derive(Debug, Clone, PartialEq)]
pub struct CallStep {
    /// `method`: GET unless given, POST unless given where there is a body.
    pub method: CallMethod,
    /// `path`: `{NAME}` in it stands for the id of what bears that name.
    pub path: Vec<PathPiece>,
    /// `body`: as JSON; a text `{NAME}` in it stands for an id as in the path. Every such name was looked up.
    pub body: Option<serde_json::Value>,
    /// `raw`: a body that is sent as it stands, JSON or not.
    pub raw: Option<String>,
    /// `key`: name of an idempotency key, as for a temporary instance.
    pub key: Option<String>,
    /// `token`: right unless given.
    pub token: CallToken,
    /// `status`: HTTP status it must be answered with.
    pub status: Option<u16>,
    /// `code`: code it must be refused with.
    pub code: Option<RefusalCode>,
    /// `contains`: text the answer's body must hold.
    pub contains: Option<String>,
}

/// HTTP method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallMethod {
    /// GET.
    Get,
    /// POST.
    Post,
    /// PUT.
    Put,
    /// PATCH.
    Patch,
    /// DELETE.
    Delete,
}

/// Which access token a call bears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallToken {
    /// The right one.
    Right,
    /// A wrong one.
    Wrong,
    /// None.
    None,
}

/// A piece of a call's path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathPiece {
    /// Text as it stands.
    Text(String),
    /// The id of the instance of that name.
    Instance(String),
    /// The id of the backup of that name.
    Backup(String),
    /// The id of the migration task, logical backup task, restore task, data source or set of that name; `TASK set` is
    /// the first set of a logical backup task, which bears the task's name otherwise.
    Task(String),
}

impl Fault {
    /// The hosts it is about.
    #[must_use]
    pub fn hosts(&self) -> Vec<&Host> {
        match self {
            Self::Crash { host, .. } | Self::Restart { host } | Self::Pause { host } | Self::Skew { host, .. } => {
                vec![host]
            }
            Self::Partition { a, b, .. } | Self::Hold { a, b } | Self::Slow { a, b, .. } => vec![a, b],
            Self::Heal => vec![],
        }
    }
}
