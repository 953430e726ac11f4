//! Whether the simulated world is as real servers are: the same scenario on both, and what can be seen of it compared.

mod content;
pub mod explained;
mod seen;

use crate::history::History;
use crate::judge::{Outcome, judge};
use crate::runner::on_real::{self, Ran};
use crate::runner::target::Servers;
use crate::runner::{self, target};
use explained::{Explained, RUN};
use scenarios::Scenario;
use std::sync::atomic::AtomicBool;

/// Something that was seen otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What.
    pub what: String,
    /// How it was in the simulated world; not at all without.
    pub simulated: Option<String>,
    /// How it was on real servers; not at all without.
    pub real: Option<String>,
}

/// What came of the comparison of one scenario.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compared {
    /// How much was seen on either side.
    pub seen: usize,
    /// Differences without a reason.
    pub unexplained: Vec<Difference>,
    /// Differences with their reason.
    pub explained: Vec<(Difference, String)>,
    /// Reasons of differences that are not there.
    pub disappeared: Vec<Explained>,
}

impl Compared {
    /// Whether all is as it should be.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.unexplained.is_empty() && self.disappeared.is_empty()
    }
}

/// How a comparison ended.
#[derive(Debug)]
pub enum Fidelity {
    /// Both ran.
    Compared(Compared),
    /// Real servers cannot do it, for a reason.
    Unavailable(String),
    /// It was stopped.
    Stopped,
}

/// Runs a scenario in the simulated world and on real servers, and compares what was seen.
///
/// # Errors
/// When the harness itself failed.
pub fn compare(scenario: &Scenario, seed: u64, servers: &Servers, stop: &AtomicBool) -> Result<Fidelity, String> {
    if let Some(why) = target::unsuitable(scenario) {
        return Ok(Fidelity::Unavailable(why));
    }
    let reasons = explained::explained(scenario, servers)?;
    let simulated = runner::run(scenario, seed, None).map_err(|error| error.to_string())?;
    let (real, cannot) = match on_real::run_on(scenario, seed, servers, stop) {
        Ok(Ran::Done(history)) => (Some(*history), None),
        Ok(Ran::Unavailable(why)) => (None, Some(why)),
        Ok(Ran::Stopped) => return Ok(Fidelity::Stopped),
        Err(why) => return Err(why),
    };
    let Some(real) = real else { return Ok(Fidelity::Unavailable(cannot.unwrap_or_default())) };
    let (count, differences) = differences(scenario, &simulated, &real);
    Ok(Fidelity::Compared(sorted(count, differences, reasons)))
}

/// How much was seen, and what was seen otherwise.
fn differences(scenario: &Scenario, simulated: &History, real: &History) -> (usize, Vec<Difference>) {
    let (there, here) = (seen::seen(scenario, simulated), seen::seen(scenario, real));
    let mut whats: Vec<&String> = there.iter().map(|(what, _)| what).collect();
    whats.extend(here.iter().map(|(what, _)| what).filter(|what| !there.iter().any(|(known, _)| known == *what)));
    let of =
        |all: &[(String, String)], what: &str| all.iter().find(|(known, _)| known == what).map(|(_, how)| how.clone());
    let mut found = Vec::new();
    let [was, is] = [simulated, real].map(|history| came_to(scenario, history));
    if was != is {
        found.push(Difference { what: RUN.to_owned(), simulated: Some(was), real: Some(is) });
    }
    for what in &whats {
        let (simulated, real) = (of(&there, what), of(&here, what));
        if simulated != real {
            found.push(Difference { what: (*what).clone(), simulated, real });
        }
    }
    (whats.len(), found)
}

/// What a run came to, in words.
fn came_to(scenario: &Scenario, history: &History) -> String {
    let judgement = judge(history, &scenario.covers);
    match judgement.outcome() {
        Outcome::Incomplete => format!("not exercised: {}", judgement.not_exercised.join(", ")),
        Outcome::Failed => {
            let unmet = judgement.unmet.iter().map(|unmet| format!("want {}, got {}", unmet.want, unmet.got));
            let violated = judgement.violations().map(|(rule, _)| format!("{} violated", rule.id));
            unmet.chain(violated).collect::<Vec<_>>().join("; ")
        }
        _ => "passed".to_owned(),
    }
}

/// Sorts differences by whether they have a reason. Where the whole run differs for a reason, all else follows from it.
fn sorted(seen: usize, differences: Vec<Difference>, reasons: Vec<Explained>) -> Compared {
    let mut compared = Compared { seen, ..Compared::default() };
    let whole = reasons.iter().find(|reason| reason.what == RUN).cloned();
    if let Some(reason) = whole {
        match differences.into_iter().next() {
            Some(first) => compared.explained.push((first, reason.why)),
            None => compared.disappeared.push(reason),
        }
        return compared;
    }
    let mut used = vec![false; reasons.len()];
    for difference in differences {
        match reasons.iter().position(|reason| reason.explains(&difference)) {
            Some(index) => {
                used[index] = true;
                compared.explained.push((difference, reasons[index].why.clone()));
            }
            None => compared.unexplained.push(difference),
        }
    }
    let gone = reasons.into_iter().zip(used).filter(|(_, used)| !used);
    compared.disappeared.extend(gone.map(|(reason, _)| reason));
    compared
}

#[cfg(test)]
mod tests {
    use super::*;

    fn difference(what: &str) -> Difference {
        Difference { what: what.into(), simulated: Some("1".into()), real: Some("2".into()) }
    }

    fn reason(what: &str) -> Explained {
        Explained { what: what.into(), case: None, on: vec![], why: "so it is".into() }
    }

    #[test]
    fn a_difference_without_a_reason_and_a_reason_without_a_difference_are_wrong() {
        let compared = sorted(3, vec![difference("a"), difference("b")], vec![reason("a")]);
        assert_eq!((compared.unexplained.len(), compared.explained.len(), compared.agrees()), (1, 1, false));
        let gone = sorted(3, vec![], vec![reason("a")]);
        assert_eq!((gone.disappeared.len(), gone.agrees()), (1, false));
        assert!(sorted(3, vec![difference("a")], vec![reason("a")]).agrees());
    }

    #[test]
    fn a_run_that_differs_for_a_reason_has_to_differ() {
        assert!(sorted(1, vec![difference(RUN), difference("a")], vec![reason(RUN)]).agrees());
        assert!(!sorted(1, vec![], vec![reason(RUN)]).agrees());
    }
}
