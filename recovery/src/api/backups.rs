//! Handlers for backups, and for what can be restored from them.

use super::requests::{Asked, MaybeTimes, Named, Order};
use super::{Answered, Api};
use crate::model::backup::BackupMode;
use crate::model::decide::{backups, views};
use crate::model::views::{BackupList, BackupView, NewBackup, Restorable};
use crate::model::{BackupId, InstanceId};
use crate::service::Answer;
use axum::extract::State;
use std::sync::Arc;

/// Lists the backups of an instance that are kept, those that began within the times given if any are.
#[utoipa::path(get, path = "/v1/instances/{id}/backups", tag = "backups",
    params(
        ("id" = String, Path, description = "Instance"),
        ("from" = Option<String>, Query, description = "First time at which they began, `2026-01-05T09:30:00Z`"),
        ("to" = Option<String>, Query, description = "Last time at which they began"),
    ),
    responses((status = 200, description = "Its backups", body = BackupList)))]
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    Named(id): Named<InstanceId>,
    Asked(times): Asked<MaybeTimes>,
) -> Answered {
    let began = views::Began { from: times.from, to: times.to };
    Ok(api.keeper.read(|view| {
        view.require(&id)?;
        Answer::json(200, &views::list_backups(view.state, &id, began, view.now)?)
    })?)
}

/// Takes a backup.
#[utoipa::path(post, path = "/v1/instances/{id}/backups", tag = "backups", request_body = NewBackup,
    params(
        ("id" = String, Path, description = "Instance"),
        ("Idempotency-Key" = String, Header, description = "1 to 64 characters, the same again for the same request"),
    ),
    responses((status = 202, description = "Being taken", body = BackupView)))]
pub(super) async fn create(
    State(api): State<Arc<Api>>,
    Named(id): Named<InstanceId>,
    order: Order<NewBackup>,
) -> Answered {
    let decision = api.keeper.once(
        &order.once,
        |ctx| backups::request(ctx, &id, order.new.kind, BackupMode::Manual),
        |view, backup| view.backup(202, backup),
    );
    Ok(decision?)
}

/// Shows what can be restored of an instance now.
#[utoipa::path(get, path = "/v1/instances/{id}/restorable", tag = "backups",
    params(("id" = String, Path, description = "Instance")),
    responses((status = 200, description = "Times and backup sets", body = Restorable)))]
pub(super) async fn restorable(State(api): State<Arc<Api>>, Named(id): Named<InstanceId>) -> Answered {
    Ok(api.keeper.read(|view| {
        view.require(&id)?;
        Answer::json(200, &backups::restorable(view.state, api.keeper.policy(), &id, view.now))
    })?)
}

/// Shows a backup.
#[utoipa::path(get, path = "/v1/backups/{id}", tag = "backups",
    params(("id" = String, Path, description = "Backup")),
    responses((status = 200, description = "The backup", body = BackupView)))]
pub(super) async fn show(State(api): State<Arc<Api>>, Named(id): Named<BackupId>) -> Answered {
    Ok(api.keeper.read(|view| view.backup(200, &id))?)
}
