//! Declared instances, accounts and backup settings.

use super::{word, words};
use crate::lower::book::default_database;
use crate::scenario::{AccountSpec, BackupPolicyChange, DatabaseSpec, InstanceRole, InstanceSpec, WorldSpec};
use crate::tree::{Node, Table};
use recovery::model::instance::{Billing, Grants, NetworkType, Rights};
use recovery::model::product::Engine;
use std::collections::BTreeMap;

pub(super) fn instance(it: &InstanceSpec, world: &WorldSpec) -> Table {
    let role = match it.role {
        InstanceRole::Primary => None,
        InstanceRole::ReadOnly { .. } => Some("read-only"),
        InstanceRole::DisasterRecovery { .. } => Some("disaster-recovery"),
    };
    let table = Table::of("engine", it.product.to_string())
        .maybe("role", role)
        .maybe("master", it.role.master())
        .only(it.region != world.region, "region", &it.region)
        .only(it.network != NetworkType::Classic, "network", word(&it.network))
        .only(it.billing != Billing::PayAsYouGo, "billing", word(&it.billing));
    let table = match it.accounts.as_slice() {
        [] => table,
        [one] => table.with("account", account(one)),
        several => table.with("accounts", several.iter().map(account).collect::<Node>()),
    };
    let table = table
        .maybe("ssl", it.ssl)
        .maybe("whitelist", it.whitelist.as_ref().map(|it| it.iter().collect::<Node>()))
        .only(!it.parameters.is_empty(), "parameters", it.parameters.iter().collect::<Table>())
        .maybe("backup_policy", it.backup_policy.as_ref().map(policy));
    databases(table, it)
}

fn databases(table: Table, it: &InstanceSpec) -> Table {
    let redis = it.product.engine == Engine::Redis;
    let usual = default_database(Some(it.product.engine));
    let (own, further): (Vec<&DatabaseSpec>, _) = it.databases.iter().partition(|database| database.name == usual);
    let sql = own.first().map(|database| database.sql.as_str()).filter(|sql| !sql.is_empty());
    let further: Table = further.iter().map(|database| (database.name.as_str(), database.sql.as_str())).collect();
    table.maybe(if redis { "commands" } else { "sql" }, sql).only(!further.entries.is_empty(), "databases", further)
}

pub(super) fn account(it: &AccountSpec) -> Table {
    let table = Table::of("name", &it.name).with("password", it.password.expose());
    grants(table, &it.grants, it.grants.default != Rights::ReadWrite)
}

/// `rights` where they are to be said, and `exceptions`.
pub(super) fn grants(table: Table, it: &Grants, say: bool) -> Table {
    let Grants { default, exceptions } = it;
    table.only(say, "rights", word(default)).only(!exceptions.is_empty(), "exceptions", by_name(exceptions))
}

fn by_name(rights: &BTreeMap<String, Rights>) -> Table {
    rights.iter().map(|(name, rights)| (name.as_str(), word(rights))).collect()
}

pub(super) fn policy(it: &BackupPolicyChange) -> Table {
    let BackupPolicyChange { weekdays, hour, log_backup, data_retention_days, log_retention_days } = it;
    Table::default()
        .maybe("weekdays", weekdays.as_ref().map(words))
        .maybe("hour", *hour)
        .maybe("log_backup", *log_backup)
        .maybe("data_retention_days", *data_retention_days)
        .maybe("log_retention_days", *log_retention_days)
}
