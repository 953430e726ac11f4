//! Writes a scenario as the file a person would have written: only what differs from what is meant anyhow, in the short
//! form where there is one.
//!
//! What was read is written so that it reads back equal, but for `file`, `case`, the lines and the texts of the steps: a
//! case becomes a file of its own. A value made otherwise may be none that a file can say (times that are no whole
//! milliseconds, a name that is no name, an account and no instance); the reader refuses its text then.

mod call;
mod expect;
mod faults;
mod instances;
mod logical;
mod migrate;
mod restore;
mod steps;

use crate::lower::book::Book;
use crate::lower::{machines_needed, world_defaults};
use crate::scenario::{ApplicationSpec, Credentials, RuleId, Scenario, WorldSpec};
use crate::time::written;
use crate::tree::{Node, Table};
use serde::Serialize;

/// The scenario as a file's text.
#[must_use]
pub fn write(scenario: &Scenario) -> String {
    tree_of(scenario).text("")
}

/// The scenario as a file's keys and values.
#[must_use]
pub fn tree_of(scenario: &Scenario) -> Table {
    let mut book = Book::before(scenario);
    let world = world(scenario);
    let instances: Table = scenario
        .instances
        .iter()
        .map(|instance| (instance.name.as_str(), instances::instance(instance, &scenario.world)))
        .collect();
    let application = scenario.application.as_ref().map(|it| application(it, scenario, &book));
    let mut steps = Vec::new();
    for step in &scenario.steps {
        steps.push(Node::from(steps::step(&step.action, &book)));
        book.follow(&step.action);
    }
    Table::of("title", &scenario.title)
        .only(!scenario.covers.is_empty(), "covers", scenario.covers.iter().map(RuleId::to_string).collect::<Node>())
        .maybe("seed", scenario.seed.map(|seed| format!("{seed:#x}")))
        .only(scenario.tolerant, "tolerant", true)
        .only(!world.entries.is_empty(), "world", world)
        .only(!instances.entries.is_empty(), "instances", instances)
        .maybe("application", application)
        .with("step", Node::List(steps))
}

fn world(scenario: &Scenario) -> Table {
    let WorldSpec { workers, machines, latency_ms_max, skew_ms, region } = &scenario.world;
    let usual = world_defaults();
    let needed = machines_needed(&scenario.world, &scenario.instances, &scenario.steps);
    // Where no number is written, there are as many as are needed, and only those up to the usual number have names.
    let machines_told = *machines != needed || *machines > usual.machines;
    let skews: Table = skew_ms.iter().map(|(host, ms)| (host.to_string(), *ms)).collect();
    Table::default()
        .only(*workers != usual.workers, "workers", *workers)
        .only(machines_told, "machines", *machines)
        .only(*latency_ms_max != usual.latency_ms_max, "latency_ms_max", *latency_ms_max)
        .only(!skew_ms.is_empty(), "skew_ms", skews)
        .only(*region != usual.region, "region", region)
}

fn application(it: &ApplicationSpec, scenario: &Scenario, book: &Book) -> Table {
    let columns = [it.key_column.as_str(), it.note_column.as_str()];
    let from_start = crate::lower::writes_from_start(crate::lower::first_told(scenario));
    let table = Table::of("on", &it.on)
        .only(it.database != book.database(&it.on), "database", &it.database)
        .with("table", &it.table)
        .with("every", written(it.every))
        .only(columns != ["id", "note"], "columns", columns.into_iter().collect::<Node>());
    login(table, &it.on, &it.login, book).only(
        it.from_start != from_start,
        "from",
        if it.from_start { "start" } else { "step" },
    )
}

/// The table with `account` and `password` where they are not those that are meant on an instance anyhow.
fn login(table: Table, on: &str, login: &Credentials, book: &Book) -> Table {
    let accounts = book.accounts(on);
    let first = accounts.first().is_some_and(|first| first.name == login.account);
    let known = accounts.iter().find(|known| known.name == login.account);
    table.only(!first, "account", &login.account).only(
        known.is_none_or(|known| known.password != login.password),
        "password",
        login.password.expose(),
    )
}

/// The word of a value of the model.
fn word(value: &impl Serialize) -> Node {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => Node::Text(word),
        _ => Node::Null,
    }
}

/// The word of a value by a table of words.
fn word_in<T: Copy + PartialEq>(words: &[(&str, T)], value: T) -> Node {
    words.iter().find(|(_, known)| *known == value).map_or(Node::Null, |(word, _)| Node::from(*word))
}

/// The words of values of the model.
fn words<'v, T: Serialize + 'v>(values: impl IntoIterator<Item = &'v T>) -> Node {
    values.into_iter().map(word).collect()
}

/// A name alone where the table says no more, else the table.
fn name_or_table(key: &str, table: Table) -> Node {
    match table.entries.as_slice() {
        [(only, name)] if only == key => name.clone(),
        _ => table.into(),
    }
}
