//! The table of the snapshots in `golden/precheck`: every item, on every engine it is for, in every outcome it may have; and
//! how a history's precheck is put into the text of one.

use super::worlds::{CANNOT_BE, Outcome};
use conformance::catalogue::catalogue;
use conformance::history::{History, What};
use conformance::reports::precheck::{Checked, json, prechecks, table};
use recovery::model::Engine;
use recovery::model::precheck::{PrecheckItem, PrecheckOutcome, PrecheckRun};
use recovery::worker::precheck::every;
use recovery::worker::precheck::item::{About, Weight};
use scenarios::Scenario;

pub const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../golden");

/// Width of the terminal the tables of prechecks are made for.
pub const WIDTH: usize = 120;

/// An item, the engine it is looked at on, and what it comes to.
pub type Combination = (PrecheckItem, Engine, Outcome);

/// The outcomes an item may have.
pub fn outcomes(about: &About) -> Vec<Outcome> {
    match (about.weight == Weight::Firm, about.shieldable) {
        (false, _) => vec![Outcome::Passed, Outcome::Warned],
        (true, false) => vec![Outcome::Passed, Outcome::Failed],
        (true, true) => vec![Outcome::Passed, Outcome::Failed, Outcome::Shielded],
    }
}

/// The table of combinations: every item with every engine it is for and every outcome it may have.
pub fn combinations() -> Vec<Combination> {
    let of = |about: About| {
        let one = move |engine: Engine| outcomes(&about).into_iter().map(move |outcome| (about.item, engine, outcome));
        about.engines.iter().copied().flat_map(one).collect::<Vec<_>>()
    };
    let cannot_be = |(item, engine, outcome): &Combination| {
        CANNOT_BE
            .iter()
            .any(|(other, on, what, _)| other == item && on.is_none_or(|on| on == *engine) && what == outcome)
    };
    every().flat_map(of).filter(|combination| !cannot_be(combination)).collect()
}

/// The name of its snapshot.
pub fn file_name((item, engine, outcome): Combination) -> String {
    format!("{}__{}__{}", item.code(), engine.word(), outcome.word())
}

fn outcome_of(outcome: &PrecheckOutcome) -> Outcome {
    match outcome {
        PrecheckOutcome::Success => Outcome::Passed,
        PrecheckOutcome::Warning(_) => Outcome::Warned,
        PrecheckOutcome::Failed(_) => Outcome::Failed,
        PrecheckOutcome::Shielded(_) => Outcome::Shielded,
    }
}

/// What the newest precheck of a history says of an item, as text and as JSON.
pub fn said(history: &History, item: PrecheckItem, wanted: Outcome) -> Option<String> {
    let checks = prechecks(history);
    let checked = checks.iter().max_by_key(|checked| checked.run.ended_at)?;
    let result = checked.run.items.iter().find(|result| result.item == item)?;
    if outcome_of(&result.outcome) != wanted {
        return None;
    }
    let run = PrecheckRun { items: vec![result.clone()], ..checked.run.clone() };
    let one = Checked { run: &run, stale: checked.stale, ..*checked };
    let table = table(&one, WIDTH);
    // Without the line on the run: it counts items of the run that is cut down to one here.
    let rows: String = table.lines().skip(1).map(|line| format!("{line}\n")).collect();
    let json = serde_json::to_string_pretty(&json(&one)["items"][0]).ok()?;
    Some(set_named(&named(history, &format!("{rows}\n{json}\n"))))
}

/// The text with the name of the one set of these worlds in the place of its id, which is random.
fn set_named(text: &str) -> String {
    let mut parts = text.split("bkx-");
    let mut named = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        named.push_str("nightly");
        named.push_str(part.trim_start_matches(|letter: char| letter.is_ascii_alphanumeric()));
    }
    named
}

/// A world as a scenario.
pub fn scenario(text: &str) -> Result<Scenario, String> {
    let parsed = Scenario::parse("golden/precheck.toml", text, &catalogue().ids());
    let mut scenarios = parsed.map_err(|error| format!("{text}\n{error:?}"))?;
    Ok(scenarios.remove(0))
}

/// The text with the scenario's names in the places of ids, which are random, and numbers in those of tasks.
pub fn named(history: &History, text: &str) -> String {
    let mut text = text.to_owned();
    let mut tasks: Vec<&str> = Vec::new();
    for event in &history.events {
        if let What::TaskSeen(task) = &event.what
            && !tasks.contains(&task.id.as_str())
        {
            tasks.push(task.id.as_str());
            text = text.replace(task.id.as_str(), &format!("dts-{}", tasks.len()));
        }
    }
    let mut names: Vec<_> = history.names.iter().collect();
    names.sort_by_key(|(_, id)| std::cmp::Reverse(id.as_str().len()));
    for (name, id) in names {
        text = text.replace(id.as_str(), name);
        let short: String = id.as_str().chars().take(19).collect();
        text = text.replace(&format!("migration of {short}"), &format!("migration of {name}"));
    }
    text
}
