//! What holds of every precheck, over random servers and selections.

use super::{End, Pair, end, end_of, pair, run, task};
use crate::runner;
use proptest::prelude::*;
use recovery::model::precheck::{PrecheckItem, PrecheckOutcome, PrecheckResult};
use recovery::model::task::{MigrationType, SameNameMode, TaskStatus};
use recovery::worker::precheck::every;
use scenarios::{Action, MigrateStep, MigrateUntil, Scenario, Step, TaskRequest, TaskStep, WaitStep, WaitUntil};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What a failure says where a table that stood in the target has other columns than the one that comes.
const OTHER_COLUMNS: [&str; 3] =
    ["has no column named", "was changed meanwhile: it has the columns", "do not match those of"];

/// Whether no item claims to check what a task failed for. Where a task takes tables of the target as they are, other
/// columns than the source's "lose columns or fail" (prechecks.md section 4), and no item is said to look for that.
fn claimed_by_none(step: &MigrateStep, why: &str) -> bool {
    let takes_what_stands = step.same_name == SameNameMode::Ignore || !step.types.contains(&MigrationType::Structure);
    takes_what_stands && OTHER_COLUMNS.iter().any(|text| why.contains(text))
}

/// The one migration of a drawn scenario.
fn step(scenario: &Scenario) -> &MigrateStep {
    let Some(Action::Migrate(step)) = scenario.steps.first().map(|step| &step.action) else {
        panic!("a drawn scenario begins with a migration");
    };
    step
}

/// The results of the first precheck of a scenario, and whether the task counted as passed.
fn first_run(scenario: &Scenario, seed: u64) -> Option<(bool, Vec<PrecheckResult>)> {
    let history = runner::run(scenario, seed, None).ok()?;
    let last = task(&history)?;
    let passed = last.status != TaskStatus::PrecheckFailed;
    Some((passed, run(last)?.items.clone()))
}

/// The items a user may shield that a migration has.
fn shieldable() -> Vec<PrecheckItem> {
    every().filter(|about| about.shieldable).map(|about| about.item).collect()
}

/// The same with these items shielded before the first precheck, which is waited for to its end.
fn shielded(scenario: &Scenario, items: &BTreeSet<PrecheckItem>) -> Scenario {
    let migrate = Action::Migrate(MigrateStep { until: MigrateUntil::Selected, ..step(scenario).clone() });
    let asked = |request| Action::Task(TaskStep { of: "move".into(), request, refused: None });
    let waited = |status| {
        let until = WaitUntil::TaskStatus { task: "move".into(), status };
        Action::Wait(WaitStep { until, at_most: Duration::from_secs(300) })
    };
    let actions = [
        migrate,
        asked(TaskRequest::Shield { items: items.clone(), shielded: true }),
        asked(TaskRequest::Precheck),
        waited(TaskStatus::PrecheckPassed),
    ];
    let steps = actions.into_iter().map(|action| Step { line: 1, text: String::new(), action });
    Scenario { steps: steps.collect(), ..scenario.clone() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_verdict_is_the_conjunction_of_the_items_and_every_item_that_applies_is_looked_at(seed in any::<u64>()) {
        let Pair { scenario, .. } = pair(seed);
        let Some((passed, items)) = first_run(&scenario, seed) else { return Ok(()) };
        prop_assert_eq!(passed, !items.iter().any(|result| matches!(result.outcome, PrecheckOutcome::Failed(_))));
        let engine = scenario.instances[0].product.engine;
        let types = &step(&scenario).types;
        let mut wanted: Vec<_> = every()
            .filter(|about| !about.item.code().starts_with("RESTORE_"))
            .filter(|about| about.engines.contains(&engine) && about.needs.met_by(types))
            .map(|about| about.item)
            .collect();
        wanted.sort();
        prop_assert_eq!(items.iter().map(|result| result.item).collect::<Vec<_>>(), wanted);
    }

    #[test]
    fn the_verdict_is_the_conjunction_of_the_items_without_a_shield(
        seed in any::<u64>(),
        shields in proptest::sample::subsequence(shieldable(), 1..=shieldable().len()),
    ) {
        let Pair { scenario, .. } = pair(seed);
        let shields: BTreeSet<PrecheckItem> = shields.into_iter().collect();
        let (Some((passed, items)), Some((_, bare))) =
            (first_run(&shielded(&scenario, &shields), seed), first_run(&scenario, seed))
        else {
            return Ok(());
        };
        let failed = |results: &[PrecheckResult]| -> BTreeSet<PrecheckItem> {
            results.iter().filter(|result| result.outcome.is_failure()).map(|result| result.item).collect()
        };
        prop_assert_eq!(passed, failed(&items).is_empty());
        let uncovered: BTreeSet<PrecheckItem> = failed(&bare).difference(&shields).copied().collect();
        prop_assert_eq!(failed(&items), uncovered);
        for result in items {
            let under = matches!(result.outcome, PrecheckOutcome::Shielded(_));
            prop_assert_eq!(under, shields.contains(&result.item) && failed(&bare).contains(&result.item));
        }
    }

    #[test]
    fn another_privilege_never_turns_a_pass_into_a_failure(seed in any::<u64>()) {
        let Pair { scenario, more } = pair(seed);
        let Some(more) = more else { return Ok(()) };
        if let (Some((true, _)), Some((passed, items))) = (first_run(&scenario, seed), first_run(&more, seed)) {
            prop_assert!(passed, "{:?}", items);
        }
    }

    #[test]
    fn the_order_in_which_items_end_does_not_matter(seed in any::<u64>()) {
        let Pair { mut scenario, .. } = pair(seed);
        // Other seeds of the world and longer ways make answers overtake each other; ids are drawn anew.
        scenario.world.latency_ms_max = 40;
        let of = |world: u64| first_run(&scenario, world).map(|(passed, items)| {
            let found = |result: PrecheckResult| (result.item, std::mem::discriminant(&result.outcome));
            (passed, items.into_iter().map(found).collect::<BTreeMap<_, _>>())
        });
        let first = of(seed);
        for world in 1..=3 {
            prop_assert_eq!(&of(seed.wrapping_add(world)), &first);
        }
    }

    #[test]
    fn a_passed_precheck_and_an_immediate_start_never_fail_for_what_an_item_claims_to_check(seed in any::<u64>()) {
        let Pair { scenario, .. } = pair(seed);
        if let End::Failed(why) = end(&scenario, seed, false) {
            prop_assert!(claimed_by_none(step(&scenario), &why), "seed {}: {}", seed, why);
        }
    }
}

#[test]
fn a_bypassed_precheck_shows_what_it_foresaw() {
    let seed = (0..200)
        .find(|seed| matches!(end(&pair(*seed).scenario, *seed, false), End::Blocked(_)))
        .expect("one of 200 drawn migrations is blocked");
    let scenario = pair(seed).scenario;
    assert!(!matches!(end(&scenario, seed, true), End::Blocked(_)));
    let history = runner::run(&scenario, seed, None).unwrap();
    assert!(matches!(end_of(&history), End::Blocked(_)));
}
