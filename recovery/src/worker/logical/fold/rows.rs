//! The net effect of a log on the rows of one table: which rows of the backup are gone, and which rows are there instead.
//!
//! Rows with a key are known by it; rows of a table without one are known by all their values, and counted.

use crate::model::content::{Row, Value};
use std::collections::BTreeMap;

/// A row by column.
pub type RowByName = BTreeMap<String, Value>;

/// What a row is known by.
type Identity = String;

/// What became of the rows of one table.
#[derive(Debug, Clone, Default)]
pub struct TableRows {
    /// Place of the table in the manifest; nothing for a table that began empty.
    origin: Option<usize>,
    /// Key columns by their present names; empty without a key.
    key: Vec<String>,
    /// Columns of the backup's rows in order, by their present names; nothing for one that was dropped.
    columns: Vec<Option<String>>,
    removed: BTreeMap<Identity, u64>,
    added: BTreeMap<Identity, (RowByName, u64)>,
    added_rows: u64,
}

impl TableRows {
    /// A table as the backup has it.
    #[must_use]
    pub fn of_backup(origin: usize, key: &[String], columns: impl Iterator<Item = String>) -> Self {
        Self { origin: Some(origin), key: key.to_vec(), columns: columns.map(Some).collect(), ..Self::default() }
    }

    /// A table that was made in the log.
    #[must_use]
    pub fn empty(key: Vec<String>) -> Self {
        Self { key, ..Self::default() }
    }

    /// Place of the table in the manifest, where rows of the backup may still be there.
    #[must_use]
    pub fn origin(&self) -> Option<usize> {
        self.origin
    }

    /// Key columns; empty without a key.
    #[must_use]
    pub fn key(&self) -> &[String] {
        &self.key
    }

    /// Present names of the columns of the backup's rows, in order.
    #[must_use]
    pub fn columns(&self) -> &[Option<String>] {
        &self.columns
    }

    /// Rows that are not the backup's, in the order they are written; one that is there several times comes as often.
    pub fn added(&self) -> impl Iterator<Item = &RowByName> {
        let times = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        self.added.values().flat_map(move |(row, count)| std::iter::repeat_n(row, times(*count)))
    }

    /// How many they are.
    #[must_use]
    pub fn added_count(&self) -> u64 {
        self.added_rows
    }

    /// How many rows there are, of so many in the backup.
    #[must_use]
    pub fn count(&self, of_backup: u64) -> u64 {
        let of_backup = if self.origin.is_some() { of_backup } else { 0 };
        of_backup.saturating_sub(self.removed.values().sum()) + self.added_rows
    }

    /// Whether it surely has no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.origin.is_none() && self.added.is_empty()
    }

    fn identity(&self, row: &RowByName) -> Result<Identity, String> {
        let text = if self.key.is_empty() {
            serde_json::to_string(row)
        } else {
            let values: Option<Vec<&Value>> = self.key.iter().map(|column| row.get(column)).collect();
            serde_json::to_string(&values.ok_or("a changed row lacks a key column")?)
        };
        text.map_err(|error| error.to_string())
    }

    /// Takes a change of a row.
    ///
    /// # Errors
    /// When it does not fit what is known of the table.
    pub fn change(&mut self, old: Option<&RowByName>, new: Option<&RowByName>) -> Result<(), String> {
        if let Some(old) = old {
            let identity = self.identity(old)?;
            if let Some((_, count)) = self.added.get_mut(&identity) {
                *count -= 1;
                self.added_rows -= 1;
                if *count == 0 {
                    self.added.remove(&identity);
                }
            } else if self.origin.is_some() {
                *self.removed.entry(identity).or_default() += 1;
            } else {
                return Err("a changed row is not there".to_owned());
            }
        }
        if let Some(new) = new {
            let identity = self.identity(new)?;
            if self.key.is_empty()
                && let Some(count) = self.removed.get_mut(&identity)
            {
                *count -= 1;
                if *count == 0 {
                    self.removed.remove(&identity);
                }
                return Ok(());
            }
            let (row, count) = self.added.entry(identity).or_insert_with(|| (new.clone(), 0));
            new.clone_into(row);
            if self.key.is_empty() || *count == 0 {
                *count += 1;
                self.added_rows += 1;
            }
        }
        Ok(())
    }

    /// Empties the table.
    pub fn clear(&mut self) {
        *self = Self::empty(std::mem::take(&mut self.key));
    }

    /// Gives a column another name.
    pub fn rename_column(&mut self, from: &str, to: &str) {
        for name in self.columns.iter_mut().flatten().chain(&mut self.key).filter(|name| *name == from) {
            to.clone_into(name);
        }
        for (row, _) in self.added.values_mut() {
            if let Some(value) = row.remove(from) {
                row.insert(to.to_owned(), value);
            }
        }
    }

    /// Drops a column that is no part of the key.
    pub fn drop_column(&mut self, name: &str) {
        for column in self.columns.iter_mut().filter(|column| column.as_deref() == Some(name)) {
            *column = None;
        }
        for (row, _) in self.added.values_mut() {
            row.remove(name);
        }
    }

    /// A row of the backup by present names.
    #[must_use]
    pub fn named(&self, row: Row) -> RowByName {
        let named = self.columns.iter().zip(row).filter_map(|(name, value)| Some((name.clone()?, value)));
        named.collect()
    }
}

/// Lets through the rows of the backup that are still there, chunk by chunk in order.
#[derive(Debug, Clone)]
pub struct Sieve<'a> {
    rows: &'a TableRows,
    left: BTreeMap<&'a str, u64>,
}

impl<'a> Sieve<'a> {
    /// Before the first chunk.
    #[must_use]
    pub fn new(rows: &'a TableRows) -> Self {
        Self { rows, left: rows.removed.iter().map(|(identity, count)| (identity.as_str(), *count)).collect() }
    }

    /// Whether earlier chunks have to be looked at to know what to do with a later one.
    #[must_use]
    pub fn has_memory(&self) -> bool {
        self.rows.key.is_empty() && !self.left.is_empty()
    }

    /// The rows of a chunk that are still there, by present names.
    ///
    /// # Errors
    /// When a row lacks a key column.
    pub fn pass(&mut self, chunk: Vec<Row>) -> Result<Vec<RowByName>, String> {
        let mut kept = Vec::with_capacity(chunk.len());
        for row in chunk {
            let row = self.rows.named(row);
            if !self.rows.removed.is_empty()
                && let Some(left) = self.left.get_mut(self.rows.identity(&row)?.as_str())
                && *left > 0
            {
                *left -= 1;
                continue;
            }
            kept.push(row);
        }
        Ok(kept)
    }
}
