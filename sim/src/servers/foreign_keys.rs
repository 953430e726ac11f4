//! Foreign keys: made, dropped and switched; checked after every run on the rows it changed.

use super::catalogue::{ForeignKey, Shape, key};
use super::ddl::Place;
use super::log::Entry;
use super::server::{Server, Transaction};
use super::tokens::quoted;
use super::values::{failed, to_sql};
use recovery::model::content::{ObjectKind, Row, Value};
use recovery::ports::database::DatabaseError;
use rusqlite::params_from_iter;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The values of a foreign key's columns.
type KeyValues = Vec<Value>;

impl Server {
    /// Checks the foreign keys that the rows changed in a transaction have to do with.
    pub(super) fn check_foreign_keys(&self, transaction: &Transaction) -> Result<(), DatabaseError> {
        let mut changed: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
        for (database, entry) in &transaction.changes {
            if matches!(entry, Entry::Row { .. }) {
                changed.entry(database).or_default().push(entry);
            }
        }
        for (database, entries) in changed {
            let Some(db) = self.databases.get(database) else { continue };
            for key in db.catalogue.foreign_keys.values().filter(|key| key.enabled) {
                for values in concerned(key, &entries) {
                    self.check_foreign_key(database, key, &values)?;
                }
            }
        }
        Ok(())
    }

    fn check_foreign_key(&self, database: &str, key: &ForeignKey, values: &[Value]) -> Result<(), DatabaseError> {
        let connection = &self.db(database)?.connection;
        let exists = |table: &str, columns: &[String]| -> Result<bool, DatabaseError> {
            let conditions: Vec<_> = columns.iter().map(|column| format!("{} = ?", quoted(column))).collect();
            let sql = format!("select 1 from {} where {} limit 1", quoted(table), conditions.join(" and "));
            let values: Vec<_> = values.iter().map(to_sql).collect::<Result<_, _>>()?;
            let mut statement = connection.prepare_cached(&sql).map_err(failed)?;
            statement.exists(params_from_iter(values)).map_err(failed)
        };
        if !exists(&key.parent, &key.parent_columns)? && exists(&key.table, &key.columns)? {
            return Err(DatabaseError::Constraint(format!(
                "foreign key {}: a row of {} points to no row of {}",
                key.name, key.table, key.parent
            )));
        }
        Ok(())
    }

    /// Refuses to empty or drop a table that foreign keys of others point to.
    pub(super) fn refuse_parent(&self, at: &Place<'_>, table: &str, what: &str) -> Result<(), DatabaseError> {
        if !(at.transaction.checks && at.actor.checked) {
            return Ok(());
        }
        match self.db(at.database)?.catalogue.pointing_to(table).next() {
            None => Ok(()),
            Some(key) => Err(DatabaseError::Constraint(format!(
                "table {table} cannot be {what}: foreign key {} of table {} points to it",
                key.name, key.table
            ))),
        }
    }

    /// Adds a foreign key to a table that is there.
    pub(super) fn add_foreign_key(
        &mut self,
        at: &mut Place<'_>,
        mut new: ForeignKey,
        checked: bool,
        logged: bool,
    ) -> Result<(), DatabaseError> {
        new.table = self.table_name(at.database, &new.table)?;
        self.permit(at.actor, at.database, &new.table, true)?;
        let catalogue = Arc::clone(&self.db(at.database)?.catalogue);
        if new.name.is_empty() {
            new.name = catalogue.free_name(&new.table);
        }
        let entry = new.name.to_ascii_lowercase();
        if catalogue.foreign_keys.contains_key(&entry) {
            return Err(DatabaseError::ObjectExists(new.name));
        }
        let parent = catalogue.table(&new.parent);
        let Some((parent, shape)) = parent else { return Err(DatabaseError::NoSuchObject(new.parent)) };
        parent.clone_into(&mut new.parent);
        if new.parent_columns.is_empty() {
            new.parent_columns.clone_from(&shape.key);
        }
        let has =
            |shape: &Shape, name: &String| shape.columns.iter().any(|column| column.name.eq_ignore_ascii_case(name));
        let own = catalogue.table(&new.table).map(|(_, shape)| shape);
        let fits = new.columns.len() == new.parent_columns.len()
            && !new.columns.is_empty()
            && new.parent_columns.iter().all(|name| has(shape, name))
            && own.is_some_and(|own| new.columns.iter().all(|name| has(own, name)));
        if !fits {
            let why = format!("foreign key {}: its columns do not match those of {}", new.name, new.parent);
            return Err(DatabaseError::Statement(why));
        }
        if checked && at.transaction.checks && at.actor.checked {
            self.refuse_orphans(at.database, &new)?;
        }
        let (name, table) = (new.name.clone(), new.table.clone());
        let db = self.db_mut(at.database)?;
        Arc::make_mut(&mut db.catalogue).foreign_keys.insert(entry, new);
        db.wire_foreign_keys()?;
        self.after_foreign_key(at, &table, &name, logged)
    }

    fn refuse_orphans(&self, database: &str, key: &ForeignKey) -> Result<(), DatabaseError> {
        let mut statement = self.db(database)?.connection.prepare(&key.orphans()).map_err(failed)?;
        if statement.exists([]).map_err(failed)? {
            let why = format!("foreign key {}: a row of {} points to no row of {}", key.name, key.table, key.parent);
            return Err(DatabaseError::Constraint(why));
        }
        Ok(())
    }

    fn after_foreign_key(
        &mut self,
        at: &mut Place<'_>,
        table: &str,
        name: &str,
        logged: bool,
    ) -> Result<(), DatabaseError> {
        self.bump(at.database, ObjectKind::ForeignKey, name)?;
        if logged {
            self.bump(at.database, ObjectKind::Table, table)?;
            let text = at.text;
            self.log_ddl(at, name, text);
        }
        Ok(())
    }

    /// Drops a foreign key, or the index that a unique constraint is.
    pub(super) fn drop_constraint(&mut self, at: &mut Place<'_>, table: &str, name: &str) -> Result<(), DatabaseError> {
        let table = self.table_name(at.database, table)?;
        self.permit(at.actor, at.database, &table, true)?;
        let db = self.db_mut(at.database)?;
        let entry = name.to_ascii_lowercase();
        if !db.catalogue.foreign_keys.contains_key(&entry) {
            // A unique constraint that was added later is an index.
            let sql = format!("drop index {}", quoted(name));
            db.connection.execute_batch(&sql).map_err(|_| DatabaseError::NoSuchObject(name.to_owned()))?;
            db.refresh(&table)?;
            Arc::make_mut(&mut db.catalogue).revisions.remove(&key(ObjectKind::Index, name));
        } else {
            let catalogue = Arc::make_mut(&mut db.catalogue);
            let removed = catalogue.foreign_keys.remove(&entry);
            catalogue.revisions.remove(&key(ObjectKind::ForeignKey, name));
            if removed.is_some() {
                db.drop_follow(name)?;
                db.wire_foreign_keys()?;
            }
        }
        self.bump(at.database, ObjectKind::Table, &table)?;
        let text = at.text;
        self.log_ddl(at, name, text);
        Ok(())
    }

    /// Switches a foreign key on or off.
    pub(super) fn enable_foreign_key(
        &mut self,
        at: &mut Place<'_>,
        table: &str,
        name: &str,
        enabled: bool,
        checked: bool,
    ) -> Result<(), DatabaseError> {
        let table = self.table_name(at.database, table)?;
        self.permit(at.actor, at.database, &table, true)?;
        let db = self.db_mut(at.database)?;
        let foreign = Arc::make_mut(&mut db.catalogue).foreign_keys.get_mut(&name.to_ascii_lowercase());
        let Some(foreign) = foreign else { return Err(DatabaseError::NoSuchObject(name.to_owned())) };
        foreign.enabled = enabled;
        let foreign = foreign.clone();
        db.wire_foreign_keys()?;
        if enabled && checked && at.actor.checked {
            self.refuse_orphans(at.database, &foreign)?;
        }
        self.after_foreign_key(at, &table, name, true)
    }
}

/// The values that rows of the child may now point to in vain: of its new rows and of the parent's old ones.
fn concerned(key: &ForeignKey, entries: &[&Entry]) -> Vec<KeyValues> {
    let mut found: Vec<KeyValues> = Vec::new();
    let pick = |names: &[String], columns: &[String], row: &Row| -> Option<KeyValues> {
        let values: Option<KeyValues> = names
            .iter()
            .map(|name| {
                let at = columns.iter().position(|column| column.eq_ignore_ascii_case(name))?;
                row.get(at).filter(|value| **value != Value::Null).cloned()
            })
            .collect();
        values
    };
    for entry in entries {
        let Entry::Row { table, columns, old, new } = entry else { continue };
        let of_child = new.as_ref().filter(|_| table.eq_ignore_ascii_case(&key.table));
        let of_parent = old.as_ref().filter(|_| table.eq_ignore_ascii_case(&key.parent));
        found.extend(of_child.and_then(|row| pick(&key.columns, columns, row)));
        found.extend(of_parent.and_then(|row| pick(&key.parent_columns, columns, row)));
    }
    found
}
