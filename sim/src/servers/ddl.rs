//! Changes definitions: tables, indexes, views, triggers, routines and other objects, foreign keys and databases.

use super::catalogue::{Definition, Owner, key};
use super::db::Db;
use super::functions::lock;
use super::log::Entry;
use super::profile::word;
use super::server::{Actor, Server, Transaction};
use super::statement::{Action, Define, SchemaChange, Statement};
use super::table_text::NewTable;
use super::tokens::{quoted, tokens};
use super::values::{failed, from_sql};
use recovery::model::content::{ObjectKind, Security};
use recovery::model::instance::Rights;
use recovery::ports::database::DatabaseError;
use std::sync::Arc;

/// Where and by whom a definition is changed.
pub(super) struct Place<'a> {
    pub transaction: &'a mut Transaction,
    pub actor: &'a Actor,
    pub database: &'a str,
    /// The statement as it was written, for the log.
    pub text: &'a str,
}

impl Server {
    /// Changes definitions as a statement says.
    pub fn define(
        &mut self,
        transaction: &mut Transaction,
        actor: &Actor,
        database: &str,
        text: &str,
        statement: Statement,
    ) -> Result<(), DatabaseError> {
        self.trusts(actor, &statement)?;
        self.fire(actor, database, &statement)?;
        let mut place = Place { transaction, actor, database, text };
        let at = &mut place;
        match statement {
            Statement::CreateTable(table) => self.create_table(at, table),
            Statement::Schema(change) => self.change_schema(at, &change),
            Statement::Rename { table, to } => self.rename(at, &table, &to),
            Statement::Truncate { table } => self.truncate(at, &table),
            Statement::Define(new) => self.keep_definition(at, new),
            Statement::Undefine { kind, name, if_exists } => self.drop_definition(at, kind, &name, if_exists),
            Statement::AddForeignKey { key, checked } => self.add_foreign_key(at, key, checked, true),
            Statement::DropConstraint { table, name } => self.drop_constraint(at, &table, &name),
            Statement::EnableForeignKey { table, name, enabled, checked } => {
                self.enable_foreign_key(at, &table, &name, enabled, checked)
            }
            Statement::CreateDatabase { name, charset, if_not_exists } => {
                if if_not_exists && self.databases.contains_key(&name) {
                    return Ok(());
                }
                self.make_database(at.transaction, at.actor, &name, charset.as_deref())
            }
            Statement::DropDatabase { name, if_exists } => self.drop_database(at, &name, if_exists),
            Statement::PurgeLog(to) => self.purge_log(at.actor, &to),
            Statement::Extra(extra) => self.change_extra(at, extra),
            Statement::SetRecovery { database, model } => self.set_recovery(at, &database, model),
            Statement::Plain { .. } | Statement::Nothing | Statement::ForeignKeyChecks(_) => Ok(()),
        }
    }

    pub(super) fn log_ddl(&mut self, at: &mut Place<'_>, object: &str, sql: &str) {
        let entry = Entry::Ddl {
            object: object.to_owned(),
            sql: sql.to_owned(),
            account: at.actor.account.clone(),
            security: at.actor.security,
        };
        at.transaction.changes.push((at.database.to_owned(), entry));
    }

    /// Gives an object a new revision.
    pub(super) fn bump(&mut self, database: &str, kind: ObjectKind, name: &str) -> Result<(), DatabaseError> {
        let revision = self.next_revision();
        let catalogue = Arc::make_mut(&mut self.db_mut(database)?.catalogue);
        catalogue.revisions.insert(key(kind, name), revision);
        Ok(())
    }

    /// Sets the recovery model of a database; that is no change of its content, and stands in no log.
    fn set_recovery(&mut self, at: &mut Place<'_>, database: &str, model: String) -> Result<(), DatabaseError> {
        if at.actor.checked && !self.grants(&at.actor.account)?.on_database(database).writes() {
            let what = format!("alter database {database}");
            return Err(DatabaseError::NotPermitted { account: at.actor.account.clone(), what });
        }
        self.enter(at.transaction, database)?;
        Arc::make_mut(&mut self.db_mut(database)?.catalogue).recovery_model = Some(model);
        Ok(())
    }

    /// A table's name as it was made.
    pub(super) fn table_name(&self, database: &str, table: &str) -> Result<String, DatabaseError> {
        let found = self.db(database)?.catalogue.table(table).map(|(name, _)| name.to_owned());
        found.ok_or_else(|| DatabaseError::NoSuchObject(table.to_owned()))
    }

    /// Who becomes the definer of an object, and whose rights it runs with.
    fn owner(
        &self,
        actor: &Actor,
        kind: ObjectKind,
        given: Option<&String>,
        security: Option<Security>,
    ) -> Result<Owner, DatabaseError> {
        if !self.profile.definers {
            return Ok(Owner::default());
        }
        let definer = given.unwrap_or(&actor.account).clone();
        if actor.checked && definer != actor.account && self.rights(&actor.account)? < Rights::Owner {
            let what = format!("make an object with {definer} as its definer");
            return Err(DatabaseError::NotPermitted { account: actor.account.clone(), what });
        }
        let runs = matches!(kind, ObjectKind::View | ObjectKind::Procedure | ObjectKind::Function);
        let security = if runs { actor.security.or(security).or(Some(Security::Definer)) } else { None };
        Ok(Owner { definer: Some(definer), security })
    }

    fn create_table(&mut self, at: &mut Place<'_>, table: NewTable) -> Result<(), DatabaseError> {
        self.permit(at.actor, at.database, &table.name, true)?;
        let db = self.db(at.database)?;
        if db.find("table", &table.name)?.is_some() || db.find("view", &table.name)?.is_some() {
            return if table.if_not_exists { Ok(()) } else { Err(DatabaseError::ObjectExists(table.name)) };
        }
        let touches = {
            let (mut statement, touches) = db.prepare(&table.sql)?;
            statement.execute([]).map_err(failed)?;
            touches
        };
        self.permit_touches(at.actor, at.database, &touches)?;
        let db = self.db_mut(at.database)?;
        db.refresh(&table.name)?;
        if let Some(engine) = table.storage {
            Arc::make_mut(&mut db.catalogue).storage.insert(table.name.to_ascii_lowercase(), engine);
        }
        self.knows_types(at.database, &table.name)?;
        self.bump(at.database, ObjectKind::Table, &table.name)?;
        for foreign in table.foreign_keys {
            self.add_foreign_key(at, foreign, true, false)?;
        }
        if !table.from_query {
            let text = at.text;
            self.log_ddl(at, &table.name, text);
            return Ok(());
        }
        // The query may give something else later; the log holds what it gave.
        let Some((name, _, sql)) = self.db(at.database)?.find("table", &table.name)? else { return Ok(()) };
        self.log_ddl(at, &name, &sql);
        let rows = self.all_rows(at.database, &name)?;
        let columns = self.db(at.database)?.catalogue.table(&name).map(|(_, shape)| shape.names()).unwrap_or_default();
        for row in rows {
            let entry = Entry::Row { table: name.clone(), columns: columns.clone(), old: None, new: Some(row) };
            at.transaction.changes.push((at.database.to_owned(), entry));
        }
        Ok(())
    }

    fn all_rows(
        &self,
        database: &str,
        table: &str,
    ) -> Result<Vec<Vec<recovery::model::content::Value>>, DatabaseError> {
        let sql = format!("select * from {}", quoted(table));
        let mut statement = self.db(database)?.connection.prepare(&sql).map_err(failed)?;
        let width = statement.column_count();
        let rows = statement.query_map([], |row| (0..width).map(|i| row.get_ref(i).map(from_sql)).collect());
        rows.and_then(Iterator::collect).map_err(failed)
    }

    fn change_schema(&mut self, at: &mut Place<'_>, change: &SchemaChange) -> Result<(), DatabaseError> {
        let found = self.db(at.database)?.find(word(change.kind), &change.name)?;
        match (change.action, &found) {
            (Action::Create, Some(_)) if change.tolerant => return Ok(()),
            (Action::Create, Some(_)) if !change.replaces => {
                return Err(DatabaseError::ObjectExists(change.name.clone()));
            }
            (Action::Drop, None) if change.tolerant => return Ok(()),
            (Action::Drop | Action::Alter, None) => return Err(DatabaseError::NoSuchObject(change.name.clone())),
            _ => {}
        }
        let table = match (&change.table, &found) {
            (Some(table), _) => Some(table.clone()),
            (None, Some((_, table, _))) if change.kind != ObjectKind::View => Some(table.clone()),
            _ => None,
        };
        let name = found.as_ref().map_or(&change.name, |(name, ..)| name).clone();
        self.permit(at.actor, at.database, table.as_ref().unwrap_or(&name), true)?;
        if change.kind == ObjectKind::Table {
            if change.action == Action::Drop {
                self.refuse_parent(at, &name, "dropped")?;
            }
            self.db(at.database)?.unwire(&name)?;
        }
        let db = self.db_mut(at.database)?;
        if change.action == Action::Create && found.is_some() {
            let drop = format!("drop {} {}", word(change.kind), quoted(&name));
            db.connection.execute_batch(&drop).map_err(failed)?;
        }
        let (mut statement, _) = db.prepare(&change.sql)?;
        statement.execute([]).map_err(failed)?;
        drop(statement);
        self.after_schema_change(at, change, &name, table.as_deref())?;
        let text = at.text;
        self.log_ddl(at, &name, text);
        Ok(())
    }

    /// Brings the catalogue up to what SQLite now has.
    fn after_schema_change(
        &mut self,
        at: &Place<'_>,
        change: &SchemaChange,
        name: &str,
        table: Option<&str>,
    ) -> Result<(), DatabaseError> {
        let owner = match (change.action, change.kind) {
            (Action::Create, ObjectKind::View | ObjectKind::Trigger) => {
                Some(self.owner(at.actor, change.kind, change.definer.as_ref(), change.security)?)
            }
            _ => None,
        };
        let db = self.db_mut(at.database)?;
        let catalogue = Arc::make_mut(&mut db.catalogue);
        let entry = key(change.kind, name);
        if let Some(owner) = owner {
            catalogue.owners.insert(entry.clone(), owner);
        }
        if change.action == Action::Drop {
            catalogue.revisions.remove(&entry);
            catalogue.owners.remove(&entry);
            if change.kind == ObjectKind::Table {
                catalogue.forget_table(name);
            }
        } else {
            self.bump(at.database, change.kind, name)?;
        }
        if change.kind == ObjectKind::Index
            && let Some(table) = table
        {
            self.bump(at.database, ObjectKind::Table, table)?;
        }
        match (change.kind, table) {
            (ObjectKind::Table, _) => {
                self.db_mut(at.database)?.refresh(name)?;
                self.knows_types(at.database, name)
            }
            (ObjectKind::Index, Some(table)) => self.db_mut(at.database)?.refresh(table),
            _ => Ok(()),
        }
    }

    fn rename(&mut self, at: &mut Place<'_>, table: &str, to: &str) -> Result<(), DatabaseError> {
        let from = self.table_name(at.database, table)?;
        self.permit(at.actor, at.database, &from, true)?;
        self.permit(at.actor, at.database, to, true)?;
        let db = self.db_mut(at.database)?;
        db.unwire(&from)?;
        let sql = format!("alter table {} rename to {}", quoted(&from), super::catalogue::written(to));
        db.connection.execute_batch(&sql).map_err(failed)?;
        let catalogue = Arc::make_mut(&mut db.catalogue);
        catalogue.tables.remove(&from);
        if let Some(engine) = catalogue.storage.remove(&from.to_ascii_lowercase()) {
            catalogue.storage.insert(to.to_ascii_lowercase(), engine);
        }
        catalogue.revisions.remove(&key(ObjectKind::Table, &from));
        for foreign in catalogue.foreign_keys.values_mut() {
            for name in [&mut foreign.table, &mut foreign.parent] {
                if name.eq_ignore_ascii_case(&from) {
                    to.clone_into(name);
                }
            }
        }
        db.refresh(to)?;
        self.bump(at.database, ObjectKind::Table, to)?;
        let text = at.text;
        self.log_ddl(at, &from, text);
        Ok(())
    }

    fn truncate(&mut self, at: &mut Place<'_>, table: &str) -> Result<(), DatabaseError> {
        let name = self.table_name(at.database, table)?;
        self.permit(at.actor, at.database, &name, true)?;
        self.refuse_parent(at, &name, "truncated")?;
        let db = self.db(at.database)?;
        db.set_application(false)?;
        let emptied = db.connection.execute(&format!("delete from {}", quoted(&name)), []);
        db.set_application(at.transaction.application)?;
        emptied.map_err(failed)?;
        db.take_captured();
        if db.find("table", "sqlite_sequence")?.is_some() {
            db.connection.execute("delete from sqlite_sequence where name = ?1", [&name]).map_err(failed)?;
        }
        self.bump(at.database, ObjectKind::Table, &name)?;
        let text = at.text;
        self.log_ddl(at, &name, text);
        Ok(())
    }

    fn keep_definition(&mut self, at: &mut Place<'_>, new: Define) -> Result<(), DatabaseError> {
        self.permit(at.actor, at.database, &new.name, true)?;
        if new.kind == ObjectKind::Event {
            super::events::check(&new.text)?;
        }
        let entry = key(new.kind, &new.name);
        let exists = self.db(at.database)?.catalogue.definitions.contains_key(&entry);
        if exists && new.tolerant {
            return Ok(());
        }
        if exists && !new.replaces {
            return Err(DatabaseError::ObjectExists(new.name));
        }
        let owner = match new.kind {
            ObjectKind::Procedure | ObjectKind::Function | ObjectKind::Event => {
                self.owner(at.actor, new.kind, new.definer.as_ref(), new.security)?
            }
            _ => Owner::default(),
        };
        self.bump(at.database, new.kind, &new.name)?;
        let text = without_replace(&new.text);
        let definition = Definition { kind: new.kind, name: new.name.clone(), text, owner };
        let catalogue = Arc::make_mut(&mut self.db_mut(at.database)?.catalogue);
        catalogue.definitions.insert(entry, definition);
        self.refresh_sequences(at.database)?;
        let text = at.text;
        self.log_ddl(at, &new.name, text);
        Ok(())
    }

    fn drop_definition(
        &mut self,
        at: &mut Place<'_>,
        kind: ObjectKind,
        name: &str,
        if_exists: bool,
    ) -> Result<(), DatabaseError> {
        self.permit(at.actor, at.database, name, true)?;
        let entry = key(kind, name);
        let catalogue = Arc::make_mut(&mut self.db_mut(at.database)?.catalogue);
        if catalogue.definitions.remove(&entry).is_none() {
            return if if_exists { Ok(()) } else { Err(DatabaseError::NoSuchObject(name.to_owned())) };
        }
        catalogue.revisions.remove(&entry);
        self.refresh_sequences(at.database)?;
        let text = at.text;
        self.log_ddl(at, name, text);
        Ok(())
    }

    fn refresh_sequences(&self, database: &str) -> Result<(), DatabaseError> {
        let db = self.db(database)?;
        lock(&db.sequences).refresh(&db.catalogue);
        Ok(())
    }

    /// Makes a database.
    pub fn make_database(
        &mut self,
        transaction: &mut Transaction,
        actor: &Actor,
        name: &str,
        charset: Option<&str>,
    ) -> Result<(), DatabaseError> {
        if actor.checked && (!self.rights(&actor.account)?.writes() || self.follows.is_some()) {
            let what = format!("make database {name}");
            return Err(DatabaseError::NotPermitted { account: actor.account.clone(), what });
        }
        if name.is_empty() || self.databases.contains_key(name) {
            return Err(DatabaseError::ObjectExists(name.to_owned()));
        }
        let charset = charset.filter(|charset| !charset.is_empty()).unwrap_or(self.profile.charset);
        self.databases.insert(name.to_owned(), Db::open(charset, &self.ambient)?);
        transaction.created.push(name.to_owned());
        transaction.changes.push((name.to_owned(), Entry::CreateDatabase { charset: charset.to_owned() }));
        Ok(())
    }

    fn drop_database(&mut self, at: &mut Place<'_>, name: &str, if_exists: bool) -> Result<(), DatabaseError> {
        if at.actor.checked && (!self.rights(&at.actor.account)?.writes() || self.follows.is_some()) {
            let what = format!("drop database {name}");
            return Err(DatabaseError::NotPermitted { account: at.actor.account.clone(), what });
        }
        if Self::is_entered(at.transaction, name) {
            return Err(DatabaseError::Statement(format!("database {name} is in use and cannot be dropped")));
        }
        match self.databases.remove(name) {
            Some(db) => {
                if !at.transaction.created.contains(&name.to_owned()) {
                    at.transaction.dropped.push((name.to_owned(), db));
                }
                at.transaction.changes.push((name.to_owned(), Entry::DropDatabase));
                Ok(())
            }
            None if if_exists => Ok(()),
            None => Err(DatabaseError::NoSuchDatabase(name.to_owned())),
        }
    }
}

/// `CREATE OR REPLACE` and `ALTER` leave a definition that reads `CREATE`.
fn without_replace(text: &str) -> String {
    let all = tokens(text);
    match (all.first(), all.get(1), all.get(3)) {
        (Some(create), Some(or), Some(rest)) if create.is("create") && or.is("or") => {
            format!("create {}", &text[rest.start..])
        }
        _ => text.to_owned(),
    }
}
