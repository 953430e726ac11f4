//! Precheck item: a Redis target of a full migration holds no key at all (prechecks.md section 9).
//!
//! Keys of the source would stand beside the target's own, and lists would hold elements of both. To ignore objects of
//! the same name does not help: the documents know no exception.

use super::bench::Bench;
use super::item::{ASKS_S, About, Item, Looked, Needs, Weight, each};
use crate::model::Engine;
use crate::model::precheck::PrecheckItem;
use crate::worker::servers::Side;

/// The item.
pub const ITEM: Item<Bench> = Item {
    about: About {
        item: PrecheckItem::TargetEmpty,
        english: "Emptiness of the destination",
        chinese: "目标库是否为空检查",
        weight: Weight::Firm,
        engines: &[Engine::Redis],
        needs: Needs::Full,
        looks_at: "Counts the keys of every logical database of the target.",
        finds: &["the target holds keys"],
        remedy: "Empty the target, or choose one without keys.",
        shieldable: false,
        source: "prechecks.md section 9",
    },
    look: |bench| Box::pin(look(bench)),
    limit_s: ASKS_S,
};

async fn look(bench: &Bench) -> Looked {
    let instance = bench.access(Side::Target).instance.clone();
    let mut causes = Vec::new();
    for database in bench.databases(Side::Target).await? {
        let objects = bench.objects(Side::Target, &database.name).await?;
        let keys: u64 = objects.iter().map(|object| object.rows).sum();
        if keys > 0 {
            causes.push(format!("database {} of the target {instance} holds {keys} keys", database.name));
        }
    }
    let remedy = format!("Empty {instance}, or choose a target without keys, then start again.");
    Ok(each(causes, &remedy))
}
