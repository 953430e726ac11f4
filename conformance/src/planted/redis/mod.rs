//! Planted bugs about backup and recovery of Redis.

mod asked;
mod backups;
mod files;
mod recoveries;

use super::Planted;
use crate::runner::gate::{Beyond, Request};
use serde_json::Value;

/// For each check of `checks::redis` at least one.
pub(super) const PLANTED: &[&[Planted]] = &[asked::PLANTED, backups::PLANTED, recoveries::PLANTED];

/// The newest complete backup of the instance that a request is about.
async fn newest(request: &Request, beyond: &Beyond<'_>) -> Option<Value> {
    let instance = super::tools::gate::parts(request).get(2).copied()?;
    let backups = beyond.get(&format!("/v1/instances/{instance}/backups")).await.ok()?;
    let complete = |backup: &&Value| backup["status"] == "success";
    let backups = backups.body.get("backups").and_then(Value::as_array)?;
    backups.iter().rev().find(complete).map(|backup| backup["id"].clone())
}
