//! Every item of a precheck, by engine, in every outcome that its registration allows, as text and as JSON.

use super::history_of;
use super::table::{GOLDEN, combinations, file_name, outcomes, said, scenario};
use super::worlds::{CANNOT_BE, Outcome, of_restore, world};
use conformance::history::History;
use recovery::model::Engine;
use recovery::worker::precheck::every;
use std::collections::BTreeSet;

/// Runs a world.
fn history(text: &str) -> History {
    history_of(&scenario(text).unwrap_or_else(|error| panic!("{error}")))
}

#[test]
fn every_item_reads_as_it_did_on_every_engine_in_every_outcome() {
    let mut missing = Vec::new();
    // All items of an engine pass in one world.
    let mut passed: Vec<((Engine, bool), History)> = Vec::new();
    for combination @ (item, engine, outcome) in combinations() {
        let Some(text) = world(item, engine, outcome) else {
            missing.push(format!(
                "{item} is registered for {engine:?} and may be {}, and no world shows it: say in World::spoil of \
                 conformance/tests/golden/worlds.rs what makes it find something (or in CANNOT_BE why nothing can), run \
                 this test, and `cargo insta review` golden/precheck/{}.snap",
                outcome.word(),
                file_name(combination)
            ));
            continue;
        };
        let text = if outcome == Outcome::Passed {
            let key = (engine, of_restore(item));
            if !passed.iter().any(|(known, _)| *known == key) {
                passed.push((key, history(&text)));
            }
            passed.iter().find(|(known, _)| *known == key).and_then(|(_, history)| said(history, item, outcome))
        } else {
            said(&history(&text), item, outcome)
        };
        match text {
            Some(text) => snapshot(&file_name(combination), &text),
            None => missing.push(format!(
                "{item} is not {} on {engine:?} in its world in conformance/tests/golden/worlds.rs: mend the world, or say \
                 in CANNOT_BE why it cannot be",
                outcome.word()
            )),
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(format!("{GOLDEN}/precheck"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

#[test]
fn every_snapshot_of_an_item_is_one_of_the_table() {
    let made: BTreeSet<String> = combinations().into_iter().map(|it| format!("{}.snap", file_name(it))).collect();
    let entries = std::fs::read_dir(format!("{GOLDEN}/precheck")).unwrap_or_else(|error| panic!("golden: {error}"));
    let there: BTreeSet<String> = entries.flatten().map(|it| it.file_name().to_string_lossy().into_owned()).collect();
    let orphans: Vec<&String> = there.difference(&made).collect();
    let missing: Vec<&String> = made.difference(&there).collect();
    assert!(orphans.is_empty(), "no item has these outcomes any more: {orphans:?}; delete them");
    assert!(missing.is_empty(), "these outcomes have no snapshot: {missing:?}; run `cargo insta review`");
}

#[test]
fn what_cannot_be_is_of_registered_items_and_says_why() {
    for (item, engine, outcome, why) in CANNOT_BE {
        let about = every().find(|about| about.item == *item);
        let fits = about.is_some_and(|about| {
            outcomes(&about).contains(outcome) && engine.is_none_or(|engine| about.engines.contains(&engine))
        });
        assert!(fits && !why.is_empty(), "{item} {engine:?} {outcome:?}");
    }
}
