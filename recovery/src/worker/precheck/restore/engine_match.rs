//! Precheck item: the target is of the backup's engine (LOG-04).

use super::RestoreBench;
use crate::model::precheck::PrecheckOutcome;
use crate::worker::precheck::bench::Snag;
use crate::worker::precheck::failed;
use crate::worker::servers::Side;

/// Compares what the target says it is with what the set was taken of.
pub async fn check(bench: &mut RestoreBench) -> Result<PrecheckOutcome, Snag> {
    let target = bench.bench.facts(Side::Target).await?.product;
    let job = bench.job();
    if target.engine == job.source_product.engine {
        return Ok(PrecheckOutcome::Success);
    }
    let (set, source, instance) = (&job.set, job.source_product, &job.target.instance);
    Ok(failed(
        format!("set {set} is a backup of {source}, and the target {instance} is {target}"),
        format!("Choose a target whose engine is {}, then check again.", source.engine),
    ))
}
