//! Copying the rows that are there, table by table and chunk by chunk.

use super::journey::{Journey, changed};
use super::plan::Planned;
use super::verify;
use crate::model::Engine;
use crate::model::content::Object;
use crate::ports::database::{Chunk, DatabaseError, OnConflict, ReadChunk, WriteChunk};
use crate::worker::key_space;
use crate::worker::lease::Stop;
use crate::worker::servers::{Servers, Side, refused};

/// Copies the rows of every planned table that are not copied yet.
///
/// # Errors
/// When a table changed meanwhile (DTS-04), a server refuses, or the lease is over.
pub async fn copy(servers: &mut Servers<'_>, journey: &mut Journey) -> Result<(), Stop> {
    for index in journey.tables() {
        if !journey.work.progress[index].rows_done {
            copy_table(servers, journey, index).await?;
        }
    }
    Ok(())
}

async fn copy_table(servers: &mut Servers<'_>, journey: &mut Journey, index: usize) -> Result<(), Stop> {
    let planned = journey.source(index)?;
    let copy = TableCopy::new(journey, planned, index)?;
    while !journey.work.progress[index].rows_done {
        let chunk = read(servers, journey, &copy, index).await?;
        let written = write(servers, journey, &copy, &chunk).await?;
        journey
            .report(servers, index, |progress| {
                progress.rows_written += written;
                progress.rows_done = chunk.done || chunk.last.is_none();
                progress.after = chunk.last.or(progress.after.take());
            })
            .await?;
    }
    Ok(())
}

/// What stays the same over the chunks of a table.
struct TableCopy {
    planned: Planned,
    columns: Vec<String>,
    target: WriteChunk,
}

impl TableCopy {
    fn new(journey: &Journey, planned: Planned, index: usize) -> Result<Self, Stop> {
        let (database, made): (String, Object) = journey.mapped(index)?;
        let placing = journey.scope().place(&planned.database, &planned.object.name);
        let columns = placing.map(|placing| placing.columns_of(&planned.object)).unwrap_or_default();
        let (columns, columns_as): (Vec<String>, Vec<String>) = columns.into_iter().unzip();
        let target = WriteChunk {
            database,
            table: made.name,
            columns: columns_as,
            key: made.key,
            rows: Vec::new(),
            on_conflict: OnConflict::Keep,
        };
        Ok(Self { planned, columns, target })
    }
}

async fn read(servers: &mut Servers<'_>, journey: &Journey, copy: &TableCopy, index: usize) -> Result<Chunk, Stop> {
    let Planned { database, object } = &copy.planned;
    let read = ReadChunk {
        database: database.clone(),
        table: object.name.clone(),
        columns: copy.columns.clone(),
        after: journey.work.progress[index].after.clone(),
        limit: journey.work.chunk_rows.max(1),
    };
    let answer = servers.call(Side::Source, &read).await?;
    match answer.outcome {
        Ok(chunk) if key_space::is_same(journey.engine(), chunk.revision, object.revision) => Ok(chunk),
        Err(DatabaseError::NoSuchObject(_) | DatabaseError::NoSuchDatabase(_)) if journey.engine() == Engine::Redis => {
            Ok(key_space::empty_chunk())
        }
        Ok(_) | Err(DatabaseError::NoSuchObject(_) | DatabaseError::NoSuchDatabase(_)) => {
            Err(changed(database, &object.name))
        }
        Err(error) => {
            // A dropped or renamed column makes the statement fail: say what really happened.
            verify::source_unchanged(servers, journey).await?;
            Err(refused(Side::Source, &format!("{database}.{}: {error}", object.name)))
        }
    }
}

/// Writes a chunk; says how many rows count as written.
///
/// A chunk may have been written by an attempt that ended before it could report. Written again it inserts nothing, as
/// its keys are there, so the rows handled are counted, not the rows inserted. Where rows of the target stay (C-14),
/// those inserted are counted: the others are not the task's.
async fn write(servers: &mut Servers<'_>, journey: &Journey, copy: &TableCopy, chunk: &Chunk) -> Result<u64, Stop> {
    if chunk.rows.is_empty() {
        return Ok(0);
    }
    let write = WriteChunk { rows: chunk.rows.clone(), ..copy.target.clone() };
    let answer = servers.call(Side::Target, &write).await?;
    let inserted = answer
        .outcome
        .map_err(|error| refused(Side::Target, &format!("{}.{}: {error}", write.database, write.table)))?;
    let handled = u64::try_from(chunk.rows.len()).unwrap_or(u64::MAX);
    Ok(if journey.keeps_same_name() { inserted } else { handled })
}
