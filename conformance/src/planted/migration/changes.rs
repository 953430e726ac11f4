//! Bugs about following the log of a source.

use crate::planted::Planted;
use crate::planted::tools::{SessionHooks, meddling, ports};
use recovery::model::content::{ChangeKind, ObjectKind};
use recovery::ports::database::Apply;
use serde_json::json;

pub(super) const PLANTED: &[Planted] = &[
    Planted {
        name: "a-delete-is-missed",
        says: "A row that is deleted in the source while it is followed stays in the target.",
        check: "migrated_content_is_right",
        variant: ports(|| {
            meddling::session(SessionHooks {
                apply: Some(|inner, changes, _| {
                    Box::pin(async move {
                        let kept: Vec<Apply> =
                            changes.iter().filter(|change| !matches!(change, Apply::Delete { .. })).cloned().collect();
                        inner.apply(&kept).await
                    })
                }),
                ..SessionHooks::default()
            })
        }),
    },
    Planted {
        name: "an-old-row-is-applied-over-a-new-one",
        says: "An update of a row in the source arrives as the row that was there before.",
        check: "migrated_content_is_right",
        variant: ports(|| {
            meddling::session(SessionHooks {
                apply: Some(|inner, changes, _| {
                    Box::pin(async move {
                        let mut turned = changes.to_vec();
                        for change in &mut turned {
                            if let Apply::Upsert { old: Some(old), new, .. } = change {
                                new.clone_from(old);
                            }
                        }
                        inner.apply(&turned).await
                    })
                }),
                ..SessionHooks::default()
            })
        }),
    },
    Planted {
        name: "two-workers-write-the-same-task",
        says: "A worker whose lease has passed on is not fenced off, and what it sent late is written over what is newer.",
        check: "migrated_content_is_right",
        variant: ports(|| {
            meddling::session(SessionHooks {
                claim: Some(|_, _, _, _| Box::pin(async { Ok(()) })),
                ..SessionHooks::default()
            })
        }),
    },
    Planted {
        name: "ddl-in-the-log-is-passed-over",
        says: "A column that is added in the source while it is followed never arrives, and nobody says so.",
        check: "ddl_never_passes_silently",
        variant: ports(|| {
            meddling::session(SessionHooks {
                describe: Some(|inner, database, at| {
                    Box::pin(async move {
                        let objects = inner.describe(database).await?;
                        for table in objects.iter().filter(|object| object.kind == ObjectKind::Table) {
                            let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
                            at.memory(|memory| {
                                if memory.first(format!("seen {database} {}", table.name)) {
                                    memory.put(format!("columns {database} {}", table.name), json!(names));
                                }
                            });
                        }
                        Ok(objects)
                    })
                }),
                changes: Some(|inner, after, limit, at| {
                    Box::pin(async move {
                        let mut changes = inner.changes(after, limit).await?;
                        changes.retain(|change| !matches!(change.kind, ChangeKind::Ddl { .. }));
                        for change in &mut changes {
                            let ChangeKind::Row { table, old, new } = &mut change.kind else { continue };
                            let name = format!("columns {} {table}", change.database);
                            let known = at.memory(|memory| memory.get(&name).cloned()).unwrap_or_default();
                            let is_known = |column: &String| {
                                known.as_array().is_none_or(|known| known.iter().any(|name| name == column.as_str()))
                            };
                            old.iter_mut().chain(new).for_each(|row| row.retain(|column, _| is_known(column)));
                        }
                        Ok(changes)
                    })
                }),
                ..SessionHooks::default()
            })
        }),
    },
];
