//! Precheck item: the target can be reached with the given account and connection mode.

use super::bench::{Bench, Snag};
use super::source_connectivity::connectivity;
use crate::model::precheck::PrecheckOutcome;
use crate::worker::servers::Side;

/// Logs in to the target.
pub async fn check(bench: &mut Bench) -> Result<PrecheckOutcome, Snag> {
    connectivity(bench, Side::Target).await
}
