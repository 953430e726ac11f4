//! Runs scenarios over seeds, on all cores, and adds up what came of it.

use crate::catalogue::{Judged, catalogue};
use crate::history::{History, hex};
use crate::judge::{Judgement, Outcome, judge};
use crate::runner;
use crate::runner::on_real::{self, Ran};
use crate::runner::target::Servers;
use crate::runner::variant::Variant;
use rayon::prelude::*;
use scenarios::Scenario;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};

/// What came of one scenario under one seed.
pub struct RunResult<'a> {
    /// The scenario.
    pub scenario: &'a Scenario,
    /// The seed.
    pub seed: u64,
    /// What it comes to.
    pub outcome: Outcome,
    /// The judgement, unless the harness failed.
    pub judgement: Option<Judgement>,
    /// The history, kept when something is wrong.
    pub history: Option<History>,
    /// Why the harness failed.
    pub broken: Option<String>,
    /// Hash of the history.
    pub fingerprint: String,
    /// Virtual seconds.
    pub virtual_seconds: f64,
    /// The real servers it ran on; none in the simulated world.
    pub on: Option<String>,
    /// Why the target cannot do it, where it cannot.
    pub unavailable: Option<String>,
}

impl<'a> RunResult<'a> {
    /// A run that was judged; one that passed needs its history no more.
    #[must_use]
    pub fn judged(scenario: &'a Scenario, seed: u64, history: History, judgement: Judgement) -> Self {
        let outcome = judgement.outcome();
        Self {
            outcome,
            judgement: Some(judgement),
            fingerprint: history.fingerprint(),
            virtual_seconds: history.virtual_seconds(),
            history: (outcome != Outcome::Passed).then_some(history),
            ..Self::empty(scenario, seed, outcome)
        }
    }

    /// A run the harness could not carry out.
    #[must_use]
    pub fn broken(scenario: &'a Scenario, seed: u64, why: String) -> Self {
        Self { broken: Some(why), ..Self::empty(scenario, seed, Outcome::Broken) }
    }

    /// A run the target cannot carry out.
    #[must_use]
    pub fn unavailable(scenario: &'a Scenario, seed: u64, why: String) -> Self {
        Self { unavailable: Some(why), ..Self::empty(scenario, seed, Outcome::Unavailable) }
    }

    fn empty(scenario: &'a Scenario, seed: u64, outcome: Outcome) -> Self {
        Self {
            scenario,
            seed,
            outcome,
            judgement: None,
            history: None,
            broken: None,
            fingerprint: "broken".into(),
            virtual_seconds: 0.0,
            on: None,
            unavailable: None,
        }
    }
}

/// Hears of runs as they end, from several threads.
pub trait Listener: Sync {
    /// A run ended; `left` runs of the same scenario are still to come.
    fn ended(&self, run: &RunResult<'_>, left: usize);
}

/// One rule over all runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RuleTally {
    /// How often it was exercised.
    pub exercised: u64,
    /// How often it was violated.
    pub violated: u64,
    /// Scenarios that exercised it.
    pub scenarios: BTreeSet<String>,
}

/// Where a rule stands after a suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Exercised and never violated.
    Held,
    /// Violated at least once.
    Violated,
    /// Never exercised; never green.
    NotExercised,
    /// Cannot be seen from outside, for the reason in the catalogue.
    NotObservable,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Self; 4] = [Self::Held, Self::Violated, Self::NotExercised, Self::NotObservable];

    /// The word for people.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Violated => "violated",
            Self::NotExercised => "not exercised",
            Self::NotObservable => "not observable",
        }
    }
}

/// What came of a suite.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Scenarios that ran at least once.
    pub scenarios: BTreeSet<String>,
    /// Runs by outcome.
    pub runs: BTreeMap<Outcome, u64>,
    /// Runs asked for but not begun, after Ctrl-C.
    pub not_begun: u64,
    /// Virtual seconds over all runs.
    pub virtual_seconds: f64,
    /// Rules by id.
    pub rules: BTreeMap<String, RuleTally>,
    fingerprints: BTreeMap<(String, u64), String>,
}

impl Tally {
    /// Adds a run.
    pub fn add(&mut self, run: &RunResult<'_>) {
        let on = run.on.as_ref().map_or_else(String::new, |on| format!(" on {on}"));
        let name = format!("{}{on}", run.scenario.shown());
        self.scenarios.insert(name.clone());
        *self.runs.entry(run.outcome).or_default() += 1;
        self.virtual_seconds += run.virtual_seconds;
        self.fingerprints.insert((name.clone(), run.seed), run.fingerprint.clone());
        for found in run.judgement.iter().flat_map(|judgement| &judgement.findings) {
            let rule = self.rules.entry(found.rule.id.clone()).or_default();
            rule.exercised += found.finding.exercised;
            rule.violated += found.finding.violations.len() as u64;
            rule.scenarios.insert(name.clone());
        }
    }

    /// Runs in all.
    #[must_use]
    pub fn run_count(&self) -> u64 {
        self.runs.values().sum()
    }

    /// Runs of an outcome.
    #[must_use]
    pub fn count(&self, outcome: Outcome) -> u64 {
        self.runs.get(&outcome).copied().unwrap_or(0)
    }

    /// Where every rule of the catalogue stands.
    #[must_use]
    pub fn verdicts(&self) -> BTreeMap<&'static str, Verdict> {
        catalogue().rules().iter().map(|rule| (rule.id.as_str(), self.verdict(&rule.id, &rule.judged))).collect()
    }

    /// Where every invariant stands.
    #[must_use]
    pub fn invariants(&self) -> BTreeMap<&'static str, Verdict> {
        let all = catalogue().invariants().iter();
        all.map(|invariant| (invariant.id.as_str(), self.verdict(&invariant.id, &invariant.judged))).collect()
    }

    fn verdict(&self, id: &str, judged: &Judged) -> Verdict {
        if matches!(judged, Judged::NotObservable { .. }) {
            return Verdict::NotObservable;
        }
        match self.rules.get(id) {
            Some(rule) if rule.violated > 0 => Verdict::Violated,
            Some(rule) if rule.exercised > 0 => Verdict::Held,
            _ => Verdict::NotExercised,
        }
    }

    /// A hash over the fingerprints of all runs, in the order of scenario and seed.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        for ((scenario, seed), fingerprint) in &self.fingerprints {
            hash.update(format!("{scenario} {seed} {fingerprint}\n"));
        }
        hex(&hash.finalize()[..8])
    }
}

/// Runs one scenario under one seed against the system as it is, and judges it.
#[must_use]
pub fn run_one(scenario: &Scenario, seed: u64) -> RunResult<'_> {
    run_variant(scenario, seed, &Variant::default())
}

/// Runs one scenario under one seed against a variant of the system, and judges it.
#[must_use]
pub fn run_variant<'a>(scenario: &'a Scenario, seed: u64, variant: &Variant) -> RunResult<'a> {
    match runner::run_variant(scenario, seed, None, variant) {
        Ok(history) => {
            let judgement = judge(&history, &scenario.covers);
            RunResult::judged(scenario, seed, history, judgement)
        }
        Err(error) => RunResult::broken(scenario, seed, error.to_string()),
    }
}

/// Runs one scenario on real servers, and judges it; nothing where it was stopped.
#[must_use]
pub fn run_on<'a>(scenario: &'a Scenario, seed: u64, servers: &Servers, stop: &AtomicBool) -> Option<RunResult<'a>> {
    let run = match on_real::run_on(scenario, seed, servers, stop) {
        Ok(Ran::Done(history)) => {
            let judgement = judge(&history, &scenario.covers);
            RunResult::judged(scenario, seed, *history, judgement)
        }
        Ok(Ran::Unavailable(why)) => RunResult::unavailable(scenario, seed, why),
        Ok(Ran::Stopped) => return None,
        Err(why) => RunResult::broken(scenario, seed, why),
    };
    Some(RunResult { on: Some(servers.to_string()), ..run })
}

/// Runs scenarios on real servers, each on all that were chosen for it, `jobs` at a time; a raised `stop` ends the runs
/// under way and lets no further one begin.
///
/// # Errors
/// When the threads cannot be had.
pub fn run_all_on(
    scenarios: &[Scenario],
    runs: &[(usize, u64, Result<Servers, String>)],
    jobs: usize,
    stop: &AtomicBool,
    listener: &dyn Listener,
) -> Result<Tally, rayon::ThreadPoolBuildError> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).build()?;
    let tally = std::sync::Mutex::new(Tally::default());
    pool.install(|| {
        runs.par_iter().for_each(|(index, seed, servers)| {
            let scenario = &scenarios[*index];
            let run = match servers {
                _ if stop.load(Ordering::Relaxed) => None,
                Ok(servers) => run_on(scenario, *seed, servers, stop),
                Err(why) => Some(RunResult::unavailable(scenario, *seed, why.clone())),
            };
            match run {
                Some(run) => {
                    lock(&tally).add(&run);
                    listener.ended(&run, 0);
                }
                None => lock(&tally).not_begun += 1,
            }
        });
    });
    Ok(tally.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
}

/// Runs every scenario under every seed on `jobs` threads, as [`run_pairs`] does.
///
/// # Errors
/// When the threads cannot be had.
pub fn run_all(
    scenarios: &[Scenario],
    seeds: &[u64],
    jobs: usize,
    stop: &AtomicBool,
    listener: &dyn Listener,
) -> Result<Tally, rayon::ThreadPoolBuildError> {
    let pairs: Vec<(usize, u64)> =
        (0..scenarios.len()).flat_map(|index| seeds.iter().map(move |seed| (index, *seed))).collect();
    run_pairs(scenarios, &pairs, jobs, stop, listener)
}

/// Runs scenarios, each by its index under a seed, on `jobs` threads; a raised `stop` lets no further run begin.
///
/// # Errors
/// When the threads cannot be had.
pub fn run_pairs(
    scenarios: &[Scenario],
    pairs: &[(usize, u64)],
    jobs: usize,
    stop: &AtomicBool,
    listener: &dyn Listener,
) -> Result<Tally, rayon::ThreadPoolBuildError> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).build()?;
    let mut runs = vec![0_usize; scenarios.len()];
    pairs.iter().for_each(|(index, _)| runs[*index] += 1);
    let left: Vec<std::sync::atomic::AtomicUsize> = runs.into_iter().map(Into::into).collect();
    let tally = std::sync::Mutex::new(Tally::default());
    pool.install(|| {
        pairs.par_iter().for_each(|(index, seed)| {
            if stop.load(Ordering::Relaxed) {
                lock(&tally).not_begun += 1;
                return;
            }
            let run = run_one(&scenarios[*index], *seed);
            lock(&tally).add(&run);
            listener.ended(&run, left[*index].fetch_sub(1, Ordering::Relaxed) - 1);
        });
    });
    Ok(tally.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
}

fn lock(tally: &std::sync::Mutex<Tally>) -> std::sync::MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
