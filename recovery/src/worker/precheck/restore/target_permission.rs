//! Precheck item: the target's account may make and write everything that is restored.

use super::RestoreBench;
use crate::model::content::ObjectKind;
use crate::model::precheck::{Finding, PrecheckItem};
use crate::worker::precheck::bench::Snag;
use crate::worker::precheck::grants::{On, Privilege, grant};
use crate::worker::precheck::item::{ASKS_S, About, Item, Looked, Needs, RELATIONAL, Weight};
use crate::worker::servers::Side;
use std::collections::BTreeMap;

/// The item.
pub const ITEM: Item<RestoreBench> = Item {
    about: About {
        item: PrecheckItem::RestoreTargetPermission,
        english: "Destination permissions",
        chinese: "目标库权限检查",
        weight: Weight::Firm,
        engines: RELATIONAL,
        needs: Needs::Anything,
        looks_at: "Compares the account's rights with what is made and written.",
        finds: &[
            "the account may not make a database that the target lacks",
            "the account lacks read and write on a database or table",
        ],
        remedy: "Grant the privileges, or register the target with another account.",
        shieldable: false,
        source: "prechecks.md 6.1",
    },
    look: |bench| Box::pin(look(bench)),
    limit_s: ASKS_S,
};

async fn look(bench: &RestoreBench) -> Looked {
    let grants = bench.bench.facts(Side::Target).await?.grants;
    let job = bench.job();
    let (account, instance) = (&job.target.login.account, &job.target.instance);
    let plan = match bench.plan().await {
        Ok(plan) => plan,
        // Another item says that the set cannot be read; the account may be in order all the same.
        Err(Snag::Found(_)) if grants.default.writes() => return Ok(Vec::new()),
        Err(snag) => return Err(snag),
    };
    let mut lacking: BTreeMap<On, String> = BTreeMap::new();
    for name in plan.databases.keys() {
        let there = bench.bench.database(Side::Target, name).await?.is_some();
        if !there && !grants.default.writes() {
            let cause = format!("account {account} may not make database {name}, which {instance} lacks");
            lacking.insert(On::database(name), cause);
        } else if !grants.on_database(name).writes() {
            let cause = format!("account {account} lacks read and write on database {name}");
            lacking.insert(On::database(name), cause);
        }
    }
    for (entry, made) in plan.details.iter().zip(&plan.made) {
        let belongs = matches!(made.kind, ObjectKind::Index | ObjectKind::Trigger);
        let table = made.table.as_ref().filter(|_| belongs).unwrap_or(&made.name);
        let on = On::table(&entry.database, table);
        if !lacking.contains_key(&On::database(&entry.database)) && !grants.on(&entry.database, table).writes() {
            let cause = format!("account {account} lacks read and write on {on}");
            lacking.entry(on).or_insert(cause);
        }
    }
    let engine = job.target.product.engine;
    let remedy = format!("Grant it on {instance}, or register the target with another account, then check again.");
    let finding =
        |(on, cause): (On, String)| Finding::new(cause, &remedy).by(grant(engine, Privilege::Write, &on, account));
    Ok(lacking.into_iter().map(finding).collect())
}
