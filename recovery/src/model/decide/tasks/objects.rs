//! The choice of types and objects of a task.

use super::{changed, configurable, has_reached};
use crate::model::decide::{Context, Decided, refuse};
use crate::model::instance::{Instance, Origin};
use crate::model::refusal::{Refusal, RefusalCode};
use crate::model::task::{MigrationType, PhaseStatus, Selection, Stage, Task, TaskStatus};
use crate::model::views::TaskObjects;
use crate::model::{Engine, TaskId};
use std::collections::BTreeSet;

/// Chooses types and objects (TMP-39, TMP-40). No earlier precheck and no shield counts any more (C-07). Between Redis instances whole
/// logical databases move, and there is no structure phase (prechecks.md 5.2).
///
/// # Errors
/// `InvalidTaskId.NotFound`, `OperationDenied.TaskStatus`, `OperationDenied.TaskStep` (TMP-38), `InvalidParameter`.
pub fn select(ctx: &Context<'_>, id: &TaskId, chosen: &TaskObjects) -> Decided<()> {
    let task = configurable(ctx, id)?;
    has_reached(task, Stage::Authorised, "authorise the whitelists")?;
    if chosen.types.is_empty() {
        return invalid("no type is chosen; choose structure, full or incremental, or several");
    }
    if let Some(item) = chosen.without_advice.iter().find(|item| !item.is_advisory()) {
        return invalid(format!("{item} is no advice; only advisory precheck items can be left out"));
    }
    check(&chosen.objects)?;
    let source = ctx.state.instances.get(&task.source.instance);
    if source.is_some_and(|source| source.product.engine == Engine::Redis) {
        check_redis(chosen)?;
    }
    if task.source.instance == task.target.instance || source.is_some_and(|source| follows(source, task)) {
        check_apart(&chosen.objects)?;
    }
    let after = Task {
        types: chosen.types.clone(),
        objects: chosen.objects.clone(),
        same_name: chosen.same_name,
        without_advice: chosen.without_advice.clone(),
        phases: chosen.types.iter().map(|phase| (*phase, PhaseStatus::NotStarted)).collect(),
        stage: Stage::Selected,
        status: TaskStatus::NotStarted,
        shields: BTreeSet::new(),
        ..task.clone()
    };
    changed(ctx, task, after)
}

fn invalid<T>(detail: impl Into<String>) -> Result<T, Refusal> {
    refuse(RefusalCode::InvalidParameter, detail)
}

fn check(objects: &[Selection]) -> Result<(), Refusal> {
    if objects.is_empty() {
        return invalid("no object is chosen; choose at least one database or table");
    }
    let whole: BTreeSet<&str> =
        objects.iter().filter(|object| object.table.is_none()).map(|object| object.database.as_str()).collect();
    let (mut sources, mut targets) = (BTreeSet::new(), BTreeSet::new());
    for object in objects {
        check_names(object)?;
        check_columns(object)?;
        if !sources.insert((&object.database, &object.table)) {
            return invalid(format!("{} is chosen twice", written(object)));
        }
        let Some(table) = &object.table else { continue };
        if whole.contains(object.database.as_str()) {
            return invalid(format!("{} is chosen, and the whole database too; choose one of them", written(object)));
        }
        let target = (object.target_database(), object.table_as.as_ref().unwrap_or(table));
        if !targets.insert(target) {
            return invalid(format!("{} and another table get the name {}.{}", written(object), target.0, target.1));
        }
    }
    Ok(())
}

/// Whether the source has the target's content at all times, as its read-only or disaster recovery instance.
fn follows(source: &Instance, task: &Task) -> bool {
    let (Origin::ReadOnly { master } | Origin::DisasterRecovery { master }) = &source.origin else { return false };
    *master == task.target.instance
}

/// Source and target hold the same tables (DTS-18), so each chosen one needs another name: read while it is written to, a
/// table without a key would grow for ever.
fn check_apart(objects: &[Selection]) -> Result<(), Refusal> {
    let itself = |object: &&Selection| {
        let table = object.table_as.is_none() || object.table_as == object.table;
        object.target_database() == object.database && table
    };
    let Some(object) = objects.iter().find(itself) else { return Ok(()) };
    invalid(format!(
        "{} would be copied onto itself; source and target are one and the same, so give it another name",
        written(object)
    ))
}

/// Logical databases of a Redis instance.
const LOGICAL_DATABASES: u8 = 16;

fn check_redis(chosen: &TaskObjects) -> Result<(), Refusal> {
    if chosen.types.contains(&MigrationType::Structure) {
        return invalid("Redis has no structure to migrate; choose full or incremental, or both");
    }
    let is_logical = |name: &str| (0..LOGICAL_DATABASES).any(|number| number.to_string() == name);
    let mut targets = BTreeSet::new();
    for object in &chosen.objects {
        if object.table.is_some() {
            return invalid(format!("{} is chosen; between Redis instances whole databases move", written(object)));
        }
        let names = [object.database.as_str(), object.target_database()];
        if let Some(other) = names.into_iter().find(|name| !is_logical(name)) {
            let last = LOGICAL_DATABASES - 1;
            return invalid(format!("'{other}' is no logical database of Redis; those are 0 to {last}"));
        }
        if !targets.insert(object.target_database()) {
            return invalid(format!("{} and another one go to database {}", written(object), object.target_database()));
        }
    }
    Ok(())
}

fn written(object: &Selection) -> String {
    match &object.table {
        Some(table) => format!("table {}.{table}", object.database),
        None => format!("database {}", object.database),
    }
}

fn check_names(object: &Selection) -> Result<(), Refusal> {
    let given = [Some(&object.database), object.table.as_ref(), object.database_as.as_ref(), object.table_as.as_ref()];
    if given.into_iter().flatten().any(|name| name.trim().is_empty()) {
        return invalid(format!("{} has an empty name; leave a field out instead", written(object)));
    }
    let is_of_table = object.table_as.is_some() || object.columns.is_some() || !object.columns_as.is_empty();
    if object.table.is_none() && is_of_table {
        return invalid(format!("{} has table_as or columns, which only a table has", written(object)));
    }
    Ok(())
}

fn check_columns(object: &Selection) -> Result<(), Refusal> {
    let columns = object.columns.as_deref().unwrap_or_default();
    if object.columns.is_some() && columns.is_empty() {
        return invalid(format!("no column of {} is chosen; leave columns out for all", written(object)));
    }
    let distinct: BTreeSet<&String> = columns.iter().collect();
    if distinct.len() < columns.len() {
        return invalid(format!("a column of {} is chosen twice", written(object)));
    }
    let mut names = columns.iter().chain(object.columns_as.keys()).chain(object.columns_as.values());
    if names.any(|name| name.trim().is_empty()) {
        return invalid(format!("a column of {} has an empty name", written(object)));
    }
    if let Some(other) = object.columns_as.keys().find(|name| object.columns.is_some() && !distinct.contains(name)) {
        return invalid(format!("column {other} of {} is renamed but not chosen", written(object)));
    }
    let renamed = columns.iter().map(|name| object.columns_as.get(name).unwrap_or(name));
    let without_list = object.columns_as.values().filter(|_| object.columns.is_none());
    let mut targets = BTreeSet::new();
    match renamed.chain(without_list).find(|name| !targets.insert(*name)) {
        Some(twice) => invalid(format!("two columns of {} get the name {twice}", written(object))),
        None => Ok(()),
    }
}
