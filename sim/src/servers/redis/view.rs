//! The keys of a node at one instant, as somebody reads them.

use super::data::Item;
use super::space::{DATABASES, Space};
use std::sync::Arc;

/// The keys of a node at one instant.
#[derive(Clone)]
pub(in crate::servers) struct View {
    space: Arc<Space>,
    now_ms: i64,
}

impl View {
    /// These keys at a time: those whose time has come are not there.
    pub(super) fn new(space: &Arc<Space>, now_ms: i64) -> Self {
        Self { space: Arc::clone(space), now_ms }
    }

    /// The keys of a database after one, in order.
    pub(super) fn after<'a>(
        &'a self,
        database: usize,
        key: Option<&'a str>,
    ) -> impl Iterator<Item = (&'a String, &'a Item)> {
        self.space.keys_after(database, key).filter(|(_, item)| item.is_there(self.now_ms))
    }

    /// How many keys a database has.
    pub(super) fn count(&self, database: usize) -> usize {
        self.after(database, None).count()
    }

    /// The databases that have keys, and the first.
    pub(super) fn databases(&self) -> impl Iterator<Item = usize> {
        (0..DATABASES).filter(|database| *database == 0 || self.after(*database, None).next().is_some())
    }
}
