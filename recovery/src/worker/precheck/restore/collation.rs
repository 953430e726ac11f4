//! Precheck item: collations differ; a warning (LOG-50).

use super::RestoreBench;
use super::parameters::difference;
use crate::model::precheck::PrecheckItem;
use crate::worker::precheck::item::{ASKS_S, About, Item, Looked, Needs, RELATIONAL, Weight, each};

/// The item.
pub const ITEM: Item<RestoreBench> = Item {
    about: About {
        item: PrecheckItem::RestoreCollation,
        english: "Collation",
        chinese: "排序规则检查",
        weight: Weight::Light,
        engines: RELATIONAL,
        needs: Needs::Anything,
        looks_at: "Compares collation_server.",
        finds: &["the collations differ"],
        remedy: "Set collation_server of the target to that value, or go on.",
        shieldable: false,
        source: "prechecks.md 6.1; LOG-50",
    },
    look: |bench| Box::pin(look(bench)),
    limit_s: ASKS_S,
};

async fn look(bench: &RestoreBench) -> Looked {
    let found: Vec<String> = difference(bench, "collation_server").await?.into_iter().collect();
    let remedy = "Texts may be compared and sorted otherwise in the target. Set collation_server of the target to that value, then check again, or go on.";
    Ok(each(found, remedy))
}
