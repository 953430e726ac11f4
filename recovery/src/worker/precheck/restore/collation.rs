//! Precheck item: collations differ; a warning (LOG-50).

use super::RestoreBench;
use super::parameters::difference;
use crate::model::precheck::PrecheckOutcome;
use crate::worker::precheck::bench::Snag;
use crate::worker::precheck::warned_if_any;

/// Compares `collation_server`.
pub async fn check(bench: &mut RestoreBench) -> Result<PrecheckOutcome, Snag> {
    let found: Vec<String> = difference(bench, "collation_server").await?.into_iter().collect();
    let remedy = "Texts may be compared and sorted otherwise in the target. Set collation_server of the target to that value, then check again, or go on.";
    Ok(warned_if_any(&found, remedy))
}
