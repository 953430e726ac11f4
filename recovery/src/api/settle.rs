//! Waiting on behalf of a request: for settings to arrive, for an unreachable server to come back, for a file.

use super::Api;
use super::requests::hex;
use crate::model::InstanceId;
use crate::model::backup::Held;
use crate::model::decide::downloads;
use crate::model::refusal::{Refusal, RefusalCode};
use crate::ports::Clock;
use crate::ports::clock::later_s;
use crate::ports::cloud::CloudError;
use crate::service::no_instance;
use axum::body::Bytes;
use jiff::SignedDuration;
use object_store::ObjectStoreExt;
use object_store::path::Path;
use sha2::{Digest, Sha256};
use std::pin::pin;

/// Seconds a request waits for a server before it is answered without.
const WAIT_S: i64 = 10;

/// Brings servers their newest settings and waits until they have them. A server that cannot be reached gets them later:
/// they are committed, and the control loop tries until they have arrived.
pub(super) async fn push(api: &Api, instances: &[InstanceId]) -> Result<(), Refusal> {
    api.keeper.push(instances)?;
    let arrived = async {
        loop {
            let mut changed = pin!(api.keeper.changed());
            changed.as_mut().enable();
            if !api.keeper.is_unpushed(instances)? {
                return Ok(());
            }
            changed.await;
        }
    };
    api.keeper.clock().timeout(SignedDuration::from_secs(WAIT_S), arrived).await.unwrap_or(Ok(()))
}

/// What came of a call to a server, and whether an attempt before the last one may have had its effect.
pub(super) struct Tried<T> {
    pub(super) result: Result<T, CloudError>,
    pub(super) repeated: bool,
}

/// Calls a server, again while it cannot be reached, for a short while.
pub(super) async fn patiently<T, F>(clock: &(dyn Clock + 'static), call: impl Fn() -> F + Send) -> Tried<T>
where
    F: Future<Output = Result<T, CloudError>> + Send,
{
    let give_up_at = later_s(clock.now(), WAIT_S);
    let mut repeated = false;
    loop {
        let result = call().await;
        if !matches!(result, Err(CloudError::Unreachable(_))) || clock.now() >= give_up_at {
            return Tried { result, repeated };
        }
        repeated = true;
        clock.sleep(SignedDuration::from_secs(1)).await;
    }
}

/// Reads a backup's file from the vault, again while it cannot be read or is not what was written, for a short while.
pub(super) async fn fetch(api: &Api, place: &Path, held: Option<&Held>) -> Result<Bytes, Refusal> {
    let clock = api.keeper.clock();
    let give_up_at = later_s(clock.now(), WAIT_S);
    loop {
        let read = async { api.vault.get(place).await?.bytes().await };
        let (code, why) = match clock.timeout(SignedDuration::from_secs(WAIT_S), read).await {
            Some(Ok(bytes)) => match held.and_then(|held| damage(held, &bytes)) {
                None => return Ok(bytes),
                Some(why) => (RefusalCode::BackupStatus, why),
            },
            Some(Err(object_store::Error::NotFound { .. })) => return Err(downloads::gone()),
            Some(Err(error)) => (RefusalCode::Internal, error.to_string()),
            None => (RefusalCode::Internal, "no answer in time".to_owned()),
        };
        if clock.now() >= give_up_at {
            let remedy = match code {
                RefusalCode::BackupStatus => "choose another backup",
                _ => "send the same request again",
            };
            return Err(Refusal::new(code, format!("the file cannot be read ({why}); {remedy}")));
        }
        clock.sleep(SignedDuration::from_secs(1)).await;
    }
}

/// Why a file is not the one that was written, if it is not.
fn damage(held: &Held, bytes: &[u8]) -> Option<String> {
    if held.size_bytes != bytes.len() as u64 {
        return Some(format!("it has {} bytes and was written with {}", bytes.len(), held.size_bytes));
    }
    let digest = || hex(&Sha256::digest(bytes));
    let is_other = held.sha256.as_ref().is_some_and(|written| *written != digest());
    is_other.then(|| "its bytes are not those that were written".to_owned())
}

/// The refusal that says what a server could not do.
pub(super) fn refusal(instance: &InstanceId, error: &CloudError) -> Refusal {
    let (code, detail) = match error {
        CloudError::NoSuchInstance(id) => return no_instance(id),
        CloudError::Unreachable(why) => (
            RefusalCode::InstanceUnreachable,
            format!("instance {instance} cannot be reached ({why}); send the same request again"),
        ),
        CloudError::NoCapacity => (RefusalCode::NoCapacity, "no machine is free; try again later".to_owned()),
        CloudError::AccountExists(name) => (
            RefusalCode::AccountExists,
            format!("account {name} is already there on instance {instance}; PUT changes it"),
        ),
        CloudError::NoSuchAccount(name) => {
            (RefusalCode::AccountNotFound, format!("there is no account {name} on instance {instance}"))
        }
        CloudError::BackupUnreadable { .. } | CloudError::Failed(_) => {
            (RefusalCode::InvalidParameter, format!("instance {instance} declined: {error}"))
        }
    };
    Refusal::new(code, detail)
}
