//! Precheck item: the full set is complete, and every object of it can be read (LOG-02).

use super::RestoreBench;
use crate::model::precheck::PrecheckOutcome;
use crate::worker::lease::Stop;
use crate::worker::logical::layout::{Part, Seals, Unusable};
use crate::worker::precheck::bench::Snag;
use crate::worker::precheck::failed;

/// Reads all of the set, one object at a time.
pub async fn check(bench: &mut RestoreBench) -> Result<PrecheckOutcome, Snag> {
    let job = bench.job();
    if !job.set_completed {
        return Ok(failed(
            format!("set {} is not complete", job.set),
            "Choose a completed full set, or wait until this one is complete, then check again.",
        ));
    }
    match read(bench).await {
        Ok(()) => Ok(PrecheckOutcome::Success),
        Err(Stop::LetGo(let_go)) => Err(let_go.into()),
        Err(Stop::Failed(unusable)) => Ok(unreadable(&unusable)),
    }
}

/// The outcome where something of a set cannot be used.
pub fn unreadable(unusable: &Unusable) -> PrecheckOutcome {
    failed(
        format!("set {} cannot be read: {}", unusable.set, unusable.detail),
        "Choose another set, or back the source up again, then check again.",
    )
}

async fn read(bench: &mut RestoreBench) -> Result<(), Stop<Unusable>> {
    let manifest = match bench.manifest().await {
        Ok(manifest) => manifest,
        Err(Snag::LetGo(let_go)) => return Err(let_go.into()),
        // Once more, for the reason itself.
        Err(Snag::Outcome(_)) => bench.shelf.manifest(&mut bench.bench.lease).await.map(std::sync::Arc::new)?,
    };
    let (shelf, lease) = (&bench.shelf, &mut bench.bench.lease);
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
