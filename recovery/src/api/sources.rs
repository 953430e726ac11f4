//! Handlers for data sources.

use super::requests::{Named, Order};
use super::{Answered, Api, settle};
use crate::model::DataSourceId;
use crate::model::decide::logical::{sources, views};
use crate::model::logical::views::{DataSourceList, DataSourceView, NewDataSource};
use crate::service::Answer;
use axum::extract::State;
use std::sync::Arc;

/// Lists the data sources.
#[utoipa::path(get, path = "/v1/data-sources", tag = "logical backup",
    responses((status = 200, description = "Data sources, oldest first", body = DataSourceList)))]
pub(super) async fn list(State(api): State<Arc<Api>>) -> Answered {
    Ok(api.keeper.read(|view| Answer::json(200, &views::list_sources(view.state)))?)
}

/// Registers a running instance as a data source (LOG-03). The workers' addresses are added to its whitelist.
#[utoipa::path(post, path = "/v1/data-sources", tag = "logical backup", request_body = NewDataSource,
    params(("Idempotency-Key" = String, Header, description = "1 to 64 characters, the same again for the same request")),
    responses((status = 201, description = "The data source", body = DataSourceView)))]
pub(super) async fn create(State(api): State<Arc<Api>>, order: Order<NewDataSource>) -> Answered {
    let answer = api.keeper.once(
        &order.once,
        |ctx| sources::register(ctx, &order.new),
        |view, id| Answer::json(201, &views::show_source(view.state, id)?),
    )?;
    settle::push(&api, &[order.new.instance_id]).await?;
    Ok(answer)
}

/// Shows a data source.
#[utoipa::path(get, path = "/v1/data-sources/{id}", tag = "logical backup",
    params(("id" = String, Path, description = "Data source")),
    responses((status = 200, description = "The data source", body = DataSourceView)))]
pub(super) async fn show(State(api): State<Arc<Api>>, Named(id): Named<DataSourceId>) -> Answered {
    Ok(api.keeper.read(|view| Answer::json(200, &views::show_source(view.state, &id)?))?)
}

/// Removes a data source that no backup task and no unfinished restore uses; its backup sets stay.
#[utoipa::path(delete, path = "/v1/data-sources/{id}", tag = "logical backup",
    params(("id" = String, Path, description = "Data source")),
    responses((status = 204, description = "Removed")))]
pub(super) async fn remove(State(api): State<Arc<Api>>, Named(id): Named<DataSourceId>) -> Answered {
    Ok(api.keeper.change(|ctx| sources::remove(ctx, &id), |_, ()| Ok(Answer::empty()))?)
}
