//! Advice: a selection that holds nothing.

use crate::model::precheck::PrecheckItem;
use crate::model::task::MigrationType;
use crate::worker::precheck::bench::Bench;
use crate::worker::precheck::item::{ASKS_S, About, EVERY_ENGINE, Item, Looked, Needs, Weight, each};
use crate::worker::scope::Scope;

/// The item.
pub const ITEM: Item<Bench> = Item {
    about: About {
        item: PrecheckItem::AdviseEmpty,
        english: "Empty selection",
        chinese: "空对象检查",
        weight: Weight::Advice,
        engines: EVERY_ENGINE,
        needs: Needs::Load,
        looks_at: "Looks whether there is anything in what is selected: objects, and rows where rows are copied.",
        finds: &["a selected database holds nothing that is migrated", "no selected table holds a row"],
        remedy: "Select what is meant, or look whether the source is the right one.",
        shieldable: false,
        source: "advice beyond the documents",
    },
    look: |bench| Box::pin(look(bench)),
    limit_s: ASKS_S,
};

async fn look(bench: &Bench) -> Looked {
    let work = bench.work();
    let scope = Scope::new(&work.objects);
    let planned = bench.planned().await?;
    let mut causes = Vec::new();
    for database in scope.databases() {
        if scope.whole(database).is_some() && !planned.iter().any(|planned| planned.database == database) {
            causes.push(format!("the selected database {database} of the source holds nothing that is migrated"));
        }
    }
    let rows: u64 = planned.iter().map(|planned| planned.object.rows).sum();
    if causes.is_empty() && rows == 0 && bench.has(MigrationType::Full) {
        causes.push("no selected table of the source holds a row".to_owned());
    }
    let remedy = "Select what is meant, or look whether the source is the right one and as of the right time, then check \
                  again, or go on.";
    Ok(each(causes, remedy))
}
