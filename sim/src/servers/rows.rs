//! Reads and writes rows in bulk: chunks of a copy, changes of a follower, and images of a replayed log.

use super::catalogue::Shape;
use super::server::{Actor, Server};
use super::tokens::{quoted, quoted_list};
use super::values::{failed, from_sql, to_sql};
use jiff::Timestamp;
use recovery::model::Engine;
use recovery::model::content::{Column, Row, Value};
use recovery::ports::database::{Apply, Chunk, DatabaseError, OnConflict, ReadChunk, WriteChunk};
use rusqlite::{Connection, params_from_iter};
use std::collections::BTreeMap;

/// A row by column.
pub(super) type ByColumn = BTreeMap<String, Value>;

/// Bytes of a value, written out.
fn bytes(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len(),
        Value::Bytes { hex } => hex.len() / 2,
        Value::Null | Value::Integer(_) | Value::Real(_) => 8,
    }
}

/// Whether a character set of MySQL has a letter.
fn holds(charset: &str, letter: char) -> bool {
    charset != "latin1" || letter <= '\u{ff}'
}

impl Server {
    /// Reads rows of a table in the order of its key, or of their making without one.
    pub fn read(&self, account: &str, read: &ReadChunk, now: Timestamp) -> Result<Chunk, DatabaseError> {
        self.set_time(self.log.time(now));
        let db = self.db(&read.database)?;
        let Some((table, shape)) = db.catalogue.table(&read.table) else {
            return Err(DatabaseError::NoSuchObject(read.table.clone()));
        };
        self.permit(&Actor::session(account), &read.database, table, false)?;
        let order = if shape.key.is_empty() { vec!["rowid".to_owned()] } else { shape.key.clone() };
        let after: Vec<Value> = match &read.after {
            Some(mark) => serde_json::from_str(mark).map_err(|_| {
                DatabaseError::Statement("the mark to read on after is not one of this server's".into())
            })?,
            None => Vec::new(),
        };
        if !after.is_empty() && after.len() != order.len() {
            return Err(DatabaseError::Statement("the mark to read on after is of another key".into()));
        }
        let wanted: Vec<String> = read.columns.iter().chain(&order).cloned().collect();
        let condition = match after.len() {
            0 => String::new(),
            count => format!("where ({}) > ({})", quoted_list(&order), vec!["?"; count].join(", ")),
        };
        let limit = read.limit.max(1);
        let sql = format!(
            "select {} from {} {condition} order by {} limit {}",
            quoted_list(&wanted),
            quoted(table),
            quoted_list(&order),
            limit.saturating_add(1),
        );
        let values: Vec<_> = after.iter().map(to_sql).collect::<Result<_, _>>()?;
        let mut statement = db.connection.prepare_cached(&sql).map_err(failed)?;
        let found = statement.query_map(params_from_iter(values), |row| {
            (0..wanted.len()).map(|index| row.get_ref(index).map(from_sql)).collect::<Result<Row, _>>()
        });
        let mut rows: Vec<Row> = found.and_then(Iterator::collect).map_err(failed)?;
        let done = rows.len() <= limit;
        rows.truncate(limit);
        let mut last = None;
        for row in &mut rows {
            last = Some(row.split_off(read.columns.len()));
        }
        let last = last.and_then(|key| serde_json::to_string(&key).ok());
        let revision = db.catalogue.revision(recovery::model::content::ObjectKind::Table, table);
        Ok(Chunk { rows, last, done, revision })
    }

    /// Writes rows in one transaction, each as the write says where its key is there; gives how many were written.
    pub fn write(&mut self, account: &str, write: &WriteChunk, now: Timestamp) -> Result<u64, DatabaseError> {
        let actor = Actor::session(account);
        self.transact(now, false, |server, transaction| {
            let db = server.db(&write.database)?;
            let table = match db.catalogue.table(&write.table) {
                Some((table, _)) => table.to_owned(),
                None => return Err(DatabaseError::NoSuchObject(write.table.clone())),
            };
            server.permit(&actor, &write.database, &table, true)?;
            server.takes(write)?;
            server.enter(transaction, &write.database)?;
            let connection = &server.db(&write.database)?.connection;
            let mut inserted = 0;
            for row in &write.rows {
                if row.len() != write.columns.len() {
                    let why = format!("a row of {} values for {} columns", row.len(), write.columns.len());
                    return Err(DatabaseError::Statement(why));
                }
                inserted += insert_as_said(connection, &table, write, row)?;
            }
            server.collect(transaction, &write.database)?;
            Ok(inserted)
        })
    }

    /// Refuses what the engine would: letters its character set lacks (MySQL), values for a column that makes its own
    /// (SQL Server).
    fn takes(&self, write: &WriteChunk) -> Result<(), DatabaseError> {
        let db = self.db(&write.database)?;
        write.rows.iter().try_for_each(|row| self.takes_bytes(row.iter().map(bytes).sum()))?;
        let refused = match self.product.engine {
            Engine::MySql => {
                let mut letters = write.rows.iter().flatten().filter_map(|value| match value {
                    Value::Text(text) => text.chars().find(|letter| !holds(&db.charset, *letter)),
                    _ => None,
                });
                letters.next().map(|letter| format!("incorrect string value: {} has no '{letter}'", db.charset))
            }
            Engine::SqlServer => {
                let shape = db.catalogue.table(&write.table).map(|(_, shape)| shape);
                let own = |column: &&Column| column.declared.eq_ignore_ascii_case("rowversion");
                let mut own = shape.into_iter().flat_map(|shape| &shape.columns).filter(own);
                own.find(|column| write.columns.contains(&column.name))
                    .map(|column| format!("cannot insert an explicit value into the rowversion column {}", column.name))
            }
            Engine::PostgreSql | Engine::Ppas | Engine::Redis => None,
        };
        refused.map_or(Ok(()), |why| Err(DatabaseError::Statement(why)))
    }

    /// Refuses a statement, or a row written by one, with more bytes than a statement may have (MySQL).
    pub(super) fn takes_bytes(&self, bytes: usize) -> Result<(), DatabaseError> {
        const LIMIT: &str = "max_allowed_packet";
        match self.parameter(LIMIT).and_then(|limit| limit.trim().parse::<usize>().ok()) {
            Some(limit) if bytes > limit => {
                let why = format!("got a packet of {bytes} bytes, bigger than '{LIMIT}' bytes ({limit})");
                Err(DatabaseError::Statement(why))
            }
            _ => Ok(()),
        }
    }

    /// Writes changes, all or none.
    pub fn apply(&mut self, account: &str, changes: &[Apply], now: Timestamp) -> Result<(), DatabaseError> {
        let actor = Actor::session(account);
        self.transact(now, false, |server, transaction| {
            for change in changes {
                let (database, table) = match change {
                    Apply::Upsert { database, table, .. } | Apply::Delete { database, table, .. } => (database, table),
                    Apply::Ddl { database, sql } => {
                        server.enter(transaction, database)?;
                        server.run_in(transaction, &actor, database, sql)?;
                        continue;
                    }
                };
                server.enter(transaction, database)?;
                let db = server.db(database)?;
                let Some((table, _)) = db.catalogue.table(table) else {
                    return Err(DatabaseError::NoSuchObject(table.clone()));
                };
                server.permit(&actor, database, table, true)?;
                if let Apply::Upsert { new, .. } = change {
                    server.takes_bytes(new.values().map(bytes).sum())?;
                }
                match change {
                    Apply::Upsert { key, old, new, .. } => upsert(&db.connection, table, key, old.as_ref(), new)?,
                    Apply::Delete { key, old, .. } => {
                        delete_one(&db.connection, table, key, old)?;
                    }
                    Apply::Ddl { .. } => {}
                }
                server.collect(transaction, database)?;
            }
            Ok(())
        })
    }
}

fn execute(connection: &Connection, sql: &str, values: &[&Value]) -> Result<usize, DatabaseError> {
    let values: Vec<_> = values.iter().map(|value| to_sql(value)).collect::<Result<_, _>>()?;
    let mut statement = connection.prepare_cached(sql).map_err(failed)?;
    statement.execute(params_from_iter(values)).map_err(failed)
}

/// Inserts a row; where its primary or another unique key is there, does what the write says.
fn insert_as_said(connection: &Connection, table: &str, write: &WriteChunk, row: &Row) -> Result<u64, DatabaseError> {
    if insert_absent(connection, table, &write.columns, &write.key, row)? == 1 {
        return Ok(1);
    }
    match write.on_conflict {
        OnConflict::Keep => Ok(0),
        OnConflict::Stop => {
            let values = write.key.iter().filter_map(|name| {
                let at = write.columns.iter().position(|column| column.eq_ignore_ascii_case(name))?;
                Some(format!("{name} = {}", serde_json::to_string(row.get(at)?).ok()?))
            });
            let values = values.collect::<Vec<_>>().join(", ");
            Err(DatabaseError::Constraint(format!("a row of {table} with that key is there already ({values})")))
        }
        OnConflict::Replace => {
            let marks = vec!["?"; write.columns.len()].join(", ");
            let columns = quoted_list(&write.columns);
            let sql = format!("insert or replace into {} ({columns}) values ({marks})", quoted(table));
            // Only then is the deleting of the rows that are replaced seen by the log.
            connection.execute_batch("pragma recursive_triggers = on").map_err(failed)?;
            let written = execute(connection, &sql, &row.iter().collect::<Vec<_>>());
            connection.execute_batch("pragma recursive_triggers = off").map_err(failed)?;
            written.map(|_| 1)
        }
    }
}

/// Inserts a row unless a key of it is there.
fn insert_absent(
    connection: &Connection,
    table: &str,
    columns: &[String],
    key: &[String],
    row: &Row,
) -> Result<u64, DatabaseError> {
    let places: Option<Vec<usize>> =
        key.iter().map(|name| columns.iter().position(|column| column.eq_ignore_ascii_case(name))).collect();
    let places = places.ok_or_else(|| DatabaseError::Statement("a key column is not among the columns".into()))?;
    let marks: Vec<_> = (1..=columns.len()).map(|number| format!("?{number}")).collect();
    let mut sql = format!("insert into {} ({}) select {}", quoted(table), quoted_list(columns), marks.join(", "));
    if places.is_empty() {
        sql.push_str(" where true");
    } else {
        let same: Vec<_> =
            key.iter().zip(&places).map(|(name, at)| format!("{} = ?{}", quoted(name), at + 1)).collect();
        sql.push_str(&format!(" where not exists (select 1 from {} where {})", quoted(table), same.join(" and ")));
    }
    sql.push_str(" on conflict do nothing");
    let values: Vec<&Value> = row.iter().collect();
    execute(connection, &sql, &values).map(|count| count as u64)
}

fn insert(connection: &Connection, table: &str, row: &ByColumn) -> Result<(), DatabaseError> {
    let columns: Vec<String> = row.keys().cloned().collect();
    let marks = vec!["?"; columns.len()].join(", ");
    let sql = format!("insert into {} ({}) values ({marks})", quoted(table), quoted_list(&columns));
    execute(connection, &sql, &row.values().collect::<Vec<_>>()).map(|_| ())
}

/// The condition that finds the one row with these values: by its key, or one of the rows that are wholly the same.
fn condition<'a>(table: &str, key: &[String], row: &'a ByColumn) -> Result<(String, Vec<&'a Value>), DatabaseError> {
    if key.is_empty() {
        let same: Vec<_> = row.keys().map(|name| format!("{} is ?", quoted(name))).collect();
        let condition = format!("rowid = (select rowid from {} where {} limit 1)", quoted(table), same.join(" and "));
        return Ok((condition, row.values().collect()));
    }
    let same: Vec<_> = key.iter().map(|name| format!("{} = ?", quoted(name))).collect();
    let values: Option<Vec<&Value>> = key.iter().map(|name| column(row, name)).collect();
    let values = values.ok_or_else(|| DatabaseError::Statement("a key column is missing from the change".into()))?;
    Ok((same.join(" and "), values))
}

fn column<'a>(row: &'a ByColumn, name: &str) -> Option<&'a Value> {
    row.get(name).or_else(|| row.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value))
}

/// Deletes the row with the key of `row`, or one that is the same.
fn delete_one(connection: &Connection, table: &str, key: &[String], row: &ByColumn) -> Result<usize, DatabaseError> {
    let (condition, values) = condition(table, key, row)?;
    execute(connection, &format!("delete from {} where {condition}", quoted(table)), &values)
}

/// Changes the row found by `at` into `new`; gives how many rows that were.
fn update_one(
    connection: &Connection,
    table: &str,
    key: &[String],
    at: &ByColumn,
    new: &ByColumn,
) -> Result<usize, DatabaseError> {
    let sets: Vec<_> = new.keys().map(|name| format!("{} = ?", quoted(name))).collect();
    let (condition, found_by) = condition(table, key, at)?;
    let sql = format!("update {} set {} where {condition}", quoted(table), sets.join(", "));
    let values: Vec<&Value> = new.values().chain(found_by).collect();
    execute(connection, &sql, &values)
}

fn upsert(
    connection: &Connection,
    table: &str,
    key: &[String],
    old: Option<&ByColumn>,
    new: &ByColumn,
) -> Result<(), DatabaseError> {
    if let Some(old) = old {
        let moved = key.is_empty() || key.iter().any(|name| column(old, name) != column(new, name));
        if moved {
            delete_one(connection, table, key, old)?;
        }
    }
    if key.is_empty() || update_one(connection, table, key, new, new)? == 0 {
        insert(connection, table, new)?;
    }
    Ok(())
}

/// Replays the image of a changed row on the history it was taken from.
pub(super) fn replay(
    connection: &Connection,
    table: &str,
    shape: &Shape,
    old: Option<ByColumn>,
    new: Option<ByColumn>,
) -> Result<(), DatabaseError> {
    let done = match (old, new) {
        (None, Some(new)) => insert(connection, table, &new).map(|()| 1)?,
        (Some(old), None) => delete_one(connection, table, &shape.key, &old)?,
        (Some(old), Some(new)) => update_one(connection, table, &shape.key, &old, &new)?,
        (None, None) => 1,
    };
    if done == 1 {
        return Ok(());
    }
    Err(DatabaseError::Statement(format!(
        "the log does not fit the content: {done} rows of {table} found instead of one"
    )))
}
