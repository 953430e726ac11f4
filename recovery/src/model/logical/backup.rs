//! Logical backup tasks and the sets they make.

use crate::model::content::ObjectKind;
use crate::model::instance::Weekday;
use crate::model::task::Lease;
use crate::model::{DataSourceId, Product, SetId, TaskId};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// What a backup task backs up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LogicalType {
    /// Definitions; such sets are not restored from (LOG-02).
    Structure,
    /// Definitions and rows.
    StructureFull,
    /// Definitions, rows and the log afterwards; MySQL only (LOG-06).
    StructureFullLog,
}

/// When a backup task runs by itself, beside the run it begins with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Weekdays; at least one.
    pub weekdays: BTreeSet<Weekday>,
    /// Hour of the day (UTC, 0 to 23).
    pub hour: u8,
}

/// What a set holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SetKind {
    /// Definitions alone.
    Structure,
    /// Definitions and rows, as of the set's completion (LOG-28, C-29).
    Full,
    /// What changed after a full set.
    Log,
}

/// How far a set is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SetStatus {
    /// Being taken; a log set is, until the next full set is complete or the task is stopped.
    Running,
    /// Not usable.
    Failed,
    /// Whole and readable; only such full sets restore (LOG-02, LOG-16).
    Completed,
}

/// An object that a set holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct SetObject {
    /// Database.
    pub database: String,
    /// Kind.
    pub kind: ObjectKind,
    /// Name.
    pub name: String,
    /// Rows, for a table.
    pub rows: u64,
}

/// One set as the service keeps it. Its bytes lie in the vault under its id.
///
/// A full set is a reading of all rows as of one instant (`snapshot`) together with the changes from then to its
/// completion, so that it gives the exact state at its completion (LOG-28) and at every moment from the snapshot on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogicalSet {
    /// Its id, never used again.
    pub id: SetId,
    /// The task that made it.
    pub task: TaskId,
    /// Whose content it holds.
    pub source: DataSourceId,
    /// What the source was when it was taken.
    pub product: Product,
    /// Kind.
    pub kind: SetKind,
    /// How far it is.
    pub status: SetStatus,
    /// When it was begun, by the service's clock.
    pub began_at: Timestamp,
    /// When it ended, well or not, by the service's clock.
    pub ended_at: Option<Timestamp>,
    /// Where the rows were read as of (full and structure sets); where the log begins, exclusive (log sets).
    pub from: Option<Instant>,
    /// Where its content ends, inclusive: the completion of a full set; how far a log set reaches by now.
    pub to: Option<Instant>,
    /// Segments of a log set in the vault, counted from 0.
    pub segments: u64,
    /// What it holds.
    pub objects: Vec<SetObject>,
    /// Bytes in the vault.
    pub size_bytes: u64,
    /// Why it failed.
    pub failure: Option<String>,
    /// When it is deleted for its age; never while a restore uses it.
    pub expires_at: Option<Timestamp>,
}

/// A place in the source's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Instant {
    /// Log position.
    pub position: u64,
    /// Server time up to which every change is at or before that position.
    #[schema(value_type = String)]
    #[schemars(with = "String")]
    pub at: Timestamp,
}

/// Whether a backup task goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogicalTaskState {
    /// It runs by its schedule and when asked, and collects the log where it has one.
    Normal,
    /// Stopped by the user; its sets stay.
    Stopped,
}

/// A logical backup task as the service keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogicalBackupTask {
    /// Its id, never used again.
    pub id: TaskId,
    /// Its name, 1 to 64 characters.
    pub name: String,
    /// What is backed up.
    pub source: DataSourceId,
    /// What the source was when the task was made; the source may be removed once the task is stopped.
    pub product: Product,
    /// Type.
    pub backup_type: LogicalType,
    /// Databases; all where there is none.
    pub databases: BTreeSet<String>,
    /// Schedule.
    pub schedule: Option<Schedule>,
    /// Days a set stays.
    pub retention_days: u16,
    /// Whether it goes on.
    pub state: LogicalTaskState,
    /// The full or structure set that is being taken.
    pub running: Option<SetId>,
    /// The open log set.
    pub log: Option<SetId>,
    /// When the log is to be collected next.
    pub log_due_at: Option<Timestamp>,
    /// Attempts of the running set or of the log so far that did not get on.
    pub retries: u32,
    /// When the running set is tried again, after an attempt that did not get on.
    pub retry_at: Option<Timestamp>,
    /// Since when the source has not been reachable.
    pub away_since: Option<Timestamp>,
    /// Who works on it.
    pub lease: Option<Lease>,
    /// Whether the lease is for the log, not for the running set.
    pub collecting: bool,
    /// Leases given so far.
    pub epochs: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was stopped.
    pub stopped_at: Option<Timestamp>,
}
