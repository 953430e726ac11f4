//! Precheck item: the parent table of every foreign key is selected with its child (DTS-14).

use super::bench::Bench;
use super::item::{ASKS_S, About, Item, Looked, Needs, RELATIONAL, Weight, each};
use crate::model::content::ObjectKind;
use crate::model::precheck::PrecheckItem;
use crate::worker::scope::Scope;

/// The item.
pub const ITEM: Item<Bench> = Item {
    about: About {
        item: PrecheckItem::ConstraintIntegrity,
        english: "Constraint integrity",
        chinese: "约束完整性检查",
        weight: Weight::Firm,
        engines: RELATIONAL,
        needs: Needs::Load,
        looks_at: "Looks for foreign keys of selected tables whose parent table is not selected.",
        finds: &["a child table is selected without its parent"],
        remedy: "Select the parent tables too, leave the child tables out, or drop the foreign keys in the source.",
        shieldable: false,
        source: "prechecks.md 2.1 item 8; DTS-14",
    },
    look: |bench| Box::pin(look(bench)),
    limit_s: ASKS_S,
};

async fn look(bench: &Bench) -> Looked {
    let described = bench.source_objects().await?;
    let work = bench.work();
    let scope = Scope::new(&work.objects);
    let mut causes = Vec::new();
    for (database, objects) in &described {
        for key in objects.iter().filter(|object| object.kind == ObjectKind::ForeignKey) {
            let Some(child) = key.table.as_ref().filter(|child| scope.place(database, child).is_some()) else {
                continue;
            };
            for parent in key.needs.iter().filter(|parent| *parent != child && scope.place(database, parent).is_none())
            {
                let key = &key.name;
                causes.push(format!(
                    "table {database}.{child} is selected without {database}.{parent}, which its foreign key {key} needs"
                ));
            }
        }
    }
    let remedy = "Select the parent tables too, leave the child tables out, or drop the foreign keys in the source, then \
                  start again.";
    Ok(each(causes, remedy))
}
