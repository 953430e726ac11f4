//! What an expect step asks for.

use crate::action::FailureReason;
use crate::logical::RestoreReason;
use crate::scenario::Credentials;
use recovery::model::backup::{BackupKind, Node};
use recovery::model::content::{ObjectKind, Row, Security};
use recovery::model::instance::{Billing, InstanceState, NetworkType};
use recovery::model::logical::backup::{SetKind, SetStatus};
use recovery::model::logical::restore::RestoreStatus;
use recovery::model::precheck::PrecheckItem;
use recovery::model::task::{MigrationType, PhaseStatus, Stage, TaskStatus};
use std::collections::BTreeMap;
use std::time::Duration;

/// `expect = { … }`: something that must be so when the step runs.
#[derive(Debug, Clone, PartialEq)]
pub enum Expectation {
    /// `on`, `query`, `rows`: the query gives these rows, in any order unless it says `order by`.
    Rows {
        /// Instance.
        on: String,
        /// Query.
        query: String,
        /// Rows.
        rows: Vec<Row>,
        /// Database; `app` unless given.
        database: String,
        /// Account; the instance's first one unless given, with the password it has by now.
        login: Credentials,
    },
    /// `instance` with facts.
    Instance {
        /// Instance.
        instance: String,
        /// At least one is given.
        facts: InstanceFacts,
    },
    /// `task` with facts.
    Task {
        /// Task.
        task: String,
        /// At least one is given.
        facts: Box<TaskFacts>,
    },
    /// `restore` with facts.
    Restore {
        /// Restore task.
        restore: String,
        /// At least one is given.
        facts: Box<RestoreFacts>,
    },
    /// `logical_sets = { of, kind, status, count | at_least }`: how many sets of a backup task are listed.
    LogicalSets {
        /// Backup task.
        of: String,
        /// Kind; every kind unless given.
        kind: Option<SetKind>,
        /// Status; every status unless given.
        status: Option<SetStatus>,
        /// How many.
        number: Number,
    },
    /// `logical_restorable = { of, contains | excludes }`: a mark lies in the range of a logical backup task, or not.
    LogicalRestorable {
        /// Backup task.
        of: String,
        /// Mark.
        mark: String,
        /// Whether it lies in one.
        contained: bool,
    },
    /// `backup` with `listed`, `from`, `to`: whether a backup is listed, asked for by a range of times.
    BackupListed {
        /// Backup.
        backup: String,
        /// Whether it is.
        listed: bool,
        /// From this long ago, unless given as far back as can be asked.
        from: Option<Duration>,
        /// To this long ago; to now unless given.
        to: Option<Duration>,
    },
    /// `node`, `of`, `holds`: what the master or replica node of a Redis instance answers to a query.
    NodeRows {
        /// Instance.
        of: String,
        /// Node.
        node: Node,
        /// Key.
        key: String,
        /// Whether the key is there.
        exists: bool,
    },
    /// `same`, `as_of`, `of`: the content of an instance equals the photograph of another at a mark.
    Same {
        /// Instance that is looked at now.
        instance: String,
        /// Mark.
        as_of: String,
        /// Instance of the photograph: unless given, the master of a temporary or clone instance, else itself.
        of: String,
        /// Databases that are compared; all unless given.
        databases: Option<Vec<String>>,
        /// Tables that are compared, written `orders` (of `app`) or `crm.customers`, here as database and table; all
        /// unless given.
        tables: Option<Vec<(String, String)>>,
    },
    /// `unchanged`, `since`: nothing about the instance differs from its photograph at a mark.
    Unchanged {
        /// Instance.
        instance: String,
        /// Mark.
        since: String,
    },
    /// `backups = { of, kind, count | at_least }`: how many completed backups are listed.
    Backups {
        /// Instance.
        of: String,
        /// Kind; both unless given.
        kind: Option<BackupKind>,
        /// How many.
        number: Number,
    },
    /// `restorable = { of, contains | excludes }`: a mark lies in a restorable range, or in none.
    Restorable {
        /// Instance.
        of: String,
        /// Mark.
        mark: String,
        /// Whether it lies in one.
        contained: bool,
    },
    /// `charges = { of, cents | none | at_least }`: what was charged so far, in cents.
    Charges {
        /// Instance or task.
        of: Subject,
        /// Cents; `none = true` is exactly zero charges, not zero cents.
        cents: Charged,
    },
    /// `object = { on, kind, name, exists, definer, security }`.
    Object {
        /// Instance.
        on: String,
        /// Database; `app` unless given.
        database: String,
        /// Kind; table unless given.
        kind: ObjectKind,
        /// Name.
        name: String,
        /// Whether it is there; true unless given.
        exists: bool,
        /// Who must be its definer.
        definer: Option<String>,
        /// Whose rights it must run with.
        security: Option<Security>,
    },
}

/// What must be so about an instance; what is `None` is not looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InstanceFacts {
    /// State, as its own page says it.
    pub state: Option<InstanceState>,
    /// Network.
    pub network: Option<NetworkType>,
    /// Billing.
    pub billing: Option<Billing>,
    /// Region.
    pub region: Option<String>,
    /// `gone`: whether it is released and no login to it succeeds any more.
    pub gone: Option<bool>,
    /// `listed`: whether the list of instances shows it.
    pub listed: Option<bool>,
    /// `offered`: whether the list of migration sources shows it.
    pub offered: Option<bool>,
    /// `recovered_to`: mark up to which its data is, to the second.
    pub recovered_to: Option<String>,
    /// `free`: whether it costs nothing: free billing and no charge.
    pub free: Option<bool>,
    /// `ssl`: whether SSL is on.
    pub ssl: Option<bool>,
    /// `whitelisted`: addresses that the whitelist holds, among others.
    pub whitelisted: Vec<String>,
}

/// What must be so about a restore task; what is `None` is not looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RestoreFacts {
    /// Status.
    pub status: Option<RestoreStatus>,
    /// Why it ended early.
    pub failure: Option<RestoreReason>,
    /// `failure_says`: text in the failure.
    pub failure_says: Option<String>,
    /// `item`, `result`, `cause`, `remedy`: one item of the newest precheck.
    pub item: Option<PrecheckFacts>,
    /// `records = { orders = 3 }`: rows written by table, `crm.customers` in another database than `app`.
    pub records: BTreeMap<String, u64>,
    /// `skipped = { orders = 1 }`: rows left out by table.
    pub skipped: BTreeMap<String, u64>,
    /// `listed`: whether the list of restore tasks shows it.
    pub listed: Option<bool>,
}

/// What must be so about a task; what is `None` is not looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaskFacts {
    /// Status.
    pub status: Option<TaskStatus>,
    /// Stage.
    pub stage: Option<Stage>,
    /// Why it failed.
    pub failure: Option<FailureReason>,
    /// `item`: one item of the newest precheck run.
    pub item: Option<PrecheckFacts>,
    /// `phase`, `phase_status`: a phase and how far it must be; Finished unless given.
    pub phase: Option<(MigrationType, PhaseStatus)>,
    /// `rows`: rows written to the target so far, over all tables.
    pub rows: Option<u64>,
    /// `absent`: whether the service knows the task no more.
    pub absent: Option<bool>,
    /// `purchase_required`: whether it has to be bought.
    pub purchase_required: Option<bool>,
    /// `precheck_runs`: number of the newest precheck run.
    pub precheck_runs: Option<u32>,
}

/// What must be so about one precheck item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrecheckFacts {
    /// `name`: the item.
    pub item: PrecheckItem,
    /// `result`: what came of it.
    pub result: PrecheckVerdict,
    /// `cause`: text the cause must contain.
    pub cause: Option<String>,
    /// `remedy`: text the remedy must contain.
    pub remedy: Option<String>,
}

/// What came of a precheck item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrecheckVerdict {
    /// `success`.
    Success,
    /// `warning`: may be ignored (LOG-50).
    Warning,
    /// `failed`.
    Failed,
    /// `shielded`: it found something that does not count.
    Shielded,
}

/// How many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Number {
    /// Exactly so many.
    Exactly(u64),
    /// So many or more.
    AtLeast(u64),
}

/// What was charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charged {
    /// There is no charge at all.
    Nothing,
    /// Cents in sum.
    Cents(Number),
}

/// What is charged for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// An instance by name.
    Instance(String),
    /// A task by name.
    Task(String),
}
