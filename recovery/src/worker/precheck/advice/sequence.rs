//! Advice: a sequence begins in the target where its definition says, whatever rows came over.

use crate::model::Engine;
use crate::model::content::ObjectKind;
use crate::model::precheck::{Finding, PrecheckItem};
use crate::worker::precheck::bench::Bench;
use crate::worker::precheck::item::{ASKS_S, About, Item, Looked, Needs, Weight};

/// The item.
pub const ITEM: Item<Bench> = Item {
    about: About {
        item: PrecheckItem::AdviseSequence,
        english: "Sequences that collide",
        chinese: "序列冲突检查",
        weight: Weight::Advice,
        engines: &[Engine::PostgreSql, Engine::Ppas],
        needs: Needs::Full,
        looks_at: "Looks for sequences among what is made together with rows.",
        finds: &["a sequence is made anew while rows with its values come over"],
        remedy: "Advance the sequence in the target after cut-over.",
        shieldable: false,
        source: "advice beyond the documents",
    },
    look: |bench| Box::pin(look(bench)),
    limit_s: ASKS_S,
};

async fn look(bench: &Bench) -> Looked {
    let mut findings = Vec::new();
    for planned in bench.planned().await? {
        if planned.object.kind == ObjectKind::Sequence {
            let named = format!("{}.{}", planned.database, planned.object.name);
            let cause = format!(
                "sequence {named} begins in the target as it is defined, though rows with its values come over"
            );
            let remedy = format!("Advance {named} in the target beyond its highest value after cut-over, or go on.");
            findings.push(Finding::new(cause, remedy));
        }
    }
    Ok(findings)
}
