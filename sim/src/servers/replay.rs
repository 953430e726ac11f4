//! Replays log entries: recovery to a point in time, and replicas that follow a master.

use super::functions::lock;
use super::log::{Entry, LogEntry};
use super::rows;
use super::server::{Actor, Server, Transaction};
use recovery::model::content::Row;
use recovery::ports::database::DatabaseError;

impl Server {
    /// Does again what an entry says; the entry itself goes on into this server's log where it is followed.
    pub fn replay(&mut self, entry: &LogEntry) -> Result<(), DatabaseError> {
        // What the replay changes is in the entry; nothing of it is logged a second time.
        self.attempt(entry.time, false, |server, transaction| server.replay_in(transaction, entry)).0
    }

    /// The same within a transaction.
    pub(super) fn replay_in(&mut self, transaction: &mut Transaction, entry: &LogEntry) -> Result<(), DatabaseError> {
        let database = &entry.database;
        match &entry.entry {
            Entry::Row { table, columns, old, new } => {
                self.enter(transaction, database)?;
                let db = self.db(database)?;
                let Some((_, shape)) = db.catalogue.table(table) else {
                    return Err(DatabaseError::NoSuchObject(table.clone()));
                };
                let image = |row: &Option<Row>| {
                    row.as_ref().map(|row| columns.iter().cloned().zip(row.iter().cloned()).collect())
                };
                rows::replay(&db.connection, table, shape, image(old), image(new))
            }
            Entry::Ddl { sql, account, security, .. } => {
                let actor = Actor { account: account.clone(), checked: false, security: *security };
                self.enter(transaction, database)?;
                self.run_in(transaction, &actor, database, sql).map(|_| ())
            }
            Entry::Account { name, account } => {
                self.set_account(name, account.clone());
                Ok(())
            }
            Entry::Sequence { name, next } => {
                lock(&self.db(database)?.sequences).set(name, *next);
                Ok(())
            }
            Entry::CreateDatabase { charset } => {
                let actor = Actor { account: String::new(), checked: false, security: None };
                self.make_database(transaction, &actor, database, Some(charset))
            }
            Entry::DropDatabase => {
                self.databases.remove(database);
                Ok(())
            }
        }
    }

    /// Takes over what a master did since this replica last looked.
    pub fn follow(&mut self, entries: Vec<LogEntry>) -> Result<(), DatabaseError> {
        for entry in entries {
            self.replay(&entry)?;
            self.log.copy(entry);
        }
        Ok(())
    }
}
