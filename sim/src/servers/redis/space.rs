//! The keys of a node: sixteen logical databases, and which key goes when.

use super::data::Item;
use std::collections::{BTreeMap, BTreeSet};

/// Logical databases of a server that is no cluster.
pub(super) const DATABASES: usize = 16;

/// A key of one of the databases.
pub(super) type Place = (usize, String);

/// The keys of a node.
#[derive(Debug, Clone)]
pub(super) struct Space {
    databases: Vec<BTreeMap<String, Item>>,
    /// When which key goes.
    expiries: BTreeSet<(i64, usize, String)>,
}

/// What happened to one key.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct KeyChange {
    /// Database and key.
    pub place: Place,
    /// Before.
    pub old: Option<Item>,
    /// After.
    pub new: Option<Item>,
}

impl Space {
    /// No key at all.
    pub fn new() -> Self {
        Self { databases: vec![BTreeMap::new(); DATABASES], expiries: BTreeSet::new() }
    }

    /// What a key holds.
    pub fn get(&self, database: usize, key: &str) -> Option<&Item> {
        self.databases.get(database)?.get(key)
    }

    /// The keys of a database in order.
    pub fn keys(&self, database: usize) -> impl Iterator<Item = (&String, &Item)> {
        self.databases.get(database).into_iter().flatten()
    }

    /// The keys of a database after one, in order.
    pub fn keys_after<'a>(
        &'a self,
        database: usize,
        after: Option<&'a str>,
    ) -> impl Iterator<Item = (&'a String, &'a Item)> {
        use std::ops::Bound::{Excluded, Unbounded};
        let from = after.map_or(Unbounded, Excluded);
        self.databases.get(database).into_iter().flat_map(move |keys| keys.range::<str, _>((from, Unbounded)))
    }

    /// How many keys a database has.
    pub fn count(&self, database: usize) -> usize {
        self.databases.get(database).map_or(0, BTreeMap::len)
    }

    /// Gives a key what it holds from now on, or takes it away; gives what it held.
    pub fn put(&mut self, database: usize, key: &str, item: Option<Item>) -> Option<Item> {
        let item = item.filter(|item| !item.data.is_empty());
        let expires_at = item.as_ref().and_then(|item| item.expires_at);
        let keys = self.databases.get_mut(database)?;
        let old = match item {
            Some(item) => keys.insert(key.to_owned(), item),
            None => keys.remove(key),
        };
        if let Some(expired) = old.as_ref().and_then(|old| old.expires_at) {
            self.expiries.remove(&(expired, database, key.to_owned()));
        }
        if let Some(expires_at) = expires_at {
            self.expiries.insert((expires_at, database, key.to_owned()));
        }
        old
    }

    /// The next key whose time has come, and that time.
    pub fn due(&self, now_ms: i64) -> Option<(i64, Place)> {
        let (at, database, key) = self.expiries.first().filter(|(at, ..)| *at <= now_ms)?;
        Some((*at, (*database, key.clone())))
    }

    /// All places in order.
    pub fn places(&self) -> impl Iterator<Item = Place> {
        (0..DATABASES).flat_map(|database| self.keys(database).map(move |(key, _)| (database, key.clone())))
    }
}

/// Changes to the keys that are made whole or not at all.
pub(super) struct Unit<'a> {
    space: &'a mut Space,
    changes: Vec<KeyChange>,
}

impl<'a> Unit<'a> {
    /// Nothing changed yet.
    pub fn begin(space: &'a mut Space) -> Self {
        Self { space, changes: Vec::new() }
    }

    /// The keys as they are now.
    pub fn space(&self) -> &Space {
        self.space
    }

    /// Changes of keys so far.
    pub fn changed(&self) -> usize {
        self.changes.len()
    }

    /// Gives a key what it holds from now on, or takes it away.
    pub fn put(&mut self, database: usize, key: &str, item: Option<Item>) {
        let old = self.space.put(database, key, item);
        let new = self.space.get(database, key).cloned();
        if old != new {
            self.changes.push(KeyChange { place: (database, key.to_owned()), old, new });
        }
    }

    /// What was changed, in order.
    pub fn commit(self) -> Vec<KeyChange> {
        self.changes
    }

    /// Puts everything back.
    pub fn undo(self) {
        for KeyChange { place: (database, key), old, .. } in self.changes.into_iter().rev() {
            self.space.put(database, &key, old);
        }
    }
}
