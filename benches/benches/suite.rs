//! What a scenario costs: every built-in scenario once, one after the other, and the runs a second that makes.

use conformance::catalogue::catalogue;
use conformance::judge::Outcome;
use conformance::suite::run_one;
use criterion::{Criterion, Throughput};
use scenarios::Scenario;
use std::hint::black_box;
use std::time::Duration;

/// The allocator of `firedrill`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn builtin() -> Vec<Scenario> {
    let known = catalogue().ids();
    let parse = |source: &scenarios::Source| Scenario::parse(&source.file, &source.text, &known).ok();
    scenarios::builtin().iter().filter_map(parse).flatten().collect()
}

/// Takes the measurement; a run that did not pass is not worth measuring.
fn main() {
    let mut criterion = Criterion::default().sample_size(10).configure_from_args();
    let all = builtin();
    let mut group = criterion.benchmark_group("suite");
    group.throughput(Throughput::Elements(all.len() as u64)).measurement_time(Duration::from_secs(30));
    let mut seed = 0;
    group.bench_function("every built-in scenario once, on one core", |bencher| {
        bencher.iter(|| {
            seed += 1;
            for scenario in &all {
                let run = run_one(scenario, seed);
                assert_eq!(run.outcome, Outcome::Passed, "{} under seed {seed}", scenario.file);
                black_box(run.fingerprint);
            }
        });
    });
    group.finish();
    criterion.final_summary();
}
