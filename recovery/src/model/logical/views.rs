//! What requests and answers about logical backup and restore look like; no answer holds a password.

use super::backup::{Instant, LogicalTaskState, LogicalType, Schedule, SetKind, SetObject, SetStatus};
use super::restore::{
    DataConflict, RestoreFailure, RestoreMethod, RestoreObjects, RestoreStatus, RestoreType, RestoredObject,
    StructureConflict, TableMapping,
};
use crate::model::backup::RestorableRange;
use crate::model::precheck::PrecheckRun;
use crate::model::task::ConnectionMode;
use crate::model::{DataSourceId, InstanceId, Product, Secret, SetId, TaskId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// `POST /v1/data-sources`.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDataSource {
    /// Name, 1 to 64 characters.
    pub name: String,
    /// The server.
    #[schema(value_type = String)]
    pub instance_id: InstanceId,
    /// Account.
    pub account: String,
    /// Password.
    #[schema(value_type = String)]
    pub password: Secret,
    /// Connection mode; plain unless given.
    #[serde(default)]
    pub connection: ConnectionMode,
}

/// A data source in an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DataSourceView {
    /// Id, `ds-…`.
    #[schema(value_type = String)]
    pub id: DataSourceId,
    /// Name.
    pub name: String,
    /// The server.
    #[schema(value_type = String)]
    pub instance_id: InstanceId,
    /// Engine and version.
    pub product: Product,
    /// Account.
    pub account: String,
    /// Connection mode.
    pub connection: ConnectionMode,
    /// When it was registered.
    #[schema(value_type = String)]
    pub created_at: Timestamp,
}

/// `GET /v1/data-sources`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DataSourceList {
    /// Data sources, oldest first.
    pub data_sources: Vec<DataSourceView>,
}

/// `POST /v1/logical-backup-tasks`: makes a task; its first set is begun at once.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewLogicalBackupTask {
    /// Name, 1 to 64 characters.
    pub name: String,
    /// What is backed up.
    #[schema(value_type = String)]
    pub source: DataSourceId,
    /// Type.
    pub backup_type: LogicalType,
    /// Databases; all unless given.
    #[serde(default)]
    pub databases: BTreeSet<String>,
    /// Schedule; none unless given.
    #[serde(default)]
    pub schedule: Option<Schedule>,
    /// Days a set stays (7, 30, 60, 90, 180, 365 or 730); 7 unless given.
    #[serde(default)]
    pub retention_days: Option<u16>,
}

/// A logical backup task in an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogicalBackupTaskView {
    /// Id, `bk-…`.
    #[schema(value_type = String)]
    pub id: TaskId,
    /// Name.
    pub name: String,
    /// What is backed up.
    #[schema(value_type = String)]
    pub source: DataSourceId,
    /// Engine and version of it.
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
    /// The set that is being taken.
    #[schema(value_type = Option<String>)]
    pub running: Option<SetId>,
    /// When it was made.
    #[schema(value_type = String)]
    pub created_at: Timestamp,
}

/// `GET /v1/logical-backup-tasks?source=`: those of one data source, or all (LOG-20).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogicalBackupTaskList {
    /// Tasks, oldest first.
    pub tasks: Vec<LogicalBackupTaskView>,
}

/// A set in an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogicalSetView {
    /// Id, `bkx-…`.
    #[schema(value_type = String)]
    pub id: SetId,
    /// The task that made it.
    #[schema(value_type = String)]
    pub task: TaskId,
    /// Whose content it holds.
    #[schema(value_type = String)]
    pub source: DataSourceId,
    /// What the source was.
    pub product: Product,
    /// Kind.
    pub kind: SetKind,
    /// How far.
    pub status: SetStatus,
    /// Whether a restore may begin from it (LOG-16).
    pub restorable: bool,
    /// When it was begun.
    #[schema(value_type = String)]
    pub began_at: Timestamp,
    /// When it ended.
    #[schema(value_type = Option<String>)]
    pub ended_at: Option<Timestamp>,
    /// Where the rows were read as of, or where the log begins.
    pub from: Option<Instant>,
    /// What its content is as of.
    pub to: Option<Instant>,
    /// What it holds: the tree to choose objects from.
    pub objects: Vec<SetObject>,
    /// Bytes in the vault.
    pub size_bytes: u64,
    /// Why it failed.
    pub failure: Option<String>,
}

/// `GET /v1/logical-backup-sets?task=&kind=`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogicalSetList {
    /// Sets, oldest first.
    pub sets: Vec<LogicalSetView>,
}

/// `GET /v1/logical-backup-tasks/{id}/restorable`: what can be restored now (LOG-26, LOG-31, C-19).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogicalRestorable {
    /// Ranges of points in time by the source's clock; empty for tasks without a log.
    pub ranges: Vec<RestorableRange>,
    /// Completed full sets.
    #[schema(value_type = Vec<String>)]
    pub backup_sets: Vec<SetId>,
}

/// `POST /v1/restore-tasks` and `PUT /v1/restore-tasks/{id}`: saves the task and prechecks it (LOG-47).
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRestore {
    /// Name, 1 to 64 characters (LOG-18).
    pub name: String,
    /// Source.
    #[schema(value_type = String)]
    pub source: DataSourceId,
    /// Backup task of that source (LOG-20).
    #[schema(value_type = String)]
    pub backup_task: TaskId,
    /// Method: `{"method": "backup-set", "backup_set_id": …}` or `{"method": "point-in-time", "point_in_time": …}`.
    pub recovery: RestoreMethod,
    /// Target.
    #[schema(value_type = String)]
    pub target: DataSourceId,
    /// Types; at least one (LOG-35).
    pub types: BTreeSet<RestoreType>,
    /// Objects: `{"choose": "all"}` or `{"choose": "custom", "branches": […]}`.
    pub objects: RestoreObjects,
    /// Names in the target; all keep theirs unless given (LOG-46).
    #[serde(default)]
    pub mapping: Vec<TableMapping>,
    /// Structure conflict policy; there is no default (C-20).
    pub structure_conflict: StructureConflict,
    /// Data conflict policy; there is no default (C-20).
    pub data_conflict: DataConflict,
}

/// A restore task in an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RestoreView {
    /// Id, `rst-…`.
    #[schema(value_type = String)]
    pub id: TaskId,
    /// Name.
    pub name: String,
    /// Source.
    #[schema(value_type = String)]
    pub source: DataSourceId,
    /// Backup task.
    #[schema(value_type = String)]
    pub backup_task: TaskId,
    /// Method.
    pub recovery: RestoreMethod,
    /// The full set it begins from.
    #[schema(value_type = String)]
    pub backup_set: SetId,
    /// Target.
    #[schema(value_type = String)]
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
    /// Newest precheck run.
    pub precheck: Option<PrecheckRun>,
    /// What was changed since the newest precheck began, by name, while the task has not started: its results are
    /// stale, and no start goes by them (C-07). Empty while they hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub precheck_stale: Vec<String>,
    /// Details by object (LOG-52).
    pub details: Vec<RestoredObject>,
    /// Why it ended early.
    pub failure: Option<RestoreFailure>,
    /// When it was made.
    #[schema(value_type = String)]
    pub created_at: Timestamp,
    /// When it was started.
    #[schema(value_type = Option<String>)]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[schema(value_type = Option<String>)]
    pub ended_at: Option<Timestamp>,
}

/// `GET /v1/restore-tasks` (LOG-53).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RestoreList {
    /// Tasks, oldest first.
    pub tasks: Vec<RestoreView>,
}
