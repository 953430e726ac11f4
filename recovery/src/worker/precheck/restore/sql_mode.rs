//! Precheck item: SQL modes differ; a warning (LOG-50).

use super::RestoreBench;
use super::parameters::difference;
use crate::model::precheck::PrecheckItem;
use crate::worker::precheck::item::{ASKS_S, About, Item, Looked, Needs, RELATIONAL, Weight, each};

/// The item.
pub const ITEM: Item<RestoreBench> = Item {
    about: About {
        item: PrecheckItem::RestoreSqlMode,
        english: "SQL_MODE",
        chinese: "SQL_MODE检查",
        weight: Weight::Light,
        engines: RELATIONAL,
        needs: Needs::Anything,
        looks_at: "Compares sql_mode.",
        finds: &["the SQL modes differ"],
        remedy: "Set sql_mode of the target to that value, or go on.",
        shieldable: false,
        source: "prechecks.md 6.1; LOG-50",
    },
    look: |bench| Box::pin(look(bench)),
    limit_s: ASKS_S,
};

async fn look(bench: &RestoreBench) -> Looked {
    let found: Vec<String> = difference(bench, "sql_mode").await?.into_iter().collect();
    let remedy = "Statements of views, routines and triggers may mean something else in the target. Set sql_mode of the target to that value, then check again, or go on.";
    Ok(each(found, remedy))
}
