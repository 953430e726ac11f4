//! Handlers for migration tasks and for what is charged.

use super::requests::{Asked, MaybeSubject, Named, Order, Sent};
use super::{Answered, Api, settle};
use crate::model::TaskId;
use crate::model::decide::{Context, Decided, tasks, views};
use crate::model::views::{ChargeList, NewTask, Purchase, Shields, TaskList, TaskObjects, TaskView};
use crate::service::Answer;
use axum::extract::State;
use std::sync::Arc;

/// Lists the tasks.
#[utoipa::path(get, path = "/v1/migration-tasks", tag = "migration",
    responses((status = 200, description = "Tasks", body = TaskList)))]
pub(super) async fn list(State(api): State<Arc<Api>>) -> Answered {
    Ok(api.keeper.read(|view| Answer::json(200, &views::list_tasks(view.state, view.now)))?)
}

/// Makes a task from its name, source and target.
#[utoipa::path(post, path = "/v1/migration-tasks", tag = "migration", request_body = NewTask,
    params(("Idempotency-Key" = String, Header, description = "1 to 64 characters, the same again for the same request")),
    responses((status = 201, description = "The task", body = TaskView)))]
pub(super) async fn create(State(api): State<Arc<Api>>, order: Order<NewTask>) -> Answered {
    let decision = api.keeper.once(&order.once, |ctx| tasks::create(ctx, &order.new), |view, id| view.task(201, id));
    Ok(decision?)
}

/// Shows a task.
#[utoipa::path(get, path = "/v1/migration-tasks/{id}", tag = "migration",
    params(("id" = String, Path, description = "Task")),
    responses((status = 200, description = "The task", body = TaskView)))]
pub(super) async fn show(State(api): State<Arc<Api>>, Named(id): Named<TaskId>) -> Answered {
    Ok(api.keeper.read(|view| view.task(200, &id))?)
}

/// Changes name, source and target.
#[utoipa::path(put, path = "/v1/migration-tasks/{id}", tag = "migration", request_body = NewTask,
    params(("id" = String, Path, description = "Task")),
    responses((status = 200, description = "The task", body = TaskView)))]
pub(super) async fn edit(State(api): State<Arc<Api>>, Named(id): Named<TaskId>, Sent(new): Sent<NewTask>) -> Answered {
    step(&api, &id, |ctx| tasks::edit(ctx, &id, &new))
}

/// Deletes a task; what it migrated stays.
#[utoipa::path(delete, path = "/v1/migration-tasks/{id}", tag = "migration",
    params(("id" = String, Path, description = "Task")),
    responses((status = 204, description = "Deleted")))]
pub(super) async fn delete(State(api): State<Arc<Api>>, Named(id): Named<TaskId>) -> Answered {
    Ok(api.keeper.change(|ctx| tasks::delete(ctx, &id), |_, ()| Ok(Answer::empty()))?)
}

/// Chooses types and objects.
#[utoipa::path(put, path = "/v1/migration-tasks/{id}/objects", tag = "migration", request_body = TaskObjects,
    params(("id" = String, Path, description = "Task")),
    responses((status = 200, description = "The task", body = TaskView)))]
pub(super) async fn select(
    State(api): State<Arc<Api>>,
    Named(id): Named<TaskId>,
    Sent(objects): Sent<TaskObjects>,
) -> Answered {
    step(&api, &id, |ctx| tasks::select(ctx, &id, &objects))
}

/// Puts the migration servers on the whitelists of both sides. A side that cannot be reached gets them later.
#[utoipa::path(post, path = "/v1/migration-tasks/{id}/authorise", tag = "migration",
    params(("id" = String, Path, description = "Task")),
    responses((status = 200, description = "The task", body = TaskView)))]
pub(super) async fn authorise(State(api): State<Arc<Api>>, Named(id): Named<TaskId>) -> Answered {
    let mut sides = Vec::new();
    let answer = api.keeper.change(
        |ctx| tasks::authorise(ctx, &id),
        |view, instances| {
            sides.clone_from(instances);
            view.task(200, &id)
        },
    )?;
    settle::push(&api, &sides).await?;
    Ok(answer)
}

/// Runs the precheck.
#[utoipa::path(post, path = "/v1/migration-tasks/{id}/precheck", tag = "migration",
    params(("id" = String, Path, description = "Task")),
    responses((status = 200, description = "The task", body = TaskView)))]
pub(super) async fn precheck(State(api): State<Arc<Api>>, Named(id): Named<TaskId>) -> Answered {
    step(&api, &id, |ctx| tasks::precheck(ctx, &id))
}

/// Says OK after a passed precheck.
#[utoipa::path(post, path = "/v1/migration-tasks/{id}/confirm", tag = "migration",
    params(("id" = String, Path, description = "Task")),
    responses((status = 200, description = "The task", body = TaskView)))]
pub(super) async fn confirm(State(api): State<Arc<Api>>, Named(id): Named<TaskId>) -> Answered {
    step(&api, &id, |ctx| tasks::confirm(ctx, &id))
}

/// Shields precheck items, or takes their shields away again.
#[utoipa::path(put, path = "/v1/migration-tasks/{id}/shields", tag = "migration", request_body = Shields,
    params(("id" = String, Path, description = "Task")),
    responses((status = 200, description = "The task", body = TaskView)))]
pub(super) async fn shield(
    State(api): State<Arc<Api>>,
    Named(id): Named<TaskId>,
    Sent(shields): Sent<Shields>,
) -> Answered {
    step(&api, &id, |ctx| tasks::shield(ctx, &id, &shields))
}

/// Buys the task, with the terms of service ticked.
#[utoipa::path(post, path = "/v1/migration-tasks/{id}/purchase", tag = "migration", request_body = Purchase,
    params(("id" = String, Path, description = "Task")),
    responses((status = 200, description = "The task", body = TaskView)))]
pub(super) async fn purchase(
    State(api): State<Arc<Api>>,
    Named(id): Named<TaskId>,
    Sent(purchase): Sent<Purchase>,
) -> Answered {
    step(&api, &id, |ctx| tasks::purchase(ctx, &id, &purchase))
}

/// Starts the migration.
#[utoipa::path(post, path = "/v1/migration-tasks/{id}/start", tag = "migration",
    params(("id" = String, Path, description = "Task")),
    responses((status = 200, description = "The task", body = TaskView)))]
pub(super) async fn start(State(api): State<Arc<Api>>, Named(id): Named<TaskId>) -> Answered {
    step(&api, &id, |ctx| tasks::start(ctx, &id))
}

/// Pauses the migration.
#[utoipa::path(post, path = "/v1/migration-tasks/{id}/pause", tag = "migration",
    params(("id" = String, Path, description = "Task")),
    responses((status = 200, description = "The task", body = TaskView)))]
pub(super) async fn pause(State(api): State<Arc<Api>>, Named(id): Named<TaskId>) -> Answered {
    step(&api, &id, |ctx| tasks::pause(ctx, &id))
}

/// Goes on with a paused migration.
#[utoipa::path(post, path = "/v1/migration-tasks/{id}/resume", tag = "migration",
    params(("id" = String, Path, description = "Task")),
    responses((status = 200, description = "The task", body = TaskView)))]
pub(super) async fn resume(State(api): State<Arc<Api>>, Named(id): Named<TaskId>) -> Answered {
    step(&api, &id, |ctx| tasks::resume(ctx, &id))
}

/// Stops the migration for good.
#[utoipa::path(post, path = "/v1/migration-tasks/{id}/stop", tag = "migration",
    params(("id" = String, Path, description = "Task")),
    responses((status = 200, description = "The task", body = TaskView)))]
pub(super) async fn stop(State(api): State<Arc<Api>>, Named(id): Named<TaskId>) -> Answered {
    step(&api, &id, |ctx| tasks::stop(ctx, &id))
}

/// Takes one step of a task and answers with the task as it is then.
fn step(api: &Api, id: &TaskId, decision: impl FnOnce(&Context<'_>) -> Decided<()>) -> Answered {
    Ok(api.keeper.change(decision, |view, ()| view.task(200, id))?)
}

/// Lists charges, those of one instance or task if asked.
#[utoipa::path(get, path = "/v1/charges", tag = "charges",
    params(("subject" = Option<String>, Query, description = "Instance or task")),
    responses((status = 200, description = "Charges", body = ChargeList)))]
pub(super) async fn charges(State(api): State<Arc<Api>>, Asked(asked): Asked<MaybeSubject>) -> Answered {
    let subject = asked.subject.as_deref();
    Ok(api.keeper.read(|view| Answer::json(200, &views::list_charges(view.state, subject, view.now)))?)
}
