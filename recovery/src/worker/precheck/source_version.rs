//! Precheck item: the source's version is one a migration to this target can start from.

use super::bench::{Bench, Snag};
use super::failed;
use crate::model::precheck::PrecheckOutcome;
use crate::model::{Edition, Engine, Version};
use crate::worker::servers::Side;

/// The versions a migration can start from (prechecks.md 2.4).
const SUPPORTED: [(Engine, &[Version]); 5] = [
    (Engine::MySql, &[Version::V5_5, Version::V5_6, Version::V5_7, Version::V8_0]),
    (Engine::SqlServer, &[Version::V2008R2, Version::V2012, Version::V2016]),
    (Engine::PostgreSql, &[Version::V9_4, Version::V10, Version::V11]),
    (Engine::Ppas, &[Version::V9_3, Version::V10]),
    (Engine::Redis, &[Version::V2_8, Version::V4_0, Version::V5_0, Version::V6_0, Version::V7_0]),
];

/// Compares the products of both sides: the same engine (DTS-17), a supported version, and no older target.
pub async fn check(bench: &mut Bench) -> Result<PrecheckOutcome, Snag> {
    let source = bench.facts(Side::Source).await?.product;
    // A server may have been upgraded or downgraded without a word to anybody. Another item says that it is not reached.
    let target = match bench.facts(Side::Target).await {
        Ok(facts) => facts.product,
        Err(Snag::LetGo(let_go)) => return Err(let_go.into()),
        Err(Snag::Outcome(_)) => bench.access(Side::Target).product,
    };
    let supported =
        SUPPORTED.iter().find(|(engine, _)| *engine == source.engine).map_or(&[][..], |(_, versions)| versions);
    Ok(if source.engine != target.engine {
        failed(
            format!("the source is {source} and the target is {target}: data migrates only within one engine"),
            format!("Choose a target whose engine is {}, in a new task.", source.engine),
        )
    } else if source.edition == Edition::Cluster {
        failed(
            format!("the source is {source}, a cluster, which data cannot be migrated from"),
            "Choose a source that is no cluster, in a new task.",
        )
    } else if !supported.contains(&source.version) {
        failed(
            format!("the source is {source}, a version data cannot be migrated from"),
            "Upgrade the source, or choose another pair of instances.",
        )
    } else if target.version < source.version {
        failed(
            format!("the target {target} is older than the source {source}"),
            format!("Choose or upgrade to a target of version {} or later.", source.version.word()),
        )
    } else {
        PrecheckOutcome::Success
    })
}
