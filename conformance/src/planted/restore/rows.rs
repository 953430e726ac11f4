//! Planted bugs about rows: what a row of the same key means, and what acts on rows while they come.

use crate::planted::Planted;
use crate::planted::tools::meddling::session;
use crate::planted::tools::session::{Given, Inner};
use crate::planted::tools::{At, SessionHooks, ports};
use recovery::model::content::{Object, ObjectKind, Row, Value};
use recovery::ports::database::{DatabaseError, OnConflict, WriteChunk};
use serde::Deserialize;
use sim::Meddler;
use std::sync::Arc;

/// What is done in the place of a write.
type Write = for<'a> fn(&'a mut Inner, &'a WriteChunk, &'a At) -> Given<'a, u64>;

fn writing(write: Write) -> Arc<dyn Meddler> {
    session(SessionHooks { write: Some(write), ..SessionHooks::default() })
}

/// The same rows, where a row of their key is there to be met in another way.
fn settled(asked: &WriteChunk, from: OnConflict, to: OnConflict) -> WriteChunk {
    let on_conflict = if asked.on_conflict == from { to } else { asked.on_conflict };
    WriteChunk { on_conflict, ..asked.clone() }
}

/// A value as SQL writes it.
fn literal(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => format!("{number:?}"),
        Value::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Value::Bytes { hex } => format!("x'{hex}'"),
    }
}

/// Rows as a statement that inserts them, so that triggers act on them.
fn inserts(asked: &WriteChunk) -> String {
    let row = |row: &Row| format!("({})", row.iter().map(literal).collect::<Vec<_>>().join(", "));
    let rows: Vec<String> = asked.rows.iter().map(row).collect();
    format!("insert into {} ({}) values {}", asked.table, asked.columns.join(", "), rows.join(", "))
}

/// Under which name the triggers of a table are kept.
fn triggers_of(database: &str, table: &str) -> String {
    format!("triggers of {database}.{table}")
}

/// Describes a database and keeps its triggers in mind.
fn describe<'a>(inner: &'a mut Inner, database: &'a str, at: &'a At) -> Given<'a, Vec<Object>> {
    Box::pin(async move {
        let objects = inner.describe(database).await?;
        for trigger in objects.iter().filter(|object| object.kind == ObjectKind::Trigger) {
            let table = trigger.table.clone().unwrap_or_default();
            let kept = serde_json::to_value(trigger).unwrap_or_default();
            at.memory(|memory| memory.put(triggers_of(database, &table), kept));
        }
        Ok(objects)
    })
}

/// Writes rows while a trigger of their table acts on each.
fn write_with_triggers<'a>(inner: &'a mut Inner, asked: &'a WriteChunk, at: &'a At) -> Given<'a, u64> {
    Box::pin(async move {
        let kept = at.memory(|memory| memory.get(&triggers_of(&asked.database, &asked.table)).cloned());
        let trigger = kept.and_then(|kept| Object::deserialize(kept).ok());
        let Some(trigger) = trigger.filter(|_| !asked.rows.is_empty()) else { return inner.write(asked).await };
        inner.create(&asked.database, &trigger).await?;
        let written = inner.run(&asked.database, &inserts(asked)).await;
        inner.run(&asked.database, &format!("drop trigger {}", trigger.name)).await?;
        written.map(|outcome| outcome.affected)
    })
}

pub(super) const PLANTED: &[Planted] = &[
    Planted {
        name: "the-policy-of-ignoring-overwrites",
        says: "A row that is there already gives way to that of the backup though it was to stay.",
        check: "existing_rows_are_kept",
        variant: ports(|| {
            writing(|inner, asked, _| {
                Box::pin(async move { inner.write(&settled(asked, OnConflict::Keep, OnConflict::Replace)).await })
            })
        }),
    },
    Planted {
        name: "a-portion-with-a-row-that-is-there-is-left-out",
        says: "One row that is there already keeps all rows beside it from coming.",
        check: "existing_rows_are_kept",
        variant: ports(|| {
            writing(|inner, asked, _| {
                Box::pin(async move {
                    match inner.write(&settled(asked, OnConflict::Keep, OnConflict::Stop)).await {
                        Err(DatabaseError::Constraint(_)) if asked.on_conflict == OnConflict::Keep => Ok(0),
                        written => written,
                    }
                })
            })
        }),
    },
    Planted {
        name: "a-row-that-is-to-stay-is-an-error",
        says: "The policy of going on at a row that is there fails with what the server says of it.",
        check: "existing_rows_are_kept",
        variant: ports(|| {
            writing(|inner, asked, _| {
                Box::pin(async move { inner.write(&settled(asked, OnConflict::Keep, OnConflict::Stop)).await })
            })
        }),
    },
    Planted {
        name: "rewriting-deletes-rows-without-a-conflict",
        says: "Delete, then rewrite empties the table before it writes.",
        check: "existing_rows_are_rewritten",
        variant: ports(|| {
            writing(|inner, asked, at| {
                Box::pin(async move {
                    let table = format!("{} {}.{}", at.endpoint, asked.database, asked.table);
                    if asked.on_conflict == OnConflict::Replace && at.memory(|memory| memory.first(table)) {
                        inner.run(&asked.database, &format!("delete from {}", asked.table)).await?;
                    }
                    inner.write(asked).await
                })
            })
        }),
    },
    Planted {
        name: "rewriting-leaves-rows-that-are-there",
        says: "Delete, then rewrite keeps the row of the target.",
        check: "existing_rows_are_rewritten",
        variant: ports(|| {
            writing(|inner, asked, _| {
                Box::pin(async move { inner.write(&settled(asked, OnConflict::Replace, OnConflict::Keep)).await })
            })
        }),
    },
    Planted {
        name: "a-row-in-the-way-does-not-stop-a-restore",
        says: "The policy of stopping at a row that is there goes on.",
        check: "existing_rows_stop_the_task",
        variant: ports(|| {
            writing(|inner, asked, _| {
                Box::pin(async move { inner.write(&settled(asked, OnConflict::Stop, OnConflict::Keep)).await })
            })
        }),
    },
    Planted {
        name: "a-row-in-the-way-is-overwritten-before-the-restore-stops",
        says: "The policy of stopping at a row that is there changes the row first.",
        check: "existing_rows_stop_the_task",
        variant: ports(|| {
            writing(|inner, asked, _| {
                Box::pin(async move {
                    let written = inner.write(asked).await;
                    if written.is_err() && asked.on_conflict == OnConflict::Stop {
                        inner.write(&settled(asked, OnConflict::Stop, OnConflict::Replace)).await?;
                    }
                    written
                })
            })
        }),
    },
    Planted {
        name: "triggers-fire-while-their-rows-come",
        says: "A trigger stands before the rows of its table come, and what it once wrote is written twice.",
        check: "their_rows_are_there_once",
        variant: ports(|| {
            session(SessionHooks {
                describe: Some(describe),
                write: Some(write_with_triggers),
                ..SessionHooks::default()
            })
        }),
    },
];
