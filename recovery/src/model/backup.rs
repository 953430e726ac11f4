//! Backups: data backups and log backups, and the point in time ranges that follow from what is really there.

use super::{BackupId, InstanceId};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Data or log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum BackupKind {
    /// The whole content at one instant.
    Data,
    /// What changed since the backup before it.
    Log,
}

/// Who asked for a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum BackupMode {
    /// The policy.
    Automated,
    /// A user.
    Manual,
}

/// How far a backup is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum BackupStatus {
    /// Being taken.
    Running,
    /// Whole and readable.
    Success,
    /// Not usable.
    Failed,
}

/// The node of an instance that a backup was taken on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Node {
    /// The node that takes the writes.
    Master,
    /// A node that follows it (RED-03).
    Replica,
}

/// One backup as the service keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backup {
    /// Its id, never used again.
    pub id: BackupId,
    /// Whose content it holds.
    pub instance: InstanceId,
    /// Data or log.
    pub kind: BackupKind,
    /// Who asked.
    pub mode: BackupMode,
    /// How far it is.
    pub status: BackupStatus,
    /// When it began.
    pub began_at: Timestamp,
    /// When it ended, well or not.
    pub ended_at: Option<Timestamp>,
    /// What it holds; there once the status is success.
    pub held: Option<Held>,
    /// Why it failed.
    pub failure: Option<String>,
    /// When it is deleted for its age.
    pub expires_at: Option<Timestamp>,
    /// The token in the link to its file, once one was asked for (RED-17).
    #[serde(default)]
    pub download: Option<String>,
}

/// What a completed backup holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Log position its content begins at (exclusive); for a data backup the same as `to_position`.
    pub from_position: u64,
    /// Log position its content ends at (inclusive).
    pub to_position: u64,
    /// Server time its content begins at (exclusive); for a data backup the same as `to_time`.
    pub from_time: Timestamp,
    /// Server time up to which every change is in it (inclusive).
    pub to_time: Timestamp,
    /// Bytes in the vault.
    pub size_bytes: u64,
    /// SHA-256 of those bytes in hexadecimal digits, by which a damaged file is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The node it was taken on, where the engine tells its nodes apart (Redis).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<Node>,
}

/// A span of times that can be restored, both ends included, whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct RestorableRange {
    /// First second.
    #[schema(value_type = String)]
    #[schemars(with = "String")]
    pub earliest: Timestamp,
    /// Last second.
    #[schema(value_type = String)]
    #[schemars(with = "String")]
    pub latest: Timestamp,
}
