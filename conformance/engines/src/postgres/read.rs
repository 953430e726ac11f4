//! Reading rows of a table in the order of its key, a chunk at a time, as streams of COPY.

use super::connection::Connection;
use super::errors::statement;
use super::quote::{ident, idents, literal};
use super::relation::Relation;
use super::values::{Shape, decode};
use futures_util::TryStreamExt;
use recovery::model::content::Row;
use recovery::ports::database::{Chunk, DatabaseError, ReadChunk};
use std::collections::BTreeMap;
use std::pin::pin;

/// Bytes of one chunk after which no further row is taken into it.
const CHUNK_BYTES: usize = 8 << 20;

/// Rows of a first chunk at most: of a table that was not read from yet, nobody knows how wide its rows are.
const FIRST_ROWS: usize = 256;

/// What the last chunk of each table showed.
#[derive(Debug, Default)]
pub struct Seen(BTreeMap<(String, String), Table>);

#[derive(Debug, Clone)]
struct Table {
    quoted: String,
    /// Bytes of an average row, so that no more rows are asked for than are taken.
    width: Option<usize>,
}

impl Table {
    fn limit(&self, wanted: usize) -> usize {
        let most = self.width.map_or(FIRST_ROWS, |width| CHUNK_BYTES / width.max(1));
        wanted.clamp(1, most.max(1))
    }
}

/// Reads a chunk.
///
/// # Errors
/// See [`DatabaseError`].
pub async fn read(connection: &Connection, seen: &mut Seen, read: &ReadChunk) -> Result<Chunk, DatabaseError> {
    connection.begin_reading(false).await?;
    let outcome = in_transaction(connection, seen, read).await;
    connection.end_reading(outcome).await
}

/// The table is locked against changes of its definition first, so that revision and rows are of the same instant.
async fn in_transaction(connection: &Connection, seen: &mut Seen, read: &ReadChunk) -> Result<Chunk, DatabaseError> {
    let place = (read.database.clone(), read.table.clone());
    let known = match seen.0.remove(&place) {
        Some(known) => known,
        None => Table { quoted: Relation::find(connection, &read.table).await?.quoted, width: None },
    };
    connection.execute(&format!("LOCK TABLE ONLY {} IN ACCESS SHARE MODE", known.quoted)).await?;
    let relation = Relation::find(connection, &read.table).await?;
    let limit = known.limit(read.limit);
    let query = Query::new(&relation, read, limit)?;
    let stream = connection.client().copy_out(&query.sql).await.map_err(|error| connection.means(&error))?;
    let mut stream = pin!(stream);
    let (mut rows, mut last, mut bytes, mut more) = (Vec::new(), None, 0, false);
    while let Some(line) = stream.try_next().await.map_err(|error| connection.means(&error))? {
        if rows.len() >= limit || bytes >= CHUNK_BYTES {
            more = true;
            continue;
        }
        bytes += line.len();
        let mut row = decode(line.strip_suffix(b"\n").unwrap_or(&line), &query.shapes)?;
        last = Some(row.split_off(read.columns.len()));
        rows.push(row);
    }
    let width = (!rows.is_empty()).then(|| bytes / rows.len());
    seen.0.insert(place, Table { quoted: relation.quoted, width: width.or(known.width) });
    let last = last.as_ref().map(mark).transpose()?;
    Ok(Chunk { rows, last, done: !more, revision: relation.revision })
}

/// What is asked of the server for a chunk: the columns wanted, and after them those of the mark.
struct Query {
    sql: String,
    shapes: Vec<Shape>,
}

impl Query {
    fn new(relation: &Relation, read: &ReadChunk, limit: usize) -> Result<Self, DatabaseError> {
        let mut shapes = Vec::new();
        for name in &read.columns {
            shapes.push(relation.column(name)?.shape);
        }
        let (order, types): (Vec<String>, Vec<String>) = if relation.key.is_empty() {
            (vec!["ctid".to_owned()], vec!["tid".to_owned()])
        } else {
            let types: Result<Vec<String>, DatabaseError> =
                relation.key.iter().map(|name| Ok(relation.column(name)?.declared.clone())).collect();
            (relation.key.iter().map(|name| ident(name)).collect(), types?)
        };
        shapes.extend(order.iter().map(|_| Shape::Text));
        let after = read.after.as_deref().map(|mark| marked(mark, &types)).transpose()?;
        let order = order.join(", ");
        let condition = after.map(|values| format!("WHERE ({order}) > ({values})")).unwrap_or_default();
        let mut wanted = idents(&read.columns);
        if !wanted.is_empty() {
            wanted.push_str(", ");
        }
        let table = &relation.quoted;
        let sql = format!(
            "COPY (SELECT {wanted}{order} FROM ONLY {table} {condition} ORDER BY {order} LIMIT {}) TO STDOUT",
            limit.saturating_add(1)
        );
        Ok(Self { sql, shapes })
    }
}

/// The mark of a row: the texts of its key.
fn mark(key: &Row) -> Result<String, DatabaseError> {
    serde_json::to_string(key).map_err(statement)
}

/// The values of a mark, as SQL.
fn marked(mark: &str, types: &[String]) -> Result<String, DatabaseError> {
    let values: Vec<String> =
        serde_json::from_str(mark).map_err(|_| statement("the mark to read on after is not one of this server's"))?;
    if values.len() != types.len() {
        return Err(statement("the mark to read on after is of another key"));
    }
    let values = values.iter().zip(types).map(|(value, declared)| format!("{}::{declared}", literal(value)));
    Ok(values.collect::<Vec<_>>().join(", "))
}
