//! The rows of a table in portions: those of the backup that are still there, chunk by chunk, then those that the log
//! brought. What is held at a time is one chunk.

use crate::model::content::Row;
use crate::model::content::Value;
use crate::worker::lease::{Lease, Stop};
use crate::worker::logical::fold::TableRows;
use crate::worker::logical::fold::rows::{RowByName, Sieve};
use crate::worker::logical::layout::{Manifest, Part, Shelf, Unusable};
use std::iter::Peekable;

/// Rows to be written together.
#[derive(Debug, Clone, Default)]
pub struct Portion {
    /// Columns.
    pub columns: Vec<String>,
    /// Rows.
    pub rows: Vec<Row>,
}

impl Portion {
    fn of(columns: Vec<String>, rows: &[RowByName]) -> Self {
        let value = |row: &RowByName, column: &String| row.get(column).cloned().unwrap_or(Value::Null);
        let rows = rows.iter().map(|row| columns.iter().map(|column| value(row, column)).collect()).collect();
        Self { columns, rows }
    }
}

type Added<'a> = Peekable<Box<dyn Iterator<Item = &'a RowByName> + Send + 'a>>;

/// All portions of a table from a place on.
pub struct Portions<'a> {
    shelf: &'a Shelf,
    manifest: &'a Manifest,
    rows: &'a TableRows,
    limit: u64,
    sieve: Sieve<'a>,
    chunk: Option<(u64, Vec<Row>)>,
    added: Added<'a>,
    /// Rows gone through so far: of the backup, and then of the log.
    pub cursor: u64,
}

impl<'a> Portions<'a> {
    /// The portions of a table after so many rows.
    ///
    /// # Errors
    /// When the lease is over, or a chunk cannot be used.
    pub async fn begin(
        shelf: &'a Shelf,
        lease: &mut Lease,
        manifest: &'a Manifest,
        rows: &'a TableRows,
        limit: usize,
        cursor: u64,
    ) -> Result<Self, Stop<Unusable>> {
        let all: Box<dyn Iterator<Item = &RowByName> + Send> = Box::new(rows.added());
        let mut portions = Self {
            shelf,
            manifest,
            rows,
            limit: limit.max(1) as u64,
            sieve: Sieve::new(rows),
            chunk: None,
            added: all.peekable(),
            cursor: 0,
        };
        if portions.sieve.has_memory() {
            while portions.cursor < cursor.min(portions.stored()) {
                portions.stored_portion(lease, cursor).await?;
            }
        }
        let past = usize::try_from(cursor.saturating_sub(portions.stored())).unwrap_or(usize::MAX);
        for _ in 0..past {
            portions.added.next();
        }
        portions.cursor = cursor;
        Ok(portions)
    }

    /// Rows of the backup that may still be there.
    fn stored(&self) -> u64 {
        self.rows.origin().and_then(|origin| self.manifest.tables.get(origin)).map_or(0, |table| table.rows)
    }

    /// The next portion; it may be empty. Nothing after the last.
    ///
    /// # Errors
    /// When the lease is over, or a chunk cannot be used.
    pub async fn next(&mut self, lease: &mut Lease) -> Result<Option<Portion>, Stop<Unusable>> {
        if self.cursor < self.stored() {
            let rows = self.stored_portion(lease, u64::MAX).await?;
            let columns = self.rows.columns().iter().flatten().cloned().collect();
            return Ok(Some(Portion::of(columns, &rows)));
        }
        self.chunk = None;
        let Some(first) = self.added.next() else {
            return Ok(None);
        };
        let columns: Vec<String> = first.keys().cloned().collect();
        let mut rows = vec![first.clone()];
        // A column that came later is missing in older rows, which get its default.
        while (rows.len() as u64) < self.limit
            && let Some(row) = self.added.next_if(|row| row.keys().eq(columns.iter()))
        {
            rows.push(row.clone());
        }
        self.cursor += rows.len() as u64;
        Ok(Some(Portion::of(columns, &rows)))
    }

    /// Goes through the next rows of the backup, not beyond `end`.
    async fn stored_portion(&mut self, lease: &mut Lease, end: u64) -> Result<Vec<RowByName>, Stop<Unusable>> {
        let Some(table) = self.rows.origin() else {
            return Ok(Vec::new());
        };
        let size = self.manifest.chunk_rows.max(1) as u64;
        let (chunk, offset) = (self.cursor / size, self.cursor % size);
        let part = Part::Rows { table, chunk };
        if self.chunk.as_ref().is_none_or(|(number, _)| *number != chunk) {
            self.chunk = None;
            let rows = self.shelf.rows(lease, self.manifest, table, chunk).await?.body;
            if rows.len() as u64 != size.min(self.stored() - chunk * size) {
                return Err(Stop::Failed(self.shelf.unusable(part, "it has not the rows it should have")));
            }
            self.chunk = Some((chunk, rows));
        }
        let rows = self.chunk.as_ref().map(|(_, rows)| rows.as_slice()).unwrap_or_default();
        let to = (offset + self.limit.min(end.saturating_sub(self.cursor))).min(rows.len() as u64);
        let within = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
        let taken = rows.get(within(offset)..within(to)).unwrap_or_default().to_vec();
        self.cursor += taken.len() as u64;
        self.sieve.pass(taken).map_err(|why| Stop::Failed(self.shelf.unusable(part, why)))
    }
}
