//! How far each object is, and saying so (LOG-52).

use crate::model::logical::restore::{RestoredObject, RestoredStatus};
use crate::model::work::Report;
use crate::worker::lease::LetGo;
use crate::worker::servers::Servers;
use jiff::Timestamp;

/// The details of one attempt.
pub struct Progress {
    /// Objects in order.
    pub details: Vec<RestoredObject>,
    /// The one under way.
    pub current: Option<usize>,
}

impl Progress {
    /// Where earlier attempts left it.
    #[must_use]
    pub fn new(details: Vec<RestoredObject>) -> Self {
        Self { details, current: None }
    }

    /// Whether nothing is left to do for an object.
    #[must_use]
    pub fn is_over(&self, index: usize) -> bool {
        let status = self.details.get(index).map(|entry| entry.status);
        matches!(status, Some(RestoredStatus::Done | RestoredStatus::Skipped))
    }

    /// Changes an entry and reports it.
    ///
    /// # Errors
    /// When the lease is lost or over.
    pub async fn report(
        &mut self,
        servers: &mut Servers<'_>,
        index: usize,
        change: impl FnOnce(&mut RestoredObject),
    ) -> Result<(), LetGo> {
        let Some(entry) = self.details.get_mut(index) else {
            return Ok(());
        };
        change(entry);
        let object = entry.clone();
        servers.lease.report(vec![Report::RestoreObject { index, object }]).await
    }

    /// Reports that an object is begun, and that something of it may be there from now on.
    ///
    /// # Errors
    /// When the lease is lost or over.
    pub async fn announce(&mut self, servers: &mut Servers<'_>, index: usize) -> Result<(), LetGo> {
        let now = servers.now();
        let announce = |entry: &mut RestoredObject| {
            (entry.status, entry.announced) = (RestoredStatus::Running, true);
            entry.began_at.get_or_insert(now);
        };
        self.report(servers, index, announce).await
    }

    /// Notes that an object is done, or left out: an attempt that does not know it finds it so.
    ///
    /// # Errors
    /// When the lease is lost or over.
    pub async fn end(&mut self, servers: &mut Servers<'_>, index: usize, status: RestoredStatus) -> Result<(), LetGo> {
        let now = servers.now();
        let Some(entry) = self.details.get_mut(index) else {
            return Ok(());
        };
        (entry.status, entry.announced, entry.ended_at) = (status, false, Some(now));
        entry.began_at.get_or_insert(now);
        let object = entry.clone();
        servers.lease.note(Report::RestoreObject { index, object }).await
    }

    /// What to say of the object at which the task ends.
    #[must_use]
    pub fn failed(&mut self, now: Timestamp) -> Vec<Report> {
        let Some(index) = self.current else {
            return Vec::new();
        };
        let Some(entry) = self.details.get_mut(index) else {
            return Vec::new();
        };
        (entry.status, entry.ended_at) = (RestoredStatus::Failed, Some(now));
        entry.began_at.get_or_insert(now);
        vec![Report::RestoreObject { index, object: entry.clone() }]
    }
}
