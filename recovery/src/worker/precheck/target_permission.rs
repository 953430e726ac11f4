//! Precheck item: the target account may read and write everything that is migrated (TMP-34, CLN-32).

use super::bench::{Bench, Snag};
use super::failed_if_any;
use crate::model::content::ObjectKind;
use crate::model::precheck::PrecheckOutcome;
use crate::worker::scope::Scope;
use crate::worker::servers::Side;
use std::collections::BTreeSet;

/// Compares the account's rights with what is to be written.
pub async fn check(bench: &mut Bench) -> Result<PrecheckOutcome, Snag> {
    let grants = bench.facts(Side::Target).await?.grants;
    // Selected tables are known by name; those of a whole database only if the source can be looked at.
    let described = match bench.source_objects().await {
        Ok(described) => described,
        Err(Snag::LetGo(let_go)) => return Err(let_go.into()),
        Err(Snag::Outcome(_)) => std::collections::BTreeMap::new(),
    };
    let work = bench.work();
    let scope = Scope::new(&work.objects);
    let mut lacking = BTreeSet::new();
    let whole = scope.databases().into_iter().filter_map(|database| scope.whole(database));
    lacking.extend(whole.filter(|target| !grants.on_database(target).writes()).map(ToOwned::to_owned));
    let named = scope.tables();
    let tables = described.iter().flat_map(|(database, objects)| {
        let tables = objects.iter().filter(|object| object.kind == ObjectKind::Table);
        tables.map(move |table| (database.as_str(), table.name.as_str()))
    });
    for (database, table) in named.chain(tables) {
        let Some(placing) = scope.place(database, table) else {
            continue;
        };
        if !lacking.contains(placing.database) && !grants.on(placing.database, placing.table).writes() {
            lacking.insert(format!("{}.{}", placing.database, placing.table));
        }
    }
    let account = &work.target.login.account;
    let say = |object: &String| format!("target account {account} lacks read and write on {object}");
    let causes: Vec<String> = lacking.iter().map(say).collect();
    let objects: Vec<String> = lacking.into_iter().collect();
    let remedy = format!(
        "Grant read and write on {} to account {account} on {}, or use another account, then start again.",
        objects.join(", "),
        work.target.instance
    );
    Ok(failed_if_any(&causes, remedy))
}
