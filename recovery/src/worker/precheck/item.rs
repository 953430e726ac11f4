//! What an item of a precheck is: one value that its own file gives, and one line in the list of its kind of task.

use super::bench::Snag;
use crate::model::Engine;
use crate::model::precheck::{Finding, PrecheckItem};
use crate::model::task::MigrationType;
use futures_util::future::BoxFuture;
use std::collections::BTreeSet;

/// How much an item weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// What it finds keeps the task from starting (DTS-09).
    Firm,
    /// What it finds is a warning, and never more (LOG-50, C-28).
    Light,
    /// What it finds is advice beyond the documents: a warning, and never more; a task may do without it.
    Advice,
}

/// The tasks an item is for, by what they move (prechecks.md 2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// All of them.
    Anything,
    /// Those that move what is there: structure, rows, or both.
    Load,
    /// Those that make objects.
    Structure,
    /// Those that copy rows.
    Full,
    /// Those that follow changes.
    Incremental,
    /// Those that bring rows over: copied ones, or changed ones.
    Rows,
}

impl Needs {
    /// Whether a task with these types is one of them.
    #[must_use]
    pub fn met_by(self, types: &BTreeSet<MigrationType>) -> bool {
        let has = |kind| types.contains(&kind);
        match self {
            Self::Anything => true,
            Self::Load => has(MigrationType::Structure) || has(MigrationType::Full),
            Self::Structure => has(MigrationType::Structure),
            Self::Full => has(MigrationType::Full),
            Self::Incremental => has(MigrationType::Incremental),
            Self::Rows => has(MigrationType::Full) || has(MigrationType::Incremental),
        }
    }
}

/// The relational engines.
pub const RELATIONAL: &[Engine] = &[Engine::MySql, Engine::SqlServer, Engine::PostgreSql, Engine::Ppas];
/// Every engine.
pub const EVERY_ENGINE: &[Engine] =
    &[Engine::MySql, Engine::SqlServer, Engine::PostgreSql, Engine::Ppas, Engine::Redis];

/// An item as manuals and reports list it.
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// The item.
    pub item: PrecheckItem,
    /// Its English name.
    pub english: &'static str,
    /// Its Chinese name.
    pub chinese: &'static str,
    /// What its findings weigh.
    pub weight: Weight,
    /// Engines it is for.
    pub engines: &'static [Engine],
    /// Tasks it is for.
    pub needs: Needs,
    /// What it looks at, in a sentence.
    pub looks_at: &'static str,
    /// What it finds fault with, one cause each.
    pub finds: &'static [&'static str],
    /// What can be done in general.
    pub remedy: &'static str,
    /// Whether a user may shield it (prechecks.md section 4).
    pub shieldable: bool,
    /// Where it is documented.
    pub source: &'static str,
}

/// What came of the look at an item: what it found, nothing where all is well.
pub type Looked = Result<Vec<Finding>, Snag>;

/// How an item is looked at.
pub type Look<B> = for<'a> fn(&'a B) -> BoxFuture<'a, Looked>;

/// An item with the way to look at it, by what it looks at: the two sides of a migration, or a set and its target.
pub struct Item<B> {
    /// What it is.
    pub about: About,
    /// How it is looked at.
    pub look: Look<B>,
    /// Seconds it may take; one that is not done by then has failed.
    pub limit_s: i64,
}

/// Seconds for an item that asks servers a few things.
pub const ASKS_S: i64 = 300;
/// Seconds for an item that reads a whole backup, each part of which has a time limit of its own.
pub const READS_S: i64 = 12 * 3_600;

/// A finding for each cause, with one remedy for all.
pub fn each(causes: Vec<String>, remedy: &str) -> Vec<Finding> {
    causes.into_iter().map(|cause| Finding::new(cause, remedy)).collect()
}
