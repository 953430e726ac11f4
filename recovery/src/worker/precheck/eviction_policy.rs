//! Precheck item: a Redis target evicts no keys while they are copied (prechecks.md 5.2).

use super::bench::Bench;
use super::item::{ASKS_S, About, Item, Looked, Needs, Weight};
use crate::model::Engine;
use crate::model::precheck::{Finding, PrecheckItem};
use crate::worker::servers::Side;

/// The item.
pub const ITEM: Item<Bench> = Item {
    about: About {
        item: PrecheckItem::EvictionPolicy,
        english: "Eviction policy of the destination",
        chinese: "目标库逐出策略检查",
        weight: Weight::Firm,
        engines: &[Engine::Redis],
        needs: Needs::Anything,
        looks_at: "Reads maxmemory-policy of the target.",
        finds: &["the target evicts keys when its memory is full"],
        remedy: "Set maxmemory-policy of the target to noeviction.",
        shieldable: false,
        source: "prechecks.md 5.2, section 10",
    },
    look: |bench| Box::pin(look(bench)),
    limit_s: ASKS_S,
};

/// What the target must not do.
const WANTED: &str = "noeviction";

async fn look(bench: &Bench) -> Looked {
    let found = bench.parameter(Side::Target, "maxmemory-policy").await?;
    // A server that says nothing of it has the default, which is to evict nothing.
    let found = found.unwrap_or_else(|| WANTED.to_owned());
    if found.eq_ignore_ascii_case(WANTED) {
        return Ok(Vec::new());
    }
    let instance = &bench.access(Side::Target).instance;
    let cause =
        format!("maxmemory-policy of the target {instance} is {found}: keys that were copied may be evicted again");
    let remedy = format!("Set maxmemory-policy of {instance} to {WANTED}, then start again.");
    Ok(vec![Finding::new(cause, remedy).by(format!("CONFIG SET maxmemory-policy {WANTED}"))])
}
