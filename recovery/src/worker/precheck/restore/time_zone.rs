//! Precheck item: time zones differ; a warning (LOG-50).

use super::RestoreBench;
use super::parameters::difference;
use crate::model::precheck::PrecheckItem;
use crate::worker::precheck::item::{ASKS_S, About, Item, Looked, Needs, RELATIONAL, Weight, each};

/// The item.
pub const ITEM: Item<RestoreBench> = Item {
    about: About {
        item: PrecheckItem::RestoreTimeZone,
        english: "Time zone",
        chinese: "时区检查",
        weight: Weight::Light,
        engines: RELATIONAL,
        needs: Needs::Anything,
        looks_at: "Compares time_zone.",
        finds: &["the time zones differ"],
        remedy: "Set time_zone of the target to that value, or go on.",
        shieldable: false,
        source: "prechecks.md 6.1; LOG-50",
    },
    look: |bench| Box::pin(look(bench)),
    limit_s: ASKS_S,
};

async fn look(bench: &RestoreBench) -> Looked {
    let found: Vec<String> = difference(bench, "time_zone").await?.into_iter().collect();
    let remedy = "Times may be shown and computed otherwise in the target. Set time_zone of the target to that value, then check again, or go on.";
    Ok(each(found, remedy))
}
