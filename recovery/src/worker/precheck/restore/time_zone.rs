//! Precheck item: time zones differ; a warning (LOG-50).

use super::RestoreBench;
use super::parameters::difference;
use crate::model::precheck::PrecheckOutcome;
use crate::worker::precheck::bench::Snag;
use crate::worker::precheck::warned_if_any;

/// Compares `time_zone`.
pub async fn check(bench: &mut RestoreBench) -> Result<PrecheckOutcome, Snag> {
    let found: Vec<String> = difference(bench, "time_zone").await?.into_iter().collect();
    let remedy = "Times may be shown and computed otherwise in the target. Set time_zone of the target to that value, then check again, or go on.";
    Ok(warned_if_any(&found, remedy))
}
