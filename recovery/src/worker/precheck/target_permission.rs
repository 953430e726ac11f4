//! Precheck item: the target account may read and write everything that is migrated (TMP-34, CLN-32).

use super::bench::{Bench, Snag};
use super::grants::{On, Privilege, grant};
use super::item::{ASKS_S, About, EVERY_ENGINE, Item, Looked, Needs, Weight};
use crate::model::content::ObjectKind;
use crate::model::precheck::{Finding, PrecheckItem};
use crate::worker::scope::Scope;
use crate::worker::servers::Side;
use std::collections::{BTreeMap, BTreeSet};

/// The item.
pub const ITEM: Item<Bench> = Item {
    about: About {
        item: PrecheckItem::TargetPermission,
        english: "Destination database permissions",
        chinese: "目的库权限检查",
        weight: Weight::Firm,
        engines: EVERY_ENGINE,
        needs: Needs::Anything,
        looks_at: "Compares the rights of the target account with what is written: read and write on every database and \
                   table that something goes to, under the names they get there.",
        finds: &["the account lacks read and write on a database or table"],
        remedy: "Grant read and write, or use another account.",
        shieldable: false,
        source: "prechecks.md 2.1 item 6, 5.3; TMP-34; CLN-32",
    },
    look: |bench| Box::pin(look(bench)),
    limit_s: ASKS_S,
};

async fn look(bench: &Bench) -> Looked {
    let grants = bench.facts(Side::Target).await?.grants;
    // Selected tables are known by name; those of a whole database only if the source can be looked at.
    let described = match bench.source_objects().await {
        Ok(described) => described,
        Err(Snag::LetGo(let_go)) => return Err(let_go.into()),
        Err(Snag::Found(_)) => BTreeMap::new(),
    };
    let work = bench.work();
    let scope = Scope::new(&work.objects);
    let mut lacking = BTreeSet::new();
    let whole = scope.databases().into_iter().filter_map(|database| scope.whole(database));
    lacking.extend(whole.filter(|target| !grants.on_database(target).writes()).map(On::database));
    let named = scope.tables();
    let tables = described.iter().flat_map(|(database, objects)| {
        let tables = objects.iter().filter(|object| object.kind == ObjectKind::Table);
        tables.map(move |table| (database.as_str(), table.name.as_str()))
    });
    for (database, table) in named.chain(tables) {
        let Some(placing) = scope.place(database, table) else {
            continue;
        };
        if !lacking.contains(&On::database(placing.database)) && !grants.on(placing.database, placing.table).writes() {
            lacking.insert(On::table(placing.database, placing.table));
        }
    }
    let (account, instance) = (&work.target.login.account, &work.target.instance);
    let engine = work.target.product.engine;
    let finding = |object: On| {
        let remedy = format!(
            "Grant read and write on {object} to account {account} on {instance}, or use another account, then start \
             again."
        );
        let cause = format!("target account {account} lacks read and write on {object}");
        Finding::new(cause, remedy).by(grant(engine, Privilege::Write, &object, account))
    };
    Ok(lacking.into_iter().map(finding).collect())
}
