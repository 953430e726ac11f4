//! Makes the failures of a suite small and tells each cause once.

use super::Failure;
use super::arguments::Format;
use super::run::print_line;
use crate::cause::Cause;
use crate::explore::save::save;
use crate::explore::shrink::{Budget, Failures, RUNS, Shrunk, shrink};
use crate::reports::failure::{Told, failure, told};
use crate::suite::run_one;
use rayon::prelude::*;
use scenarios::Scenario;
use serde_json::json;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// A cause with its first failure.
pub struct First<'a> {
    /// The cause.
    pub cause: &'a Cause,
    /// The scenario.
    pub scenario: &'a Scenario,
    /// The seed.
    pub seed: u64,
    /// Runs that failed by the cause.
    pub runs: usize,
}

impl<'a> First<'a> {
    /// Those that were found in runs of some scenarios.
    pub fn of(found: &'a Failures, scenarios: &'a [Scenario]) -> Vec<Self> {
        let first =
            |(cause, index, seed, runs): (_, usize, _, _)| Self { cause, scenario: &scenarios[index], seed, runs };
        found.each().map(first).collect()
    }
}

/// Makes the first failure of each cause small, saves it and tells it.
pub fn shrink_all(
    all: &[First<'_>],
    out: &Path,
    jobs: usize,
    stop: &AtomicBool,
    format: Format,
) -> Result<(), Failure> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).build().map_err(Failure::harness)?;
    let small: Vec<Option<Shrunk>> = pool.install(|| {
        let small = all.par_iter().map(|First { cause, scenario, seed, .. }| {
            let budget = Budget { runs: RUNS, stop: &|| stop.load(Ordering::Relaxed) };
            shrink(scenario, *seed, cause, &|scenario, seed| run_one(scenario, seed), budget)
        });
        small.collect()
    });
    for (First { cause, scenario, seed, runs }, shrunk) in all.iter().zip(small) {
        let (seed, runs) = (*seed, *runs);
        let Some(shrunk) = shrunk else {
            if format == Format::Pretty {
                print_line(&failure(&run_one(scenario, seed)));
            }
            continue;
        };
        let file = save(&shrunk, out).map_err(|error| Failure::harness(format!("{}: {error}", out.display())))?;
        print_line(&match format {
            Format::Pretty => told(&run_one(scenario, seed), &Told { shrunk: &shrunk, file: &file, runs }),
            Format::Json => json!({
                "event": "shrunk",
                "cause": cause,
                "scenario": scenario.name,
                "case": scenario.case,
                "seed": seed,
                "failed_runs": runs,
                "from_steps": shrunk.from_steps,
                "to_steps": shrunk.to_steps,
                "runs": shrunk.runs,
                "file": file,
            })
            .to_string(),
        });
    }
    Ok(())
}
