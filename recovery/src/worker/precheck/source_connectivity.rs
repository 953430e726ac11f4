//! Precheck item: the source can be reached with the given account and connection mode.

use super::bench::{Bench, Snag};
use super::failed;
use crate::model::precheck::PrecheckOutcome;
use crate::model::work::Access;
use crate::ports::database::DatabaseError;
use crate::worker::servers::Side;

/// Logs in to the source.
pub async fn check(bench: &mut Bench) -> Result<PrecheckOutcome, Snag> {
    connectivity(bench, Side::Source).await
}

/// Logs in to one side of a migration.
pub async fn connectivity(bench: &mut Bench, side: Side) -> Result<PrecheckOutcome, Snag> {
    let connected = bench.connect(side).await?;
    Ok(connection(side, bench.access(side), connected, &IN_TASK))
}

/// Where a login is put right, and what is done then.
pub struct Advice {
    /// Where account, password and connection mode are said.
    pub place: &'static str,
    /// Where another instance is chosen.
    pub another: &'static str,
    /// What to do then.
    pub then: &'static str,
}

const IN_TASK: Advice = Advice { place: "in the task", another: "in a new task", then: "then start again" };

/// What kept a login from working: whitelist, account, SSL or the way there (prechecks.md 2.1).
#[must_use]
pub fn connection(
    side: Side,
    access: &Access,
    connected: Result<(), DatabaseError>,
    advice: &Advice,
) -> PrecheckOutcome {
    let Err(error) = connected else {
        return PrecheckOutcome::Success;
    };
    let instance = &access.instance;
    let place = format!("the {side} instance {instance}");
    let Advice { place: said, another, then } = advice;
    if access.endpoint.is_none() {
        let cause = format!("{place} does not exist any more");
        return failed(cause, format!("Choose an instance that exists, {another}."));
    }
    match error {
        DatabaseError::NotWhitelisted(address) => failed(
            format!("{place} does not accept connections from {address}: the address is not on its whitelist"),
            format!("Add {address} to the whitelist of {instance}, or authorise the whitelist again, {then}."),
        ),
        DatabaseError::AccessDenied(account) => failed(
            format!("{place} denies access to account {account}: no such account, or a wrong password"),
            format!("Correct the account or the password for {instance} {said}, {then}."),
        ),
        // TMP-30, TMP-37: SSL has to be enabled before it is chosen.
        DatabaseError::SslDisabled => failed(
            format!("{place} does not offer SSL, and the task connects by SSL"),
            format!("Enable SSL on {instance}, or choose the non-encrypted connection mode, {then}."),
        ),
        DatabaseError::Unreachable(detail) => failed(
            format!("the host of {place} cannot be reached: {detail}"),
            format!("See that {instance} runs and that the network and its firewall let connections pass, {then}."),
        ),
        error => failed(format!("{place} refused the connection: {error}"), format!("Repair what it names, {then}.")),
    }
}
