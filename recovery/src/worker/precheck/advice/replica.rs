//! Advice: a source that is a replica and may be behind its master.

use crate::model::precheck::{Finding, PrecheckItem};
use crate::worker::precheck::bench::Bench;
use crate::worker::precheck::item::{ASKS_S, About, Item, Looked, Needs, RELATIONAL, Weight};
use crate::worker::servers::Side;

/// The item.
pub const ITEM: Item<Bench> = Item {
    about: About {
        item: PrecheckItem::AdviseReplica,
        english: "Replica as source",
        chinese: "只读实例作为源库检查",
        weight: Weight::Advice,
        engines: RELATIONAL,
        needs: Needs::Rows,
        looks_at: "Looks whether the source is a read-only or disaster recovery instance.",
        finds: &["the source is a replica"],
        remedy: "Choose its master as the source.",
        shieldable: false,
        source: "advice beyond the documents",
    },
    look: |bench| Box::pin(look(bench)),
    limit_s: ASKS_S,
};

async fn look(bench: &Bench) -> Looked {
    let source = bench.access(Side::Source);
    let Some(master) = &source.replica_of else { return Ok(Vec::new()) };
    let instance = &source.instance;
    let cause = format!("the source {instance} is a replica of {master}: what it has not got yet does not come over");
    let remedy =
        format!("Choose {master} as the source, or wait until nothing is written there and {instance} is not behind.");
    Ok(vec![Finding::new(cause, remedy)])
}
