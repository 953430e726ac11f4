//! Precheck item: the log reaches without a gap from the full set to the point in time (LOG-24).

use super::RestoreBench;
use super::set_readable::unreadable;
use crate::model::precheck::{Finding, PrecheckItem};
use crate::worker::lease::{Stop, Unleased};
use crate::worker::logical::reading::LogWalk;
use crate::worker::precheck::item::{About, Item, Looked, Needs, READS_S, RELATIONAL, Weight};

/// The item.
pub const ITEM: Item<RestoreBench> = Item {
    about: About {
        item: PrecheckItem::RestoreLogCoverage,
        english: "Log coverage",
        chinese: "日志覆盖检查",
        weight: Weight::Firm,
        engines: RELATIONAL,
        needs: Needs::Anything,
        looks_at: "Reads every segment of the log up to the point in time.",
        finds: &["the set begins after the point in time", "the log has a gap, ends before it, or cannot be read"],
        remedy: "Choose a point in time of the restorable range, or another set.",
        shieldable: false,
        source: "LOG-24",
    },
    look: |bench| Box::pin(look(bench)),
    limit_s: READS_S,
};

async fn look(bench: &RestoreBench) -> Looked {
    let job = bench.job();
    let Some(until) = job.until else {
        return Ok(Vec::new());
    };
    let manifest = bench.manifest().await?;
    if until < manifest.snapshot.at {
        let (set, begins) = (&job.set, manifest.snapshot.at);
        return Ok(vec![Finding::new(
            format!("set {set} begins at {begins}, after {until}"),
            "Choose a later point in time, or an earlier set, then check again.",
        )]);
    }
    if until <= manifest.completion.at {
        return Ok(Vec::new());
    }
    if job.logs.is_empty() {
        let (set, ends) = (&job.set, manifest.completion.at);
        return Ok(vec![Finding::new(
            format!("set {set} ends at {ends}, and there is no log after it up to {until}"),
            "Choose a point in time of the restorable range, then check again.",
        )]);
    }
    let mut log = LogWalk::new(&job.logs, manifest.completion.position, until);
    loop {
        match log.next(&bench.shelf, &mut Unleased(&*bench.clock)).await {
            Ok(Some(_)) => {}
            Ok(None) => return Ok(Vec::new()),
            Err(Stop::LetGo(let_go)) => return Err(let_go.into()),
            Err(Stop::Failed(unusable)) => return Ok(unreadable(&unusable)),
        }
    }
}
