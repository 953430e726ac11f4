//! Precheck item: the source account is sysadmin or superuser, which following the log takes there. The right is one on
//! the whole server, so what is granted on single databases does not do. That of Redis is looked at here too
//! ([`super::psync`]).

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
        item: PrecheckItem::Superuser,
        english: "Sysadmin or superuser on the source",
        chinese: "源库超级用户权限检查",
        weight: Weight::Firm,
        engines: &[Engine::SqlServer, Engine::PostgreSql, Engine::Ppas],
        needs: Needs::Incremental,
        looks_at: "Looks whether the source account is sysadmin (SQL Server) or superuser (PostgreSQL, PPAS).",
        finds: &["the source account is neither sysadmin nor superuser"],
        remedy: "Make the account sysadmin or superuser, or use another account.",
        shieldable: false,
        source: "prechecks.md 2.3, 2.4, 5.3",
    },
    look: |bench| Box::pin(look(bench)),
    limit_s: ASKS_S,
};

async fn look(bench: &Bench) -> Looked {
    if bench.facts(Side::Source).await?.grants.default >= Rights::Owner {
        return Ok(Vec::new());
    }
    let access = bench.access(Side::Source);
    let (engine, instance, account) = (access.product.engine, &access.instance, &access.login.account);
    let (lacks, raise) = if engine == Engine::Redis {
        (format!("may not run SYNC and PSYNC on {instance}"), format!("Let account {account} run them"))
    } else {
        let role = if engine == Engine::SqlServer { "sysadmin" } else { "superuser" };
        let lacks = format!("is no {role} on {instance}, and following its log takes one");
        (lacks, format!("Make account {account} {role}"))
    };
    let cause = format!("source account {account} {lacks}");
    let remedy = format!("{raise} on {instance}, or use another account, then start again.");
    let granted = grant(engine, Privilege::Replicate, &On::database("0"), account);
    Ok(vec![Finding::new(cause, remedy).by(granted)])
}
