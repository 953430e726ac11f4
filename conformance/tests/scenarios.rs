//! Each scenario file is a test of its own name, so that test runners can filter and shard them; it runs every case of
//! the file and says all that are wrong.

use conformance::catalogue::catalogue;
use conformance::judge::Outcome;
use conformance::reports::failure::failure;
use conformance::suite::run_one;
use scenarios::Scenario;
use std::path::Path;

/// Seeds a test runs: the first few; `firedrill run --seeds` takes as many as you like.
const SEEDS: std::ops::Range<u64> = 0..2;

fn every_rule_it_covers_is_exercised_and_holds(path: &Path, text: String) -> datatest_stable::Result<()> {
    let cases = Scenario::parse(&path.to_string_lossy(), &text, &catalogue().ids())
        .map_err(|error| format!("{:?}", miette::Report::from(*error)))?;
    let runs = cases.iter().flat_map(|case| SEEDS.map(move |seed| run_one(case, seed)));
    let wrong: String = runs.filter(|run| run.outcome != Outcome::Passed).map(|run| failure(&run)).collect();
    if wrong.is_empty() { Ok(()) } else { Err(wrong.into()) }
}

datatest_stable::harness! {
    { test = every_rule_it_covers_is_exercised_and_holds, root = "../scenarios", pattern = r"[a-z-]+/[a-z0-9-]+\.toml$" },
}
