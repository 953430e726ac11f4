//! Logical backup and restore, and Redis backups.

use super::restore::point;
use super::steps::refused;
use super::{word, word_in, words};
use crate::logical::{
    DataSourceStep, LogicalBackupStep, LogicalTaskRequest, LogicalTaskStep, RecoverStep, RestoreEnd, RestoreRequest,
    RestoreStep, RestoreTaskStep, RestoreUntil, SetEnd, SourceName,
};
use crate::lower::book::Book;
use crate::lower::logical::{ENDS, UNTIL, default_service_name, default_type};
use crate::lower::steps::AT_MOST;
use crate::time::written;
use crate::tree::{Node, Table};
use recovery::model::logical::restore::{
    Branch, DataConflict, RestoreObjects, RestoreType, StructureConflict, TableMapping,
};
use recovery::model::task::ConnectionMode;

pub(super) fn data_source(step: &DataSourceStep, book: &Book) -> Table {
    let usual = default_service_name(step.name.as_ref().unwrap_or(&step.instance));
    let table = Table::of("instance", &step.instance).maybe("as", step.name.as_ref()).only(
        step.service_name != usual,
        "name",
        &step.service_name,
    );
    let table = super::login(table, &step.instance, &step.login, book);
    refused(table.only(step.connection != ConnectionMode::Plain, "connection", word(&step.connection)), step.refused)
}

fn source(it: &SourceName) -> &str {
    match it {
        SourceName::Registered(name) | SourceName::Unknown(name) => name,
        SourceName::Instance { instance, .. } => instance,
    }
}

pub(super) fn backup(step: &LogicalBackupStep, book: &Book) -> Table {
    let of = source(&step.of);
    let usual = default_service_name(step.name.as_deref().unwrap_or(of));
    let schedule = step.schedule.as_ref().map(|(days, hour)| Table::of("weekdays", words(days)).with("hour", *hour));
    let table = Table::of("of", of)
        .maybe("as", step.name.as_ref())
        .only(step.service_name != usual, "name", &step.service_name)
        .only(step.backup_type != default_type(book.engine_of(&step.of)), "type", word(&step.backup_type))
        .only(!step.databases.is_empty(), "databases", step.databases.iter().collect::<Node>())
        .maybe("schedule", schedule)
        .maybe("retention_days", step.retention_days);
    set_end(refused(table, step.refused), step.wait, step.ends)
}

fn set_end(table: Table, wait: bool, ends: SetEnd) -> Table {
    table.only(!wait, "wait", false).only(ends == SetEnd::Failed, "ends", "failed")
}

pub(super) fn task(step: &LogicalTaskStep) -> Table {
    let table = Table::of("of", &step.of);
    match &step.request {
        LogicalTaskRequest::Stop => refused(table.with("do", "stop"), step.refused),
        LogicalTaskRequest::Run { name, wait, ends } => {
            set_end(refused(table.with("do", "run").maybe("as", name.as_ref()), step.refused), *wait, *ends)
        }
    }
}

pub(super) fn restore(step: &RestoreStep, book: &Book) -> Table {
    let otherwise = format!("restore of {}", step.task);
    let usual = default_service_name(step.name.as_ref().unwrap_or(&otherwise));
    let table = Table::of("task", &step.task).maybe("of", step.of.as_ref().map(source));
    let table = point(table, &step.point, book).with("into", source(&step.into)).maybe("as", step.name.as_ref()).only(
        step.service_name != usual,
        "name",
        &step.service_name,
    );
    let objects = match &step.objects {
        RestoreObjects::All => None,
        RestoreObjects::Custom { branches } => Some(branches.iter().map(branch).collect::<Node>()),
    };
    let mapping: Table = step.mapping.iter().map(|it| (mapped(it), &it.table_as)).collect();
    let table = table
        .only(step.types != [RestoreType::Structure, RestoreType::Full].into(), "types", words(&step.types))
        .maybe("objects", objects)
        .only(!step.mapping.is_empty(), "mapping", mapping)
        .only(step.structure_conflict != StructureConflict::Stop, "structure_conflict", word(&step.structure_conflict))
        .only(step.data_conflict != DataConflict::Stop, "data_conflict", word(&step.data_conflict))
        .only(step.until != RestoreUntil::Finished, "until", word_in(&UNTIL, step.until))
        .only(step.ends != RestoreEnd::Completed, "ends", word_in(&ENDS, step.ends));
    refused(table, step.refused).only(step.covered != step.refused.is_none(), "covered", step.covered).only(
        step.at_most != AT_MOST,
        "at_most",
        written(step.at_most),
    )
}

/// `app`, `app.table`, `app.table.orders`.
fn branch(it: &Branch) -> String {
    let kind = it.kind.as_ref().map(word);
    let parts = [kind, it.name.as_deref().map(Node::from)].into_iter().flatten();
    parts.fold(it.database.clone(), |text, part| match part {
        Node::Text(part) => format!("{text}.{part}"),
        _ => text,
    })
}

fn mapped(it: &TableMapping) -> String {
    if it.database == "app" { it.table.clone() } else { format!("{}.{}", it.database, it.table) }
}

pub(super) fn restore_task(step: &RestoreTaskStep) -> Table {
    let request = match step.request {
        RestoreRequest::Precheck => "precheck",
        RestoreRequest::Start => "start",
        RestoreRequest::Delete => "delete",
    };
    refused(Table::of("of", &step.of).with("do", request), step.refused)
}

pub(super) fn recover(step: &RecoverStep) -> Table {
    let table = Table::of("instance", &step.instance).maybe("set", step.set.as_ref());
    refused(table.only(!step.confirm, "confirm", false), step.refused).only(!step.wait, "wait", false)
}
