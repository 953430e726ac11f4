//! Precheck item: rows in tables of the target that rows are restored into; a warning (LOG-39 to LOG-41).

use super::RestoreBench;
use crate::model::content::ObjectKind;
use crate::model::logical::restore::{DataConflict, RestorePhase, RestoreType};
use crate::model::precheck::PrecheckItem;
use crate::worker::precheck::item::{ASKS_S, About, Item, Looked, Needs, RELATIONAL, Weight, each};
use crate::worker::servers::Side;

/// The item.
pub const ITEM: Item<RestoreBench> = Item {
    about: About {
        item: PrecheckItem::RestoreDataExistence,
        english: "Data existence in the destination",
        chinese: "目标库数据存在性检查",
        weight: Weight::Light,
        engines: RELATIONAL,
        needs: Needs::Anything,
        looks_at: "Counts the rows of the tables that rows go to.",
        finds: &["a table of the target holds rows", "rows alone are restored into a table that is not there"],
        remedy: "Empty the tables, choose another data conflict policy, restore the structure as well, or go on.",
        shieldable: false,
        source: "prechecks.md 6.1; LOG-39 to LOG-41",
    },
    look: |bench| Box::pin(look(bench)),
    limit_s: ASKS_S,
};

async fn look(bench: &RestoreBench) -> Looked {
    let (job, plan) = (bench.job(), bench.plan().await?);
    let instance = &job.target.instance;
    let (mut causes, mut missing) = (Vec::new(), Vec::new());
    for entry in plan.details.iter().filter(|entry| entry.phase == RestorePhase::Full) {
        let there = bench.bench.objects(Side::Target, &entry.database).await?;
        let name = format!("{}.{}", entry.database, entry.target_name);
        let is_it =
            |found: &&crate::model::content::Object| found.kind == ObjectKind::Table && found.name == entry.target_name;
        match there.iter().find(is_it) {
            Some(found) if found.rows > 0 => {
                causes.push(format!("table {name} of the target {instance} holds {} rows", found.rows));
            }
            None if !job.types.contains(&RestoreType::Structure) => {
                missing.push(format!("table {name} is not in the target {instance}, and rows alone make none"));
            }
            Some(_) | None => {}
        }
    }
    let policy = match job.data_conflict {
        DataConflict::Ignore => "Rows of the target stay where a row of the backup has the same key.",
        DataConflict::Stop => "The task will stop at the first row of the backup whose key is there.",
        DataConflict::DeleteThenRewrite => "Rows of the target are deleted where a row of the backup has the same key.",
    };
    let mut remedies = Vec::new();
    if !causes.is_empty() {
        remedies
            .push(format!("{policy} Empty the tables or choose another data conflict policy if that is not wanted."));
    }
    if !missing.is_empty() {
        remedies
            .push("Restore the structure as well, or make the tables in the target; the task fails otherwise.".into());
    }
    causes.append(&mut missing);
    Ok(each(causes, &remedies.join(" ")))
}
