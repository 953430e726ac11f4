//! Facts about the built-in suites and the checks as a whole.

use conformance::catalogue::catalogue;
use conformance::checks;
use conformance::history::{History, What};
use conformance::{runner, suite};
use scenarios::{Action, Fault, FaultStep, Scenario};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;

fn builtin() -> Vec<Scenario> {
    let known = catalogue().ids();
    let parse = |source: &scenarios::Source| Scenario::parse(&source.file, &source.text, &known);
    scenarios::builtin().iter().flat_map(|source| parse(source).unwrap_or_else(|error| panic!("{error:?}"))).collect()
}

#[test]
fn every_check_is_named_by_a_rule_and_every_rules_check_is_there() {
    let named: BTreeSet<&str> = catalogue().check_names();
    let there: BTreeSet<&str> = checks::all().map(|check| check.name).collect();
    assert_eq!(named, there);
}

#[test]
fn every_rule_of_the_catalogue_holds_or_cannot_be_observed() {
    struct Silent;
    impl suite::Listener for Silent {
        fn ended(&self, _: &suite::RunResult<'_>, _: usize) {}
    }
    let tally = suite::run_all(&builtin(), &[0], 2, &AtomicBool::new(false), &Silent);
    let verdicts = tally.unwrap_or_else(|error| panic!("{error}")).verdicts();
    let mut wrong = BTreeMap::new();
    for rule in catalogue().rules() {
        let verdict = verdicts[rule.id.as_str()];
        if !matches!(verdict, suite::Verdict::Held | suite::Verdict::NotObservable) {
            wrong.insert(&rule.id, verdict);
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn scenario_names_are_unique() {
    let all = builtin();
    let names: BTreeSet<String> = all.iter().map(Scenario::shown).collect();
    assert_eq!(names.len(), all.len());
}

#[test]
fn the_same_seed_gives_the_same_history_and_another_seed_another() {
    let all = builtin();
    let scenario = all.iter().find(|scenario| scenario.file.contains("crashes-at-any-moment"));
    let scenario = scenario.unwrap_or_else(|| panic!("a scenario with a seeded crash is built in"));
    let run = |seed| runner::run(scenario, seed, None).unwrap_or_else(|error| panic!("{error}"));
    let (first, again, other): (History, History, History) = (run(7), run(7), run(8));
    assert_eq!(first.events.len(), again.events.len());
    assert_eq!(first.fingerprint(), again.fingerprint());
    assert_ne!(first.fingerprint(), other.fingerprint());
    assert!(first.events.iter().any(|event| matches!(event.what, What::Fault { .. })));
}

fn faults_of(scenario: &Scenario) -> impl Iterator<Item = &FaultStep> {
    scenario.steps.iter().filter_map(|step| match &step.action {
        Action::Fault(fault) => Some(fault),
        _ => None,
    })
}

#[test]
fn every_kind_of_fault_stands_in_a_scenario() {
    let all = builtin();
    let used: BTreeSet<&str> = all.iter().flat_map(faults_of).map(|step| step.fault.kind()).collect();
    let unused: Vec<&&str> = Fault::ALL_KINDS.iter().filter(|kind| !used.contains(**kind)).collect();
    assert!(unused.is_empty(), "{unused:?}");
}

#[test]
fn every_fault_that_waits_for_something_comes() {
    let all = builtin();
    for scenario in all.iter().filter(|scenario| faults_of(scenario).any(|step| step.when.is_some())) {
        let history = runner::run(scenario, 0, None).unwrap_or_else(|error| panic!("{error}"));
        let missed = history.events.iter().find(|event| matches!(event.what, What::FaultMissed { .. }));
        assert!(missed.is_none(), "{}: {missed:?}", scenario.shown());
    }
}
