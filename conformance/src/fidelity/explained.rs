//! Differences between the simulated world and real servers that have a reason: it lies beside the scenario, in a file of
//! the same name that ends in `.real`.

use super::Difference;
use crate::runner::target::Servers;
use engines::images::Family;
use scenarios::Scenario;
use serde::Deserialize;

/// What a difference is called that concerns the whole run: what the scenario asks for cannot come about there.
pub const RUN: &str = "run";

/// One difference that has a reason.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Explained {
    /// What differs, as `firedrill fidelity` calls it, or how that begins; `run` for the whole run.
    pub what: String,
    /// The case it concerns; all of them unless given.
    pub case: Option<String>,
    /// The families it concerns; all of them unless given.
    #[serde(default)]
    pub on: Vec<String>,
    /// Why.
    pub why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    difference: Vec<Explained>,
}

impl Explained {
    /// Whether it concerns a case and any of some servers.
    fn concerns(&self, scenario: &Scenario, servers: &Servers) -> bool {
        let families = servers.0.iter().map(|choice| choice.family.word());
        (self.case.is_none() || self.case == scenario.case)
            && (self.on.is_empty() || families.into_iter().any(|word| self.on.iter().any(|on| on == word)))
    }

    /// Whether it explains a difference.
    #[must_use]
    pub fn explains(&self, difference: &Difference) -> bool {
        self.what == difference.what || (self.what != RUN && difference.what.starts_with(&self.what))
    }
}

/// Reads a file of differences.
fn read(name: &str, text: &str) -> Result<Vec<Explained>, String> {
    let file: File = toml::from_str(text).map_err(|error| format!("{name}: {error}"))?;
    for explained in &file.difference {
        let unknown = explained.on.iter().find(|on| !Family::ALL.iter().any(|family| family.word() == *on));
        if let Some(on) = unknown {
            return Err(format!("{name}: '{on}' is no family of servers"));
        }
        if explained.what.trim().is_empty() || explained.why.trim().is_empty() {
            return Err(format!("{name}: a difference says what differs and why"));
        }
    }
    Ok(file.difference)
}

/// The differences of a scenario on some servers that have a reason.
///
/// # Errors
/// When the file beside the scenario cannot be read.
pub fn explained(scenario: &Scenario, servers: &Servers) -> Result<Vec<Explained>, String> {
    let Some(text) = scenarios::beside(&scenario.file) else { return Ok(Vec::new()) };
    let mut all = read(&scenario.file.replace(".toml", ".real"), &text)?;
    all.retain(|explained| explained.concerns(scenario, servers));
    Ok(all)
}

/// Why a scenario is not run on some servers: it is said beside it that it cannot come about there.
///
/// # Errors
/// When the file beside the scenario cannot be read.
pub fn not_run(scenario: &Scenario, servers: &Servers) -> Result<Option<String>, String> {
    Ok(explained(scenario, servers)?.into_iter().find(|explained| explained.what == RUN).map(|explained| explained.why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_without_a_reason_or_of_an_unknown_family_is_refused() {
        let good = "[[difference]]\nwhat = 'step 1: content'\non = ['redis']\nwhy = 'so it is'";
        assert_eq!(read("a.real", good).map(|all| all.len()), Ok(1));
        for (from, to) in [("so it is", ""), ("redis", "oracle"), ("why", "because")] {
            assert!(read("a.real", &good.replace(from, to)).is_err(), "{to}");
        }
    }

    #[test]
    fn a_reason_explains_what_begins_as_it_says_and_no_run() {
        let explained = |what: &str| Explained { what: what.into(), case: None, on: vec![], why: "so".into() };
        let difference = |what: &str| Difference { what: what.into(), simulated: None, real: None };
        assert!(explained("step 2: content").explains(&difference("step 2: content of shop")));
        assert!(!explained("run").explains(&difference("runs of shop")));
        assert!(!explained("step 3").explains(&difference("step 2: content of shop")));
    }
}
