//! Precheck item: objects of the same name in the target; a warning, because a policy settles them (LOG-37, LOG-38).

use super::RestoreBench;
use crate::model::logical::restore::{RestorePhase, StructureConflict};
use crate::model::precheck::PrecheckItem;
use crate::worker::names::{takes_name, word};
use crate::worker::precheck::item::{ASKS_S, About, Item, Looked, Needs, RELATIONAL, Weight, each};
use crate::worker::servers::Side;

/// The item.
pub const ITEM: Item<RestoreBench> = Item {
    about: About {
        item: PrecheckItem::RestoreSameName,
        english: "Object name conflict",
        chinese: "目标库同名对象存在性检查",
        weight: Weight::Light,
        engines: RELATIONAL,
        needs: Needs::Anything,
        looks_at: "Compares what would be made with what the target has.",
        finds: &["an object of that name is in the target"],
        remedy: "Rename or drop it in the target, leave it out, or choose to ignore conflicts.",
        shieldable: false,
        source: "prechecks.md 6.1; LOG-37, LOG-38",
    },
    look: |bench| Box::pin(look(bench)),
    limit_s: ASKS_S,
};

async fn look(bench: &RestoreBench) -> Looked {
    let (job, plan) = (bench.job(), bench.plan().await?);
    let engine = job.source_product.engine;
    let mut causes = Vec::new();
    for (entry, made) in plan.details.iter().zip(&plan.made) {
        if entry.phase != RestorePhase::Structure {
            continue;
        }
        let there = bench.bench.objects(Side::Target, &entry.database).await?;
        if let Some(found) = there.iter().find(|found| takes_name(engine, found, made)) {
            let (kind, database, instance) = (word(found.kind), &entry.database, &job.target.instance);
            causes.push(format!("{kind} {database}.{} is already in the target {instance}", found.name));
        }
    }
    let remedy = match job.structure_conflict {
        StructureConflict::Ignore => {
            "They stay as they are. To have them restored, rename or drop them in the target, then check again."
        }
        StructureConflict::Stop => {
            "The task will stop at the first of them. Rename or drop them in the target, leave them out, or choose to \
             ignore conflicts, then check again."
        }
    };
    Ok(each(causes, remedy))
}
