//! Precheck item: SQL modes differ; a warning (LOG-50).

use super::RestoreBench;
use super::parameters::difference;
use crate::model::precheck::PrecheckOutcome;
use crate::worker::precheck::bench::Snag;
use crate::worker::precheck::warned_if_any;

/// Compares `sql_mode`.
pub async fn check(bench: &mut RestoreBench) -> Result<PrecheckOutcome, Snag> {
    let found: Vec<String> = difference(bench, "sql_mode").await?.into_iter().collect();
    let remedy = "Statements of views, routines and triggers may mean something else in the target. Set sql_mode of the target to that value, then check again, or go on.";
    Ok(warned_if_any(&found, remedy))
}
