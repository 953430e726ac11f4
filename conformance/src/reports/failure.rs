//! A failed run as a person reads it: rule, want, got, the last events, and the command that repeats it.

use super::trace;
use crate::cause::Cause;
use crate::explore::shrink::Shrunk;
use crate::judge::{Outcome, line_of};
use crate::suite::RunResult;
use std::fmt::Write;
use std::path::Path;

/// Events shown before a failure.
const EVENTS: usize = 12;

/// What there is to tell of a failure that was made small.
pub struct Told<'a> {
    /// The small scenario.
    pub shrunk: &'a Shrunk,
    /// Where it was saved.
    pub file: &'a Path,
    /// How many runs failed by the same cause.
    pub runs: usize,
}

/// Everything there is to say about a run that did not pass; empty for one that did.
#[must_use]
pub fn failure(run: &RunResult<'_>) -> String {
    all(run, |_| true, &format!("  replay  {}\n", replay(run)))
}

/// One cause of a failed run, with the small scenario that shows it.
#[must_use]
pub fn told(run: &RunResult<'_>, told: &Told<'_>) -> String {
    let Told { shrunk, file, runs } = told;
    let file = file.display().to_string().replace('\\', "/");
    let plain = file.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte));
    let named = if plain { file.clone() } else { format!("'{}'", quoted(&file)) };
    let seen = if *runs > 1 { format!("  seen    in {runs} runs\n") } else { String::new() };
    let end = format!(
        "{seen}  shrunk  {} -> {} steps, saved as {file}\n  replay  firedrill replay {named}\n",
        shrunk.from_steps, shrunk.to_steps
    );
    let mut first = true;
    all(run, |cause| *cause == shrunk.cause && std::mem::take(&mut first), &end)
}

/// The causes that are wanted, each with the lines it ends with.
fn all(run: &RunResult<'_>, mut wanted: impl FnMut(&Cause) -> bool, end: &str) -> String {
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
        text.push_str(end);
        return text;
    }
    let Some(judgement) = &run.judgement else { return text };
    let mut shown = std::collections::BTreeSet::new();
    for (rule, evidence) in judgement.violations() {
        let new = shown.insert((rule.id.clone(), evidence.violation.to_string()));
        if !new || !wanted(&Cause::of(rule, evidence)) {
            continue;
        }
        let step =
            run.history.as_ref().and_then(|history| history.events.get(evidence.index)).and_then(|event| event.step);
        let _ = writeln!(text, "FAIL {} {}  {}  {}  seed {:#x}", rule.id, rule.level, rule.text, at(step), run.seed);
        let _ = writeln!(text, "  rule    {}, {}: {}", rule.document, rule.section, rule.violation);
        let _ = writeln!(text, "  want    {}", evidence.violation.want());
        let _ = writeln!(text, "  got     {}", evidence.violation.got());
        text.push_str(&last_events(run, evidence.index));
        text.push_str(end);
    }
    for unmet in judgement.unmet.iter().filter(|unmet| wanted(&Cause::of_unmet(unmet))) {
        let _ = writeln!(text, "FAIL expectation  {}  {}  seed {:#x}", run.scenario.title, at(unmet.step), run.seed);
        let _ = writeln!(text, "  want    {}", unmet.want);
        let _ = writeln!(text, "  got     {}", unmet.got);
        let index =
            run.history.as_ref().map_or(0, |history| history.events.partition_point(|event| event.at <= unmet.at));
        text.push_str(&last_events(run, index));
        text.push_str(end);
    }
    if run.outcome == Outcome::Incomplete {
        let rules = judgement.not_exercised.join(", ");
        let _ = writeln!(
            text,
            "INCOMPLETE  covered but not exercised: {rules}  {}  seed {:#x}",
            run.scenario.place(),
            run.seed
        );
        text.push_str(end);
    }
    text
}

/// The command that repeats a run.
#[must_use]
pub fn replay(run: &RunResult<'_>) -> String {
    if let Some(on) = &run.on {
        let images: String = on.split(' ').map(|image| format!(" --image {image}")).collect();
        return format!("firedrill run --target real{images} {}", run.scenario.file);
    }
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
