//! Advice: an instance that is released by itself before the task can be expected to end.

use crate::model::Engine;
use crate::model::precheck::{Finding, PrecheckItem};
use crate::model::task::MigrationType;
use crate::worker::precheck::bench::Bench;
use crate::worker::precheck::item::{ASKS_S, About, Item, Looked, Needs, Weight};
use crate::worker::servers::Side;

/// The item.
pub const ITEM: Item<Bench> = Item {
    about: About {
        item: PrecheckItem::AdviseExpiry,
        english: "Expiry of a temporary instance",
        chinese: "临时实例到期检查",
        weight: Weight::Advice,
        // Instances of other engines are recovered through clones, which do not expire.
        engines: &[Engine::SqlServer, Engine::PostgreSql, Engine::Ppas],
        needs: Needs::Anything,
        looks_at: "Compares the time that is left to a temporary instance with an estimate of how long the task takes.",
        finds: &["a temporary instance expires before the task can be expected to end"],
        remedy: "Make another temporary instance, or start at once.",
        shieldable: false,
        source: "advice beyond the documents",
    },
    look: |bench| Box::pin(look(bench)),
    limit_s: ASKS_S,
};

/// Seconds that are allowed for what comes before the first row and after the last.
const AROUND_S: i64 = 3_600;
/// Rows that are reckoned to come over in a second.
const ROWS_PER_S: u64 = 500;

async fn look(bench: &Bench) -> Looked {
    let sides = [Side::Source, Side::Target];
    let ends = sides.into_iter().filter_map(|side| Some((side, bench.access(side).expires_at?)));
    let Some((side, expires_at)) = ends.min_by_key(|(_, expires_at)| *expires_at) else { return Ok(Vec::new()) };
    let instance = &bench.access(side).instance;
    let finding = |why: String| {
        let cause =
            format!("the temporary instance {instance}, the {side}, is released by itself at {expires_at}, {why}");
        let remedy = "Make another temporary instance and a task with it, or say OK at once and watch it.";
        Ok(vec![Finding::new(cause, remedy)])
    };
    if bench.has(MigrationType::Incremental) {
        return finding("and an incremental task does not end by itself".to_owned());
    }
    let rows: u64 = bench.source_tables().await?.iter().map(|(_, table)| table.rows).sum();
    let takes_s = i64::try_from(rows / ROWS_PER_S).unwrap_or(i64::MAX).saturating_add(AROUND_S);
    if expires_at.duration_since(bench.now()).as_secs() >= takes_s {
        return Ok(Vec::new());
    }
    finding(format!("and the task is reckoned to take up to {} minutes", (takes_s + 59) / 60))
}
