//! The same for programs: one event a line.

use crate::catalogue::{Judged, Rule, catalogue};
use crate::judge::{Outcome, line_of};
use crate::suite::{RuleTally, RunResult, Tally, Verdict};
use serde_json::{Value, json};

/// A run that ended.
#[must_use]
pub fn run(run: &RunResult<'_>) -> Value {
    let violations: Vec<Value> = run
        .judgement
        .iter()
        .flat_map(|judgement| judgement.violations())
        .map(|(rule, evidence)| {
            let step = run
                .history
                .as_ref()
                .and_then(|history| history.events.get(evidence.index))
                .and_then(|event| event.step);
            json!({
                "rule": rule.id, "level": rule.level, "line": line_of(run.scenario, step), "at": evidence.at,
                "want": evidence.violation.want(), "got": evidence.violation.got(), "violation": evidence.violation,
            })
        })
        .collect();
    json!({
        "event": "run",
        "scenario": run.scenario.name,
        "case": run.scenario.case,
        "file": run.scenario.file,
        "seed": run.seed,
        "outcome": run.outcome,
        "violations": violations,
        "unmet": run.judgement.as_ref().map_or(&[][..], |judgement| &judgement.unmet),
        "not_exercised": run.judgement.as_ref().map_or(&[][..], |judgement| &judgement.not_exercised),
        "broken": run.broken,
        "on": run.on,
        "unavailable": run.unavailable,
        "virtual_seconds": run.virtual_seconds,
        "fingerprint": run.fingerprint,
    })
}

/// The last line of `firedrill run --format json`.
#[must_use]
pub fn summary(tally: &Tally, wall_seconds: f64) -> Value {
    let verdicts = tally.verdicts();
    let count = |wanted: Verdict| verdicts.values().filter(|verdict| **verdict == wanted).count();
    let own = tally.invariants();
    let invariants = |wanted: Verdict| own.values().filter(|verdict| **verdict == wanted).count();
    json!({"summary": {
        "scenarios": tally.scenarios.len(),
        "runs": tally.run_count(),
        "passed": tally.count(Outcome::Passed),
        "failed": tally.count(Outcome::Failed) + tally.count(Outcome::Broken),
        "incomplete": tally.count(Outcome::Incomplete),
        "not_begun": tally.not_begun,
        "unavailable": tally.count(Outcome::Unavailable),
        "rules": {
            "held": count(Verdict::Held),
            "violated": count(Verdict::Violated),
            "not_exercised": count(Verdict::NotExercised),
            "not_observable": count(Verdict::NotObservable),
        },
        "invariants": {
            "held": invariants(Verdict::Held),
            "violated": invariants(Verdict::Violated),
            "not_exercised": invariants(Verdict::NotExercised),
        },
        "virtual_seconds": tally.virtual_seconds,
        "wall_seconds": wall_seconds,
        "fingerprint": tally.fingerprint(),
    }})
}

/// One rule as `firedrill rules --format json` prints it, and as `--from` reads it back.
#[must_use]
pub fn rule(rule: &Rule, verdict: Verdict, tally: &RuleTally) -> Value {
    let (check, reason) = match &rule.judged {
        Judged::Check { name, .. } => (Some(name.as_str()), None),
        Judged::NotObservable { reason } => (None, Some(reason.as_str())),
    };
    json!({
        "id": rule.id,
        "group": rule.group,
        "level": rule.level,
        "document": rule.document,
        "section": rule.section,
        "text": rule.text,
        "resolution": rule.resolution,
        "check": check,
        "reason": reason,
        "verdict": verdict,
        "exercised": tally.exercised,
        "scenarios": tally.scenarios,
    })
}

/// Every rule, in the order of the catalogue.
#[must_use]
pub fn rules(tally: &Tally) -> Vec<Value> {
    let verdicts = tally.verdicts();
    let none = RuleTally::default();
    let rules = catalogue().rules().iter();
    rules.map(|it| rule(it, verdicts[it.id.as_str()], tally.rules.get(&it.id).unwrap_or(&none))).collect()
}

/// Every invariant, in the same form.
#[must_use]
pub fn invariants(tally: &Tally) -> Vec<Value> {
    let verdicts = tally.invariants();
    let none = RuleTally::default();
    let all = catalogue().invariants().iter();
    all.map(|it| rule(it, verdicts[it.id.as_str()], tally.rules.get(&it.id).unwrap_or(&none))).collect()
}
