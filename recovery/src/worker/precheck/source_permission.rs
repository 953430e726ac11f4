//! Precheck item: the source account may do what the types need on every selected object (prechecks.md 5.3, C-23).
//!
//! Structure and full need to read, incremental needs to replicate. The documents also ask for writing on the source;
//! that is stricter than needed and not asked for here.

use super::bench::{Bench, Snag};
use super::grants::{On, Privilege, grant};
use super::item::{ASKS_S, About, EVERY_ENGINE, Item, Looked, Needs, Weight};
use crate::model::Engine;
use crate::model::content::Object;
use crate::model::instance::{Grants, Rights};
use crate::model::precheck::{Finding, PrecheckItem};
use crate::model::task::MigrationType;
use crate::worker::scope::Scope;
use crate::worker::servers::Side;
use std::collections::{BTreeMap, BTreeSet};

/// The item.
pub const ITEM: Item<Bench> = Item {
    about: About {
        item: PrecheckItem::SourcePermission,
        english: "Source database permissions",
        chinese: "源库权限检查",
        weight: Weight::Firm,
        engines: EVERY_ENGINE,
        needs: Needs::Anything,
        looks_at: "Compares the rights of the source account with what the migration types need on every selected object: \
                   SELECT for structure and full; for incremental REPLICATION SLAVE and REPLICATION CLIENT (MySQL), \
                   sysadmin (SQL Server), superuser (PostgreSQL, PPAS), SYNC and PSYNC (Redis).",
        finds: &["the account lacks a privilege on a selected object"],
        remedy: "Grant the privilege, or use another account.",
        shieldable: false,
        source: "prechecks.md 2.1 item 5, 5.3; TMP-27; C-23",
    },
    look: |bench| Box::pin(look(bench)),
    limit_s: ASKS_S,
};

/// What incremental migration needs, by engine.
const REPLICATION: [(Engine, &str); 5] = [
    (Engine::MySql, "REPLICATION SLAVE and REPLICATION CLIENT"),
    (Engine::SqlServer, "sysadmin"),
    (Engine::PostgreSql, "superuser"),
    (Engine::Ppas, "superuser"),
    (Engine::Redis, "SYNC and PSYNC"),
];

async fn look(bench: &Bench) -> Looked {
    let grants = bench.facts(Side::Source).await?.grants;
    // A server may refuse to describe what the account cannot read.
    let (described, refused) = match bench.source_objects().await {
        Ok(described) => (described, None),
        Err(Snag::LetGo(let_go)) => return Err(let_go.into()),
        Err(snag @ Snag::Found(_)) => (BTreeMap::new(), Some(snag)),
    };
    let work = bench.work();
    let engine = work.source.product.engine;
    let (needed, privilege, words) = if bench.has(MigrationType::Incremental) {
        let words = REPLICATION.iter().find(|(own, _)| *own == engine).map_or("owner", |(_, what)| *what);
        (Rights::Owner, Privilege::Replicate, words)
    } else {
        (Rights::ReadOnly, Privilege::Read, if engine == Engine::Redis { "read" } else { "SELECT" })
    };
    let lacking = lacking(Scope::new(&work.objects), &grants, &described, needed);
    if let (true, Some(snag)) = (lacking.is_empty(), refused) {
        return Err(snag);
    }
    let (account, instance) = (&work.source.login.account, &work.source.instance);
    let finding = |object: On| {
        let remedy = format!(
            "Grant {words} on {object} to account {account} on {instance}, or use another account, then start again."
        );
        let cause = format!("source account {account} lacks {words} on {object}");
        Finding::new(cause, remedy).by(grant(engine, privilege, &object, account))
    };
    Ok(lacking.into_iter().map(finding).collect())
}

/// Selected databases and tables on which the rights do not suffice. An object named in the account's exceptions counts
/// too where its whole database is selected: a server may not describe what the account cannot read.
fn lacking(
    scope: Scope<'_>,
    grants: &Grants,
    described: &BTreeMap<String, Vec<Object>>,
    needed: Rights,
) -> BTreeSet<On> {
    let mut lacking = BTreeSet::new();
    for database in scope.databases() {
        if scope.whole(database).is_none() {
            continue;
        }
        if grants.on_database(database) < needed {
            lacking.insert(On::database(database));
            continue;
        }
        let excepted = grants.exceptions.iter().filter(|(_, rights)| **rights < needed);
        let within = |name: &str| Some(On::table(database, name.strip_prefix(database)?.strip_prefix('.')?));
        lacking.extend(excepted.filter_map(|(name, _)| within(name)));
        let objects = described.get(database).into_iter().flatten();
        let unreadable = objects.filter(|object| grants.on(database, &object.name) < needed);
        lacking.extend(unreadable.map(|object| On::table(database, &object.name)));
    }
    let tables = scope.tables().filter(|(database, table)| grants.on(database, table) < needed);
    lacking.extend(tables.map(|(database, table)| On::table(database, table)));
    lacking
}
