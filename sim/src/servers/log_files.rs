//! The files a MySQL server's log lies in, as far as they can be lost and purged: `PURGE BINARY LOGS TO 'mysql-bin.000002'`.
//!
//! A file ends where it is lost, and the next one begins. What is purged is no longer listed; it cannot be followed any more
//! either way.

use super::server::{Actor, Server};
use super::statement::{Cursor, not_understood};
use recovery::model::instance::Rights;
use recovery::ports::database::DatabaseError;

/// How the names of the files begin.
const PREFIX: &str = "mysql-bin.";

/// The files of a server's log.
#[derive(Debug, Default)]
pub(super) struct LogFiles {
    /// Position each file that has ended goes up to, in order; the first is number 1.
    ended: Vec<u64>,
    /// How many of them are purged.
    purged: usize,
    /// Position up to which nothing can be followed any more.
    gone: u64,
}

impl LogFiles {
    /// Loses the files up to a position.
    pub fn lose(&mut self, position: u64) {
        self.ended.push(position);
        self.gone = position;
    }

    /// The files that are listed and not there.
    pub fn lost(&self) -> Vec<String> {
        (self.purged..self.ended.len()).map(|at| name(at + 1)).collect()
    }

    /// Refuses to read on after a position that is lost.
    pub fn read(&self, after: u64) -> Result<(), DatabaseError> {
        if after < self.gone { Err(DatabaseError::LogGone(self.gone)) } else { Ok(()) }
    }

    /// Takes the files before one off the list.
    fn purge(&mut self, to: &str) -> Result<(), DatabaseError> {
        let number = to.strip_prefix(PREFIX).and_then(|number| number.parse::<usize>().ok());
        match number.filter(|number| (1..=self.ended.len() + 1).contains(number)) {
            Some(number) => {
                self.purged = self.purged.max(number - 1);
                self.gone = self.gone.max(self.ended[..self.purged].last().copied().unwrap_or(0));
                Ok(())
            }
            None => Err(DatabaseError::Statement(format!("the log has no file {to}"))),
        }
    }
}

fn name(number: usize) -> String {
    format!("{PREFIX}{number:06}")
}

/// Reads what stands after `PURGE`: the file up to which is purged.
pub(super) fn purge(mut cursor: Cursor<'_>) -> Result<String, DatabaseError> {
    if !cursor.eat_all(&["binary", "logs", "to"]) {
        return Err(not_understood(cursor.sql, "a log is purged with BINARY LOGS TO"));
    }
    cursor.name()
}

impl Server {
    /// Purges the log up to a file; that is no change of content, and stands in no log.
    pub(super) fn purge_log(&mut self, actor: &Actor, to: &str) -> Result<(), DatabaseError> {
        if actor.checked && self.rights(&actor.account)? < Rights::Owner {
            let what = "purge the log".to_owned();
            return Err(DatabaseError::NotPermitted { account: actor.account.clone(), what });
        }
        self.log_files.purge(to)
    }
}
