//! Precheck item: the full set is complete, and every object of it can be read (LOG-02).

use super::RestoreBench;
use crate::model::precheck::{Finding, PrecheckItem};
use crate::worker::lease::{Stop, Unleased};
use crate::worker::logical::layout::{Part, Seals, Unusable};
use crate::worker::precheck::bench::Snag;
use crate::worker::precheck::item::{About, Item, Looked, Needs, READS_S, RELATIONAL, Weight};

/// The item.
pub const ITEM: Item<RestoreBench> = Item {
    about: About {
        item: PrecheckItem::RestoreSetReadable,
        english: "Backup set",
        chinese: "备份集可用性检查",
        weight: Weight::Firm,
        engines: RELATIONAL,
        needs: Needs::Anything,
        looks_at: "Reads all of the full set, one object at a time.",
        finds: &["the set is not complete", "something of it is missing or damaged"],
        remedy: "Choose another set, or back the source up again.",
        shieldable: false,
        source: "LOG-02",
    },
    look: |bench| Box::pin(look(bench)),
    limit_s: READS_S,
};

async fn look(bench: &RestoreBench) -> Looked {
    let job = bench.job();
    if !job.set_completed {
        return Ok(vec![Finding::new(
            format!("set {} is not complete", job.set),
            "Choose a completed full set, or wait until this one is complete, then check again.",
        )]);
    }
    match read(bench).await {
        Ok(()) => Ok(Vec::new()),
        Err(Stop::LetGo(let_go)) => Err(let_go.into()),
        Err(Stop::Failed(unusable)) => Ok(unreadable(&unusable)),
    }
}

/// The finding where something of a set cannot be used.
pub fn unreadable(unusable: &Unusable) -> Vec<Finding> {
    vec![Finding::new(
        format!("set {} cannot be read: {}", unusable.set, unusable.detail),
        "Choose another set, or back the source up again, then check again.",
    )]
}

async fn read(bench: &RestoreBench) -> Result<(), Stop<Unusable>> {
    let manifest = match bench.manifest().await {
        Ok(manifest) => manifest,
        Err(Snag::LetGo(let_go)) => return Err(let_go.into()),
        // Once more, for the reason itself.
        Err(Snag::Found(_)) => bench.shelf.manifest(&mut Unleased(&*bench.clock)).await.map(std::sync::Arc::new)?,
    };
    let (shelf, lease) = (&bench.shelf, &mut Unleased(&*bench.clock));
    for (place, table) in manifest.tables.iter().enumerate() {
        let (mut seals, mut rows) = (Seals::default(), 0);
        for chunk in 0..table.chunks {
            let read = shelf.rows(lease, &manifest, place, chunk).await?;
            seals.add(&read.seal);
            rows += read.body.len() as u64;
        }
        if seals.all() != table.sha256 || rows != table.rows {
            let why = format!("the rows of {}.{} are not those that were written", table.database, table.table);
            return Err(Stop::Failed(shelf.unusable(Part::Manifest, why)));
        }
    }
    for number in 0..manifest.tail_parts {
        shelf.tail(lease, &manifest, number).await?;
    }
    Ok(())
}
