//! The machinery on a few bugs; all of them are tried by `firedrill selftest`.

use super::*;
use crate::planted;
use crate::planted::tools;

struct Nobody;

impl Listener for Nobody {
    fn tried(&self, _: &Trial) {}
    fn alarm(&self, _: &Alarm) {}
}

const SHORT_LIFE: Planted = Planted {
    name: "a-temporary-instance-lives-an-hour",
    says: "A temporary instance is released after one hour.",
    check: "temporary_lives_48_hours",
    variant: tools::policy(|policy| policy.temporary_life_s = 3_600),
};
const HARMLESS: Planted = Planted {
    name: "a-price-is-another",
    says: "Instances cost a cent more.",
    check: "temporary_lives_48_hours",
    variant: tools::policy(|policy| policy.chunk_rows += 1),
};
const ELSEWHERE: Planted = Planted { name: "only-another-check-sees-it", check: "temporary_is_free", ..SHORT_LIFE };

fn scenarios(word: &str) -> Vec<Scenario> {
    let known = catalogue().ids();
    let sources = scenarios::builtin();
    let read: Vec<Scenario> = sources
        .iter()
        .filter(|source| source.file.contains(word))
        .flat_map(|source| Scenario::parse(&source.file, &source.text, &known).unwrap_or_default())
        .collect();
    assert!(!read.is_empty(), "no scenario {word}");
    read
}

fn proof(planted: &[&'static Planted], scenarios: &[Scenario]) -> Proof {
    let test =
        Selftest { planted: planted.to_vec(), scenarios, seeds: 1, explored: None, explored_seeds: 0, shrink: true };
    selftest(&test, 1, &AtomicBool::new(false), &Nobody).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_bug_is_caught_by_its_check_and_the_system_as_it_stands_raises_nothing() {
    let proof = proof(&[&SHORT_LIFE, &HARMLESS], &scenarios("at-47-59-59"));
    assert_eq!(proof.alarms, []);
    assert!(proof.sound_runs > 0);
    let caught = proof.trials[0].caught.as_ref();
    assert!(caught.is_some_and(|catch| catch.rules.contains("TMP-11")), "{caught:?}");
    assert_eq!(proof.missed().map(|trial| trial.planted.name).collect::<Vec<_>>(), [HARMLESS.name]);
    assert_eq!(proof.median_runs(), Some(1));
    let small = caught.and_then(|catch| catch.shrunk.as_ref());
    assert!(small.is_some_and(|small| small.to_steps < small.from_steps), "{small:?}");
    assert_eq!(proof.median_steps(), small.map(|small| small.to_steps));
}

#[test]
fn a_bug_that_only_checks_of_other_rules_see_is_missed_and_shown() {
    let proof = proof(&[&ELSEWHERE], &scenarios("at-47-59-59"));
    let trial = &proof.trials[0];
    assert!(trial.caught.is_none());
    assert!(trial.others.contains_key("TMP-11"), "{:?}", trial.others);
}

#[test]
fn every_planted_bug_has_a_scenario_that_covers_a_rule_of_its_check() {
    let known = catalogue().ids();
    let sources = scenarios::builtin();
    let covered: BTreeSet<String> = sources
        .iter()
        .flat_map(|source| Scenario::parse(&source.file, &source.text, &known).unwrap_or_default())
        .flat_map(|scenario| scenario.covers)
        .map(|id| id.0)
        .collect();
    let rules = |planted: &&Planted| crate::checks::all().any(|check| check.name == planted.check);
    for planted in planted::all().filter(rules) {
        assert!(rules_of(planted.check).iter().any(|id| covered.contains(*id)), "{}", planted.name);
    }
}
