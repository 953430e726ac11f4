//! Handlers for downloads: the link to a Redis backup file, and the file.

use super::answers::{File, Refused};
use super::requests::Named;
use super::{Answered, Api, settle};
use crate::model::BackupId;
use crate::model::decide::downloads;
use crate::model::views::DownloadLink;
use crate::ports::cloud::backup_place;
use crate::service::Answer;
use axum::extract::State;
use std::sync::Arc;

/// Gives the link to a Redis backup file; the same one each time, so that no Idempotency-Key is needed.
#[utoipa::path(post, path = "/v1/backups/{id}/download", tag = "backups",
    params(("id" = String, Path, description = "Backup")),
    responses((status = 200, description = "The link", body = DownloadLink)))]
pub(super) async fn link(State(api): State<Arc<Api>>, Named(id): Named<BackupId>) -> Answered {
    Ok(api.keeper.change(|ctx| downloads::link(ctx, &id), |_, link| Answer::json(200, link))?)
}

/// Gives the file a link leads to, until seven days after its backup.
#[utoipa::path(get, path = "/v1/downloads/{token}", tag = "backups",
    params(("token" = String, Path, description = "The last part of the link")),
    responses((status = 200, description = "The file", body = inline(File), content_type = "application/octet-stream")))]
pub(super) async fn file(State(api): State<Arc<Api>>, Named(token): Named<String>) -> Result<File, Refused> {
    let (place, held) = api.keeper.read(|view| {
        let backup = downloads::file(view.state, &token, view.now)?;
        Ok((backup_place(&backup.instance, &backup.id), backup.held.clone()))
    })?;
    let bytes = settle::fetch(&api, &place, held.as_ref()).await?;
    // Its time may have run out while it was read.
    api.keeper.read(|view| downloads::file(view.state, &token, view.now).map(drop))?;
    Ok(File(bytes))
}
