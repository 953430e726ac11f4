//! One database of a server: an SQLite database whose row changes are captured and whose accesses are recorded.

use super::catalogue::{Catalogue, ForeignKey, OnChange, Shape};
use super::functions::{self, SharedAmbient, lock};
use super::sequences::{self, SharedSequences};
use super::tokens::quoted;
use super::values::{failed, from_sql};
use recovery::model::content::{Column, Row};
use recovery::ports::database::DatabaseError;
use rusqlite::config::DbConfig;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::{Connection, OptionalExtension, params};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// A database.
pub(super) struct Db {
    /// The SQLite database.
    pub connection: Connection,
    /// Character set.
    pub charset: String,
    /// What is known beside SQLite; shared with snapshots until it changes.
    pub catalogue: Arc<Catalogue>,
    /// Values of its sequences.
    pub sequences: SharedSequences,
    wires: Arc<Mutex<Wires>>,
    /// Whether the tables are wired; those out of a backup are not before the first change, as most copies are only read.
    wired: Cell<bool>,
}

/// A change of a row, as the triggers saw it.
pub(super) struct Captured {
    /// Table.
    pub table: String,
    /// The row before.
    pub old: Option<Row>,
    /// The row after.
    pub new: Option<Row>,
}

/// An access a statement wants, as SQLite sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Touch {
    /// The view or trigger that wants it; none for the statement itself.
    pub through: Option<String>,
    /// Table or view.
    pub object: String,
    /// Whether it is written.
    pub writes: bool,
}

/// What passes between SQLite's callbacks and the server.
#[derive(Default)]
struct Wires {
    captured: Vec<Captured>,
    /// Whether an application's statement runs: only then do foreign keys act on rows.
    application: bool,
    recording: bool,
    touches: Vec<Touch>,
    forbidden: Option<&'static str>,
}

/// Prepared statements a database keeps: those of its own and one or two for each table.
const PREPARED_MAX: usize = 128;

const CAPTURE: &str = "__capture";
const APPLICATION: &str = "__application";

impl Db {
    /// An empty database.
    pub fn open(charset: &str, ambient: &SharedAmbient) -> Result<Self, DatabaseError> {
        let mut connection = Connection::open_in_memory().map_err(failed)?;
        let wires = Arc::new(Mutex::new(Wires::default()));
        prepare(&mut connection, ambient, &wires).map_err(failed)?;
        let sequences = SharedSequences::default();
        sequences::install(&connection, &sequences).map_err(failed)?;
        let (charset, wired) = (charset.to_owned(), Cell::new(true));
        Ok(Self { connection, charset, catalogue: Arc::default(), sequences, wires, wired })
    }

    /// A database out of a backup.
    pub fn restore(
        charset: &str,
        catalogue: Catalogue,
        bytes: &[u8],
        ambient: &SharedAmbient,
    ) -> Result<Self, DatabaseError> {
        let mut db = Self::open(charset, ambient)?;
        if !bytes.is_empty() {
            db.connection.deserialize_read_exact("main", bytes, bytes.len(), false).map_err(failed)?;
        }
        db.catalogue = Arc::new(catalogue);
        lock(&db.sequences).refresh(&db.catalogue);
        db.connection.query_row("select count(*) from sqlite_schema", [], |_| Ok(())).map_err(failed)?;
        db.wired.set(false);
        Ok(db)
    }

    /// Has changes captured, where they are not yet.
    pub fn wire_all(&self) -> Result<(), DatabaseError> {
        if self.wired.replace(true) {
            return Ok(());
        }
        self.catalogue.tables.keys().try_for_each(|table| self.wire(table))?;
        self.wire_foreign_keys()
    }

    /// The SQLite database as bytes.
    pub fn bytes(&mut self) -> Result<Vec<u8>, DatabaseError> {
        Ok(self.connection.serialize("main").map_err(failed)?.to_vec())
    }

    /// Whether an application's statements run (user triggers and foreign keys act), or a bulk load or replay.
    pub fn set_application(&self, application: bool) -> Result<(), DatabaseError> {
        lock(&self.wires).application = application;
        let set = self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, application);
        set.map(|_| ()).map_err(failed)
    }

    /// The row changes captured since the last call.
    pub fn take_captured(&self) -> Vec<Captured> {
        std::mem::take(&mut lock(&self.wires).captured)
    }

    /// Has SQLite prepare a statement, and gives what it wants to access.
    pub fn prepare(&self, sql: &str) -> Result<(rusqlite::Statement<'_>, Vec<Touch>), DatabaseError> {
        {
            let mut wires = lock(&self.wires);
            wires.recording = true;
            wires.touches.clear();
            wires.forbidden = None;
        }
        let prepared = self.connection.prepare(sql);
        let mut wires = lock(&self.wires);
        wires.recording = false;
        if let Some(what) = wires.forbidden.take() {
            return Err(DatabaseError::Statement(format!("{what} is not served")));
        }
        let touches = std::mem::take(&mut wires.touches);
        Ok((prepared.map_err(failed)?, touches))
    }

    /// What SQLite knows of an object: its name, table and statement.
    pub fn find(&self, kind: &str, name: &str) -> Result<Option<(String, String, String)>, DatabaseError> {
        let sql =
            "select name, tbl_name, coalesce(sql, '') from sqlite_schema where type = ?1 and name = ?2 collate nocase";
        let mut statement = self.connection.prepare_cached(sql).map_err(failed)?;
        let found = statement.query_row(params![kind, name], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
        found.optional().map_err(failed)
    }

    /// Stops capturing a table's changes while its definition changes.
    pub fn unwire(&self, table: &str) -> Result<(), DatabaseError> {
        let mut sql = String::new();
        for event in ["insert", "update", "delete"] {
            sql.push_str(&format!("drop trigger if exists temp.{};", quoted(&format!("__{event} {table}"))));
        }
        self.connection.execute_batch(&sql).map_err(failed)?;
        self.unwire_foreign_keys()
    }

    /// Looks at a table again after a definition changed, and captures its changes if it is there.
    pub fn refresh(&mut self, table: &str) -> Result<(), DatabaseError> {
        let found = self.find("table", table)?;
        let shape = match &found {
            Some((name, ..)) => Some((name.clone(), self.shape(name)?)),
            None => None,
        };
        let catalogue = Arc::make_mut(&mut self.catalogue);
        catalogue.tables.retain(|known, _| !known.eq_ignore_ascii_case(table));
        if let Some((name, shape)) = shape {
            catalogue.tables.insert(name.clone(), shape);
            self.unwire(&name)?;
            self.wire(&name)?;
        }
        self.wire_foreign_keys()
    }

    fn shape(&self, table: &str) -> Result<Shape, DatabaseError> {
        let mut columns = Vec::new();
        let mut primary = BTreeMap::new();
        let mut statement = self
            .connection
            .prepare_cached("select name, type, \"notnull\", pk from pragma_table_info(?1)")
            .map_err(failed)?;
        let mut rows = statement.query(params![table]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            let read = || -> rusqlite::Result<(String, String, bool, i64)> {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            };
            let (name, declared, not_null, place) = read().map_err(failed)?;
            if place > 0 {
                primary.insert(place, name.clone());
            }
            columns.push(Column { name, declared, nullable: !not_null && place == 0 });
        }
        let mut key: Vec<String> = primary.into_values().collect();
        if key.is_empty() {
            key = self.unique_key(table, &columns)?;
        }
        Ok(Shape { columns, key })
    }

    /// The columns of the first unique index that has no NULLs and holds for all rows.
    fn unique_key(&self, table: &str, columns: &[Column]) -> Result<Vec<String>, DatabaseError> {
        let sql = "select l.name, i.name from pragma_index_list(?1) l, pragma_index_info(l.name) i
            where l.\"unique\" and not l.partial order by l.seq desc, i.seqno";
        let mut statement = self.connection.prepare_cached(sql).map_err(failed)?;
        let rows = statement.query_map(params![table], |row| Ok((row.get(0)?, row.get(1)?))).map_err(failed)?;
        let mut indexes: Vec<(String, Vec<Option<String>>)> = Vec::new();
        for row in rows {
            let (index, column): (String, Option<String>) = row.map_err(failed)?;
            match indexes.last_mut() {
                Some((last, columns)) if *last == index => columns.push(column),
                _ => indexes.push((index, vec![column])),
            }
        }
        let is_firm = |name: &String| columns.iter().any(|column| column.name == *name && !column.nullable);
        let firm = indexes.into_iter().map(|(_, columns)| columns.into_iter().collect::<Option<Vec<String>>>());
        Ok(firm.flatten().find(|columns| columns.iter().all(is_firm)).unwrap_or_default())
    }

    fn wire(&self, table: &str) -> Result<(), DatabaseError> {
        let Some((_, shape)) = self.catalogue.table(table) else { return Ok(()) };
        let image = |side: &str| {
            let columns = shape.columns.iter().map(|column| format!(", {side}.{}", quoted(&column.name)));
            columns.collect::<String>()
        };
        let text = table.replace('\'', "''");
        let mut sql = String::new();
        for (event, sides, rows) in [
            ("insert", 2, image("new")),
            ("delete", 1, image("old")),
            ("update", 3, format!("{}{}", image("old"), image("new"))),
        ] {
            let name = quoted(&format!("__{event} {table}"));
            let on = quoted(table);
            sql.push_str(&format!(
                "create temp trigger {name} after {event} on main.{on} begin select {CAPTURE}('{text}', {sides}{rows}); end;"
            ));
        }
        self.connection.execute_batch(&sql).map_err(failed)
    }

    fn unwire_foreign_keys(&self) -> Result<(), DatabaseError> {
        if !self.catalogue.foreign_keys.values().any(acts) {
            return Ok(());
        }
        let sql = "select name from sqlite_temp_schema where type = 'trigger' and name like '\\_\\_fk %' escape '\\'";
        let mut statement = self.connection.prepare_cached(sql).map_err(failed)?;
        let names = statement.query_map([], |row| row.get::<_, String>(0)).map_err(failed)?;
        let names: Vec<String> = names.collect::<Result<_, _>>().map_err(failed)?;
        let drops = names.iter().map(|name| format!("drop trigger temp.{};", quoted(name))).collect::<String>();
        self.connection.execute_batch(&drops).map_err(failed)
    }

    /// Takes away what a dropped foreign key did.
    pub fn drop_follow(&self, key: &str) -> Result<(), DatabaseError> {
        let drops = ["delete", "update"]
            .map(|event| format!("drop trigger if exists temp.{};", quoted(&format!("__fk {event} {key}"))));
        self.connection.execute_batch(&drops.concat()).map_err(failed)
    }

    /// Has the rows of acting foreign keys follow the rows they point to, in an application's statements only.
    pub fn wire_foreign_keys(&self) -> Result<(), DatabaseError> {
        self.unwire_foreign_keys()?;
        for key in self.catalogue.foreign_keys.values().filter(|key| key.enabled && acts(key)) {
            if self.catalogue.table(&key.table).is_none() || self.catalogue.table(&key.parent).is_none() {
                continue;
            }
            self.connection.execute_batch(&follow(key)).map_err(failed)?;
        }
        Ok(())
    }
}

fn acts(key: &ForeignKey) -> bool {
    key.on_delete != OnChange::Refuse || key.on_update != OnChange::Refuse
}

/// Triggers that do what a foreign key says of its rows.
fn follow(key: &ForeignKey) -> String {
    let pairs = || key.columns.iter().zip(&key.parent_columns);
    let joined = |parts: Vec<String>, by: &str| parts.join(by);
    let points = joined(pairs().map(|(c, p)| format!("{} = old.{}", quoted(c), quoted(p))).collect(), " and ");
    let moved = joined(pairs().map(|(c, p)| format!("{} = new.{}", quoted(c), quoted(p))).collect(), ", ");
    let nulls = joined(key.columns.iter().map(|c| format!("{} = null", quoted(c))).collect(), ", ");
    let (child, parent) = (quoted(&key.table), quoted(&key.parent));
    let mut sql = String::new();
    for (event, action) in [("delete", key.on_delete), ("update", key.on_update)] {
        let act = match (event, action) {
            (_, OnChange::Refuse) => continue,
            ("delete", OnChange::Cascade) => format!("delete from {child} where {points}"),
            (_, OnChange::Cascade) => format!("update {child} set {moved} where {points}"),
            (_, OnChange::SetNull) => format!("update {child} set {nulls} where {points}"),
        };
        let differs = pairs().map(|(_, p)| format!("old.{0} is not new.{0}", quoted(p))).collect();
        let when = if event == "update" { format!(" and ({})", joined(differs, " or ")) } else { String::new() };
        let name = quoted(&format!("__fk {event} {}", key.name));
        sql.push_str(&format!(
            "create temp trigger {name} after {event} on main.{parent} when {APPLICATION}(){when} begin {act}; end;"
        ));
    }
    sql
}

fn prepare(connection: &mut Connection, ambient: &SharedAmbient, wires: &Arc<Mutex<Wires>>) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_LEGACY_ALTER_TABLE, true)?;
    connection.execute_batch("pragma temp_store = memory")?;
    connection.set_prepared_statement_cache_capacity(PREPARED_MAX);
    functions::install(connection, ambient)?;
    let flags = FunctionFlags::SQLITE_UTF8;
    let capture = Arc::clone(wires);
    connection.create_scalar_function(CAPTURE, -1, flags, move |context| {
        let captured = captured(context)?;
        lock(&capture).captured.push(captured);
        Ok(0)
    })?;
    let application = Arc::clone(wires);
    connection.create_scalar_function(APPLICATION, 0, flags, move |_| Ok(lock(&application).application))?;
    let record = Arc::clone(wires);
    connection.authorizer(Some(move |context: AuthContext<'_>| authorize(&mut lock(&record), &context)))
}

/// Reads the arguments of the capturing function: table, sides (1 old, 2 new, 3 both), values.
fn captured(context: &Context<'_>) -> rusqlite::Result<Captured> {
    let table = context.get(0)?;
    let sides: i64 = context.get(1)?;
    let mut values: Row = (2..context.len()).map(|index| from_sql(context.get_raw(index))).collect();
    let (old, new) = match sides {
        1 => (Some(values), None),
        2 => (None, Some(values)),
        _ => {
            let new = values.split_off(values.len() / 2);
            (Some(values), Some(new))
        }
    };
    Ok(Captured { table, old, new })
}

/// Writes down what a statement wants to access; refuses what no statement may.
fn authorize(wires: &mut Wires, context: &AuthContext<'_>) -> Authorization {
    if !wires.recording {
        return Authorization::Allow;
    }
    let (object, writes) = match context.action {
        AuthAction::Read { table_name, .. } => (table_name, false),
        AuthAction::Insert { table_name } | AuthAction::Delete { table_name } => (table_name, true),
        AuthAction::Update { table_name, .. } => (table_name, true),
        AuthAction::Function { function_name } if function_name.starts_with("__") && context.accessor.is_none() => {
            wires.forbidden = Some("a function of the server's own");
            return Authorization::Deny;
        }
        AuthAction::Pragma { .. } | AuthAction::Attach { .. } | AuthAction::Detach { .. } => {
            wires.forbidden = Some("a setting of the storage");
            return Authorization::Deny;
        }
        _ => return Authorization::Allow,
    };
    let through = context.accessor.filter(|name| !name.starts_with("__")).map(str::to_owned);
    let is_own = context.accessor.is_some_and(|name| name.starts_with("__"));
    let touch = Touch { through, object: object.to_owned(), writes };
    if !is_own && !object.starts_with("sqlite_") && !wires.touches.contains(&touch) {
        wires.touches.push(touch);
    }
    Authorization::Allow
}
