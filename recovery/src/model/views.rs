//! What requests and answers of the interface look like: JSON bodies without any password in an answer.

use super::backup::{BackupKind, BackupMode, BackupStatus, Node, RestorableRange};
use super::instance::{BackupPolicy, Billing, Configuration, Grants, InstanceState, NetworkType, Origin};
use super::precheck::{PrecheckItem, PrecheckRun};
use super::task::{
    ConnectionMode, MigrationType, ObjectProgress, PhaseStatus, SameNameMode, Selection, Stage, TaskFailure, TaskStatus,
};
use super::{BackupId, InstanceId, Product, Secret, TaskId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;

/// `POST /v1/instances`: makes a primary, read-only or disaster recovery instance.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewInstance {
    /// Product, for example `sqlserver 2012 web`.
    pub product: Product,
    /// Region.
    pub region: String,
    /// Network; classic unless given.
    #[serde(default)]
    pub network: Option<NetworkType>,
    /// `primary` (unless given), `read-only` or `disaster-recovery`.
    #[serde(default)]
    pub role: Option<Role>,
    /// Master of a read-only or disaster recovery instance.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub master: Option<InstanceId>,
    /// Billing; pay-as-you-go unless given.
    #[serde(default)]
    pub billing: Option<Billing>,
    /// First account, for a primary.
    #[serde(default)]
    pub account: Option<NewAccount>,
}

/// Role of a new instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// A master.
    Primary,
    /// A read-only instance.
    ReadOnly,
    /// A disaster recovery instance.
    DisasterRecovery,
}

/// `POST /v1/instances/{id}/accounts`.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAccount {
    /// Name.
    pub name: String,
    /// Password.
    #[schema(value_type = String)]
    pub password: Secret,
    /// Rights.
    pub grants: Grants,
}

/// `PUT /v1/instances/{id}/accounts/{name}`: what is given is changed.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountChange {
    /// New password.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub password: Option<Secret>,
    /// New rights.
    #[serde(default)]
    pub grants: Option<Grants>,
}

/// An account in an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccountView {
    /// Name.
    pub name: String,
    /// Rights.
    pub grants: Grants,
}

/// `PUT /v1/instances/{id}/configuration`: what is given replaces what was.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigurationChange {
    /// Whitelist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whitelist: Option<BTreeSet<String>>,
    /// SSL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssl: Option<bool>,
    /// Parameters; the named ones are set, the others stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<BTreeMap<String, String>>,
    /// Backup settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup_policy: Option<BackupPolicy>,
    /// Alarm thresholds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarm_thresholds: Option<BTreeMap<String, u32>>,
}

/// An instance in an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InstanceView {
    /// Id.
    #[schema(value_type = String)]
    pub id: InstanceId,
    /// Product.
    pub product: Product,
    /// Role and origin.
    pub origin: Origin,
    /// Region.
    pub region: String,
    /// Network.
    pub network: NetworkType,
    /// State.
    pub state: InstanceState,
    /// `host:port`.
    pub endpoint: Option<String>,
    /// Settings.
    pub configuration: Configuration,
    /// Billing.
    pub billing: Billing,
    /// When it was asked for.
    #[schema(value_type = String)]
    pub requested_at: Timestamp,
    /// When the making succeeded.
    #[schema(value_type = Option<String>)]
    pub created_at: Option<Timestamp>,
    /// When it is released by itself.
    #[schema(value_type = Option<String>)]
    pub expires_at: Option<Timestamp>,
    /// What its data is really as of.
    #[schema(value_type = Option<String>)]
    pub recovered_to: Option<Timestamp>,
    /// Why the making failed.
    pub failure: Option<String>,
}

/// `GET /v1/instances`, `GET /v1/migration-sources`, `GET /v1/instances/{id}/temporary-instances`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InstanceList {
    /// Instances in the order of their ids.
    pub instances: Vec<InstanceView>,
}

/// `GET /v1/instances/{id}/accounts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccountList {
    /// Accounts in the order of their names.
    pub accounts: Vec<AccountView>,
}

/// `POST /v1/instances/{id}/backups`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBackup {
    /// Data or log.
    pub kind: BackupKind,
}

/// A backup in an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BackupView {
    /// Id.
    #[schema(value_type = String)]
    pub id: BackupId,
    /// Instance.
    #[schema(value_type = String)]
    pub instance: InstanceId,
    /// Data or log.
    pub kind: BackupKind,
    /// Policy or user.
    pub mode: BackupMode,
    /// How far.
    pub status: BackupStatus,
    /// When it began.
    #[schema(value_type = String)]
    pub began_at: Timestamp,
    /// When it ended.
    #[schema(value_type = Option<String>)]
    pub ended_at: Option<Timestamp>,
    /// Server time its content is as of (data) or reaches to (log).
    #[schema(value_type = Option<String>)]
    pub content_to: Option<Timestamp>,
    /// Bytes in the vault.
    pub size_bytes: Option<u64>,
    /// The node it was taken on, for Redis (RED-03).
    pub node: Option<Node>,
    /// When it is deleted for its age.
    #[schema(value_type = Option<String>)]
    pub expires_at: Option<Timestamp>,
    /// Why it failed.
    pub failure: Option<String>,
}

/// `GET /v1/instances/{id}/backups`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BackupList {
    /// Backups, oldest first.
    pub backups: Vec<BackupView>,
}

/// `GET /v1/instances/{id}/restorable`: what can be restored now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Restorable {
    /// Ranges of points in time, in order; a gap in the logs parts them.
    pub ranges: Vec<RestorableRange>,
    /// Completed data backups.
    #[schema(value_type = Vec<String>)]
    pub backup_sets: Vec<BackupId>,
}

/// What to restore: exactly one of the two (TMP-15, CLN-02).
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RestoreChoice {
    /// A data backup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub backup_set_id: Option<BackupId>,
    /// A point in time, UTC, whole seconds, `2026-01-05T09:30:00Z`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub point_in_time: Option<Timestamp>,
}

/// `POST /v1/instances/{id}/clones`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewClone {
    /// What to restore.
    pub restore: RestoreChoice,
    /// Billing: pay-as-you-go or subscription (CLN-13).
    pub billing: Billing,
    /// Network; the master's unless given (C-02).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<NetworkType>,
    /// How many; one unless given, five at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u8>,
    /// Whether the terms of service were ticked.
    pub terms_accepted: bool,
    /// The page it is ordered from, for Redis: `recover-data` makes a pay-as-you-go instance only, `clone-instance`
    /// (unless given) either (C-26, RED-25, RED-27).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<CloneEntry>,
}

/// The page a Redis clone is ordered from (C-26).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CloneEntry {
    /// Clone Instance, beside a backup set.
    CloneInstance,
    /// Clone Instance, offered where data is recovered.
    RecoverData,
}

/// `POST /v1/instances/{id}/recovery`: recovers a Redis backup set into its own instance (RED-21).
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRecovery {
    /// A completed data backup of the instance.
    #[schema(value_type = String)]
    pub backup_set_id: BackupId,
    /// Whether the user confirmed that what is there now is overwritten (RED-24).
    #[serde(default)]
    pub overwrite_confirmed: bool,
}

/// `POST /v1/backups/{id}/download`: a link to a Redis backup file, valid as long as the file is (RED-16, RED-17).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DownloadLink {
    /// Path of the file, `/v1/downloads/…`.
    pub path: String,
    /// When the file is deleted, and the link with it.
    #[schema(value_type = String)]
    pub expires_at: Timestamp,
    /// Bytes.
    pub size_bytes: u64,
}

/// One side of `POST /v1/migration-tasks`; every field is needed before the task can be made (TMP-21).
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSide {
    /// Kind of instance; `rds` is the only one and the default (TMP-23, TMP-31).
    #[serde(default)]
    pub instance_type: Option<String>,
    /// Region.
    pub region: String,
    /// Instance.
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

/// `POST /v1/migration-tasks` and `PUT /v1/migration-tasks/{id}`.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTask {
    /// Name, 1 to 32 characters; one is made unless given (TMP-22, SQL-28, CLN-22).
    #[serde(default)]
    pub name: Option<String>,
    /// Source.
    pub source: NewSide,
    /// Target.
    pub target: NewSide,
}

/// `PUT /v1/migration-tasks/{id}/objects`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskObjects {
    /// Types; at least one (TMP-39).
    pub types: BTreeSet<MigrationType>,
    /// Objects; at least one (TMP-40).
    pub objects: Vec<Selection>,
    /// Same-name mode; stop unless given.
    #[serde(default)]
    pub same_name: SameNameMode,
    /// Advisory precheck items that are not looked at; none unless given.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub without_advice: BTreeSet<PrecheckItem>,
}

/// `PUT /v1/migration-tasks/{id}/shields`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Shields {
    /// Items, by code; at least one.
    pub items: BTreeSet<PrecheckItem>,
    /// Whether they are shielded from now on; `false` takes their shields away again. True unless given.
    #[serde(default = "shielded")]
    pub shielded: bool,
}

fn shielded() -> bool {
    true
}

/// `POST /v1/migration-tasks/{id}/purchase`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Purchase {
    /// Whether the terms of service were ticked (CLN-47).
    pub terms_accepted: bool,
}

/// One side of a task in an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SideView {
    /// Kind of instance, `rds`.
    pub instance_type: String,
    /// Region.
    pub region: String,
    /// Instance.
    #[schema(value_type = String)]
    pub instance_id: InstanceId,
    /// Account.
    pub account: String,
    /// Connection mode.
    pub connection: ConnectionMode,
}

/// A task in an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TaskView {
    /// Id.
    #[schema(value_type = String)]
    pub id: TaskId,
    /// Name.
    pub name: String,
    /// Source.
    pub source: SideView,
    /// Target.
    pub target: SideView,
    /// Whether a purchase is needed.
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
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub without_advice: BTreeSet<PrecheckItem>,
    /// Status.
    pub status: TaskStatus,
    /// Precheck items that are shielded.
    #[serde(default)]
    pub shields: BTreeSet<PrecheckItem>,
    /// Newest precheck run.
    pub precheck: Option<PrecheckRun>,
    /// What was changed since the newest precheck began, by name, while the task has not started: its results are
    /// stale, and no start goes by them (C-07). Empty while they hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub precheck_stale: Vec<String>,
    /// Status by phase.
    pub phases: BTreeMap<MigrationType, PhaseStatus>,
    /// Objects and how far each is.
    pub progress: Vec<ObjectProgress>,
    /// Why it failed.
    pub failure: Option<TaskFailure>,
    /// When it is tried again by itself.
    #[schema(value_type = Option<String>)]
    pub retry_at: Option<Timestamp>,
    /// Always `PostPaid` (DTS-12).
    pub pay_type: String,
    /// When it was made.
    #[schema(value_type = String)]
    pub created_at: Timestamp,
    /// When it began to migrate.
    #[schema(value_type = Option<String>)]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[schema(value_type = Option<String>)]
    pub ended_at: Option<Timestamp>,
}

/// `GET /v1/migration-tasks`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TaskList {
    /// Tasks, oldest first.
    pub tasks: Vec<TaskView>,
}

/// A charge in an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChargeView {
    /// Instance or task.
    pub subject: String,
    /// `instance` or `incremental-migration`.
    pub what: String,
    /// From when.
    #[schema(value_type = String)]
    pub from: Timestamp,
    /// Until when.
    #[schema(value_type = Option<String>)]
    pub until: Option<Timestamp>,
    /// Begun hours times the price, in cents.
    pub cents: u64,
}

/// `GET /v1/charges?subject=`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChargeList {
    /// Charges in the order they began.
    pub charges: Vec<ChargeView>,
}

/// A refusal (RFC 9457, `application/problem+json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// `about:blank`.
    pub r#type: String,
    /// The code, for example `OperationDenied.TempDBInstanceExists`.
    pub code: String,
    /// The code in words.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// What was found, where, and what would do.
    pub detail: String,
}
