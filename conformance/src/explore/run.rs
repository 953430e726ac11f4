//! Explores seeds: draws, runs and judges each, puts failures of one cause together and keeps no history.

use super::options::Options;
use super::plan::plan;
use super::profiles::Profile;
use super::reached::{Reached, size};
use crate::cause::Cause;
use crate::history::hex;
use crate::judge::{Outcome, judge};
use crate::runner;
use crate::runner::variant::Variant;
use crate::suite::RunResult;
use scenarios::Scenario;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// One explored run.
pub struct Explored {
    /// What was drawn at the start.
    pub options: Options,
    /// The plan.
    pub scenario: Scenario,
    /// Steps that are no faults.
    pub steps: usize,
    /// Faults.
    pub faults: usize,
}

impl Explored {
    /// Draws the options and the plan of a seed.
    #[must_use]
    pub fn draw(seed: u64, profile: &Profile) -> Self {
        let options = Options::draw(seed, profile);
        let scenario = plan(&options);
        let (steps, faults) = size(&scenario);
        Self { options, scenario, steps, faults }
    }

    /// Runs and judges it; gives what was reached too.
    #[must_use]
    pub fn run(&self, variant: &Variant) -> (RunResult<'_>, Reached) {
        let (scenario, seed) = (&self.scenario, self.options.seed);
        let mut reached = Reached::default();
        let result = match runner::run_variant(scenario, seed, None, variant) {
            Ok(history) => {
                let judgement = judge(&history, &[]);
                reached.add(scenario, &history, &judgement);
                RunResult::judged(scenario, seed, history, judgement)
            }
            Err(error) => RunResult::broken(scenario, seed, error.to_string()),
        };
        (result, reached)
    }
}

/// Failures with one cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The lowest seed that showed it.
    pub seed: u64,
    /// Runs that showed it.
    pub runs: usize,
}

/// What came of an exploration.
#[derive(Debug, Clone, Default)]
pub struct Explorations {
    /// Runs.
    pub runs: u64,
    /// Runs that failed.
    pub failed: u64,
    /// Runs that the harness could not carry out.
    pub broken: u64,
    /// Seeds that were not begun.
    pub not_begun: u64,
    /// Steps that are no faults.
    pub steps: u64,
    /// Faults.
    pub faults: u64,
    /// Virtual seconds.
    pub virtual_seconds: f64,
    /// Failures by cause.
    pub causes: BTreeMap<Cause, Found>,
    /// What was reached.
    pub reached: Reached,
    fingerprints: u64,
}

impl Explorations {
    fn add(&mut self, explored: &Explored, run: &RunResult<'_>, reached: Reached) -> bool {
        self.runs += 1;
        self.steps += explored.steps as u64;
        self.faults += explored.faults as u64;
        self.virtual_seconds += run.virtual_seconds;
        self.failed += u64::from(run.outcome != Outcome::Passed);
        self.broken += u64::from(run.outcome == Outcome::Broken);
        self.reached.join(reached);
        let hash = Sha256::digest(format!("{} {}", run.seed, run.fingerprint));
        let part = hash.iter().take(8).fold(0_u64, |all, byte| all << 8 | u64::from(*byte));
        // Runs end in any order, so their parts are added up.
        self.fingerprints = self.fingerprints.wrapping_add(part);
        let Some(cause) = Cause::main(run).filter(|_| run.outcome != Outcome::Passed) else { return false };
        let found = self.causes.entry(cause).or_insert(Found { seed: run.seed, runs: 0 });
        found.runs += 1;
        found.seed = found.seed.min(run.seed);
        found.runs == 1
    }

    /// A hash over all runs, whatever order they ended in.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        hex(&self.fingerprints.to_be_bytes())
    }
}

/// Hears of runs as they end, from several threads.
pub trait Watcher: Sync {
    /// A run ended; `new` where it failed by a cause that no run showed before.
    fn ended(&self, explored: &Explored, run: &RunResult<'_>, new: bool);
}

/// Explores seeds on some threads, lowest first; a raised `stop` lets no further run begin.
///
/// # Errors
/// When the threads cannot be had.
pub fn explore(
    seeds: Range<u64>,
    profile: &Profile,
    jobs: usize,
    stop: &AtomicBool,
    watcher: &dyn Watcher,
) -> Result<Explorations, rayon::ThreadPoolBuildError> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).build()?;
    let next = AtomicU64::new(seeds.start);
    let all = Mutex::new(Explorations::default());
    pool.broadcast(|_| {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end || stop.load(Ordering::Relaxed) {
                return;
            }
            let explored = Explored::draw(seed, profile);
            let (run, reached) = explored.run(&Variant::default());
            let new = lock(&all).add(&explored, &run, reached);
            watcher.ended(&explored, &run, new);
        }
    });
    let mut all = all.into_inner().unwrap_or_else(PoisonError::into_inner);
    all.not_begun = (seeds.end - seeds.start).saturating_sub(all.runs);
    Ok(all)
}

fn lock(all: &Mutex<Explorations>) -> MutexGuard<'_, Explorations> {
    all.lock().unwrap_or_else(PoisonError::into_inner)
}
