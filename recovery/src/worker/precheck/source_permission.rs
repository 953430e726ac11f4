//! Precheck item: the source account may do what the types need on every selected object (prechecks.md 5.3, C-23).
//!
//! Structure and full need to read, incremental needs to replicate. The documents also ask for writing on the source;
//! that is stricter than needed and not asked for here.

use super::bench::{Bench, Snag};
use super::failed_if_any;
use crate::model::Engine;
use crate::model::content::Object;
use crate::model::instance::{Grants, Rights};
use crate::model::precheck::PrecheckOutcome;
use crate::model::task::MigrationType;
use crate::worker::scope::Scope;
use crate::worker::servers::Side;
use std::collections::{BTreeMap, BTreeSet};

/// What incremental migration needs, by engine.
const REPLICATION: [(Engine, &str); 5] = [
    (Engine::MySql, "REPLICATION SLAVE and REPLICATION CLIENT"),
    (Engine::SqlServer, "sysadmin"),
    (Engine::PostgreSql, "superuser"),
    (Engine::Ppas, "superuser"),
    (Engine::Redis, "SYNC and PSYNC"),
];

/// Compares the account's rights with what the types need (TMP-27).
pub async fn check(bench: &mut Bench) -> Result<PrecheckOutcome, Snag> {
    let grants = bench.facts(Side::Source).await?.grants;
    let described = bench.source_objects().await?;
    let work = bench.work();
    let engine = work.source.product.engine;
    let (needed, privilege) = if bench.has(MigrationType::Incremental) {
        (Rights::Owner, REPLICATION.iter().find(|(own, _)| *own == engine).map_or("owner", |(_, what)| *what))
    } else {
        (Rights::ReadOnly, if engine == Engine::Redis { "read" } else { "SELECT" })
    };
    let lacking = lacking(Scope::new(&work.objects), &grants, &described, needed);
    let account = &work.source.login.account;
    let causes: Vec<String> =
        lacking.iter().map(|object| format!("source account {account} lacks {privilege} on {object}")).collect();
    let remedy = format!(
        "Grant {privilege} on {} to account {account} on {}, or use another account, then start again.",
        lacking.join(", "),
        work.source.instance
    );
    Ok(failed_if_any(&causes, remedy))
}

/// Selected databases and tables on which the rights do not suffice. An object named in the account's exceptions counts
/// too where its whole database is selected: a server may not describe what the account cannot read.
fn lacking(
    scope: Scope<'_>,
    grants: &Grants,
    described: &BTreeMap<String, Vec<Object>>,
    needed: Rights,
) -> Vec<String> {
    let mut lacking = BTreeSet::new();
    for database in scope.databases() {
        if scope.whole(database).is_none() {
            continue;
        }
        if grants.on_database(database) < needed {
            lacking.insert(database.to_owned());
            continue;
        }
        let within = |name: &&String| name.strip_prefix(database).is_some_and(|rest| rest.starts_with('.'));
        let excepted = grants.exceptions.iter().filter(|(name, rights)| within(name) && **rights < needed);
        lacking.extend(excepted.map(|(name, _)| name.clone()));
        let objects = described.get(database).into_iter().flatten();
        let unreadable = objects.filter(|object| grants.on(database, &object.name) < needed);
        lacking.extend(unreadable.map(|object| format!("{database}.{}", object.name)));
    }
    let tables = scope.tables().filter(|(database, table)| grants.on(database, table) < needed);
    lacking.extend(tables.map(|(database, table)| format!("{database}.{table}")));
    lacking.into_iter().collect()
}
