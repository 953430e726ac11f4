//! Precheck item: the target can be reached with the data source's account and connection mode.

use super::RestoreBench;
use crate::model::precheck::PrecheckOutcome;
use crate::worker::precheck::bench::Snag;
use crate::worker::precheck::source_connectivity::{Advice, connection};
use crate::worker::servers::Side;

const IN_DATA_SOURCE: Advice =
    Advice { place: "in the data source", another: "in another data source", then: "then check again" };

/// Logs in to the target.
pub async fn check(bench: &mut RestoreBench) -> Result<PrecheckOutcome, Snag> {
    let connected = bench.bench.connect(Side::Target).await?;
    Ok(connection(Side::Target, &bench.job().target, connected, &IN_DATA_SOURCE))
}
