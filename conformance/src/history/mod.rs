//! The history of one run: everything that was asked, answered, seen and done from outside, in order.

mod call;
mod fingerprint;
pub mod lens;
pub mod redact;

pub use call::Call;
pub use fingerprint::hex;

use jiff::Timestamp;
use recovery::model::backup::Node;
use recovery::model::logical::views::{
    DataSourceView, LogicalBackupTaskView, LogicalRestorable, LogicalSetView, RestoreView,
};
use recovery::model::photograph::Photograph;
use recovery::model::views::{BackupView, InstanceView, TaskView};
use recovery::model::{BackupId, DataSourceId, InstanceId, TaskId};
use recovery::ports::database::{DatabaseError, Outcome};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One run as it was seen from outside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// Name of the scenario.
    pub scenario: String,
    /// Seed.
    pub seed: u64,
    /// Instance ids by their name in the scenario.
    pub names: BTreeMap<String, InstanceId>,
    /// What happened, in order.
    pub events: Vec<Event>,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// True virtual time, which no host's clock has to agree with.
    pub at: Timestamp,
    /// Index of the scenario step during which it happened; none before the first and after the last.
    pub step: Option<usize>,
    /// What.
    pub what: What,
}

/// Kinds of events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum What {
    /// A step of the scenario began.
    StepBegan {
        /// Line of the file.
        line: usize,
        /// The step in one line.
        text: String,
    },
    /// A call of the interface and its answer; the event's time is when the answer (or the end of waiting) came.
    Call(Call),
    /// An answer showed an instance.
    InstanceSeen(Arc<InstanceView>),
    /// The interface said that it knows no such instance.
    InstanceGone {
        /// Which.
        id: InstanceId,
    },
    /// An answer listed instances.
    InstancesListed {
        /// Which list.
        list: ListKind,
        /// Region asked for, or the master for a list of temporary instances.
        of: Option<String>,
        /// Ids on it.
        ids: Vec<InstanceId>,
    },
    /// An answer showed a backup.
    BackupSeen(Arc<BackupView>),
    /// An answer showed a task.
    TaskSeen(Arc<TaskView>),
    /// The interface said that it knows no such task.
    TaskGone {
        /// Which.
        id: TaskId,
    },
    /// An answer showed a data source.
    DataSourceSeen(Arc<DataSourceView>),
    /// An answer showed a logical backup task.
    LogicalTaskSeen(Arc<LogicalBackupTaskView>),
    /// An answer showed a set of a logical backup task.
    LogicalSetSeen(Arc<LogicalSetView>),
    /// An answer said what can be restored from a logical backup task.
    LogicalRestorableSeen {
        /// Backup task.
        task: TaskId,
        /// What it said.
        restorable: Box<LogicalRestorable>,
    },
    /// An answer showed a restore task.
    RestoreSeen(Arc<RestoreView>),
    /// An answer listed restore tasks.
    RestoresListed {
        /// Ids on it.
        ids: Vec<TaskId>,
    },
    /// An answer listed logical backup tasks.
    LogicalTasksListed {
        /// Data source asked for.
        source: Option<DataSourceId>,
        /// Ids on it.
        ids: Vec<TaskId>,
    },
    /// An answer listed backups of an instance.
    BackupsListed {
        /// Instance.
        of: InstanceId,
        /// From when, as asked.
        from: Option<Timestamp>,
        /// To when, as asked.
        to: Option<Timestamp>,
        /// Ids on it.
        ids: Vec<BackupId>,
    },
    /// A backup file was fetched through its link.
    Downloaded {
        /// Backup.
        backup: BackupId,
        /// The link's path.
        path: String,
        /// HTTP status.
        status: u16,
        /// Bytes.
        size_bytes: u64,
        /// SHA-256 of them, hexadecimal.
        sha256: String,
    },
    /// Somebody ran a statement on a database server.
    Statement(Statement),
    /// Somebody tried to log in at a database server.
    Login(Login),
    /// A mark: a moment with a name. Photographs of all instances follow.
    Mark {
        /// Its name.
        name: String,
        /// The second that names this moment on each server's own clock: everything up to now is at or before it,
        /// everything later is after it.
        times: BTreeMap<InstanceId, Timestamp>,
    },
    /// Content of one instance, read around the system.
    Photograph(Shot),
    /// A row the application wrote.
    Ledger(LedgerEntry),
    /// An instance was found on a machine, or on another one than before.
    Placed {
        /// Instance.
        instance: InstanceId,
        /// Host.
        machine: String,
    },
    /// Messages between hosts that had not arrived when the run was stopped before its end.
    InFlight {
        /// By sender and receiver.
        messages: Vec<InFlight>,
    },
    /// A fault began or ended.
    Fault {
        /// What, in one line.
        text: String,
        /// The host it hit.
        host: Option<String>,
        /// [`scenarios::Fault::kind`].
        kind: String,
        /// Whether it began; it ended otherwise.
        began: bool,
    },
    /// A fault of the scenario did not happen: what it waits for never came so, or it hit nothing.
    FaultMissed {
        /// [`scenarios::Fault::kind`].
        kind: String,
        /// Why, in one line.
        text: String,
    },
    /// What a scenario expected.
    Expectation {
        /// Whether it was met.
        met: bool,
        /// What was expected.
        want: String,
        /// What was found.
        got: String,
    },
    /// A step of a tolerant scenario came out otherwise than it says.
    Otherwise {
        /// What the step said.
        want: String,
        /// What was found.
        got: String,
    },
    /// All faults are healed; from here on everything must come to an end.
    Healed,
    /// The last observation is over.
    Ended,
}

impl What {
    /// Whether something is broken by it: every fault but the healing, which each run ends with.
    #[must_use]
    pub fn breaks(&self) -> bool {
        matches!(self, Self::Fault { kind, .. } if kind != "heal")
    }

    /// A fault that begins.
    #[must_use]
    pub fn fault(kind: &str, text: impl Into<String>, host: Option<&str>) -> Self {
        Self::Fault { text: text.into(), host: host.map(str::to_owned), kind: kind.to_owned(), began: true }
    }
}

/// Messages from one host to another that have not arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InFlight {
    /// Host that sent them.
    pub from: String,
    /// Host they are for.
    pub to: String,
    /// How many.
    pub count: usize,
    /// Whether they are held: by a fault, or because one of the two stands still.
    pub held: bool,
}

/// Lists of instances the interface offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ListKind {
    /// `GET /v1/instances`.
    Instances,
    /// `GET /v1/migration-sources`.
    MigrationSources,
    /// `GET /v1/instances/{id}/temporary-instances`.
    Temporaries,
}

/// Who talks to a database server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Client {
    /// The person who recovers.
    Operator,
    /// The application.
    Application,
}

/// Redis commands that change nothing.
const REDIS_READS: [&str; 43] = [
    "bitcount",
    "dbsize",
    "echo",
    "exists",
    "get",
    "getbit",
    "getrange",
    "hexists",
    "hget",
    "hgetall",
    "hkeys",
    "hlen",
    "hmget",
    "hscan",
    "hvals",
    "info",
    "keys",
    "lindex",
    "llen",
    "lrange",
    "mget",
    "object",
    "ping",
    "pttl",
    "randomkey",
    "scan",
    "scard",
    "select",
    "sismember",
    "smembers",
    "srandmember",
    "sscan",
    "strlen",
    "time",
    "ttl",
    "type",
    "zcard",
    "zcount",
    "zrange",
    "zrangebyscore",
    "zrank",
    "zscan",
    "zscore",
];

/// A statement on a database server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Statement {
    /// When it was sent.
    pub sent_at: Timestamp,
    /// Instance.
    pub instance: InstanceId,
    /// Database.
    pub database: String,
    /// Account.
    pub account: String,
    /// Who.
    pub by: Client,
    /// Statement.
    pub sql: String,
    /// What came of it.
    pub outcome: Result<Outcome, DatabaseError>,
}

impl Statement {
    /// Whether it is commands for Redis, one a line: databases of Redis are numbers.
    #[must_use]
    pub fn is_redis(&self) -> bool {
        self.database.parse::<u8>().is_ok()
    }

    /// Whether it only reads.
    #[must_use]
    pub fn only_reads(&self) -> bool {
        if self.is_redis() {
            let words = self.sql.lines().filter_map(|line| line.split_whitespace().next());
            return words.into_iter().all(|word| REDIS_READS.contains(&word.to_ascii_lowercase().as_str()));
        }
        let first = self.sql.trim_start().split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or("");
        first.eq_ignore_ascii_case("select")
    }

    /// Whether it changes definitions; Redis has none.
    #[must_use]
    pub fn is_ddl(&self) -> bool {
        if self.is_redis() {
            return false;
        }
        self.sql.split(';').any(|part| {
            let first = part.trim_start().split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or("");
            ["create", "alter", "drop", "truncate", "rename"].iter().any(|word| first.eq_ignore_ascii_case(word))
        })
    }
}

/// A login at a database server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Login {
    /// When it was tried.
    pub sent_at: Timestamp,
    /// Instance.
    pub instance: InstanceId,
    /// Account.
    pub account: String,
    /// [`recovery::model::photograph::password_mark`] of the password used.
    pub password_mark: String,
    /// Whether SSL was asked for.
    pub ssl: bool,
    /// Host it came from.
    pub from: String,
    /// What came of it.
    pub outcome: Result<(), DatabaseError>,
}

/// Content of one instance at the event's time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shot {
    /// Instance.
    pub instance: InstanceId,
    /// The mark it belongs to.
    pub mark: Option<String>,
    /// Content.
    pub photograph: Arc<Photograph>,
    /// The node it shows, where the engine tells its nodes apart (Redis); none is the whole instance, as its master is.
    pub node: Option<Node>,
}

/// A row the application wrote, from its own ledger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// Instance.
    pub instance: InstanceId,
    /// Database.
    pub database: String,
    /// Table.
    pub table: String,
    /// Key of the row.
    pub id: i64,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// Whether the server acknowledged it; without, the row may or may not be there.
    pub acknowledged: bool,
    /// Whether the server answered that it did not write it.
    #[serde(default)]
    pub refused: bool,
}

impl History {
    /// The scenario's name of an instance, or its id.
    #[must_use]
    pub fn name_of<'a>(&'a self, id: &'a InstanceId) -> &'a str {
        self.names.iter().find(|(_, known)| *known == id).map_or(id.as_str(), |(name, _)| name)
    }

    /// Virtual seconds from the first to the last event.
    #[must_use]
    pub fn virtual_seconds(&self) -> f64 {
        match (self.events.first(), self.events.last()) {
            (Some(first), Some(last)) => last.at.duration_since(first.at).as_secs_f64(),
            _ => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(database: &str, sql: &str) -> Statement {
        Statement {
            sent_at: Timestamp::UNIX_EPOCH,
            instance: "rm-1".into(),
            database: database.into(),
            account: "app".into(),
            by: Client::Operator,
            sql: sql.into(),
            outcome: Ok(Outcome { columns: vec![], rows: vec![], affected: 0 }),
        }
    }

    #[test]
    fn redis_commands_read_only_where_every_line_reads() {
        assert!(statement("0", "select 1\nHGETALL cart\n\nttl cart").only_reads());
        assert!(!statement("0", "select 1\nset cart full").only_reads());
        assert!(statement("app", "select 1").only_reads());
        assert!(!statement("app", "get cart").only_reads());
    }

    #[test]
    fn redis_has_no_definitions() {
        assert!(!statement("3", "rename cart basket\nset note ;drop").is_ddl());
        assert!(statement("app", "insert into a values (1); drop table b").is_ddl());
    }
}
