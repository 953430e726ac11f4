//! `firedrill precheck`: the prechecks of one scenario, item by item.

use super::arguments::PrecheckArguments;
use super::{Failure, load, say};
use crate::exit::Exit;
use crate::reports::precheck::prechecks;
use crate::runner;

/// Runs the scenario and prints its prechecks.
pub fn precheck(arguments: &PrecheckArguments) -> Result<Exit, Failure> {
    let scenario = load::scenario(&arguments.scenario, arguments.case.as_deref())?;
    let history =
        runner::run(&scenario, arguments.seed.or(scenario.seed).unwrap_or(0), None).map_err(Failure::harness)?;
    let text = prechecks(&history);
    if text.is_empty() {
        return Err(Failure { exit: Exit::Incomplete, text: format!("{} ran no precheck", scenario.place()) });
    }
    say(&text)
}
