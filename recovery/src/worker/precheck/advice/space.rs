//! Advice: a target with less room than the source takes.

use crate::model::precheck::{Finding, PrecheckItem};
use crate::worker::precheck::bench::Bench;
use crate::worker::precheck::item::{ASKS_S, About, Item, Looked, Needs, RELATIONAL, Weight};
use crate::worker::servers::Side;

/// The item.
pub const ITEM: Item<Bench> = Item {
    about: About {
        item: PrecheckItem::AdviseSpace,
        english: "Free space of the target",
        chinese: "目标库剩余空间检查",
        weight: Weight::Advice,
        engines: RELATIONAL,
        needs: Needs::Full,
        looks_at: "Compares the bytes the source takes with those there is room for in the target, where the servers tell.",
        finds: &["the target has less room than the source takes"],
        remedy: "Make room in the target, or choose a larger one.",
        shieldable: false,
        source: "advice beyond the documents",
    },
    look: |bench| Box::pin(look(bench)),
    limit_s: ASKS_S,
};

async fn look(bench: &Bench) -> Looked {
    let (used, free) =
        (bench.circumstances(Side::Source).await?.used_bytes, bench.circumstances(Side::Target).await?.free_bytes);
    let Some((used, free)) = used.zip(free).filter(|(used, free)| free < used) else {
        return Ok(Vec::new());
    };
    let (source, target) = (&bench.access(Side::Source).instance, &bench.access(Side::Target).instance);
    let cause = format!("the target {target} has room for {free} bytes, and the source {source} takes {used}");
    let remedy =
        format!("Make room in {target} or choose a larger target, then check again, or go on where less is selected.");
    Ok(vec![Finding::new(cause, remedy)])
}
