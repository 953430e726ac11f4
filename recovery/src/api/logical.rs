//! Handlers for logical backup tasks and their sets.

use super::requests::{Asked, MaybeSets, MaybeSource, Named, Order, Wish};
use super::{Answered, Api};
use crate::model::decide::logical::{sets, tasks, views};
use crate::model::logical::views::{
    LogicalBackupTaskList, LogicalBackupTaskView, LogicalRestorable, LogicalSetList, LogicalSetView,
    NewLogicalBackupTask,
};
use crate::model::{SetId, TaskId};
use crate::service::Answer;
use axum::extract::State;
use std::sync::Arc;

/// Lists the logical backup tasks, those of one data source if asked (LOG-20).
#[utoipa::path(get, path = "/v1/logical-backup-tasks", tag = "logical backup",
    params(("source" = Option<String>, Query, description = "Data source")),
    responses((status = 200, description = "Tasks, oldest first", body = LogicalBackupTaskList)))]
pub(super) async fn list(State(api): State<Arc<Api>>, Asked(asked): Asked<MaybeSource>) -> Answered {
    Ok(api.keeper.read(|view| Answer::json(200, &views::list_tasks(view.state, asked.source.as_ref())))?)
}

/// Makes a logical backup task; its first set is begun at once. A log is for MySQL only (LOG-06).
#[utoipa::path(post, path = "/v1/logical-backup-tasks", tag = "logical backup", request_body = NewLogicalBackupTask,
    params(("Idempotency-Key" = String, Header, description = "1 to 64 characters, the same again for the same request")),
    responses((status = 201, description = "The task", body = LogicalBackupTaskView)))]
pub(super) async fn create(State(api): State<Arc<Api>>, order: Order<NewLogicalBackupTask>) -> Answered {
    Ok(api.keeper.once(
        &order.once,
        |ctx| tasks::create(ctx, &order.new),
        |view, id| Answer::json(201, &views::show_task(view.state, id)?),
    )?)
}

/// Shows a logical backup task.
#[utoipa::path(get, path = "/v1/logical-backup-tasks/{id}", tag = "logical backup",
    params(("id" = String, Path, description = "Logical backup task")),
    responses((status = 200, description = "The task", body = LogicalBackupTaskView)))]
pub(super) async fn show(State(api): State<Arc<Api>>, Named(id): Named<TaskId>) -> Answered {
    Ok(api.keeper.read(|view| Answer::json(200, &views::show_task(view.state, &id)?))?)
}

/// Takes another set at once.
#[utoipa::path(post, path = "/v1/logical-backup-tasks/{id}/runs", tag = "logical backup",
    params(
        ("id" = String, Path, description = "Logical backup task"),
        ("Idempotency-Key" = String, Header, description = "1 to 64 characters, the same again for the same request"),
    ),
    responses((status = 202, description = "The set, being taken", body = LogicalSetView)))]
pub(super) async fn run(State(api): State<Arc<Api>>, Named(id): Named<TaskId>, Wish(once): Wish) -> Answered {
    Ok(api.keeper.once(
        &once,
        |ctx| tasks::run(ctx, &id),
        |view, set| Answer::json(202, &views::show_set(view.state, set, view.now)?),
    )?)
}

/// Stops a task for good: what is being taken is given up, no log is collected any more, its sets stay.
#[utoipa::path(post, path = "/v1/logical-backup-tasks/{id}/stop", tag = "logical backup",
    params(("id" = String, Path, description = "Logical backup task")),
    responses((status = 200, description = "The task", body = LogicalBackupTaskView)))]
pub(super) async fn stop(State(api): State<Arc<Api>>, Named(id): Named<TaskId>) -> Answered {
    Ok(api
        .keeper
        .change(|ctx| tasks::stop(ctx, &id), |view, ()| Answer::json(200, &views::show_task(view.state, &id)?))?)
}

/// Shows what can be restored now: seconds of the source's clock, where there is a log, and full sets (LOG-26, LOG-31).
#[utoipa::path(get, path = "/v1/logical-backup-tasks/{id}/restorable", tag = "logical backup",
    params(("id" = String, Path, description = "Logical backup task")),
    responses((status = 200, description = "Times and full sets", body = LogicalRestorable)))]
pub(super) async fn restorable(State(api): State<Arc<Api>>, Named(id): Named<TaskId>) -> Answered {
    Ok(api.keeper.read(|view| Answer::json(200, &sets::restorable(view.state, &id, view.now)?))?)
}

/// Lists the sets, those of one task and of one kind if asked; only completed full ones are restorable (LOG-16).
#[utoipa::path(get, path = "/v1/logical-backup-sets", tag = "logical backup",
    params(
        ("task" = Option<String>, Query, description = "Logical backup task"),
        ("kind" = Option<String>, Query, description = "`structure`, `full` or `log`"),
    ),
    responses((status = 200, description = "Sets, oldest first", body = LogicalSetList)))]
pub(super) async fn list_sets(State(api): State<Arc<Api>>, Asked(asked): Asked<MaybeSets>) -> Answered {
    Ok(api
        .keeper
        .read(|view| Answer::json(200, &views::list_sets(view.state, asked.task.as_ref(), asked.kind, view.now)))?)
}

/// Shows a set and what it holds: the tree to choose objects from (LOG-45).
#[utoipa::path(get, path = "/v1/logical-backup-sets/{id}", tag = "logical backup",
    params(("id" = String, Path, description = "Set")),
    responses((status = 200, description = "The set", body = LogicalSetView)))]
pub(super) async fn show_set(State(api): State<Arc<Api>>, Named(id): Named<SetId>) -> Answered {
    Ok(api.keeper.read(|view| Answer::json(200, &views::show_set(view.state, &id, view.now)?))?)
}
