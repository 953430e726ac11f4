//! What answers show of logical backup and restore, without any password.

use super::{backup_task, restore, restores, sets, source};
use crate::model::logical::backup::{LogicalBackupTask, LogicalSet, SetKind};
use crate::model::logical::restore::{RestoreStatus, RestoreTask};
use crate::model::logical::source::DataSource;
use crate::model::logical::views::{
    DataSourceList, DataSourceView, LogicalBackupTaskList, LogicalBackupTaskView, LogicalSetList, LogicalSetView,
    RestoreList, RestoreView,
};
use crate::model::precheck::PrecheckRun;
use crate::model::refusal::Refusal;
use crate::model::state::State;
use crate::model::{DataSourceId, SetId, TaskId};
use jiff::Timestamp;

/// A data source as answers show it.
///
/// # Errors
/// `InvalidDataSource.NotFound`.
pub fn show_source(state: &State, id: &DataSourceId) -> Result<DataSourceView, Refusal> {
    source(state, id).map(source_view)
}

fn source_view(source: &DataSource) -> DataSourceView {
    DataSourceView {
        id: source.id.clone(),
        name: source.name.clone(),
        instance_id: source.instance.clone(),
        product: source.product,
        account: source.account.clone(),
        connection: source.connection,
        created_at: source.created_at,
    }
}

/// The data sources, oldest first.
#[must_use]
pub fn list_sources(state: &State) -> DataSourceList {
    let mut sources: Vec<&DataSource> = state.sources.values().collect();
    sources.sort_by_key(|source| (source.created_at, &source.id));
    DataSourceList { data_sources: sources.into_iter().map(source_view).collect() }
}

/// A backup task as answers show it.
///
/// # Errors
/// `InvalidTaskId.NotFound`.
pub fn show_task(state: &State, id: &TaskId) -> Result<LogicalBackupTaskView, Refusal> {
    backup_task(state, id).map(task_view)
}

fn task_view(task: &LogicalBackupTask) -> LogicalBackupTaskView {
    LogicalBackupTaskView {
        id: task.id.clone(),
        name: task.name.clone(),
        source: task.source.clone(),
        product: task.product,
        backup_type: task.backup_type,
        databases: task.databases.clone(),
        schedule: task.schedule.clone(),
        retention_days: task.retention_days,
        state: task.state,
        running: task.running.clone(),
        created_at: task.created_at,
    }
}

/// The backup tasks, those of one data source if asked (LOG-20), oldest first.
#[must_use]
pub fn list_tasks(state: &State, source: Option<&DataSourceId>) -> LogicalBackupTaskList {
    let wanted = |task: &&LogicalBackupTask| source.is_none_or(|source| *source == task.source);
    let mut tasks: Vec<&LogicalBackupTask> = state.logical_tasks.values().filter(wanted).collect();
    tasks.sort_by_key(|task| (task.created_at, &task.id));
    LogicalBackupTaskList { tasks: tasks.into_iter().map(task_view).collect() }
}

/// A set as answers show it.
///
/// # Errors
/// `InvalidBackupSet.NotFound`, also once its retention has passed.
pub fn show_set(state: &State, id: &SetId, now: Timestamp) -> Result<LogicalSetView, Refusal> {
    sets::find(state, id, now).map(|set| set_view(set, now))
}

fn set_view(set: &LogicalSet, now: Timestamp) -> LogicalSetView {
    LogicalSetView {
        id: set.id.clone(),
        task: set.task.clone(),
        source: set.source.clone(),
        product: set.product,
        kind: set.kind,
        status: set.status,
        restorable: sets::is_restorable(set, now),
        began_at: set.began_at,
        ended_at: set.ended_at,
        from: set.from,
        to: set.to,
        objects: set.objects.clone(),
        size_bytes: set.size_bytes,
        failure: set.failure.clone(),
    }
}

/// The sets whose retention has not passed, those of one task and of one kind if asked, oldest first.
#[must_use]
pub fn list_sets(state: &State, task: Option<&TaskId>, kind: Option<SetKind>, now: Timestamp) -> LogicalSetList {
    let wanted = |set: &&LogicalSet| {
        sets::is_kept(set, now) && task.is_none_or(|task| *task == set.task) && kind.is_none_or(|kind| kind == set.kind)
    };
    let mut found: Vec<&LogicalSet> = state.sets.values().filter(wanted).collect();
    found.sort_by_key(|set| (set.began_at, set.kind, &set.id));
    LogicalSetList { sets: found.into_iter().map(|set| set_view(set, now)).collect() }
}

/// A restore task as answers show it.
///
/// # Errors
/// `InvalidTaskId.NotFound`.
pub fn show_restore(state: &State, id: &TaskId) -> Result<RestoreView, Refusal> {
    restore(state, id).map(|task| restore_view(state, task))
}

fn restore_view(state: &State, task: &RestoreTask) -> RestoreView {
    let waits = matches!(task.status, RestoreStatus::CheckFailed | RestoreStatus::CheckPassed);
    let stale = |run: &PrecheckRun| run.stale(&restores::configuration(state, task));
    RestoreView {
        id: task.id.clone(),
        name: task.name.clone(),
        source: task.source.clone(),
        backup_task: task.backup_task.clone(),
        recovery: task.method.clone(),
        backup_set: task.set.clone(),
        target: task.target.clone(),
        types: task.types.clone(),
        objects: task.objects.clone(),
        mapping: task.mapping.clone(),
        structure_conflict: task.structure_conflict,
        data_conflict: task.data_conflict,
        status: task.status,
        precheck: task.precheck.clone(),
        precheck_stale: task.precheck.as_ref().filter(|_| waits).map(stale).unwrap_or_default(),
        details: task.details.clone(),
        failure: task.failure.clone(),
        created_at: task.created_at,
        started_at: task.started_at,
        ended_at: task.ended_at,
    }
}

/// The restore tasks, oldest first (LOG-53).
#[must_use]
pub fn list_restores(state: &State) -> RestoreList {
    let mut tasks: Vec<&RestoreTask> = state.restores.values().collect();
    tasks.sort_by_key(|task| (task.created_at, &task.id));
    RestoreList { tasks: tasks.into_iter().map(|task| restore_view(state, task)).collect() }
}
