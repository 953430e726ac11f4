//! Decisions on restore tasks: saved and prechecked, started, deleted (rules.md section 8.4).

use super::{backup_task, check_name, invalid, restore, sets, source};
use crate::model::TaskId;
use crate::model::content::ObjectKind;
use crate::model::decide::{Context, Decided, Decision, refuse, tasks};
use crate::model::logical::backup::{LogicalBackupTask, LogicalSet, SetObject};
use crate::model::logical::restore::{Branch, RestoreMethod, RestoreObjects, RestoreStatus, RestoreTask, TableMapping};
use crate::model::logical::source::DataSource;
use crate::model::logical::views::NewRestore;
use crate::model::precheck::PrecheckRun;
use crate::model::refusal::{Refusal, RefusalCode};
use crate::model::state::{State, StateChange};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// "Save and Precheck" (LOG-47): saves a new task, and its precheck begins.
///
/// # Errors
/// `InvalidParameter`, `InvalidDataSource.NotFound`, `InvalidTaskId.NotFound`, `InvalidTarget.Engine` (LOG-04),
/// `InvalidTarget.Version` (LOG-05), and those of [`sets::choose`].
pub fn create(ctx: &Context<'_>, new: &NewRestore) -> Decided<TaskId> {
    let chosen = check(ctx, new)?;
    let task = asked(TaskId((ctx.new_id)("rst-")), ctx.now, new, chosen);
    let id = task.id.clone();
    Ok(Decision::new(put(checking(ctx, task)), id))
}

/// Changes a task before it starts; saves and prechecks it like a new one.
///
/// # Errors
/// `InvalidTaskId.NotFound`, `OperationDenied.TaskStatus`, and those of [`create`].
pub fn edit(ctx: &Context<'_>, id: &TaskId, new: &NewRestore) -> Decided<()> {
    let task = waiting(ctx, id)?;
    let chosen = check(ctx, new)?;
    let (precheck_runs, epochs) = (task.precheck_runs, task.epochs);
    let task = RestoreTask { precheck_runs, epochs, ..asked(task.id.clone(), task.created_at, new, chosen) };
    Ok(Decision::new(put(checking(ctx, task)), ()))
}

/// Checks again (LOG-49); nothing of an earlier run counts.
///
/// # Errors
/// `InvalidTaskId.NotFound`, `OperationDenied.TaskStatus`.
pub fn precheck(ctx: &Context<'_>, id: &TaskId) -> Decided<()> {
    let task = waiting(ctx, id)?;
    Ok(Decision::new(put(checking(ctx, task.clone())), ()))
}

/// Starts a task whose precheck passed, and no other (LOG-48, C-28).
///
/// # Errors
/// `InvalidTaskId.NotFound`, `OperationDenied.TaskStatus`.
pub fn start(ctx: &Context<'_>, id: &TaskId) -> Decided<()> {
    let task = restore(ctx.state, id)?;
    if task.status != RestoreStatus::CheckPassed {
        return wrong_status(task, "it starts only once its precheck has passed, and only once");
    }
    let stale = task.precheck.as_ref().map(|run| run.stale(&configuration(ctx.state, task))).unwrap_or_default();
    if !stale.is_empty() {
        let what = stale.join(" and ");
        return wrong_status(task, &format!("{what} changed since its precheck, which is stale: check again"));
    }
    let status = RestoreStatus::Running;
    let task = RestoreTask { status, started_at: Some(ctx.now), lease: None, ..task.clone() };
    Ok(Decision::new(put(task), ()))
}

/// Deletes a task that does not run; what it restored stays.
///
/// # Errors
/// `InvalidTaskId.NotFound`, `OperationDenied.TaskStatus`.
pub fn delete(ctx: &Context<'_>, id: &TaskId) -> Decided<()> {
    let task = restore(ctx.state, id)?;
    if task.status == RestoreStatus::Running {
        return wrong_status(task, "wait until it ends");
    }
    Ok(Decision::new(vec![StateChange::DropRestore(id.clone())], ()))
}

/// A task as it was asked for, with nothing done yet.
fn asked(id: TaskId, created_at: Timestamp, new: &NewRestore, chosen: sets::Chosen<'_>) -> RestoreTask {
    RestoreTask {
        id,
        name: new.name.clone(),
        source: new.source.clone(),
        backup_task: new.backup_task.clone(),
        method: new.recovery.clone(),
        set: chosen.set.id.clone(),
        logs: chosen.logs,
        target: new.target.clone(),
        types: new.types.clone(),
        objects: new.objects.clone(),
        mapping: new.mapping.clone(),
        structure_conflict: new.structure_conflict,
        data_conflict: new.data_conflict,
        status: RestoreStatus::Checking,
        precheck: None,
        precheck_runs: 0,
        details: Vec::new(),
        planned: false,
        failure: None,
        lease: None,
        epochs: 0,
        created_at,
        started_at: None,
        ended_at: None,
    }
}

fn put(task: RestoreTask) -> Vec<StateChange> {
    vec![StateChange::Restore(Box::new(task))]
}

fn wrong_status<T>(task: &RestoreTask, wanted: &str) -> Result<T, Refusal> {
    refuse(RefusalCode::TaskStatus, format!("restore task {} is {:?}; {wanted}", task.id, task.status))
}

/// A task that neither is being checked nor was started.
fn waiting<'a>(ctx: &Context<'a>, id: &TaskId) -> Result<&'a RestoreTask, Refusal> {
    let task = restore(ctx.state, id)?;
    match task.status {
        RestoreStatus::CheckFailed | RestoreStatus::CheckPassed => Ok(task),
        _ => wrong_status(task, "it can be changed and checked again only before it starts, while no precheck runs"),
    }
}

/// The task with a new precheck run at its beginning.
fn checking(ctx: &Context<'_>, task: RestoreTask) -> RestoreTask {
    let number = task.precheck_runs + 1;
    let run = PrecheckRun::begin(number, ctx.now, configuration(ctx.state, &task));
    RestoreTask { status: RestoreStatus::Checking, precheck: Some(run), precheck_runs: number, lease: None, ..task }
}

/// What a precheck of the task is computed for: whatever it is asked for is checked as soon as it is saved, so that only
/// its target can become another one.
pub(super) fn configuration(state: &State, task: &RestoreTask) -> BTreeMap<String, String> {
    let target = state.sources.get(&task.target);
    let instance = target.and_then(|target| state.instances.get(&target.instance));
    let product = instance.map_or_else(|| "gone".to_owned(), |instance| instance.product.to_string());
    [("target".to_owned(), product), ("target settings".to_owned(), tasks::settings(instance))].into()
}

/// Checks what was asked for and chooses the sets that are read.
fn check<'a>(ctx: &Context<'a>, new: &NewRestore) -> Result<sets::Chosen<'a>, Refusal> {
    check_name(ctx, &new.name)?;
    if new.types.is_empty() {
        return invalid("types is empty; choose structure, full or both (LOG-35)");
    }
    check_tree(&new.objects)?;
    check_names(&new.mapping)?;
    let source = source(ctx.state, &new.source)?;
    let target = super::source(ctx.state, &new.target)?;
    let task = backup_task(ctx.state, &new.backup_task)?;
    if task.source != source.id {
        let detail = format!("backup task {} backs up data source {}, not {}", task.id, task.source, source.id);
        return invalid(detail);
    }
    check_engine(task, target)?;
    let chosen = sets::choose(ctx, task, &new.recovery)?;
    check_version(chosen.set, target)?;
    // By point in time there may be objects that were made after the full set.
    if matches!(new.recovery, RestoreMethod::BackupSet { .. }) {
        check_held(chosen.set, new)?;
    }
    check_collisions(chosen.set, new)?;
    Ok(chosen)
}

/// A tree of custom objects has branches, each with a database, and a kind where it names an object (LOG-45).
fn check_tree(objects: &RestoreObjects) -> Result<(), Refusal> {
    let RestoreObjects::Custom { branches } = objects else { return Ok(()) };
    if branches.is_empty() {
        return invalid("objects.branches is empty; choose at least one, or all");
    }
    for Branch { database, kind, name } in branches {
        if database.trim().is_empty() || name.as_ref().is_some_and(|name| name.trim().is_empty()) {
            return invalid("objects.branches holds an empty name");
        }
        if let (None, Some(name)) = (kind, name) {
            return invalid(format!("objects.branches names {database}.{name} without its kind"));
        }
    }
    Ok(())
}

/// A mapping names each table once, and no two tables of a database alike (LOG-46).
fn check_names(mapping: &[TableMapping]) -> Result<(), Refusal> {
    let (mut tables, mut names) = (BTreeSet::new(), BTreeSet::new());
    for TableMapping { database, table, table_as } in mapping {
        if [database, table, table_as].iter().any(|name| name.trim().is_empty()) {
            return invalid(format!("mapping holds an empty name for {database}.{table}"));
        }
        if !tables.insert((database, table)) {
            return invalid(format!("mapping names table {database}.{table} twice"));
        }
        if !names.insert((database, table_as)) {
            return invalid(format!("mapping names two tables of {database} {table_as}"));
        }
    }
    Ok(())
}

/// The target is of the engine of the backup (LOG-04).
fn check_engine(task: &LogicalBackupTask, target: &DataSource) -> Result<(), Refusal> {
    let (backup, engine) = (task.product.engine, target.product.engine);
    if backup == engine {
        return Ok(());
    }
    let detail = format!("target {} is {engine}, but the backup is of {backup}; both need the same engine", target.id);
    refuse(RefusalCode::TargetEngine, detail)
}

/// The target is of the backup's version or a later one (LOG-05).
fn check_version(set: &LogicalSet, target: &DataSource) -> Result<(), Refusal> {
    if target.product.version >= set.product.version {
        return Ok(());
    }
    let (backup, version) = (set.product.version.word(), target.product.version.word());
    let detail =
        format!("target {} is of version {version}, the backup of {backup}; the target's may not be lower", target.id);
    refuse(RefusalCode::TargetVersion, detail)
}

/// What is named is in the backup.
fn check_held(set: &LogicalSet, new: &NewRestore) -> Result<(), Refusal> {
    let holds = |database: &str, kind: ObjectKind, name: &str| {
        set.objects.iter().any(|object| object.database == database && object.kind == kind && object.name == name)
    };
    if let RestoreObjects::Custom { branches } = &new.objects {
        for branch in branches {
            if let (database, Some(kind), Some(name)) = (&branch.database, branch.kind, &branch.name)
                && !holds(database, kind, name)
            {
                return invalid(format!("backup set {} holds no {kind:?} {database}.{name}", set.id));
            }
        }
    }
    match new.mapping.iter().find(|mapping| !holds(&mapping.database, ObjectKind::Table, &mapping.table)) {
        None => Ok(()),
        Some(TableMapping { database, table, .. }) => {
            invalid(format!("mapping names table {database}.{table}, which backup set {} does not hold", set.id))
        }
    }
}

/// No table gets the name of another that is restored beside it: both would be one.
fn check_collisions(set: &LogicalSet, new: &NewRestore) -> Result<(), Refusal> {
    let is_mapped = |database: &str, table: &str| {
        new.mapping.iter().any(|mapping| mapping.database == database && mapping.table == table)
    };
    let stands = |object: &SetObject, mapping: &TableMapping| {
        object.kind == ObjectKind::Table
            && (&object.database, &object.name) == (&mapping.database, &mapping.table_as)
            && !is_mapped(&object.database, &object.name)
            && is_chosen(&new.objects, object)
    };
    match new.mapping.iter().find(|mapping| set.objects.iter().any(|object| stands(object, mapping))) {
        None => Ok(()),
        Some(TableMapping { database, table, table_as }) => invalid(format!(
            "mapping names {database}.{table} {table_as}, but table {database}.{table_as} is restored under that name"
        )),
    }
}

fn is_chosen(objects: &RestoreObjects, object: &SetObject) -> bool {
    let RestoreObjects::Custom { branches } = objects else { return true };
    branches.iter().any(|branch| {
        branch.database == object.database
            && branch.kind.is_none_or(|kind| kind == object.kind)
            && branch.name.as_ref().is_none_or(|name| *name == object.name)
    })
}

#[cfg(test)]
#[path = "restores_tests.rs"]
mod tests;
