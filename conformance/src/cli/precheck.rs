//! `firedrill precheck`: the prechecks of one scenario as tables, or all that is to be said of one item.

use super::arguments::{Format, PrecheckArguments};
use super::{Failure, load, say};
use crate::exit::Exit;
use crate::reports::precheck::{about, explain, item_of, json, prechecks, table};
use crate::runner;
use recovery::model::precheck::PrecheckItem;
use recovery::worker::precheck::LEFT_OUT;

/// Width of tables that go to no terminal.
const WIDTH: usize = 120;

/// Runs the scenario and prints its prechecks.
pub fn precheck(arguments: &PrecheckArguments) -> Result<Exit, Failure> {
    let width = console::Term::stdout().size_checked().map_or(WIDTH, |(_, columns)| usize::from(columns));
    if let Some(code) = &arguments.explain {
        return say(explained(code, width)?.trim_end());
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
