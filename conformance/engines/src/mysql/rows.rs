//! Reading rows in the order of a key, and writing them.

use super::claims::Claim;
use super::layout::{Field, Layout};
use super::line::{Line, Mode};
use super::values::unhex;
use super::{layout, quote, triggers};
use recovery::model::content::{Row, Value};
use recovery::ports::database::{Chunk, DatabaseError, OnConflict, ReadChunk, WriteChunk};
use std::collections::BTreeMap;

/// Bytes of long values that one chunk may hold.
const CHUNK_BYTES: u64 = 8 << 20;
/// Bytes of a statement that writes, where it has more than one row.
const STATEMENT_BYTES: usize = 1 << 20;

/// What is known of tables in a session.
#[derive(Default)]
pub(super) struct Layouts(BTreeMap<(String, String), Layout>);

impl Layouts {
    async fn of(&mut self, line: &mut Line, database: &str, table: &str) -> Result<Layout, DatabaseError> {
        let key = (database.to_owned(), table.to_owned());
        if let Some(known) = self.0.get(&key) {
            return Ok(known.clone());
        }
        let layout = Layout::read(line, database, table).await?;
        self.0.insert(key, layout.clone());
        Ok(layout)
    }

    /// Forgets a table, which may have changed.
    pub fn forget(&mut self, database: &str, table: &str) {
        self.0.remove(&(database.to_owned(), table.to_owned()));
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

fn statement(why: impl Into<String>) -> DatabaseError {
    DatabaseError::Statement(why.into())
}

/// Reads rows.
pub(super) async fn read(line: &mut Line, layouts: &mut Layouts, read: &ReadChunk) -> Result<Chunk, DatabaseError> {
    line.set(Mode::Bulk).await?;
    let layout = layouts.of(line, &read.database, &read.table).await?;
    let outcome = read_as(line, &layout, read).await;
    // Looked at afterwards: whatever was changed before the rows were read shows in it.
    let revision = layout::revision(line, &read.database, &read.table).await;
    if outcome.is_err() || revision.as_ref().is_ok_and(|revision| *revision != layout.revision) {
        layouts.forget(&read.database, &read.table);
    }
    let (rows, last, done) = outcome?;
    Ok(Chunk { rows, last, done, revision: revision? })
}

type Rows = (Vec<Row>, Option<String>, bool);

async fn read_as(line: &mut Line, layout: &Layout, read: &ReadChunk) -> Result<Rows, DatabaseError> {
    let fields: Vec<&Field> = read.columns.iter().map(|name| layout.field(name)).collect::<Result<_, _>>()?;
    let place = Place::after(layout, read.after.as_deref())?;
    let limit = fitting(line, &fields, &place, read).await?;
    let mut selected: Vec<String> = fields.iter().map(|field| field.selected()).collect();
    selected.extend(layout.key.iter().map(Field::ordered));
    let asked = limit.saturating_add(1);
    let sql = format!("SELECT {} FROM {}", selected.join(", "), place.from(read, asked));
    let mut rows = Vec::with_capacity(limit.min(10_000));
    let shapes: Vec<_> = fields.iter().map(|field| field.shape()).collect();
    let shapes: Vec<_> = shapes.into_iter().chain(layout.key.iter().map(Field::ordered_shape)).collect();
    for row in line.rows(&sql).await? {
        let values = row.unwrap().into_iter().zip(&shapes);
        rows.push(values.map(|(given, shape)| shape.read(given)).collect::<Row>());
    }
    let done = rows.len() <= limit;
    rows.truncate(limit);
    let mut last = None;
    for row in &mut rows {
        last = Some(row.split_off(fields.len()));
    }
    let last = match last {
        Some(_) if layout.key.is_empty() => Some((place.offset + rows.len() as u64).to_string()),
        Some(key) => Some(serde_json::to_string(&key).map_err(|error| statement(error.to_string()))?),
        None => None,
    };
    Ok((rows, last, done))
}

/// How many rows to read: where values may be of any length, no more than fit into a chunk, and one at least.
async fn fitting(line: &mut Line, fields: &[&Field], place: &Place, read: &ReadChunk) -> Result<usize, DatabaseError> {
    let limit = read.limit.max(1);
    let long: Vec<String> = fields
        .iter()
        .filter(|field| field.is_long())
        .map(|field| format!("IFNULL(OCTET_LENGTH({}), 0)", quote::name(&field.name)))
        .collect();
    if long.is_empty() || limit == 1 {
        return Ok(limit);
    }
    let sql = format!("SELECT {} FROM {}", long.join(" + "), place.from(read, limit));
    let mut bytes = 0_u64;
    let lengths = line.texts(&sql).await?;
    let fit = lengths.iter().take_while(|row| {
        bytes = bytes.saturating_add(row.first().and_then(|length| length.parse().ok()).unwrap_or(0));
        bytes <= CHUNK_BYTES
    });
    let fit = fit.count();
    Ok(if fit == lengths.len() { limit } else { fit.max(1) })
}

/// Where to read on.
struct Place {
    /// Rows passed over, without a key.
    offset: u64,
    condition: String,
    order: String,
    index: String,
}

impl Place {
    fn after(layout: &Layout, mark: Option<&str>) -> Result<Self, DatabaseError> {
        let bad = || statement("the mark to read on after is not one of this server's");
        if layout.key.is_empty() {
            let offset = mark.map_or(Ok(0), str::parse).map_err(|_| bad())?;
            // Rows come in the order of the table itself, not of whatever index may hold the columns.
            let (condition, order, index) = (String::new(), String::new(), " USE INDEX ()".to_owned());
            return Ok(Self { offset, condition, order, index });
        }
        let order: Vec<String> = layout.key.iter().map(Field::ordered).collect();
        let mut condition = String::new();
        if let Some(mark) = mark {
            let values: Row = serde_json::from_str(mark).map_err(|_| bad())?;
            if values.len() != order.len() {
                return Err(bad());
            }
            condition = format!(" WHERE {}", later(&layout.key, &order, &values)?);
        }
        let plain = layout.key.iter().zip(&order).all(|(field, order)| *order == quote::name(&field.name));
        let index = layout.key_name.as_ref().filter(|_| plain);
        let index = index.map_or(String::new(), |name| format!(" FORCE INDEX ({})", quote::name(name)));
        Ok(Self { offset: 0, condition, order: format!(" ORDER BY {}", order.join(", ")), index })
    }

    fn from(&self, read: &ReadChunk, limit: usize) -> String {
        let table = quote::of(&read.database, &read.table);
        let Self { offset, condition, order, index } = self;
        format!("{table}{index}{condition}{order} LIMIT {offset}, {limit}")
    }
}

/// The condition of rows whose key comes after these values.
fn later(key: &[Field], order: &[String], values: &[Value]) -> Result<String, DatabaseError> {
    let mut alternatives = Vec::new();
    let mut same = String::new();
    for ((field, column), value) in key.iter().zip(order).zip(values) {
        let value = compared(field, value)?;
        alternatives.push(format!("({same}{column} > {value})"));
        same.push_str(&format!("{column} = {value} AND "));
    }
    Ok(alternatives.join(" OR "))
}

/// A key's value as it is compared with its column. A decimal in quotes would be compared as a number of less precision.
fn compared(field: &Field, value: &Value) -> Result<String, DatabaseError> {
    let is_number = |text: &str| {
        text.bytes().any(|byte| byte.is_ascii_digit())
            && text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'.'))
    };
    let mut text = String::new();
    match value {
        Value::Text(number)
            if matches!(field.data_type.as_str(), "decimal" | "bigint" | "bit" | "set" | "enum")
                && is_number(number) =>
        {
            text.push_str(number);
        }
        other => quote::value(other, &mut text)?,
    }
    Ok(text)
}

/// Writes rows in one transaction.
pub(super) async fn write(
    line: &mut Line,
    layouts: &mut Layouts,
    claim: Option<&Claim>,
    write: &WriteChunk,
) -> Result<u64, DatabaseError> {
    line.set(Mode::Bulk).await?;
    // What another session did to the table since must not go unnoticed where values are written by place.
    let layout = layouts.of(line, &write.database, &write.table).await?;
    let statements = Statements::new(line, &layout, write)?;
    let asleep = triggers::put_to_sleep(line, claim, &write.database, &write.table).await?;
    let written = in_transaction(line, claim, &statements, write).await;
    let woken = asleep.wake(line).await;
    if written.is_err() {
        layouts.forget(&write.database, &write.table);
    }
    let written = written?;
    woken?;
    Ok(written)
}

async fn in_transaction(
    line: &mut Line,
    claim: Option<&Claim>,
    statements: &Statements,
    write: &WriteChunk,
) -> Result<u64, DatabaseError> {
    line.exec("START TRANSACTION").await?;
    let done = async {
        if let Some(claim) = claim {
            claim.hold(line).await?;
        }
        statements.run(line, write).await
    };
    match done.await {
        Ok(written) => {
            line.exec("COMMIT").await?;
            Ok(written)
        }
        Err(error @ DatabaseError::Unreachable(_)) => Err(error),
        Err(error) => {
            line.exec("ROLLBACK").await?;
            Err(error)
        }
    }
}

/// The statements that write rows.
struct Statements {
    head: String,
    tail: String,
    /// Places of the columns that are written: those the server does not compute.
    places: Vec<usize>,
    bytes: usize,
}

impl Statements {
    fn new(line: &Line, layout: &Layout, write: &WriteChunk) -> Result<Self, DatabaseError> {
        let mut places = Vec::new();
        for (place, name) in write.columns.iter().enumerate() {
            if !layout.field(name)?.generated {
                places.push(place);
            }
        }
        if let Some(row) = write.rows.iter().find(|row| row.len() != write.columns.len()) {
            return Err(statement(format!("a row of {} values for {} columns", row.len(), write.columns.len())));
        }
        let columns: Vec<&String> = places.iter().map(|place| &write.columns[*place]).collect();
        let verb = if write.on_conflict == OnConflict::Replace { "REPLACE" } else { "INSERT" };
        let table = quote::of(&write.database, &write.table);
        let head = format!("{verb} INTO {table} ({}) VALUES ", quote::names(columns.iter().copied()));
        // A row whose key is there is left as it is. `INSERT IGNORE` would do so, too, and cut values off silently.
        let tail = match (write.on_conflict, columns.first()) {
            (OnConflict::Keep, Some(first)) => {
                let first = quote::name(first);
                format!(" ON DUPLICATE KEY UPDATE {first} = {table}.{first}")
            }
            _ => String::new(),
        };
        let bytes = line.max_packet.saturating_sub(1024).max(1024);
        Ok(Self { head, tail, places, bytes })
    }

    async fn run(&self, line: &mut Line, write: &WriteChunk) -> Result<u64, DatabaseError> {
        let most = self.bytes.min(STATEMENT_BYTES);
        let (mut affected, mut sql) = (0, String::new());
        for row in &write.rows {
            let mut values = String::from("(");
            for (number, place) in self.places.iter().enumerate() {
                if number > 0 {
                    values.push(',');
                }
                quote::value(&row[*place], &mut values)?;
            }
            values.push(')');
            if self.head.len() + values.len() + self.tail.len() > self.bytes {
                affected += self.run_one(line, row).await?;
                continue;
            }
            if !sql.is_empty() && sql.len() + values.len() + self.tail.len() > most {
                affected += self.send(line, &mut sql).await?;
            }
            sql.push_str(if sql.is_empty() { &self.head } else { "," });
            sql.push_str(&values);
        }
        affected += self.send(line, &mut sql).await?;
        // Replacing counts the rows it takes away as well.
        Ok(if write.on_conflict == OnConflict::Replace { write.rows.len() as u64 } else { affected })
    }

    async fn send(&self, line: &mut Line, sql: &mut String) -> Result<u64, DatabaseError> {
        if sql.is_empty() {
            return Ok(0);
        }
        sql.push_str(&self.tail);
        let affected = line.exec(sql).await;
        sql.clear();
        affected
    }

    /// A row that is too long for a statement is sent beside it.
    async fn run_one(&self, line: &mut Line, row: &Row) -> Result<u64, DatabaseError> {
        let mut values = Vec::with_capacity(self.places.len());
        for place in &self.places {
            values.push(match &row[*place] {
                Value::Null => mysql_async::Value::NULL,
                Value::Integer(number) => mysql_async::Value::Int(*number),
                Value::Real(number) => mysql_async::Value::Double(*number),
                Value::Text(text) => mysql_async::Value::Bytes(text.clone().into_bytes()),
                Value::Bytes { hex } => mysql_async::Value::Bytes(
                    unhex(hex).ok_or_else(|| statement("bytes are not written in hexadecimal digits"))?,
                ),
            });
        }
        let marks = vec!["?"; values.len()].join(",");
        line.exec_with(&format!("{}({marks}){}", self.head, self.tail), values).await
    }
}
