//! What an exploration found and reached, for people and for programs.

use crate::explore::options::Options;
use crate::explore::reached::Reached;
use crate::explore::run::{Explorations, Explored};
use crate::reports::json;
use crate::suite::RunResult;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Pairs that are named one by one in a summary for people.
const PAIRS_SHOWN: usize = 12;

/// The options of a run in one line.
#[must_use]
pub fn options(options: &Options) -> String {
    serde_json::to_string(options).unwrap_or_else(|error| error.to_string())
}

/// A run that ended, as one JSON event.
#[must_use]
pub fn event(explored: &Explored, run: &RunResult<'_>) -> Value {
    let mut event = json::run(run);
    event["event"] = "explored".into();
    event["steps"] = explored.steps.into();
    event["faults"] = explored.faults.into();
    if run.history.is_some() || run.broken.is_some() {
        event["options"] = serde_json::to_value(&explored.options).unwrap_or(Value::Null);
    }
    event
}

/// What was reached, as one JSON event.
#[must_use]
pub fn reached(reached: &Reached) -> Value {
    let pairs = reached.pairs_missed().into_iter().map(|(fault, step)| [fault, step.text()]);
    json!({
        "event": "reached",
        "rules": reached.rules,
        "rules_missed": reached.rules_missed(),
        "faults": reached.faults,
        "faults_missed": reached.faults_missed(),
        "steps": reached.steps,
        "otherwise": reached.otherwise,
        "pairs_seen": reached.pairs.len(),
        "pairs_missed": pairs.collect::<Vec<_>>(),
    })
}

/// The last line of `firedrill explore --format json`.
#[must_use]
pub fn summary(all: &Explorations, wall_seconds: f64) -> Value {
    json!({"summary": {
        "runs": all.runs,
        "failed": all.failed,
        "not_begun": all.not_begun,
        "causes": all.causes.len(),
        "steps": all.steps,
        "faults": all.faults,
        "virtual_seconds": all.virtual_seconds,
        "wall_seconds": wall_seconds,
        "fingerprint": all.fingerprint(),
    }})
}

/// The closing lines of `firedrill explore`.
#[must_use]
pub fn pretty(all: &Explorations, wall_seconds: f64) -> String {
    let mut text = String::new();
    let reached = &all.reached;
    let _ = writeln!(text, "\n{}", counts("rules exercised", &reached.rules));
    let _ = writeln!(text, "{}", counts("faults", &reached.faults));
    let steps = reached.steps.iter().map(|(kind, times)| (kind.text().to_owned(), *times)).collect();
    let _ = writeln!(text, "{}", counts("steps", &steps));
    let _ = writeln!(text, "{} steps came out otherwise than they say", reached.otherwise);
    for (what, missed) in [("rules", reached.rules_missed()), ("faults", reached.faults_missed())] {
        if !missed.is_empty() {
            let _ = writeln!(text, "{what} never seen: {}", missed.join(" "));
        }
    }
    let missed = reached.pairs_missed();
    let shown: Vec<String> =
        missed.iter().take(PAIRS_SHOWN).map(|(fault, step)| format!("{fault}/{}", step.text())).collect();
    let more = if missed.len() > PAIRS_SHOWN { " …" } else { "" };
    let _ = writeln!(
        text,
        "{} pairs of fault and step seen together, {} never: {}{more}",
        reached.pairs.len(),
        missed.len(),
        shown.join(" ")
    );
    for (cause, found) in &all.causes {
        let _ = writeln!(text, "cause   {:>6} runs, first seed {:#x}: {cause}", found.runs, found.seed);
    }
    #[allow(clippy::cast_precision_loss)]
    let each = |sum: u64| sum as f64 / all.runs.max(1) as f64;
    let _ = writeln!(
        text,
        "{} runs: {} failed with {} causes; {:.1} steps and {:.1} faults a run",
        all.runs,
        all.failed,
        all.causes.len(),
        each(all.steps),
        each(all.faults),
    );
    if all.not_begun > 0 {
        let _ = writeln!(text, "{} seeds were not begun", all.not_begun);
    }
    let wall = wall_seconds.max(0.001);
    #[allow(clippy::cast_precision_loss)]
    let a_second = all.runs as f64 / wall;
    let _ = writeln!(
        text,
        "{:.0} virtual seconds in {wall_seconds:.1} s: {:.0} virtual seconds and {a_second:.1} runs a wall second, \
         fingerprint {}",
        all.virtual_seconds,
        all.virtual_seconds / wall,
        all.fingerprint()
    );
    text
}

/// `rules exercised: TMP-01 12, TMP-02 7`.
fn counts(what: &str, all: &BTreeMap<String, u64>) -> String {
    let parts: Vec<String> = all.iter().map(|(name, times)| format!("{name} {times}")).collect();
    format!("{what}: {}", parts.join(", "))
}
