//! What the simulated world costs: idle virtual time, and an exchange beside the same exchange on bare turmoil.

mod exchange;
mod idle;

use criterion::Criterion;

/// Takes both measurements and prints the ratio that a slower or faster machine does not change.
fn main() {
    let mut criterion = Criterion::default().sample_size(10).configure_from_args();
    idle::measure(&mut criterion);
    exchange::measure(&mut criterion);
    exchange::print_ratio();
    criterion.final_summary();
}
