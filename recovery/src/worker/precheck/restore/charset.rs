//! Precheck item: character sets of servers or databases differ; a warning (LOG-50).

use super::RestoreBench;
use super::parameters::difference;
use crate::model::precheck::PrecheckItem;
use crate::worker::precheck::item::{ASKS_S, About, Item, Looked, Needs, RELATIONAL, Weight, each};
use crate::worker::servers::Side;

/// The item.
pub const ITEM: Item<RestoreBench> = Item {
    about: About {
        item: PrecheckItem::RestoreCharset,
        english: "Character set",
        chinese: "字符集检查",
        weight: Weight::Light,
        engines: RELATIONAL,
        needs: Needs::Anything,
        looks_at: "Compares character_set_server, and the character sets of databases that are on both sides.",
        finds: &["a character set differs"],
        remedy: "Use the same character set in the target, or go on.",
        shieldable: false,
        source: "prechecks.md 6.1; LOG-50",
    },
    look: |bench| Box::pin(look(bench)),
    limit_s: ASKS_S,
};

async fn look(bench: &RestoreBench) -> Looked {
    let mut found: Vec<String> = difference(bench, "character_set_server").await?.into_iter().collect();
    let plan = bench.plan().await?;
    for (name, charset) in &plan.databases {
        let there = bench.bench.database(Side::Target, name).await?;
        if let Some(there) = there.filter(|there| !charset.is_empty() && there.charset != *charset) {
            let own = &there.charset;
            found.push(format!("database {name} was '{charset}' in the backup and is '{own}' in the target"));
        }
    }
    let remedy = "Texts may not fit, or be compared otherwise. Use the same character set in the target, then check \
                  again, or go on.";
    Ok(each(found, remedy))
}
