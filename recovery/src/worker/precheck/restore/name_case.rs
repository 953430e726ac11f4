//! Precheck item: upper and lower case in names is told apart on one side only; a warning (LOG-50).

use super::RestoreBench;
use super::parameters::{both, said};
use crate::model::precheck::PrecheckOutcome;
use crate::worker::precheck::bench::Snag;
use crate::worker::precheck::warned_if_any;

const NAME: &str = "lower_case_table_names";

/// Compares whether names are told apart by case.
pub async fn check(bench: &mut RestoreBench) -> Result<PrecheckOutcome, Snag> {
    let (source, target) = both(bench, NAME).await?;
    let differs = (source.trim() == "0") != (target.trim() == "0");
    let found: Vec<String> = differs.then(|| said(bench, NAME, &source, &target)).into_iter().collect();
    let remedy = "Tables whose names differ in case alone become one, or are not found by the names in views and \
                  routines. Restore into a target with the same setting, or go on.";
    Ok(warned_if_any(&found, remedy))
}
