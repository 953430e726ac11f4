//! The actions a step can be, one struct each.

use crate::call::CallStep;
use crate::expectation::Expectation;
use crate::fault::FaultStep;
use crate::logical::{
    DataSourceStep, DownloadStep, LogicalBackupStep, LogicalTaskStep, RecoverStep, RemoveDataSourceStep, RestoreStep,
    RestoreTaskStep,
};
use crate::scenario::{AccountSpec, BackupPolicyChange, Credentials};
use jiff::{SignedDuration, Timestamp};
use recovery::model::backup::{BackupKind, BackupStatus};
use recovery::model::instance::{Billing, Grants, InstanceState, NetworkType};
use recovery::model::logical::backup::SetStatus;
use recovery::model::logical::restore::RestoreStatus;
use recovery::model::precheck::PrecheckItem;
use recovery::model::task::{
    ConnectionMode, MigrationType, PhaseStatus, SameNameMode, Selection, Stage, TaskFailure, TaskStatus,
};
use recovery::model::views::CloneEntry;
use recovery::model::{RefusalCode, Secret};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What one step does. A step has exactly one of these keys.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// `backup`: take a backup.
    Backup(BackupStep),
    /// `sql`: run statements on an instance.
    Sql(SqlStep),
    /// `mark`: name this moment, and photograph the instances.
    Mark(String),
    /// `temporary`: make a temporary instance.
    Temporary(TemporaryStep),
    /// `clone`: make clone instances.
    Clone(CloneStep),
    /// `migrate`: make a migration task and walk it through the documented flow.
    Migrate(MigrateStep),
    /// `task`: one request about a task.
    Task(TaskStep),
    /// `wait`: wait until something is so.
    Wait(WaitStep),
    /// `data_source`: register a data source.
    DataSource(DataSourceStep),
    /// `remove_data_source`: remove one.
    RemoveDataSource(RemoveDataSourceStep),
    /// `logical_backup`: make a logical backup task.
    LogicalBackup(LogicalBackupStep),
    /// `logical_task`: one request about a logical backup task.
    LogicalTask(LogicalTaskStep),
    /// `restore`: make a restore task and walk it through the documented flow.
    Restore(RestoreStep),
    /// `restore_task`: one request about a restore task.
    RestoreTask(RestoreTaskStep),
    /// `recover`: recover a Redis backup set into its own instance.
    Recover(RecoverStep),
    /// `download`: fetch a Redis backup file through its link.
    Download(DownloadStep),
    /// `release`: release an instance.
    Release(ReleaseStep),
    /// `account`: make, change or drop an account.
    Account(AccountStep),
    /// `configure`: change an instance's settings.
    Configure(ConfigureStep),
    /// `login`: try to log in to an instance.
    Login(LoginStep),
    /// `advance`: let time pass.
    Advance(AdvanceStep),
    /// `application`: start, pause or stop the application.
    Application(ApplicationStep),
    /// `fault`: break something, or heal everything.
    Fault(FaultStep),
    /// `call`: one raw request to the service.
    Call(CallStep),
    /// `expect`: something must be so now.
    Expect(Expectation),
}

/// `backup = "shop"` or a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupStep {
    /// `of`: instance.
    pub of: String,
    /// `kind`: data unless given.
    pub kind: BackupKind,
    /// `as`: name of the backup.
    pub name: Option<String>,
    /// Code it must be refused with.
    pub refused: Option<RefusalCode>,
    /// `wait`: until it succeeded; true unless given.
    pub wait: bool,
}

/// `sql = { on, run, account, database, error }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlStep {
    /// Instance.
    pub on: String,
    /// `run`: statements, parted by semicolons.
    pub run: String,
    /// `account`: the instance's first one unless given; with the password it has by now (on a temporary or clone
    /// instance: the password it had at the recovery point, TMP-06, C-11).
    pub login: Credentials,
    /// `database`: `app` unless given.
    pub database: String,
    /// `error`: the server must refuse a statement with words that contain this.
    pub error: Option<String>,
}

/// What a temporary or clone instance is asked to hold: exactly one of `to`, `set`, `at`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RestorePoint {
    /// `to = MARK`, or `at = "MARK - 1s"`: that moment, moved by the offset.
    Mark {
        /// Mark.
        mark: String,
        /// Later (or earlier when negative) by this.
        offset: SignedDuration,
    },
    /// `set = BACKUP`: a data backup by the name a backup step gave it.
    Backup(String),
    /// `set = "latest"`: the newest completed data backup.
    LatestBackup,
    /// `at = "2026-01-05T09:30:00Z"`.
    Time(Timestamp),
    /// `at = "earliest - 1s"`: the first restorable second, moved.
    Earliest(SignedDuration),
    /// `at = "latest + 1s"`: the last restorable second, moved.
    Latest(SignedDuration),
    /// `at = "now - 8d"`: the moment of the request, moved.
    Now(SignedDuration),
}

/// `temporary = { of, to | set | at, as, refused, key, wait, covered }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemporaryStep {
    /// `of`: master.
    pub of: String,
    /// What to restore.
    pub restore: RestorePoint,
    /// `as`: name of the instance; there unless the step is refused or repeats a key. A repeated step with the same key
    /// bears the same name as the first one: it must give the same instance.
    pub name: Option<String>,
    /// Code it must be refused with.
    pub refused: Option<RefusalCode>,
    /// `key`: name of an idempotency key; a step that names the same key sends the same key.
    pub key: Option<String>,
    /// `wait`: until the instance is Running; true unless given.
    pub wait: bool,
    /// `covered`: wait first until the service says the point is covered; otherwise ask at once. True unless given, but
    /// false unless given where the step is refused.
    pub covered: bool,
}

/// `clone = { of, to | set | at, as, billing, network, count, terms, refused, key, wait, covered }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloneStep {
    /// `of`: source.
    pub of: String,
    /// What to restore.
    pub restore: RestorePoint,
    /// `as`: names of the clones, as many as are ordered; empty only where the step is refused.
    pub names: Vec<String>,
    /// `billing`: pay-as-you-go unless given.
    pub billing: Billing,
    /// `network`: the source's unless given.
    pub network: Option<NetworkType>,
    /// `count`: how many to order; not sent unless given.
    pub count: Option<u8>,
    /// `terms`: whether the terms are ticked; true unless given.
    pub terms: bool,
    /// `entry`: the page it is ordered from (Redis); not sent unless given.
    pub entry: Option<CloneEntry>,
    /// Code it must be refused with.
    pub refused: Option<RefusalCode>,
    /// `key`: as for a temporary instance.
    pub key: Option<String>,
    /// `wait`: as for a temporary instance.
    pub wait: bool,
    /// `covered`: as for a temporary instance.
    pub covered: bool,
}

/// One side of a migration: account, password and connection mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrateSide {
    /// Instance.
    pub instance: String,
    /// Account and password; the instance's first account unless given.
    pub login: Credentials,
    /// Connection mode; plain unless given.
    pub connection: ConnectionMode,
}

/// `migrate = { from, into, objects | databases, types, … }`: the whole flow of the documents.
#[derive(Debug, Clone, PartialEq)]
pub struct MigrateStep {
    /// `as`: name of the task in the scenario.
    pub name: Option<String>,
    /// `name`: name the task is given in the service; made by the service unless given.
    pub task_name: Option<String>,
    /// `from`, `source`, `connection.source`.
    pub source: MigrateSide,
    /// `into`, `target`, `connection.target`.
    pub target: MigrateSide,
    /// `types`: structure and full unless given.
    pub types: BTreeSet<MigrationType>,
    /// `objects` and `databases`, with `columns` and `rename` worked in.
    pub objects: Vec<Selection>,
    /// `same_name`: stop unless given.
    pub same_name: SameNameMode,
    /// `without_advice`: advisory precheck items that are not looked at.
    pub without_advice: BTreeSet<PrecheckItem>,
    /// `until`: how far the step goes. Finished unless given; caught-up unless given where types name incremental.
    pub until: MigrateUntil,
    /// `ends`: what comes of it; finished unless given.
    pub ends: MigrateEnd,
    /// Code that a request of the flow must be refused with; the flow ends there. A refused flow that was never refused
    /// is a failure.
    pub refused: Option<RefusalCode>,
    /// `terms`: whether the terms are ticked at the purchase; true unless given.
    pub terms: bool,
    /// `at_most`: longest wait for each stage; 24 hours unless given.
    pub at_most: Duration,
}

/// How far a migrate step goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MigrateUntil {
    /// The task was made.
    Configured,
    /// The whitelists were authorised.
    Authorised,
    /// Types and objects were chosen.
    Selected,
    /// The precheck ended.
    Prechecked,
    /// The user said OK, and bought where the flow asks for it.
    Confirmed,
    /// The task is migrating.
    Running,
    /// The incremental phase has no delay.
    CaughtUp,
    /// The task ended.
    Finished,
}

/// What comes of a migrate step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MigrateEnd {
    /// It gets as far as `until` says.
    Finished,
    /// The precheck fails.
    PrecheckFailed,
    /// The task fails.
    Failed,
}

/// `task = { of, do, … }`: one request about a task.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskStep {
    /// `of`: task.
    pub of: String,
    /// `do`.
    pub request: TaskRequest,
    /// Code it must be refused with.
    pub refused: Option<RefusalCode>,
}

/// What is asked of a task.
#[derive(Debug, Clone, PartialEq)]
pub enum TaskRequest {
    /// Authorise the whitelists.
    Authorise,
    /// Choose types and objects.
    Select {
        /// Types.
        types: BTreeSet<MigrationType>,
        /// Objects.
        objects: Vec<Selection>,
        /// Same-name mode.
        same_name: SameNameMode,
        /// Advisory precheck items that are not looked at.
        without_advice: BTreeSet<PrecheckItem>,
    },
    /// Shield precheck items, or take their shields away.
    Shield {
        /// Items.
        items: BTreeSet<PrecheckItem>,
        /// Whether they are shielded from now on.
        shielded: bool,
    },
    /// Start the precheck.
    Precheck,
    /// Say OK.
    Confirm,
    /// Buy.
    Purchase {
        /// Whether the terms are ticked.
        terms: bool,
    },
    /// Start.
    Start,
    /// Pause.
    Pause,
    /// Go on after a pause.
    Resume,
    /// Stop.
    Stop,
    /// Delete.
    Delete,
    /// Change the configuration: what the step does not say is as the task has it.
    Edit {
        /// New name in the service.
        task_name: Option<String>,
        /// Source.
        source: MigrateSide,
        /// Target.
        target: MigrateSide,
    },
}

/// `wait = { task | instance | backup, …, at_most }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitStep {
    /// What for.
    pub until: WaitUntil,
    /// `at_most`: 24 hours unless given.
    pub at_most: Duration,
}

/// What is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaitUntil {
    /// `task`, `status`.
    TaskStatus {
        /// Task.
        task: String,
        /// Status.
        status: TaskStatus,
    },
    /// `task`, `stage`.
    TaskStage {
        /// Task.
        task: String,
        /// Stage.
        stage: Stage,
    },
    /// `task`, `phase`, `phase_status`: the phase has got at least there.
    TaskPhase {
        /// Task.
        task: String,
        /// Phase.
        phase: MigrationType,
        /// How far; Migrating unless given. A phase that is further counts too.
        status: PhaseStatus,
    },
    /// `task`, `rows`: at least so many rows were copied.
    TaskRows {
        /// Task.
        task: String,
        /// Rows.
        rows: u64,
    },
    /// `instance`, `state`.
    Instance {
        /// Instance.
        instance: String,
        /// State.
        state: InstanceState,
    },
    /// `backup`, `status`.
    Backup {
        /// Backup.
        backup: String,
        /// Status; Success unless given.
        status: BackupStatus,
    },
    /// `restore`, `status`.
    Restore {
        /// Restore task.
        restore: String,
        /// Status.
        status: RestoreStatus,
    },
    /// `restore`, `records`: at least so many rows were written.
    RestoreRecords {
        /// Restore task.
        restore: String,
        /// Rows.
        records: u64,
    },
    /// `logical_set`, `status`.
    LogicalSet {
        /// Set, by its name.
        set: String,
        /// Status; completed unless given.
        status: SetStatus,
    },
    /// `logical_restorable`, `contains`: the mark is in the range of a logical backup task.
    LogicalRestorable {
        /// Backup task.
        task: String,
        /// Mark.
        mark: String,
    },
    /// `restorable`, `contains`: the mark can be restored.
    Restorable {
        /// Instance.
        of: String,
        /// Mark.
        mark: String,
    },
}

/// `release = "rescue"` or `{ instance, refused }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseStep {
    /// Instance.
    pub instance: String,
    /// Code it must be refused with.
    pub refused: Option<RefusalCode>,
}

/// `account = { on, … }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountStep {
    /// Instance.
    pub on: String,
    /// What.
    pub change: AccountStepChange,
    /// Code it must be refused with.
    pub refused: Option<RefusalCode>,
}

/// What happens to an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountStepChange {
    /// `create`.
    Create(AccountSpec),
    /// `name` with `password` or `rights` and `exceptions`: at least one of the two is there.
    Change {
        /// Account.
        name: String,
        /// New password.
        password: Option<Secret>,
        /// New rights.
        grants: Option<Grants>,
    },
    /// `drop`.
    Drop {
        /// Account.
        name: String,
    },
}

/// `configure = { on, … }`: only what is given changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigureStep {
    /// Instance.
    pub on: String,
    /// `whitelist`: replaces what was.
    pub whitelist: Option<BTreeSet<String>>,
    /// `add_whitelist`: added to what is there.
    pub add_whitelist: BTreeSet<String>,
    /// `remove_whitelist`: taken away from what is there.
    pub remove_whitelist: BTreeSet<String>,
    /// `ssl`.
    pub ssl: Option<bool>,
    /// `parameters`.
    pub parameters: BTreeMap<String, String>,
    /// `backup_policy`.
    pub backup_policy: Option<BackupPolicyChange>,
    /// `alarm_thresholds`.
    pub alarm_thresholds: Option<BTreeMap<String, u32>>,
    /// Code it must be refused with.
    pub refused: Option<RefusalCode>,
}

/// `login = { on, account, password, ssl, from, ok | refused }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginStep {
    /// Instance.
    pub on: String,
    /// Account (the first one unless given) and password (the one it has by now unless given).
    pub login: Credentials,
    /// Whether to ask for SSL; false unless given.
    pub ssl: bool,
    /// `from`: operator unless given.
    pub from: LoginFrom,
    /// `refused`: the server must say no with words that contain this; it must let in where there is nothing.
    pub refused: Option<String>,
}

/// Where a login comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginFrom {
    /// The application's host.
    Application,
    /// The user's host.
    Operator,
    /// A host that is on no whitelist.
    Stranger,
}

/// `advance = "48h"`, `{ to = "rescue expires - 1s" }`, `{ to = "MARK + 30m" }` or
/// `{ until = { instance = "rescue", expiry = "-1s" } }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AdvanceStep {
    /// So long.
    By(Duration),
    /// To when an instance expires, moved.
    ToExpiry {
        /// Instance.
        instance: String,
        /// Later (or earlier when negative) by this.
        offset: SignedDuration,
    },
    /// To a mark, moved.
    ToMark {
        /// Mark.
        mark: String,
        /// Later by this.
        offset: SignedDuration,
    },
}

/// What the application is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApplicationStep {
    /// Write, or write again.
    Start,
    /// Write nothing for now.
    Pause,
    /// Write no more.
    Stop,
}

/// Why a task failed, by the word of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FailureReason {
    /// `ddl-during-migration`.
    DdlDuringMigration,
    /// `instance-gone`.
    InstanceGone,
    /// `unreachable`.
    Unreachable,
    /// `refused`.
    Refused,
    /// `unsupported-ddl`.
    UnsupportedDdl,
    /// `paused-too-long`.
    PausedTooLong,
}

impl FailureReason {
    /// The reason of a failure.
    #[must_use]
    pub fn of(failure: &TaskFailure) -> Self {
        match failure {
            TaskFailure::DdlDuringMigration { .. } => Self::DdlDuringMigration,
            TaskFailure::InstanceGone { .. } => Self::InstanceGone,
            TaskFailure::Unreachable { .. } => Self::Unreachable,
            TaskFailure::Refused { .. } => Self::Refused,
            TaskFailure::UnsupportedDdl { .. } => Self::UnsupportedDdl,
            TaskFailure::PausedTooLong => Self::PausedTooLong,
        }
    }
}
