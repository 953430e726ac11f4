//! The kill matrix: which planted bug was caught by what, for people and for programs.

use crate::planted::selftest::{Alarm, By, Proof, Trial, rules_of};
use serde_json::{Value, json};
use std::fmt::Write;

/// The run, as it is repeated.
fn by(by: &By) -> String {
    match by {
        By::Scenario { file, case, seed } => {
            let case = case.as_ref().map_or_else(String::new, |case| format!(" [{case}]"));
            format!("{file}{case}  seed {seed:#x}")
        }
        By::Exploration { seed } => format!("exploration  seed {seed:#x}"),
    }
}

/// A planted bug in a line, with more beneath when its check did not bite.
#[must_use]
pub fn trial(trial: &Trial) -> String {
    let planted = trial.planted;
    let mut text = String::new();
    let Trial { runs, seconds, .. } = trial;
    match &trial.caught {
        Some(catch) => {
            let rules: Vec<&str> = catch.rules.iter().map(String::as_str).collect();
            let _ = writeln!(text, "caught  {}  {}", planted.name, rules.join(" "));
            let _ = writeln!(text, "        {}  {runs} runs, {seconds:.1} s", by(&catch.by));
            let _ = writeln!(text, "        {}", catch.violation);
            if let By::Scenario { file, case, seed } = &catch.by {
                let case = case.as_ref().map_or_else(String::new, |case| format!(" --case '{case}'"));
                let name = planted.name;
                let _ = writeln!(
                    text,
                    "        firedrill replay --scenario {file}{case} --seed {seed:#x} --planted {name}"
                );
            }
            if let Some(small) = &catch.shrunk {
                let _ = writeln!(
                    text,
                    "        {} steps shrunk to {} in {} runs",
                    small.from_steps, small.to_steps, small.runs
                );
            }
        }
        None => {
            let rules: Vec<&str> = rules_of(planted.check).into_iter().collect();
            let _ = writeln!(text, "MISSED  {}  {}  {}", planted.name, planted.check, rules.join(" "));
            let _ = writeln!(text, "        {}", planted.says);
            let _ = writeln!(text, "        {runs} runs, {seconds:.1} s");
            for (rule, first) in &trial.others {
                let _ = writeln!(text, "        only another rule was violated: {rule}  {}", by(first));
            }
            for (run, why) in &trial.broken {
                let _ = writeln!(text, "        broken: {}: {why}", by(run));
            }
        }
    }
    text
}

/// An alarm of the system as it stands.
#[must_use]
pub fn alarm(alarm: &Alarm) -> String {
    let mut text = format!("FALSE ALARM  {}\n", by(&alarm.by));
    for raised in &alarm.raised {
        let _ = writeln!(text, "        {raised}");
    }
    text
}

/// The closing lines.
#[must_use]
pub fn summary(proof: &Proof, wall_seconds: f64) -> String {
    let missed: Vec<&str> = proof.missed().map(|trial| trial.planted.name).collect();
    let mut text = format!(
        "\n{} planted bugs, {} caught, {} missed; {} false alarms in {} runs of the system as it stands\n",
        proof.trials.len(),
        proof.trials.len() - missed.len(),
        missed.len(),
        proof.alarms.len(),
        proof.sound_runs
    );
    for name in missed {
        let _ = writeln!(text, "missed: {name}");
    }
    if let Some(median) = proof.median_runs() {
        let _ = writeln!(text, "median runs to catch: {median}; {wall_seconds:.1} s");
    }
    if let Some(median) = proof.median_steps() {
        let _ = writeln!(text, "median steps after shrinking: {median}");
    }
    if proof.stopped {
        text.push_str("stopped early\n");
    }
    text
}

/// A planted bug as an event.
#[must_use]
pub fn trial_json(trial: &Trial) -> Value {
    json!({
        "event": "planted",
        "planted": trial.planted.name,
        "says": trial.planted.says,
        "check": trial.planted.check,
        "rules": rules_of(trial.planted.check),
        "caught": trial.caught,
        "others": trial.others,
        "broken": trial.broken.iter().map(|(run, why)| json!({"run": run, "why": why})).collect::<Vec<_>>(),
        "runs": trial.runs,
        "wall_seconds": trial.seconds,
    })
}

/// An alarm as an event.
#[must_use]
pub fn alarm_json(alarm: &Alarm) -> Value {
    json!({"event": "false_alarm", "run": alarm.by, "raised": alarm.raised})
}

/// The last line of `firedrill selftest --format json`.
#[must_use]
pub fn summary_json(proof: &Proof, wall_seconds: f64) -> Value {
    let missed: Vec<&str> = proof.missed().map(|trial| trial.planted.name).collect();
    json!({"summary": {
        "planted": proof.trials.len(),
        "caught": proof.trials.len() - missed.len(),
        "missed": missed,
        "false_alarms": proof.alarms.len(),
        "median_runs_to_catch": proof.median_runs(),
        "median_steps_after_shrinking": proof.median_steps(),
        "sound_runs": proof.sound_runs,
        "wall_seconds": wall_seconds,
    }})
}
