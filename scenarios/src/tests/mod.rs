//! Tests of the language as a whole.

mod accepted;
mod cases;
mod faults;
mod loading;
mod logical;
mod never_panics;
mod refused;
mod schema;
mod written;

use crate::{Action, Scenario, ScenarioError};
use std::collections::BTreeSet;

/// A file's beginning: a title, a covered rule and the instance `shop` with an account.
const SHOP: &str = "title = \"a fact\"
covers = [\"TMP-11\"]

[instances.shop]
engine = \"sqlserver 2012 web\"
account = { name = \"app\", password = \"s3cret\" }
sql = \"create table orders (id int primary key, item text); create view open_orders as select * from orders;\"

";

fn rules() -> BTreeSet<String> {
    ["TMP-09", "TMP-11", "SQL-14"].map(str::to_owned).into()
}

/// The one scenario of a file without cases.
fn parse(text: &str) -> Result<Scenario, Box<ScenarioError>> {
    parse_all(text).map(|mut all| all.pop().unwrap_or_else(|| panic!("no scenario and no error")))
}

fn parse_all(text: &str) -> Result<Vec<Scenario>, Box<ScenarioError>> {
    Scenario::parse("some/folder/a-fact.toml", text, &rules())
}

/// The scenario of `SHOP` and some steps, one action a line.
fn with_steps(steps: &str) -> Result<Scenario, Box<ScenarioError>> {
    parse(&text_with_steps(steps))
}

fn text_with_steps(steps: &str) -> String {
    let steps = steps.lines().map(str::trim).filter(|line| !line.is_empty());
    steps.fold(SHOP.to_owned(), |text, line| text + "[[step]]\n" + line + "\n")
}

/// The last action of `SHOP` and some steps; the rendered error where they are refused.
fn last(steps: &str) -> Result<Action, String> {
    let scenario = with_steps(steps).map_err(|error| error.render())?;
    scenario.steps.into_iter().last().map(|step| step.action).ok_or_else(|| "no step".to_owned())
}
