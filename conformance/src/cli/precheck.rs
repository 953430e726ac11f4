//! `firedrill precheck`: the prechecks of one scenario as tables, all items or one, and how good the precheck is.

use super::arguments::{Format, PrecheckArguments};
use super::{Failure, load, say};
use crate::exit::Exit;
use crate::reports::items::{explain, list, list_json};
use crate::reports::precheck::{about, item_of, json, prechecks, table};
use crate::{quality, runner};
use recovery::model::precheck::PrecheckItem;
use recovery::worker::precheck::LEFT_OUT;

/// Runs the scenario and prints its prechecks.
pub fn precheck(arguments: &PrecheckArguments) -> Result<Exit, Failure> {
    let width = super::width();
    if let Some(code) = &arguments.explain {
        return say(explained(code, width)?.trim_end());
    }
    if arguments.list {
        return say(&match arguments.format {
            Format::Pretty => list(width),
            Format::Json => list_json(),
        });
    }
    if let Some(tasks) = arguments.quality {
        let jobs = arguments.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
        return say(&quality::measure(tasks, jobs.max(1)).map_err(Failure::harness)?.text());
    }
    let Some(scenario) = &arguments.scenario else {
        return Err(Failure::usage("name a scenario, or an item with --explain".to_owned()));
    };
    let scenario = load::scenario(scenario, arguments.case.as_deref())?;
    let history =
        runner::run(&scenario, arguments.seed.or(scenario.seed).unwrap_or(0), None).map_err(Failure::harness)?;
    let all = prechecks(&history);
    if all.is_empty() {
        return Err(Failure { exit: Exit::Incomplete, text: format!("{} ran no precheck", scenario.place()) });
    }
    let texts: Vec<String> = all
        .iter()
        .map(|checked| match arguments.format {
            Format::Pretty => table(checked, width),
            Format::Json => json(checked).to_string(),
        })
        .collect();
    say(&texts.join("\n"))
}

fn explained(code: &str, width: usize) -> Result<String, Failure> {
    if let Some((code, why)) = LEFT_OUT.iter().find(|(known, _)| known.eq_ignore_ascii_case(code)) {
        return Ok(format!("{code} is not looked at. {why}"));
    }
    let known = item_of(code).and_then(about);
    known.map(|about| explain(&about, width)).ok_or_else(|| {
        let codes: Vec<&str> = PrecheckItem::ALL.iter().map(|item| item.code()).collect();
        Failure::usage(format!("'{code}' is no precheck item; there are {}", codes.join(", ")))
    })
}
