//! A whole scenario: the world it starts from, the instances in it and its steps.

use crate::action::Action;
use recovery::model::instance::{BackupPolicy, Billing, Grants, NetworkType, Weekday};
use recovery::model::{Product, Secret};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

/// What should happen, as one file says it. Every name in it is resolved and every time is parsed.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// Name: the file's name without folder and `.toml`, which states the outcome.
    pub name: String,
    /// Which row of the file's table of cases this is, in words; none in a file without one.
    pub case: Option<String>,
    /// The file, as it was given.
    pub file: String,
    /// One sentence for people.
    pub title: String,
    /// Rules it means to exercise; one that was not exercised is a failure.
    pub covers: Vec<RuleId>,
    /// `seed`: the seed that `firedrill` uses unless told another; none unless given.
    pub seed: Option<u64>,
    /// `tolerant`: a step that comes out otherwise than it says is written down and is no failure; false unless given.
    pub tolerant: bool,
    /// Hosts, latencies and clocks.
    pub world: WorldSpec,
    /// Instances that are there before the first step, in the file's order; a master stands before those that name it.
    pub instances: Vec<InstanceSpec>,
    /// The application that writes all the while.
    pub application: Option<ApplicationSpec>,
    /// Steps in order.
    pub steps: Vec<Step>,
}

/// Reads a seed, decimal or `0x` and hexadecimal digits.
#[must_use]
pub fn seed(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) => u64::from_str_radix(digits, 16).ok(),
        Some(_) => None,
        None if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
        None => None,
    }
}

/// Id of a rule of the catalogue, for example `TMP-11`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RuleId(pub String);

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `[world]`: the hosts a simulated run has and how they reach each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorldSpec {
    /// Workers of the migration service.
    pub workers: usize,
    /// Machines that instances can occupy.
    pub machines: usize,
    /// Greatest latency of a message.
    pub latency_ms_max: u64,
    /// How far a host's clock is off from the start.
    pub skew_ms: BTreeMap<Host, i64>,
    /// Region of every instance that names none.
    pub region: String,
}

/// A host of the world, written `service`, `worker-1`, `machine-1`, `machine of rescue`, `application` or `operator`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Host {
    /// The recovery service.
    Service,
    /// A worker, counted from 1.
    Worker(usize),
    /// A machine, counted from 1.
    Machine(usize),
    /// The machine the instance of that name occupies when the step runs.
    MachineOf(String),
    /// The application.
    Application,
    /// Where the user's requests come from.
    Operator,
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service => f.write_str("service"),
            Self::Worker(number) => write!(f, "worker-{number}"),
            Self::Machine(number) => write!(f, "machine-{number}"),
            Self::MachineOf(instance) => write!(f, "machine of {instance}"),
            Self::Application => f.write_str("application"),
            Self::Operator => f.write_str("operator"),
        }
    }
}

/// `[instances.NAME]`: an instance that is there, running and filled before the first step.
#[derive(Debug, Clone, PartialEq)]
pub struct InstanceSpec {
    /// Its name in the scenario.
    pub name: String,
    /// Line of the file it is declared at, from 1.
    pub line: usize,
    /// `engine = "sqlserver 2012 web"`.
    pub product: Product,
    /// `role` and `master`.
    pub role: InstanceRole,
    /// Region; the world's unless given.
    pub region: String,
    /// Network; classic unless given.
    pub network: NetworkType,
    /// Billing; pay-as-you-go unless given.
    pub billing: Billing,
    /// Accounts, the first one first; it is the one that steps use unless they name another. Empty for a role with a
    /// master, whose accounts are the master's.
    pub accounts: Vec<AccountSpec>,
    /// Whether SSL connections are offered; the service's default unless given.
    pub ssl: Option<bool>,
    /// Whitelist; the service's default unless given.
    pub whitelist: Option<BTreeSet<String>>,
    /// Engine parameters to set.
    pub parameters: BTreeMap<String, String>,
    /// Backup settings to change.
    pub backup_policy: Option<BackupPolicyChange>,
    /// Databases with the SQL that fills them, run as the first account: `app` first (there even without `sql`), then
    /// those of `databases` in the file's order. Empty for a role with a master.
    pub databases: Vec<DatabaseSpec>,
}

/// Role of a declared instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InstanceRole {
    /// A master.
    Primary,
    /// A read-only instance.
    ReadOnly {
        /// Name of its master.
        master: String,
    },
    /// A disaster recovery instance.
    DisasterRecovery {
        /// Name of its master.
        master: String,
    },
}

impl InstanceRole {
    /// Name of its master.
    #[must_use]
    pub fn master(&self) -> Option<&str> {
        match self {
            Self::Primary => None,
            Self::ReadOnly { master } | Self::DisasterRecovery { master } => Some(master),
        }
    }
}

/// An account with its password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountSpec {
    /// Name.
    pub name: String,
    /// Password.
    pub password: Secret,
    /// Rights; read-write unless given.
    pub grants: Grants,
}

/// An account and the password to log in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Account.
    pub account: String,
    /// Password.
    pub password: Secret,
}

/// A database and the SQL that fills it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseSpec {
    /// Name.
    pub name: String,
    /// Statements, parted by semicolons; may be empty.
    pub sql: String,
}

/// Backup settings, each changed only where given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BackupPolicyChange {
    /// Weekdays of the automatic data backup.
    pub weekdays: Option<BTreeSet<Weekday>>,
    /// Hour of the day, UTC.
    pub hour: Option<u8>,
    /// Whether logs are backed up.
    pub log_backup: Option<bool>,
    /// Days a data backup stays.
    pub data_retention_days: Option<u16>,
    /// Days a log backup stays.
    pub log_retention_days: Option<u16>,
}

impl BackupPolicyChange {
    /// The settings with the change made.
    #[must_use]
    pub fn made_to(&self, mut policy: BackupPolicy) -> BackupPolicy {
        if let Some(weekdays) = &self.weekdays {
            policy.weekdays.clone_from(weekdays);
        }
        policy.hour = self.hour.unwrap_or(policy.hour);
        policy.log_backup = self.log_backup.unwrap_or(policy.log_backup);
        policy.data_retention_days = self.data_retention_days.unwrap_or(policy.data_retention_days);
        policy.log_retention_days = self.log_retention_days.unwrap_or(policy.log_retention_days);
        policy
    }
}

/// `[application]`: keeps inserting rows into one table of an instance while recovery goes on, and keeps its own ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplicationSpec {
    /// Line of the file it is declared at, from 1.
    pub line: usize,
    /// Instance it writes to.
    pub on: String,
    /// Database; `app` unless given.
    pub database: String,
    /// Table.
    pub table: String,
    /// Column of the key, a whole number; `id` unless given.
    pub key_column: String,
    /// Column of the text; `note` unless given.
    pub note_column: String,
    /// Pause between two rows.
    pub every: Duration,
    /// Account and password it logs in with: the instance's first account unless given.
    pub login: Credentials,
    /// Whether it writes before the first step; otherwise a step starts it.
    pub from_start: bool,
}

/// `[[step]]`: one thing that is done or looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Line of the file the step begins at, from 1.
    pub line: usize,
    /// One line that says it, for traces.
    pub text: String,
    /// What.
    pub action: Action,
}
