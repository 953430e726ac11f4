//! `firedrill replay`: one scenario under one seed again, with what happened.

use super::arguments::ReplayArguments;
use super::{Failure, load, say};
use crate::exit::Exit;
use crate::history::History;
use crate::judge::{Outcome, judge};
use crate::planted;
use crate::reports::{failure, trace, world};
use crate::runner;
use crate::runner::variant::Variant;
use crate::suite::RunResult;
use scenarios::Scenario;
use std::fmt::Write;

/// Runs it again and shows it.
pub fn replay(arguments: &ReplayArguments) -> Result<Exit, Failure> {
    let which = match (&arguments.file, &arguments.scenario) {
        (Some(file), _) => file.to_string_lossy().into_owned(),
        (None, Some(scenario)) => scenario.clone(),
        (None, None) => return Err(Failure::usage("name a scenario: firedrill replay FILE")),
    };
    let scenario = load::scenario(&which, arguments.case.as_deref())?;
    let seed = arguments.seed.or(scenario.seed).unwrap_or(0);
    let steps = scenario.steps.len();
    let until = match arguments.until {
        Some(0) => return Err(Failure::usage("--until 0 is before the first step; steps count from 1")),
        Some(step) if step > steps => {
            return Err(Failure::usage(format!("--until {step}: {} has {steps} steps", scenario.place())));
        }
        other => other.map(|step| step - 1),
    };
    let variant = match &arguments.planted {
        None => Variant::default(),
        Some(name) => {
            let planted = planted::all().find(|planted| planted.name == name.as_str());
            planted.ok_or_else(|| Failure::usage(format!("there is no planted bug '{name}'")))?.variant
        }
    };
    let history = runner::run_variant(&scenario, seed, until, &variant).map_err(Failure::harness)?;
    if arguments.trace {
        say(&trace::lines(&history, 0..history.events.len(), usize::MAX).join("\n"))?;
    }
    if let Some(index) = until {
        say(&format!(
            "\nbefore step {} (line {}): {}",
            index + 1,
            scenario.steps[index].line,
            scenario.steps[index].text
        ))?;
        return say(&world::world(&history));
    }
    verdict(&scenario, seed, history)
}

fn verdict(scenario: &Scenario, seed: u64, history: History) -> Result<Exit, Failure> {
    let judgement = judge(&history, &scenario.covers);
    let outcome = judgement.outcome();
    let exercised: Vec<&str> = judgement
        .findings
        .iter()
        .filter(|found| found.finding.exercised > 0)
        .map(|found| found.rule.id.as_str())
        .collect();
    let mut text = format!("{} rules exercised: {}\n", exercised.len(), exercised.join(" "));
    let _ =
        writeln!(text, "{:?}  {}  seed {seed:#x}  fingerprint {}", outcome, scenario.place(), history.fingerprint());
    let (fingerprint, virtual_seconds) = (history.fingerprint(), history.virtual_seconds());
    let run = RunResult {
        scenario,
        seed,
        outcome,
        judgement: Some(judgement),
        history: Some(history),
        broken: None,
        fingerprint,
        virtual_seconds,
        on: None,
        unavailable: None,
    };
    say(&failure::failure(&run))?;
    say(&text)?;
    Ok(match outcome {
        Outcome::Passed => Exit::Held,
        Outcome::Incomplete | Outcome::Unavailable => Exit::Incomplete,
        Outcome::Failed => Exit::Violated,
        Outcome::Broken => Exit::Harness,
    })
}
