//! `firedrill replay`: one scenario under one seed again, with what happened.

use super::arguments::ReplayArguments;
use super::{Failure, load, say};
use crate::exit::Exit;
use crate::history::{History, What};
use crate::judge::{Outcome, judge};
use crate::reports::{failure, trace};
use crate::runner;
use crate::suite::RunResult;
use recovery::model::InstanceId;
use recovery::model::photograph::Photograph;
use scenarios::Scenario;
use std::collections::BTreeMap;
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
    let history = runner::run(&scenario, seed, until).map_err(Failure::harness)?;
    if arguments.trace {
        say(&trace::head())?;
        say(&trace::lines(&history, 0..history.events.len()).join("\n"))?;
    }
    if let Some(index) = until {
        say(&format!(
            "\nbefore step {} (line {}): {}",
            index + 1,
            scenario.steps[index].line,
            scenario.steps[index].text
        ))?;
        return say(&world(&history));
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
    };
    say(&failure::failure(&run))?;
    say(&text)?;
    Ok(match outcome {
        Outcome::Passed => Exit::Held,
        Outcome::Incomplete => Exit::Incomplete,
        Outcome::Failed => Exit::Violated,
        Outcome::Broken => Exit::Harness,
    })
}

/// The world at the end of a history: instances, tasks, tables.
fn world(history: &History) -> String {
    let (mut instances, mut tasks, mut shots) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for event in &history.events {
        match &event.what {
            What::InstanceSeen(view) => drop(instances.insert(&view.id, Some(view))),
            What::InstanceGone { id } => drop(instances.insert(id, None)),
            What::TaskSeen(view) => drop(tasks.insert(&view.id, view)),
            What::Photograph(shot) => drop(shots.insert(&shot.instance, &shot.photograph)),
            _ => {}
        }
    }
    let mut text = String::from("instances\n");
    for (id, view) in &instances {
        let name = history.name_of(id);
        let _ = match view {
            Some(view) => writeln!(
                text,
                "  {name:<12} {id}  {}  {:?}  expires {}",
                view.product,
                view.state,
                or_never(view.expires_at)
            ),
            None => writeln!(text, "  {name:<12} {id}  gone"),
        };
    }
    text.push_str("tasks\n");
    for (id, view) in &tasks {
        let (source, target) = (history.name_of(&view.source.instance_id), history.name_of(&view.target.instance_id));
        let _ = writeln!(text, "  {id}  '{}'  {source} -> {target}  {:?}", view.name, view.status);
    }
    text.push_str("tables\n");
    for (id, photograph) in &shots {
        if instances.get(*id).is_some_and(Option::is_some) {
            tables(&mut text, history, id, photograph);
        }
    }
    text
}

fn or_never(time: Option<jiff::Timestamp>) -> String {
    time.map_or_else(|| "never".into(), |time| time.to_string())
}

fn tables(text: &mut String, history: &History, id: &InstanceId, photograph: &Photograph) {
    for (database, content) in &photograph.databases {
        for object in content.objects.values().filter(|object| object.rows.is_some()) {
            let rows = object.rows.as_ref().map_or(0, recovery::model::photograph::Rows::count);
            let _ = writeln!(text, "  {:<12} {database}.{}  {rows} rows", history.name_of(id), object.name);
        }
    }
}
