//! What a worker and the service say to each other about a leased task. This channel is not part of the interface of
//! the documents; it carries the credentials a worker needs.

use super::content::Object;
use super::logical::backup::{Instant, LogicalType, SetObject};
use super::logical::restore::{
    DataConflict, RestoreFailure, RestoreObjects, RestoreType, RestoredObject, StructureConflict, TableMapping,
};
use super::precheck::{PrecheckItem, PrecheckResult};
use super::task::{MigrationType, ObjectProgress, PhaseStatus, SameNameMode, Selection, TaskFailure, Work};
use super::{Product, SetId, TaskId};
use crate::ports::database::Login;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// `POST /internal/leases`: a worker asks for work; answered 204 when none came up for a while.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LeaseRequest {
    /// The worker's name.
    pub worker: String,
}

/// A server as a worker reaches it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Access {
    /// Instance id.
    pub instance: String,
    /// `host:port`; `None` when the instance is gone.
    pub endpoint: Option<String>,
    /// Product.
    pub product: Product,
    /// Credentials and SSL.
    pub login: Login,
    /// Its master, where it is a replica.
    #[serde(default)]
    pub replica_of: Option<String>,
    /// When it is released by itself, if ever.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

/// A leased task.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LeasedWork {
    /// Task.
    pub task: TaskId,
    /// Epoch of the lease.
    pub epoch: u64,
    /// Seconds the lease lasts from when it was given; the worker counts them from when it asked.
    pub lease_s: i64,
    /// What to do.
    pub job: Job,
}

/// What a leased task is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "job", rename_all = "kebab-case")]
pub enum Job {
    /// A migration task.
    Migration(Box<MigrationJob>),
    /// A logical backup task whose set is to be taken.
    Dump(Box<DumpJob>),
    /// A logical backup task whose log is to be collected.
    CollectLog(Box<LogJob>),
    /// A restore task.
    Restore(Box<RestoreJob>),
}

/// A set to be taken: all rows as of one instant, and the changes from then to the end of the reading.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DumpJob {
    /// The set; what an earlier lease wrote of it is written over.
    pub set: SetId,
    /// Source.
    pub source: Access,
    /// Type.
    pub backup_type: LogicalType,
    /// Databases; all where there is none.
    pub databases: BTreeSet<String>,
    /// Rows to read at a time.
    pub chunk_rows: usize,
}

/// A log to be collected: one segment with what is new since `after`, if anything is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LogJob {
    /// The open log set.
    pub set: SetId,
    /// Number of the next segment.
    pub segment: u64,
    /// Where the log collected so far ends.
    pub after: Instant,
    /// Source.
    pub source: Access,
    /// Databases; all where there is none.
    pub databases: BTreeSet<String>,
}

/// A log set to be replayed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogPart {
    /// The set.
    pub set: SetId,
    /// Its segments, counted from 0.
    pub segments: u64,
    /// Where it begins, exclusive.
    pub from_position: u64,
}

/// A restore.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RestoreJob {
    /// Precheck or restore.
    pub work: Work,
    /// Target.
    pub target: Access,
    /// What the target was when it was registered; what it is now is asked of it.
    pub registered: Product,
    /// What the source was when the set was taken.
    pub source_product: Product,
    /// The full set.
    pub set: SetId,
    /// Whether the service knows it as completed.
    pub set_completed: bool,
    /// Log sets after it, in order.
    pub logs: Vec<LogPart>,
    /// Take changes up to and including this second of the source's clock; up to the set's completion without.
    #[serde(default)]
    pub until: Option<Timestamp>,
    /// Types.
    pub types: BTreeSet<RestoreType>,
    /// Objects.
    pub objects: RestoreObjects,
    /// Names in the target.
    pub mapping: Vec<TableMapping>,
    /// Structure conflict policy.
    pub structure_conflict: StructureConflict,
    /// Data conflict policy.
    pub data_conflict: DataConflict,
    /// Details so far.
    pub details: Vec<RestoredObject>,
    /// Whether the plan was made.
    pub planned: bool,
    /// Rows to write at a time.
    pub chunk_rows: usize,
    /// Seconds an unreachable server is tried again.
    pub connection_retry_s: i64,
}

/// A migration task under way that follows a log, as another one needs to know of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Following {
    /// Task.
    pub task: TaskId,
    /// Instance whose log it follows.
    pub source: String,
    /// Instance it carries changes to.
    pub target: String,
    /// Objects.
    pub objects: Vec<Selection>,
}

/// A migration.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MigrationJob {
    /// Precheck or migrate.
    pub work: Work,
    /// Source.
    pub source: Access,
    /// Target.
    pub target: Access,
    /// Types.
    pub types: BTreeSet<MigrationType>,
    /// Objects.
    pub objects: Vec<Selection>,
    /// Same-name mode.
    pub same_name: SameNameMode,
    /// Advisory precheck items that are not looked at.
    #[serde(default)]
    pub without_advice: BTreeSet<PrecheckItem>,
    /// Other tasks that follow logs and lead, one after the other, from the target back to the source (CHECK_TOPOLOGY).
    #[serde(default)]
    pub way_back: Vec<Following>,
    /// Objects and how far each is; empty before the plan was made.
    pub progress: Vec<ObjectProgress>,
    /// Source descriptions of the planned objects, in the order of `progress`; empty before the plan was made.
    pub planned: Vec<Object>,
    /// Whether all phases before the incremental one are done.
    pub loaded: bool,
    /// Log position up to which changes are applied.
    pub log_position: Option<u64>,
    /// Rows to copy at a time.
    pub chunk_rows: usize,
    /// Seconds an unreachable server is tried again.
    pub connection_retry_s: i64,
}

/// What a worker has to say. Work is done first and reported then, so the service's progress never runs ahead of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "say", content = "what", rename_all = "kebab-case")]
pub enum Report {
    /// Nothing new; keep the lease.
    Renew,
    /// One precheck item was looked at.
    PrecheckItem(PrecheckResult),
    /// The precheck is over.
    PrecheckDone,
    /// The objects to migrate, in the order they are made, with their source descriptions, and where the source's log
    /// stood (for incremental).
    Planned {
        /// Progress entries, nothing done yet.
        progress: Vec<ObjectProgress>,
        /// Descriptions in the same order.
        planned: Vec<Object>,
        /// Log position.
        log_position: Option<u64>,
    },
    /// A phase went on.
    Phase {
        /// Which.
        phase: MigrationType,
        /// To what.
        status: PhaseStatus,
    },
    /// One object went on; the whole entry replaces the one at `index`.
    Object {
        /// Index in `progress`.
        index: usize,
        /// Entry.
        progress: ObjectProgress,
    },
    /// Changes up to this log position are applied.
    Applied {
        /// Log position.
        log_position: u64,
        /// Whether there were no more.
        caught_up: bool,
    },
    /// The log is followed no longer under this lease, so that another task has its turn; the lease ends.
    TurnOver,
    /// The task failed.
    Failed(TaskFailure),
    /// All is done: every phase of a migration (never said by an incremental task, DTS-11), or a restore.
    Finished,
    /// The rows of the set are read as of this instant.
    Snapshot(Instant),
    /// The set is whole.
    SetCompleted {
        /// What its content is as of.
        to: Instant,
        /// What it holds.
        objects: Vec<SetObject>,
        /// Bytes in the vault.
        size_bytes: u64,
    },
    /// The set cannot be taken, or the log cannot be followed any further.
    SetFailed {
        /// Why.
        why: String,
    },
    /// The log is collected up to here; the lease ends.
    LogCollected {
        /// How far.
        to: Instant,
        /// Bytes of the segment, where there was anything new.
        segment_bytes: Option<u64>,
    },
    /// The source could not be reached; the lease ends and the work is tried again later.
    SourceAway {
        /// What it said.
        why: String,
    },
    /// What is to be restored, in order.
    RestorePlanned(#[serde(with = "in_details")] Vec<RestoredObject>),
    /// One object went on; the whole entry replaces the one at `index`.
    RestoreObject {
        /// Index in the details.
        index: usize,
        /// Entry.
        object: RestoredObject,
    },
    /// The restore ended early.
    RestoreFailed(RestoreFailure),
}

/// A list within a report, which is a map when it is written.
mod in_details {
    use super::RestoredObject;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize)]
    struct Written<'a> {
        details: &'a [RestoredObject],
    }

    #[derive(Deserialize)]
    struct Read {
        details: Vec<RestoredObject>,
    }

    pub fn serialize<S: Serializer>(details: &[RestoredObject], to: S) -> Result<S::Ok, S::Error> {
        Written { details }.serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<RestoredObject>, D::Error> {
        Ok(Read::deserialize(from)?.details)
    }
}

/// `POST /internal/leases/{task}`: reports under a lease. Answered [`LeaseKept`], or refused with `LeaseLost` when the
/// lease lapsed or passed on, or the task was paused, stopped or deleted; the worker then lets go at once.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Reports {
    /// Worker.
    pub worker: String,
    /// Epoch.
    pub epoch: u64,
    /// Reports, in order; committed together.
    pub reports: Vec<Report>,
}

/// The lease was renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseKept {
    /// Seconds it lasts from now.
    pub lease_s: i64,
    /// Whether a task waits for which there is no worker.
    pub others_wait: bool,
}

/// How much of a lease a worker uses: it stops writing this many seconds before it lapses.
pub const LEASE_MARGIN_S: i64 = 5;

/// When the lease, asked for at `asked_at`, has to be treated as over by its worker.
#[must_use]
pub fn lease_over_at(asked_at: Timestamp, lease_s: i64) -> Timestamp {
    crate::ports::clock::later_s(asked_at, lease_s - LEASE_MARGIN_S)
}
