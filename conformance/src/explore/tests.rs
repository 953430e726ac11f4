//! What is drawn: the same from the same seed, of every kind, and a scenario that a file can say.

use super::kinds::StepKind;
use super::options::Options;
use super::plan::plan;
use super::profiles::{PROFILES, Profile};
use super::reached::size;
use super::run::Explored;
use crate::catalogue::catalogue;
use crate::runner::variant::Variant;
use scenarios::{Action, Fault, Scenario};
use std::collections::BTreeSet;

fn default() -> &'static Profile {
    &PROFILES[0]
}

fn drawn(seed: u64) -> Scenario {
    plan(&Options::draw(seed, default()))
}

#[test]
fn the_same_seed_gives_the_same_plan() {
    for seed in 0..40 {
        assert_eq!(Options::draw(seed, default()), Options::draw(seed, default()));
        assert_eq!(drawn(seed), drawn(seed));
    }
    assert_ne!(drawn(1).steps, drawn(2).steps);
}

#[test]
fn the_plan_follows_from_the_printed_options() {
    for seed in 0..40 {
        let options = Options::draw(seed, default());
        let printed = serde_json::to_string(&options).unwrap();
        let read: Options = serde_json::from_str(&printed).unwrap();
        assert_eq!(plan(&read), plan(&options));
    }
}

#[test]
fn the_same_seed_gives_the_same_history() {
    for seed in [3, 8] {
        let run = || Explored::draw(seed, default()).run(&Variant::default()).0.fingerprint;
        assert_eq!(run(), run());
    }
}

#[test]
fn plans_are_of_40_steps_and_5_faults_at_least_on_average() {
    let (mut steps, mut faults) = (0, 0);
    for seed in 0..400 {
        let (more_steps, more_faults) = size(&drawn(seed));
        steps += more_steps;
        faults += more_faults;
    }
    assert!(steps >= 40 * 400, "{steps} steps in 400 plans");
    assert!(faults >= 5 * 400, "{faults} faults in 400 plans");
}

#[test]
fn every_kind_of_step_and_fault_is_drawn_somewhere() {
    let (mut steps, mut faults) = (BTreeSet::new(), BTreeSet::new());
    for scenario in (0..500).map(drawn) {
        for step in &scenario.steps {
            match &step.action {
                Action::Fault(fault) => drop(faults.insert(fault.fault.kind())),
                other => steps.extend(StepKind::of(other)),
            }
        }
    }
    assert_eq!(steps, StepKind::ALL.iter().copied().collect());
    assert_eq!(faults, Fault::ALL_KINDS.iter().copied().collect());
}

#[test]
fn every_plan_of_every_profile_is_written_as_a_file_that_reads_back_equal() {
    let known = catalogue().ids();
    let default_and_others = (0..200).map(|seed| (seed, default()));
    let others = PROFILES.iter().skip(1).flat_map(|profile| (0..25).map(move |seed| (seed, profile)));
    for (seed, profile) in default_and_others.chain(others) {
        let scenario = plan(&Options::draw(seed, profile));
        let text = scenarios::write(&scenario);
        let read = Scenario::parse(&scenario.file, &text, &known);
        let read = read.unwrap_or_else(|error| panic!("seed {seed}, {}: {}", profile.name, error.render())).remove(0);
        let actions = |scenario: &Scenario| scenario.steps.iter().map(|it| it.action.clone()).collect::<Vec<_>>();
        for (written, read) in actions(&scenario).iter().zip(actions(&read)) {
            assert_eq!(*written, read, "seed {seed}, {}", profile.name);
        }
        assert_eq!(scenario.steps.len(), read.steps.len());
        assert_eq!(scenario.world, read.world, "seed {seed}, {}", profile.name);
        assert_eq!((scenario.seed, scenario.tolerant), (read.seed, read.tolerant));
    }
}

#[test]
fn a_profile_without_faults_draws_none() {
    let calm = PROFILES.iter().find(|profile| profile.name == "calm").unwrap();
    for seed in 0..50 {
        let scenario = plan(&Options::draw(seed, calm));
        assert_eq!(size(&scenario).1, 0);
        assert!(scenario.world.skew_ms.is_empty());
    }
}
