//! Precheck item: the tables that rows are copied into are empty, unless rows that are there are to stay (C-14).

use super::bench::Bench;
use super::item::{ASKS_S, About, Item, Looked, Needs, RELATIONAL, Weight, each};
use crate::model::content::ObjectKind;
use crate::model::precheck::PrecheckItem;
use crate::model::task::SameNameMode;
use crate::worker::servers::Side;

/// The item.
pub const ITEM: Item<Bench> = Item {
    about: About {
        item: PrecheckItem::TargetTablesEmpty,
        english: "Emptiness of the destination tables",
        chinese: "目标库表是否为空检查",
        weight: Weight::Firm,
        engines: RELATIONAL,
        needs: Needs::Full,
        looks_at: "Counts the rows of the tables of the target that rows are copied into.",
        finds: &["a table of the target that rows are copied into holds rows"],
        remedy: "Empty the table, map to another one, or ignore objects of the same name: rows that are there stay then.",
        shieldable: true,
        source: "prechecks.md 2.1 item 19; C-14",
    },
    look: |bench| Box::pin(look(bench)),
    limit_s: ASKS_S,
};

async fn look(bench: &Bench) -> Looked {
    let work = bench.work();
    if work.same_name == SameNameMode::Ignore {
        return Ok(Vec::new());
    }
    let mut causes = Vec::new();
    for entry in bench.planned_as().await? {
        if entry.kind != ObjectKind::Table {
            continue;
        }
        let (database, name) = (&entry.target_database, &entry.target_name);
        let there = bench.objects(Side::Target, database).await?;
        let rows =
            there.iter().find(|object| object.kind == entry.kind && object.name == *name).map_or(0, |it| it.rows);
        if rows > 0 {
            causes.push(format!("table {database}.{name} of the target {} holds {rows} rows", work.target.instance));
        }
    }
    let remedy = "Empty it, map to another name, or choose to ignore objects of the same name, with which rows of the same \
                  key stay as they are, then start again.";
    Ok(each(causes, remedy))
}
