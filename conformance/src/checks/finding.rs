//! What a check finds: how often its rule was exercised, and what violates it.

use super::clone::CloneViolation;
use super::invariants::InvariantViolation;
use super::migration::MigrationViolation;
use super::redis::RedisViolation;
use super::restore::RestoreViolation;
use super::tasks::TaskViolation;
use super::temporary::TemporaryViolation;
use crate::history::lens::{Lens, Seen};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A check: one plain function over a history.
pub struct Check {
    /// The name the catalogue calls it.
    pub name: &'static str,
    /// The function.
    pub run: fn(&Lens<'_>) -> Finding,
}

/// What a check found in one history for one rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Finding {
    /// How often the rule was put to the test. A rule that was never exercised is never green.
    pub exercised: u64,
    /// What violates it.
    pub violations: Vec<Evidence>,
}

/// A violation and where in the history it shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Index of the event.
    pub index: usize,
    /// Its time.
    pub at: Timestamp,
    /// What is wrong, with exact ids.
    pub violation: Violation,
}

/// Everything that can be wrong, by what it is about. `Display` is one terse line: what was wanted, then what was got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Violation {
    /// About temporary instances.
    Temporary(TemporaryViolation),
    /// About clones.
    Clone(CloneViolation),
    /// About a migration task's life.
    Task(TaskViolation),
    /// About what a migration moves.
    Migration(MigrationViolation),
    /// About logical backup and restore.
    Restore(RestoreViolation),
    /// About backup and recovery of Redis.
    Redis(RedisViolation),
    /// About what must be so in every run.
    Invariant(InvariantViolation),
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "want {}, got {}", self.want(), self.got())
    }
}

impl Violation {
    /// What the rule wants.
    #[must_use]
    pub fn want(&self) -> String {
        match self {
            Self::Temporary(it) => it.want(),
            Self::Clone(it) => it.want(),
            Self::Task(it) => it.want(),
            Self::Migration(it) => it.want(),
            Self::Restore(it) => it.want(),
            Self::Redis(it) => it.want(),
            Self::Invariant(it) => it.want(),
        }
    }

    /// What was found.
    #[must_use]
    pub fn got(&self) -> String {
        match self {
            Self::Temporary(it) => it.got(),
            Self::Clone(it) => it.got(),
            Self::Task(it) => it.got(),
            Self::Migration(it) => it.got(),
            Self::Restore(it) => it.got(),
            Self::Redis(it) => it.got(),
            Self::Invariant(it) => it.got(),
        }
    }
}

macro_rules! from {
    ($($kind:ident($inner:ty)),+) => { $(impl From<$inner> for Violation {
        fn from(it: $inner) -> Self {
            Self::$kind(it)
        }
    })+ };
}
from!(
    Temporary(TemporaryViolation),
    Clone(CloneViolation),
    Task(TaskViolation),
    Migration(MigrationViolation),
    Restore(RestoreViolation),
    Redis(RedisViolation),
    Invariant(InvariantViolation)
);

impl Finding {
    /// Counts one exercise of the rule; a violation is added when there is one.
    pub fn judge<T>(&mut self, seen: &Seen<'_, T>, violation: Option<impl Into<Violation>>) {
        self.exercised += 1;
        if let Some(violation) = violation {
            self.violations.push(Evidence { index: seen.index, at: seen.at, violation: violation.into() });
        }
    }
}
