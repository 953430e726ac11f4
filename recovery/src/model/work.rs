//! What a worker and the service say to each other about a leased task. This channel is not part of the interface of
//! the documents; it carries the credentials a worker needs.

use super::content::Object;
use super::precheck::PrecheckResult;
use super::task::{MigrationType, ObjectProgress, PhaseStatus, SameNameMode, Selection, TaskFailure, Work};
use super::{Product, TaskId};
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
#[serde(tag = "say", rename_all = "kebab-case")]
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
    /// The task failed.
    Failed(TaskFailure),
    /// All phases are done (never said by an incremental task, DTS-11).
    Finished,
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
}

/// How much of a lease a worker uses: it stops writing this many seconds before it lapses.
pub const LEASE_MARGIN_S: i64 = 5;

/// When the lease, asked for at `asked_at`, has to be treated as over by its worker.
#[must_use]
pub fn lease_over_at(asked_at: Timestamp, lease_s: i64) -> Timestamp {
    crate::ports::clock::later_s(asked_at, lease_s - LEASE_MARGIN_S)
}
