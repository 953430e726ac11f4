//! A server's log: what changed, at which position and when.

use super::front::Account;
use jiff::Timestamp;
use recovery::model::content::{Change, ChangeKind, Row, Security, Value};
use recovery::ports::clock::later;
use recovery::ports::database::DatabaseError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct LogEntry {
    /// Position; the first of a server is 1.
    pub position: u64,
    /// The server's time when it was committed.
    pub time: Timestamp,
    /// Database; empty for accounts.
    pub database: String,
    /// What changed.
    pub entry: Entry,
}

/// What changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub(super) enum Entry {
    /// A row.
    Row {
        /// Table.
        table: String,
        /// Columns at that time.
        columns: Vec<String>,
        /// Before.
        old: Option<Row>,
        /// After.
        new: Option<Row>,
    },
    /// A definition.
    Ddl {
        /// The object it named.
        object: String,
        /// The statement.
        sql: String,
        /// Who ran it.
        account: String,
        /// Whose rights the object runs with, where that was said beside the statement.
        security: Option<Security>,
    },
    /// An account: made or changed, or dropped.
    Account {
        /// Name.
        name: String,
        /// The account from then on.
        account: Option<Account>,
    },
    /// A sequence gave values.
    Sequence {
        /// Name.
        name: String,
        /// What it gives next.
        next: i64,
    },
    /// A database was made.
    CreateDatabase {
        /// Character set.
        charset: String,
    },
    /// A database was dropped.
    DropDatabase,
}

/// The log of one server.
#[derive(Debug)]
pub(super) struct Log {
    /// Position before the first entry kept.
    base: u64,
    entries: Vec<LogEntry>,
    /// Time of the newest entry; the server's clock may be set back, the log's time never goes back.
    newest: Timestamp,
    /// Every later entry is after this time: a backup says it holds everything up to and including it.
    closed_to: Option<Timestamp>,
}

impl Log {
    /// A log that begins after a position.
    pub fn beginning(base: u64, time: Timestamp) -> Self {
        Self { base, entries: Vec::new(), newest: time, closed_to: None }
    }

    /// Position of the newest entry.
    pub fn position(&self) -> u64 {
        self.base + self.entries.len() as u64
    }

    /// The time an entry committed now gets.
    pub fn time(&self, now: Timestamp) -> Timestamp {
        let after = self.closed_to.map(|closed| later(closed, jiff::SignedDuration::from_millis(1)));
        after.map_or(now, |after| after.max(now)).max(self.newest)
    }

    /// The time up to which every change is in the log, from now on for ever.
    pub fn close(&mut self, now: Timestamp) -> Timestamp {
        let closed = now.max(self.newest);
        self.closed_to = Some(closed);
        closed
    }

    /// From now on every later entry is after this time, up to which every change is said to be somewhere else.
    pub fn close_at(&mut self, time: Timestamp) {
        self.closed_to = Some(self.closed_to.map_or(time, |closed| closed.max(time)));
    }

    /// Appends what one transaction changed.
    pub fn append(&mut self, now: Timestamp, changes: Vec<(String, Entry)>) {
        let time = self.time(now);
        for (database, entry) in changes {
            self.newest = time;
            let position = self.position() + 1;
            self.entries.push(LogEntry { position, time, database, entry });
        }
    }

    /// Appends an entry of the master's log as it is.
    pub fn copy(&mut self, entry: LogEntry) {
        self.newest = self.newest.max(entry.time);
        self.entries.push(entry);
    }

    /// Time of the entry at a position.
    pub fn time_at(&self, position: u64) -> Option<Timestamp> {
        let index = position.checked_sub(self.base + 1)?;
        self.entries.get(usize::try_from(index).ok()?).map(|entry| entry.time)
    }

    /// The entries after a position.
    pub fn after(&self, position: u64) -> Result<&[LogEntry], DatabaseError> {
        let skip = position.checked_sub(self.base).ok_or(DatabaseError::LogGone(self.base))?;
        let skip = usize::try_from(skip).unwrap_or(usize::MAX).min(self.entries.len());
        Ok(&self.entries[skip..])
    }

    /// The changes of content after a position, for a session that follows them.
    pub fn changes(&self, after: u64, limit: usize) -> Result<Vec<Change>, DatabaseError> {
        Ok(self.after(after)?.iter().filter_map(LogEntry::change).take(limit).collect())
    }
}

impl LogEntry {
    fn change(&self) -> Option<Change> {
        let kind = match &self.entry {
            Entry::Row { table, columns, old, new } => {
                let image = |row: &Option<Row>| row.as_ref().map(|row| by_column(columns, row));
                ChangeKind::Row { table: table.clone(), old: image(old), new: image(new) }
            }
            Entry::Ddl { object, sql, .. } => ChangeKind::Ddl { object: object.clone(), sql: sql.clone() },
            Entry::CreateDatabase { .. } | Entry::DropDatabase => {
                let verb = if self.entry == Entry::DropDatabase { "drop" } else { "create" };
                let object = self.database.clone();
                let sql = format!("{verb} database {}", super::catalogue::written(&object));
                ChangeKind::Ddl { object, sql }
            }
            Entry::Account { .. } | Entry::Sequence { .. } => return None,
        };
        Some(Change { position: self.position, at: self.time, database: self.database.clone(), kind })
    }
}

fn by_column(columns: &[String], row: &Row) -> BTreeMap<String, Value> {
    columns.iter().cloned().zip(row.iter().cloned()).collect()
}
