//! What went wrong in a run, so that two failures can be told the same or different.

use crate::catalogue::Rule;
use crate::checks::{Evidence, Violation};
use crate::judge::Unmet;
use crate::suite::RunResult;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// Characters of a shape at most.
const SHAPE_MAX: usize = 200;
/// Letters and digits of an id behind its prefix.
const ID_LETTERS: usize = 12;

/// What went wrong, without what differs from run to run. Rules that share a check have a cause in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "cause", rename_all = "kebab-case")]
pub enum Cause {
    /// A check found this kind of violation.
    Violation {
        /// Name of the check.
        check: String,
        /// Name of the violation.
        variant: String,
    },
    /// An expectation was not met.
    Unmet {
        /// What was wanted and found, in words without ids, numbers and times.
        shape: String,
    },
    /// The harness could not run it.
    Broken {
        /// Why, in words without ids, numbers and times.
        shape: String,
    },
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Violation { check, variant } => write!(f, "{check}: {variant}"),
            Self::Unmet { shape } => write!(f, "not met: {shape}"),
            Self::Broken { shape } => write!(f, "broken: {shape}"),
        }
    }
}

impl Cause {
    /// Every cause of a failed run; none where it passed or was incomplete.
    #[must_use]
    pub fn all(run: &RunResult<'_>) -> BTreeSet<Self> {
        let judgement = run.judgement.iter();
        let violated =
            judgement.clone().flat_map(|it| it.violations()).map(|(rule, evidence)| Self::of(rule, evidence));
        let unmet = judgement.flat_map(|it| &it.unmet).map(Self::of_unmet);
        violated.chain(unmet).chain(run.broken.iter().map(|why| Self::of_broken(why))).collect()
    }

    /// The one to tell first: the violation that shows first, else the first expectation that was not met.
    #[must_use]
    pub fn main(run: &RunResult<'_>) -> Option<Self> {
        if let Some(why) = &run.broken {
            return Some(Self::of_broken(why));
        }
        let judgement = run.judgement.as_ref()?;
        let first = judgement.violations().min_by_key(|(_, evidence)| evidence.index);
        first.map(|(rule, evidence)| Self::of(rule, evidence)).or_else(|| judgement.unmet.first().map(Self::of_unmet))
    }

    /// The cause of a violation.
    #[must_use]
    pub fn of(rule: &Rule, evidence: &Evidence) -> Self {
        let check = rule.check().map_or("", |(name, _)| name).to_owned();
        Self::Violation { check, variant: variant(&evidence.violation) }
    }

    /// The cause of an expectation that was not met.
    #[must_use]
    pub fn of_unmet(unmet: &Unmet) -> Self {
        Self::Unmet { shape: shape(&format!("want {}, got {}", unmet.want, unmet.got)) }
    }

    fn of_broken(why: &str) -> Self {
        Self::Broken { shape: shape(why) }
    }
}

/// The name a violation bears in reports.
fn variant(violation: &Violation) -> String {
    let json = serde_json::to_value(violation).unwrap_or_default();
    json.get("violation").and_then(|name| name.as_str()).unwrap_or_default().to_owned()
}

/// A text without what differs from run to run: words with digits and ids are `#`, and what is said twice in a row
/// is said once.
fn shape(text: &str) -> String {
    let mut words: Vec<&str> = Vec::new();
    for word in text.split(|c: char| !(c.is_alphanumeric() || "-_.':+".contains(c))).filter(|word| !word.is_empty()) {
        let word = if differs(word) { "#" } else { word };
        words.push(word);
        if word == "#" {
            repeated(&mut words);
        }
    }
    words.join(" ").chars().take(SHAPE_MAX).collect()
}

/// Takes away what has just been said a second time: `#`, or `Integer #`.
fn repeated(words: &mut Vec<&str>) {
    for length in [1, 2] {
        let Some(second) = words.len().checked_sub(length) else { return };
        let Some(first) = second.checked_sub(length) else { return };
        if words[first..second] == words[second..] {
            words.truncate(second);
        }
    }
}

fn differs(word: &str) -> bool {
    let id = |part: &str| {
        part.len() == ID_LETTERS && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    word.contains(|c: char| c.is_ascii_digit()) || word.split(['-', '.', ':']).skip(1).any(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_is_without_ids_numbers_and_times() {
        let one = shape("want rm-abcdefghjkmn at 2026-01-05T00:00:00Z with [[Integer(3)], [Integer(4)]], got none");
        let other = shape("want rm-2345kmnabcde at 2026-02-06T01:00:00Z with [[Integer(17)]], got none");
        assert_eq!(one, other);
        assert_eq!(one, "want # at # with Integer # got none");
    }

    #[test]
    fn words_that_say_something_stay() {
        assert_eq!(shape("want 'put-back' Finished, got Failed"), "want 'put-back' Finished got Failed");
        assert_ne!(shape("want a, got b"), shape("want a, got c"));
    }

    #[test]
    fn causes_have_an_order_and_words() {
        let violation = Cause::Violation { check: "lives-48-hours".into(), variant: "lived-longer".into() };
        let unmet = Cause::Unmet { shape: "a".into() };
        assert!(violation < unmet);
        assert_eq!(violation.to_string(), "lives-48-hours: lived-longer");
        let json = serde_json::to_string(&violation).ok();
        assert_eq!(json.and_then(|json| serde_json::from_str(&json).ok()), Some(violation));
    }
}
