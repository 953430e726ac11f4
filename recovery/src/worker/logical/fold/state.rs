//! What a set holds at one moment: definitions and, for each table, what became of its rows.

use super::rows::TableRows;
use crate::model::Engine;
use crate::model::content::{Change, ChangeKind, Object, ObjectKind};
use crate::model::logical::backup::SetObject;
use crate::worker::logical::layout::{Manifest, TableContent};
use std::collections::{BTreeMap, BTreeSet};

/// One object.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its description.
    pub object: Object,
    /// Whether a statement of the log made it.
    pub fresh: bool,
    /// Whether that was after the full set was complete: such triggers and events are not restored (LOG-09, LOG-10).
    pub after_backup: bool,
    /// A statement about it that cannot be carried exactly.
    pub unsupported: Option<String>,
    /// Its rows, for a table.
    pub rows: TableRows,
    /// Whether it has, or had, a foreign key that the log gives no name.
    pub(super) nameless_foreign_key: bool,
}

impl Entry {
    /// An object of a set.
    pub(super) fn new(object: Object) -> Self {
        let rows = TableRows::default();
        Self { object, fresh: false, after_backup: false, unsupported: None, rows, nameless_foreign_key: false }
    }
}

/// One database.
#[derive(Debug, Clone, Default)]
pub struct Database {
    /// Character set; empty where the log did not say it.
    pub charset: String,
    /// Objects, without foreign keys, which no restore makes (LOG-13).
    pub entries: Vec<Entry>,
    /// A statement that could not be understood: the object it named, and its text.
    pub unsupported: Option<(String, String)>,
    pub(super) foreign_keys: BTreeSet<String>,
}

/// All of it.
#[derive(Debug, Clone)]
pub struct State {
    /// Engine.
    pub engine: Engine,
    /// Databases by name.
    pub databases: BTreeMap<String, Database>,
    with_rows: bool,
    pub(super) complete_to: u64,
}

impl Database {
    pub(super) fn place(&self, kind: ObjectKind, name: &str) -> Option<usize> {
        let is_it = |entry: &Entry| entry.object.kind == kind && entry.object.name == name;
        let is_like = |entry: &Entry| entry.object.kind == kind && entry.object.name.eq_ignore_ascii_case(name);
        self.entries.iter().position(is_it).or_else(|| self.entries.iter().position(is_like))
    }

    pub(super) fn index(&self, name: &str, table: Option<&str>) -> Option<usize> {
        self.entries.iter().position(|entry| {
            let of_table = table.is_none_or(|table| entry.object.table.as_deref() == Some(table));
            entry.object.kind == ObjectKind::Index && entry.object.name.eq_ignore_ascii_case(name) && of_table
        })
    }
}

impl State {
    /// The content as of the snapshot; changes of rows are followed only when they are wanted. `complete_to` is where the
    /// full set's own part of the log ends.
    #[must_use]
    pub fn begin(manifest: &Manifest, with_rows: bool) -> Self {
        let mut databases = BTreeMap::new();
        for content in &manifest.databases {
            let mut database = Database { charset: content.charset.clone(), ..Database::default() };
            for object in &content.objects {
                if object.kind == ObjectKind::ForeignKey {
                    database.foreign_keys.insert(object.name.clone());
                    continue;
                }
                let mut entry = Entry::new(object.clone());
                let is_it = |table: &TableContent| table.database == content.name && table.table == object.name;
                if object.kind == ObjectKind::Table {
                    let columns = object.columns.iter().map(|column| column.name.clone());
                    entry.rows = match manifest.tables.iter().position(is_it) {
                        Some(origin) => TableRows::of_backup(origin, &object.key, columns),
                        None => TableRows::empty(object.key.clone()),
                    };
                }
                database.entries.push(entry);
            }
            databases.insert(content.name.clone(), database);
        }
        Self { engine: manifest.product.engine, databases, with_rows, complete_to: manifest.completion.position }
    }

    /// Takes the next change of the log.
    ///
    /// # Errors
    /// When it does not fit what the set holds, which cannot be while both are whole.
    pub fn take(&mut self, change: &Change) -> Result<(), String> {
        match &change.kind {
            ChangeKind::Ddl { object, sql } => {
                self.define(change, object, sql);
                Ok(())
            }
            ChangeKind::Row { .. } if !self.with_rows => Ok(()),
            ChangeKind::Row { table, old, new } => {
                let name = &change.database;
                let misfit = |why: String| format!("change {} of {name}.{table}: {why}", change.position);
                let Some(database) = self.databases.get_mut(name) else {
                    return Err(misfit("the set has no such database".to_owned()));
                };
                let Some(place) = database.place(ObjectKind::Table, table) else {
                    // What an unread statement did is not known.
                    let excused = database.unsupported.is_some();
                    return if excused { Ok(()) } else { Err(misfit("the set has no such table".to_owned())) };
                };
                let excused = database.unsupported.is_some();
                let entry = &mut database.entries[place];
                if entry.unsupported.is_some() || excused {
                    return Ok(());
                }
                entry.rows.change(old.as_ref(), new.as_ref()).map_err(misfit)
            }
        }
    }

    /// A statement that could not be carried, with its object, if there is any.
    #[must_use]
    pub fn unsupported(&self) -> Option<(String, String)> {
        self.databases.iter().find_map(|(name, database)| {
            let whole = database.unsupported.clone();
            whole.map(|(object, sql)| (format!("{name}.{object}"), sql)).or_else(|| {
                database.entries.iter().find_map(|entry| {
                    let sql = entry.unsupported.clone()?;
                    Some((format!("{name}.{}", entry.object.name), sql))
                })
            })
        })
    }

    /// What it holds, with the rows of tables counted.
    #[must_use]
    pub fn objects(&self, tables: &[TableContent]) -> Vec<SetObject> {
        let mut objects = Vec::new();
        for (database, content) in &self.databases {
            for entry in &content.entries {
                let stored = entry.rows.origin().and_then(|origin| tables.get(origin)).map_or(0, |table| table.rows);
                objects.push(SetObject {
                    database: database.clone(),
                    kind: entry.object.kind,
                    name: entry.object.name.clone(),
                    rows: entry.rows.count(stored),
                });
            }
        }
        objects
    }
}
