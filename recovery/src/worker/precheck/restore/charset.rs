//! Precheck item: character sets of servers or databases differ; a warning (LOG-50).

use super::RestoreBench;
use super::parameters::difference;
use crate::model::precheck::PrecheckOutcome;
use crate::worker::precheck::bench::Snag;
use crate::worker::precheck::warned_if_any;
use crate::worker::servers::Side;

/// Compares `character_set_server`, and the character sets of databases that are on both sides.
pub async fn check(bench: &mut RestoreBench) -> Result<PrecheckOutcome, Snag> {
    let mut found: Vec<String> = difference(bench, "character_set_server").await?.into_iter().collect();
    let plan = bench.plan().await?;
    for (name, charset) in &plan.databases {
        let there = bench.bench.database(Side::Target, name).await?;
        if let Some(there) = there.filter(|there| !charset.is_empty() && there.charset != *charset) {
            let own = &there.charset;
            found.push(format!("database {name} was '{charset}' in the backup and is '{own}' in the target"));
        }
    }
    let remedy = "Texts may not fit, or be compared otherwise. Use the same character set in the target, then check \
                  again, or go on.";
    Ok(warned_if_any(&found, remedy))
}
