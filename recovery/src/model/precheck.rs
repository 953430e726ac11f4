//! The precheck of a migration task: its items, their results and what they say.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use utoipa::ToSchema;

/// Defines the items with their codes, once.
macro_rules! items {
    ($($(#[$doc:meta])+ $name:ident = $code:literal,)+) => {
        /// The items of a precheck, in the order they are shown.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, ToSchema,
        )]
        pub enum PrecheckItem {
            $($(#[$doc])+ #[serde(rename = $code)] $name,)+
        }

        impl PrecheckItem {
            /// Every item.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// Its code, as interfaces and reports write it.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)+
                }
            }
        }
    };
}

items! {
    /// The source can be reached with the given account.
    SourceConnectivity = "CHECK_CONN_SRC",
    /// The source account may do what the types need.
    SourcePermission = "CHECK_AUTH_SRC",
    /// The target can be reached with the given account.
    TargetConnectivity = "CHECK_CONN_DEST",
    /// The target account may write what is to be migrated.
    TargetPermission = "CHECK_AUTH_DEST",
    /// The source's version is supported.
    SourceVersion = "CHECK_SRC",
    /// Each database exists in the target or can be made there.
    SchemaExistence = "CHECK_SCHEMA",
    /// No object of the same name stands in the target.
    SameNameObject = "CHECK_SAME_OBJ",
    /// Parent and child tables of a foreign key are selected together.
    ConstraintIntegrity = "CHECK_CONSTRAINT",
    /// Nothing stands in a Redis target of a full migration.
    TargetEmpty = "CHECK_DEST_EMPTY",
    /// A Redis target evicts no keys.
    EvictionPolicy = "CHECK_DEST_EVICTION",
    /// The source writes a binary log (MySQL, incremental).
    BinlogOn = "CHECK_BINLOG_ON",
    /// The binary log holds rows.
    BinlogMode = "CHECK_BINLOG_MODE",
    /// The binary log holds whole rows.
    BinlogRowImage = "CHECK_BINLOG_ROW_IMAGE",
    /// The source has a server_id of its own.
    ServerId = "CHECK_SERVER_ID",
    /// No file of the binary log is missing.
    BinlogExistence = "CHECK_BINLOG_EXIST",
    /// No table of a storage engine whose changes cannot be followed.
    StorageEngine = "CHECK_ENGINE",
    /// The source makes no passwords of the format before 4.1 (MySQL; spelled as documented).
    PasswordFormat = "CHECK_MYSQL_PASSOWRD_FORMAT",
    /// Statements read alike on both sides (MySQL).
    SqlMode = "CHECK_SQL_MODE",
    /// The tables that rows are copied into are empty.
    TargetTablesEmpty = "CHECK_DEST_TABLE_EMPTY",
    /// The log of the source reaches back to a full backup (SQL Server, incremental).
    RecoveryModel = "CHECK_RECOVERY_MODEL",
    /// The source account is sysadmin or superuser (incremental).
    Superuser = "CHECK_SUPER_AUTH_SRC",
    /// The source account may run SYNC and PSYNC (Redis).
    Psync = "CHECK_PSYNC_SRC",
    /// No change comes back to its source through other tasks that follow logs.
    Topology = "CHECK_TOPOLOGY",
    /// Triggers and functions can be made in a target that asks for SUPER to make them (MySQL).
    TargetSuper = "CHECK_SUPER_AUTH_DEST",
    /// Advice: tables have a key by which rows are told apart.
    AdviseKey = "ADVISE_KEY",
    /// Advice: rows of the source satisfy its own foreign keys.
    AdviseOrphans = "ADVISE_ORPHANS",
    /// Advice: foreign keys make no circle.
    AdviseCircle = "ADVISE_CIRCLE",
    /// Advice: no column counts by itself.
    AdviseIdentity = "ADVISE_IDENTITY",
    /// Advice: no sequence begins anew.
    AdviseSequence = "ADVISE_SEQUENCE",
    /// Advice: definers are accounts of the target.
    AdviseDefiner = "ADVISE_DEFINER",
    /// Advice: names keep their upper and lower case.
    AdviseNameCase = "ADVISE_NAME_CASE",
    /// Advice: the character sets of the target hold what those of the source hold.
    AdviseCharset = "ADVISE_CHARSET",
    /// Advice: columns have types that are migrated.
    AdviseTypes = "ADVISE_TYPES",
    /// Advice: the target has room for the source.
    AdviseSpace = "ADVISE_SPACE",
    /// Advice: the source is no replica.
    AdviseReplica = "ADVISE_REPLICA",
    /// Advice: the clocks of both sides agree.
    AdviseClock = "ADVISE_CLOCK",
    /// Advice: neither side expires before the task ends.
    AdviseExpiry = "ADVISE_EXPIRY",
    /// Advice: the selection holds something.
    AdviseEmpty = "ADVISE_EMPTY",
    /// Advice: no transaction stays open in the source.
    AdviseTransaction = "ADVISE_TRANSACTION",
    /// Advice: the target takes rows as large as those of the source.
    AdvisePacket = "ADVISE_PACKET",
    /// Advice: nothing in the target fires when objects are made.
    AdviseEventTrigger = "ADVISE_EVENT_TRIGGER",
    /// Advice: the target has the extensions that objects of the source need.
    AdviseExtension = "ADVISE_EXTENSION",
    /// Restore: the target can be reached with the data source's account.
    RestoreTargetConnection = "RESTORE_CONN_DEST",
    /// Restore: the target's account may make and write what is restored.
    RestoreTargetPermission = "RESTORE_AUTH_DEST",
    /// Restore: the target is of the backup's engine (LOG-04).
    RestoreEngineMatch = "RESTORE_ENGINE",
    /// Restore: the target's version is the backup's or a later one (LOG-05).
    RestoreVersion = "RESTORE_VERSION",
    /// Restore: the full set is complete and can be read (LOG-02).
    RestoreSetReadable = "RESTORE_SET",
    /// Restore: the log reaches without a gap to the point in time (LOG-24).
    RestoreLogCoverage = "RESTORE_LOG",
    /// Restore: objects of the same name in the target; a warning, because a policy settles it (LOG-37, LOG-38).
    RestoreSameName = "RESTORE_SAME_OBJ",
    /// Restore: rows in tables of the target that are restored into; a warning (LOG-39 to LOG-41).
    RestoreDataExistence = "RESTORE_DATA_EXISTS",
    /// Restore: character sets differ; a warning.
    RestoreCharset = "RESTORE_CHARSET",
    /// Restore: time zones differ; a warning.
    RestoreTimeZone = "RESTORE_TIME_ZONE",
    /// Restore: collations differ; a warning.
    RestoreCollation = "RESTORE_COLLATION",
    /// Restore: upper and lower case in names is told apart on one side only; a warning.
    RestoreNameCase = "RESTORE_NAME_CASE",
    /// Restore: SQL modes differ; a warning.
    RestoreSqlMode = "RESTORE_SQL_MODE",
}

/// How the codes of advisory items begin.
const ADVICE: &str = "ADVISE_";

impl PrecheckItem {
    /// Whether what it finds is advice: a warning that the documents do not know, never a block, and can be switched off.
    #[must_use]
    pub fn is_advisory(self) -> bool {
        self.code().starts_with(ADVICE)
    }
}

impl fmt::Display for PrecheckItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// Items a user may shield, by code, and where that is documented (prechecks.md section 4). Every other item blocks
/// whatever is said of it.
pub const SHIELDS: [(&str, &str); 7] = [
    ("CHECK_SAME_OBJ", SHIELD_PRECHECK),
    ("CHECK_SAME_USER", SHIELD_PRECHECK),
    ("CHECK_SRC", SHIELD_PRECHECK),
    ("CHECK_TOPOLOGY", SHIELD_PRECHECK),
    ("CHECK_SERVER_ID", SHIELD_PRECHECK),
    ("CHECK_DEST_TABLE_EMPTY", "SkipPreCheck names it among the items that may be skipped (prechecks.md section 4)"),
    ("CHECK_SUPER_AUTH_DEST", "SkipPreCheck names it among the items that may be skipped (prechecks.md 2.1 item 20)"),
];
const SHIELD_PRECHECK: &str = "ShieldPrecheck names it among the items that may be shielded (prechecks.md section 4)";

impl PrecheckItem {
    /// Where it is documented that a user may shield the item; nothing where nobody may.
    #[must_use]
    pub fn shield(self) -> Option<&'static str> {
        SHIELDS.iter().find(|(code, _)| *code == self.code()).map(|(_, source)| *source)
    }
}

/// One thing an item found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Finding {
    /// What was found, and where: the object, account or parameter by name, and its value.
    pub cause: String,
    /// What the user can do about it.
    pub remedy: String,
    /// The statement or setting that does it, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<String>,
}

impl Finding {
    /// A finding whose remedy is no statement.
    #[must_use]
    pub fn new(cause: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { cause: cause.into(), remedy: remedy.into(), statement: None }
    }

    /// The same with the statement or setting that repairs it.
    #[must_use]
    pub fn by(self, statement: impl Into<String>) -> Self {
        Self { statement: Some(statement.into()), ..self }
    }
}

/// Findings an item shows at most; the others are counted.
pub const FINDINGS_SHOWN: usize = 20;

/// What an item found: the first [`FINDINGS_SHOWN`] one by one, the rest by number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Findings {
    /// The first of them; never empty in an outcome.
    pub findings: Vec<Finding>,
    /// How many more there are.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: u64,
}

// The signature is serde's.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Findings {
    /// The first of many, and the number of the rest.
    #[must_use]
    pub fn of(mut findings: Vec<Finding>) -> Self {
        let more = findings.len().saturating_sub(FINDINGS_SHOWN) as u64;
        findings.truncate(FINDINGS_SHOWN);
        Self { findings, more }
    }

    /// All causes in one line.
    #[must_use]
    pub fn causes(&self) -> String {
        let mut causes = self.findings.iter().map(|finding| finding.cause.as_str()).collect::<Vec<_>>().join("; ");
        if self.more > 0 {
            causes.push_str(&format!("; and {} more", self.more));
        }
        causes
    }
}

/// What came of one item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(tag = "result", rename_all = "lowercase")]
pub enum PrecheckOutcome {
    /// Nothing stands in the way.
    Success,
    /// May be repaired or ignored; never blocks (LOG-50, C-28).
    Warning(Findings),
    /// The task cannot start (TMP-45: cause and remedy are always there, and only here).
    Failed(Findings),
    /// It would have failed, and the user said to go on all the same (DTS-09).
    Shielded(Shielded),
}

/// What a shielded item found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Shielded {
    /// What would have kept the task from starting.
    #[serde(flatten)]
    pub found: Findings,
    /// Where it is documented that the item may be shielded.
    pub allowed_by: String,
}

impl PrecheckOutcome {
    /// A failure with one finding.
    #[must_use]
    pub fn failed(cause: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Failed(Findings::of(vec![Finding::new(cause, remedy)]))
    }

    /// A warning with one finding.
    #[must_use]
    pub fn warning(cause: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Warning(Findings::of(vec![Finding::new(cause, remedy)]))
    }

    /// What was found, where something was.
    #[must_use]
    pub fn found(&self) -> Option<&Findings> {
        match self {
            Self::Success => None,
            Self::Warning(findings) | Self::Failed(findings) => Some(findings),
            Self::Shielded(shielded) => Some(&shielded.found),
        }
    }

    /// The same under a shield: a failure no longer counts, anything else stays as it is.
    #[must_use]
    pub fn shielded(self, allowed_by: &str) -> Self {
        match self {
            Self::Failed(found) => Self::Shielded(Shielded { found, allowed_by: allowed_by.to_owned() }),
            other => other,
        }
    }

    /// Whether the task cannot start because of it.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Failed(_))
    }
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
    /// What it is computed for, fact by fact: both sides and their settings, what is moved, shields. A fact that is
    /// another one by now makes the results stale.
    #[serde(default)]
    pub configuration: BTreeMap<String, String>,
    /// Items so far, in order.
    pub items: Vec<PrecheckResult>,
}

impl PrecheckRun {
    /// A run at its beginning.
    #[must_use]
    pub fn begin(number: u32, began_at: Timestamp, configuration: BTreeMap<String, String>) -> Self {
        Self { number, began_at, ended_at: None, configuration, items: Vec::new() }
    }

    /// What is another than when the run began, by name; nothing while the results hold (C-07).
    #[must_use]
    pub fn stale(&self, now: &BTreeMap<String, String>) -> Vec<String> {
        let names: BTreeSet<&String> = self.configuration.keys().chain(now.keys()).collect();
        names.into_iter().filter(|name| self.configuration.get(*name) != now.get(*name)).cloned().collect()
    }

    /// Whether the run ended with no failed item (DTS-09, C-28: warnings and shielded items do not count).
    #[must_use]
    pub fn passed(&self) -> bool {
        self.ended_at.is_some()
            && !self.items.is_empty()
            && !self.items.iter().any(|result| result.outcome.is_failure())
    }
}
