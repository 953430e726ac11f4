//! The precheck of a migration task: its items, their results and what they say.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The items of a precheck, in the order they run and are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
pub enum PrecheckItem {
    /// The source can be reached with the given account.
    #[serde(rename = "CHECK_CONN_SRC")]
    SourceConnectivity,
    /// The source account may do what the types need.
    #[serde(rename = "CHECK_AUTH_SRC")]
    SourcePermission,
    /// The target can be reached with the given account.
    #[serde(rename = "CHECK_CONN_DEST")]
    TargetConnectivity,
    /// The target account may write what is to be migrated.
    #[serde(rename = "CHECK_AUTH_DEST")]
    TargetPermission,
    /// The source's version is supported.
    #[serde(rename = "CHECK_SRC")]
    SourceVersion,
    /// Each database exists in the target or can be made there.
    #[serde(rename = "CHECK_SCHEMA")]
    SchemaExistence,
    /// No object of the same name stands in the target.
    #[serde(rename = "CHECK_SAME_OBJ")]
    SameNameObject,
    /// Parent and child tables of a foreign key are selected together.
    #[serde(rename = "CHECK_CONSTRAINT")]
    ConstraintIntegrity,
    /// Nothing stands in a Redis target of a full migration.
    #[serde(rename = "CHECK_DEST_EMPTY")]
    TargetEmpty,
    /// Restore: the target can be reached with the data source's account.
    #[serde(rename = "RESTORE_CONN_DEST")]
    RestoreTargetConnection,
    /// Restore: the target's account may make and write what is restored.
    #[serde(rename = "RESTORE_AUTH_DEST")]
    RestoreTargetPermission,
    /// Restore: the target is of the backup's engine (LOG-04).
    #[serde(rename = "RESTORE_ENGINE")]
    RestoreEngineMatch,
    /// Restore: the target's version is the backup's or a later one (LOG-05).
    #[serde(rename = "RESTORE_VERSION")]
    RestoreVersion,
    /// Restore: the full set is complete and can be read (LOG-02).
    #[serde(rename = "RESTORE_SET")]
    RestoreSetReadable,
    /// Restore: the log reaches without a gap to the point in time (LOG-24).
    #[serde(rename = "RESTORE_LOG")]
    RestoreLogCoverage,
    /// Restore: objects of the same name in the target; a warning, because a policy settles it (LOG-37, LOG-38).
    #[serde(rename = "RESTORE_SAME_OBJ")]
    RestoreSameName,
    /// Restore: rows in tables of the target that are restored into; a warning (LOG-39 to LOG-41).
    #[serde(rename = "RESTORE_DATA_EXISTS")]
    RestoreDataExistence,
    /// Restore: character sets differ; a warning.
    #[serde(rename = "RESTORE_CHARSET")]
    RestoreCharset,
    /// Restore: time zones differ; a warning.
    #[serde(rename = "RESTORE_TIME_ZONE")]
    RestoreTimeZone,
    /// Restore: collations differ; a warning.
    #[serde(rename = "RESTORE_COLLATION")]
    RestoreCollation,
    /// Restore: upper and lower case in names is told apart on one side only; a warning.
    #[serde(rename = "RESTORE_NAME_CASE")]
    RestoreNameCase,
    /// Restore: SQL modes differ; a warning.
    #[serde(rename = "RESTORE_SQL_MODE")]
    RestoreSqlMode,
}

/// What came of one item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(tag = "result", rename_all = "lowercase")]
pub enum PrecheckOutcome {
    /// Nothing stands in the way.
    Success,
    /// May be repaired or ignored; never blocks (LOG-50, C-28). Only restore tasks have it.
    Warning {
        /// What was found, and where.
        cause: String,
        /// What the user can do about it.
        remedy: String,
    },
    /// The task cannot start (TMP-45: cause and remedy are always there, and only here).
    Failed {
        /// What was found, and where.
        cause: String,
        /// What the user can do about it.
        remedy: String,
    },
}

/// One item with its outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct PrecheckResult {
    /// The item.
    pub item: PrecheckItem,
    /// Its outcome.
    #[serde(flatten)]
    pub outcome: PrecheckOutcome,
}

/// A whole precheck run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct PrecheckRun {
    /// Which run of the task this is, from 1; every start makes a new one (C-07).
    pub number: u32,
    /// When it began.
    #[schema(value_type = String)]
    #[schemars(with = "String")]
    pub began_at: Timestamp,
    /// When it ended.
    #[schema(value_type = Option<String>)]
    #[schemars(with = "Option<String>")]
    pub ended_at: Option<Timestamp>,
    /// Items so far, in order.
    pub items: Vec<PrecheckResult>,
}

impl PrecheckRun {
    /// Whether the run ended with no failed item (DTS-09, C-28: warnings do not count).
    #[must_use]
    pub fn passed(&self) -> bool {
        self.ended_at.is_some()
            && !self.items.is_empty()
            && !self.items.iter().any(|result| matches!(result.outcome, PrecheckOutcome::Failed { .. }))
    }
}
