//! Looking, after a break, which rows of a portion the target has. The target is gone through chunk by chunk; what is
//! held is the portion.

use super::Stop;
use super::portions::Portions;
use super::structure::refused;
use crate::model::content::{Object, Row};
use crate::ports::database::{ReadChunk, WriteChunk};
use crate::worker::logical::fold::TableRows;
use crate::worker::logical::layout::{Manifest, Shelf};
use crate::worker::servers::{Servers, Side};
use std::collections::BTreeMap;

/// What of the backup was gone through before a portion.
#[derive(Clone, Copy)]
pub struct Before<'a> {
    /// The set.
    pub shelf: &'a Shelf,
    /// What it holds.
    pub manifest: &'a Manifest,
    /// The table.
    pub rows: &'a TableRows,
    /// Rows in a portion at most.
    pub limit: usize,
    /// Rows gone through.
    pub cursor: u64,
    /// Rows the target's table has without the portion, where that is known.
    pub rows_there: Option<u64>,
}

/// How many rows of a portion are in the target with the same values. Without a key all of them are or none: it is one
/// transaction, rows that are alike are there once for each time they came before and once more for the portion, and the
/// table has as many rows as it has with the portion.
///
/// # Errors
/// When the target refuses, or the lease is over.
pub async fn same_rows(servers: &mut Servers<'_>, write: &WriteChunk, before: Before<'_>) -> Result<u64, Stop> {
    if write.key.is_empty() {
        return counted(servers, write, before).await;
    }
    let places: Vec<usize> =
        write.key.iter().filter_map(|key| write.columns.iter().position(|column| column == key)).collect();
    let key = |row: &Row| places.iter().filter_map(|place| row.get(*place)).map(mark).collect::<String>();
    let portion: BTreeMap<String, &Row> = write.rows.iter().map(|row| (key(row), row)).collect();
    let (mut same, mut found) = (0, 0);
    let mut reading = Reading::new(write, before.limit);
    while found < portion.len() {
        let Some(rows) = reading.next(servers).await? else { break };
        for row in rows {
            if let Some(wanted) = portion.get(&key(&row)) {
                found += 1;
                same += u64::from(**wanted == row);
            }
        }
    }
    Ok(same)
}

async fn counted(servers: &mut Servers<'_>, write: &WriteChunk, before: Before<'_>) -> Result<u64, Stop> {
    let whole = |row: &Row| row.iter().map(mark).collect::<String>();
    let mut due: BTreeMap<String, u64> = BTreeMap::new();
    for row in &write.rows {
        *due.entry(whole(row)).or_default() += 1;
    }
    let Before { shelf, manifest, rows, limit, cursor, rows_there } = before;
    let mut portions = Portions::begin(shelf, &mut servers.lease, manifest, rows, limit, 0).await?;
    while portions.cursor < cursor {
        let Some(earlier) = portions.next(&mut servers.lease).await? else { break };
        for row in earlier.rows.iter().filter(|_| earlier.columns == write.columns) {
            if let Some(count) = due.get_mut(&whole(row)) {
                *count += 1;
            }
        }
    }
    let portion = write.rows.len() as u64;
    let (mut reading, mut there) = (Reading::new(write, limit), 0);
    while let Some(rows) = reading.next(servers).await? {
        there += rows.len() as u64;
        for row in rows {
            if let Some(count) = due.get_mut(&whole(&row)) {
                *count = count.saturating_sub(1);
            }
        }
    }
    let has_grown = rows_there.is_none_or(|without| there >= without + portion);
    Ok(if has_grown && due.values().all(|count| *count == 0) { portion } else { 0 })
}

/// How many rows a table of the target has.
///
/// # Errors
/// When the target refuses, or the lease is over.
pub async fn rows_there(servers: &mut Servers<'_>, database: &str, table: &Object, limit: usize) -> Result<u64, Stop> {
    let columns = table.columns.iter().take(1).map(|column| column.name.clone()).collect();
    let (mut reading, mut there) = (Reading::of(database, &table.name, columns, limit), 0);
    while let Some(rows) = reading.next(servers).await? {
        there += rows.len() as u64;
    }
    Ok(there)
}

fn mark(value: &crate::model::content::Value) -> String {
    format!("{}\u{1f}", serde_json::to_string(value).unwrap_or_default())
}

/// The rows of the target's table, chunk by chunk.
struct Reading {
    read: ReadChunk,
    over: bool,
}

impl Reading {
    fn new(write: &WriteChunk, limit: usize) -> Self {
        Self::of(&write.database, &write.table, write.columns.clone(), limit)
    }

    fn of(database: &str, table: &str, columns: Vec<String>, limit: usize) -> Self {
        let (database, table) = (database.to_owned(), table.to_owned());
        Self { read: ReadChunk { database, table, columns, after: None, limit: limit.max(1) }, over: false }
    }

    async fn next(&mut self, servers: &mut Servers<'_>) -> Result<Option<Vec<Row>>, Stop> {
        if self.over {
            return Ok(None);
        }
        let answer = servers.call(Side::Target, &self.read).await?.outcome;
        let called = || format!("table {}.{}", self.read.database, self.read.table);
        let chunk = answer.map_err(|error| refused(called(), &error))?;
        self.over = chunk.done || chunk.last.is_none();
        self.read.after = chunk.last;
        Ok(Some(chunk.rows))
    }
}
