//! Precheck item: no selected table has a storage engine whose changes cannot be followed.

use super::bench::Bench;
use super::item::{About, Item, Looked, each};
use super::server_id;
use crate::model::content::ObjectKind;
use crate::model::precheck::PrecheckItem;
use crate::worker::scope::Scope;
use crate::worker::servers::Side;

/// The item.
pub const ITEM: Item<Bench> = Item {
    about: About {
        item: PrecheckItem::StorageEngine,
        english: "Storage engine",
        chinese: "存储引擎检查",
        looks_at: "Reads the storage engine of every selected table.",
        finds: &["a selected table is FEDERATED or MRG_MYISAM"],
        remedy: "Leave the table out, and migrate it by itself without incremental.",
        shieldable: false,
        source: "prechecks.md 2.1 item 9",
        ..server_id::ITEM.about
    },
    look: |bench| Box::pin(look(bench)),
    ..server_id::ITEM
};

/// Engines of tables whose rows are those of other tables: no change of them stands in the log under their name.
const WITHOUT_CHANGES: [&str; 2] = ["FEDERATED", "MRG_MYISAM"];

async fn look(bench: &Bench) -> Looked {
    let storage = &bench.circumstances(Side::Source).await?.storage;
    let described = bench.source_objects().await?;
    let work = bench.work();
    let scope = Scope::new(&work.objects);
    let mut causes = Vec::new();
    for (database, objects) in &described {
        for table in objects.iter().filter(|object| object.kind == ObjectKind::Table) {
            let name = format!("{database}.{}", table.name);
            let engine = storage.get(&name).map(|engine| engine.to_uppercase());
            let engine = engine.filter(|engine| WITHOUT_CHANGES.contains(&engine.as_str()));
            if let Some(engine) = engine.filter(|_| scope.place(database, &table.name).is_some()) {
                causes.push(format!(
                    "table {name} has the storage engine {engine}, whose changes incremental migration cannot follow"
                ));
            }
        }
    }
    let remedy = "Leave the table out and migrate it by itself without incremental, then start again.";
    Ok(each(causes, remedy))
}
