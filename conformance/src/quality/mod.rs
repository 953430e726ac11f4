//! How good the precheck is, as numbers: random migrations, each run as the system has it, and those that were blocked once
//! more with the verdict of the precheck bypassed.

mod draw;
#[cfg(test)]
mod tests;

pub use draw::{Pair, pair};

use crate::catalogue::Scope;
use crate::checks::migration;
use crate::history::lens::Lens;
use crate::history::{History, What};
use crate::runner;
use crate::runner::variant::Variant;
use recovery::model::precheck::{PrecheckItem, PrecheckRun};
use recovery::model::task::{MigrationType, PhaseStatus, TaskFailure, TaskStatus};
use recovery::model::views::TaskView;
use scenarios::Scenario;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// The system with a precheck that looks and never blocks.
const BYPASSED: Variant = Variant { policy: Some(|policy| policy.precheck_blocks = false), ports: None, gate: None };

/// Checks that say whether what a migration moved is right.
const CONTENT: [&str; 5] = [
    "migrated_content_is_right",
    "granularity_of_selection",
    "dependents_never_dangle",
    "no_row_lost_or_doubled",
    "quiet_source_gives_equality",
];

/// What came of one migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// All was moved, and rightly.
    Moved,
    /// The precheck kept it from starting.
    Blocked(Vec<PrecheckItem>),
    /// It failed after it had started, or what it moved is wrong.
    Failed(String),
    /// It did not come to an end in time, or the world could not go on.
    Open(String),
}

/// Runs a scenario with one migration task, under a seed.
#[must_use]
pub fn end(scenario: &Scenario, seed: u64, bypassed: bool) -> End {
    let variant = if bypassed { BYPASSED } else { Variant::default() };
    match runner::run_variant(scenario, seed, None, &variant) {
        Err(error) => End::Open(error.to_string()),
        Ok(history) => end_of(&history),
    }
}

/// The newest sight of the one task of a history.
#[must_use]
pub fn task(history: &History) -> Option<&TaskView> {
    history
        .events
        .iter()
        .rev()
        .find_map(|event| if let What::TaskSeen(task) = &event.what { Some(&**task) } else { None })
}

/// The newest precheck run of a task that ended.
#[must_use]
pub fn run(task: &TaskView) -> Option<&PrecheckRun> {
    task.precheck.as_ref().filter(|run| run.ended_at.is_some())
}

fn end_of(history: &History) -> End {
    let Some(task) = task(history) else { return End::Open("no task was made".to_owned()) };
    match task.status {
        TaskStatus::PrecheckFailed => {
            let items = run(task).into_iter().flat_map(|run| &run.items);
            End::Blocked(items.filter(|result| result.outcome.is_failure()).map(|result| result.item).collect())
        }
        TaskStatus::MigrationFailed => End::Failed(task.failure.as_ref().map_or_else(String::new, said)),
        TaskStatus::Finished => moved(history),
        TaskStatus::Migrating if caught_up(task) => moved(history),
        status => End::Open(format!("{status:?}")),
    }
}

fn caught_up(task: &TaskView) -> bool {
    task.phases.get(&MigrationType::Incremental) == Some(&PhaseStatus::Catched)
}

fn moved(history: &History) -> End {
    let everything = Scope::default();
    let lens = Lens::new(history, &everything);
    let checks = migration::CHECKS.iter().filter(|check| CONTENT.contains(&check.name));
    let wrong = checks.map(|check| (check.name, (check.run)(&lens))).find(|(_, found)| !found.violations.is_empty());
    wrong.map_or(End::Moved, |(name, _)| End::Failed(format!("wrong content: {name}")))
}

fn said(failure: &TaskFailure) -> String {
    match failure {
        TaskFailure::Refused { side, detail } => format!("{side} refused: {detail}"),
        TaskFailure::Unreachable { side, detail } => format!("{side} unreachable: {detail}"),
        other => format!("{other:?}"),
    }
}

/// The numbers over many migrations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quality {
    /// Migrations.
    pub tasks: u64,
    /// Those that moved everything.
    pub moved: u64,
    /// Those that failed after they had started.
    pub failed: u64,
    /// Blocked ones that fail where the verdict is bypassed.
    pub foreseen: u64,
    /// Blocked ones that would have moved everything.
    pub needless: u64,
    /// Those that came to no end, blocked or not.
    pub open: u64,
    /// Why migrations failed that had passed, with the lowest seed of each cause.
    pub causes: BTreeMap<String, (u64, u64)>,
    /// Items that blocked a task which would have succeeded, with the lowest seed of each.
    pub needless_items: BTreeMap<String, (u64, u64)>,
}

impl Quality {
    /// Draws, runs and counts one migration.
    pub fn add(&mut self, seed: u64) {
        let Pair { scenario, .. } = pair(seed);
        self.tasks += 1;
        match end(&scenario, seed, false) {
            End::Moved => self.moved += 1,
            End::Failed(why) => {
                self.failed += 1;
                note(&mut self.causes, plain(&why), seed);
            }
            End::Open(_) => self.open += 1,
            End::Blocked(items) => match end(&scenario, seed, true) {
                End::Moved => {
                    self.needless += 1;
                    let codes: Vec<&str> = items.iter().map(|item| item.code()).collect();
                    note(&mut self.needless_items, codes.join(" + "), seed);
                }
                End::Failed(_) => self.foreseen += 1,
                End::Open(_) | End::Blocked(_) => self.open += 1,
            },
        }
    }

    fn join(&mut self, other: Self) {
        self.tasks += other.tasks;
        self.moved += other.moved;
        self.failed += other.failed;
        self.foreseen += other.foreseen;
        self.needless += other.needless;
        self.open += other.open;
        for (mine, theirs) in [(&mut self.causes, other.causes), (&mut self.needless_items, other.needless_items)] {
            for (cause, (count, seed)) in theirs {
                let known = mine.entry(cause).or_insert((0, seed));
                *known = (known.0 + count, known.1.min(seed));
            }
        }
    }

    /// The numbers for people.
    #[must_use]
    pub fn text(&self) -> String {
        let (bad, blocked) = (self.failed + self.foreseen, self.foreseen + self.needless);
        let mut text = format!(
            "{} random tasks: {} moved everything, {blocked} blocked, {} failed after a pass, {} without an end\n\
             failed migrations the precheck foresaw: {} of {bad}, {}\n\
             blocked tasks that would have succeeded: {} of {blocked}, {}\n",
            self.tasks,
            self.moved,
            self.failed,
            self.open,
            self.foreseen,
            share(self.foreseen, bad),
            self.needless,
            share(self.needless, blocked),
        );
        for (title, causes) in [("not foreseen", &self.causes), ("blocked needlessly by", &self.needless_items)] {
            for (cause, (count, seed)) in causes {
                let _ = writeln!(text, "  {title} {count} x (seed {seed}): {cause}");
            }
        }
        text
    }
}

fn note(causes: &mut BTreeMap<String, (u64, u64)>, cause: String, seed: u64) {
    let known = causes.entry(cause).or_insert((0, seed));
    *known = (known.0 + 1, known.1.min(seed));
}

/// A cause without the numbers in it, so that like causes count together.
fn plain(cause: &str) -> String {
    cause.chars().filter(|letter| !letter.is_ascii_digit()).take(160).collect()
}

/// So many of a hundred, in tenths.
fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "none".to_owned();
    }
    let permille = (part * 1_000 + whole / 2) / whole;
    format!("{}.{} %", permille / 10, permille % 10)
}

/// Runs that many migrations, drawn from seeds 0 and up, on some threads.
///
/// # Errors
/// When the threads cannot be had.
pub fn measure(tasks: u64, jobs: usize) -> Result<Quality, rayon::ThreadPoolBuildError> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).build()?;
    let (next, all) = (AtomicU64::new(0), Mutex::new(Quality::default()));
    pool.broadcast(|_| {
        let mut own = Quality::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= tasks {
                break;
            }
            own.add(seed);
        }
        all.lock().unwrap_or_else(PoisonError::into_inner).join(own);
    });
    Ok(all.into_inner().unwrap_or_else(PoisonError::into_inner))
}
