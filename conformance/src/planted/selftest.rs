//! Runs every planted bug until its check catches it, and the system as it stands to see that nothing is raised.

use super::Planted;
use crate::catalogue::catalogue;
use crate::judge::judge;
use crate::runner;
use crate::runner::variant::Variant;
use rayon::prelude::*;
use scenarios::Scenario;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};

/// What is run.
pub struct Selftest<'a> {
    /// The bugs.
    pub planted: Vec<&'static Planted>,
    /// The scenarios, of which each bug gets those that cover a rule of its check.
    pub scenarios: &'a [Scenario],
    /// Seeds of each scenario.
    pub seeds: u64,
    /// Makes the scenario of an exploration seed; without, nothing is explored.
    pub explored: Option<fn(u64) -> Scenario>,
    /// Exploration seeds for a bug that no scenario caught.
    pub explored_seeds: u64,
}

/// One run: a scenario, or what is explored, under a seed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case", tag = "by")]
pub enum By {
    /// A built-in scenario.
    Scenario {
        /// File and case.
        scenario: String,
        /// Seed.
        seed: u64,
    },
    /// An explored plan.
    Exploration {
        /// Seed.
        seed: u64,
    },
}

/// How a bug was caught.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Catch {
    /// By which run.
    pub by: By,
    /// Rules that were violated and that its check judges.
    pub rules: BTreeSet<String>,
    /// The first violation, in a line.
    pub violation: String,
}

/// What became of a planted bug.
#[derive(Debug, Clone)]
pub struct Trial {
    /// The bug.
    pub planted: &'static Planted,
    /// How it was caught; `None` when its check never bit.
    pub caught: Option<Catch>,
    /// Rules of other checks that were violated before, with the first run in which they were.
    pub others: BTreeMap<String, By>,
    /// Runs the world could not carry on, with why.
    pub broken: BTreeMap<By, String>,
    /// Runs until it was caught, that one included.
    pub runs: u64,
    /// Wall seconds until then.
    pub seconds: f64,
}

/// A run of the system as it stands in which something was raised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Alarm {
    /// Which.
    #[serde(flatten)]
    pub by: By,
    /// What was raised.
    pub raised: Vec<String>,
}

/// What came of it all.
#[derive(Debug, Clone, Default)]
pub struct Proof {
    /// Every planted bug, in its order.
    pub trials: Vec<Trial>,
    /// Alarms of the system as it stands.
    pub alarms: Vec<Alarm>,
    /// Runs of the system as it stands.
    pub sound_runs: u64,
    /// Whether it was stopped before the end.
    pub stopped: bool,
}

impl Proof {
    /// Bugs whose check did not bite.
    pub fn missed(&self) -> impl Iterator<Item = &Trial> {
        self.trials.iter().filter(|trial| trial.caught.is_none())
    }

    /// The median of the runs it took to catch a bug.
    #[must_use]
    pub fn median_runs(&self) -> Option<u64> {
        let mut runs: Vec<u64> =
            self.trials.iter().filter(|trial| trial.caught.is_some()).map(|trial| trial.runs).collect();
        runs.sort_unstable();
        runs.get(runs.len() / 2).copied()
    }
}

/// Hears of trials and alarms as they end, from several threads.
pub trait Listener: Sync {
    /// A bug was caught, or not.
    fn tried(&self, trial: &Trial);
    /// The system as it stands raised something.
    fn alarm(&self, alarm: &Alarm);
}

/// Ids of the rules that a check judges.
#[must_use]
pub fn rules_of(check: &str) -> BTreeSet<&'static str> {
    let catalogue = catalogue();
    catalogue
        .rules()
        .iter()
        .filter(|rule| rule.check().is_some_and(|(name, _)| name == check))
        .map(|rule| rule.id.as_str())
        .collect()
}

/// Runs it all on `jobs` threads; a raised `stop` lets no further run begin.
///
/// # Errors
/// When the threads cannot be had.
pub fn selftest(
    test: &Selftest<'_>,
    jobs: usize,
    stop: &AtomicBool,
    listener: &dyn Listener,
) -> Result<Proof, rayon::ThreadPoolBuildError> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).build()?;
    Ok(pool.install(|| {
        let (alarms, costs) = sound(test, stop, listener);
        let sound_runs = costs.runs;
        let trials = test.planted.par_iter().filter(|_| !stop.load(Ordering::Relaxed)).map(|planted| {
            let trial = trial(test, planted, &costs, stop);
            listener.tried(&trial);
            trial
        });
        let trials: Vec<Trial> = trials.collect();
        Proof { trials, alarms, sound_runs, stopped: stop.load(Ordering::Relaxed) }
    }))
}

/// How many events each scenario makes against the system as it stands: what is cheap is run first.
#[derive(Default)]
struct Costs {
    events: BTreeMap<usize, usize>,
    runs: u64,
}

/// The scenarios that may show a bug of a check, by index.
fn showing<'a>(test: &'a Selftest<'_>, check: &str) -> impl Iterator<Item = usize> + use<'a> {
    let rules = rules_of(check);
    let scenarios = test.scenarios.iter().enumerate();
    scenarios
        .filter(move |(_, scenario)| scenario.covers.iter().any(|id| rules.contains(id.0.as_str())))
        .map(|(index, _)| index)
}

/// What one run came to.
struct Ran {
    /// Violated rules, each with its first violation.
    violated: Vec<(&'static str, String)>,
    unmet: Vec<String>,
    events: usize,
}

/// Runs a scenario by its index, or without one what is explored under the seed.
fn run(test: &Selftest<'_>, index: Option<usize>, seed: u64, variant: &Variant) -> Option<(By, Result<Ran, String>)> {
    match index {
        Some(index) => {
            let scenario = test.scenarios.get(index)?;
            Some((By::Scenario { scenario: scenario.place(), seed }, judged(scenario, seed, variant)))
        }
        None => Some((By::Exploration { seed }, judged(&test.explored?(seed), seed, variant))),
    }
}

fn judged(scenario: &Scenario, seed: u64, variant: &Variant) -> Result<Ran, String> {
    let history = runner::run_variant(scenario, seed, None, variant).map_err(|error| error.to_string())?;
    let judgement = judge(&history, &scenario.covers);
    let violated = judgement.findings.iter().filter_map(|found| {
        let first = found.finding.violations.first()?;
        Some((found.rule.id.as_str(), first.violation.to_string()))
    });
    let unmet = judgement.unmet.iter().map(|unmet| format!("want {}, got {}", unmet.want, unmet.got)).collect();
    Ok(Ran { violated: violated.collect(), unmet, events: history.events.len() })
}

/// The system as it stands, over everything the bugs are tried with.
fn sound(test: &Selftest<'_>, stop: &AtomicBool, listener: &dyn Listener) -> (Vec<Alarm>, Costs) {
    let scenarios: BTreeSet<usize> = test.planted.iter().flat_map(|planted| showing(test, planted.check)).collect();
    let mut runs: Vec<(Option<usize>, u64)> =
        scenarios.iter().flat_map(|index| (0..test.seeds).map(|seed| (Some(*index), seed))).collect();
    if test.explored.is_some() {
        runs.extend((0..test.explored_seeds).map(|seed| (None, seed)));
    }
    let known = Variant::default();
    let done: Vec<(Option<usize>, usize, Option<Alarm>)> = runs
        .par_iter()
        .filter(|_| !stop.load(Ordering::Relaxed))
        .filter_map(|(index, seed)| {
            let (by, ran) = run(test, *index, *seed, &known)?;
            let (raised, events) = match ran {
                Ok(ran) => {
                    let violated = ran.violated.into_iter().map(|(rule, violation)| format!("{rule}: {violation}"));
                    (violated.chain(ran.unmet).collect(), ran.events)
                }
                Err(broken) => (vec![broken], 0),
            };
            let alarm = (!raised.is_empty()).then_some(Alarm { by, raised });
            if let Some(alarm) = &alarm {
                listener.alarm(alarm);
            }
            Some((*index, events, alarm))
        })
        .collect();
    let mut costs = Costs { runs: done.len() as u64, ..Costs::default() };
    let mut alarms = Vec::new();
    for (index, events, alarm) in done {
        if let Some(index) = index {
            let most = costs.events.entry(index).or_default();
            *most = (*most).max(events);
        }
        alarms.extend(alarm);
    }
    (alarms, costs)
}

/// One bug: scenarios that cover a rule of its check, the cheap ones first, then what is explored.
// How long it took is for people, and measured in real time.
#[allow(clippy::disallowed_methods, clippy::disallowed_types)]
fn trial(test: &Selftest<'_>, planted: &'static Planted, costs: &Costs, stop: &AtomicBool) -> Trial {
    let begun = std::time::Instant::now();
    let mut scenarios: Vec<usize> = showing(test, planted.check).collect();
    scenarios.sort_by_key(|index| (costs.events.get(index).copied().unwrap_or(usize::MAX), *index));
    let mut trial =
        Trial { planted, caught: None, others: BTreeMap::new(), broken: BTreeMap::new(), runs: 0, seconds: 0.0 };
    let rules = rules_of(planted.check);
    let by_scenario = (0..test.seeds).flat_map(|seed| scenarios.iter().map(move |index| (Some(*index), seed)));
    let explored = if test.explored.is_some() { test.explored_seeds } else { 0 };
    for (index, seed) in by_scenario.chain((0..explored).map(|seed| (None, seed))) {
        if trial.caught.is_some() || stop.load(Ordering::Relaxed) {
            break;
        }
        if let Some((by, ran)) = run(test, index, seed, &planted.variant) {
            trial.runs += 1;
            trial.take(by, ran, &rules);
        }
    }
    trial.seconds = begun.elapsed().as_secs_f64();
    trial
}

impl Trial {
    fn take(&mut self, by: By, ran: Result<Ran, String>, rules: &BTreeSet<&str>) {
        let ran = match ran {
            Ok(ran) => ran,
            Err(why) => {
                self.broken.insert(by, why);
                return;
            }
        };
        let (own, others): (Vec<_>, Vec<_>) = ran.violated.into_iter().partition(|(rule, _)| rules.contains(rule));
        if let Some((_, violation)) = own.first() {
            let (violation, rules) = (violation.clone(), own.iter().map(|(rule, _)| (*rule).to_owned()).collect());
            self.caught = Some(Catch { by, rules, violation });
            return;
        }
        for (rule, _) in others {
            self.others.entry(rule.to_owned()).or_insert_with(|| by.clone());
        }
    }
}

#[cfg(test)]
mod tests;
