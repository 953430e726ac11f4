//! Judges one history: every rule of the catalogue and every invariant, the scenario's expectations, and whether what it covers came up.

use crate::catalogue::{Rule, Scope, catalogue};
use crate::checks::{self, Evidence, Finding};
use crate::history::lens::Lens;
use crate::history::{History, What};
use jiff::Timestamp;
use scenarios::{RuleId, Scenario};
use serde::Serialize;
use std::collections::BTreeMap;

/// What the judgement of one run says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Every exercised rule held, every expectation was met, every covered rule was exercised.
    Passed,
    /// The target cannot do what the scenario asks for.
    Unavailable,
    /// A covered rule was not exercised.
    Incomplete,
    /// A rule was violated or an expectation was not met.
    Failed,
    /// The harness itself could not run it.
    Broken,
}

/// One rule's finding in one run.
#[derive(Debug, Clone)]
pub struct RuleFinding {
    /// The rule.
    pub rule: &'static Rule,
    /// What its check found.
    pub finding: Finding,
}

/// An expectation that was not met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unmet {
    /// Time.
    pub at: Timestamp,
    /// Index of the step.
    pub step: Option<usize>,
    /// What was expected.
    pub want: String,
    /// What was found.
    pub got: String,
}

/// The judgement of one run.
#[derive(Debug, Clone)]
pub struct Judgement {
    /// Rules and invariants that were exercised.
    pub findings: Vec<RuleFinding>,
    /// Expectations that were not met.
    pub unmet: Vec<Unmet>,
    /// Rules the scenario covers that did not come up.
    pub not_exercised: Vec<String>,
}

impl Judgement {
    /// What it comes to.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        if !self.unmet.is_empty() || self.violations().next().is_some() {
            Outcome::Failed
        } else if self.not_exercised.is_empty() {
            Outcome::Passed
        } else {
            Outcome::Incomplete
        }
    }

    /// Violations, each with its rule; a violated advice (SHOULD) counts like any other.
    pub fn violations(&self) -> impl Iterator<Item = (&'static Rule, &Evidence)> {
        self.findings.iter().flat_map(|found| found.finding.violations.iter().map(|evidence| (found.rule, evidence)))
    }
}

/// Judges a history.
#[must_use]
pub fn judge(history: &History, covers: &[RuleId]) -> Judgement {
    let everything = Scope::default();
    let lens = Lens::new(history, &everything);
    // Many rules share a check; each check runs once for each scope.
    let mut done: BTreeMap<&str, Vec<(&Scope, Finding)>> = BTreeMap::new();
    let mut findings = Vec::new();
    for rule in catalogue().rules().iter().chain(catalogue().invariants()) {
        let Some((name, scope)) = rule.check() else { continue };
        let Some(check) = checks::by_name(name) else { continue };
        let known = done.entry(check.name).or_default();
        let finding = match known.iter().find(|(of, _)| *of == scope) {
            Some((_, finding)) => finding.clone(),
            None => {
                let finding = (check.run)(&lens.rescoped(scope));
                known.push((scope, finding.clone()));
                finding
            }
        };
        if finding.exercised > 0 || !finding.violations.is_empty() {
            findings.push(RuleFinding { rule, finding });
        }
    }
    let not_exercised = covers
        .iter()
        .filter(|id| !findings.iter().any(|found| found.rule.id == id.0 && found.finding.exercised > 0))
        .map(|id| id.0.clone())
        .collect();
    Judgement { findings, unmet: unmet(history), not_exercised }
}

fn unmet(history: &History) -> Vec<Unmet> {
    history
        .events
        .iter()
        .filter_map(|event| match &event.what {
            What::Expectation { met: false, want, got } => {
                Some(Unmet { at: event.at, step: event.step, want: want.clone(), got: got.clone() })
            }
            _ => None,
        })
        .collect()
}

/// The line of the scenario at which something happened.
#[must_use]
pub fn line_of(scenario: &Scenario, step: Option<usize>) -> usize {
    step.and_then(|index| scenario.steps.get(index)).map_or(1, |step| step.line)
}
