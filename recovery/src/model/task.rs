//! The migration task: its configuration, its life and its progress.

use super::content::{Object, ObjectKind};
use super::precheck::{PrecheckItem, PrecheckRun};
use super::{InstanceId, Secret, TaskId};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;

/// What a task migrates (TMP-39).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum MigrationType {
    /// Definitions.
    Structure,
    /// Rows that are there.
    Full,
    /// Rows that change meanwhile and afterwards.
    Incremental,
}

/// How a server is reached (TMP-29: two values).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ConnectionMode {
    /// Non-encrypted.
    #[default]
    Plain,
    /// SSL secure connection; needs SSL enabled on that side (TMP-30, C-03).
    Ssl,
}

/// One side of a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// Instance.
    pub instance: InstanceId,
    /// Its region.
    pub region: String,
    /// Account on it.
    pub account: String,
    /// The account's password.
    #[serde(with = "super::secret::exposed")]
    pub password: Secret,
    /// Connection mode.
    pub connection: ConnectionMode,
}

/// One selected object: a database, a table of it, or columns of a table, with the name it gets in the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// Database in the source.
    pub database: String,
    /// Table in it; without one the whole database with all its objects is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// Columns of the table; without any, all columns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<String>>,
    /// Name of the database in the target; the same as in the source unless given (DTS-05).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database_as: Option<String>,
    /// Name of the table in the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table_as: Option<String>,
    /// Names of columns in the target by source name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub columns_as: BTreeMap<String, String>,
}

impl Selection {
    /// Name of the database in the target.
    #[must_use]
    pub fn target_database(&self) -> &str {
        self.database_as.as_deref().unwrap_or(&self.database)
    }
}

/// What a table or object of the same name in the target means (C-14).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SameNameMode {
    /// The precheck item fails (DTS-13).
    #[default]
    Stop,
    /// Go on; a row of the target with the same key stays.
    Ignore,
}

/// How a task's life looks from outside: the documented states of console and interface together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
pub enum TaskStatus {
    /// Configured, precheck not done.
    NotStarted,
    /// Precheck running.
    Prechecking,
    /// A precheck item failed; repair and start again.
    PrecheckFailed,
    /// Passed, waiting for OK (and the purchase in the clone flow).
    PrecheckPassed,
    /// Moving structure, rows or changes.
    Migrating,
    /// Paused by the user.
    Suspending,
    /// Abnormal; the failure says whether it is retried by itself.
    MigrationFailed,
    /// All done, or stopped by the user; never starts again.
    Finished,
}

/// How far one phase is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema, ToSchema)]
pub enum PhaseStatus {
    /// Not begun, or not asked for.
    #[default]
    NotStarted,
    /// Under way.
    Migrating,
    /// Failed here.
    Failed,
    /// Incremental only: no delay.
    Catched,
    /// Done.
    Finished,
}

/// What a user still has to do before the task may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Name, source and target are there; the whitelists are not authorised.
    Configured,
    /// Whitelists authorised; types and objects not chosen.
    Authorised,
    /// Types and objects chosen; ready for the precheck.
    Selected,
    /// The user said OK after a passed precheck.
    Confirmed,
    /// Confirmed and, where the flow asks for it, bought with the terms ticked.
    Ordered,
}

/// How far the copy of one object is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct ObjectProgress {
    /// Kind.
    pub kind: ObjectKind,
    /// Database in the source.
    pub database: String,
    /// Name in the source.
    pub name: String,
    /// Database in the target.
    pub target_database: String,
    /// Name in the target.
    pub target_name: String,
    /// Whether the object was made in the target (or was there in ignore mode).
    pub made: bool,
    /// Whether the worker has announced that it is about to make it; a resumed task may find it made.
    pub announced: bool,
    /// The source object's revision when the task began; another one later means DDL (DTS-04).
    pub revision: u64,
    /// Rows written to the target so far (tables only).
    pub rows_written: u64,
    /// Whether all rows are there.
    pub rows_done: bool,
    /// Key of the last row written, as JSON; where the copy goes on.
    pub after: Option<String>,
}

/// Why a task failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(tag = "reason", rename_all = "kebab-case")]
pub enum TaskFailure {
    /// A selected object was changed by DDL during structure or full (C-12).
    DdlDuringMigration {
        /// `database.object`.
        object: String,
    },
    /// The source or target instance was released or deleted, or expired.
    InstanceGone {
        /// `source` or `target`.
        side: String,
        /// Its id.
        instance: String,
    },
    /// Source or target could not be reached for too long.
    Unreachable {
        /// `source` or `target`.
        side: String,
        /// What the last attempt said.
        detail: String,
    },
    /// A server refused a statement.
    Refused {
        /// `source` or `target`.
        side: String,
        /// What it said.
        detail: String,
    },
    /// A DDL outside the incremental allow-list hit a selected object (C-12).
    UnsupportedDdl {
        /// The statement's object.
        object: String,
    },
    /// Paused too long in the incremental phase (DTS-22).
    PausedTooLong,
}

impl TaskFailure {
    /// Whether another attempt could end better (DTS-21 retries only these).
    #[must_use]
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Refused { .. })
    }
}

/// Who works on a task, until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Worker.
    pub worker: String,
    /// Counts the leases of this task; a later one fences off an earlier one.
    pub epoch: u64,
    /// When it lapses unless renewed.
    pub until: Timestamp,
}

/// One migration task as the service keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Its id, never used again.
    pub id: TaskId,
    /// Its name; need not be unique (TMP-22).
    pub name: String,
    /// Source.
    pub source: Side,
    /// Target.
    pub target: Side,
    /// Whether starting needs a purchase with ticked terms (C-06: the clone flow).
    pub purchase_required: bool,
    /// What the user has done so far.
    pub stage: Stage,
    /// Types.
    pub types: BTreeSet<MigrationType>,
    /// Objects.
    pub objects: Vec<Selection>,
    /// Same-name mode.
    pub same_name: SameNameMode,
    /// Advisory precheck items that are not looked at.
    #[serde(default)]
    pub without_advice: BTreeSet<PrecheckItem>,
    /// Precheck items that are shielded: what they find is shown and does not count.
    #[serde(default)]
    pub shields: BTreeSet<PrecheckItem>,
    /// How often name, sides or passwords were changed.
    #[serde(default)]
    pub edits: u32,
    /// Status.
    pub status: TaskStatus,
    /// The newest precheck run.
    pub precheck: Option<PrecheckRun>,
    /// Prechecks so far.
    pub precheck_runs: u32,
    /// Status by phase.
    pub phases: BTreeMap<MigrationType, PhaseStatus>,
    /// Objects and how far each is; filled when structure or full begins.
    pub progress: Vec<ObjectProgress>,
    /// Source descriptions of the objects in `progress`, same order.
    pub planned: Vec<Object>,
    /// Log position of the source up to which changes are applied; known once full began in an incremental task.
    pub log_position: Option<u64>,
    /// Why it failed, while it is failed.
    pub failure: Option<TaskFailure>,
    /// When it failed first, since it last ran well; the 7 days of retries count from here.
    pub failed_since: Option<Timestamp>,
    /// When it is tried again by itself.
    pub retry_at: Option<Timestamp>,
    /// Retries so far since it last ran well.
    pub retries: u32,
    /// When it was paused.
    pub paused_at: Option<Timestamp>,
    /// Since when the incremental phase has been running (it is billed).
    pub incremental_since: Option<Timestamp>,
    /// Seconds of incremental migration billed in finished spans.
    pub incremental_billed_s: u64,
    /// Who works on it.
    pub lease: Option<Lease>,
    /// Leases given so far.
    pub epochs: u64,
    /// From when its source's log is looked at again, where a worker gave it back so that another task has its turn.
    pub follow_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it began to migrate.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

impl Task {
    /// What an object of the same name in the target means: a shield of the item that asks says to ignore it (C-14).
    #[must_use]
    pub fn effective_same_name(&self) -> SameNameMode {
        // Without structure the tables have to stand in the target, and whether they may hold rows is the question.
        let question = match self.types.contains(&MigrationType::Structure) {
            true => PrecheckItem::SameNameObject,
            false => PrecheckItem::TargetTablesEmpty,
        };
        if self.shields.contains(&question) { SameNameMode::Ignore } else { self.same_name }
    }

    /// Whether a migration of this task is under way or may go on by itself.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        matches!(self.status, TaskStatus::Migrating | TaskStatus::Suspending)
            || (self.status == TaskStatus::MigrationFailed && self.retry_at.is_some())
    }

    /// Whether it follows a log, or will by itself or when the user resumes or starts it again without another precheck.
    #[must_use]
    pub fn is_following(&self) -> bool {
        let may_go_on = match self.status {
            TaskStatus::Migrating | TaskStatus::Suspending => true,
            TaskStatus::MigrationFailed => self.failure.as_ref().is_some_and(TaskFailure::may_pass),
            _ => false,
        };
        may_go_on && self.types.contains(&MigrationType::Incremental)
    }

    /// The work a worker would have to do on it now.
    #[must_use]
    pub fn work(&self) -> Option<Work> {
        match self.status {
            TaskStatus::Prechecking => Some(Work::Precheck),
            TaskStatus::Migrating => Some(Work::Migrate),
            _ => None,
        }
    }
}

/// What a worker is asked to do with a leased task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Work {
    /// Run the precheck.
    Precheck,
    /// Migrate, or restore.
    Migrate,
}
