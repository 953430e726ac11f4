//! Bugs about what a migration does to its source, and about what changes there meanwhile.

use crate::planted::Planted;
use crate::planted::tools::tasks::{NOTED, is_restored};
use crate::planted::tools::{At, Meddling, SessionHooks, ports};
use serde_json::json;
use sim::Meddler;
use std::sync::Arc;

pub(super) const PLANTED: &[Planted] = &[
    Planted {
        name: "rows-are-moved-and-not-copied",
        says: "The rows of a table are deleted in the source once they are read.",
        check: "source_stays_as_it_was",
        variant: ports(|| {
            with_sides(SessionHooks {
                read: Some(|inner, read, at| {
                    Box::pin(async move {
                        let chunk = inner.read(read).await?;
                        if is_restored(at) && chunk.done {
                            inner.run(&read.database, &format!("delete from {}", read.table)).await?;
                        }
                        Ok(chunk)
                    })
                }),
                ..SessionHooks::default()
            })
        }),
    },
    Planted {
        name: "a-new-name-is-given-in-the-source-too",
        says: "A table that goes to the target under another name is called so in the source as well.",
        check: "source_stays_as_it_was",
        variant: ports(renaming_at_the_end),
    },
    Planted {
        name: "a-copy-leaves-its-mark-in-the-source",
        says: "To remember how far it is, a migration keeps a table of its own in the source.",
        check: "source_stays_as_it_was",
        variant: ports(|| {
            with_sides(SessionHooks {
                read: Some(|inner, read, at| {
                    Box::pin(async move {
                        let chunk = inner.read(read).await?;
                        if is_restored(at) && at.memory(|memory| memory.first(format!("marked {}", at.endpoint))) {
                            inner.run("app", "create table dts_progress (id int primary key)").await?;
                        }
                        Ok(chunk)
                    })
                }),
                ..SessionHooks::default()
            })
        }),
    },
    Planted {
        name: "ddl-during-the-copy-is-not-noticed",
        says: "Revisions of objects are not compared, so that a table may be emptied or made anew under the copy.",
        check: "ddl_never_passes_silently",
        variant: ports(|| {
            with_sides(SessionHooks {
                describe: Some(|inner, database, _| {
                    Box::pin(async move {
                        let mut objects = inner.describe(database).await?;
                        objects.iter_mut().for_each(|object| object.revision = 1);
                        Ok(objects)
                    })
                }),
                read: Some(|inner, read, _| {
                    Box::pin(async move {
                        let mut chunk = inner.read(read).await?;
                        chunk.revision = 1;
                        Ok(chunk)
                    })
                }),
                ..SessionHooks::default()
            })
        }),
    },
];

fn with_sides(session: SessionHooks) -> Arc<dyn Meddler> {
    Arc::new(Meddling { session, cloud: NOTED, ..Meddling::default() })
}

/// Ports under which a renamed table is renamed in the source too, after the last look at it.
pub(in crate::planted) fn renaming_at_the_end() -> Arc<dyn Meddler> {
    with_sides(SessionHooks {
        read: Some(|inner, read, at| {
            Box::pin(async move {
                let chunk = inner.read(read).await?;
                at.memory(|memory| memory.put("read", json!(read.table)));
                Ok(chunk)
            })
        }),
        write: Some(|inner, write, at| {
            Box::pin(async move {
                at.memory(|memory| memory.put("written", json!(write.table)));
                inner.write(write).await
            })
        }),
        describe: Some(|inner, database, at| {
            Box::pin(async move {
                let objects = inner.describe(database).await?;
                if let Some((from, to)) = renamed(at).filter(|_| is_restored(at)) {
                    inner.run(database, &format!("alter table {from} rename to {to}")).await?;
                }
                Ok(objects)
            })
        }),
        ..SessionHooks::default()
    })
}

/// A table that was copied under another name, once.
fn renamed(at: &At) -> Option<(String, String)> {
    at.memory(|memory| {
        let (from, to) = (memory.text("read")?, memory.text("written")?);
        (from != to && memory.first("renamed")).then_some((from, to))
    })
}
