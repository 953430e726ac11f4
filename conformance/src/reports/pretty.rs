//! The summary of a suite for people: what ran, and the rules by verdict.

use crate::catalogue::{Group, catalogue};
use crate::judge::Outcome;
use crate::suite::{Tally, Verdict};
use std::collections::BTreeMap;
use std::fmt::Write;

/// The closing lines of `firedrill run`.
#[must_use]
pub fn summary(tally: &Tally, wall_seconds: f64) -> String {
    let verdicts = tally.verdicts();
    let mut groups: BTreeMap<Group, BTreeMap<Verdict, usize>> = BTreeMap::new();
    for rule in catalogue().rules() {
        *groups.entry(rule.group).or_default().entry(verdicts[rule.id.as_str()]).or_default() += 1;
    }
    let mut text = String::new();
    let heads = Verdict::ALL.map(|verdict| format!("{:>16}", verdict.word())).concat();
    let _ = writeln!(text, "\nrules {heads}");
    for (group, counts) in &groups {
        let _ = writeln!(text, "{group:<6}{}", row(counts));
    }
    let mut all: BTreeMap<Verdict, usize> = BTreeMap::new();
    for counts in groups.values() {
        for (verdict, count) in counts {
            *all.entry(*verdict).or_default() += count;
        }
    }
    let _ = writeln!(text, "{:<6}{}", "all", row(&all));
    let mut invariants: BTreeMap<Verdict, usize> = BTreeMap::new();
    tally.invariants().into_values().for_each(|verdict| *invariants.entry(verdict).or_default() += 1);
    let _ = writeln!(text, "\n{:<6}{}", Group::Inv, row(&invariants));
    let _ = writeln!(
        text,
        "\n{} scenarios, {} runs: {} passed, {} failed, {} incomplete, {} broken, {} unavailable",
        tally.scenarios.len(),
        tally.run_count(),
        tally.count(Outcome::Passed),
        tally.count(Outcome::Failed),
        tally.count(Outcome::Incomplete),
        tally.count(Outcome::Broken),
        tally.count(Outcome::Unavailable),
    );
    if tally.not_begun > 0 {
        let _ = writeln!(text, "stopped early: {} runs were not begun", tally.not_begun);
    }
    let days = tally.virtual_seconds / 86_400.0;
    let _ = writeln!(text, "{days:.1} virtual days in {wall_seconds:.1} s, fingerprint {}", tally.fingerprint());
    text
}

fn row(counts: &BTreeMap<Verdict, usize>) -> String {
    Verdict::ALL.map(|verdict| format!("{:>16}", counts.get(&verdict).copied().unwrap_or(0))).concat()
}
