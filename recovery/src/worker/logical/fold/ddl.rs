//! Statements of the log carried out on definitions.

use super::alter::Item;
use super::head;
use super::rows::TableRows;
use super::state::{Database, Entry, State};
use super::statement::Statement;
use super::table_text::TableText;
use crate::model::Engine;
use crate::model::content::{Change, Object, ObjectKind};
use crate::worker::migrate::rename::{rename_after, rename_in_group};
use crate::worker::sql;

impl State {
    /// Takes a statement.
    pub(super) fn define(&mut self, change: &Change, object: &str, sql: &str) {
        let engine = self.engine;
        match Statement::read(engine, sql) {
            Statement::Beside => {}
            Statement::CreateDatabase { charset } => {
                let charset = charset.unwrap_or_default();
                let new = Database { charset, ..Database::default() };
                self.databases.entry(change.database.clone()).or_insert(new);
            }
            Statement::DropDatabase => drop(self.databases.remove(&change.database)),
            statement => {
                let after_backup = change.position > self.complete_to;
                let database = self.databases.entry(change.database.clone()).or_default();
                let mut desk = Desk { engine, database, sql, after_backup };
                if desk.carry_out(statement).is_none() {
                    desk.database.unsupported.get_or_insert_with(|| (object.to_owned(), sql.to_owned()));
                }
            }
        }
    }
}

/// One statement at work on one database.
struct Desk<'a> {
    engine: Engine,
    database: &'a mut Database,
    sql: &'a str,
    after_backup: bool,
}

impl Desk<'_> {
    /// Nothing when the statement cannot be carried at all.
    fn carry_out(&mut self, statement: Statement) -> Option<()> {
        match statement {
            Statement::CreateTable { name, tolerant } => return self.create_table(name, tolerant),
            Statement::CreateLike { name, like } => return self.create_like(&name, &like),
            Statement::CreateIndex { name, table } => return self.create_index(&name, &table, self.sql.to_owned()),
            Statement::Define { kind, name, table, tolerant } => self.put(kind, name, table, tolerant),
            Statement::AlterTable { name, items } => return self.alter(&name, items),
            Statement::Alter { kind, name } => self.mark(kind, &name),
            Statement::Rename(pairs) => return pairs.iter().try_for_each(|(from, to)| self.rename(from, to)),
            Statement::Truncate(names) => {
                for name in names {
                    let place = self.database.place(ObjectKind::Table, &name)?;
                    self.database.entries[place].rows.clear();
                }
            }
            Statement::Drop { kind: ObjectKind::Index, names, table } => {
                for name in names {
                    let Some(place) = self.database.index(&name, table.as_deref()) else {
                        return self.drop_index(&table?, &name);
                    };
                    let table = self.database.entries[place].object.table.clone()?;
                    self.drop_index(&table, &name)?;
                }
            }
            Statement::Drop { kind, names, .. } => names.iter().for_each(|name| self.drop_object(kind, name)),
            Statement::CreateDatabase { .. } | Statement::DropDatabase | Statement::Beside => {}
            Statement::Unknown => return None,
        }
        Some(())
    }

    fn fresh(&self, object: Object) -> Entry {
        Entry { fresh: true, after_backup: self.after_backup, ..Entry::new(object) }
    }

    fn create_table(&mut self, name: String, tolerant: bool) -> Option<()> {
        if tolerant && self.database.place(ObjectKind::Table, &name).is_some() {
            return Some(());
        }
        let mut text = TableText::read(self.engine, &head::plain(self.engine, self.sql))?;
        let named = text.drop_foreign_keys();
        let nameless_foreign_key = named.is_empty() && self.sql.to_lowercase().contains("references");
        self.database.foreign_keys.extend(named);
        let mut object = blank(ObjectKind::Table, name, text.text());
        (object.columns, object.key) = (text.columns(), text.key());
        let rows = TableRows::empty(object.key.clone());
        let entry = Entry { rows, nameless_foreign_key, ..self.fresh(object) };
        self.database.entries.push(entry);
        Some(())
    }

    fn create_like(&mut self, name: &str, like: &str) -> Option<()> {
        let place = self.database.place(ObjectKind::Table, like)?;
        let model = &self.database.entries[place];
        let like = model.object.name.clone();
        let mut object = Object { name: name.to_owned(), rows: 0, ..model.object.clone() };
        object.definition = renamed(self.engine, &object.definition, "TABLE", &like, name)?;
        let unsupported = model.unsupported.clone();
        let entry = Entry { rows: TableRows::empty(object.key.clone()), unsupported, ..self.fresh(object) };
        let of_table =
            |entry: &&Entry| entry.object.kind == ObjectKind::Index && entry.object.table.as_ref() == Some(&like);
        let indexes: Vec<Object> =
            self.database.entries.iter().filter(of_table).map(|entry| entry.object.clone()).collect();
        self.database.entries.push(entry);
        for index in indexes {
            let definition = renamed(self.engine, &index.definition, "ON", &like, name)?;
            let entry = self.fresh(Object { table: Some(name.to_owned()), definition, ..index });
            self.database.entries.push(entry);
        }
        Some(())
    }

    fn create_index(&mut self, name: &str, table: &str, definition: String) -> Option<()> {
        let place = self.database.place(ObjectKind::Table, table)?;
        let table = self.database.entries[place].object.name.clone();
        if self.database.index(name, Some(&table)).is_some() {
            return Some(());
        }
        let definition = head::plain(self.engine, &definition);
        let object = Object { table: Some(table), ..blank(ObjectKind::Index, name.to_owned(), definition) };
        let entry = self.fresh(object);
        self.database.entries.push(entry);
        Some(())
    }

    /// Makes or replaces a view, routine, trigger, event or whatever has a definition of its own.
    fn put(&mut self, kind: ObjectKind, name: String, table: Option<String>, tolerant: bool) {
        let there = self.database.place(kind, &name);
        if tolerant && there.is_some() {
            return;
        }
        if let Some(place) = there {
            self.database.entries.remove(place);
        }
        let definition = head::plain(self.engine, self.sql);
        let security = head::security(self.engine, kind, &definition);
        let entry = self.fresh(Object { table, security, ..blank(kind, name, definition) });
        self.database.entries.push(entry);
    }

    /// Marks an object whose change is not followed.
    fn mark(&mut self, kind: ObjectKind, name: &str) {
        if let Some(place) = self.database.place(kind, name) {
            self.database.entries[place].unsupported = Some(self.sql.to_owned());
        }
    }

    fn drop_object(&mut self, kind: ObjectKind, name: &str) {
        let Some(place) = self.database.place(kind, name) else {
            return;
        };
        let name = self.database.entries.remove(place).object.name;
        if kind == ObjectKind::Table {
            self.database.entries.retain(|entry| entry.object.table.as_ref() != Some(&name));
        }
    }

    fn rename(&mut self, from: &str, to: &str) -> Option<()> {
        let place = self.database.place(ObjectKind::Table, from)?;
        let from = self.database.entries[place].object.name.clone();
        for entry in &mut self.database.entries {
            let object = &mut entry.object;
            let is_it = object.kind == ObjectKind::Table && object.name == from;
            let keyword = if is_it { "TABLE" } else { "ON" };
            if !is_it && object.table.as_ref() != Some(&from) {
                continue;
            }
            object.definition = renamed(self.engine, &object.definition, keyword, &from, to)?;
            if is_it {
                to.clone_into(&mut object.name);
            } else {
                object.table = Some(to.to_owned());
            }
        }
        Some(())
    }

    /// Alters a table; what cannot be carried is marked on it.
    fn alter(&mut self, name: &str, items: Vec<Item>) -> Option<()> {
        let mut place = self.database.place(ObjectKind::Table, name)?;
        for item in items {
            if let Item::RenameTable(to) = &item {
                let name = self.database.entries[place].object.name.clone();
                self.rename(&name, to)?;
                place = self.database.place(ObjectKind::Table, to)?;
            } else if self.alter_one(place, item).is_none() {
                self.database.entries[place].unsupported = Some(self.sql.to_owned());
            }
        }
        Some(())
    }

    fn alter_one(&mut self, place: usize, item: Item) -> Option<()> {
        let table = self.database.entries[place].object.name.clone();
        match item {
            Item::AddColumn { text, place: at } => {
                self.alter_text(place, true, |table| table.add_column(&text, at.as_ref()))
            }
            Item::DropColumn(column) => {
                if self.indexes_use(&table, &column) {
                    return None;
                }
                self.alter_text(place, true, |table| table.drop_column(&column))?;
                self.database.entries[place].rows.drop_column(&column);
                Some(())
            }
            Item::RenameColumn { from, to } => self.rename_column(place, &table, &from, &to),
            Item::AddConstraint(text) => self.alter_text(place, false, |table| {
                table.add_constraint(&text);
                Some(())
            }),
            Item::AddIndex { name, unique, columns } => {
                let quote = |name: &str| sql::quote(self.engine, name);
                let unique = if unique { "unique " } else { "" };
                let text = format!("create {unique}index {} on {} {columns}", quote(&name), quote(&table));
                self.create_index(&name, &table, text)
            }
            Item::AddForeignKey(name) => {
                match name {
                    Some(name) => drop(self.database.foreign_keys.insert(name)),
                    None => self.database.entries[place].nameless_foreign_key = true,
                }
                Some(())
            }
            Item::DropIndex(name) => self.drop_index(&table, &name),
            Item::DropConstraint(name) => {
                let known = self.database.foreign_keys.iter().any(|own| own.eq_ignore_ascii_case(&name));
                if known || self.drop_index(&table, &name).is_some() {
                    return Some(());
                }
                self.database.entries[place].nameless_foreign_key.then_some(())
            }
            Item::Nothing => Some(()),
            Item::RenameTable(_) | Item::Unknown => None,
        }
    }

    /// Alters the text of a table. Rows without a key are known by all their columns, so these must stay.
    fn alter_text(
        &mut self,
        place: usize,
        columns_change: bool,
        change: impl FnOnce(&mut TableText) -> Option<()>,
    ) -> Option<()> {
        let entry = &mut self.database.entries[place];
        if columns_change && entry.rows.key().is_empty() && !entry.rows.is_empty() {
            return None;
        }
        let mut text = TableText::read(self.engine, &entry.object.definition)?;
        change(&mut text)?;
        (entry.object.definition, entry.object.columns, entry.object.key) = (text.text(), text.columns(), text.key());
        Some(())
    }

    fn rename_column(&mut self, place: usize, table: &str, from: &str, to: &str) -> Option<()> {
        let engine = self.engine;
        let names_it = |object: &Object| {
            let programmable = object.kind != ObjectKind::Table && object.kind != ObjectKind::Index;
            let about = object.table.as_deref() == Some(table)
                || sql::tokens(engine, &object.definition).iter().any(|token| token.spells(table));
            programmable && about && sql::tokens(engine, &object.definition).iter().any(|token| token.spells(from))
        };
        // How a server rewrites, or breaks, what names the column is not followed.
        if self.database.entries.iter().any(|entry| names_it(&entry.object)) {
            return None;
        }
        self.alter_text(place, true, |table| table.rename_column(from, to))?;
        self.database.entries[place].rows.rename_column(from, to);
        for entry in &mut self.database.entries {
            if entry.object.kind == ObjectKind::Index && entry.object.table.as_deref() == Some(table) {
                entry.object.definition = rename_in_group(engine, &entry.object.definition, "ON", from, to);
            }
        }
        Some(())
    }

    fn indexes_use(&self, table: &str, column: &str) -> bool {
        self.database.entries.iter().any(|entry| {
            entry.object.kind == ObjectKind::Index
                && entry.object.table.as_deref() == Some(table)
                && sql::tokens(self.engine, &entry.object.definition).iter().any(|token| token.spells(column))
        })
    }

    /// Drops an index, unless it is what rows of the table are known by.
    fn drop_index(&mut self, table: &str, name: &str) -> Option<()> {
        let place = self.database.place(ObjectKind::Table, table)?;
        let Some(index) = self.database.index(name, Some(table)) else {
            return self.alter_text(place, false, |text| text.drop_named(name));
        };
        let definition = &self.database.entries[index].object.definition;
        let unique = sql::tokens(self.engine, definition).iter().any(|token| token.is_word("UNIQUE"));
        let rows = &self.database.entries[place].rows;
        let of_definition = TableText::read(self.engine, &self.database.entries[place].object.definition)?.key();
        if unique && !rows.key().is_empty() && of_definition != rows.key() {
            return None;
        }
        self.database.entries.remove(index);
        Some(())
    }
}

fn blank(kind: ObjectKind, name: String, definition: String) -> Object {
    Object {
        kind,
        name,
        table: None,
        definition,
        columns: Vec::new(),
        key: Vec::new(),
        needs: Vec::new(),
        definer: None,
        security: None,
        revision: 0,
        rows: 0,
    }
}

fn renamed(engine: Engine, definition: &str, keyword: &str, from: &str, to: &str) -> Option<String> {
    let mut tokens = sql::tokens(engine, definition);
    rename_after(engine, &mut tokens, keyword, from, to)?;
    Some(sql::text(&tokens))
}
