//! Bugs about the rows and definitions that arrive.

use crate::planted::Planted;
use crate::planted::tools::gate::on_request;
use crate::planted::tools::tasks::each_object;
use crate::planted::tools::{SessionHooks, meddling, ports};
use crate::runner::variant::Variant;
use recovery::model::content::{ObjectKind, Row, Value};
use recovery::ports::database::{OnConflict, WriteChunk};

/// Ports under which rows are written otherwise than they were read.
macro_rules! writing {
    (|$value:ident| $change:expr) => {
        ports(|| {
            meddling::session(SessionHooks {
                write: Some(|inner, write, _| {
                    Box::pin(async move {
                        let rows = changed(&write.rows, |$value| $change);
                        inner.write(&WriteChunk { rows, ..write.clone() }).await
                    })
                }),
                ..SessionHooks::default()
            })
        })
    };
}

pub(super) const PLANTED: &[Planted] = &[
    Planted {
        name: "fractions-are-rounded",
        says: "Numbers with a fraction arrive rounded to whole ones.",
        check: "quiet_source_gives_equality",
        variant: writing!(|value| match value {
            Value::Real(number) => Value::Real(number.round()),
            other => other.clone(),
        }),
    },
    Planted {
        name: "an-empty-text-becomes-null",
        says: "An empty text arrives as NULL.",
        check: "quiet_source_gives_equality",
        variant: writing!(|value| match value {
            Value::Text(text) if text.is_empty() => Value::Null,
            other => other.clone(),
        }),
    },
    Planted {
        name: "great-numbers-lose-their-last-digits",
        says: "A whole number beyond 53 bits arrives as the nearest number a screen could show.",
        check: "migrated_content_is_right",
        variant: writing!(|value| match value {
            Value::Integer(number) if number.unsigned_abs() > 1 << 53 => Value::Integer(number & !1),
            other => other.clone(),
        }),
    },
    Planted {
        name: "letters-beyond-ascii-become-question-marks",
        says: "A letter that is not ASCII arrives as a question mark.",
        check: "migrated_content_is_right",
        variant: writing!(|value| match value {
            Value::Text(text) => Value::Text(text.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect()),
            other => other.clone(),
        }),
    },
    Planted {
        name: "ignoring-overwrites",
        says: "A row of the target with the key of one that arrives is overwritten, though it was to stay.",
        check: "migrated_content_is_right",
        variant: ports(|| {
            meddling::session(SessionHooks {
                write: Some(|inner, write, _| {
                    Box::pin(async move {
                        inner.write(&WriteChunk { on_conflict: OnConflict::Replace, ..write.clone() }).await
                    })
                }),
                ..SessionHooks::default()
            })
        }),
    },
    Planted {
        name: "a-trigger-fires-on-copied-rows",
        says: "Rows are copied by ordinary statements, so that what a trigger did once is done twice.",
        check: "migrated_content_is_right",
        variant: ports(|| {
            meddling::session(SessionHooks {
                write: Some(|inner, write, _| {
                    Box::pin(async move {
                        for row in &write.rows {
                            let values: Vec<String> = row.iter().map(literal).collect();
                            let (table, columns) = (&write.table, write.columns.join(", "));
                            let sql = format!("insert into {table} ({columns}) values ({})", values.join(", "));
                            inner.run(&write.database, &sql).await?;
                        }
                        Ok(write.rows.len() as u64)
                    })
                }),
                ..SessionHooks::default()
            })
        }),
    },
    Planted {
        name: "indexes-are-left-behind",
        says: "A table arrives without its indexes.",
        check: "migrated_content_is_right",
        variant: ports(|| {
            meddling::session(SessionHooks {
                describe: Some(|inner, database, _| {
                    Box::pin(async move {
                        let mut objects = inner.describe(database).await?;
                        objects.retain(|object| object.kind != ObjectKind::Index);
                        Ok(objects)
                    })
                }),
                ..SessionHooks::default()
            })
        }),
    },
    Planted {
        name: "the-case-of-a-chosen-column-is-passed-over",
        says: "Names of columns are compared and made in small letters.",
        check: "migrated_content_is_right",
        variant: Variant {
            policy: None,
            ports: Some(|| {
                meddling::session(SessionHooks {
                    describe: Some(|inner, database, _| {
                        Box::pin(async move {
                            let mut objects = inner.describe(database).await?;
                            for column in objects.iter_mut().flat_map(|object| &mut object.columns) {
                                column.name = column.name.to_lowercase();
                            }
                            Ok(objects)
                        })
                    }),
                    ..SessionHooks::default()
                })
            }),
            gate: Some(|| {
                on_request(|request, _| {
                    each_object(request, |object| {
                        let columns = object.get_mut("columns").and_then(serde_json::Value::as_array_mut);
                        for column in columns.into_iter().flatten() {
                            *column = column.as_str().map(str::to_lowercase).into();
                        }
                    });
                })
            }),
        },
    },
];

/// Rows with other values.
fn changed(rows: &[Row], change: impl Fn(&Value) -> Value) -> Vec<Row> {
    rows.iter().map(|row| row.iter().map(&change).collect()).collect()
}

/// A value as a statement writes it.
fn literal(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => format!("{number:?}"),
        Value::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Value::Bytes { hex } => format!("x'{hex}'"),
    }
}
