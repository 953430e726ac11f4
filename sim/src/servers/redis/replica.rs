//! The replica node: the keys of the master, some time later.

use super::space::Space;
use super::table;
use crate::servers::log::{Entry, Log, LogEntry};
use jiff::{SignedDuration, Timestamp};
use recovery::ports::clock::later;
use std::sync::Arc;

/// The replica node.
pub(super) struct Replica {
    /// Its keys.
    pub space: Arc<Space>,
    /// Position of the last entry it carried out.
    pub applied: u64,
    /// It has everything that was committed up to and including this time.
    pub as_of: Timestamp,
}

impl Replica {
    /// A copy of the master.
    pub fn copy(master: &Arc<Space>, position: u64, now: Timestamp) -> Self {
        // What is committed at this very instant is not in it yet.
        let as_of = later(now, SignedDuration::from_millis(-1));
        Self { space: Arc::clone(master), applied: position, as_of }
    }

    /// Carries out what was committed up to and including a time.
    pub fn follow(&mut self, log: &Log, until: Timestamp) {
        self.as_of = self.as_of.max(until);
        let news = match log.after(self.applied) {
            Ok(news) => news,
            Err(error) => {
                tracing::error!(%error, "a replica node cannot follow its master");
                return;
            }
        };
        for entry in news.iter().take_while(|entry| entry.time <= self.as_of) {
            self.applied = entry.position;
            carry_out(Arc::make_mut(&mut self.space), entry);
        }
    }
}

fn carry_out(space: &mut Space, entry: &LogEntry) {
    let (Entry::Row { old, new, .. }, Ok(database)) = (&entry.entry, entry.database.parse()) else { return };
    let item =
        |row: &Option<Vec<_>>| row.as_ref().map(|row| table::parsed(row.first(), row.get(1), row.get(2), row.get(3)));
    match (item(new), item(old)) {
        (Some(Ok((key, item))), _) => drop(space.put(database, &key, Some(item))),
        (None, Some(Ok((key, _)))) => drop(space.put(database, &key, None)),
        (Some(Err(error)), _) | (None, Some(Err(error))) => {
            tracing::error!(%error, position = entry.position, "a replica node cannot read an entry");
        }
        (None, None) => {}
    }
}
