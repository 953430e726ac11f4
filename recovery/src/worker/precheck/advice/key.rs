//! Advice: rows of a table without a primary or unique key cannot be told apart.

use crate::model::precheck::{Finding, PrecheckItem};
use crate::worker::precheck::bench::Bench;
use crate::worker::precheck::item::{ASKS_S, About, Item, Looked, Needs, RELATIONAL, Weight};
use crate::worker::scope::Scope;

/// The item.
pub const ITEM: Item<Bench> = Item {
    about: About {
        item: PrecheckItem::AdviseKey,
        english: "Tables without a key",
        chinese: "无主键表检查",
        weight: Weight::Advice,
        engines: RELATIONAL,
        needs: Needs::Rows,
        looks_at: "Looks for selected tables without a primary key or a unique key without NULLs, or with columns of it left out.",
        finds: &["a table has neither a primary key nor a unique one", "columns of the key are not selected"],
        remedy: "Give the table a primary key, or select all columns of its key.",
        shieldable: false,
        source: "advice beyond the documents",
    },
    look: |bench| Box::pin(look(bench)),
    limit_s: ASKS_S,
};

async fn look(bench: &Bench) -> Looked {
    let work = bench.work();
    let scope = Scope::new(&work.objects);
    let mut findings = Vec::new();
    for (database, table) in bench.source_tables().await? {
        let named = format!("{database}.{}", table.name);
        let whole =
            scope.place(&database, &table.name).is_some_and(|placing| placing.key_of(&table).len() == table.key.len());
        let harm = "a row that is brought over twice stands there twice";
        if table.key.is_empty() {
            let remedy = format!("Give {named} a primary key, then check again, or go on into an empty table.");
            findings
                .push(Finding::new(format!("table {named} has neither a primary nor a unique key: {harm}"), remedy));
        } else if !whole {
            let key = table.key.join(", ");
            let remedy = format!("Select the columns {key} of {named} too, then check again, or go on.");
            findings
                .push(Finding::new(format!("not all of the key {key} of table {named} is selected: {harm}"), remedy));
        }
    }
    Ok(findings)
}
