//! Precheck item: the target's version is the backup's or a later one (LOG-05).

use super::RestoreBench;
use crate::model::precheck::PrecheckOutcome;
use crate::worker::precheck::bench::Snag;
use crate::worker::precheck::failed;
use crate::worker::servers::Side;

/// Compares versions; those of different engines have no order, and another item says so. What the source was when the
/// set was taken stands in the set: it may have been upgraded without a word to anybody.
pub async fn check(bench: &mut RestoreBench) -> Result<PrecheckOutcome, Snag> {
    let target = bench.bench.facts(Side::Target).await?.product;
    let job = bench.job();
    let source = match bench.manifest().await {
        Ok(manifest) => manifest.product,
        Err(Snag::LetGo(let_go)) => return Err(let_go.into()),
        // Another item says that it cannot be read.
        Err(Snag::Outcome(_)) => job.source_product,
    };
    if target.engine != source.engine || target.version >= source.version {
        return Ok(PrecheckOutcome::Success);
    }
    let (set, instance, version) = (&job.set, &job.target.instance, source.version.word());
    Ok(failed(
        format!("set {set} is a backup of {source}, and the target {instance} is {target}, which is older"),
        format!("Upgrade {instance} to {version} or later, or choose a target of such a version, then check again."),
    ))
}
