//! Precheck item: upper and lower case in names is told apart on one side only; a warning (LOG-50).

use super::RestoreBench;
use super::parameters::{both, said};
use crate::model::precheck::PrecheckItem;
use crate::worker::precheck::item::{ASKS_S, About, Item, Looked, Needs, RELATIONAL, Weight, each};

const NAME: &str = "lower_case_table_names";

/// The item.
pub const ITEM: Item<RestoreBench> = Item {
    about: About {
        item: PrecheckItem::RestoreNameCase,
        english: "Case sensitivity of names",
        chinese: "大小写敏感参数配置检查",
        weight: Weight::Light,
        engines: RELATIONAL,
        needs: Needs::Anything,
        looks_at: "Compares lower_case_table_names.",
        finds: &["upper and lower case in names is told apart on one side only"],
        remedy: "Restore into a target with the same setting, or go on.",
        shieldable: false,
        source: "prechecks.md 6.1; LOG-50",
    },
    look: |bench| Box::pin(look(bench)),
    limit_s: ASKS_S,
};

async fn look(bench: &RestoreBench) -> Looked {
    let (source, target) = both(bench, NAME).await?;
    let differs = (source.trim() == "0") != (target.trim() == "0");
    let found: Vec<String> = differs.then(|| said(bench, NAME, &source, &target)).into_iter().collect();
    let remedy = "Tables whose names differ in case alone become one, or are not found by the names in views and \
                  routines. Restore into a target with the same setting, or go on.";
    Ok(each(found, remedy))
}
