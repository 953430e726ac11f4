//! Instances: what the service keeps of a database instance, its configuration, its accounts' rights and its state.

use super::{BackupId, InstanceId, Product};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;

/// What role an instance plays and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Origin {
    /// An ordinary instance, a "master" in the documents.
    Primary,
    /// A read-only instance of a master.
    ReadOnly {
        /// Its master.
        #[schema(value_type = String)]
        master: InstanceId,
    },
    /// A disaster recovery instance of a master.
    DisasterRecovery {
        /// Its master.
        #[schema(value_type = String)]
        master: InstanceId,
    },
    /// A temporary instance (TMP-33: the way back to the master is kept).
    Temporary {
        /// The master it was made from.
        #[schema(value_type = String)]
        master: InstanceId,
        /// What it was restored to.
        restored: Restored,
    },
    /// A clone (CLN-31: the way back to the master is kept).
    Clone {
        /// The master it was made from.
        #[schema(value_type = String)]
        source: InstanceId,
        /// What it was restored to.
        restored: Restored,
    },
}

impl Origin {
    /// Whether the instance has what its master has, and takes no changes of its own.
    #[must_use]
    pub fn follows_a_master(&self) -> bool {
        matches!(self, Self::ReadOnly { .. } | Self::DisasterRecovery { .. })
    }
}

/// What a temporary or clone instance was asked to hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(tag = "by", rename_all = "kebab-case")]
pub enum Restored {
    /// A data backup, as of its completion.
    BackupSet {
        /// The data backup.
        #[schema(value_type = String)]
        backup_set_id: BackupId,
    },
    /// A point in time.
    PointInTime {
        /// The asked time, to the second.
        #[schema(value_type = String)]
        #[schemars(with = "String")]
        point_in_time: Timestamp,
        /// The data backup the logs were replayed onto.
        #[schema(value_type = String)]
        backup_set_id: BackupId,
    },
}

/// Instance states, in the documents' words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
pub enum InstanceState {
    /// Being made.
    Creating,
    /// In order.
    Running,
    /// Being cloned (seen on the source of a clone).
    #[serde(rename = "INS_CLONING")]
    InsCloning,
    /// Data is being restored into it.
    Restoring,
    /// A Redis instance is being recovered from one of its backup sets (RED-21).
    BackupRecovering,
    /// Restarting.
    Rebooting,
    /// Being released.
    Deleting,
    /// The making of it failed; it holds nothing.
    Failed,
    /// Gone.
    Released,
}

/// How the instance is paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Billing {
    /// Free of charge (temporary instances, SQL-16).
    Free,
    /// Billed afterwards by use.
    PayAsYouGo,
    /// Paid beforehand.
    Subscription,
}

/// The network an instance is reached through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum NetworkType {
    /// The classic network.
    Classic,
    /// A virtual private cloud.
    Vpc,
}

/// Weekday of an automatic backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Weekday {
    /// Monday.
    Monday,
    /// Tuesday.
    Tuesday,
    /// Wednesday.
    Wednesday,
    /// Thursday.
    Thursday,
    /// Friday.
    Friday,
    /// Saturday.
    Saturday,
    /// Sunday.
    Sunday,
}

/// When backups are taken by themselves and how long they stay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct BackupPolicy {
    /// Weekdays of the automatic data backup; at least two, or none while the automatic backup is off.
    pub weekdays: BTreeSet<Weekday>,
    /// Hour of the day (UTC, 0 to 23) at which the automatic data backup begins: the window is that hour (RED-05).
    pub hour: u8,
    /// Whether logs are backed up.
    pub log_backup: bool,
    /// Days a data backup stays (7 to 730; always 7 for Redis, RED-08).
    pub data_retention_days: u16,
    /// Days a log backup stays (7 to 730, at most the data's).
    pub log_retention_days: u16,
}

/// The settings of an instance that belong to the service, not to its data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Configuration {
    /// Addresses that may connect: exact host addresses, or `0.0.0.0/0` for all.
    pub whitelist: BTreeSet<String>,
    /// Whether SSL connections are offered.
    pub ssl: bool,
    /// Engine parameters.
    pub parameters: BTreeMap<String, String>,
    /// Backup settings.
    pub backup_policy: BackupPolicy,
    /// Alarm thresholds by metric.
    pub alarm_thresholds: BTreeMap<String, u32>,
}

/// What an account may do with a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Rights {
    /// Nothing.
    None,
    /// Read everything.
    ReadOnly,
    /// Read and write everything.
    ReadWrite,
    /// Read and write everything, make databases, replicate (superuser, sysadmin, REPLICATION SLAVE).
    Owner,
}

impl Rights {
    /// Whether rows may be read.
    #[must_use]
    pub fn reads(self) -> bool {
        self >= Self::ReadOnly
    }

    /// Whether rows and objects may be written.
    #[must_use]
    pub fn writes(self) -> bool {
        self >= Self::ReadWrite
    }
}

/// What an account may do: a default for all databases, with exceptions by database or by `database.table`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Grants {
    /// Rights on everything not named in `exceptions`.
    pub default: Rights,
    /// Rights by database name or `database.table`; the longer name wins.
    #[serde(default)]
    pub exceptions: BTreeMap<String, Rights>,
}

impl Grants {
    /// The same rights on everything.
    #[must_use]
    pub fn all(default: Rights) -> Self {
        Self { default, exceptions: BTreeMap::new() }
    }

    /// Rights on a table or other object of a database.
    #[must_use]
    pub fn on(&self, database: &str, object: &str) -> Rights {
        let whole = format!("{database}.{object}");
        self.exceptions.get(&whole).or_else(|| self.exceptions.get(database)).copied().unwrap_or(self.default)
    }

    /// Rights on a database as a whole.
    #[must_use]
    pub fn on_database(&self, database: &str) -> Rights {
        self.exceptions.get(database).copied().unwrap_or(self.default)
    }
}

/// One instance as the service keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// Its id, never used again.
    pub id: InstanceId,
    /// What it is an instance of.
    pub product: Product,
    /// Role and origin.
    pub origin: Origin,
    /// Region.
    pub region: String,
    /// Network.
    pub network: NetworkType,
    /// State.
    pub state: InstanceState,
    /// Where it is reached, `host:port`; known once it was made.
    pub endpoint: Option<String>,
    /// Its settings.
    pub configuration: Configuration,
    /// Who pays how.
    pub billing: Billing,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// When the making succeeded; the 48 hours and the bill begin here (C-05).
    pub created_at: Option<Timestamp>,
    /// When it is released by itself (temporary instances).
    pub expires_at: Option<Timestamp>,
    /// When it was released.
    pub released_at: Option<Timestamp>,
    /// What its data is really as of, where it was restored (C-08).
    pub recovered_to: Option<Timestamp>,
    /// The backup set that is being recovered into it (RED-21).
    pub recovering: Option<BackupId>,
    /// Recoveries begun so far; the number of the one under way, while there is one.
    #[serde(default)]
    pub recoveries: u64,
    /// When weekdays and hour of its automatic backups were chosen; they count from then on (RED-06).
    #[serde(default)]
    pub scheduled_at: Option<Timestamp>,
    /// Why the making failed, or the last recovery.
    pub failure: Option<String>,
    /// The account a new primary begins with; taken away once the server has it.
    pub first_account: Option<FirstAccount>,
}

/// The account a new primary begins with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstAccount {
    /// Name.
    pub name: String,
    /// Password.
    #[serde(with = "super::secret::exposed")]
    pub password: super::Secret,
    /// Rights.
    pub grants: Grants,
}

impl Instance {
    /// The master a temporary instance, clone, read-only or disaster recovery instance belongs to.
    #[must_use]
    pub fn master(&self) -> Option<&InstanceId> {
        match &self.origin {
            Origin::Primary => None,
            Origin::ReadOnly { master } | Origin::DisasterRecovery { master } | Origin::Temporary { master, .. } => {
                Some(master)
            }
            Origin::Clone { source, .. } => Some(source),
        }
    }

    /// Whether this is a temporary instance.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        matches!(self.origin, Origin::Temporary { .. })
    }

    /// The state a user sees at `now`: a temporary instance is released the moment its time is over (TMP-11, SQL-17),
    /// whether or not the service has already taken it down.
    #[must_use]
    pub fn state_at(&self, now: Timestamp) -> InstanceState {
        match self.expires_at {
            Some(expires_at) if expires_at <= now => InstanceState::Released,
            _ => self.state,
        }
    }

    /// Whether the instance still exists for a user at `now`.
    #[must_use]
    pub fn is_there(&self, now: Timestamp) -> bool {
        !matches!(self.state_at(now), InstanceState::Released | InstanceState::Deleting | InstanceState::Failed)
    }
}
