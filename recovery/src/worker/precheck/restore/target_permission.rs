//! Precheck item: the target's account may make and write everything that is restored.

use super::RestoreBench;
use crate::model::content::ObjectKind;
use crate::model::precheck::PrecheckOutcome;
use crate::worker::precheck::bench::Snag;
use crate::worker::precheck::failed_if_any;
use crate::worker::servers::Side;
use std::collections::BTreeSet;

/// Compares the account's rights with what is made and written.
pub async fn check(bench: &mut RestoreBench) -> Result<PrecheckOutcome, Snag> {
    let grants = bench.bench.facts(Side::Target).await?.grants;
    let job = bench.job();
    let (account, instance) = (&job.target.login.account, &job.target.instance);
    let plan = match bench.plan().await {
        Ok(plan) => plan,
        // Another item says that the set cannot be read; the account may be in order all the same.
        Err(Snag::Outcome(_)) if grants.default.writes() => return Ok(PrecheckOutcome::Success),
        Err(snag) => return Err(snag),
    };
    let (mut causes, mut lacking) = (Vec::new(), BTreeSet::new());
    for name in plan.databases.keys() {
        let there = bench.bench.database(Side::Target, name).await?.is_some();
        if !there && !grants.default.writes() {
            causes.push(format!("account {account} may not make database {name}, which {instance} lacks"));
            lacking.insert(format!("`{name}`.*"));
        } else if !grants.on_database(name).writes() {
            causes.push(format!("account {account} lacks read and write on database {name}"));
            lacking.insert(format!("`{name}`.*"));
        }
    }
    for (entry, made) in plan.details.iter().zip(&plan.made) {
        let belongs = matches!(made.kind, ObjectKind::Index | ObjectKind::Trigger);
        let on = made.table.as_ref().filter(|_| belongs).unwrap_or(&made.name);
        let (database, whole) = (&entry.database, format!("`{}`.*", entry.database));
        let object = format!("`{database}`.`{on}`");
        if !lacking.contains(&whole) && !grants.on(database, on).writes() && lacking.insert(object) {
            causes.push(format!("account {account} lacks read and write on {database}.{on}"));
        }
    }
    let grant = |object: &String| format!("GRANT ALL PRIVILEGES ON {object} TO '{account}'");
    let statements: Vec<String> = lacking.iter().map(grant).collect();
    let remedy = format!(
        "Run {} on {instance}, or register the target with another account, then check again.",
        statements.join("; ")
    );
    Ok(failed_if_any(&causes, remedy))
}
