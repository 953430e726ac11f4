//! Advice: clocks of source and target that differ.

use crate::model::precheck::{Finding, PrecheckItem};
use crate::worker::precheck::bench::Bench;
use crate::worker::precheck::item::{ASKS_S, About, EVERY_ENGINE, Item, Looked, Needs, Weight};
use crate::worker::servers::Side;

/// The item.
pub const ITEM: Item<Bench> = Item {
    about: About {
        item: PrecheckItem::AdviseClock,
        english: "Clock difference",
        chinese: "时钟差检查",
        weight: Weight::Advice,
        engines: EVERY_ENGINE,
        needs: Needs::Anything,
        looks_at: "Compares the times of both servers with the time of the worker that asks.",
        finds: &["the clocks of source and target differ by more than a minute"],
        remedy: "Set the clock of the server that is off.",
        shieldable: false,
        source: "advice beyond the documents",
    },
    look: |bench| Box::pin(look(bench)),
    limit_s: ASKS_S,
};

/// Seconds by which clocks may differ; answers take a while themselves.
const MAY_DIFFER_S: i64 = 60;

async fn look(bench: &Bench) -> Looked {
    let ahead = bench.ahead(Side::Target).await? - bench.ahead(Side::Source).await?;
    let seconds = ahead.as_secs();
    if seconds.abs() <= MAY_DIFFER_S {
        return Ok(Vec::new());
    }
    let (source, target) = (&bench.access(Side::Source).instance, &bench.access(Side::Target).instance);
    let word = if seconds > 0 { "ahead of" } else { "behind" };
    // Rounded, since how long an answer took is not known to the second.
    let minutes = (seconds.abs() + 30) / 60;
    let cause = format!(
        "the clock of the target {target} is about {minutes} minutes {word} that of the source {source}: times written \
         after cut-over do not follow those before"
    );
    let remedy = "Set the clock of the server that is off, then check again, or go on.";
    Ok(vec![Finding::new(cause, remedy)])
}
