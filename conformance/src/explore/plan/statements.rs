//! Statements: rows come, change and go, definitions change, mistakes happen.

use super::Plan;
use super::known::{Instance, Role, Table};
use crate::explore::kinds::StepKind;
use crate::explore::options::JOURNAL;
use crate::explore::shapes::{Extra, Shape};
use recovery::model::product::Engine;
use scenarios::{Action, SqlStep};

/// Columns a table may get beside its own.
const ADDED_MAX: u32 = 2;

impl Plan<'_> {
    /// A statement on some instance; none where there is nothing to run it on.
    pub(super) fn statement(&mut self) -> Option<()> {
        if !self.on(StepKind::Sql) {
            return None;
        }
        let writable = |instance: &Instance| instance.role != Role::ReadOnly;
        let on = self.some_instance(writable)?;
        self.statement_on(&on)
    }

    /// A statement on an instance.
    pub(super) fn statement_on(&mut self, on: &str) -> Option<()> {
        let run = if self.known.instance(on)?.is_redis() { self.commands() } else { self.sql(on)? };
        self.run(on, run);
        Some(())
    }

    /// Runs statements in the database that is meant where none is said.
    pub(super) fn run(&mut self, on: &str, run: String) {
        let database = self.known.instance(on).map_or("app", Instance::database).to_owned();
        self.run_in(on, &database, run);
    }

    fn run_in(&mut self, on: &str, database: &str, run: String) {
        let login = self.known.login(on);
        self.push(Action::Sql(SqlStep { on: on.into(), run, login, database: database.into(), error: None }));
    }

    /// A statement that loses something, as one would by mistake.
    pub(super) fn mistake(&mut self, on: &str) -> Option<()> {
        let instance = self.known.instance(on)?;
        if instance.is_redis() {
            let run = self.draw.one("flushdb", ["del plain:1 plain:5", "set plain:1 spoilt"]).to_owned();
            self.run(on, run);
            return Some(());
        }
        let tables: Vec<(String, Table)> = tables_of(instance, "app");
        let (name, table) = self.draw.pick(&tables)?.clone();
        let column = table.shape.column();
        let run = match self.draw.count(0..=3) {
            0 if name != JOURNAL => {
                self.forget(on, "app", &name);
                format!("drop table {name}")
            }
            1 => format!("delete from {name}"),
            2 if table.shape != Shape::Lines => format!("update {name} set {column} = 'spoilt'"),
            _ => format!("delete from {name} where {} > 1", table.shape.key()),
        };
        self.run(on, run);
        Some(())
    }

    fn sql(&mut self, on: &str) -> Option<String> {
        let instance = self.known.instance(on)?.clone();
        if self.draw.chance(3) {
            return Some(self.draw.one("insert into nowhere values (1)", ["selec 1", "drop table nowhere"]).to_owned());
        }
        let tables = tables_of(&instance, "app");
        if tables.is_empty() || self.draw.chance(6) {
            return self.new_table(on, &instance);
        }
        if self.draw.chance(8) {
            return Some(self.extra(on, &instance));
        }
        let (name, table) = self.draw.pick(&tables)?.clone();
        if self.draw.chance(7) && name != JOURNAL {
            return Some(self.definition(on, &name, &table));
        }
        Some(self.rows(on, &name, &table))
    }

    /// Rows of a table change.
    fn rows(&mut self, on: &str, name: &str, table: &Table) -> String {
        let (key, column, shape) = (table.shape.key(), table.shape.column(), table.shape);
        let known = self.draw.whole(1..=table.next.max(1));
        match self.draw.count(0..=9) {
            0 | 1 if shape != Shape::Lines => {
                let word = self.draw.one("lamp", ["desk", "chair", "naïve 数据", ""]);
                format!("update {name} set {column} = '{word}' where {key} = {known}")
            }
            2 => format!("delete from {name} where {key} = {known}"),
            3 if shape != Shape::Lines => format!("update {name} set {column} = {column} || '!' where {key} < {known}"),
            4 => format!("delete from {name} where {key} > {known}"),
            5 => {
                let rows = self.draw.whole(5..=40);
                let first = self.take_ids(on, name, rows);
                format!(
                    "insert into {name} ({key}, {column}) with recursive n(i) as (select {first} union all select i + 1 \
                     from n where i < {}) select i, {} from n",
                    first + rows - 1,
                    shape.value("i")
                )
            }
            _ => {
                let first = self.take_ids(on, name, 2);
                let row = |id: u64| format!("({id}, {})", shape.value(&id.to_string()));
                let more = if self.draw.chance(40) { format!(", {}", row(first + 1)) } else { String::new() };
                format!("insert into {name} ({key}, {column}) values {}{more}", row(first))
            }
        }
    }

    /// Numbers for new rows.
    fn take_ids(&mut self, on: &str, name: &str, rows: u64) -> u64 {
        let place = ("app".to_owned(), name.to_owned());
        let table = self.known.instance_mut(on).and_then(|instance| instance.tables.get_mut(&place));
        table.map_or(1, |table| {
            let first = table.next;
            table.next += rows;
            first
        })
    }

    /// The definition of a table changes.
    fn definition(&mut self, on: &str, name: &str, table: &Table) -> String {
        let place = ("app".to_owned(), name.to_owned());
        match self.draw.count(0..=4) {
            0 => {
                self.forget(on, "app", name);
                format!("drop table {name}")
            }
            1 => format!("truncate table {name}"),
            2 if table.shape != Shape::Lines => {
                let to = self.known.name("renamed").replace('-', "_");
                if let Some(instance) = self.known.instance_mut(on)
                    && let Some(table) = instance.tables.remove(&place)
                {
                    instance.tables.insert(("app".into(), to.clone()), table);
                }
                format!("alter table {name} rename to {to}")
            }
            _ if table.added < ADDED_MAX => {
                let added = table.added + 1;
                let known = self.known.instance_mut(on).and_then(|instance| instance.tables.get_mut(&place));
                if let Some(table) = known {
                    table.added = added;
                }
                format!("alter table {name} add column extra_{added} int")
            }
            _ => format!("create index by_{name}_{} on {name} ({})", table.added, table.shape.key()),
        }
    }

    fn new_table(&mut self, on: &str, instance: &Instance) -> Option<String> {
        let has = |shape: Shape| instance.tables.contains_key(&("app".to_owned(), shape.name().to_owned()));
        let missing: Vec<Shape> = [Shape::Orders, Shape::Customers, Shape::Words, Shape::Keyless, Shape::Journal]
            .into_iter()
            .filter(|shape| !has(*shape))
            .collect();
        let shape = self.draw.pick(&missing).copied()?;
        let rows = self.draw.one(0, [3, 25]);
        let place = ("app".to_owned(), shape.name().to_owned());
        let table = Table { shape, next: rows + 1, added: 0 };
        self.known.instance_mut(on)?.tables.insert(place, table);
        let (create, fill) = (shape.create(shape.name()), shape.fill(shape.name(), rows));
        Some(if fill.is_empty() { create } else { format!("{create}; {fill}") })
    }

    /// An object that is no table is made or dropped.
    fn extra(&mut self, on: &str, instance: &Instance) -> String {
        let mysql = instance.product.engine == Engine::MySql;
        let has = |name: &str| instance.tables.contains_key(&("app".to_owned(), name.to_owned()));
        let mut menu = vec![Extra::Procedure, Extra::Function];
        if has("orders") {
            menu.extend([Extra::View, Extra::Index]);
        }
        if has("orders") && has("keyless") {
            menu.push(Extra::Trigger);
        }
        if mysql {
            menu.push(Extra::Event);
        }
        let extra = self.draw.pick(&menu).copied().unwrap_or(Extra::Procedure);
        let known = self.known.instance_mut(on).map(|instance| &mut instance.extras);
        match known {
            Some(extras) if extras.contains(&extra) => {
                extras.remove(&extra);
                extra.drop()
            }
            Some(extras) => {
                extras.insert(extra);
                extra.create(mysql).to_owned()
            }
            None => extra.create(mysql).to_owned(),
        }
    }

    /// A table is not there any more.
    fn forget(&mut self, on: &str, database: &str, name: &str) {
        if let Some(instance) = self.known.instance_mut(on) {
            instance.tables.remove(&(database.to_owned(), name.to_owned()));
        }
    }

    fn commands(&mut self) -> String {
        let row = self.draw.whole(1..=30);
        match self.draw.count(0..=9) {
            0 => format!("set plain:{row} {row}{row}"),
            1 => format!("del plain:{row} hash:{row}"),
            2 => format!("hset hash:{row} field changed more {row}"),
            3 => format!("rpush list:{row} c d"),
            4 => format!("sadd members:{row} b c"),
            5 => format!("zadd ranks:{row} {row} second"),
            6 => format!("set session:{row} y ex {}", self.draw.one(10, [600, 90_000])),
            7 => format!("incr counter\nincrby counter {row}"),
            8 => format!("expire plain:{row} {}", self.draw.one(30, [7_200, 700_000])),
            _ => format!("set a {row}\nset b {row}\nappend a x"),
        }
    }
}

/// Tables of a database.
pub(super) fn tables_of(instance: &Instance, database: &str) -> Vec<(String, Table)> {
    let here = instance.tables.iter().filter(|((of, _), _)| of == database);
    here.map(|((_, name), table)| (name.clone(), table.clone())).collect()
}
