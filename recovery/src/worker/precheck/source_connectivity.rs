//! Precheck item: the source can be reached with the given account and connection mode.

use super::bench::{Bench, Snag};
use super::failed;
use crate::model::precheck::PrecheckOutcome;
use crate::ports::database::DatabaseError;
use crate::worker::servers::Side;

/// Logs in to the source.
pub async fn check(bench: &mut Bench) -> Result<PrecheckOutcome, Snag> {
    connectivity(bench, Side::Source).await
}

/// Logs in to one side and says what kept it from working: whitelist, account, SSL or the way there (prechecks.md 2.1).
pub async fn connectivity(bench: &mut Bench, side: Side) -> Result<PrecheckOutcome, Snag> {
    let Err(error) = bench.connect(side).await? else {
        return Ok(PrecheckOutcome::Success);
    };
    let access = bench.access(side);
    let instance = &access.instance;
    let place = format!("the {side} instance {instance}");
    if access.endpoint.is_none() {
        let cause = format!("{place} does not exist any more");
        return Ok(failed(cause, "Choose an instance that exists, in a new task."));
    }
    Ok(match error {
        DatabaseError::NotWhitelisted(address) => failed(
            format!("{place} does not accept connections from {address}: the address is not on its whitelist"),
            format!(
                "Add {address} to the whitelist of {instance}, or authorise the whitelist again, then start again."
            ),
        ),
        DatabaseError::AccessDenied(account) => failed(
            format!("{place} denies access to account {account}: no such account, or a wrong password"),
            format!("Correct the account or the password for {instance} in the task, then start again."),
        ),
        // TMP-30, TMP-37: SSL has to be enabled before it is chosen.
        DatabaseError::SslDisabled => failed(
            format!("{place} does not offer SSL, and the task connects by SSL"),
            format!("Enable SSL on {instance}, or choose the non-encrypted connection mode, then start again."),
        ),
        DatabaseError::Unreachable(detail) => failed(
            format!("the host of {place} cannot be reached: {detail}"),
            format!(
                "See that {instance} runs and that the network and its firewall let connections pass, then start again."
            ),
        ),
        error => failed(format!("{place} refused the connection: {error}"), "Repair what it names, then start again."),
    })
}
