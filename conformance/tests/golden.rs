//! Snapshots of what people read: prechecks, the rule matrix, a failure. A snapshot nobody makes any more fails.

#[path = "golden/items.rs"]
mod items;
#[path = "golden/table.rs"]
mod table;
#[path = "golden/worlds.rs"]
mod worlds;

use conformance::catalogue::catalogue;
use conformance::history::{History, What};
use conformance::judge::{Outcome, judge};
use conformance::reports::{failure, json, matrix, precheck};
use conformance::runner;
use conformance::suite::{Listener, RunResult, Tally, run_all, run_one};
use recovery::model::precheck::{PrecheckItem, PrecheckOutcome};
use scenarios::Scenario;
use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;
use table::{GOLDEN, WIDTH, named};

/// Snapshots of this file whose names are not made from scenarios.
const SINGLE: [&str; 2] = ["rule_matrix", "failure_output"];

fn builtin() -> Vec<Scenario> {
    let known = catalogue().ids();
    let parse = |source: &scenarios::Source| Scenario::parse(&source.file, &source.text, &known);
    scenarios::builtin().iter().flat_map(|source| parse(source).unwrap_or_else(|error| panic!("{error:?}"))).collect()
}

fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(GOLDEN);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

fn of_folder(folder: &str) -> Vec<Scenario> {
    builtin().into_iter().filter(|scenario| scenario.file.contains(&format!("{folder}/"))).collect()
}

fn precheck_name(scenario: &Scenario) -> String {
    let case = scenario.case.as_ref().map_or_else(String::new, |case| format!("__{case}"));
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '-' };
    format!("precheck__{}{case}", scenario.name).chars().map(plain).collect()
}

fn history_of(scenario: &Scenario) -> History {
    runner::run(scenario, 0, None).unwrap_or_else(|error| panic!("{}: {error}", scenario.file))
}

#[test]
fn the_precheck_output_of_every_item_in_every_outcome_is_as_it_was() {
    let mut seen: BTreeSet<(PrecheckItem, bool)> = BTreeSet::new();
    for scenario in of_folder("precheck") {
        let history = history_of(&scenario);
        for event in &history.events {
            let What::TaskSeen(task) = &event.what else { continue };
            for result in task.precheck.iter().flat_map(|run| &run.items) {
                // An item whose side could not be reached fails too, but says nothing of its own.
                let own = match &result.outcome {
                    PrecheckOutcome::Success | PrecheckOutcome::Warning(_) => Some(true),
                    PrecheckOutcome::Shielded(_) => None,
                    PrecheckOutcome::Failed(found) if found.causes().starts_with("could not be looked at") => None,
                    PrecheckOutcome::Failed(_) => Some(false),
                };
                seen.extend(own.map(|success| (result.item, success)));
            }
        }
        let tables: Vec<String> = precheck::prechecks(&history).iter().map(|run| precheck::table(run, WIDTH)).collect();
        snapshot(&precheck_name(&scenario), &named(&history, &tables.join("\n")));
    }
    for item in [
        PrecheckItem::SourceConnectivity,
        PrecheckItem::SourcePermission,
        PrecheckItem::TargetConnectivity,
        PrecheckItem::TargetPermission,
        PrecheckItem::SourceVersion,
        PrecheckItem::SchemaExistence,
        PrecheckItem::SameNameObject,
        PrecheckItem::ConstraintIntegrity,
    ] {
        assert!(seen.contains(&(item, true)), "no scenario of scenarios/precheck shows {item:?} succeed");
        assert!(seen.contains(&(item, false)), "no scenario of scenarios/precheck shows {item:?} fail");
    }
}

struct Silent;

impl Listener for Silent {
    fn ended(&self, _: &RunResult<'_>, _: usize) {}
}

fn whole_suite() -> Tally {
    run_all(&builtin(), &[0], 2, &AtomicBool::new(false), &Silent).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_rule_matrix_is_as_it_was() {
    let rules = json::rules(&whole_suite());
    snapshot("rule_matrix", &matrix::matrix(&rules));
}

#[test]
fn a_failure_reads_as_it_did() {
    let text = "title = \"A count that is wrong\"\ncovers = [\"TMP-11\"]\n\n[instances.shop]\n\
        engine = \"sqlserver 2012 web\"\naccount = { name = \"app\", password = \"s3cret-one\" }\n\
        sql = \"create table orders (id int primary key); insert into orders values (1), (2)\"\n\n\
        [[step]]\nexpect = { on = \"shop\", query = \"select count(*) from orders\", rows = [[3]] }\n";
    let scenario = Scenario::parse("out/wrong-count.toml", text, &catalogue().ids());
    let scenarios = scenario.unwrap_or_else(|error| panic!("{error:?}"));
    let run = run_one(&scenarios[0], 0x5eed);
    assert_eq!(run.outcome, Outcome::Failed);
    snapshot("failure_output", &failure::failure(&run));
}

#[test]
fn no_password_of_a_scenario_stands_in_its_history() {
    for scenario in builtin().iter().filter(|scenario| scenario.file.contains("documents/")) {
        let history = history_of(scenario);
        assert_eq!(judge(&history, &scenario.covers).outcome(), Outcome::Passed, "{}", scenario.file);
        let text = serde_json::to_string(&history).unwrap_or_else(|error| panic!("{error}"));
        for account in scenario.instances.iter().flat_map(|instance| &instance.accounts) {
            assert!(!text.contains(account.password.expose()), "{}: a password of {}", scenario.file, account.name);
        }
    }
}

#[test]
fn every_snapshot_in_golden_is_made_by_a_test() {
    let mut made: BTreeSet<String> = SINGLE.iter().map(|name| (*name).to_owned()).collect();
    made.extend(of_folder("precheck").iter().map(precheck_name));
    let sources = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/src");
    let language = all_text(std::path::Path::new(sources));
    let mut orphans = Vec::new();
    for entry in std::fs::read_dir(GOLDEN).unwrap_or_else(|error| panic!("golden: {error}")).flatten() {
        let file = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() {
            // What lies in golden/precheck is looked through by the test that makes it.
            continue;
        }
        let Some(name) = file.strip_suffix(".snap") else {
            orphans.push(file);
            continue;
        };
        let by_language = name
            .strip_prefix("scenario_error__")
            .is_some_and(|fact| language.contains(&format!("\"{fact}\"")) || language.contains(&format!("\"{name}\"")));
        if !made.contains(name) && !by_language {
            orphans.push(file);
        }
    }
    assert!(orphans.is_empty(), "nobody makes these any more: {orphans:?}; delete them");
}

fn all_text(folder: &std::path::Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())).flatten() {
        let path = entry.path();
        if path.is_dir() {
            text.push_str(&all_text(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&std::fs::read_to_string(&path).unwrap_or_default());
        }
    }
    text
}
