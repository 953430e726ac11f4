//! `firedrill rules`: where every rule stands, and the items of the precheck.

use super::arguments::{Format, RulesArguments};
use super::{Failure, load, run, say};
use crate::exit::Exit;
use crate::reports::{items, json, matrix};
use crate::suite::{Listener, RunResult, run_all};
use serde_json::Value;
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// Prints the rules, the matrix or the objects.
pub fn rules(arguments: &RulesArguments) -> Result<Exit, Failure> {
    let (rules, invariants, exit) = match &arguments.from {
        Some(path) => (read(path)?, vec![], Exit::Held),
        None => fresh()?,
    };
    match (arguments.format, arguments.matrix) {
        (Format::Pretty, true) => say(&matrix::matrix(&rules))?,
        (Format::Pretty, false) if invariants.is_empty() => say(&matrix::table(&rules))?,
        (Format::Pretty, false) => {
            let items = items::list(super::width());
            say(&format!("{}{}\nprecheck items\n{items}", matrix::table(&rules), matrix::invariants(&invariants)))?
        }
        (Format::Json, _) => say(&rules.iter().map(Value::to_string).collect::<Vec<_>>().join("\n"))?,
    };
    Ok(exit)
}

/// Runs the built-in suites once, without a word, for the rules' sake.
fn fresh() -> Result<(Vec<Value>, Vec<Value>, Exit), Failure> {
    struct Silent;
    impl Listener for Silent {
        fn ended(&self, _: &RunResult<'_>, _: usize) {}
    }
    let scenarios = load::scenarios(&[], None)?;
    let tally =
        run_all(&scenarios, &[0], run::jobs(None)?, &AtomicBool::new(false), &Silent).map_err(Failure::harness)?;
    Ok((json::rules(&tally), json::invariants(&tally), run::exit(&tally)))
}

/// Reads what `firedrill rules --format json` printed.
fn read(path: &Path) -> Result<Vec<Value>, Failure> {
    let fail = |why: String| {
        Failure::usage(format!("{}: {why}; give a file that `firedrill rules --format json` printed", path.display()))
    };
    let text = std::fs::read_to_string(path).map_err(|error| fail(error.to_string()))?;
    let mut rules = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let value: Value = serde_json::from_str(line).map_err(|error| fail(format!("line {}: {error}", number + 1)))?;
        if value.get("id").and_then(Value::as_str).is_none() || value.get("verdict").and_then(Value::as_str).is_none() {
            return Err(fail(format!("line {} is not a rule", number + 1)));
        }
        rules.push(value);
    }
    if rules.is_empty() { Err(fail("it holds no rule".into())) } else { Ok(rules) }
}
