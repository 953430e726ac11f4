//! `firedrill explore`: worlds, plans and faults drawn from seeds; failures as they are found, and what was reached.

use super::arguments::{ExploreArguments, Format, Seeds};
use super::run::{jobs, stop_at_ctrl_c};
use super::shrink::{First, shrink_all};
use super::{Failure, determinism, say};
use crate::cause::Cause;
use crate::exit::Exit;
use crate::explore::profiles::{PROFILES, Profile, by_name};
use crate::explore::run::{Explorations, Explored, Found, Watcher, explore as explore_seeds};
use crate::reports::{explored, failure};
use crate::suite::RunResult;
use indicatif::{ProgressBar, ProgressStyle};
use scenarios::Scenario;
use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

/// Explores and reports.
// How long a person waited is the one thing here that is measured in real time.
#[allow(clippy::disallowed_methods, clippy::disallowed_types)]
pub fn explore(arguments: &ExploreArguments) -> Result<Exit, Failure> {
    let profile = profile(&arguments.profile)?;
    let seeds = match (arguments.seed, arguments.seeds) {
        (Some(seed), _) => seed..seed.saturating_add(1),
        (None, Seeds { from, to }) => from..to,
    };
    if arguments.check_determinism {
        return determinism::of_exploration(profile.name, seeds, jobs(arguments.jobs)?, arguments.format);
    }
    if arguments.seed.is_some() && arguments.format == Format::Pretty {
        let drawn = Explored::draw(seeds.start, profile);
        say(&format!("# options {}\n{}", explored::options(&drawn.options), scenarios::write(&drawn.scenario)))?;
    }
    let begun = std::time::Instant::now();
    let interrupted = stop_at_ctrl_c();
    let stop = AtomicBool::new(false);
    let screen = Screen {
        format: arguments.format,
        bar: bar(arguments.format, seeds.end - seeds.start),
        whole: arguments.no_shrink,
        over: || interrupted.load(Ordering::Relaxed) || arguments.time.is_some_and(|time| begun.elapsed() >= time),
        stop: &stop,
    };
    let jobs = jobs(arguments.jobs)?;
    let all = explore_seeds(seeds, profile, jobs, &stop, &screen).map_err(Failure::harness)?;
    if let Some(bar) = &screen.bar {
        bar.finish_and_clear();
    }
    let wall_seconds = begun.elapsed().as_secs_f64();
    if !arguments.no_shrink {
        let drawn = |found: &Found| Explored::draw(found.seed, profile).scenario;
        let scenarios: Vec<Scenario> = all.causes.values().map(drawn).collect();
        let first = |((cause, found), scenario): ((_, &Found), _)| First {
            cause,
            scenario,
            seed: found.seed,
            runs: found.runs,
        };
        let first: Vec<First<'_>> = all.causes.iter().zip(&scenarios).map(first).collect();
        shrink_all(&first, &arguments.out, jobs, &interrupted, arguments.format)?;
    }
    match arguments.format {
        Format::Pretty => say(&explored::pretty(&all, wall_seconds))?,
        Format::Json => {
            say(&explored::reached(&all.reached).to_string())?;
            say(&explored::summary(&all, wall_seconds).to_string())?
        }
    };
    Ok(exit(&all, interrupted.load(Ordering::Relaxed)))
}

/// The profile of that name.
pub fn profile(name: &str) -> Result<&'static Profile, Failure> {
    by_name(name).ok_or_else(|| {
        let known = PROFILES.iter().map(|profile| format!("\n  {:<10} {}", profile.name, profile.stresses));
        Failure::usage(format!("'{name}' is no profile; there are:{}", known.collect::<String>()))
    })
}

fn exit(all: &Explorations, interrupted: bool) -> Exit {
    if all.broken > 0 {
        Exit::Harness
    } else if all.failed > 0 {
        Exit::Violated
    } else if interrupted {
        Exit::Incomplete
    } else {
        Exit::Held
    }
}

fn bar(format: Format, runs: u64) -> Option<ProgressBar> {
    (format == Format::Pretty && io::stderr().is_terminal()).then(|| {
        let bar = ProgressBar::new(runs);
        if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} runs  {wide_msg}") {
            bar.set_style(style);
        }
        bar
    })
}

/// Shows runs as they end, and says when it is enough.
struct Screen<'a, F> {
    format: Format,
    bar: Option<ProgressBar>,
    /// Whether failures are told as they are, because they are not made small.
    whole: bool,
    over: F,
    stop: &'a AtomicBool,
}

impl<F> Screen<'_, F> {
    /// A reader that went away is no reason to stop.
    fn print(&self, text: &str) {
        let print = || {
            let _ = writeln!(io::stdout().lock(), "{}", text.trim_end());
        };
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }
}

impl<F: Fn() -> bool + Sync> Watcher for Screen<'_, F> {
    fn ended(&self, explored: &Explored, run: &RunResult<'_>, new: bool) {
        if (self.over)() {
            self.stop.store(true, Ordering::Relaxed);
        }
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
        if self.format == Format::Json {
            return self.print(&explored::event(explored, run).to_string());
        }
        if new {
            self.print(&format!("options {}", explored::options(&explored.options)));
            if self.whole {
                self.print(&failure::failure(run));
            } else if let Some(cause) = Cause::main(run) {
                self.print(&format!("found {cause}, seed {:#x}", run.seed));
            }
        }
    }
}
