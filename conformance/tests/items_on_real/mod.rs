//! Every item of a precheck on real servers, in every outcome it can have there: the worlds of the golden tests, one after
//! the other on one pair of servers, through the same service and workers. What comes out is the simulator's snapshot,
//! versions aside.

mod never;
mod play;

use super::table::{Combination, GOLDEN, combinations, file_name, said};
use super::worlds::Outcome;
use conformance::history::{History, What};
use conformance::runner::on_real::{Ran, run_on};
use conformance::runner::target::Servers;
use engines::images::{Choice, Family, Images};
use never::{NEVER, NOT_PLAYED, never};
use play::{Part, Play};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::AtomicBool;

/// What is drawn by chance or is of the time of the run: what stands before it, where it ends, and what is compared in its
/// place.
type Drawn = (&'static str, char, &'static str);
/// Which part of a damaged set was hit, and how that shows; the golden worlds have this.
const DRAWN: Drawn = ("cannot be read: logical/", '"', "bkx-000000000000/rows/1/0: it is cut off or of another kind");
/// When a temporary instance expires.
const EXPIRY: Drawn = ("released by itself at ", ',', "2026-01-07T00:00:00.000Z");

/// A test's name, for a family of servers.
pub fn name(family: Family) -> String {
    format!("every item of a precheck says on {family} what it says in the simulator")
}

/// Runs the worlds of a family's engine and compares what each item says.
pub fn check(family: Family, images: &Images) -> Result<(), String> {
    let wanted: Vec<Combination> =
        combinations().into_iter().filter(|it| it.1 == family.engine() && never(*it, family).is_none()).collect();
    let play = Play::of(&wanted)?;
    let image = images.of(family).into_iter().next().ok_or_else(|| format!("there is no image of {family}"))?;
    let servers = Servers(vec![Choice { family, image }]);
    let history = match run_on(&play.scenario, 0, &servers, &AtomicBool::new(false))? {
        Ran::Done(history) => history,
        Ran::Unavailable(why) => return Err(format!("{servers}: {why}")),
        Ran::Stopped => return Err("it was stopped".into()),
    };
    let wrong: Vec<String> = play.parts.iter().filter_map(|part| differences(part, &history).err()).collect();
    if wrong.is_empty() { Ok(()) } else { Err(format!("on {servers}:\n{}", wrong.join("\n"))) }
}

/// Compares what a part of the run says of its combinations with the snapshots.
fn differences(part: &Part, history: &History) -> Result<(), String> {
    let during = |event: &&conformance::history::Event| event.step.is_some_and(|step| part.steps.contains(&step));
    let events: Vec<_> = history.events.iter().filter(during).cloned().collect();
    let otherwise = events.iter().filter_map(|event| match &event.what {
        What::Otherwise { want, got } => Some(format!("  a step wanted {want}, and got {got}\n")),
        _ => None,
    });
    let otherwise: String = otherwise.collect();
    let mut names = history.names.clone();
    if let Some((own, golden)) = part.renamed
        && let Some(id) = names.remove(own)
    {
        names.insert(golden.to_owned(), id);
    }
    let during = plain(&History { events, names, scenario: history.scenario.clone(), seed: history.seed })?;
    let mut wrong = String::new();
    for combination @ (item, engine, outcome) in part.combinations.iter().copied() {
        let name = file_name(combination);
        let golden = golden(&name)?;
        match said(&during, item, outcome) {
            Some(text) if text.trim() == golden.trim() => {}
            Some(text) => drop(writeln!(wrong, "{name}\n--- simulator\n{golden}\n--- real\n{text}")),
            None => drop(writeln!(
                wrong,
                "{name}: {item} did not come to be {} on {engine}\n{}",
                outcome.word(),
                all(&during, combination)
            )),
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(format!("{wrong}{otherwise}")) }
}

/// What an item came to instead, for those who look for the reason.
fn all(during: &History, (item, ..): Combination) -> String {
    let others = [Outcome::Passed, Outcome::Warned, Outcome::Failed, Outcome::Shielded];
    others.into_iter().find_map(|outcome| said(during, item, outcome)).unwrap_or_default()
}

/// A history with the same in the place of what is drawn as the snapshots are given.
fn plain(history: &History) -> Result<History, String> {
    let text = serde_json::to_string(history).map_err(|error| error.to_string())?;
    serde_json::from_str(&without(&[DRAWN, EXPIRY], text)).map_err(|error| error.to_string())
}

fn without(drawn: &[Drawn], text: String) -> String {
    drawn.iter().fold(text, |text, (before, end, instead)| {
        let mut parts = text.split(*before);
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |plain, part| {
            let rest = part.find(*end).map_or("", |end| &part[end..]);
            format!("{plain}{before}{instead}{rest}")
        })
    })
}

/// The simulator's snapshot, without what is said about it.
fn golden(name: &str) -> Result<String, String> {
    let path = format!("{GOLDEN}/precheck/{name}.snap");
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    let text = text.splitn(3, "---\n").nth(2).ok_or_else(|| format!("{path} is no snapshot"))?;
    Ok(without(&[EXPIRY], text.to_owned()))
}

/// Every combination is run or said never to be, and nothing is said of what is no combination.
pub fn table_is_whole() -> Result<(), String> {
    let mut by_family: BTreeMap<Family, usize> = BTreeMap::new();
    for combination @ (item, engine, _) in combinations() {
        let players: Vec<Family> = Family::ALL.into_iter().filter(|family| family.engine() == engine).collect();
        if players.is_empty() && !NOT_PLAYED.iter().any(|(other, why)| *other == engine && !why.is_empty()) {
            return Err(format!("{item}: nothing plays {engine}, and never.rs does not say why"));
        }
        for family in players {
            *by_family.entry(family).or_default() += usize::from(never(combination, family).is_none());
        }
    }
    for (item, outcome, families, why) in NEVER {
        let is_one = |family: &Family| combinations().contains(&(*item, family.engine(), *outcome));
        if why.is_empty() || !families.iter().any(is_one) {
            return Err(format!(
                "{item} {}: the table has no such combination, or no reason stands there",
                outcome.word()
            ));
        }
    }
    match Family::ALL.into_iter().find(|family| !by_family.contains_key(family)) {
        Some(family) => Err(format!("nothing is run on {family}")),
        None => Ok(()),
    }
}
