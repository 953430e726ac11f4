//! Tests of the simulated servers: on a server itself, and over the network of the simulated world.

mod backups;
mod bulk;
mod definitions;
mod events;
mod extras;
mod foreign_keys;
mod harm;
mod log_files;
mod ports;
mod prepared;
mod redis_backups;
mod redis_commands;
mod redis_nodes;
mod redis_table;
mod rights;
mod sequences;
mod statements;

use super::front::Birth;
use super::server::Server;
use jiff::{SignedDuration, Timestamp};
use recovery::model::content::{Row, Value};
use recovery::model::instance::{BackupPolicy, Configuration, FirstAccount, Grants, Rights};
use recovery::model::{InstanceId, Secret};
use recovery::ports::database::{DatabaseError, Login, Outcome};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn at(ms: i64) -> Timestamp {
    "2026-01-05T08:00:00Z".parse::<Timestamp>().unwrap_or_default() + SignedDuration::from_millis(ms)
}

pub(super) fn configuration() -> Configuration {
    Configuration {
        whitelist: BTreeSet::from(["0.0.0.0/0".to_owned()]),
        ssl: false,
        parameters: BTreeMap::new(),
        backup_policy: BackupPolicy {
            weekdays: BTreeSet::new(),
            hour: 0,
            log_backup: true,
            data_retention_days: 7,
            log_retention_days: 7,
        },
        alarm_thresholds: BTreeMap::new(),
    }
}

pub(super) fn birth(instance: &str, product: &str) -> Birth {
    Birth {
        instance: InstanceId::from(instance),
        product: product.parse().expect("a product"),
        configuration: configuration(),
        now: at(0),
        life_s: None,
        endpoint: format!("{instance}.machine-1:5432"),
        seed: 7,
    }
}

pub(super) fn account(name: &str, rights: Rights) -> FirstAccount {
    FirstAccount { name: name.to_owned(), password: Secret::new("s3cret"), grants: Grants::all(rights) }
}

pub(super) fn login(name: &str) -> Login {
    Login { account: name.to_owned(), password: Secret::new("s3cret"), ssl: false }
}

/// A server of that product with the account `app`, which may do everything.
pub(super) fn server_of(product: &str) -> Server {
    Server::empty(birth("rm-shop", product), Some(&account("app", Rights::Owner))).expect("a server")
}

pub(super) fn mysql() -> Server {
    server_of("mysql 5.7")
}

pub(super) fn run(server: &mut Server, ms: i64, sql: &str) -> Result<Outcome, DatabaseError> {
    server.run("app", "app", sql, at(ms))
}

#[track_caller]
pub(super) fn ok(server: &mut Server, ms: i64, sql: &str) -> Vec<Row> {
    run(server, ms, sql).unwrap_or_else(|error| panic!("{sql}: {error}")).rows
}

pub(super) fn int(number: i64) -> Value {
    Value::Integer(number)
}

pub(super) fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// What a query gives, as numbers of its first column.
#[track_caller]
pub(super) fn numbers(server: &mut Server, sql: &str) -> Vec<i64> {
    let rows = ok(server, 0, sql);
    rows.iter()
        .filter_map(|row| if let Some(Value::Integer(number)) = row.first() { Some(*number) } else { None })
        .collect()
}
