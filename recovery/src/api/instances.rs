//! Handlers for instances: made, shown, configured, released; temporary and clone instances of a master.

use super::requests::{Asked, MaybeRegion, Named, Order, Region, Sent};
use super::{Answered, Api, settle};
use crate::model::InstanceId;
use crate::model::decide::{clones, instances, recoveries, temporary, views};
use crate::model::views::{
    ConfigurationChange, InstanceList, InstanceView, NewClone, NewInstance, NewRecovery, RestoreChoice,
};
use crate::service::Answer;
use axum::extract::State;
use std::slice::from_ref;
use std::sync::Arc;

/// Lists instances, those of one region if asked.
#[utoipa::path(get, path = "/v1/instances", tag = "instances",
    params(("region" = Option<String>, Query, description = "Region")),
    responses((status = 200, description = "Instances", body = InstanceList)))]
pub(super) async fn list(State(api): State<Arc<Api>>, Asked(asked): Asked<MaybeRegion>) -> Answered {
    let region = asked.region.as_deref();
    Ok(api.keeper.read(|view| Answer::json(200, &views::list_instances(view.state, region, view.now)))?)
}

/// Makes an instance.
#[utoipa::path(post, path = "/v1/instances", tag = "instances", request_body = NewInstance,
    params(("Idempotency-Key" = String, Header, description = "1 to 64 characters, the same again for the same request")),
    responses((status = 202, description = "Being made", body = InstanceView)))]
pub(super) async fn create(State(api): State<Arc<Api>>, order: Order<NewInstance>) -> Answered {
    let decision =
        api.keeper.once(&order.once, |ctx| instances::create(ctx, &order.new), |view, id| view.instance(202, id));
    Ok(decision?)
}

/// Shows an instance.
#[utoipa::path(get, path = "/v1/instances/{id}", tag = "instances",
    params(("id" = String, Path, description = "Instance")),
    responses((status = 200, description = "The instance", body = InstanceView)))]
pub(super) async fn show(State(api): State<Arc<Api>>, Named(id): Named<InstanceId>) -> Answered {
    Ok(api.keeper.read(|view| view.instance(200, &id))?)
}

/// Releases an instance.
#[utoipa::path(delete, path = "/v1/instances/{id}", tag = "instances",
    params(("id" = String, Path, description = "Instance")),
    responses((status = 200, description = "Being released", body = InstanceView)))]
pub(super) async fn release(State(api): State<Arc<Api>>, Named(id): Named<InstanceId>) -> Answered {
    Ok(api.keeper.change(|ctx| instances::release(ctx, &id), |view, ()| view.instance(200, &id))?)
}

/// Changes settings. They are in force once answered, unless the server cannot be reached; it gets them later then.
#[utoipa::path(put, path = "/v1/instances/{id}/configuration", tag = "instances", request_body = ConfigurationChange,
    params(("id" = String, Path, description = "Instance")),
    responses((status = 200, description = "The instance", body = InstanceView)))]
pub(super) async fn configure(
    State(api): State<Arc<Api>>,
    Named(id): Named<InstanceId>,
    Sent(change): Sent<ConfigurationChange>,
) -> Answered {
    let answer = api.keeper.change(|ctx| instances::configure(ctx, &id, &change), |view, _| view.instance(200, &id))?;
    settle::push(&api, from_ref(&id)).await?;
    Ok(answer)
}

/// Lists the temporary instances of a master.
#[utoipa::path(get, path = "/v1/instances/{id}/temporary-instances", tag = "recovery",
    params(("id" = String, Path, description = "Master")),
    responses((status = 200, description = "Its temporary instances", body = InstanceList)))]
pub(super) async fn list_temporary(State(api): State<Arc<Api>>, Named(id): Named<InstanceId>) -> Answered {
    Ok(api.keeper.read(|view| {
        view.require(&id)?;
        Answer::json(200, &views::temporary_instances(view.state, &id, view.now))
    })?)
}

/// Makes a temporary instance: free, for 48 hours, one per master.
#[utoipa::path(post, path = "/v1/instances/{id}/temporary-instances", tag = "recovery", request_body = RestoreChoice,
    params(
        ("id" = String, Path, description = "Master"),
        ("Idempotency-Key" = String, Header, description = "1 to 64 characters, the same again for the same request"),
    ),
    responses((status = 202, description = "Being made", body = InstanceView)))]
pub(super) async fn create_temporary(
    State(api): State<Arc<Api>>,
    Named(id): Named<InstanceId>,
    order: Order<RestoreChoice>,
) -> Answered {
    let decision = api.keeper.once(
        &order.once,
        |ctx| temporary::create(ctx, &id, &order.new),
        |view, made| view.instance(202, made),
    );
    Ok(decision?)
}

/// Makes clones of a master.
#[utoipa::path(post, path = "/v1/instances/{id}/clones", tag = "recovery", request_body = NewClone,
    params(
        ("id" = String, Path, description = "Master"),
        ("Idempotency-Key" = String, Header, description = "1 to 64 characters, the same again for the same request"),
    ),
    responses((status = 202, description = "Being made", body = InstanceList)))]
pub(super) async fn create_clones(
    State(api): State<Arc<Api>>,
    Named(id): Named<InstanceId>,
    order: Order<NewClone>,
) -> Answered {
    let decision = api.keeper.once(
        &order.once,
        |ctx| clones::create(ctx, &id, &order.new),
        |view, made| {
            let made = made.iter().filter_map(|id| view.state.instances.get(id));
            let instances = made.map(|instance| views::instance_view(instance, view.state, view.now)).collect();
            Answer::json(202, &InstanceList { instances })
        },
    );
    Ok(decision?)
}

/// Recovers a backup set into its own instance: Redis only, and everything that is there is overwritten.
#[utoipa::path(post, path = "/v1/instances/{id}/recovery", tag = "recovery", request_body = NewRecovery,
    params(
        ("id" = String, Path, description = "Instance"),
        ("Idempotency-Key" = String, Header, description = "1 to 64 characters, the same again for the same request"),
    ),
    responses((status = 202, description = "Being recovered", body = InstanceView)))]
pub(super) async fn recover(
    State(api): State<Arc<Api>>,
    Named(id): Named<InstanceId>,
    order: Order<NewRecovery>,
) -> Answered {
    let decision = api.keeper.once(
        &order.once,
        |ctx| recoveries::create(ctx, &id, &order.new),
        |view, ()| view.instance(202, &id),
    );
    Ok(decision?)
}

/// Lists what a migration task of a region may have as its source.
#[utoipa::path(get, path = "/v1/migration-sources", tag = "migration",
    params(("region" = String, Query, description = "Region")),
    responses((status = 200, description = "Instances", body = InstanceList)))]
pub(super) async fn list_sources(State(api): State<Arc<Api>>, Asked(asked): Asked<Region>) -> Answered {
    Ok(api.keeper.read(|view| Answer::json(200, &views::migration_sources(view.state, &asked.region, view.now)))?)
}
