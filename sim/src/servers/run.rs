//! Runs statements of an application: one run, one transaction, with rights and foreign keys checked.

use super::prepared;
use super::server::{Actor, Server, Transaction};
use super::statement::{Statement, parse};
use super::tokens::statements;
use super::values::{failed, from_sql};
use jiff::Timestamp;
use recovery::model::content::{Change, Object, Row};
use recovery::model::instance::Rights;
use recovery::ports::database::{DatabaseError, Outcome};

impl Server {
    /// Runs statements, all or none.
    pub fn run(&mut self, account: &str, database: &str, sql: &str, now: Timestamp) -> Result<Outcome, DatabaseError> {
        self.takes_bytes(sql.len())?;
        if let Some(step) = prepared::step(sql, self.product.engine)? {
            return self.take(account, database, step, now);
        }
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
        self.log_files.read(after)?;
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
            let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
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
}
