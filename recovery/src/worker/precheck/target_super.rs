//! Precheck item: triggers and functions can be made in a target that asks for SUPER to make them.
//!
//! A server of MySQL or MariaDB that writes a binary log and does not trust those who make functions
//! (`log_bin_trust_function_creators`) lets only accounts with SUPER make triggers and stored functions, whatever else an
//! account may do (error 1419). Procedures, events and views need it not.

use super::bench::Bench;
use super::item::{ASKS_S, About, Item, Looked, Needs, Weight};
use crate::model::Engine;
use crate::model::content::ObjectKind;
use crate::model::precheck::{Finding, PrecheckItem};
use crate::worker::names::word;
use crate::worker::servers::Side;

/// The item.
pub const ITEM: Item<Bench> = Item {
    about: About {
        item: PrecheckItem::TargetSuper,
        english: "Super privilege on the target",
        chinese: "目的库SUPER权限检查",
        weight: Weight::Firm,
        engines: &[Engine::MySql],
        needs: Needs::Structure,
        looks_at: "Looks whether triggers and functions can be made in a target that writes a binary log: by an account with \
                   SUPER, or because it trusts whoever makes them.",
        finds: &["a trigger or function is to be made, and the target account lacks SUPER"],
        remedy: "Set log_bin_trust_function_creators to ON in the target, or grant SUPER to the account.",
        shieldable: true,
        source: "prechecks.md 2.1 item 20; MySQL manual, stored program binary logging",
    },
    look: |bench| Box::pin(look(bench)),
    limit_s: ASKS_S,
};

/// The parameter that says whether those who make functions are trusted.
const TRUSTS: &str = "log_bin_trust_function_creators";

async fn look(bench: &Bench) -> Looked {
    let parameters = bench.facts(Side::Target).await?.parameters;
    let is = |name: &str, words: [&str; 2]| {
        parameters.get(name).is_some_and(|value| words.iter().any(|word| value.trim().eq_ignore_ascii_case(word)))
    };
    if !is("log_bin", ["ON", "1"]) || !is(TRUSTS, ["OFF", "0"]) || bench.circumstances(Side::Target).await?.is_super {
        return Ok(Vec::new());
    }
    let access = bench.access(Side::Target);
    let (instance, account) = (&access.instance, &access.login.account);
    let mut findings = Vec::new();
    for made in bench.planned_as().await? {
        if !matches!(made.kind, ObjectKind::Trigger | ObjectKind::Function) {
            continue;
        }
        let (database, name) = (&made.target_database, &made.target_name);
        let there = bench.objects(Side::Target, database).await?;
        if there.iter().any(|object| object.kind == made.kind && object.name == *name) {
            // It stays, or is found by the item for objects of the same name.
            continue;
        }
        let kind = word(made.kind);
        let cause = format!(
            "{kind} {database}.{name} cannot be made in the target {instance}: it writes a binary log, {TRUSTS} is OFF, and \
             account {account} lacks SUPER (error 1419)"
        );
        let remedy =
            format!("Set {TRUSTS} to ON in {instance}, or grant SUPER to account {account} there, then start again.");
        findings.push(Finding::new(cause, remedy).by(format!("SET GLOBAL {TRUSTS} = 1")));
    }
    Ok(findings)
}
