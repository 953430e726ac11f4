//! Handlers for restore tasks.

use super::requests::{Named, Order, Sent};
use super::{Answered, Api};
use crate::model::TaskId;
use crate::model::decide::logical::{restores, views};
use crate::model::decide::{Context, Decided};
use crate::model::logical::views::{NewRestore, RestoreList, RestoreView};
use crate::service::Answer;
use axum::extract::State;
use std::sync::Arc;

/// Lists the restore tasks (LOG-53).
#[utoipa::path(get, path = "/v1/restore-tasks", tag = "restore",
    responses((status = 200, description = "Tasks, oldest first", body = RestoreList)))]
pub(super) async fn list(State(api): State<Arc<Api>>) -> Answered {
    Ok(api.keeper.read(|view| Answer::json(200, &views::list_restores(view.state)))?)
}

/// Saves a restore task; its precheck begins (LOG-47).
#[utoipa::path(post, path = "/v1/restore-tasks", tag = "restore", request_body = NewRestore,
    params(("Idempotency-Key" = String, Header, description = "1 to 64 characters, the same again for the same request")),
    responses((status = 201, description = "The task", body = RestoreView)))]
pub(super) async fn create(State(api): State<Arc<Api>>, order: Order<NewRestore>) -> Answered {
    Ok(api.keeper.once(
        &order.once,
        |ctx| restores::create(ctx, &order.new),
        |view, id| Answer::json(201, &views::show_restore(view.state, id)?),
    )?)
}

/// Shows a restore task with its details by object (LOG-52).
#[utoipa::path(get, path = "/v1/restore-tasks/{id}", tag = "restore",
    params(("id" = String, Path, description = "Restore task")),
    responses((status = 200, description = "The task", body = RestoreView)))]
pub(super) async fn show(State(api): State<Arc<Api>>, Named(id): Named<TaskId>) -> Answered {
    Ok(api.keeper.read(|view| Answer::json(200, &views::show_restore(view.state, &id)?))?)
}

/// Changes a task that was not started, saves it and prechecks it anew (LOG-47).
#[utoipa::path(put, path = "/v1/restore-tasks/{id}", tag = "restore", request_body = NewRestore,
    params(("id" = String, Path, description = "Restore task")),
    responses((status = 200, description = "The task", body = RestoreView)))]
pub(super) async fn edit(
    State(api): State<Arc<Api>>,
    Named(id): Named<TaskId>,
    Sent(new): Sent<NewRestore>,
) -> Answered {
    step(&api, &id, |ctx| restores::edit(ctx, &id, &new))
}

/// Deletes a task that does not run; what it restored stays.
#[utoipa::path(delete, path = "/v1/restore-tasks/{id}", tag = "restore",
    params(("id" = String, Path, description = "Restore task")),
    responses((status = 204, description = "Deleted")))]
pub(super) async fn delete(State(api): State<Arc<Api>>, Named(id): Named<TaskId>) -> Answered {
    Ok(api.keeper.change(|ctx| restores::delete(ctx, &id), |_, ()| Ok(Answer::empty()))?)
}

/// Checks again, after a repair (LOG-49).
#[utoipa::path(post, path = "/v1/restore-tasks/{id}/precheck", tag = "restore",
    params(("id" = String, Path, description = "Restore task")),
    responses((status = 200, description = "The task", body = RestoreView)))]
pub(super) async fn precheck(State(api): State<Arc<Api>>, Named(id): Named<TaskId>) -> Answered {
    step(&api, &id, |ctx| restores::precheck(ctx, &id))
}

/// Starts the restore; only a task whose precheck passed can be started, warnings or not (LOG-48, LOG-50).
#[utoipa::path(post, path = "/v1/restore-tasks/{id}/start", tag = "restore",
    params(("id" = String, Path, description = "Restore task")),
    responses((status = 200, description = "The task, running", body = RestoreView)))]
pub(super) async fn start(State(api): State<Arc<Api>>, Named(id): Named<TaskId>) -> Answered {
    step(&api, &id, |ctx| restores::start(ctx, &id))
}

/// Takes one step of a task and answers with the task as it is then.
fn step(api: &Api, id: &TaskId, decision: impl FnOnce(&Context<'_>) -> Decided<()>) -> Answered {
    Ok(api.keeper.change(decision, |view, ()| Answer::json(200, &views::show_restore(view.state, id)?))?)
}
