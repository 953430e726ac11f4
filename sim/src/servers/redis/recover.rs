//! Recovery of a backup into the very server it is of: everything it held goes, in one step (RED-21).

use super::Redis;
use super::file::{Content, opened};
use super::space::{KeyChange, Place};
use crate::servers::backup::Fetched;
use jiff::Timestamp;
use recovery::ports::cloud::CloudError;
use std::collections::BTreeSet;
use std::sync::Arc;

impl Redis {
    /// Whether a recovery of that number is still to be carried out.
    pub fn awaits(&self, recovery: u64) -> bool {
        recovery > self.recovered
    }

    /// Cuts its sessions off and lets nobody in until [`Self::end_recovery`]; not if the backup cannot be read.
    pub fn begin_recovery(&mut self, data: &Fetched, now: Timestamp) -> Result<(), CloudError> {
        self.content_of(data, now)?;
        self.settle(now);
        self.loading = true;
        self.end_sessions();
        Ok(())
    }

    /// Lets clients in again with the content as it was: the recovery cannot be done.
    pub fn give_up_recovery(&mut self) {
        self.loading = false;
    }

    /// Puts what a backup holds in the place of all keys, and lets clients in again. Accounts and settings stay. The
    /// replica follows, as it follows everything.
    pub fn end_recovery(&mut self, data: &Fetched, recovery: u64, now: Timestamp) -> Result<(), CloudError> {
        self.settle(now);
        let content = self.content_of(data, now)?;
        let places: BTreeSet<Place> = self.master.places().chain(content.space.places()).collect();
        let changes = places.into_iter().filter_map(|place| {
            let (database, key) = &place;
            let old = self.master.get(*database, key).cloned();
            let new = content.space.get(*database, key).cloned();
            (old != new).then_some(KeyChange { place, old, new })
        });
        let changes: Vec<KeyChange> = changes.collect();
        self.master = Arc::new(content.space);
        self.commit(&changes);
        self.recovered = recovery;
        self.loading = false;
        Ok(())
    }

    fn content_of(&self, data: &Fetched, now: Timestamp) -> Result<Content, CloudError> {
        let content = opened(self.product, self.seed, &data.bytes, self.seen.max(now));
        content.map_err(|why| CloudError::BackupUnreadable { backup: data.id.clone(), why })
    }
}
