//! Precheck item: the source can be reached with the given account and connection mode.

use super::bench::Bench;
use super::item::{ASKS_S, About, EVERY_ENGINE, Item, Looked, Needs, Weight};
use crate::model::precheck::{Finding, PrecheckItem};
use crate::model::work::Access;
use crate::ports::database::DatabaseError;
use crate::worker::servers::Side;

/// The item.
pub const ITEM: Item<Bench> = Item {
    about: About {
        item: PrecheckItem::SourceConnectivity,
        english: "Source database connectivity",
        chinese: "源库连接性检查",
        weight: Weight::Firm,
        engines: EVERY_ENGINE,
        needs: Needs::Anything,
        looks_at: "Logs in to the source with the account, password and connection mode of the task.",
        finds: &[
            "the address of the migration service is not on the whitelist",
            "no such account, or a wrong password",
            "SSL was chosen and is not offered",
            "the host cannot be reached, or the instance is gone",
        ],
        remedy: "Put right what the finding names: whitelist, account, password, SSL, or the network.",
        shieldable: false,
        source: "prechecks.md 2.1 item 1",
    },
    look: |bench| Box::pin(connectivity(bench, Side::Source)),
    limit_s: ASKS_S,
};

/// Logs in to one side of a migration.
pub async fn connectivity(bench: &Bench, side: Side) -> Looked {
    let connected = bench.connect(side).await;
    Ok(connection(side, bench.access(side), connected, &IN_TASK).into_iter().collect())
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
) -> Option<Finding> {
    let error = connected.err()?;
    let instance = &access.instance;
    let place = format!("the {side} instance {instance}");
    let Advice { place: said, another, then } = advice;
    if access.endpoint.is_none() {
        let cause = format!("{place} does not exist any more");
        return Some(Finding::new(cause, format!("Choose an instance that exists, {another}.")));
    }
    Some(match error {
        DatabaseError::NotWhitelisted(address) => Finding::new(
            format!("{place} does not accept connections from {address}: the address is not on its whitelist"),
            format!("Add {address} to the whitelist of {instance}, or authorise the whitelist again, {then}."),
        ),
        DatabaseError::AccessDenied(account) => Finding::new(
            format!("{place} denies access to account {account}: no such account, or a wrong password"),
            format!("Correct the account or the password for {instance} {said}, {then}."),
        ),
        // TMP-30, TMP-37: SSL has to be enabled before it is chosen.
        DatabaseError::SslDisabled => Finding::new(
            format!("{place} does not offer SSL, and the task connects by SSL"),
            format!("Enable SSL on {instance}, or choose the non-encrypted connection mode, {then}."),
        ),
        DatabaseError::Unreachable(detail) => Finding::new(
            format!("the host of {place} cannot be reached: {detail}"),
            format!("See that {instance} runs and that the network and its firewall let connections pass, {then}."),
        ),
        error => {
            Finding::new(format!("{place} refused the connection: {error}"), format!("Repair what it names, {then}."))
        }
    })
}
