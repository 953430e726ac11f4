//! The restore task: what is restored from which set to where, how conflicts are settled, and how far it is.

use crate::model::content::ObjectKind;
use crate::model::precheck::PrecheckRun;
use crate::model::task::{Lease, Work};
use crate::model::{DataSourceId, SetId, TaskId};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// How a restore chooses its moment (LOG-22).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(tag = "method", rename_all = "kebab-case", deny_unknown_fields)]
pub enum RestoreMethod {
    /// A full set, as of its completion and with nothing after it (LOG-27, LOG-28, LOG-33).
    BackupSet {
        /// The set.
        #[schema(value_type = String)]
        backup_set_id: SetId,
    },
    /// A full set and the log after it, up to and including a second of the source's clock; MySQL only (LOG-23).
    PointInTime {
        /// The second.
        #[schema(value_type = String)]
        #[schemars(with = "String")]
        point_in_time: Timestamp,
    },
}

/// What is restored (LOG-35); at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RestoreType {
    /// All that is not rows (C-30).
    Structure,
    /// Rows; makes no table.
    Full,
}

/// What an object of the same name in the target means (LOG-37, LOG-38, LOG-42).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StructureConflict {
    /// Leave it as it is and go on.
    Ignore,
    /// Stop the task.
    Stop,
}

/// What a row with the same primary or unique key in the target means (LOG-39, LOG-40, LOG-41, LOG-42).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DataConflict {
    /// The row of the target stays, the others come.
    Ignore,
    /// Stop the task.
    Stop,
    /// The row of the target is deleted, the row of the backup is written.
    DeleteThenRewrite,
}

/// One branch of the chosen tree (LOG-45): a database, a kind of objects in it, or one object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Branch {
    /// Database.
    pub database: String,
    /// Kind; every kind without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<ObjectKind>,
    /// Name; needs a kind. Every object of the kind without one. A table brings its indexes and its rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// What is restored of the backup (LOG-43).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(tag = "choose", rename_all = "lowercase", deny_unknown_fields)]
pub enum RestoreObjects {
    /// All of it (LOG-44).
    All,
    /// Only these (LOG-45); at least one.
    Custom {
        /// Branches of the tree.
        branches: Vec<Branch>,
    },
}

/// A table's name in the target (LOG-46); a table that no mapping names keeps its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TableMapping {
    /// Database.
    pub database: String,
    /// Table in the backup.
    pub table: String,
    /// Its name in the target.
    pub table_as: String,
}

/// How a restore task's life looks from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RestoreStatus {
    /// Saved, and being prechecked (LOG-47).
    Checking,
    /// An item failed; repair and check again (LOG-49).
    CheckFailed,
    /// No item failed; may be started (LOG-48, C-28).
    CheckPassed,
    /// Restoring.
    Running,
    /// All done.
    Completed,
    /// Ended by an error.
    Failed,
    /// Ended by a conflict that was to stop it (LOG-38, LOG-40).
    Stopped,
}

/// How far one object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RestoredStatus {
    /// Not begun.
    #[default]
    Waiting,
    /// Under way.
    Running,
    /// Done.
    Done,
    /// Left as it was in the target: its name was taken (LOG-37).
    Skipped,
    /// The task ended here.
    Failed,
}

/// The two tabs of a restore task's details (LOG-52).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RestorePhase {
    /// Structure restore.
    Structure,
    /// Full restore: rows, with the log folded in.
    Full,
}

/// One entry of the details: an object in one phase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct RestoredObject {
    /// Phase.
    pub phase: RestorePhase,
    /// Kind.
    pub kind: ObjectKind,
    /// Database.
    pub database: String,
    /// Name in the backup.
    pub name: String,
    /// Name in the target.
    pub target_name: String,
    /// How far.
    pub status: RestoredStatus,
    /// When it was begun.
    #[schema(value_type = Option<String>)]
    #[schemars(with = "Option<String>")]
    pub began_at: Option<Timestamp>,
    /// When it ended.
    #[schema(value_type = Option<String>)]
    #[schemars(with = "Option<String>")]
    pub ended_at: Option<Timestamp>,
    /// Rows written so far.
    pub records: u64,
    /// Rows left out because the target had them (LOG-39).
    pub records_skipped: u64,
    /// Where the restore goes on after a break: rows of the backup gone through so far.
    pub cursor: u64,
    /// Whether a portion after the cursor was announced and may have been written already.
    pub announced: bool,
    /// Rows the table of the target held before the first portion, where rows have no key by which they are told apart: with
    /// them, a portion that was written is told from rows that were there and are the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_before: Option<u64>,
}

/// Why a restore ended early.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(tag = "reason", rename_all = "kebab-case")]
pub enum RestoreFailure {
    /// A table's name was changed though its database holds views, functions, procedures or triggers (LOG-08, C-17).
    MappingWithProgrammableObjects {
        /// What it holds, `view app.recent`.
        objects: Vec<String>,
    },
    /// An object of that name is there and conflicts were to stop the task (LOG-38).
    ObjectExists {
        /// `table app.orders`.
        object: String,
    },
    /// A row of that key is there and conflicts were to stop the task (LOG-40).
    DataExists {
        /// `app.orders`.
        table: String,
        /// What the server said.
        detail: String,
    },
    /// The target was released or deleted.
    InstanceGone {
        /// Its id.
        instance: String,
    },
    /// The target could not be reached for too long.
    Unreachable {
        /// What the last attempt said.
        detail: String,
    },
    /// The target refused a statement.
    Refused {
        /// The object it was for.
        object: String,
        /// What it said.
        detail: String,
    },
    /// A set in the vault is missing or damaged.
    BackupUnreadable {
        /// Which.
        set: String,
        /// Why.
        detail: String,
    },
    /// The log holds a change of definitions that cannot be restored exactly.
    UnsupportedDdl {
        /// The object.
        object: String,
        /// The statement.
        statement: String,
    },
}

/// A restore task as the service keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreTask {
    /// Its id, `rst-…`, never used again.
    pub id: TaskId,
    /// Its name, 1 to 64 characters (LOG-18).
    pub name: String,
    /// Source, as it is said (LOG-20).
    pub source: DataSourceId,
    /// Backup task.
    pub backup_task: TaskId,
    /// Method with what it needs.
    pub method: RestoreMethod,
    /// The full set it begins from.
    pub set: SetId,
    /// Log sets that are replayed, in order; none by backup set.
    pub logs: Vec<SetId>,
    /// Target (LOG-34).
    pub target: DataSourceId,
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
    /// Status.
    pub status: RestoreStatus,
    /// The newest precheck run.
    pub precheck: Option<PrecheckRun>,
    /// Prechecks so far.
    pub precheck_runs: u32,
    /// Details; there once it runs.
    pub details: Vec<RestoredObject>,
    /// Whether the plan was made; an empty one counts too.
    pub planned: bool,
    /// Why it ended early.
    pub failure: Option<RestoreFailure>,
    /// Who works on it.
    pub lease: Option<Lease>,
    /// Leases given so far.
    pub epochs: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was started.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

impl RestoreTask {
    /// Whether it may still need the sets it restores from.
    #[must_use]
    pub fn uses_sets(&self) -> bool {
        matches!(self.status, RestoreStatus::Checking | RestoreStatus::CheckPassed | RestoreStatus::Running)
    }

    /// Whether it ended, well or not; it never runs again then.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.status, RestoreStatus::Completed | RestoreStatus::Failed | RestoreStatus::Stopped)
    }

    /// The work a worker would have to do on it now.
    #[must_use]
    pub fn work(&self) -> Option<Work> {
        match self.status {
            RestoreStatus::Checking => Some(Work::Precheck),
            RestoreStatus::Running => Some(Work::Migrate),
            _ => None,
        }
    }
}
