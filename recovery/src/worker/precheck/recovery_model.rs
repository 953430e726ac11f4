//! Precheck item: the log of an SQL Server source holds every change since a full backup.

use super::bench::Bench;
use super::item::{ASKS_S, About, Item, Looked, Needs, Weight};
use crate::model::Engine;
use crate::model::precheck::{Finding, PrecheckItem};
use crate::worker::scope::Scope;
use crate::worker::servers::Side;

/// The item.
pub const ITEM: Item<Bench> = Item {
    about: About {
        item: PrecheckItem::RecoveryModel,
        english: "Recovery model and full backup of the source",
        chinese: "源库恢复模式及全量备份检查",
        weight: Weight::Firm,
        engines: &[Engine::SqlServer],
        needs: Needs::Incremental,
        looks_at: "Reads the recovery model of every selected database, and whether a full backup of it was taken.",
        finds: &["the recovery model is not full", "no full backup was taken"],
        remedy: "Set the recovery model to full, then take a full backup.",
        shieldable: false,
        source: "prechecks.md 2.3, 2.4",
    },
    look: |bench| Box::pin(look(bench)),
    limit_s: ASKS_S,
};

async fn look(bench: &Bench) -> Looked {
    let told = bench.circumstances(Side::Source).await?;
    let work = bench.work();
    let instance = &work.source.instance;
    let mut findings = Vec::new();
    for database in Scope::new(&work.objects).databases() {
        let Some(recovery) = told.recovery.get(database) else { continue };
        let named = format!("[{}]", database.replace(']', "]]"));
        if !recovery.model.eq_ignore_ascii_case("full") {
            let model = &recovery.model;
            let cause = format!(
                "the recovery model of database {database} of the source {instance} is {model}: its log does not keep \
                 every change"
            );
            let remedy = format!("Set the recovery model of {database} to full, then start again.");
            findings.push(Finding::new(cause, remedy).by(format!("ALTER DATABASE {named} SET RECOVERY FULL")));
        }
        if !recovery.backed_up {
            let cause = format!("no full backup of database {database} of the source {instance} was taken");
            let remedy = format!("Back {instance} up in full, then start again.");
            findings.push(Finding::new(cause, remedy));
        }
    }
    Ok(findings)
}
