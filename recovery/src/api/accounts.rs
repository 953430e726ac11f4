//! Handlers for the accounts of an instance. Accounts live in the database server, so a handler asks the server.

use super::requests::{Named, Order, Sent};
use super::settle::{self, Tried, patiently};
use super::{Answered, Api};
use crate::model::InstanceId;
use crate::model::decide::instances;
use crate::model::instance::FirstAccount;
use crate::model::refusal::{Refusal, RefusalCode};
use crate::model::views::{AccountChange, AccountList, AccountView, NewAccount};
use crate::ports::cloud::{AccountOrder, CloudError};
use crate::service::{Answer, Known};
use axum::extract::State;
use std::sync::Arc;

/// Lists the accounts of an instance.
#[utoipa::path(get, path = "/v1/instances/{id}/accounts", tag = "accounts",
    params(("id" = String, Path, description = "Instance")),
    responses((status = 200, description = "Its accounts", body = AccountList)))]
pub(super) async fn list(State(api): State<Arc<Api>>, Named(id): Named<InstanceId>) -> Answered {
    require_running(&api, &id)?;
    let accounts = accounts(&api, &id).await?;
    Ok(Answer::json(200, &AccountList { accounts })?)
}

/// Makes an account.
///
/// The effect is in the server and the answer in the store, so a crash may come between the two. Therefore the request is
/// noted before the server is asked: sent again, it finds its own account there and is answered as if nothing had been.
#[utoipa::path(post, path = "/v1/instances/{id}/accounts", tag = "accounts", request_body = NewAccount,
    params(
        ("id" = String, Path, description = "Instance"),
        ("Idempotency-Key" = String, Header, description = "1 to 64 characters, the same again for the same request"),
    ),
    responses((status = 201, description = "The account", body = AccountView)))]
pub(super) async fn create(
    State(api): State<Arc<Api>>,
    Named(id): Named<InstanceId>,
    Order { once, new }: Order<NewAccount>,
) -> Answered {
    let _alone = api.keeper.alone(&once).await?;
    let known = api.keeper.known(&once)?;
    if let Known::Answered(answer) = known {
        return Ok(answer);
    }
    require_running(&api, &id)?;
    require_whole(&new)?;
    if known == Known::New {
        if accounts(&api, &id).await?.iter().any(|account| account.name == new.name) {
            return Err(settle::refusal(&id, &CloudError::AccountExists(new.name)).into());
        }
        api.keeper.intend(&once)?;
    }
    let view = AccountView { name: new.name.clone(), grants: new.grants.clone() };
    let order = AccountOrder::Create(FirstAccount { name: new.name, password: new.password, grants: new.grants });
    let Tried { result, repeated } = patiently(api.keeper.clock(), || api.cloud.account(&id, &order)).await;
    match result {
        Ok(()) => {}
        // It was not there when the request was noted, so an earlier attempt made it.
        Err(CloudError::AccountExists(_)) if repeated || known == Known::Begun => {}
        Err(error) => {
            if !matches!(error, CloudError::Unreachable(_)) {
                api.keeper.give_up(&once)?;
            }
            return Err(settle::refusal(&id, &error).into());
        }
    }
    let answer = Answer::json(201, &view)?;
    api.keeper.finish(&once, &answer)?;
    Ok(answer)
}

/// Changes password or rights of an account.
#[utoipa::path(put, path = "/v1/instances/{id}/accounts/{name}", tag = "accounts", request_body = AccountChange,
    params(("id" = String, Path, description = "Instance"), ("name" = String, Path, description = "Account")),
    responses((status = 200, description = "The account", body = AccountView)))]
pub(super) async fn change(
    State(api): State<Arc<Api>>,
    Named((id, name)): Named<(InstanceId, String)>,
    Sent(change): Sent<AccountChange>,
) -> Answered {
    require_running(&api, &id)?;
    if change.password.is_none() && change.grants.is_none() {
        return Err(invalid("neither `password` nor `grants` is given; give what is to change").into());
    }
    if change.password.as_ref().is_some_and(crate::model::Secret::is_empty) {
        return Err(invalid("field `password`: it is empty; give at least one character").into());
    }
    let password = change.password.map(|password| AccountOrder::Password { name: name.clone(), password });
    let grants = change.grants.map(|grants| AccountOrder::Grants { name: name.clone(), grants });
    for order in password.into_iter().chain(grants) {
        carry_out(&api, &id, &order).await?;
    }
    let account = accounts(&api, &id).await?.into_iter().find(|account| account.name == name);
    let account = account.ok_or_else(|| settle::refusal(&id, &CloudError::NoSuchAccount(name)))?;
    Ok(Answer::json(200, &account)?)
}

/// Takes an account away.
#[utoipa::path(delete, path = "/v1/instances/{id}/accounts/{name}", tag = "accounts",
    params(("id" = String, Path, description = "Instance"), ("name" = String, Path, description = "Account")),
    responses((status = 204, description = "Gone")))]
pub(super) async fn remove(State(api): State<Arc<Api>>, Named((id, name)): Named<(InstanceId, String)>) -> Answered {
    require_running(&api, &id)?;
    carry_out(&api, &id, &AccountOrder::Drop { name }).await?;
    Ok(Answer::empty())
}

async fn carry_out(api: &Api, id: &InstanceId, order: &AccountOrder) -> Result<(), Refusal> {
    let Tried { result, repeated } = patiently(api.keeper.clock(), || api.cloud.account(id, order)).await;
    match result {
        // An attempt whose answer was lost has dropped it.
        Err(CloudError::NoSuchAccount(_)) if repeated && matches!(order, AccountOrder::Drop { .. }) => Ok(()),
        result => result.map_err(|error| settle::refusal(id, &error)),
    }
}

async fn accounts(api: &Api, id: &InstanceId) -> Result<Vec<AccountView>, Refusal> {
    let listed = patiently(api.keeper.clock(), || api.cloud.accounts(id)).await;
    let mut accounts = listed.result.map_err(|error| settle::refusal(id, &error))?;
    accounts.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(accounts)
}

fn require_running(api: &Api, id: &InstanceId) -> Result<(), Refusal> {
    api.keeper.consult(|ctx| instances::running(ctx, id).map(drop))
}

fn require_whole(new: &NewAccount) -> Result<(), Refusal> {
    if new.name.trim().is_empty() {
        return Err(invalid("field `name`: it is empty; give the account's name"));
    }
    if new.password.is_empty() {
        return Err(invalid("field `password`: it is empty; give at least one character"));
    }
    Ok(())
}

fn invalid(detail: &str) -> Refusal {
    Refusal::new(RefusalCode::InvalidParameter, detail)
}
