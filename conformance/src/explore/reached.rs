//! What an exploration reached: how often each rule and each fault came up, and which faults met which steps.

use super::kinds::StepKind;
use crate::catalogue::{Judged, catalogue};
use crate::history::{History, What};
use crate::judge::Judgement;
use scenarios::{Action, Fault, Scenario};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What was reached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Reached {
    /// How often each rule was exercised.
    pub rules: BTreeMap<String, u64>,
    /// How often each kind of fault happened.
    pub faults: BTreeMap<String, u64>,
    /// How often each kind of step was taken.
    pub steps: BTreeMap<StepKind, u64>,
    /// Steps that came out otherwise than they say.
    pub otherwise: u64,
    /// Kinds of faults and of steps that were seen together: the fault began during the step, or lasted into it.
    #[serde(skip)]
    pub pairs: BTreeSet<(String, StepKind)>,
}

impl Reached {
    /// Adds a run.
    pub fn add(&mut self, scenario: &Scenario, history: &History, judgement: &Judgement) {
        for found in &judgement.findings {
            *self.rules.entry(found.rule.id.clone()).or_default() += found.finding.exercised;
        }
        let mut active: BTreeMap<&str, u32> = BTreeMap::new();
        let mut step = None;
        for event in &history.events {
            match &event.what {
                What::StepBegan { .. } => {
                    let began = event.step.and_then(|index| scenario.steps.get(index)).map(|step| &step.action);
                    step = began.and_then(StepKind::of);
                    if let Some(step) = step {
                        *self.steps.entry(step).or_default() += 1;
                        self.pairs.extend(active.keys().map(|fault| ((*fault).to_owned(), step)));
                    }
                }
                What::Fault { kind, began: true, .. } => {
                    *self.faults.entry(kind.clone()).or_default() += 1;
                    *active.entry(kind).or_default() += 1;
                    self.pairs.extend(step.map(|step| (kind.clone(), step)));
                }
                What::Fault { kind, began: false, .. } => {
                    if let Some(times) = active.get_mut(kind.as_str()) {
                        *times -= 1;
                        if *times == 0 {
                            active.remove(kind.as_str());
                        }
                    }
                }
                What::Otherwise { .. } => self.otherwise += 1,
                What::Healed => return,
                _ => {}
            }
        }
    }

    /// Adds what another part reached.
    pub fn join(&mut self, other: Self) {
        for (rule, times) in other.rules {
            *self.rules.entry(rule).or_default() += times;
        }
        for (fault, times) in other.faults {
            *self.faults.entry(fault).or_default() += times;
        }
        for (step, times) in other.steps {
            *self.steps.entry(step).or_default() += times;
        }
        self.otherwise += other.otherwise;
        self.pairs.extend(other.pairs);
    }

    /// Rules that can be seen and never came up.
    #[must_use]
    pub fn rules_missed(&self) -> Vec<&'static str> {
        let seen = |id: &str| self.rules.get(id).is_some_and(|times| *times > 0);
        let rules = catalogue().rules().iter().filter(|rule| matches!(rule.judged, Judged::Check { .. }));
        rules.map(|rule| rule.id.as_str()).filter(|id| !seen(id)).collect()
    }

    /// Kinds of faults that never happened.
    #[must_use]
    pub fn faults_missed(&self) -> Vec<&'static str> {
        Fault::ALL_KINDS.iter().copied().filter(|kind| !self.faults.contains_key(*kind)).collect()
    }

    /// Pairs that were never seen together, of faults and of steps that each came up.
    #[must_use]
    pub fn pairs_missed(&self) -> Vec<(&str, StepKind)> {
        let faults = self.faults.keys().map(String::as_str);
        let pairs = faults.flat_map(|fault| self.steps.keys().map(move |step| (fault, *step)));
        pairs.filter(|(fault, step)| !self.pairs.contains(&((*fault).to_owned(), *step))).collect()
    }
}

/// Steps of a scenario that are no faults, and its faults.
#[must_use]
pub fn size(scenario: &Scenario) -> (usize, usize) {
    let faults = scenario.steps.iter().filter(|step| matches!(step.action, Action::Fault(_))).count();
    (scenario.steps.len() - faults, faults)
}
