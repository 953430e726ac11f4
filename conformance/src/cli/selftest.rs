//! `firedrill selftest`: plants bugs and shows that the checks find them.

use super::arguments::{Format, SelftestArguments};
use super::run::{jobs, print_line, stop_at_ctrl_c};
use super::{Failure, load, say};
use crate::exit::Exit;
use crate::explore::profiles::PROFILES;
use crate::explore::run::Explored;
use crate::planted::selftest::{Alarm, Listener, Proof, Selftest, Trial, selftest as run_selftest};
use crate::planted::{self, Planted};
use crate::reports::selftest as report;
use scenarios::Scenario;

/// Seeds of each scenario at most; what they do not show, exploration may.
const SCENARIO_SEEDS: u64 = 2;

/// What the seed of an exploration runs.
fn explored(seed: u64) -> Scenario {
    Explored::draw(seed, &PROFILES[0]).scenario
}

/// Plants, runs and reports.
// How long a person waited is measured in real time.
#[allow(clippy::disallowed_methods, clippy::disallowed_types)]
pub fn selftest(arguments: &SelftestArguments) -> Result<Exit, Failure> {
    let begun = std::time::Instant::now();
    let word = arguments.filter.as_deref().unwrap_or_default();
    let planted: Vec<&'static Planted> =
        planted::all().filter(|planted| planted.name.contains(word) || planted.check.contains(word)).collect();
    if planted.is_empty() {
        return Err(Failure::usage(format!("there is no planted bug that contains '{word}'")));
    }
    let scenarios = load::scenarios(&[], None)?;
    let test = Selftest {
        planted,
        scenarios: &scenarios,
        seeds: arguments.seeds.min(SCENARIO_SEEDS),
        explored: Some(explored),
        explored_seeds: arguments.seeds,
        shrink: arguments.shrink,
    };
    let screen = Screen(arguments.format);
    let proof = run_selftest(&test, jobs(arguments.jobs)?, &stop_at_ctrl_c(), &screen).map_err(Failure::harness)?;
    let seconds = begun.elapsed().as_secs_f64();
    match arguments.format {
        Format::Pretty => say(&report::summary(&proof, seconds))?,
        Format::Json => say(&report::summary_json(&proof, seconds).to_string())?,
    };
    Ok(exit(&proof))
}

/// How the command ends: a bug that no check of its rules caught counts like a rule that was violated.
fn exit(proof: &Proof) -> Exit {
    if proof.missed().next().is_some() || !proof.alarms.is_empty() {
        Exit::Violated
    } else if proof.stopped {
        Exit::Incomplete
    } else {
        Exit::Held
    }
}

/// Shows trials as they end.
struct Screen(Format);

impl Listener for Screen {
    fn tried(&self, trial: &Trial) {
        print_line(&match self.0 {
            Format::Pretty => report::trial(trial),
            Format::Json => report::trial_json(trial).to_string(),
        });
    }

    fn alarm(&self, alarm: &Alarm) {
        print_line(&match self.0 {
            Format::Pretty => report::alarm(alarm),
            Format::Json => report::alarm_json(alarm).to_string(),
        });
    }
}
