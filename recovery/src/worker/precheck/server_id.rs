//! Precheck item: the source has a server_id under which its log can be followed.

use super::bench::Bench;
use super::item::{ASKS_S, About, Item, Looked, Needs, Weight};
use crate::model::Engine;
use crate::model::precheck::{Finding, PrecheckItem};
use crate::worker::servers::Side;

/// The item.
pub const ITEM: Item<Bench> = Item {
    about: About {
        item: PrecheckItem::ServerId,
        english: "Value of server_id in the source",
        chinese: "源库server-id检查",
        weight: Weight::Firm,
        engines: &[Engine::MySql],
        needs: Needs::Incremental,
        looks_at: "Reads server_id of the source.",
        finds: &["server_id is no whole number above 1"],
        remedy: "Give the source a server_id of its own.",
        shieldable: true,
        source: "prechecks.md 2.1 item 10",
    },
    look: |bench| Box::pin(look(bench)),
    limit_s: ASKS_S,
};

async fn look(bench: &Bench) -> Looked {
    let found = bench.parameter(Side::Source, "server_id").await?;
    let said = found.as_deref().unwrap_or("not set");
    if said.trim().parse::<u64>().is_ok_and(|id| id > 1) {
        return Ok(Vec::new());
    }
    let instance = &bench.access(Side::Source).instance;
    let cause = format!("server_id of the source {instance} is {said}, and following its log takes a number above 1");
    let remedy = format!("Give {instance} a server_id above 1 that no other server has, then start again.");
    Ok(vec![Finding::new(cause, remedy).by("SET GLOBAL server_id = 1001")])
}
