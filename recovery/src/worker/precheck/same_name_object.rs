//! Precheck item: nothing in the target bears the name of what is to be made there (DTS-13, C-14).

use super::bench::Bench;
use super::item::{ASKS_S, About, Item, Looked, Needs, RELATIONAL, Weight, each};
use crate::model::precheck::PrecheckItem;
use crate::model::task::SameNameMode;
use crate::worker::names::{clash, named_by_database, word};
use crate::worker::servers::Side;

/// The item.
pub const ITEM: Item<Bench> = Item {
    about: About {
        item: PrecheckItem::SameNameObject,
        english: "Object name conflict",
        chinese: "同名对象存在性检查",
        weight: Weight::Firm,
        engines: RELATIONAL,
        needs: Needs::Structure,
        looks_at: "Compares the names of the objects that are to be made, as mapped, with what the target has and with each \
                   other.",
        finds: &["an object of that name is in the target", "two selected objects get one name in the target"],
        remedy: "Map to another name, rename or drop the object in the target, leave it out, or ignore objects of the same \
                 name.",
        shieldable: true,
        source: "prechecks.md 2.1 item 7; DTS-13; C-14",
    },
    look: |bench| Box::pin(look(bench)),
    limit_s: ASKS_S,
};

async fn look(bench: &Bench) -> Looked {
    let work = bench.work();
    if work.same_name == SameNameMode::Ignore {
        return Ok(Vec::new());
    }
    let engine = work.source.product.engine;
    let mut causes = Vec::new();
    let mut taken = Vec::new();
    for entry in bench.planned_as().await? {
        let (database, name) = (&entry.target_database, &entry.target_name);
        if !named_by_database(engine, entry.kind) {
            continue;
        }
        if taken.contains(&(database.clone(), entry.kind, name.clone())) {
            causes.push(format!("two selected objects are called {database}.{name} in the target"));
        }
        let there = bench.objects(Side::Target, database).await?;
        if let Some(object) = there.iter().find(|object| clash(engine, object, entry.kind, name)) {
            let kind = word(object.kind);
            causes.push(format!("{kind} {database}.{name} is already in the target {}", work.target.instance));
        }
        taken.push((database.clone(), entry.kind, name.clone()));
    }
    let remedy = "Map each to another name, rename or drop it in the target, leave it out, or choose to ignore objects of \
                  the same name, then start again.";
    Ok(each(causes, remedy))
}
