//! Makes the failures of a suite small and tells each cause once.

use super::Failure;
use super::arguments::Format;
use super::run::print_line;
use crate::explore::save::save;
use crate::explore::shrink::{Budget, Failures, RUNS, Shrunk, shrink};
use crate::reports::failure::{Told, failure, told};
use crate::suite::run_one;
use rayon::prelude::*;
use scenarios::Scenario;
use serde_json::json;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// Makes the first failure of each cause small, saves it and tells it.
pub fn shrink_all(
    found: &Failures,
    scenarios: &[Scenario],
    out: &Path,
    jobs: usize,
    stop: &AtomicBool,
    format: Format,
) -> Result<(), Failure> {
    let all: Vec<_> = found.each().collect();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).build().map_err(Failure::harness)?;
    let small: Vec<Option<Shrunk>> = pool.install(|| {
        let small = all.par_iter().map(|(cause, index, seed, _)| {
            let budget = Budget { runs: RUNS, stop: &|| stop.load(Ordering::Relaxed) };
            shrink(&scenarios[*index], *seed, cause, &|scenario, seed| run_one(scenario, seed), budget)
        });
        small.collect()
    });
    for ((cause, index, seed, runs), shrunk) in all.into_iter().zip(small) {
        let scenario = &scenarios[index];
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
