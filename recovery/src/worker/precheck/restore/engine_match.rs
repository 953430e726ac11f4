//! Precheck item: the target is of the backup's engine (LOG-04).

use super::RestoreBench;
use crate::model::precheck::{Finding, PrecheckItem};
use crate::worker::precheck::item::{ASKS_S, About, Item, Looked, Needs, RELATIONAL, Weight};
use crate::worker::servers::Side;

/// The item.
pub const ITEM: Item<RestoreBench> = Item {
    about: About {
        item: PrecheckItem::RestoreEngineMatch,
        english: "Engine of the destination",
        chinese: "数据源类型检查",
        weight: Weight::Firm,
        engines: RELATIONAL,
        needs: Needs::Anything,
        looks_at: "Compares the engine of the target with that of the backup.",
        finds: &["the engines differ"],
        remedy: "Choose a target of the same engine.",
        shieldable: false,
        source: "LOG-04",
    },
    look: |bench| Box::pin(look(bench)),
    limit_s: ASKS_S,
};

async fn look(bench: &RestoreBench) -> Looked {
    let target = bench.bench.facts(Side::Target).await?.product;
    let job = bench.job();
    if target.engine == job.source_product.engine {
        return Ok(Vec::new());
    }
    let (set, source, instance) = (&job.set, job.source_product, &job.target.instance);
    Ok(vec![Finding::new(
        format!("set {set} is a backup of {source}, and the target {instance} is {target}"),
        format!("Choose a target whose engine is {}, then check again.", source.engine),
    )])
}
