//! The actions of logical backup and restore, and of Redis backups, one struct each.

use crate::action::RestorePoint;
use crate::scenario::Credentials;
use recovery::model::RefusalCode;
use recovery::model::instance::Weekday;
use recovery::model::logical::backup::LogicalType;
use recovery::model::logical::restore::{
    DataConflict, RestoreFailure, RestoreObjects, RestoreType, StructureConflict, TableMapping,
};
use recovery::model::task::ConnectionMode;
use std::collections::BTreeSet;
use std::time::Duration;

/// `data_source = { name, instance, account, password, connection, as, refused }`: registers a data source. A logical
/// step that names an instance instead of a data source registers one for it, with its first account, when first needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataSourceStep {
    /// `as`: name in the scenario; there unless the step is refused.
    pub name: Option<String>,
    /// `name`: name in the service; the scenario's unless given.
    pub service_name: String,
    /// Instance.
    pub instance: String,
    /// Account and password: the instance's first account unless given.
    pub login: Credentials,
    /// Connection mode; plain unless given.
    pub connection: ConnectionMode,
    /// Code it must be refused with.
    pub refused: Option<RefusalCode>,
}

/// `remove_data_source = "shop"` or `{ of, refused }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoveDataSourceStep {
    /// Data source.
    pub of: String,
    /// Code it must be refused with.
    pub refused: Option<RefusalCode>,
}

/// A data source a step names: one that a step registered, or an instance, for which one is registered by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceName {
    /// A data source.
    Registered(String),
    /// An instance, with its first account.
    Instance {
        /// Instance.
        instance: String,
        /// First account and its password.
        login: Credentials,
    },
    /// A text that is no data source's id, sent as it is.
    Unknown(String),
}

/// `logical_backup = { of, as, … }`: makes a task and waits until its first set is complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogicalBackupStep {
    /// `of`: data source or instance.
    pub of: SourceName,
    /// `as`: name of the task in the scenario; its first set is called the same.
    pub name: Option<String>,
    /// `name`: name in the service; the scenario's unless given.
    pub service_name: String,
    /// `type`: structure-full-log for MySQL and structure-full for others unless given.
    pub backup_type: LogicalType,
    /// `databases`: all unless given.
    pub databases: BTreeSet<String>,
    /// `schedule = { weekdays, hour }`.
    pub schedule: Option<(BTreeSet<Weekday>, u8)>,
    /// `retention_days`.
    pub retention_days: Option<u16>,
    /// Code it must be refused with.
    pub refused: Option<RefusalCode>,
    /// `wait`: until the first set ended; true unless given.
    pub wait: bool,
    /// `ends`: what comes of the first set where it is waited for.
    pub ends: SetEnd,
}

/// What comes of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetEnd {
    /// `completed`, unless given.
    Completed,
    /// `failed`.
    Failed,
}

/// `logical_task = { of, do = "run" | "stop", as, refused, wait, ends }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogicalTaskStep {
    /// `of`: backup task.
    pub of: String,
    /// `do`.
    pub request: LogicalTaskRequest,
    /// Code it must be refused with.
    pub refused: Option<RefusalCode>,
}

/// What is asked of a logical backup task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogicalTaskRequest {
    /// Take another set.
    Run {
        /// `as`: name of the set.
        name: Option<String>,
        /// `wait`: until it ended; true unless given.
        wait: bool,
        /// `ends`.
        ends: SetEnd,
    },
    /// Stop.
    Stop,
}

/// `restore = { task, into, to | set | at, … }`: the whole flow of document 003.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreStep {
    /// `task`: backup task. Its source is sent as the source unless `of` is given.
    pub task: String,
    /// `of`: another data source to send as the source (LOG-20).
    pub of: Option<SourceName>,
    /// `to`, `at`: by point in time; `set`: by backup set, `latest` or the name of one (a log set is called `TASK log`).
    pub point: RestorePoint,
    /// `into`: target.
    pub into: SourceName,
    /// `as`: name of the restore task in the scenario.
    pub name: Option<String>,
    /// `name`: name in the service; made from the scenario's unless given.
    pub service_name: String,
    /// `types`: structure and full unless given.
    pub types: BTreeSet<RestoreType>,
    /// `objects`: all unless given; `app`, `app.table`, `app.table.orders`, `app.view.recent`.
    pub objects: RestoreObjects,
    /// `mapping`: `{ orders = "orders_2", "crm.customers" = "people" }`.
    pub mapping: Vec<TableMapping>,
    /// `structure_conflict`: stop unless given.
    pub structure_conflict: StructureConflict,
    /// `data_conflict`: stop unless given.
    pub data_conflict: DataConflict,
    /// `until`: how far the step goes; finished unless given.
    pub until: RestoreUntil,
    /// `ends`: what comes of it; completed unless given.
    pub ends: RestoreEnd,
    /// Code that a request of the flow must be refused with; the flow ends there.
    pub refused: Option<RefusalCode>,
    /// `covered`: wait first until the service says that the point is in the range; true unless the step is refused.
    pub covered: bool,
    /// `at_most`: longest wait for each stage; 24 hours unless given.
    pub at_most: Duration,
}

/// How far a restore step goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RestoreUntil {
    /// `saved`: the task was saved; its precheck goes on.
    Saved,
    /// `checked`: the precheck ended.
    Checked,
    /// `started`: it was started.
    Started,
    /// `finished`: it ended.
    Finished,
}

/// What comes of a restore step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestoreEnd {
    /// `completed`.
    Completed,
    /// `check-failed`: the precheck fails.
    CheckFailed,
    /// `failed`.
    Failed,
    /// `stopped`: a conflict stops it.
    Stopped,
}

/// `restore_task = { of, do, refused }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreTaskStep {
    /// `of`: restore task.
    pub of: String,
    /// `do`.
    pub request: RestoreRequest,
    /// Code it must be refused with.
    pub refused: Option<RefusalCode>,
}

/// What is asked of a restore task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestoreRequest {
    /// `precheck`: check again.
    Precheck,
    /// `start`.
    Start,
    /// `delete`.
    Delete,
}

/// `recover = { instance, set, confirm, refused, wait }` (document 004).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecoverStep {
    /// `instance`: Redis instance.
    pub instance: String,
    /// `set`: a backup by its name, or `latest`; none is sent where it is not given.
    pub set: Option<String>,
    /// `confirm`: whether the overwriting is confirmed; true unless given.
    pub confirm: bool,
    /// Code it must be refused with.
    pub refused: Option<RefusalCode>,
    /// `wait`: until the instance is Running again; true unless given.
    pub wait: bool,
}

/// `download = { backup, link, refused }`: asks for a link and fetches the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DownloadStep {
    /// `backup`: backup.
    pub backup: String,
    /// `old_link`: use the link that an earlier download step of this backup was given; false unless given.
    pub old_link: bool,
    /// Code it must be refused with: the link, or the file.
    pub refused: Option<RefusalCode>,
}

/// Why a restore ended early, by the word of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RestoreReason {
    /// `mapping-with-programmable-objects`.
    MappingWithProgrammableObjects,
    /// `object-exists`.
    ObjectExists,
    /// `data-exists`.
    DataExists,
    /// `instance-gone`.
    InstanceGone,
    /// `unreachable`.
    Unreachable,
    /// `refused`.
    Refused,
    /// `backup-unreadable`.
    BackupUnreadable,
    /// `unsupported-ddl`.
    UnsupportedDdl,
}

impl RestoreReason {
    /// The reason of a failure.
    #[must_use]
    pub fn of(failure: &RestoreFailure) -> Self {
        match failure {
            RestoreFailure::MappingWithProgrammableObjects { .. } => Self::MappingWithProgrammableObjects,
            RestoreFailure::ObjectExists { .. } => Self::ObjectExists,
            RestoreFailure::DataExists { .. } => Self::DataExists,
            RestoreFailure::InstanceGone { .. } => Self::InstanceGone,
            RestoreFailure::Unreachable { .. } => Self::Unreachable,
            RestoreFailure::Refused { .. } => Self::Refused,
            RestoreFailure::BackupUnreadable { .. } => Self::BackupUnreadable,
            RestoreFailure::UnsupportedDdl { .. } => Self::UnsupportedDdl,
        }
    }
}
