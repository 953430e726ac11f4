//! A failed run as a person reads it: rule, want, got, the last events, and the command that repeats it.

use super::trace;
use crate::judge::{Outcome, line_of};
use crate::suite::RunResult;
use std::fmt::Write;

/// Events shown before a failure.
const EVENTS: usize = 12;

/// Everything there is to say about a run that did not pass; empty for one that did.
#[must_use]
pub fn failure(run: &RunResult<'_>) -> String {
    let mut text = String::new();
    let case = run.scenario.case.as_ref().map_or_else(String::new, |case| format!(" [{case}]"));
    let at = |step| format!("{}:{}{case}", run.scenario.file, line_of(run.scenario, step));
    if let Some(broken) = &run.broken {
        let _ = writeln!(
            text,
            "BROKEN  the harness could not run it  {}  seed {:#x}\n  why     {broken}",
            run.scenario.place(),
            run.seed
        );
        let _ = writeln!(text, "  replay  {}", replay(run));
        return text;
    }
    let Some(judgement) = &run.judgement else { return text };
    let mut shown = std::collections::BTreeSet::new();
    for (rule, evidence) in judgement.violations() {
        if !shown.insert((rule.id.clone(), evidence.violation.to_string())) {
            continue;
        }
        let step =
            run.history.as_ref().and_then(|history| history.events.get(evidence.index)).and_then(|event| event.step);
        let _ = writeln!(text, "FAIL {} {}  {}  {}  seed {:#x}", rule.id, rule.level, rule.text, at(step), run.seed);
        let _ = writeln!(text, "  rule    {}, {}: {}", rule.document, rule.section, rule.violation);
        let _ = writeln!(text, "  want    {}", evidence.violation.want());
        let _ = writeln!(text, "  got     {}", evidence.violation.got());
        text.push_str(&last_events(run, evidence.index));
        let _ = writeln!(text, "  replay  {}", replay(run));
    }
    for unmet in &judgement.unmet {
        let _ = writeln!(text, "FAIL expectation  {}  {}  seed {:#x}", run.scenario.title, at(unmet.step), run.seed);
        let _ = writeln!(text, "  want    {}", unmet.want);
        let _ = writeln!(text, "  got     {}", unmet.got);
        let index =
            run.history.as_ref().map_or(0, |history| history.events.partition_point(|event| event.at <= unmet.at));
        text.push_str(&last_events(run, index));
        let _ = writeln!(text, "  replay  {}", replay(run));
    }
    if run.outcome == Outcome::Incomplete {
        let rules = judgement.not_exercised.join(", ");
        let _ = writeln!(
            text,
            "INCOMPLETE  covered but not exercised: {rules}  {}  seed {:#x}",
            run.scenario.place(),
            run.seed
        );
        let _ = writeln!(text, "  replay  {}", replay(run));
    }
    text
}

/// The command that repeats a run.
#[must_use]
pub fn replay(run: &RunResult<'_>) -> String {
    let case = run.scenario.case.as_ref().map_or_else(String::new, |case| format!(" --case '{}'", quoted(case)));
    format!("firedrill replay --scenario {}{case} --seed {:#x}", run.scenario.file, run.seed)
}

/// A text between the quotation marks of a shell.
fn quoted(text: &str) -> String {
    text.replace('\'', r"'\''")
}

fn last_events(run: &RunResult<'_>, index: usize) -> String {
    let Some(history) = &run.history else { return String::new() };
    let end = history.events.len().min(index + 1);
    let mut text = String::new();
    for (number, line) in trace::lines(history, 0..end, EVENTS).iter().enumerate() {
        let head = if number == 0 { "  trace   " } else { "          " };
        let _ = writeln!(text, "{head}{line}");
    }
    text
}
