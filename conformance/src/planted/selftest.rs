//! Runs every planted bug until its check catches it, and the system as it stands to see that nothing is raised.

use super::Planted;
use crate::catalogue::catalogue;
use crate::cause::Cause;
use crate::explore::shrink::{self, Budget, RUNS, Shrunk, shrink};
use crate::judge::judge;
use crate::runner;
use crate::runner::variant::Variant;
use crate::suite::run_variant;
use rayon::prelude::*;
use scenarios::Scenario;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// What is run.
pub struct Selftest<'a> {
    /// The bugs.
    pub planted: Vec<&'static Planted>,
    /// The scenarios: for each bug those that cover a rule of its check, and all others when those do not show it.
    pub scenarios: &'a [Scenario],
    /// Seeds of each scenario.
    pub seeds: u64,
    /// Makes the scenario of an exploration seed; without, nothing is explored.
    pub explored: Option<fn(u64) -> Scenario>,
    /// Exploration seeds for a bug that no scenario caught.
    pub explored_seeds: u64,
    /// Whether what catches a bug is made small.
    pub shrink: bool,
}

/// One run: a scenario, or what is explored, under a seed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case", tag = "by")]
pub enum By {
    /// A built-in scenario.
    Scenario {
        /// File.
        file: String,
        /// Case of the file.
        case: Option<String>,
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
    /// How small the scenario became that still shows it, if that was asked for.
    pub shrunk: Option<Small>,
}

/// What became of a scenario that was made small.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Small {
    /// Steps before.
    pub from_steps: usize,
    /// Steps now.
    pub to_steps: usize,
    /// Runs it took.
    pub runs: usize,
    /// The file.
    pub text: String,
}

/// What became of a planted bug.
#[derive(Debug, Clone)]
pub struct Trial {
    /// The bug.
    pub planted: &'static Planted,
    /// How it was caught; `None` when its check never bit.
    pub caught: Option<Catch>,
    caught_at: Option<Run>,
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
        median(self.trials.iter().filter(|trial| trial.caught.is_some()).map(|trial| trial.runs))
    }

    /// The median of the steps that are left of a scenario that was made small.
    #[must_use]
    pub fn median_steps(&self) -> Option<usize> {
        let caught = self.trials.iter().filter_map(|trial| trial.caught.as_ref());
        median(caught.filter_map(|catch| catch.shrunk.as_ref()).map(|small| small.to_steps))
    }
}

/// The middle of some numbers; the upper one of two.
fn median<T: Ord + Copy>(numbers: impl Iterator<Item = T>) -> Option<T> {
    let mut numbers: Vec<T> = numbers.collect();
    numbers.sort_unstable();
    numbers.get(numbers.len() / 2).copied()
}

/// Hears of trials and alarms as they end, from several threads.
pub trait Listener: Sync {
    /// A bug was caught, or not.
    fn tried(&self, trial: &Trial);
    /// The system as it stands raised something.
    fn alarm(&self, alarm: &Alarm);
}

/// Ids of the rules, or of the invariant, that a check judges.
#[must_use]
pub fn rules_of(check: &str) -> BTreeSet<&'static str> {
    let catalogue = catalogue();
    catalogue
        .rules()
        .iter()
        .chain(catalogue.invariants())
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
        let mut known = Known::default();
        let mut alarms = sound(test, &mut known, covering_runs(test), stop, listener);
        let trials = test.planted.par_iter().filter(|_| !stop.load(Ordering::Relaxed)).map(|planted| {
            let trial = trial(test, planted, &known, stop);
            listener.tried(&trial);
            trial
        });
        let trials: Vec<Trial> = trials.collect();
        let elsewhere = trials.iter().filter_map(|trial| trial.caught_at).collect();
        alarms.extend(sound(test, &mut known, elsewhere, stop, listener));
        let sound_runs = known.runs.len() as u64;
        Proof { trials, alarms, sound_runs, stopped: stop.load(Ordering::Relaxed) }
    }))
}

/// A scenario by its index, or without one what is explored, and the seed.
type Run = (Option<usize>, u64);

/// What is known of the runs of the system as it stands.
#[derive(Default)]
struct Known {
    runs: BTreeMap<Run, Sound>,
}

/// What one run of the system as it stands came to.
struct Sound {
    /// Events: what makes few of them is run first.
    events: usize,
    /// Rules and invariants it exercised.
    exercised: BTreeSet<&'static str>,
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
    sound: Sound,
}

/// Runs a scenario by its index, or without one what is explored under the seed.
fn run(test: &Selftest<'_>, index: Option<usize>, seed: u64, variant: &Variant) -> Option<(By, Result<Ran, String>)> {
    match index {
        Some(index) => {
            let scenario = test.scenarios.get(index)?;
            let (file, case) = (scenario.file.clone(), scenario.case.clone());
            Some((By::Scenario { file, case, seed }, judged(scenario, seed, variant)))
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
    let exercised = judgement.findings.iter().filter(|found| found.finding.exercised > 0);
    let exercised = exercised.map(|found| found.rule.id.as_str()).collect();
    let sound = Sound { events: history.events.len(), exercised };
    Ok(Ran { violated: violated.collect(), unmet, sound })
}

/// Everything that covers a rule of a bug's check, and what is explored. No scenario covers an invariant: all are run
/// then, to see which exercise it.
fn covering_runs(test: &Selftest<'_>) -> BTreeSet<Run> {
    let covering = |planted: &&Planted| match showing(test, planted.check).next() {
        Some(_) => showing(test, planted.check).collect(),
        None => (0..test.scenarios.len()).collect::<Vec<_>>(),
    };
    let scenarios: BTreeSet<usize> = test.planted.iter().flat_map(covering).collect();
    let explored = if test.explored.is_some() { test.explored_seeds } else { 0 };
    let covering = scenarios.iter().flat_map(|index| (0..test.seeds).map(|seed| (Some(*index), seed)));
    covering.chain((0..explored).map(|seed| (None, seed))).collect()
}

/// The system as it stands, in runs that it has not been in yet: what it raises is a false alarm.
fn sound(
    test: &Selftest<'_>,
    known: &mut Known,
    runs: BTreeSet<Run>,
    stop: &AtomicBool,
    listener: &dyn Listener,
) -> Vec<Alarm> {
    let as_it_stands = Variant::default();
    let new: Vec<Run> = runs.into_iter().filter(|run| !known.runs.contains_key(run)).collect();
    let done: Vec<(Run, Sound, Option<Alarm>)> = new
        .par_iter()
        .filter(|_| !stop.load(Ordering::Relaxed))
        .filter_map(|(index, seed)| {
            let (by, ran) = run(test, *index, *seed, &as_it_stands)?;
            let (raised, sound) = match ran {
                Ok(Ran { violated, unmet, sound }) => {
                    let violated = violated.into_iter().map(|(rule, violation)| format!("{rule}: {violation}"));
                    (violated.chain(unmet).collect(), sound)
                }
                Err(broken) => (vec![broken], Sound { events: 0, exercised: BTreeSet::new() }),
            };
            let alarm = (!raised.is_empty()).then_some(Alarm { by, raised });
            if let Some(alarm) = &alarm {
                listener.alarm(alarm);
            }
            Some(((*index, *seed), sound, alarm))
        })
        .collect();
    let mut alarms = Vec::new();
    for (run, sound, alarm) in done {
        known.runs.insert(run, sound);
        alarms.extend(alarm);
    }
    alarms
}

/// The runs a bug is tried with: scenarios that cover a rule of its check, the cheap ones first; then all others once,
/// those of the same folders and the short ones first; then what is explored.
fn runs_for(test: &Selftest<'_>, planted: &Planted, known: &Known) -> Vec<Run> {
    let mut covering: Vec<usize> = showing(test, planted.check).collect();
    let known = |index: usize| known.runs.get(&(Some(index), 0));
    if covering.is_empty() {
        let rules = rules_of(planted.check);
        let exercises = |index: &usize| known(*index).is_some_and(|known| !known.exercised.is_disjoint(&rules));
        covering = (0..test.scenarios.len()).filter(exercises).collect();
    }
    covering.sort_by_key(|index| (known(*index).map_or(usize::MAX, |known| known.events), *index));
    let folder = |index: usize| Path::new(&test.scenarios[index].file).parent();
    let near: BTreeSet<Option<&Path>> = covering.iter().map(|index| folder(*index)).collect();
    let mut others: Vec<usize> = (0..test.scenarios.len()).filter(|index| !covering.contains(index)).collect();
    others.sort_by_key(|index| (!near.contains(&folder(*index)), test.scenarios[*index].steps.len(), *index));
    let explored = if test.explored.is_some() { test.explored_seeds } else { 0 };
    let covering = (0..test.seeds).flat_map(|seed| covering.iter().map(move |index| (Some(*index), seed)));
    let others = others.into_iter().map(|index| (Some(index), 0));
    covering.chain(others).chain((0..explored).map(|seed| (None, seed))).collect()
}

/// One bug, until its check finds it.
// How long it took is for people, and measured in real time.
#[allow(clippy::disallowed_methods, clippy::disallowed_types)]
fn trial(test: &Selftest<'_>, planted: &'static Planted, known: &Known, stop: &AtomicBool) -> Trial {
    let begun = std::time::Instant::now();
    let (others, broken) = (BTreeMap::new(), BTreeMap::new());
    let mut trial = Trial { planted, caught: None, caught_at: None, others, broken, runs: 0, seconds: 0.0 };
    let rules = rules_of(planted.check);
    for (index, seed) in runs_for(test, planted, known) {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let Some((by, ran)) = run(test, index, seed, &planted.variant) else { continue };
        trial.runs += 1;
        trial.take(by, ran, &rules);
        if trial.caught.is_some() {
            trial.caught_at = Some((index, seed));
            trial.seconds = begun.elapsed().as_secs_f64();
            if let Some(catch) = trial.caught.as_mut().filter(|_| test.shrink) {
                catch.shrunk = made_small(test, planted, (index, seed), stop);
            }
            return trial;
        }
    }
    trial.seconds = begun.elapsed().as_secs_f64();
    trial
}

/// Makes what caught a bug small, as long as the bug's check finds the same violation.
fn made_small(test: &Selftest<'_>, planted: &Planted, (index, seed): Run, stop: &AtomicBool) -> Option<Small> {
    let scenario = match index {
        Some(index) => test.scenarios.get(index)?.clone(),
        None => test.explored?(seed),
    };
    let failed = run_variant(&scenario, seed, &planted.variant);
    let rules = rules_of(planted.check);
    let mut violations = failed.judgement.as_ref()?.violations();
    let (rule, evidence) = violations.find(|(rule, _)| rules.contains(rule.id.as_str()))?;
    let (cause, variant) = (Cause::of(rule, evidence), planted.variant);
    let over = || stop.load(Ordering::Relaxed);
    let run: &shrink::Run<'_> = &|scenario, seed| run_variant(scenario, seed, &variant);
    let shrunk = shrink(&scenario, seed, &cause, run, Budget { runs: RUNS, stop: &over })?;
    let Shrunk { from_steps, to_steps, runs, text, .. } = shrunk;
    Some(Small { from_steps, to_steps, runs, text })
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
            self.caught = Some(Catch { by, rules, violation, shrunk: None });
            return;
        }
        for (rule, _) in others {
            self.others.entry(rule.to_owned()).or_insert_with(|| by.clone());
        }
    }
}

#[cfg(test)]
mod tests;
