//! A logical database as the recovery system sees it: one table of its keys.

use super::data::{Data, Item};
use super::space::Unit;
use super::view::View;
use super::{Redis, data};
use recovery::model::content::{Column, DatabaseFacts, Object, ObjectKind, Row, Value};
use recovery::model::instance::Rights;
use recovery::ports::database::{Apply, Chunk, DatabaseError, OnConflict, ReadChunk, WriteChunk};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The table's name.
pub(super) const NAME: &str = "keys";
/// Its columns.
pub(super) const COLUMNS: [&str; 4] = ["key", "type", "value", "expires_at"];
/// Its definition, always the same.
pub(super) const DEFINITION: &str =
    "create table keys (key text primary key, type text not null, value text not null, expires_at bigint)";
/// Its revision, always the same: nothing changes its definition.
const REVISION: u64 = 1;

/// A key as a row.
pub(super) fn row(key: &str, item: &Item) -> Row {
    let expires_at = item.expires_at.map_or(Value::Null, Value::Integer);
    vec![
        Value::Text(key.to_owned()),
        Value::Text(item.data.word().to_owned()),
        Value::Text(item.data.json()),
        expires_at,
    ]
}

fn bad(why: impl Into<String>) -> DatabaseError {
    DatabaseError::Statement(why.into())
}

/// The key and what it holds, from the values of a row's columns.
pub(super) fn parsed(
    key: Option<&Value>,
    word: Option<&Value>,
    value: Option<&Value>,
    expires_at: Option<&Value>,
) -> Result<(String, Item), DatabaseError> {
    let (Some(Value::Text(key)), Some(Value::Text(word)), Some(Value::Text(value))) = (key, word, value) else {
        return Err(bad("a row of keys needs the texts key, type and value"));
    };
    let expires_at = match expires_at {
        None | Some(Value::Null) => None,
        Some(Value::Integer(expires_at)) => Some(*expires_at),
        Some(_) => return Err(bad("the column expires_at takes whole milliseconds or NULL")),
    };
    Ok((key.clone(), Item { data: Data::from_json(word, value).map_err(bad)?, expires_at }))
}

fn key_of(row: &BTreeMap<String, Value>) -> Result<&str, DatabaseError> {
    match row.get(COLUMNS[0]) {
        Some(Value::Text(key)) => Ok(key),
        _ => Err(bad("a row of keys needs the text key")),
    }
}

fn is_keys(table: &str) -> Result<(), DatabaseError> {
    if table == NAME { Ok(()) } else { Err(DatabaseError::NoSuchObject(table.to_owned())) }
}

impl Redis {
    /// What a session reads now.
    pub fn view(&self) -> View {
        View::new(&self.master, data::ms(self.seen))
    }

    /// The databases an account may see: those with keys, and the first.
    pub fn visible_databases(&self, account: &str, view: &View) -> Result<Vec<DatabaseFacts>, DatabaseError> {
        let grants = self.grants(account)?;
        let names = view.databases().map(|database| database.to_string());
        let seen = names.filter(|name| grants.on(name, NAME).reads());
        Ok(seen.map(|name| DatabaseFacts { name, charset: self.charset().to_owned() }).collect())
    }

    /// The one table of a database.
    pub fn describe(&self, account: &str, database: &str, view: &View) -> Result<Vec<Object>, DatabaseError> {
        let index = self.index(database)?;
        if !self.grants(account)?.on(database, NAME).reads() {
            return Ok(Vec::new());
        }
        let declared = ["text", "text", "text", "bigint"];
        let columns = COLUMNS.iter().zip(declared).map(|(name, declared)| Column {
            name: (*name).to_owned(),
            declared: declared.to_owned(),
            nullable: *name == COLUMNS[3],
        });
        Ok(vec![Object {
            kind: ObjectKind::Table,
            name: NAME.to_owned(),
            table: None,
            definition: DEFINITION.to_owned(),
            columns: columns.collect(),
            key: vec![COLUMNS[0].to_owned()],
            needs: Vec::new(),
            definer: None,
            security: None,
            revision: REVISION,
            rows: view.count(index) as u64,
        }])
    }

    /// Makes a logical database: each is there already, so it has only to be one that can be.
    pub fn make_database(&self, account: &str, name: &str) -> Result<(), DatabaseError> {
        self.permit(account, self.index(name)?, Rights::ReadWrite, "make a database")
    }

    /// Makes the table `keys`, which is there already.
    pub fn create(&self, account: &str, database: &str, object: &Object) -> Result<(), DatabaseError> {
        self.permit(account, self.index(database)?, Rights::ReadWrite, "make an object")?;
        match object.kind {
            ObjectKind::Table if object.name == NAME => Ok(()),
            _ => Err(bad(format!("this engine has no other object than the table {NAME}"))),
        }
    }

    /// Reads keys in their order.
    pub fn read(&self, account: &str, read: &ReadChunk, view: &View) -> Result<Chunk, DatabaseError> {
        let database = self.index(&read.database)?;
        is_keys(&read.table)?;
        self.permit(account, database, Rights::ReadOnly, "read keys")?;
        let place = |name: &String| {
            let place = COLUMNS.iter().position(|column| column.eq_ignore_ascii_case(name));
            place.ok_or_else(|| bad(format!("no such column: {name}")))
        };
        let places: Vec<usize> = read.columns.iter().map(place).collect::<Result<_, _>>()?;
        let limit = read.limit.max(1);
        let mut keys = view.after(database, read.after.as_deref());
        let found: Vec<_> = keys.by_ref().take(limit).collect();
        let picked = |(key, item): &(&String, &Item)| {
            let row = row(key, item);
            places.iter().map(|place| row[*place].clone()).collect()
        };
        Ok(Chunk {
            rows: found.iter().map(picked).collect(),
            last: found.last().map(|(key, _)| (*key).clone()),
            done: keys.next().is_none(),
            revision: REVISION,
        })
    }

    /// Writes keys, all or none; gives how many were written.
    pub fn write(&mut self, account: &str, write: &WriteChunk) -> Result<u64, DatabaseError> {
        let database = self.index(&write.database)?;
        is_keys(&write.table)?;
        self.permit(account, database, Rights::ReadWrite, "write keys")?;
        let place = |name: &str| write.columns.iter().position(|column| column.eq_ignore_ascii_case(name));
        if let Some(other) = write.columns.iter().find(|name| !COLUMNS.iter().any(|own| own.eq_ignore_ascii_case(name)))
        {
            return Err(bad(format!("no such column: {other}")));
        }
        let places = COLUMNS.map(place);
        self.unit(|unit| {
            let mut written = 0;
            for row in &write.rows {
                if row.len() != write.columns.len() {
                    return Err(bad(format!("a row of {} values for {} columns", row.len(), write.columns.len())));
                }
                let [key, word, value, expires_at] = places.map(|place| place.and_then(|place| row.get(place)));
                let (key, item) = parsed(key, word, value, expires_at)?;
                match (unit.space().get(database, &key), write.on_conflict) {
                    (Some(_), OnConflict::Keep) => continue,
                    (Some(_), OnConflict::Stop) => {
                        return Err(DatabaseError::Constraint(format!("key {key} exists in database {database}")));
                    }
                    (None, _) | (Some(_), OnConflict::Replace) => {}
                }
                unit.put(database, &key, Some(item));
                written += 1;
            }
            Ok(written)
        })
    }

    /// Writes changes, all or none.
    pub fn apply(&mut self, account: &str, changes: &[Apply]) -> Result<(), DatabaseError> {
        let mut places = Vec::new();
        for change in changes {
            let (Apply::Upsert { database, table, .. } | Apply::Delete { database, table, .. }) = change else {
                return Err(bad("this engine has no statements that change definitions"));
            };
            is_keys(table)?;
            let index = self.index(database)?;
            self.permit(account, index, Rights::ReadWrite, "write keys")?;
            places.push(index);
        }
        self.unit(|unit| {
            for (change, database) in changes.iter().zip(places) {
                match change {
                    Apply::Upsert { old, new, .. } => {
                        let [key, word, value, expires_at] = COLUMNS.map(|column| new.get(column));
                        let (key, item) = parsed(key, word, value, expires_at)?;
                        let old = old.as_ref().map(key_of).transpose()?;
                        if let Some(old) = old.filter(|old| *old != key) {
                            unit.put(database, old, None);
                        }
                        unit.put(database, &key, Some(item));
                    }
                    Apply::Delete { old, .. } => unit.put(database, key_of(old)?, None),
                    Apply::Ddl { .. } => {}
                }
            }
            Ok(())
        })
    }

    /// Changes keys whole or not at all.
    pub(super) fn unit<T>(
        &mut self,
        work: impl FnOnce(&mut Unit<'_>) -> Result<T, DatabaseError>,
    ) -> Result<T, DatabaseError> {
        let room = self.has_room();
        let mut unit = Unit::begin(Arc::make_mut(&mut self.master));
        let worked = work(&mut unit).and_then(|done| if unit.changed() > 0 { room.map(|()| done) } else { Ok(done) });
        match worked {
            Ok(done) => {
                let changes = unit.commit();
                self.commit(&changes);
                Ok(done)
            }
            Err(error) => {
                unit.undo();
                Err(error)
            }
        }
    }
}
