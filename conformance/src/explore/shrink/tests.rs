//! Long scenarios against faulty variants of the system: what comes out is short and fails the same way.

use super::*;
use crate::explore::save::save;
use crate::reports::failure;
use crate::runner::variant::Variant;
use crate::suite::{run_one, run_variant};
use std::cell::Cell;

const SEED: u64 = 0x5eed;

/// A day in the life of three instances, and in the middle of it a temporary instance.
const LONG: &str = r#"
title = "A long plan"
covers = ["TMP-02"]

[world]
workers = 3
latency_ms_max = 4
skew_ms = { service = 40 }

[instances.shop]
engine = "sqlserver 2012 web"
accounts = [{ name = "app", password = "s3cret-one" }, { name = "clerk", password = "s3cret-two", rights = "read-only" }]
parameters = { "max worker threads" = "200" }
sql = '''
create table orders (id int primary key, item varchar(40) not null);
insert into orders values (1, 'lamp'), (2, 'desk'), (3, 'chair'), (4, 'rug');
create table customers (id int primary key, name varchar(40));
insert into customers values (1, 'Ada'), (2, 'Grace');
create view recent as select * from orders;
'''

[instances.books]
engine = "mysql 5.7"
account = { name = "app", password = "s3cret-one" }
sql = "create table pages (id int primary key, note text)"

[instances.spare]
engine = "sqlserver 2012 enterprise"
account = { name = "app", password = "s3cret-one" }

[application]
on = "books"
table = "pages"
every = "2h"

[[step]]
backup = { of = "shop", as = "first" }
[[step]]
backup = "books"
[[step]]
sql = { on = "shop", run = "insert into orders values (5, 'bed'), (6, 'sofa')" }
[[step]]
mark = "one"
[[step]]
login = { on = "shop", account = "clerk" }
[[step]]
configure = { on = "shop", parameters = { "cost threshold" = "10" } }
[[step]]
advance = "1h 7m 3s"
[[step]]
fault = { slow = ["operator", "service"], latency_ms = 20, for = "1m", background = true }
[[step]]
expect = { on = "shop", query = "select count(*) from orders", rows = [[6]] }
[[step]]
account = { on = "shop", create = { name = "guest", password = "s3cret-three" } }
[[step]]
login = { on = "shop", account = "guest" }
[[step]]
mark = "two"
[[step]]
backup = { of = "shop", kind = "log" }
[[step]]
clone = { of = "books", set = "latest", as = "copy" }
[[step]]
expect = { instance = "copy", state = "Running" }
[[step]]
fault = { pause = "worker-2", for = "5m", background = true }
[[step]]
temporary = { of = "shop", to = "two", as = "rescue" }
[[step]]
expect = { same = "rescue", as_of = "two" }
[[step]]
expect = { instance = "rescue", free = true, listed = true }
[[step]]
sql = { on = "shop", run = "drop view recent" }
[[step]]
fault = { crash = "service", for = "3s" }
[[step]]
migrate = { from = "rescue", into = "shop", objects = ["orders", "customers"], rename = { orders = "orders_then", customers = "customers_then" }, as = "moved" }
[[step]]
expect = { task = "moved", status = "Finished" }
[[step]]
expect = { on = "shop", query = "select count(*) from orders_then", rows = [[6]] }
[[step]]
login = { on = "rescue", account = "guest" }
[[step]]
release = "copy"
[[step]]
application = "pause"
[[step]]
advance = "40h 12m"
[[step]]
expect = { instance = "rescue", state = "Running" }
[[step]]
sql = { on = "shop", run = "insert into orders values (7, 'door')" }
[[step]]
mark = "three"
[[step]]
advance = "7h 20m 13s"
[[step]]
expect = { on = "shop", query = "select count(*) from orders", rows = [[7]] }
[[step]]
advance = "3h"
[[step]]
expect = { instance = "rescue", gone = true }
"#;

fn long() -> Scenario {
    let read = Scenario::parse("long.toml", LONG, &catalogue().ids());
    read.unwrap_or_else(|error| panic!("{}", error.render())).remove(0)
}

/// Temporary instances live an hour less than they should.
const SHORT_LIFE: Variant =
    Variant { policy: Some(|policy| policy.temporary_life_s = 47 * 3_600), ports: None, gate: None };

fn shrunk(scenario: &Scenario, variant: &Variant, runs: usize) -> Shrunk {
    let cause = Cause::main(&run_variant(scenario, SEED, variant)).unwrap_or_else(|| panic!("it does not fail"));
    let budget = Budget { runs, stop: &|| false };
    shrink(scenario, SEED, &cause, &|scenario, seed| run_variant(scenario, seed, variant), budget)
        .unwrap_or_else(|| panic!("it does not fail by {cause} as a file"))
}

#[test]
fn a_long_plan_becomes_a_short_one_that_fails_the_same_way() {
    let scenario = long();
    let passed = run_one(&scenario, SEED);
    assert_eq!(passed.outcome, Outcome::Passed, "{}", failure::failure(&passed));
    let small = shrunk(&scenario, &SHORT_LIFE, RUNS);
    assert!(small.to_steps <= 4, "{} steps after {} runs\n{}", small.to_steps, small.runs, small.text);
    assert_eq!((small.from_steps, small.scenario.steps.len()), (35, small.to_steps));
    assert!(small.runs < RUNS, "{} runs\n{}", small.runs, small.text);
    assert_eq!(small.scenario.instances.len(), 1, "{}", small.text);
    assert!(small.scenario.application.is_none() && small.scenario.world.skew_ms.is_empty(), "{}", small.text);

    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let path = save(&small, folder.path()).unwrap_or_else(|error| panic!("{error}"));
    let source = scenarios::load(&path).unwrap_or_else(|error| panic!("{error}")).remove(0);
    let read = Scenario::parse(&source.file, &source.text, &catalogue().ids());
    let again = read.unwrap_or_else(|error| panic!("{}", error.render())).remove(0);
    assert_eq!(again.seed, Some(SEED));
    let run = run_variant(&again, SEED, &SHORT_LIFE);
    assert_eq!((run.outcome, Cause::main(&run)), (Outcome::Failed, Some(small.cause.clone())), "{}", source.text);
    let exercised = run.judgement.map(|judgement| judgement.not_exercised);
    assert_eq!((exercised, again.covers.is_empty()), (Some(vec![]), false));
    // The system as it is has nothing to do with it.
    assert_ne!(run_one(&again, SEED).outcome, Outcome::Failed);

    let told = failure::told(
        &run_variant(&scenario, SEED, &SHORT_LIFE),
        &failure::Told { shrunk: &small, file: std::path::Path::new("out/latest/TMP-11.toml"), runs: 3 },
    );
    let (from, to) = (small.from_steps, small.to_steps);
    assert!(told.contains(&format!("  shrunk  {from} -> {to} steps, saved as out/latest/TMP-11.toml\n")), "{told}");
    assert!(told.ends_with("  replay  firedrill replay out/latest/TMP-11.toml\n"), "{told}");
    assert_eq!(told.matches("FAIL").count(), 1, "{told}");
    assert!(told.contains("  seen    in 3 runs\n"), "{told}");
}

#[test]
fn few_runs_are_kept_to_and_give_the_same_each_time() {
    let scenario = long();
    let (one, other) = (shrunk(&scenario, &SHORT_LIFE, 6), shrunk(&scenario, &SHORT_LIFE, 6));
    assert_eq!(one, other);
    assert_eq!(one.runs, 6);
    assert!(one.to_steps < one.from_steps);
}

#[test]
fn a_raised_flag_ends_it_with_what_there_is() {
    let scenario = long();
    let cause = Cause::main(&run_variant(&scenario, SEED, &SHORT_LIFE)).unwrap_or_else(|| panic!("it does not fail"));
    let asked = Cell::new(0);
    let stop = || {
        asked.set(asked.get() + 1);
        asked.get() > 1
    };
    let budget = Budget { runs: RUNS, stop: &stop };
    let small = shrink(&scenario, SEED, &cause, &|scenario, seed| run_variant(scenario, seed, &SHORT_LIFE), budget);
    assert_eq!(small.map(|small| (small.runs, small.to_steps)), Some((1, 35)));
}

#[test]
fn what_does_not_fail_is_not_made_small() {
    let cause = Cause::Unmet { shape: "nothing".into() };
    let budget = Budget { runs: RUNS, stop: &|| false };
    assert!(shrink(&long(), SEED, &cause, &|scenario, seed| run_one(scenario, seed), budget).is_none());
}

#[test]
fn an_expectation_that_is_not_met_becomes_a_file_of_its_own() {
    let text = LONG.replace("rows = [[7]]", "rows = [[8]]");
    let read = Scenario::parse("long.toml", &text, &catalogue().ids());
    let scenario = read.unwrap_or_else(|error| panic!("{}", error.render())).remove(0);
    let small = shrunk(&scenario, &Variant::default(), RUNS);
    assert!(small.to_steps <= 3, "{}", small.text);
    assert!(matches!(small.cause, Cause::Unmet { .. }) && small.name.starts_with("unmet-"), "{}", small.name);
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let other = Shrunk { cause: Cause::Unmet { shape: "another".into() }, ..small.clone() };
    let paths = [&small, &small, &other].map(|shrunk| save(shrunk, folder.path()).ok());
    assert_eq!(paths[0], paths[1]);
    assert_ne!(paths[0], paths[2]);
}

#[test]
fn the_first_failure_of_each_cause_is_kept_with_its_count() {
    let scenario = long();
    let mut failures = Failures::default();
    for (index, seed) in [(1, 4), (0, 9), (0, 3)] {
        let mut run = run_variant(&scenario, SEED, &SHORT_LIFE);
        run.seed = seed;
        failures.note(index, &run);
    }
    failures.note(0, &run_one(&scenario, SEED));
    let each: Vec<(usize, u64, usize)> = failures.each().map(|(_, index, seed, runs)| (index, seed, runs)).collect();
    assert_eq!(each, [(0, 3, 3)]);
}
