//! Declared instances: roles and masters, accounts, settings and databases.

use super::Lower;
use super::book::{Kind, default_database};
use crate::error::{accepted, quoted};
use crate::fields::{At, Entry, Fields, Read};
use crate::read::wrong_name;
use crate::scenario::{AccountSpec, BackupPolicyChange, DatabaseSpec, InstanceRole, InstanceSpec};
use recovery::model::Product;
use recovery::model::instance::{Billing, Grants, NetworkType, Rights};
use recovery::model::product::Engine;
use std::collections::BTreeMap;

/// Instances a scenario may declare.
const INSTANCES_MAX: usize = 64;

/// Keys that belong to an instance of its own and not to one that follows a master.
const OWN: [&str; 5] = ["account", "accounts", "sql", "commands", "databases"];

impl Lower {
    /// Primaries first, each group in the file's order, so that a master stands before those that name it.
    pub(super) fn instances(&mut self, entries: &[Entry]) -> Vec<InstanceSpec> {
        if let Some(over) = entries.get(INSTANCES_MAX) {
            let message = format!("there are {} instances", entries.len());
            self.problems.add(&over.key.span, message, "too many", format!("declare at most {INSTANCES_MAX}"));
            return Vec::new();
        }
        let tables: Vec<(&At<String>, &Fields)> =
            entries.iter().filter_map(|entry| Some((&entry.key, entry.value.table()?))).collect();
        let primary = |fields: &Fields| fields.word("role").is_none_or(|role| role.value == "primary");
        let (primaries, others): (Vec<_>, Vec<_>) = tables.into_iter().partition(|(_, fields)| primary(fields));
        let names: Vec<String> = primaries.iter().map(|(name, _)| name.value.clone()).collect();
        let ordered = primaries.into_iter().chain(others);
        ordered.filter_map(|(name, fields)| self.instance(name, fields, &names)).collect()
    }

    fn instance(&mut self, name: &At<String>, fields: &Fields, primaries: &[String]) -> Option<InstanceSpec> {
        let word = At { span: name.span.clone(), value: name.value.as_str() };
        if let Some(why) = wrong_name(word.value) {
            self.problems.add(&word.span, format!("{} is no name: {why}", quoted(word.value)), "no name", "");
            return None;
        }
        let product: Option<Product> = match fields.get("engine").map(|at| &at.value) {
            Some(Read::Product(product)) => Some(*product),
            _ => None,
        };
        let (named, role) = (self.declare(&word, Kind::Instance), self.role(fields, primaries));
        let (master, databases, accounts) = match &role {
            Some(InstanceRole::ReadOnly { master } | InstanceRole::DisasterRecovery { master }) => {
                let with = "an instance that follows a master";
                self.refuse_keys(fields, &OWN, with, "accounts and data are the master's");
                (Some(master.clone()), Vec::new(), Vec::new())
            }
            Some(InstanceRole::Primary) | None => {
                let redis = product.is_some_and(|product| product.engine == Engine::Redis);
                (None, self.databases(fields, redis), self.accounts(fields))
            }
        };
        if named {
            let follows = master.is_some();
            let engine = product.map(|product| product.engine);
            self.book.add_instance(&name.value, master, follows, engine, accounts.clone());
        }
        let product = product?;
        Some(InstanceSpec {
            name: name.value.clone(),
            line: self.problems.line(name.span.start),
            product,
            role: role?,
            region: fields.text_or("region", &self.world.region),
            network: fields.model("network").unwrap_or(NetworkType::Classic),
            billing: fields.model("billing").unwrap_or(Billing::PayAsYouGo),
            accounts,
            ssl: fields.flag("ssl"),
            whitelist: fields.texts("whitelist"),
            parameters: fields.text_map("parameters"),
            backup_policy: fields.table("backup_policy").map(policy),
            databases,
        })
    }

    fn role(&mut self, fields: &Fields, primaries: &[String]) -> Option<InstanceRole> {
        let role = fields.word("role").map_or("primary", |role| role.value);
        if role == "primary" {
            self.refuse_keys(fields, &["master"], "a primary", "give `role = \"read-only\"` or leave out `master`");
            return Some(InstanceRole::Primary);
        }
        let Some(master) = fields.word("master") else {
            let message = format!("a {role} instance needs a master");
            self.problems.add(&fields.place("role"), message, "`master` is missing", "add `master = \"NAME\"`");
            return None;
        };
        if !primaries.iter().any(|primary| primary == master.value) {
            let message = format!("there is no primary instance {}", quoted(master.value));
            let help = accepted(master.value, primaries, "primaries are");
            self.problems.add(&master.span, message, "no master", help);
            return None;
        }
        let master = master.value.to_owned();
        Some(match role {
            "read-only" => InstanceRole::ReadOnly { master },
            _ => InstanceRole::DisasterRecovery { master },
        })
    }

    fn accounts(&mut self, fields: &Fields) -> Vec<AccountSpec> {
        if fields.has("account") && fields.has("accounts") {
            self.refuse_keys(fields, &["account"], "`accounts`", "put all of them into `accounts`");
        }
        let tables = fields.list("accounts").iter().filter_map(At::table);
        let mut accounts: Vec<AccountSpec> = Vec::new();
        for table in fields.table("account").into_iter().chain(tables) {
            let Some(account) = account(table) else { continue };
            if accounts.iter().any(|other| other.name == account.name) {
                let message = format!("there are two accounts {}", quoted(&account.name));
                self.problems.add(
                    &table.place("name"),
                    message,
                    "again",
                    "each account of an instance has its own name",
                );
            }
            accounts.push(account);
        }
        accounts
    }

    fn databases(&mut self, fields: &Fields, redis: bool) -> Vec<DatabaseSpec> {
        if redis {
            let help = "its databases are numbers: put the commands into `commands`, and `select 1` among them";
            self.refuse_keys(fields, &["databases"], "Redis", help);
            self.refuse_keys(fields, if fields.has("commands") { &["sql"] } else { &[] }, "`commands`", "both are one");
        } else {
            self.refuse_keys(fields, &["commands"], "an instance that is no Redis", "put statements into `sql`");
        }
        let name = default_database(redis.then_some(Engine::Redis));
        let sql = fields.text("sql").or_else(|| fields.text("commands")).unwrap_or_default();
        let mut databases = vec![DatabaseSpec { name: name.into(), sql }];
        for entry in fields.map("databases") {
            let Some(sql) = entry.value.word() else { continue };
            let name = entry.key.value.as_str();
            if let Some(why) = wrong_name(name) {
                self.problems.add(&entry.key.span, format!("{} is no name: {why}", quoted(name)), "no name", "");
            } else if name == "app" {
                let help = "put its statements into `sql`";
                self.problems.add(&entry.key.span, "the database `app` is always there", "out of place", help);
            } else {
                databases.push(DatabaseSpec { name: name.into(), sql: sql.value.into() });
            }
        }
        let fills = ["sql", "commands", "databases"].into_iter().find(|key| fields.has(key));
        if let (Some(key), false) = (fills, fields.has("account") || fields.has("accounts")) {
            let message = format!("{} runs as the first account, and there is none", quoted(key));
            let help = "add `account = { name = ..., password = ... }`";
            self.problems.add(&fields.place(key), message, "an account is needed", help);
        }
        databases
    }
}

/// An account as a table says it.
pub(super) fn account(fields: &Fields) -> Option<AccountSpec> {
    Some(AccountSpec {
        name: fields.text("name")?,
        password: fields.secret("password")?,
        grants: Grants { default: fields.model("rights").unwrap_or(Rights::ReadWrite), exceptions: exceptions(fields) },
    })
}

/// Rights by database or table.
pub(super) fn exceptions(fields: &Fields) -> BTreeMap<String, Rights> {
    let entry = |entry: &Entry| Some((entry.key.value.clone(), entry.value.model()?));
    fields.map("exceptions").iter().filter_map(entry).collect()
}

/// Backup settings as a table says them.
pub(super) fn policy(fields: &Fields) -> BackupPolicyChange {
    BackupPolicyChange {
        weekdays: fields.models("weekdays"),
        hour: fields.whole("hour"),
        log_backup: fields.flag("log_backup"),
        data_retention_days: fields.whole("data_retention_days"),
        log_retention_days: fields.whole("log_retention_days"),
    }
}
