//! Bugs about rows that are lost, doubled or said to be there.

use crate::planted::Planted;
use crate::planted::tasks::MIRRORS;
use crate::planted::tools::{At, SessionHooks, meddling, ports};
use recovery::model::content::ObjectKind;
use recovery::ports::database::WriteChunk;
use serde_json::json;

pub(super) const PLANTED: &[Planted] = &[
    Planted {
        name: "a-row-is-dropped-from-each-chunk",
        says: "The last row of every chunk is read and not written.",
        check: "quiet_source_gives_equality",
        variant: ports(|| {
            meddling::session(SessionHooks {
                write: Some(|inner, write, _| {
                    Box::pin(async move {
                        let mut rows = write.rows.clone();
                        rows.pop();
                        inner.write(&WriteChunk { rows, ..write.clone() }).await?;
                        Ok(write.rows.len() as u64)
                    })
                }),
                ..SessionHooks::default()
            })
        }),
    },
    Planted {
        name: "a-row-is-lost-at-each-border-of-chunks",
        says: "The first row of every chunk but the first of a table is left out.",
        check: "no_row_lost_or_doubled",
        variant: ports(|| {
            meddling::session(SessionHooks {
                read: Some(|inner, read, _| {
                    Box::pin(async move {
                        let mut chunk = inner.read(read).await?;
                        if read.after.is_some() && !chunk.rows.is_empty() {
                            chunk.rows.remove(0);
                        }
                        Ok(chunk)
                    })
                }),
                ..SessionHooks::default()
            })
        }),
    },
    Planted {
        name: "progress-is-saved-before-its-rows",
        says: "A worker reports a chunk as written and writes it only together with the next one.",
        check: "no_row_lost_or_doubled",
        variant: ports(|| {
            meddling::session(SessionHooks {
                // A new session knows nothing of what an earlier one still had to write.
                claim: Some(|inner, task, epoch, at| {
                    Box::pin(async move {
                        at.memory(|memory| memory.take(&pending(at)));
                        inner.claim(task, epoch).await
                    })
                }),
                write: Some(|inner, write, at| {
                    Box::pin(async move {
                        let before = at.memory(|memory| memory.take(&pending(at)));
                        at.memory(|memory| memory.put(pending(at), json!(write)));
                        write_pending(inner, before).await?;
                        Ok(write.rows.len() as u64)
                    })
                }),
                describe: Some(|inner, database, at| {
                    Box::pin(async move {
                        let before = at.memory(|memory| memory.take(&pending(at)));
                        write_pending(inner, before).await?;
                        inner.describe(database).await
                    })
                }),
                ..SessionHooks::default()
            })
        }),
    },
    Planted {
        name: "a-key-is-left-out-and-its-rows-come-twice",
        says: "A table is made without its primary key, and a chunk that is written again is there twice.",
        check: "no_row_lost_or_doubled",
        variant: ports(|| {
            meddling::session(SessionHooks {
                create: Some(|inner, database, object, _| {
                    Box::pin(async move {
                        let mut object = object.clone();
                        if object.kind == ObjectKind::Table {
                            object.definition = object.definition.replace(" primary key", "");
                            object.key.clear();
                        }
                        inner.create(database, &object).await
                    })
                }),
                write: Some(|inner, write, _| {
                    Box::pin(async move {
                        let write = WriteChunk { key: Vec::new(), ..write.clone() };
                        inner.write(&write).await?;
                        inner.write(&write).await
                    })
                }),
                ..SessionHooks::default()
            })
        }),
    },
    Planted {
        name: "rows-of-the-application-are-swept-away",
        says: "A migration empties tables of the target that it has nothing to do with while the application writes there.",
        check: "no_row_lost_or_doubled",
        variant: ports(|| meddling::session(SessionHooks { create: Some(MIRRORS), ..SessionHooks::default() })),
    },
];

/// Where a session's chunk waits to be written.
fn pending(at: &At) -> String {
    format!("pending {} {}", at.host, at.endpoint)
}

async fn write_pending(
    inner: &mut dyn recovery::ports::Session,
    before: Option<serde_json::Value>,
) -> Result<(), recovery::ports::database::DatabaseError> {
    if let Some(before) = before.and_then(|before| serde_json::from_value::<WriteChunk>(before).ok()) {
        inner.write(&before).await?;
    }
    Ok(())
}
