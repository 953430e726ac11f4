//! What is written reads back as it was.

use super::{parse_all, with_steps};
use crate::tree::{Node, Table};
use crate::{Action, Expectation, Scenario, builtin, tree_of, write};
use proptest::prelude::*;
use recovery::model::content::Value;
use std::collections::BTreeSet;

/// A scenario without what a written file may have otherwise.
fn bare(mut scenario: Scenario) -> Scenario {
    scenario.file = String::new();
    scenario.case = None;
    scenario.instances.iter_mut().for_each(|instance| instance.line = 0);
    scenario.application.iter_mut().for_each(|application| application.line = 0);
    for step in &mut scenario.steps {
        (step.line, step.text) = (0, String::new());
    }
    scenario
}

/// The scenario that its text says.
fn again(scenario: &Scenario, rules: &BTreeSet<String>) -> Result<Scenario, String> {
    let text = write(scenario);
    let mut read = Scenario::parse(&format!("{}.toml", scenario.name), &text, rules)
        .map_err(|error| format!("{}\n{text}", error.render()))?;
    read.pop().ok_or_else(|| format!("no scenario\n{text}"))
}

fn check(scenario: &Scenario, rules: &BTreeSet<String>) -> Result<(), String> {
    let read = bare(again(scenario, rules)?);
    let wanted = bare(scenario.clone());
    for (index, (read, wanted)) in read.steps.iter().zip(&wanted.steps).enumerate() {
        if read != wanted {
            return Err(format!("step {index}: {read:?}\nis not {wanted:?}\n{}", write(scenario)));
        }
    }
    if read == wanted { Ok(()) } else { Err(format!("{read:?}\nis not {wanted:?}\n{}", write(scenario))) }
}

#[test]
fn every_built_in_scenario_is_written_so_that_it_reads_back_equal() {
    let (mut wrong, mut number) = (String::new(), 0);
    for source in builtin() {
        let words = source.text.split(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-'));
        let rules: BTreeSet<String> = words.filter(|word| word.len() == 6).map(str::to_owned).collect();
        for scenario in Scenario::parse(&source.file, &source.text, &rules).unwrap_or_default() {
            number += 1;
            if let Err(error) = check(&scenario, &rules) {
                wrong = format!("{wrong}{}: {error}\n", scenario.place());
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(number > 280, "{number} scenarios");
}

#[test]
fn every_key_is_written() {
    let read = parse_all(&super::accepted::everything()).map_err(|error| error.render());
    let wrong: Vec<String> =
        read.iter().flatten().filter_map(|scenario| check(scenario, &super::rules()).err()).collect();
    assert_eq!((read.map(|read| read.len()), wrong), (Ok(1), vec![]));
}

#[test]
fn a_written_file_looks_as_if_a_person_had_written_it() {
    let text = r#"title = "a fact"
covers = ["TMP-11"]
seed = "0x5eed"
tolerant = true

[world]
workers = 1
skew_ms = { worker-1 = 250 }

[instances.shop]
engine = "mysql 5.7"
account = { name = "app", password = "s3cret" }
sql = '''
create table orders (id int primary key, item varchar(40) not null);
insert into orders values (1, 'lamp'), (2, 'desk');
'''

[instances.shop.databases]
crm = '''
create table customers (id int primary key);
'''

[application]
on = "shop"
table = "orders"
every = "2s"
columns = ["id", "item"]

[[step]]
backup = "shop"
[[step]]
mark = "before"
[[step]]
clone = { of = "shop", at = "before - 1s", as = ["a", "b"], count = 2 }
[[step]]
sql = { on = "a", run = "drop table orders" }
[[step]]
migrate = { from = "a", into = "shop", objects = ["orders", "crm.customers"], rename = { orders = "orders_2", "orders.item" = "what" }, as = "put-back" }
[[step]]
fault = { slow = ["worker-1", "machine of a"], latency_ms = 300, for = "90s", after = ["0s", "1m"] }
[[step]]
advance = { to = "before + 48h" }
[[step]]
expect = { on = "shop", query = 'select "id" from orders', rows = [[1], [2.5], ["x"]] }
"#
    .replace("90s", "1m 30s");
    let read = parse_all(&text).map_err(|error| error.render());
    let written = read.map(|scenarios| scenarios.iter().map(write).collect::<String>());
    assert_eq!(written, Ok(text));
}

#[test]
fn a_seed_is_a_number_or_a_text() {
    for (said, seed) in [("24301", Some(24301)), ("\"0x5eed\"", Some(0x5eed)), ("\"ffff\"", None), ("\"0x\"", None)] {
        let text = super::text_with_steps("advance = \"1s\"").replace("covers", &format!("seed = {said}\ncovers"));
        let read = super::parse(&text);
        assert_eq!(read.as_ref().ok().and_then(|scenario| scenario.seed), seed, "{said}");
        assert_eq!(read.is_ok(), seed.is_some(), "{said}");
    }
    let largest = super::text_with_steps("advance = \"1s\"").replace("covers", "seed = \"0xffffffffffffffff\"\ncovers");
    assert_eq!(super::parse(&largest).ok().and_then(|scenario| scenario.seed), Some(u64::MAX));
}

#[test]
fn an_account_that_is_gone_keeps_its_password_where_a_step_says_it() {
    let gone = r#"
        account = { on = "shop", create = { name = "clerk", password = "one" } }
        account = { on = "shop", drop = "clerk" }
        sql = { on = "shop", account = "clerk", password = "one", run = "select 1", error = "denied" }
        expect = { on = "shop", account = "app", password = "old", query = "select 1", rows = [[1]] }
    "#;
    let scenario = with_steps(gone).unwrap_or_else(|error| panic!("{}", error.render()));
    assert_eq!(check(&scenario, &super::rules()), Ok(()));
    assert!(scenario.steps.iter().all(|step| !step.text.contains("one") && !step.text.contains("old")));
}

#[test]
fn what_is_near_another_meaning_is_written_apart_from_it() {
    let steps = r#"
        mark = "m"
        mark = "m - 1s"
        mark = "now"
        backup = { of = "shop", as = "b-1" }
        clone = { of = "shop", at = "m-1s", as = "c" }
        clone = { of = "shop", to = "m - 1s", as = "d", key = "k" }
        clone = { of = "shop", to = "m - 1s", key = "k" }
        temporary = { of = "shop", at = "now - 1s", as = "rescue" }
        advance = { until = { instance = "rescue", expiry = "-1s" } }
        mark = "rescue expires"
        advance = { until = { instance = "rescue", expiry = "+1s" } }
        migrate = { from = "c", into = "d", objects = ["orders", "orders.item", "app.db:x"], rename = { "app.orders.item" = "what", "orders.item" = "table", "app.db:x" = "y" }, as = "t" }
        task = { of = "t", do = "edit", into = "shop", source = { password = "other" } }
        task = { of = "t", do = "edit", source = { account = "app" }, target = { account = "x", password = "y" } }
        configure = { on = "shop", add_whitelist = [] }
        expect = { instance = "shop", whitelisted = [] }
        expect = { same = "c", as_of = "m", of = "shop", tables = ["crm.customers", "orders"] }
    "#;
    let scenario = with_steps(steps).unwrap_or_else(|error| panic!("{}", error.render()));
    assert_eq!(check(&scenario, &super::rules()), Ok(()));
}

/// Texts with everything that means something to TOML or to cases.
fn nasty() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("'''".to_owned()),
        Just("\"\"\"".to_owned()),
        Just("${".to_owned()),
        Just("$${x}".to_owned()),
        Just("\\".to_owned()),
        Just("\r\n".to_owned()),
        Just("\n".to_owned()),
        Just("'".to_owned()),
        Just("\"".to_owned()),
        Just("🧯".to_owned()),
        Just("\u{0}\u{7f}\u{85}\u{2028}\u{feff}".to_owned()),
        Just("\t".to_owned()),
        any::<char>().prop_map(String::from),
        "[a-z ]{1,6}",
    ];
    proptest::collection::vec(piece, 1..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn a_nasty_text_reads_back_equal(text in nasty(), other in nasty(), key in nasty()) {
        let mut scenario = with_steps(r#"
            expect = { on = "shop", query = "x", rows = [["x"]] }
            configure = { on = "shop", parameters = { a = "b" } }
            sql = { on = "shop", run = "x" }
        "#).unwrap_or_else(|error| panic!("{}", error.render()));
        scenario.instances[0].databases[0].sql = text.clone();
        scenario.instances[0].parameters.insert(key.clone(), text.clone());
        if let Action::Expect(Expectation::Rows { rows, query, .. }) = &mut scenario.steps[0].action {
            (*rows, *query) = (vec![vec![Value::Text(text.clone())]; 6], other.clone());
        }
        if let Action::Sql(step) = &mut scenario.steps[2].action {
            step.run = format!("{other}.");
        }
        prop_assert_eq!(check(&scenario, &super::rules()), Ok(()));
        let commented = tree_of(&scenario).text(&other);
        let read = Scenario::parse("a-fact.toml", &commented, &super::rules());
        prop_assert_eq!(read.map(|read| read.len()).ok(), Some(1));
    }
}

#[test]
fn a_null_in_a_body_is_refused_and_not_lost() {
    let mut scenario = with_steps(r#"call = { path = "/v1/x", body = { a = 1 } }"#).ok();
    for step in scenario.iter_mut().flat_map(|scenario| &mut scenario.steps) {
        if let Action::Call(call) = &mut step.action {
            call.body = Some(serde_json::json!({ "a": null }));
        }
    }
    let read = scenario.map(|scenario| again(&scenario, &super::rules()).is_err());
    assert_eq!(read, Some(true));
}

#[test]
fn a_tree_takes_and_gives_keys() {
    let mut table = Table::of("a", 1_u64).with("b", "x");
    table.set("b", true);
    table.set("c", 2_u64);
    assert_eq!(table.get("b"), Some(&Node::Flag(true)));
    assert_eq!(table.remove("a"), Some(Node::Whole(1)));
    assert_eq!(table.text("said\nbefore"), "# said\n# before\nc = 2\nb = true\n");
}
