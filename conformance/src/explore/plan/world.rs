//! The world of a plan: instances with accounts and data, hosts, the application.

use super::Plan;
use super::known::{Instance, Role, Table};
use crate::explore::options::{InstanceOptions, JOURNAL, VISIT};
use recovery::model::Secret;
use recovery::model::instance::{Billing, Grants, NetworkType, Rights};
use recovery::model::product::Engine;
use scenarios::{
    AccountSpec, ApplicationSpec, BackupPolicyChange, DatabaseSpec, Host, InstanceRole, InstanceSpec, WorldSpec,
};
use std::collections::BTreeMap;
use std::time::Duration;

const REGION: &str = "region-1";

/// An account that may do everything.
pub(super) fn owner(name: &str, password: &str) -> AccountSpec {
    AccountSpec { name: name.into(), password: Secret::new(password), grants: Grants::all(Rights::Owner) }
}

impl Plan<'_> {
    /// Instances and application as the options say, noted as known.
    pub(super) fn world(&mut self) -> (Vec<InstanceSpec>, Option<ApplicationSpec>) {
        let options = self.options;
        let mut masters: Vec<&InstanceOptions> = options.instances.iter().collect();
        masters.sort_by_key(|instance| instance.master.is_some());
        let specs = masters.into_iter().map(|instance| self.instance(instance)).collect();
        let application = options.application.as_ref().and_then(|application| {
            let first = options.instances.first()?;
            let redis = first.product.engine == Engine::Redis;
            self.known.writing = application.from_start;
            Some(ApplicationSpec {
                line: 1,
                on: first.name.clone(),
                database: if redis { "0" } else { "app" }.into(),
                table: if redis { VISIT } else { JOURNAL }.into(),
                key_column: "id".into(),
                note_column: "note".into(),
                every: Duration::from_millis(application.every_ms),
                login: self.known.login(&first.name),
                from_start: application.from_start,
            })
        });
        (specs, application)
    }

    /// The hosts.
    pub(super) fn hosts(&self, workers: usize) -> WorldSpec {
        let host = |name: &str| match name.split_once('-') {
            Some(("worker", number)) => number.parse().ok().map(Host::Worker),
            Some(("machine", number)) => number.parse().ok().map(Host::Machine),
            _ => (name == "service").then_some(Host::Service),
        };
        let skew_ms = self.options.skew_ms.iter().filter_map(|(name, ms)| Some((host(name)?, *ms))).collect();
        WorldSpec {
            workers,
            machines: self.options.machines,
            latency_ms_max: self.options.latency_ms_max,
            skew_ms,
            region: REGION.into(),
        }
    }

    fn instance(&mut self, options: &InstanceOptions) -> InstanceSpec {
        let follows = options.master.is_some();
        let mut accounts = vec![owner("app", "s3cret-one")];
        for number in 0..options.accounts {
            let rights = self.draw.one(Rights::ReadWrite, [Rights::ReadOnly, Rights::Owner]);
            let name = self.known.name("clerk");
            let password = Secret::new(format!("clerk-pass-{number}"));
            accounts.push(AccountSpec { name, password, grants: Grants::all(rights) });
        }
        if follows {
            accounts.clear();
        }
        let mut known = Instance {
            product: options.product,
            role: if follows { Role::ReadOnly } else { Role::Primary },
            master: options.master.clone(),
            accounts: accounts.clone(),
            tables: BTreeMap::new(),
            extras: options.extras.iter().copied().collect(),
            gone: false,
        };
        for table in &options.tables {
            let place = (table.database.clone(), table.name.clone());
            known.tables.insert(place, Table { shape: table.shape, next: table.rows + 1, added: 0 });
        }
        self.known.instances.push((options.name.clone(), known));
        let policy = BackupPolicyChange { log_backup: options.log_backup, ..BackupPolicyChange::default() };
        InstanceSpec {
            name: options.name.clone(),
            line: 1,
            product: options.product,
            role: match &options.master {
                Some(master) => InstanceRole::ReadOnly { master: master.clone() },
                None => InstanceRole::Primary,
            },
            region: REGION.into(),
            network: if options.vpc { NetworkType::Vpc } else { NetworkType::Classic },
            billing: if options.subscription { Billing::Subscription } else { Billing::PayAsYouGo },
            accounts,
            ssl: options.ssl,
            whitelist: None,
            parameters: BTreeMap::new(),
            backup_policy: options.log_backup.map(|_| policy),
            databases: if follows { vec![] } else { databases(options) },
        }
    }
}

/// `app` first, then the others.
fn databases(options: &InstanceOptions) -> Vec<DatabaseSpec> {
    if options.product.engine == Engine::Redis {
        let rows = options.tables.first().map_or(0, |table| table.rows);
        return vec![DatabaseSpec { name: "0".into(), sql: keys(rows) }];
    }
    let mut databases: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for table in &options.tables {
        let made = [table.shape.create(&table.name), table.shape.fill(&table.name, table.rows)];
        databases.entry(&table.database).or_default().extend(made.into_iter().filter(|sql| !sql.is_empty()));
    }
    let extras = databases.entry("app").or_default();
    extras.extend(options.extras.iter().map(|extra| extra.create(options.product.engine == Engine::MySql).to_owned()));
    let app = databases.remove("app").unwrap_or_default();
    let spec = |name: &str, sql: Vec<String>| DatabaseSpec { name: name.into(), sql: sql.join(";\n") };
    let mut specs = vec![spec("app", app)];
    specs.extend(databases.into_iter().map(|(name, sql)| spec(name, sql)));
    specs
}

/// Keys of every kind.
fn keys(rows: u64) -> String {
    let commands = (1..=rows).map(|row| match row % 6 {
        0 => format!("set session:{row} x ex {}", 3_600 * row),
        1 => format!("hset hash:{row} field {row}"),
        2 => format!("rpush list:{row} a b {row}"),
        3 => format!("sadd members:{row} a {row}"),
        4 => format!("zadd ranks:{row} {row} first"),
        _ => format!("set plain:{row} {row}"),
    });
    commands.collect::<Vec<_>>().join("\n")
}
