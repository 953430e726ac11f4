//! Writing rows in bulk: one transaction, by COPY, in which neither triggers nor foreign keys act.

use super::connection::Connection;
use super::errors::statement;
use super::quote::{ident, idents};
use super::relation::Relation;
use super::values::encode;
use bytes::Bytes;
use futures_util::SinkExt;
use recovery::model::content::Row;
use recovery::ports::database::{DatabaseError, OnConflict, WriteChunk};
use std::pin::pin;

/// Bytes that are handed to the connection at once.
const SEND_BYTES: usize = 256 << 10;
/// Where rows are put down whose keys may be there already.
const STAGE: &str = "pg_temp.firedrill_stage";
/// The column that says in which order they came.
const PLACE: &str = "\"firedrill place\"";

/// Writes rows; says how many were written.
///
/// # Errors
/// See [`DatabaseError`].
pub async fn write(connection: &Connection, write: &WriteChunk) -> Result<u64, DatabaseError> {
    connection.execute("BEGIN; SET LOCAL search_path = public").await?;
    let outcome = in_transaction(connection, write).await;
    connection.end_writing(outcome).await
}

async fn in_transaction(connection: &Connection, write: &WriteChunk) -> Result<u64, DatabaseError> {
    let relation = Relation::find(connection, &write.table).await?;
    stand_still(connection, &relation).await?;
    let chunk = Writable::new(&relation, write)?;
    // Mostly no key is there yet, and then nothing is faster than writing straight into the table.
    connection.execute("SAVEPOINT straight").await?;
    match chunk.copy(connection, &relation.quoted).await {
        Err(DatabaseError::Constraint(why)) if write.on_conflict == OnConflict::Stop => {
            Err(DatabaseError::Constraint(why))
        }
        Err(DatabaseError::Constraint(_)) => {
            connection.execute("ROLLBACK TO SAVEPOINT straight").await?;
            chunk.through_stage(connection, &relation, write.on_conflict).await
        }
        outcome => outcome,
    }
}

/// Keeps triggers and foreign keys from acting in this transaction. An account that may not say so may still write where
/// there are none.
async fn stand_still(connection: &Connection, relation: &Relation) -> Result<(), DatabaseError> {
    connection.execute("SAVEPOINT quiet").await?;
    match connection.execute("SET LOCAL session_replication_role = replica").await {
        Err(DatabaseError::NotPermitted { account, .. }) => {
            connection.execute("ROLLBACK TO SAVEPOINT quiet").await?;
            let sql = "SELECT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = $1 AND tgenabled <> 'D')";
            if !connection.one(sql, &[&relation.oid]).await?.get::<_, bool>(0) {
                return Ok(());
            }
            let what =
                format!("write {} without its triggers and foreign keys (session_replication_role)", relation.quoted);
            Err(DatabaseError::NotPermitted { account, what })
        }
        outcome => outcome,
    }
}

/// Rows, without the columns the server works out by itself.
struct Writable<'a> {
    columns: Vec<String>,
    places: Option<Vec<usize>>,
    rows: &'a [Row],
}

impl<'a> Writable<'a> {
    fn new(relation: &Relation, write: &'a WriteChunk) -> Result<Self, DatabaseError> {
        let (mut columns, mut places) = (Vec::new(), Vec::new());
        for (place, name) in write.columns.iter().enumerate() {
            if !relation.column(name)?.generated {
                columns.push(name.clone());
                places.push(place);
            }
        }
        if let Some(row) = write.rows.iter().find(|row| row.len() != write.columns.len()) {
            return Err(statement(format!("a row of {} values for {} columns", row.len(), write.columns.len())));
        }
        let places = (places.len() < write.columns.len()).then_some(places);
        Ok(Self { columns, places, rows: &write.rows })
    }

    fn encode(&self, row: &Row, to: &mut Vec<u8>) {
        match &self.places {
            None => encode(row, to),
            Some(places) => encode(&places.iter().map(|place| row[*place].clone()).collect(), to),
        }
    }

    /// Puts the rows into a table.
    async fn copy(&self, connection: &Connection, table: &str) -> Result<u64, DatabaseError> {
        if self.columns.is_empty() {
            return self.copy_nothing(connection, table).await;
        }
        let sql = format!("COPY {table} ({}) FROM STDIN", idents(&self.columns));
        let sink = connection.client().copy_in::<_, Bytes>(&sql).await.map_err(|error| connection.means(&error))?;
        let mut sink = pin!(sink);
        let mut buffer = Vec::with_capacity(SEND_BYTES);
        for row in self.rows {
            self.encode(row, &mut buffer);
            if buffer.len() >= SEND_BYTES {
                let full = std::mem::replace(&mut buffer, Vec::with_capacity(SEND_BYTES));
                if sink.feed(Bytes::from(full)).await.is_err() {
                    break;
                }
            }
        }
        if !buffer.is_empty() {
            // What the server thinks of it, the end of the stream tells.
            let _ = sink.feed(Bytes::from(buffer)).await;
        }
        sink.finish().await.map_err(|error| connection.means(&error))
    }

    /// Rows of which every column is worked out by the server.
    async fn copy_nothing(&self, connection: &Connection, table: &str) -> Result<u64, DatabaseError> {
        for _ in self.rows {
            connection.execute(&format!("INSERT INTO {table} DEFAULT VALUES")).await?;
        }
        Ok(self.rows.len() as u64)
    }

    /// Puts the rows into a table some of whose keys are there already.
    async fn through_stage(
        &self,
        connection: &Connection,
        relation: &Relation,
        on_conflict: OnConflict,
    ) -> Result<u64, DatabaseError> {
        let (table, columns) = (&relation.quoted, idents(&self.columns));
        let make = format!(
            "CREATE TEMPORARY TABLE firedrill_stage ON COMMIT DROP AS SELECT {columns} FROM {table} WITH NO DATA; \
             ALTER TABLE {STAGE} ADD {PLACE} bigint GENERATED ALWAYS AS IDENTITY"
        );
        connection.execute(&make).await?;
        self.copy(connection, STAGE).await?;
        if on_conflict == OnConflict::Replace {
            self.clear_way(connection, relation).await?;
        }
        let insert = format!(
            "INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM {STAGE} \
             ORDER BY {PLACE} ON CONFLICT DO NOTHING"
        );
        let written = connection.client().execute(&insert, &[]).await.map_err(|error| connection.means(&error))?;
        connection.execute(&format!("DROP TABLE {STAGE}")).await?;
        Ok(written)
    }

    /// Deletes the rows, there and among those to write, that have a key with a later row of them in common.
    async fn clear_way(&self, connection: &Connection, relation: &Relation) -> Result<(), DatabaseError> {
        let sql = "SELECT array(SELECT a.attname::text FROM unnest(i.indkey) WITH ORDINALITY k (attnum, place) \
                   JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum WHERE k.place <= i.indnkeyatts) \
                   FROM pg_index i WHERE i.indrelid = $1 AND i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL";
        for row in connection.query(sql, &[&relation.oid]).await? {
            let key: Vec<String> = row.get(0);
            if key.iter().any(|name| !self.columns.contains(name)) {
                continue;
            }
            let same = |of: &str| {
                let one = |name: &String| format!("{of}.{0} = s.{0}", ident(name));
                key.iter().map(one).collect::<Vec<_>>().join(" AND ")
            };
            connection
                .execute(&format!(
                    "DELETE FROM {STAGE} e USING {STAGE} s WHERE {} AND e.{PLACE} < s.{PLACE}; \
                     DELETE FROM ONLY {} t USING {STAGE} s WHERE {}",
                    same("e"),
                    relation.quoted,
                    same("t")
                ))
                .await?;
        }
        Ok(())
    }
}
