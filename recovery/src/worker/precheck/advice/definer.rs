//! Advice: a view or routine that ran with the rights of an account the target does not have.

use crate::model::Engine;
use crate::model::precheck::{Finding, PrecheckItem};
use crate::worker::migrate::plan::Planned;
use crate::worker::names::word;
use crate::worker::precheck::bench::Bench;
use crate::worker::precheck::item::{ASKS_S, About, Item, Looked, Needs, Weight};
use crate::worker::servers::Side;

/// The item.
pub const ITEM: Item<Bench> = Item {
    about: About {
        item: PrecheckItem::AdviseDefiner,
        english: "Definers",
        chinese: "定义者检查",
        weight: Weight::Advice,
        engines: &[Engine::MySql],
        needs: Needs::Structure,
        looks_at: "Compares the definers of what is made with the accounts of the target.",
        finds: &["the definer of an object is no account of the target"],
        remedy: "Make the account in the target, or grant its rights to those who use the object.",
        shieldable: false,
        source: "advice beyond the documents",
    },
    look: |bench| Box::pin(look(bench)),
    limit_s: ASKS_S,
};

async fn look(bench: &Bench) -> Looked {
    let Some(accounts) = bench.circumstances(Side::Target).await?.accounts.clone() else {
        return Ok(Vec::new());
    };
    let work = bench.work();
    let mut findings = Vec::new();
    for Planned { database, object } in bench.planned().await? {
        let Some(definer) = object.definer.as_deref() else { continue };
        // A server may name the hosts of an account too.
        let account = definer.split('@').next().unwrap_or(definer).trim_matches(['`', '\'', '"']);
        if accounts.contains(account) {
            continue;
        }
        let (kind, name, target) = (word(object.kind), &object.name, &work.target.instance);
        let cause = format!(
            "{kind} {database}.{name} runs with the rights of {definer}, which is no account of the target {target}: there \
             it runs with those of its caller"
        );
        let remedy = format!("Grant those who use {name} what it reads and writes in {target}, or go on.");
        findings.push(Finding::new(cause, remedy));
    }
    Ok(findings)
}
