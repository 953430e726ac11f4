//! Migration tasks.

use super::steps::refused;
use super::{word, word_in, words};
use crate::action::{MigrateEnd, MigrateSide, MigrateStep, MigrateUntil, TaskRequest, TaskStep};
use crate::lower::book::Book;
use crate::lower::migrate::{ENDS, UNTIL, default_types, object_in};
use crate::lower::steps::AT_MOST;
use crate::time::written;
use crate::tree::{Node, Table};
use recovery::model::precheck::PrecheckItem;
use recovery::model::task::{ConnectionMode, MigrationType, SameNameMode, Selection};
use std::collections::BTreeSet;

pub(super) fn migrate(step: &MigrateStep, book: &Book) -> Table {
    let table = Table::of("from", &step.source.instance).with("into", &step.target.instance);
    let table = selection(table, &step.objects, &step.types, step.same_name);
    let table = without(table, &step.without_advice);
    let table = table.maybe("as", step.name.as_ref()).maybe("name", step.task_name.as_ref());
    let table = sides(table, (&step.source, None), (&step.target, None), book);
    let usual = match step.types.contains(&MigrationType::Incremental) {
        true => MigrateUntil::CaughtUp,
        false => MigrateUntil::Finished,
    };
    let table = table.only(step.until != usual, "until", word_in(&UNTIL, step.until)).only(
        step.ends != MigrateEnd::Finished,
        "ends",
        word_in(&ENDS, step.ends),
    );
    refused(table, step.refused).only(!step.terms, "terms", false).only(
        step.at_most != AT_MOST,
        "at_most",
        written(step.at_most),
    )
}

pub(super) fn task(step: &TaskStep, book: &Book) -> Table {
    let table = Table::of("of", &step.of);
    let table = match &step.request {
        TaskRequest::Authorise => table.with("do", "authorise"),
        TaskRequest::Select { types, objects, same_name, without_advice } => {
            without(selection(table.with("do", "select"), objects, types, *same_name), without_advice)
        }
        TaskRequest::Shield { items, shielded } => {
            table.with("do", if *shielded { "shield" } else { "unshield" }).with("items", words(items))
        }
        TaskRequest::Precheck => table.with("do", "precheck"),
        TaskRequest::Confirm => table.with("do", "confirm"),
        TaskRequest::Purchase { terms } => table.with("do", "purchase").only(!terms, "terms", false),
        TaskRequest::Start => table.with("do", "start"),
        TaskRequest::Pause => table.with("do", "pause"),
        TaskRequest::Resume => table.with("do", "resume"),
        TaskRequest::Stop => table.with("do", "stop"),
        TaskRequest::Delete => table.with("do", "delete"),
        TaskRequest::Edit { task_name, source, target } => {
            let before = book.tasks.get(&step.of);
            let (from, into) = (before.map(|(source, _)| source), before.map(|(_, target)| target));
            let other = |side: &MigrateSide, before: Option<&MigrateSide>| {
                before.is_none_or(|before| before.instance != side.instance)
            };
            let table = table
                .with("do", "edit")
                .maybe("name", task_name.as_ref())
                .only(other(source, from), "from", &source.instance)
                .only(other(target, into), "into", &target.instance);
            sides(table, (source, from), (target, into), book)
        }
    };
    refused(table, step.refused)
}

/// A side, and what it was before the step where it was anything.
type Side<'s> = (&'s MigrateSide, Option<&'s MigrateSide>);

/// `connection`, `source` and `target`, where they are not as before or as is meant anyhow.
fn sides(table: Table, source: Side<'_>, target: Side<'_>, book: &Book) -> Table {
    let mode = |(side, before): Side<'_>| {
        let usual = before.map_or(ConnectionMode::Plain, |before| before.connection);
        (side.connection != usual).then(|| word(&side.connection))
    };
    let connection = Table::default().maybe("source", mode(source)).maybe("target", mode(target));
    let (from, into) = (side(source, book), side(target, book));
    table
        .only(!connection.entries.is_empty(), "connection", connection)
        .only(!from.entries.is_empty(), "source", from)
        .only(!into.entries.is_empty(), "target", into)
}

fn side((side, before): Side<'_>, book: &Book) -> Table {
    match before.filter(|before| before.instance == side.instance) {
        Some(before) if before.login.account == side.login.account => Table::default().only(
            before.login.password != side.login.password,
            "password",
            side.login.password.expose(),
        ),
        Some(_) => {
            let known = book.accounts(&side.instance).iter().find(|known| known.name == side.login.account);
            let same = known.is_some_and(|known| known.password == side.login.password);
            Table::of("account", &side.login.account).only(!same, "password", side.login.password.expose())
        }
        None => super::login(Table::default(), &side.instance, &side.login, book),
    }
}

/// Objects, types, columns, new names and the same-name mode.
fn selection(table: Table, objects: &[Selection], types: &BTreeSet<MigrationType>, same_name: SameNameMode) -> Table {
    let wholes = objects.iter().rev().take_while(|object| object.table.is_none()).count();
    let (named, databases) = objects.split_at(objects.len() - wholes);
    let texts: Node = named.iter().map(object).collect();
    let databases: Node = databases.iter().map(|object| &object.database).collect();
    let columns: Table =
        objects.iter().filter_map(|it| Some((object(it), it.columns.as_ref()?.iter().collect::<Node>()))).collect();
    let renames = renames(objects);
    table
        .only(!named.is_empty() || wholes == 0, "objects", texts)
        .only(wholes > 0, "databases", databases)
        .only(*types != default_types(), "types", words(types))
        .only(!columns.entries.is_empty(), "columns", columns)
        .only(!renames.entries.is_empty(), "rename", renames)
        .only(same_name != SameNameMode::default(), "same_name", word(&same_name))
}

/// The advisory precheck items that are not looked at.
fn without(table: Table, items: &BTreeSet<PrecheckItem>) -> Table {
    table.only(!items.is_empty(), "without_advice", words(items))
}

/// `orders`, `crm.customers`, `app.*`.
fn object(it: &Selection) -> String {
    match &it.table {
        Some(table) if it.database == "app" => table.clone(),
        Some(table) => format!("{}.{table}", it.database),
        None => format!("{}.*", it.database),
    }
}

fn renames(objects: &[Selection]) -> Table {
    let mut renames = Table::default();
    for it in objects {
        let database = format!("db:{}", it.database);
        if let Some(to) = it.database_as.as_ref().filter(|_| renames.get(&database).is_none()) {
            renames = renames.with(&database, to);
        }
    }
    let full = |it: &Selection| format!("{}.{}", it.database, it.table.as_deref().unwrap_or("*"));
    for it in objects {
        let short = object(it);
        if let Some(to) = &it.table_as {
            renames = renames.with(&if short.starts_with("db:") { full(it) } else { short.clone() }, to);
        }
        for (column, to) in &it.columns_as {
            // `orders.item` could also be a table of a database `orders`.
            let key = format!("{short}.{column}");
            let table = |other: &Selection| {
                object_in("app", &key).is_some_and(|(database, table)| {
                    other.database == database && other.table.as_deref() == Some(table)
                })
            };
            let key = if objects.iter().any(table) { format!("{}.{column}", full(it)) } else { key };
            renames = renames.with(&key, to);
        }
    }
    renames
}
