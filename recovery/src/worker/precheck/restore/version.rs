//! Precheck item: the target's version is the backup's or a later one (LOG-05).

use super::RestoreBench;
use crate::model::precheck::{Finding, PrecheckItem};
use crate::worker::precheck::bench::Snag;
use crate::worker::precheck::item::{ASKS_S, About, Item, Looked, Needs, RELATIONAL, Weight};
use crate::worker::servers::Side;

/// The item.
pub const ITEM: Item<RestoreBench> = Item {
    about: About {
        item: PrecheckItem::RestoreVersion,
        english: "Version",
        chinese: "版本检查",
        weight: Weight::Firm,
        engines: RELATIONAL,
        needs: Needs::Anything,
        looks_at: "Compares the version of the target with that of the backup.",
        finds: &["the target is older than the backup"],
        remedy: "Upgrade the target, or choose a later one.",
        shieldable: false,
        source: "LOG-05",
    },
    look: |bench| Box::pin(look(bench)),
    limit_s: ASKS_S,
};

// What the source was when the set was taken stands in the set: it may have been upgraded without a word to anybody.
// Versions of different engines have no order, and another item says so.
async fn look(bench: &RestoreBench) -> Looked {
    let target = bench.bench.facts(Side::Target).await?.product;
    let job = bench.job();
    let source = match bench.manifest().await {
        Ok(manifest) => manifest.product,
        Err(Snag::LetGo(let_go)) => return Err(let_go.into()),
        // Another item says that it cannot be read.
        Err(Snag::Found(_)) => job.source_product,
    };
    if target.engine != source.engine || target.version >= source.version {
        return Ok(Vec::new());
    }
    let (set, instance, version) = (&job.set, &job.target.instance, source.version.word());
    Ok(vec![Finding::new(
        format!("set {set} is a backup of {source}, and the target {instance} is {target}, which is older"),
        format!("Upgrade {instance} to {version} or later, or choose a target of such a version, then check again."),
    )])
}
