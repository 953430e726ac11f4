//! Planted bugs that touch other servers than the target: above all the living source, which a restore needs not at all.

use crate::planted::Planted;
use crate::planted::tools::database::Connect;
use crate::planted::tools::session::{Given, Inner};
use crate::planted::tools::{At, Meddling, SessionHooks, ports};
use recovery::model::content::{Column, Object, ObjectKind};
use recovery::ports::Session;
use recovery::ports::database::{DatabaseError, Login, OnConflict, ReadChunk, SnapshotFacts, WriteChunk};
use serde::Deserialize;
use sim::Meddler;
use std::sync::Arc;

/// More rows than any source has.
const ALL_ROWS: usize = 100_000;

/// Logs in, and keeps the login in mind.
const REMEMBERING: Connect = |database, endpoint, login, at| {
    Box::pin(async move {
        let session = database.connect(endpoint, login).await?;
        let kept = serde_json::to_value(login).unwrap_or_default();
        at.memory(|memory| memory.put(format!("login {endpoint}"), kept));
        Ok(session)
    })
};

/// Takes a snapshot, and keeps in mind where.
fn snapshot<'a>(inner: &'a mut Inner, at: &'a At) -> Given<'a, SnapshotFacts> {
    Box::pin(async move {
        at.memory(|memory| memory.put("source", at.endpoint.as_str()));
        inner.snapshot().await
    })
}

/// A session with the server that was backed up last, unless it is the server of this session.
async fn source(at: &At) -> Result<Option<Box<dyn Session>>, DatabaseError> {
    let found = at.memory(|memory| {
        let endpoint = memory.text("source").filter(|endpoint| *endpoint != at.endpoint)?;
        let login = memory.get(&format!("login {endpoint}")).cloned()?;
        Some((endpoint, Login::deserialize(login).ok()?))
    });
    let Some((endpoint, login)) = found else { return Ok(None) };
    let opened = at.ports.database.connect(&endpoint, &login).await;
    let unread = |error: DatabaseError| DatabaseError::Statement(format!("{endpoint} cannot be read: {error}"));
    opened.map(Some).map_err(unread)
}

/// Ports whose sessions know the source.
fn knowing(hooks: SessionHooks) -> Arc<dyn Meddler> {
    let session = SessionHooks { snapshot: Some(snapshot), ..hooks };
    Arc::new(Meddling { connect: Some(REMEMBERING), session, ..Meddling::default() })
}

/// Makes an object; a table whose name was changed gets it in the source, too.
fn rename<'a>(inner: &'a mut Inner, database: &'a str, object: &'a Object, at: &'a At) -> Given<'a, ()> {
    Box::pin(async move {
        inner.create(database, object).await?;
        let Some(mut source) = source(at).await? else { return Ok(()) };
        let names = |columns: &[Column]| columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>();
        let mut there = source.describe(database).await?;
        there.retain(|own| own.kind == ObjectKind::Table);
        let own = there.iter().find(|own| names(&own.columns) == names(&object.columns));
        if let Some(own) = own.filter(|_| !there.iter().any(|own| own.name == object.name)) {
            source.run(database, &format!("alter table {} rename to {}", own.name, object.name)).await?;
        }
        Ok(())
    })
}

/// Writes the rows that the source has now, with the first portion of a table.
fn live_rows<'a>(inner: &'a mut Inner, asked: &'a WriteChunk, at: &'a At) -> Given<'a, u64> {
    Box::pin(async move {
        let Some(mut source) = source(at).await? else { return inner.write(asked).await };
        let (database, table, columns) = (asked.database.clone(), asked.table.clone(), asked.columns.clone());
        if at.memory(|memory| memory.first(format!("{} {database}.{table}", at.endpoint))) {
            let read = ReadChunk { database, table, columns, after: None, limit: ALL_ROWS };
            let rows = source.read(&read).await?.rows;
            inner.write(&WriteChunk { rows, ..asked.clone() }).await?;
        }
        Ok(asked.rows.len() as u64)
    })
}

/// Writes rows to the target and to the source.
fn both<'a>(inner: &'a mut Inner, asked: &'a WriteChunk, at: &'a At) -> Given<'a, u64> {
    Box::pin(async move {
        let written = inner.write(asked).await?;
        if let Ok(Some(mut source)) = source(at).await {
            // What the source does not take does not keep the restore from going on.
            let _ = source.write(&WriteChunk { on_conflict: OnConflict::Keep, ..asked.clone() }).await;
        }
        Ok(written)
    })
}

/// Claims a target, and locks the source by a table of its own.
fn mark<'a>(inner: &'a mut Inner, task: &'a str, epoch: u64, at: &'a At) -> Given<'a, ()> {
    Box::pin(async move {
        if let Ok(Some(mut source)) = source(at).await {
            // Locked already, or not to be reached: the restore goes on.
            let _ = source.run("app", "create table restore_lock (id int primary key)").await;
        }
        inner.claim(task, epoch).await
    })
}

pub(super) const PLANTED: &[Planted] = &[
    Planted {
        name: "a-changed-name-is-changed-in-the-source",
        says: "The mapping of a restore renames the table in the living source, too.",
        check: "live_source_is_not_touched",
        variant: ports(|| knowing(SessionHooks { create: Some(rename), ..SessionHooks::default() })),
    },
    Planted {
        name: "a-restore-goes-back-to-the-source-instead-of-the-vault",
        says: "Rows are read from the living source and not from the backup.",
        check: "live_source_is_not_touched",
        variant: ports(|| knowing(SessionHooks { write: Some(live_rows), ..SessionHooks::default() })),
    },
    Planted {
        name: "a-restore-leaves-a-lock-in-the-source",
        says: "A restore makes a table of its own in the living source.",
        check: "live_source_is_not_touched",
        variant: ports(|| knowing(SessionHooks { claim: Some(mark), ..SessionHooks::default() })),
    },
    Planted {
        name: "rows-go-to-the-source-as-well",
        says: "What is restored is written to the source beside the target.",
        check: "rows_go_to_the_target_alone",
        variant: ports(|| knowing(SessionHooks { write: Some(both), ..SessionHooks::default() })),
    },
];
