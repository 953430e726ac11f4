//! Runs statements of an application: one run, one transaction, with rights and foreign keys checked.

use super::catalogue::ForeignKey;
use super::log::Entry;
use super::server::{Actor, Server, Transaction};
use super::statement::{Statement, parse};
use super::tokens::{quoted, statements};
use super::values::{failed, from_sql, to_sql};
use jiff::Timestamp;
use recovery::model::content::{Change, Object, Row, Value};
use recovery::model::instance::Rights;
use recovery::ports::database::{DatabaseError, Outcome};
use rusqlite::params_from_iter;
use std::collections::BTreeMap;

/// The values of a foreign key's columns.
type KeyValues = Vec<Value>;

impl Server {
    /// Runs statements, all or none.
    pub fn run(&mut self, account: &str, database: &str, sql: &str, now: Timestamp) -> Result<Outcome, DatabaseError> {
        let actor = Actor::session(account);
        self.transact(now, true, |server, transaction| {
            server.enter(transaction, database)?;
            let outcome = server.run_in(transaction, &actor, database, sql)?;
            if transaction.checks {
                server.check_foreign_keys(transaction)?;
            }
            Ok(outcome)
        })
    }

    /// Makes an object from its description, with the account as definer.
    pub fn create(
        &mut self,
        account: &str,
        database: &str,
        object: &Object,
        now: Timestamp,
    ) -> Result<(), DatabaseError> {
        if !self.profile.knows(object.kind) {
            let kind = super::profile::word(object.kind);
            return Err(DatabaseError::Statement(format!("this engine has no objects of kind {kind}")));
        }
        let security = object.security.filter(|_| self.profile.definers);
        let actor = Actor { security, ..Actor::session(account) };
        self.transact(now, true, |server, transaction| {
            server.enter(transaction, database)?;
            server.run_in(transaction, &actor, database, &object.definition).map(|_| ())
        })
    }

    /// The changes after a log position, for an account that may replicate.
    pub fn changes(&self, account: &str, after: u64, limit: usize) -> Result<Vec<Change>, DatabaseError> {
        if self.rights(account)? < Rights::Owner {
            let what = "read the log".to_owned();
            return Err(DatabaseError::NotPermitted { account: account.to_owned(), what });
        }
        self.log.changes(after, limit)
    }

    /// Runs statements within a transaction.
    pub fn run_in(
        &mut self,
        transaction: &mut Transaction,
        actor: &Actor,
        database: &str,
        sql: &str,
    ) -> Result<Outcome, DatabaseError> {
        let mut outcome = Outcome { columns: Vec::new(), rows: Vec::new(), affected: 0 };
        for text in statements(sql) {
            match parse(text, self.profile)? {
                Statement::Nothing => {}
                Statement::ForeignKeyChecks(on) => transaction.checks = on,
                Statement::Plain { sql, replaces } => {
                    let one = self.plain(actor, database, &sql, replaces)?;
                    self.collect(transaction, database)?;
                    outcome = Outcome { affected: outcome.affected + one.affected, ..one };
                }
                statement => self.define(transaction, actor, database, text, statement)?,
            }
        }
        Ok(outcome)
    }

    /// Runs a query or a change of rows.
    fn plain(&self, actor: &Actor, database: &str, sql: &str, replaces: bool) -> Result<Outcome, DatabaseError> {
        let db = self.db(database)?;
        let (mut statement, touches) = db.prepare(sql)?;
        self.permit_touches(actor, database, &touches)?;
        let set_replaces = |on: bool| {
            // Only then do the triggers see the rows that are replaced.
            let sql = if on { "pragma recursive_triggers = on" } else { "pragma recursive_triggers = off" };
            if replaces { db.connection.execute_batch(sql).map_err(failed) } else { Ok(()) }
        };
        set_replaces(true)?;
        let result = (|| {
            let columns: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
            let writes = !statement.readonly();
            let mut found: Vec<Row> = Vec::new();
            if columns.is_empty() {
                statement.execute([])?;
            } else {
                let mut rows = statement.query([])?;
                while let Some(row) = rows.next()? {
                    found.push((0..columns.len()).map(|i| row.get_ref(i).map(from_sql)).collect::<Result<_, _>>()?);
                }
            }
            let affected = if writes { db.connection.changes() } else { 0 };
            Ok(Outcome { columns, rows: found, affected })
        })();
        set_replaces(false)?;
        result.map_err(failed)
    }

    /// Checks the foreign keys that the rows changed in a transaction have to do with.
    fn check_foreign_keys(&self, transaction: &Transaction) -> Result<(), DatabaseError> {
        let mut changed: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
        for (database, entry) in &transaction.changes {
            if matches!(entry, Entry::Row { .. }) {
                changed.entry(database).or_default().push(entry);
            }
        }
        for (database, entries) in changed {
            let Some(db) = self.databases.get(database) else { continue };
            for key in db.catalogue.foreign_keys.values().filter(|key| key.enabled) {
                for values in concerned(key, &entries) {
                    self.check_foreign_key(database, key, &values)?;
                }
            }
        }
        Ok(())
    }

    fn check_foreign_key(&self, database: &str, key: &ForeignKey, values: &[Value]) -> Result<(), DatabaseError> {
        let connection = &self.db(database)?.connection;
        let exists = |table: &str, columns: &[String]| -> Result<bool, DatabaseError> {
            let conditions: Vec<_> = columns.iter().map(|column| format!("{} = ?", quoted(column))).collect();
            let sql = format!("select 1 from {} where {} limit 1", quoted(table), conditions.join(" and "));
            let values: Vec<_> = values.iter().map(to_sql).collect::<Result<_, _>>()?;
            let mut statement = connection.prepare_cached(&sql).map_err(failed)?;
            statement.exists(params_from_iter(values)).map_err(failed)
        };
        if !exists(&key.parent, &key.parent_columns)? && exists(&key.table, &key.columns)? {
            return Err(DatabaseError::Constraint(format!(
                "foreign key {}: a row of {} points to no row of {}",
                key.name, key.table, key.parent
            )));
        }
        Ok(())
    }
}

/// The values that rows of the child may now point to in vain: of its new rows and of the parent's old ones.
fn concerned(key: &ForeignKey, entries: &[&Entry]) -> Vec<KeyValues> {
    let mut found: Vec<KeyValues> = Vec::new();
    let pick = |names: &[String], columns: &[String], row: &Row| -> Option<KeyValues> {
        let values: Option<KeyValues> = names
            .iter()
            .map(|name| {
                let at = columns.iter().position(|column| column.eq_ignore_ascii_case(name))?;
                row.get(at).filter(|value| **value != Value::Null).cloned()
            })
            .collect();
        values
    };
    for entry in entries {
        let Entry::Row { table, columns, old, new } = entry else { continue };
        let of_child = new.as_ref().filter(|_| table.eq_ignore_ascii_case(&key.table));
        let of_parent = old.as_ref().filter(|_| table.eq_ignore_ascii_case(&key.parent));
        found.extend(of_child.and_then(|row| pick(&key.columns, columns, row)));
        found.extend(of_parent.and_then(|row| pick(&key.parent_columns, columns, row)));
    }
    found
}
