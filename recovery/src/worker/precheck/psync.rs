//! Precheck item: the source account of a Redis migration may run SYNC and PSYNC, for full as for incremental.

use super::bench::Bench;
use super::grants::{On, Privilege, grant};
use super::item::{ASKS_S, About, Item, Looked, Needs, Weight};
use crate::model::Engine;
use crate::model::instance::Rights;
use crate::model::precheck::{Finding, PrecheckItem};
use crate::worker::servers::Side;

/// The item.
pub const ITEM: Item<Bench> = Item {
    about: About {
        item: PrecheckItem::Psync,
        english: "SYNC and PSYNC on the source",
        chinese: "源库sync/psync权限检查",
        weight: Weight::Firm,
        engines: &[Engine::Redis],
        needs: Needs::Anything,
        looks_at: "Looks whether the source account may run SYNC and PSYNC.",
        finds: &["the source account may not run SYNC and PSYNC"],
        remedy: "Let the account run them, or use the password of the instance.",
        shieldable: false,
        source: "prechecks.md 2.3, 5.3",
    },
    look: |bench| Box::pin(look(bench)),
    limit_s: ASKS_S,
};

async fn look(bench: &Bench) -> Looked {
    if bench.facts(Side::Source).await?.grants.default >= Rights::Owner {
        return Ok(Vec::new());
    }
    let access = bench.access(Side::Source);
    let (instance, account) = (&access.instance, &access.login.account);
    let cause = format!("source account {account} may not run SYNC and PSYNC on {instance}");
    let remedy = format!("Let account {account} run them on {instance}, or use another account, then start again.");
    let granted = grant(Engine::Redis, Privilege::Replicate, &On::database("0"), account);
    Ok(vec![Finding::new(cause, remedy).by(granted)])
}
