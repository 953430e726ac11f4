//! The rules as a table, and the matrix of rules by scenarios.

use crate::suite::Verdict;
use serde_json::Value;
use std::fmt::Write;

fn field<'a>(rule: &'a Value, name: &str) -> &'a str {
    rule.get(name).and_then(Value::as_str).unwrap_or("")
}

fn scenarios(rule: &Value) -> Vec<&str> {
    rule.get("scenarios")
        .and_then(Value::as_array)
        .map(|list| list.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default()
}

/// A line a rule, and the counts; `rules` are the objects `firedrill rules --format json` prints.
#[must_use]
pub fn table(rules: &[Value]) -> String {
    let mut text = lines(rules);
    let _ = writeln!(text, "\n{}", counts(rules, "rules"));
    text
}

/// The invariants, a line each, and their counts.
#[must_use]
pub fn invariants(invariants: &[Value]) -> String {
    format!("\ninvariants, Firedrill's own\n{}\n{}\n", lines(invariants), counts(invariants, "invariants"))
}

fn lines(rules: &[Value]) -> String {
    let mut text = String::new();
    for rule in rules {
        let verdict = field(rule, "verdict").replace('_', " ");
        let times = rule.get("exercised").and_then(Value::as_u64).unwrap_or(0);
        let times = if times > 0 { format!("{times}x") } else { String::new() };
        let _ = writeln!(
            text,
            "{:<7} {:<6} {verdict:<14} {times:>7}  {}",
            field(rule, "id"),
            field(rule, "level"),
            field(rule, "text")
        );
        if times.is_empty() && !field(rule, "reason").is_empty() {
            let _ = writeln!(text, "{:38}because {}", "", field(rule, "reason"));
        }
    }
    text
}

fn counts(rules: &[Value], what: &str) -> String {
    let count = |verdict: Verdict| {
        let word = verdict.word().replace(' ', "_");
        rules.iter().filter(|rule| field(rule, "verdict") == word).count()
    };
    let counts = Verdict::ALL.map(|verdict| format!("{} {}", count(verdict), verdict.word()));
    format!("{} {what}: {}", rules.len(), counts.join(", "))
}

/// Rules by scenarios: for each exercised rule the scenarios that put it to the test, and for each scenario its rules.
#[must_use]
pub fn matrix(rules: &[Value]) -> String {
    let mut names: Vec<&str> = rules.iter().flat_map(scenarios).collect();
    names.sort_unstable();
    names.dedup();
    let mut text = String::new();
    for (number, name) in names.iter().enumerate() {
        let _ = writeln!(text, "{:>4}  {name}", number + 1);
    }
    text.push('\n');
    for rule in rules {
        let by = scenarios(rule);
        let cells: String = names.iter().map(|name| if by.contains(name) { 'x' } else { '.' }).collect();
        let _ = writeln!(text, "{:<7} {cells}  {}", field(rule, "id"), field(rule, "verdict").replace('_', " "));
    }
    text
}
