//! `firedrill run`: scenarios over seeds, failures as they come, rules by verdict at the end.

use super::arguments::{Format, RunArguments, Target};
use super::{Failure, load, real, say, shrink};
use crate::exit::Exit;
use crate::explore::shrink::Failures;
use crate::judge::Outcome;
use crate::reports::{failure, json, pretty};
use crate::suite::{Listener, RunResult, Tally, Verdict, run_pairs};
use indicatif::{ProgressBar, ProgressStyle};
use scenarios::Scenario;
use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Runs and reports.
pub fn run(arguments: &RunArguments) -> Result<Exit, Failure> {
    let scenarios = load::scenarios(&arguments.paths, arguments.filter.as_deref())?;
    let (tally, wall_seconds) = match arguments.target {
        Target::Sim if arguments.images.is_empty() => timed(&scenarios, arguments)?,
        Target::Sim => return Err(Failure::usage("--image chooses real servers; give --target real too")),
        Target::Real if arguments.shrink => {
            return Err(Failure::usage("--shrink makes failures of the simulated world small; give --target sim"));
        }
        Target::Real => match real::timed(&scenarios, arguments)? {
            Ok(done) => done,
            Err(why) => return real::unavailable(&why, arguments.format),
        },
    };
    match arguments.format {
        Format::Pretty => say(&pretty::summary(&tally, wall_seconds))?,
        Format::Json => say(&json::summary(&tally, wall_seconds).to_string())?,
    };
    Ok(exit(&tally))
}

/// Threads to run on.
pub fn jobs(asked: Option<usize>) -> Result<usize, Failure> {
    match asked {
        Some(0) => Err(Failure::usage("--jobs 0 would run nothing; give at least 1")),
        Some(jobs) => Ok(jobs),
        None => Ok(std::thread::available_parallelism().map_or(1, Into::into)),
    }
}

/// How a suite ends.
#[must_use]
pub fn exit(tally: &Tally) -> Exit {
    if tally.count(Outcome::Broken) > 0 {
        Exit::Harness
    } else if tally.count(Outcome::Failed) > 0 || tally.verdicts().values().any(|verdict| *verdict == Verdict::Violated)
    {
        Exit::Violated
    } else if tally.count(Outcome::Incomplete) > 0 || tally.not_begun > 0 || nothing_ran(tally) {
        Exit::Incomplete
    } else {
        Exit::Held
    }
}

/// Whether all that was asked for is unavailable.
fn nothing_ran(tally: &Tally) -> bool {
    tally.run_count() > 0 && tally.count(Outcome::Unavailable) == tally.run_count()
}

/// Runs a suite with its progress on the screen; gives the wall seconds too.
// How long a person waited is the one thing here that is measured in real time.
#[allow(clippy::disallowed_methods, clippy::disallowed_types)]
fn timed(scenarios: &[Scenario], arguments: &RunArguments) -> Result<(Tally, f64), Failure> {
    let begun = std::time::Instant::now();
    let (stop, jobs) = (stop_at_ctrl_c(), jobs(arguments.jobs)?);
    let seeds = |(index, scenario)| arguments.seeds_of(scenario).into_iter().map(move |seed| (index, seed));
    let pairs: Vec<(usize, u64)> = scenarios.iter().enumerate().flat_map(seeds).collect();
    let screen = Screen::new(scenarios, arguments, pairs.len() as u64);
    let tally = run_pairs(scenarios, &pairs, jobs, &stop, &screen).map_err(Failure::harness)?;
    screen.finish();
    let found = screen.found.map(|found| found.into_inner().unwrap_or_else(PoisonError::into_inner));
    if let Some(found) = found {
        let first = shrink::First::of(&found, scenarios);
        shrink::shrink_all(&first, &arguments.out, jobs, &stop, arguments.format)?;
    }
    Ok((tally, begun.elapsed().as_secs_f64()))
}

/// A flag that Ctrl-C raises: no further run begins, and what is known is printed.
pub(super) fn stop_at_ctrl_c() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let raised = Arc::clone(&stop);
    // A second handler in one process is refused; the first still works.
    let _ = ctrlc::set_handler(move || raised.store(true, Ordering::Relaxed));
    stop
}

/// Shows runs as they end: a bar on a terminal, plain lines elsewhere, events for programs.
pub(super) struct Screen<'a> {
    scenarios: &'a [Scenario],
    /// What failed, where it is told at the end.
    found: Option<Mutex<Failures>>,
    format: Format,
    bar: Option<ProgressBar>,
    worst: Mutex<BTreeMap<String, (Outcome, u64)>>,
}

impl<'a> Screen<'a> {
    pub(super) fn new(scenarios: &'a [Scenario], arguments: &RunArguments, runs: u64) -> Self {
        let format = arguments.format;
        let bar = (format == Format::Pretty && io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::new(runs);
            if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} runs  {wide_msg}") {
                bar.set_style(style);
            }
            bar
        });
        Self { scenarios, found: arguments.shrink.then(Mutex::default), format, bar, worst: Mutex::default() }
    }

    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn print(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| print_line(text)),
            None => print_line(text),
        }
    }
}

/// A reader that went away is no reason to stop.
pub(super) fn print_line(text: &str) {
    let _ = writeln!(io::stdout().lock(), "{}", text.trim_end());
}

impl Listener for Screen<'_> {
    fn ended(&self, run: &RunResult<'_>, left: usize) {
        let later = self.found.is_some() && matches!(run.outcome, Outcome::Failed | Outcome::Broken);
        if let (Some(found), true) = (&self.found, later) {
            let index = self.scenarios.iter().position(|scenario| std::ptr::eq(scenario, run.scenario));
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            index.into_iter().for_each(|index| found.note(index, run));
        }
        if self.format == Format::Json {
            return print_line(&json::run(run).to_string());
        }
        let (worst, runs) = {
            let mut all = self.worst.lock().unwrap_or_else(PoisonError::into_inner);
            let entry = all.entry(run.scenario.place()).or_insert((Outcome::Passed, 0));
            *entry = (entry.0.max(run.outcome), entry.1 + 1);
            *entry
        };
        let told = failure::failure(run);
        if !told.is_empty() && !later {
            self.print(&told);
        }
        match &self.bar {
            Some(bar) => {
                bar.set_message(run.scenario.shown());
                bar.inc(1);
            }
            None if run.on.is_some() || run.unavailable.is_some() => {
                print_line(&format!("{:<10} {}{}", word(run.outcome), run.scenario.place(), real::place(run)));
            }
            None if left == 0 => print_line(&format!("{:<10} {runs:>4} runs  {}", word(worst), run.scenario.place())),
            None => {}
        }
    }
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "passed",
        Outcome::Unavailable => "unavail.",
        Outcome::Incomplete => "incomplete",
        Outcome::Failed => "FAILED",
        Outcome::Broken => "BROKEN",
    }
}
