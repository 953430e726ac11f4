//! Whether a run is a function of its seed: every run twice, in processes of their own, and the first event that differs.
//!
//! What runs in the processes is somebody else's: a [`Child`] is asked for seeds and answers with lines, one a run
//! ([`Record::line`]) or, asked for one run alone, one an event ([`Record::events`]).

mod log;
mod record;

pub use record::{Record, record};

use rayon::prelude::*;
use record::Line;
use serde::Serialize;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::ops::Range;
use std::process::Command;

/// Runs whose log at trace level is compared too.
pub const LOGGED: u64 = 20;
/// Seeds a process is given at most.
const SEEDS: u64 = 100;
/// How often a run is made again to catch what differs in it.
const AGAIN: usize = 5;

/// What a child is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// A line for each run under these seeds.
    Runs {
        /// Seeds.
        seeds: Range<u64>,
        /// How many of the first runs keep their log.
        logged: u64,
    },
    /// A line for each event of one run.
    Events {
        /// The run, as its line names it.
        run: String,
        /// Seed.
        seed: u64,
        /// Whether its log follows, a line each.
        logged: bool,
    },
}

/// Something that runs in a process of its own and prints lines.
pub trait Child: Sync {
    /// What it prints when asked, in a fresh process.
    ///
    /// # Errors
    /// Why it printed nothing that can be used.
    fn lines(&self, ask: &Ask) -> Result<Vec<String>, String>;
}

/// This very program, with other arguments.
pub struct Myself<F>(
    /// The arguments for what is asked.
    pub F,
);

impl<F: Fn(&Ask) -> Vec<OsString> + Sync> Child for Myself<F> {
    fn lines(&self, ask: &Ask) -> Result<Vec<String>, String> {
        let program = std::env::current_exe().map_err(|error| format!("this program cannot be found: {error}"))?;
        let output = Command::new(program).args(self.0(ask)).output().map_err(|error| error.to_string())?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(format!("a process ended with {}: {}", output.status, said.trim_end()));
        }
        Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
    }
}

/// The first place at which two runs of one seed differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The run.
    pub run: String,
    /// Seed.
    pub seed: u64,
    /// What differs.
    pub at: Place,
    /// It in the one process; none where it had no such line, or where it could not be caught again.
    pub one: Option<String>,
    /// It in the other.
    pub other: Option<String>,
}

/// What differs in two runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// An event of the history, counted from 1.
    Event(usize),
    /// A line of the log, counted from 1.
    Log(usize),
    /// Which runs there were.
    Run,
}

/// What a comparison came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// Runs compared.
    pub runs: u64,
    /// Those among them whose logs were compared.
    pub logged: u64,
    /// The first difference of each run that differs.
    pub differences: Vec<Difference>,
}

/// Runs all seeds twice and compares.
///
/// # Errors
/// When the children or the threads cannot be had.
pub fn compare(child: &dyn Child, seeds: Range<u64>, jobs: usize) -> Result<Comparison, String> {
    let asks = asks(seeds, jobs);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).build().map_err(|error| error.to_string())?;
    let twice: Vec<&Ask> = asks.iter().flat_map(|ask| [ask, ask]).collect();
    let answers: Vec<Result<Vec<String>, String>> =
        pool.install(|| twice.into_par_iter().map(|ask| child.lines(ask)).collect());
    let mut comparison = Comparison::default();
    let mut answers = answers.into_iter();
    while let (Some(one), Some(other)) = (answers.next(), answers.next()) {
        let (one, other) = (read(&one?)?, read(&other?)?);
        for line in &one {
            comparison.runs += 1;
            comparison.logged += u64::from(line.log.is_some());
        }
        comparison.differences.extend(differing(child, &one, &other)?);
    }
    Ok(comparison)
}

/// What the children are asked: the seeds in portions, so that every core has some, each with its part of the logs.
fn asks(seeds: Range<u64>, jobs: usize) -> Vec<Ask> {
    let count = seeds.end.saturating_sub(seeds.start);
    let portion = count.div_ceil(jobs.max(1) as u64).clamp(1, SEEDS);
    let portions = count.div_ceil(portion);
    let mut left = LOGGED;
    let ask = |number| {
        let from = seeds.start + number * portion;
        let logged = left.div_ceil(portions - number);
        left -= logged;
        Ask::Runs { seeds: from..seeds.end.min(from + portion), logged }
    };
    (0..portions).map(ask).collect()
}

fn read(lines: &[String]) -> Result<Vec<Line>, String> {
    let one =
        |line: &String| serde_json::from_str(line).map_err(|error| format!("a process printed '{line}': {error}"));
    lines.iter().map(one).collect()
}

fn differing(child: &dyn Child, one: &[Line], other: &[Line]) -> Result<Vec<Difference>, String> {
    let of = |lines: &[Line]| -> BTreeMap<(String, u64), Line> {
        lines.iter().map(|line| ((line.run.clone(), line.seed), line.clone())).collect()
    };
    let (mut found, rest) = (Vec::new(), of(other));
    for line in one {
        let Some(again) = rest.get(&(line.run.clone(), line.seed)) else {
            let (run, seed) = (line.run.clone(), line.seed);
            found.push(Difference { run, seed, at: Place::Run, one: Some("it ran".into()), other: None });
            continue;
        };
        if let Some(at) = first_difference(line, again) {
            found.push(caught(child, line, at)?);
        }
    }
    let known = of(one);
    for ((run, seed), _) in rest.into_iter().filter(|(key, _)| !known.contains_key(key)) {
        found.push(Difference { run, seed, at: Place::Run, one: None, other: Some("it ran".into()) });
    }
    Ok(found)
}

/// Where two lines of one run differ first: in an event, or else in the log.
fn first_difference(one: &Line, other: &Line) -> Option<Place> {
    let first = |one: &[String], other: &[String]| {
        let same = one.iter().zip(other).take_while(|(one, other)| one == other).count();
        (same < one.len().max(other.len())).then_some(same + 1)
    };
    if let Some(event) = first(&one.events, &other.events) {
        return Some(Place::Event(event));
    }
    if one.broken != other.broken {
        return Some(Place::Run);
    }
    first(one.log.as_deref().unwrap_or(&[]), other.log.as_deref().unwrap_or(&[])).map(Place::Log)
}

/// Runs one run again in two processes until what differs can be shown.
fn caught(child: &dyn Child, line: &Line, at: Place) -> Result<Difference, String> {
    let (run, seed) = (line.run.clone(), line.seed);
    let ask = Ask::Events { run: run.clone(), seed, logged: matches!(at, Place::Log(_)) };
    for _ in 0..AGAIN {
        let (one, other) = (child.lines(&ask)?, child.lines(&ask)?);
        let same = one.iter().zip(&other).take_while(|(one, other)| one == other).count();
        if same < one.len().max(other.len()) {
            let at = match at {
                Place::Log(_) => Place::Log((same + 1).saturating_sub(line.events.len())),
                _ => Place::Event(same + 1),
            };
            return Ok(Difference { run, seed, at, one: one.get(same).cloned(), other: other.get(same).cloned() });
        }
    }
    Ok(Difference { run, seed, at, one: None, other: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// A child whose every second process prints another event at one place.
    struct Doctored {
        at: Option<usize>,
        in_log: bool,
        asked: AtomicUsize,
    }

    impl Doctored {
        fn new(at: Option<usize>, in_log: bool) -> Self {
            Self { at, in_log, asked: AtomicUsize::new(0) }
        }

        fn lines_of(&self, second: bool, log: bool) -> Vec<String> {
            let wrong = |place: usize| second && self.at == Some(place) && log == self.in_log;
            (1..=9).map(|place| format!("{}{place}", if wrong(place) { "other " } else { "event " })).collect()
        }
    }

    impl Child for Doctored {
        fn lines(&self, ask: &Ask) -> Result<Vec<String>, String> {
            let second = self.asked.fetch_add(1, Ordering::Relaxed) % 2 == 1;
            let (events, log) = (self.lines_of(second, false), self.lines_of(second, true));
            Ok(match ask {
                Ask::Runs { seeds, logged } => (0..)
                    .zip(seeds.clone())
                    .map(|(number, seed): (u64, u64)| {
                        let log = (number < *logged).then(|| log.clone());
                        let line = Line { run: "a run".into(), seed, events: events.clone(), log, broken: None };
                        serde_json::to_string(&line).unwrap_or_else(|error| panic!("{error}"))
                    })
                    .collect(),
                Ask::Events { logged, .. } => {
                    if *logged {
                        [events, log].concat()
                    } else {
                        events
                    }
                }
            })
        }
    }

    fn compared(at: Option<usize>, in_log: bool) -> Comparison {
        compare(&Doctored::new(at, in_log), 7..8, 1).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn an_event_that_differs_is_reported_with_both_sides() {
        for at in [1, 4, 9] {
            let (one, other) = (Some(format!("event {at}")), Some(format!("other {at}")));
            let expected = Difference { run: "a run".into(), seed: 7, at: Place::Event(at), one, other };
            assert_eq!(compared(Some(at), false).differences, vec![expected]);
        }
    }

    #[test]
    fn a_line_of_the_log_that_differs_is_reported_where_all_events_agree() {
        let found = compared(Some(3), true).differences;
        assert_eq!(found.iter().map(|found| found.at).collect::<Vec<_>>(), vec![Place::Log(3)]);
        assert_eq!(found[0].other.as_deref(), Some("other 3"));
    }

    #[test]
    fn equal_runs_differ_nowhere_and_are_counted() {
        let same = compare(&Doctored::new(None, false), 0..250, 2).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(same, Comparison { runs: 250, logged: LOGGED, differences: vec![] });
    }

    #[test]
    fn a_run_that_only_one_process_had_is_reported() {
        let line = |run: &str| Line { run: run.into(), seed: 1, events: vec![], log: None, broken: None };
        let found = differing(&Doctored::new(None, false), &[line("a"), line("b")], &[line("b"), line("c")]);
        let runs: Vec<String> = found.unwrap_or_default().into_iter().map(|found| found.run).collect();
        assert_eq!(runs, ["a", "c"]);
    }

    #[test]
    fn a_process_that_prints_something_else_is_an_error() {
        struct Chatty;
        impl Child for Chatty {
            fn lines(&self, _: &Ask) -> Result<Vec<String>, String> {
                Ok(vec!["good morning".into()])
            }
        }
        assert!(compare(&Chatty, 0..1, 1).is_err_and(|error| error.contains("good morning")));
    }

    #[test]
    fn seeds_are_given_out_in_portions_with_a_part_of_the_logs_each() {
        let found = asks(0..3, 2);
        assert_eq!(found, vec![Ask::Runs { seeds: 0..2, logged: 10 }, Ask::Runs { seeds: 2..3, logged: 10 }]);
        assert_eq!(asks(0..1000, 2).len(), 10);
    }
}
