//! Transactions that are prepared and wait to be committed or rolled back: `PREPARE TRANSACTION 'x'` (PostgreSQL),
//! `XA PREPARE 'x'` (MySQL).
//!
//! What one of them changed nobody sees, and no backup and no log has it, until it is committed. What it locked nobody else
//! changes: the tables it wrote to and those their foreign keys point to, where real servers lock rows of them; who wants
//! them is refused at once, where on real servers he waits first.

use super::log::{Entry, LogEntry};
use super::server::{Actor, Server};
use super::tokens::{TokenKind, statements, tokens};
use jiff::Timestamp;
use recovery::model::{Engine, Version};
use recovery::ports::database::{DatabaseError, OpenTransaction, Outcome};
use std::collections::BTreeSet;

/// A prepared transaction.
#[derive(Debug)]
pub(super) struct Prepared {
    account: String,
    database: String,
    at: Timestamp,
    changes: Vec<(String, Entry)>,
    /// Tables it locks.
    locked: BTreeSet<String>,
}

/// What a run does with a prepared transaction.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step<'a> {
    /// Runs statements and prepares what they did.
    Prepare { id: String, body: Vec<&'a str> },
    /// Commits or rolls back.
    End { id: String, commits: bool },
}

/// Reads a run that is about a prepared transaction; nothing where it is not.
pub(super) fn step(sql: &str, engine: Engine) -> Result<Option<Step<'_>>, DatabaseError> {
    let words: [&[&str]; 3] = match engine {
        Engine::MySql => [&["xa", "prepare"], &["xa", "commit"], &["xa", "rollback"]],
        Engine::PostgreSql | Engine::Ppas => {
            [&["prepare", "transaction"], &["commit", "prepared"], &["rollback", "prepared"]]
        }
        Engine::SqlServer | Engine::Redis => return Ok(None),
    };
    let all = statements(sql);
    let mut found = None;
    for (at, text) in all.iter().enumerate() {
        let read = tokens(text);
        let is = |words: &[&str]| words.iter().enumerate().all(|(at, word)| read.get(at).is_some_and(|t| t.is(word)));
        let Some(which) = words.iter().position(|words| is(words)) else { continue };
        let id = read.get(2).filter(|token| token.kind == TokenKind::Text).map(|token| token.name());
        let id = id.ok_or_else(|| DatabaseError::Statement("the id of the transaction is missing".into()))?;
        found = Some((at, which, id));
    }
    let bounds = |text: &&str| {
        let read = tokens(text);
        let first = |words: &[&str]| read.first().is_some_and(|token| token.is_any(words));
        first(&["begin", "xa"]) || (first(&["start"]) && read.len() == 2)
    };
    match found {
        None => Ok(None),
        Some((at, 0, id)) if at + 1 == all.len() => {
            Ok(Some(Step::Prepare { id, body: all[..at].iter().filter(|text| !bounds(text)).copied().collect() }))
        }
        Some((0, which @ 1.., id)) if all.len() == 1 => Ok(Some(Step::End { id, commits: which == 1 })),
        Some(_) => Err(DatabaseError::Statement("a transaction is prepared last in its run, and ended in one".into())),
    }
}

impl Server {
    /// Takes a step with a prepared transaction.
    pub(super) fn take(
        &mut self,
        account: &str,
        database: &str,
        step: Step<'_>,
        now: Timestamp,
    ) -> Result<Outcome, DatabaseError> {
        match step {
            Step::Prepare { id, body } => self.prepare(account, database, id, &body, now)?,
            Step::End { id, commits } => self.end_prepared(&id, commits, now)?,
        }
        Ok(Outcome { columns: Vec::new(), rows: Vec::new(), affected: 0 })
    }

    fn prepare(
        &mut self,
        account: &str,
        database: &str,
        id: String,
        body: &[&str],
        now: Timestamp,
    ) -> Result<(), DatabaseError> {
        self.prepares()?;
        if self.prepared.contains_key(&id) {
            return Err(DatabaseError::ObjectExists(id));
        }
        let (actor, mut changes) = (Actor::session(account), Vec::new());
        // Nothing of it shows before it is committed.
        let undone: Result<(), _> = self
            .attempt(now, true, |server, transaction| {
                server.enter(transaction, database)?;
                for text in body {
                    server.run_in(transaction, &actor, database, text)?;
                }
                server.check_foreign_keys(transaction)?;
                server.has_room()?;
                server.is_free(&transaction.changes)?;
                changes = std::mem::take(&mut transaction.changes);
                Err(DatabaseError::Statement(String::new()))
            })
            .0;
        match undone {
            Err(DatabaseError::Statement(why)) if why.is_empty() => {}
            failed => return failed,
        }
        let mut locked = BTreeSet::new();
        for (_, entry) in &changes {
            match entry {
                Entry::Row { table, .. } => locked.insert(table.clone()),
                Entry::Sequence { .. } => continue,
                _ => {
                    let why = "definitions are not changed in a prepared transaction";
                    return Err(DatabaseError::Statement(why.into()));
                }
            };
        }
        let keys = self.db(database)?.catalogue.foreign_keys.values();
        let parents: Vec<String> =
            keys.filter(|key| key.enabled && locked.contains(&key.table)).map(|key| key.parent.clone()).collect();
        locked.extend(parents);
        let (account, database) = (account.to_owned(), database.to_owned());
        self.prepared.insert(id, Prepared { account, database, at: now, changes, locked });
        Ok(())
    }

    /// Refuses where the server prepares nothing: PostgreSQL unless told how many, MySQL before 5.7, whose sessions take
    /// theirs along when they end.
    fn prepares(&self) -> Result<(), DatabaseError> {
        const MOST: &str = "max_prepared_transactions";
        let most = self.parameter(MOST).and_then(|value| value.trim().parse::<usize>().ok());
        let why = match self.product.engine {
            Engine::MySql if self.product.version < Version::V5_7 => "this version keeps no prepared transaction",
            Engine::PostgreSql | Engine::Ppas if most.unwrap_or(0) <= self.prepared.len() => {
                "prepared transactions are disabled, or there are max_prepared_transactions of them"
            }
            _ => return Ok(()),
        };
        Err(DatabaseError::Statement(why.into()))
    }

    fn end_prepared(&mut self, id: &str, commits: bool, now: Timestamp) -> Result<(), DatabaseError> {
        self.has_room()?;
        let found = self.prepared.remove(id).ok_or_else(|| DatabaseError::NoSuchObject(id.to_owned()))?;
        if !commits {
            return Ok(());
        }
        let (position, time) = (self.log.position(), self.log.time(now));
        let entries = found.changes.iter().map(|(database, entry)| LogEntry {
            position,
            time,
            database: database.clone(),
            entry: entry.clone(),
        });
        let entries: Vec<LogEntry> = entries.collect();
        let done = self
            .attempt(now, false, |server, transaction| {
                entries.iter().try_for_each(|entry| server.replay_in(transaction, entry))
            })
            .0;
        match done {
            Ok(()) => self.log.append(now, found.changes),
            Err(_) => {
                self.prepared.insert(id.to_owned(), found);
            }
        }
        done
    }

    /// Refuses a change of what a prepared transaction locks.
    pub(super) fn is_free(&self, changes: &[(String, Entry)]) -> Result<(), DatabaseError> {
        for (id, prepared) in &self.prepared {
            if let Some((_, entry)) = changes.iter().find(|(database, entry)| prepared.holds(database, entry)) {
                let what = match entry {
                    Entry::Row { table, .. } => table.as_str(),
                    Entry::Ddl { object, .. } => object.as_str(),
                    Entry::Account { .. }
                    | Entry::Sequence { .. }
                    | Entry::CreateDatabase { .. }
                    | Entry::DropDatabase => "the database",
                };
                let why = format!("lock wait timeout: {what} is locked by the prepared transaction '{id}'");
                return Err(DatabaseError::Statement(why));
            }
        }
        Ok(())
    }

    /// What the server tells of its prepared transactions; MySQL names the ids alone.
    pub(super) fn told_transactions(&self) -> Vec<OpenTransaction> {
        let tells = self.product.engine != Engine::MySql;
        let told = self.prepared.iter().map(|(id, prepared)| OpenTransaction {
            id: format!("'{}'", id.replace('\'', "''")),
            prepared: true,
            account: tells.then(|| prepared.account.clone()),
            database: tells.then(|| prepared.database.clone()),
            since: tells.then_some(prepared.at),
        });
        told.collect()
    }
}

impl Prepared {
    /// Whether a change is one of what it locks: rows of its tables, or their definition.
    fn holds(&self, database: &str, entry: &Entry) -> bool {
        if database != self.database {
            return false;
        }
        let locks = |name: &str| self.locked.iter().any(|table| table.eq_ignore_ascii_case(name));
        match entry {
            Entry::Row { table, .. } => locks(table),
            Entry::Ddl { object, sql, .. } => {
                let read = tokens(sql);
                let of_tables = read.iter().take(4).any(|token| token.is_any(&["table", "index", "trigger"]));
                locks(object) || (of_tables && read.iter().any(|token| token.is_name() && locks(&token.name())))
            }
            Entry::DropDatabase => true,
            Entry::Account { .. } | Entry::Sequence { .. } | Entry::CreateDatabase { .. } => false,
        }
    }
}
