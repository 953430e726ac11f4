//! Expectations.

use super::{word, word_in};
use crate::expectation::{
    Charged, Expectation, InstanceFacts, Number, PrecheckFacts, PrecheckVerdict, RestoreFacts, Subject, TaskFacts,
};
use crate::lower::book::Book;
use crate::lower::{expect, logical_facts};
use crate::time::written;
use crate::tree::{Node, Table};
use recovery::model::content::{ObjectKind, Row, Security, Value};
use recovery::model::task::PhaseStatus;
use std::collections::BTreeMap;

pub(super) fn expect(it: &Expectation, book: &Book) -> Table {
    match it {
        Expectation::Rows { on, query, rows, database, login } => super::login(Table::of("on", on), on, login, book)
            .only(database != book.database(on), "database", database)
            .with("query", query)
            .with("rows", rows.iter().map(row).collect::<Node>()),
        Expectation::Instance { instance, facts } => instance_facts(Table::of("instance", instance), facts),
        Expectation::Task { task, facts } => task_facts(Table::of("task", task), facts),
        Expectation::Restore { restore, facts } => restore_facts(Table::of("restore", restore), facts),
        Expectation::LogicalSets { of, kind, status, number: counted } => {
            let table = Table::of("of", of).maybe("kind", kind.as_ref().map(word));
            Table::of("logical_sets", number(table.maybe("status", status.as_ref().map(word)), "count", *counted))
        }
        Expectation::LogicalRestorable { of, mark, contained } => {
            Table::of("logical_restorable", restorable(of, mark, *contained))
        }
        Expectation::BackupListed { backup, listed, from, to } => Table::of("backup", backup)
            .with("listed", *listed)
            .maybe("from", from.map(written))
            .maybe("to", to.map(written)),
        Expectation::NodeRows { of, node, key, exists } => {
            Table::of("node", word(node)).with("of", of).with(if *exists { "holds" } else { "lacks" }, key)
        }
        Expectation::Same { .. } => same(it, book),
        Expectation::Unchanged { instance, since } => Table::of("unchanged", instance).with("since", since),
        Expectation::Backups { of, kind, number: counted } => {
            let table = Table::of("of", of).maybe("kind", kind.as_ref().map(word));
            Table::of("backups", number(table, "count", *counted))
        }
        Expectation::Restorable { of, mark, contained } => Table::of("restorable", restorable(of, mark, *contained)),
        Expectation::Charges { of, cents } => {
            let (Subject::Instance(of) | Subject::Task(of)) = of;
            let table = Table::of("of", of);
            Table::of(
                "charges",
                match cents {
                    Charged::Nothing => table.with("none", true),
                    Charged::Cents(cents) => number(table, "cents", *cents),
                },
            )
        }
        Expectation::Object { .. } => Table::of("object", object(it, book)),
    }
}

fn row(row: &Row) -> Node {
    row.iter().map(cell).collect()
}

fn cell(value: &Value) -> Node {
    match value {
        Value::Null => Table::of("null", true).into(),
        Value::Integer(whole) => (*whole).into(),
        Value::Real(real) => Node::Real(*real),
        Value::Text(text) => text.into(),
        Value::Bytes { hex } => Table::of("hex", hex).into(),
    }
}

fn number(table: Table, exactly: &str, number: Number) -> Table {
    match number {
        Number::Exactly(number) => table.with(exactly, number),
        Number::AtLeast(number) => table.with("at_least", number),
    }
}

fn restorable(of: &str, mark: &str, contained: bool) -> Table {
    Table::of("of", of).with(if contained { "contains" } else { "excludes" }, mark)
}

fn same(it: &Expectation, book: &Book) -> Table {
    let Expectation::Same { instance, as_of, of, databases, tables } = it else { return Table::default() };
    let master = book.instances.get(instance).and_then(|known| known.master.as_ref()).unwrap_or(instance);
    let usual = book.database(of);
    let table = |(database, table): &(String, String)| match database == usual {
        true => table.clone(),
        false => format!("{database}.{table}"),
    };
    Table::of("same", instance)
        .with("as_of", as_of)
        .only(of != master, "of", of)
        .maybe("databases", databases.as_ref().map(|names| names.iter().collect::<Node>()))
        .maybe("tables", tables.as_ref().map(|tables| tables.iter().map(table).collect::<Node>()))
}

fn object(it: &Expectation, book: &Book) -> Table {
    let Expectation::Object { on, database, kind, name, exists, definer, security } = it else {
        return Table::default();
    };
    let security = security.map(|security| match security {
        Security::Definer => "definer",
        Security::Invoker => "invoker",
    });
    Table::of("on", on)
        .only(database != book.database(on), "database", database)
        .only(*kind != ObjectKind::Table, "kind", word(kind))
        .with("name", name)
        .only(!exists, "exists", false)
        .maybe("definer", definer.as_ref())
        .maybe("security", security)
}

fn instance_facts(table: Table, facts: &InstanceFacts) -> Table {
    // Nothing but an empty list is a fact too.
    let nothing = *facts == InstanceFacts::default();
    table
        .maybe("state", facts.state.as_ref().map(word))
        .maybe("network", facts.network.as_ref().map(word))
        .maybe("billing", facts.billing.as_ref().map(word))
        .maybe("region", facts.region.as_ref())
        .maybe("gone", facts.gone)
        .maybe("listed", facts.listed)
        .maybe("offered", facts.offered)
        .maybe("recovered_to", facts.recovered_to.as_ref())
        .maybe("free", facts.free)
        .maybe("ssl", facts.ssl)
        .only(nothing || !facts.whitelisted.is_empty(), "whitelisted", facts.whitelisted.iter().collect::<Node>())
}

fn task_facts(table: Table, facts: &TaskFacts) -> Table {
    let (phase, phase_status) = facts.phase.unzip();
    table
        .maybe("status", facts.status.as_ref().map(word))
        .maybe("stage", facts.stage.as_ref().map(word))
        .maybe("failure", facts.failure.map(|reason| word_in(&expect::REASONS, reason)))
        .maybe("item", facts.item.as_ref().map(item))
        .maybe("phase", phase.as_ref().map(word))
        .maybe("phase_status", phase_status.filter(|status| *status != PhaseStatus::Finished).as_ref().map(word))
        .maybe("rows", facts.rows)
        .maybe("absent", facts.absent)
        .maybe("purchase_required", facts.purchase_required)
        .maybe("precheck_runs", facts.precheck_runs)
}

fn restore_facts(table: Table, facts: &RestoreFacts) -> Table {
    let rows = |rows: &BTreeMap<String, u64>| rows.iter().map(|(table, rows)| (table, *rows)).collect::<Table>();
    // Nothing but an empty table is a fact too.
    let nothing = *facts == RestoreFacts::default();
    table
        .maybe("status", facts.status.as_ref().map(word))
        .maybe("failure", facts.failure.map(|reason| word_in(&logical_facts::REASONS, reason)))
        .maybe("failure_says", facts.failure_says.as_ref())
        .maybe("item", facts.item.as_ref().map(item))
        .only(nothing || !facts.records.is_empty(), "records", rows(&facts.records))
        .only(!facts.skipped.is_empty(), "skipped", rows(&facts.skipped))
        .maybe("listed", facts.listed)
}

fn item(it: &PrecheckFacts) -> Table {
    let result = match it.result {
        PrecheckVerdict::Success => "success",
        PrecheckVerdict::Warning => "warning",
        PrecheckVerdict::Failed => "failed",
        PrecheckVerdict::Shielded => "shielded",
    };
    Table::of("name", word(&it.item))
        .with("result", result)
        .maybe("cause", it.cause.as_ref())
        .maybe("remedy", it.remedy.as_ref())
}
