//! `firedrill run --target real`: scenarios on real database servers in containers.

use super::arguments::{Format, RunArguments};
use super::run::{Screen, jobs, stop_at_ctrl_c};
use super::{Failure, say};
use crate::exit::Exit;
use crate::fidelity::explained::not_run;
use crate::runner::target::{Servers, servers_for, unsuitable};
use crate::suite::{RunResult, Tally, run_all_on};
use engines::docker::Docker;
use engines::images::{Choice, Images};
use scenarios::Scenario;
use serde_json::json;

/// A scenario by its index, a seed, and what it runs on or why it cannot.
type Run = (usize, u64, Result<Servers, String>);

/// Runs a suite with its progress on the screen; gives the wall seconds too, or why the whole target is unavailable.
// How long a person waited is measured in real time.
#[allow(clippy::disallowed_methods, clippy::disallowed_types)]
pub fn timed(scenarios: &[Scenario], arguments: &RunArguments) -> Result<Result<(Tally, f64), String>, Failure> {
    let begun = std::time::Instant::now();
    let images = match images(&arguments.images)? {
        Ok(images) => images,
        Err(why) => return Ok(Err(why)),
    };
    let seed = |scenario: &Scenario| arguments.seeds_of(scenario).first().copied().unwrap_or(0);
    let runs: Vec<Run> = scenarios
        .iter()
        .enumerate()
        .flat_map(|(index, scenario)| {
            let servers = match unsuitable(scenario) {
                Some(why) => Err(why),
                None => servers_for(scenario, &images),
            };
            let seed = seed(scenario);
            match servers {
                Ok(servers) => servers.into_iter().map(|servers| (index, seed, runs_on(scenario, servers))).collect(),
                Err(why) => vec![(index, seed, Err(why))],
            }
        })
        .collect();
    let stop = stop_at_ctrl_c();
    let screen = Screen::new(scenarios, arguments, runs.len() as u64);
    let tally = run_all_on(scenarios, &runs, jobs(arguments.jobs)?, &stop, &screen).map_err(Failure::harness)?;
    screen.finish();
    Ok(Ok((tally, begun.elapsed().as_secs_f64())))
}

/// The servers, unless it is said beside the scenario that it cannot come about there.
fn runs_on(scenario: &Scenario, servers: Servers) -> Result<Servers, String> {
    match not_run(scenario, &servers) {
        Ok(None) => Ok(servers),
        Ok(Some(why)) => Err(why),
        Err(wrong) => Err(wrong),
    }
}

/// The images there are to choose from; why there is no target.
pub fn images(named: &[Choice]) -> Result<Result<Images, String>, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let found = runtime.map_err(Failure::harness)?.block_on(async {
        let docker = Docker::connect().await?;
        Images::new(named, &docker).await
    });
    Ok(found.map_err(|error| error.to_string()))
}

/// Says that the whole target is unavailable.
pub fn unavailable(why: &str, format: Format) -> Result<Exit, Failure> {
    match format {
        Format::Pretty => say(&format!("unavailable: the real target: {why}"))?,
        Format::Json => say(&json!({"event": "unavailable", "target": "real", "why": why}).to_string())?,
    };
    Ok(Exit::Incomplete)
}

/// What a run was on, or why it was not.
pub fn place(run: &RunResult<'_>) -> String {
    let on = run.on.as_ref().map_or_else(String::new, |on| format!("  on {on}"));
    let why = run.unavailable.as_ref().map_or_else(String::new, |why| format!("  ({why})"));
    on + &why
}
