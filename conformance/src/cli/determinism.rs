//! `--check-determinism`: every run twice in processes of their own, and what differs first.

use super::arguments::{Format, HistoriesArguments, RunArguments, Seeds};
use super::explore::profile as profile_of;
use super::{Failure, load, run, say};
use crate::determinism::{Ask, Child, Comparison, Difference, Myself, Place, compare, record};
use crate::exit::Exit;
use crate::explore::run::Explored;
use crate::history::Event;
use crate::runner;
use scenarios::Scenario;
use std::ffi::OsString;
use std::fmt::Write;
use std::ops::Range;

/// `firedrill run --check-determinism`.
pub fn of_scenarios(arguments: &RunArguments) -> Result<Exit, Failure> {
    // A bad file is told once, and not by every child.
    load::scenarios(&arguments.paths, arguments.filter.as_deref())?;
    let Seeds { from, to } = arguments.seeds.unwrap_or(Seeds::OF_A_RUN);
    let seeds = arguments.seed.map_or(from..to, |seed| seed..seed.saturating_add(1));
    let child = Myself(|ask: &Ask| {
        let mut words: Vec<OsString> = vec!["histories".into()];
        words.extend(arguments.paths.iter().map(|path| path.clone().into_os_string()));
        if let Some(filter) = &arguments.filter {
            words.extend(["--filter".into(), filter.into()]);
        }
        words.extend(of_ask(ask));
        words
    });
    check(&child, seeds, run::jobs(arguments.jobs)?, arguments.format)
}

/// What is asked, as arguments that `histories` understands; for any command that answers like it.
pub fn of_ask(ask: &Ask) -> Vec<OsString> {
    match ask {
        Ask::Runs { seeds, logged } => {
            let span = format!("{}..{}", seeds.start, seeds.end);
            vec!["--seeds".into(), span.into(), "--logged".into(), logged.to_string().into()]
        }
        Ask::Events { run, seed, logged } => {
            let span = format!("{seed}..{}", seed.saturating_add(1));
            let logged = u8::from(*logged).to_string();
            vec!["--seeds".into(), span.into(), "--run".into(), run.into(), "--logged".into(), logged.into()]
        }
    }
}

/// Compares, and says what came of it.
pub fn check(child: &dyn Child, seeds: Range<u64>, jobs: usize, format: Format) -> Result<Exit, Failure> {
    let comparison = compare(child, seeds, jobs).map_err(Failure::harness)?;
    match format {
        Format::Json => say(&serde_json::json!({ "determinism": comparison }).to_string())?,
        Format::Pretty => say(&told(&comparison))?,
    };
    Ok(if comparison.differences.is_empty() { Exit::Held } else { Exit::Harness })
}

fn told(comparison: &Comparison) -> String {
    let mut text = String::new();
    for difference in &comparison.differences {
        text.push_str(&told_of(difference));
    }
    let Comparison { runs, logged, differences } = comparison;
    let verdict = if differences.is_empty() { "no run differs" } else { "NOT DETERMINISTIC" };
    let _ = writeln!(
        text,
        "{verdict}: {runs} runs twice in fresh processes, {logged} with their logs at trace level, {} differ",
        differences.len()
    );
    text
}

fn told_of(difference: &Difference) -> String {
    let Difference { run, seed, at, one, other } = difference;
    let place = match at {
        Place::Event(number) => format!("event {number}"),
        Place::Log(number) => format!("line {number} of the log"),
        Place::Run => "the run as a whole".to_owned(),
    };
    let mut text = format!("DIFFERS  {run}  seed {seed:#x}  at {place}\n");
    if one.is_none() && other.is_none() {
        text.push_str("  it did not differ when it was run again\n");
        return text;
    }
    for (side, line) in [("one", one), ("other", other)] {
        let shown = line.as_ref().map_or_else(|| "nothing".to_owned(), |line| when(line) + line);
        let _ = writeln!(text, "  {side:<6} {shown}");
    }
    text
}

/// Step and time of a line that is an event.
fn when(line: &str) -> String {
    let Ok(event) = serde_json::from_str::<Event>(line) else { return String::new() };
    let step = event.step.map_or_else(|| "outside the steps".to_owned(), |step| format!("step {}", step + 1));
    format!("{step}, {}: ", event.at)
}

/// `firedrill explore --check-determinism`.
pub fn of_exploration(profile: &str, seeds: Range<u64>, jobs: usize, format: Format) -> Result<Exit, Failure> {
    let child = Myself(|ask: &Ask| {
        let mut words: Vec<OsString> = vec!["histories".into(), "--explore".into(), profile.into()];
        words.extend(of_ask(ask));
        words
    });
    check(&child, seeds, jobs, format)
}

/// `firedrill histories`: a line a run, or a line an event of one.
pub fn histories(arguments: &HistoriesArguments) -> Result<Exit, Failure> {
    let seeds = arguments.seeds.from..arguments.seeds.to;
    let mut left = arguments.logged;
    let mut tell = |scenario: &Scenario, seed| {
        let name = scenario.place();
        if arguments.run.as_ref().is_some_and(|run| *run != name) {
            return Ok(Exit::Held);
        }
        let made = record(&name, seed, left > 0, || runner::run(scenario, seed, None));
        left = left.saturating_sub(1);
        say(&if arguments.run.is_some() { made.events().join("\n") } else { made.line() })
    };
    if let Some(profile) = &arguments.explore {
        let profile = profile_of(profile)?;
        for seed in seeds {
            tell(&Explored::draw(seed, profile).scenario, seed)?;
        }
        return Ok(Exit::Held);
    }
    let scenarios = load::scenarios(&arguments.paths, arguments.filter.as_deref())?;
    for seed in seeds {
        for scenario in &scenarios {
            tell(scenario, seed)?;
        }
    }
    Ok(Exit::Held)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_told_with_both_sides_its_step_and_its_time() {
        let one = r#"{"at":"2026-01-05T00:00:01Z","step":3,"what":{"event":"healed"}}"#;
        let difference =
            Difference { run: "a.toml".into(), seed: 5, at: Place::Event(17), one: Some(one.into()), other: None };
        let text = told_of(&difference);
        for part in ["a.toml  seed 0x5  at event 17", "one    step 4, 2026-01-05T00:00:01Z: {", "other  nothing"] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
