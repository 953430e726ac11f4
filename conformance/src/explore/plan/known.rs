//! What a plan knows while it is drawn: what should be there if every step so far came out as it says. It may be wrong,
//! because of faults and refusals; then a step comes out otherwise, which a tolerant scenario allows.

use crate::explore::shapes::{Extra, Shape};
use recovery::model::backup::BackupKind;
use recovery::model::product::Engine;
use recovery::model::task::MigrationType;
use recovery::model::{Product, Secret};
use scenarios::{AccountSpec, CloneStep, Credentials, MigrateSide, TemporaryStep};
use std::collections::{BTreeMap, BTreeSet};

/// A table as the plan knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Columns.
    pub shape: Shape,
    /// The next number for a new row.
    pub next: u64,
    /// Columns added so far.
    pub added: u32,
}

/// Tables by database and name.
pub type Tables = BTreeMap<(String, String), Table>;

/// What an instance is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A master.
    Primary,
    /// A read-only instance.
    ReadOnly,
    /// A temporary instance.
    Temporary,
    /// A clone.
    Clone,
}

/// An instance that should be there.
#[derive(Debug, Clone)]
pub struct Instance {
    /// Product.
    pub product: Product,
    /// Role.
    pub role: Role,
    /// Where it comes from.
    pub master: Option<String>,
    /// Accounts by now, the first one first.
    pub accounts: Vec<AccountSpec>,
    /// Tables.
    pub tables: Tables,
    /// Other objects of `app`.
    pub extras: BTreeSet<Extra>,
    /// Released, or never to be expected.
    pub gone: bool,
}

impl Instance {
    /// Whether it is Redis.
    #[must_use]
    pub fn is_redis(&self) -> bool {
        self.product.engine == Engine::Redis
    }

    /// The database that is meant where none is said.
    #[must_use]
    pub fn database(&self) -> &'static str {
        if self.is_redis() { "0" } else { "app" }
    }
}

/// What instances were like at a mark or backup.
#[derive(Debug, Clone, Default)]
pub struct Moment {
    /// Accounts by instance.
    pub accounts: BTreeMap<String, Vec<AccountSpec>>,
    /// Tables by instance.
    pub tables: BTreeMap<String, Tables>,
}

/// A backup that was asked for.
#[derive(Debug, Clone)]
pub struct Backup {
    /// Name.
    pub name: String,
    /// Instance.
    pub of: String,
    /// Kind.
    pub kind: BackupKind,
}

/// A migration task that was made.
#[derive(Debug, Clone)]
pub struct Task {
    /// Name.
    pub name: String,
    /// Source.
    pub source: MigrateSide,
    /// Target.
    pub target: MigrateSide,
    /// Types.
    pub types: BTreeSet<MigrationType>,
    /// Whether it was stopped, deleted or ran to its end.
    pub over: bool,
}

/// A logical backup task.
#[derive(Debug, Clone)]
pub struct LogicalTask {
    /// Name; its first set is called the same.
    pub name: String,
    /// Its source's instance.
    pub instance: String,
    /// Whether it has a log.
    pub logs: bool,
    /// Sets by name, the first one's is the task's.
    pub sets: Vec<String>,
    /// Tables when it was made.
    pub tables: Tables,
    /// Whether it was stopped.
    pub stopped: bool,
}

/// A request that bore a named idempotency key.
#[derive(Debug, Clone)]
pub enum Keyed {
    /// A temporary instance.
    Temporary(TemporaryStep),
    /// A clone.
    Clone(CloneStep),
}

/// Everything the plan knows.
#[derive(Debug, Default)]
pub struct Known {
    /// Instances in the order they were made.
    pub instances: Vec<(String, Instance)>,
    /// Marks by name.
    pub marks: Vec<(String, Moment)>,
    /// Backups.
    pub backups: Vec<Backup>,
    /// What instances were like at each named backup.
    pub backup_moments: BTreeMap<String, Moment>,
    /// Backups that a link was asked for.
    pub downloaded: BTreeSet<String>,
    /// Migration tasks.
    pub tasks: Vec<Task>,
    /// Data sources with their instance.
    pub sources: Vec<(String, String)>,
    /// Logical backup tasks.
    pub logical: Vec<LogicalTask>,
    /// Restore tasks with their target's instance.
    pub restores: Vec<(String, String)>,
    /// Requests with a key.
    pub keyed: Vec<Keyed>,
    /// Whether the application should be writing.
    pub writing: bool,
    numbers: BTreeMap<&'static str, u32>,
}

impl Known {
    /// A new name: `mark-3`.
    pub fn name(&mut self, stem: &'static str) -> String {
        let number = self.numbers.entry(stem).or_default();
        *number += 1;
        format!("{stem}-{number}")
    }

    /// An instance by name.
    #[must_use]
    pub fn instance(&self, name: &str) -> Option<&Instance> {
        self.instances.iter().find(|(known, _)| known == name).map(|(_, instance)| instance)
    }

    /// An instance by name, to be changed.
    pub fn instance_mut(&mut self, name: &str) -> Option<&mut Instance> {
        self.instances.iter_mut().find(|(known, _)| known == name).map(|(_, instance)| instance)
    }

    /// Names of the instances that should be there and fit.
    pub fn alive(&self, fits: impl Fn(&Instance) -> bool) -> Vec<String> {
        let there = self.instances.iter().filter(|(_, instance)| !instance.gone && fits(instance));
        there.map(|(name, _)| name.clone()).collect()
    }

    /// Accounts of an instance by now: a read-only instance has its master's.
    #[must_use]
    pub fn accounts(&self, name: &str) -> Vec<AccountSpec> {
        let Some(instance) = self.instance(name) else { return vec![] };
        let own = match (instance.role, &instance.master) {
            (Role::ReadOnly, Some(master)) => self.instance(master).unwrap_or(instance),
            _ => instance,
        };
        own.accounts.clone()
    }

    /// The login of an instance's first account.
    #[must_use]
    pub fn login(&self, name: &str) -> Credentials {
        self.accounts(name).first().map_or_else(
            || Credentials { account: "app".into(), password: Secret::new("no-such-password") },
            |first| Credentials { account: first.name.clone(), password: first.password.clone() },
        )
    }

    /// What everything is like now.
    #[must_use]
    pub fn moment(&self) -> Moment {
        let mut moment = Moment::default();
        for (name, instance) in &self.instances {
            moment.accounts.insert(name.clone(), self.accounts(name));
            moment.tables.insert(name.clone(), instance.tables.clone());
        }
        moment
    }

    /// The moment of a mark.
    #[must_use]
    pub fn marked(&self, mark: &str) -> Option<&Moment> {
        self.marks.iter().find(|(name, _)| name == mark).map(|(_, moment)| moment)
    }

    /// Whether something asks for news all the while, so that idle time is dear.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        let incremental = |task: &Task| !task.over && task.types.contains(&MigrationType::Incremental);
        self.writing || self.tasks.iter().any(incremental) || self.logical.iter().any(|task| task.logs && !task.stopped)
    }
}
