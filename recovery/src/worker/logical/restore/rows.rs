//! Restoring the rows of one table, and what a row of the same key in the target means (LOG-39 to LOG-41).

use super::Stop;
use super::look::{self, Before};
use super::portions::{Portion, Portions};
use super::progress::Progress;
use super::structure::{describe, refused};
use crate::model::content::{Object, ObjectKind};
use crate::model::logical::restore::{DataConflict, RestoreFailure, RestoredObject, RestoredStatus};
use crate::model::work::RestoreJob;
use crate::ports::database::{DatabaseError, OnConflict, WriteChunk};
use crate::worker::logical::fold::TableRows;
use crate::worker::logical::layout::Shelf;
use crate::worker::logical::reading::Backup;
use crate::worker::servers::{Servers, Side};

/// What servers say of a key that is there, and what of a row that breaks another rule.
const KEY_RULES: [&str; 3] = ["already", "duplicate", "unique"];
const OTHER_RULES: [&str; 3] = ["not null", "check constraint", "foreign key"];

/// One table to restore rows of.
pub struct TableRestore<'a> {
    /// The set.
    pub shelf: &'a Shelf,
    /// The task.
    pub job: &'a RestoreJob,
    /// The backup.
    pub backup: &'a Backup,
    /// The table as it is made in the target.
    pub made: &'a Object,
}

/// What came of a portion.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    written: u64,
    skipped: u64,
}

impl TableRestore<'_> {
    /// Writes the rows that are not written yet, portion by portion; what was written is reported after each.
    ///
    /// # Errors
    /// When the table does not fit, a conflict is to stop the task, or the lease is over.
    pub async fn restore(&self, servers: &mut Servers<'_>, progress: &mut Progress, index: usize) -> Result<(), Stop> {
        let entry = progress.details[index].clone();
        let rows = self.rows(&entry)?;
        let table = self.target(servers, &entry).await?;
        let manifest = &self.backup.manifest;
        let limit = self.job.chunk_rows;
        let lease = &mut servers.lease;
        let mut portions = Portions::begin(self.shelf, lease, manifest, rows, limit, entry.cursor).await?;
        // An attempt before this one may have written the next portion and ended before it could say so.
        let mut may_be_there = entry.announced;
        if !entry.announced {
            if table.key.is_empty() && rows.key().is_empty() {
                let there = look::rows_there(servers, &entry.database, &table, limit).await?;
                progress.details[index].rows_before = Some(there);
            }
            progress.announce(servers, index).await?;
        }
        loop {
            let begins = portions.cursor;
            let Some(portion) = portions.next(&mut servers.lease).await? else { break };
            let write = self.write(&entry, &table, rows, portion)?;
            let known = &progress.details[index];
            let rows_there = known.rows_before.map(|rows_before| rows_before + known.records);
            let before = Before { shelf: self.shelf, manifest, rows, limit, cursor: begins, rows_there };
            let count = self.carry(servers, &write, before, may_be_there).await?;
            may_be_there = false;
            let cursor = portions.cursor;
            let note = |entry: &mut RestoredObject| {
                entry.cursor = cursor;
                entry.records += count.written;
                entry.records_skipped += count.skipped;
            };
            progress.report(servers, index, note).await?;
        }
        Ok(progress.end(servers, index, RestoredStatus::Done).await?)
    }

    fn called(entry: &RestoredObject) -> String {
        format!("table {}.{}", entry.database, entry.target_name)
    }

    fn rows(&self, entry: &RestoredObject) -> Result<&TableRows, Stop> {
        let database = self.backup.state.databases.get(&entry.database);
        let is_it = |own: &&crate::worker::logical::fold::Entry| {
            own.object.kind == ObjectKind::Table && own.object.name == entry.name
        };
        let own = database.and_then(|database| database.entries.iter().find(is_it));
        own.map(|own| &own.rows).ok_or_else(|| refused(Self::called(entry), &"the backup has no such table"))
    }

    /// The table as the target has it; full restores make none (LOG-35).
    async fn target(&self, servers: &mut Servers<'_>, entry: &RestoredObject) -> Result<Object, Stop> {
        let there = describe(servers, &entry.database).await?;
        let is_it = |found: &Object| found.kind == ObjectKind::Table && found.name == self.made.name;
        let table = there.into_iter().find(is_it);
        table.ok_or_else(|| refused(Self::called(entry), &"the target has no such table, and rows alone make none"))
    }

    /// How a portion is written: rows are told apart by the key of the table that is there.
    fn write(
        &self,
        entry: &RestoredObject,
        table: &Object,
        rows: &TableRows,
        portion: Portion,
    ) -> Result<WriteChunk, Stop> {
        let lacks = |name: &&String| !table.columns.iter().any(|column| column.name == **name);
        if let Some(missing) = portion.columns.iter().find(lacks) {
            let why = format!("the table in the target has no column {missing}");
            return Err(refused(Self::called(entry), &why));
        }
        let whole = |key: &[String]| !key.is_empty() && key.iter().all(|column| portion.columns.contains(column));
        let keys = [table.key.as_slice(), rows.key()];
        let key = keys.into_iter().find(|key| whole(key)).unwrap_or_default().to_vec();
        Ok(WriteChunk {
            database: entry.database.clone(),
            table: table.name.clone(),
            columns: portion.columns,
            key,
            rows: portion.rows,
            on_conflict: match self.job.data_conflict {
                DataConflict::Ignore => OnConflict::Keep,
                DataConflict::Stop => OnConflict::Stop,
                DataConflict::DeleteThenRewrite => OnConflict::Replace,
            },
        })
    }

    /// Writes a portion exactly once, whatever breaks on the way. Rows of a key written twice are the same rows; others,
    /// and rows that must not be there, are looked for first.
    async fn carry(
        &self,
        servers: &mut Servers<'_>,
        write: &WriteChunk,
        before: Before<'_>,
        mut may_be_there: bool,
    ) -> Result<Count, Stop> {
        let rows = write.rows.len() as u64;
        if rows == 0 {
            return Ok(Count::default());
        }
        let repeatable = !write.key.is_empty() && write.on_conflict == OnConflict::Replace;
        let called = format!("table {}.{}", write.database, write.table);
        let mut own = 0;
        loop {
            if may_be_there && !repeatable {
                own = look::same_rows(servers, write, before).await?;
                if own == rows {
                    return Ok(Count { written: rows, skipped: 0 });
                }
            }
            match servers.call_once(Side::Target, write).await? {
                Ok(inserted) if write.on_conflict == OnConflict::Keep => {
                    let written = (own + inserted).min(rows);
                    return Ok(Count { written, skipped: rows - written });
                }
                Ok(_) => return Ok(Count { written: rows, skipped: 0 }),
                Err(DatabaseError::Unreachable(detail)) => servers.wait_out(Side::Target, detail).await?,
                Err(DatabaseError::Constraint(detail)) if self.is_conflict(&detail) => {
                    let table = format!("{}.{}", write.database, write.table);
                    return Err(Stop::Failed(RestoreFailure::DataExists { table, detail }));
                }
                Err(error) => return Err(refused(called, &error)),
            }
            may_be_there = true;
        }
    }

    fn is_conflict(&self, detail: &str) -> bool {
        let said = detail.to_lowercase();
        let says = |rules: &[&str]| rules.iter().any(|rule| said.contains(rule));
        self.job.data_conflict == DataConflict::Stop && (says(&KEY_RULES) || !says(&OTHER_RULES))
    }
}
