//! Planted bugs about objects: which come, whose they become, and what stays behind.

use crate::planted::Planted;
use crate::planted::tools::meddling::session;
use crate::planted::tools::session::{Given, Inner};
use crate::planted::tools::{At, SessionHooks, ports};
use recovery::model::content::{Change, ChangeKind, Object, ObjectKind};
use recovery::ports::database::DatabaseError;
use serde::Deserialize;
use serde_json::Value;
use sim::Meddler;
use std::sync::Arc;

/// What is done in the place of making an object.
type Create = for<'a> fn(&'a mut Inner, &'a str, &'a Object, &'a At) -> Given<'a, ()>;
/// What is done in the place of describing a database.
type Describe = for<'a> fn(&'a mut Inner, &'a str, &'a At) -> Given<'a, Vec<Object>>;

fn making(create: Create) -> Arc<dyn Meddler> {
    session(SessionHooks { create: Some(create), ..SessionHooks::default() })
}

fn describing(describe: Describe) -> Arc<dyn Meddler> {
    session(SessionHooks { describe: Some(describe), ..SessionHooks::default() })
}

/// Describes a database as if it had no object of some kinds.
fn without<'a>(inner: &'a mut Inner, database: &'a str, kinds: &'static [ObjectKind]) -> Given<'a, Vec<Object>> {
    Box::pin(async move {
        let mut objects = inner.describe(database).await?;
        objects.retain(|object| !kinds.contains(&object.kind));
        Ok(objects)
    })
}

/// Under which name the definer of an object is kept.
fn definer_of(database: &str, object: &Object) -> String {
    format!("definer of {:?} {database}.{}", object.kind, object.name)
}

/// Describes a database and keeps the definers of one kind in mind.
fn noticing_definers<'a>(
    inner: &'a mut Inner,
    database: &'a str,
    at: &'a At,
    kind: ObjectKind,
) -> Given<'a, Vec<Object>> {
    Box::pin(async move {
        let objects = inner.describe(database).await?;
        for object in objects.iter().filter(|object| object.kind == kind) {
            let definer = object.definer.clone().unwrap_or_default();
            at.memory(|memory| memory.put(definer_of(database, object), definer));
        }
        Ok(objects)
    })
}

/// Makes an object with the definer it had, if that is kept in mind.
fn keeping_definer<'a>(inner: &'a mut Inner, database: &'a str, object: &'a Object, at: &'a At) -> Given<'a, ()> {
    Box::pin(async move {
        let definer = at.memory(|memory| memory.text(&definer_of(database, object)));
        let Some(definer) = definer else { return inner.create(database, object).await };
        let text = object.definition.trim_start();
        let rest = text.get("create".len()..).unwrap_or_default();
        inner.run(database, &format!("create definer = {definer}{rest}")).await.map(drop)
    })
}

/// Under which name statements of the log are kept that make something in a database.
fn made_in(database: &str) -> String {
    format!("made in {database}")
}

/// Reads the log, and keeps in mind what made such an object.
fn noticing<'a>(
    inner: &'a mut Inner,
    (after, limit): (u64, usize),
    at: &'a At,
    begins: &'static str,
) -> Given<'a, Vec<Change>> {
    Box::pin(async move {
        let changes = inner.changes(after, limit).await?;
        for change in &changes {
            let ChangeKind::Ddl { sql, .. } = &change.kind else { continue };
            if sql.trim_start().to_lowercase().starts_with(begins) {
                at.memory(|memory| memory.put(made_in(&change.database), sql.as_str()));
            }
        }
        Ok(changes)
    })
}

/// Makes an object, and afterwards what was kept in mind, as soon as that can be made.
fn replaying<'a>(inner: &'a mut Inner, database: &'a str, object: &'a Object, at: &'a At) -> Given<'a, ()> {
    Box::pin(async move {
        inner.create(database, object).await?;
        let kept = at.memory(|memory| memory.text(&made_in(database)));
        if let Some(sql) = kept
            && inner.run(database, &sql).await.is_ok()
        {
            at.memory(|memory| memory.take(&made_in(database)));
        }
        Ok(())
    })
}

/// Under which name the foreign keys of a database are kept.
fn keys_of(database: &str) -> String {
    format!("foreign keys of {database}")
}

/// Describes a database and keeps its foreign keys in mind.
fn noticing_keys<'a>(inner: &'a mut Inner, database: &'a str, at: &'a At) -> Given<'a, Vec<Object>> {
    Box::pin(async move {
        let objects = inner.describe(database).await?;
        let keys: Vec<&Object> = objects.iter().filter(|object| object.kind == ObjectKind::ForeignKey).collect();
        if !keys.is_empty() {
            let kept = serde_json::to_value(keys).unwrap_or_default();
            at.memory(|memory| memory.put(keys_of(database), kept));
        }
        Ok(objects)
    })
}

/// The foreign keys kept in mind.
fn keys(database: &str, at: &At) -> Vec<Object> {
    let kept = at.memory(|memory| memory.get(&keys_of(database)).cloned());
    kept.and_then(|kept| Vec::<Object>::deserialize(kept).ok()).unwrap_or_default()
}

/// Makes an object, and every foreign key that can be made then.
fn making_keys<'a>(inner: &'a mut Inner, database: &'a str, object: &'a Object, at: &'a At) -> Given<'a, ()> {
    Box::pin(async move {
        inner.create(database, object).await?;
        for key in keys(database, at) {
            // A key whose tables are not both there, or that is there itself, is tried again with the next object.
            let _ = inner.create(database, &key).await;
        }
        Ok(())
    })
}

/// Makes an object; a table that points to one that is not there yet is refused.
fn in_order_of_keys<'a>(inner: &'a mut Inner, database: &'a str, object: &'a Object, at: &'a At) -> Given<'a, ()> {
    Box::pin(async move {
        let there = inner.describe(database).await?;
        let stands = |name: &String| there.iter().any(|one| one.kind == ObjectKind::Table && one.name == *name);
        let own = keys(database, at).into_iter().filter(|key| key.table.as_ref() == Some(&object.name));
        let missing = own.flat_map(|key| key.needs).find(|parent| *parent != object.name && !stands(parent));
        match missing.filter(|_| object.kind == ObjectKind::Table) {
            Some(parent) => Err(DatabaseError::Constraint(format!("foreign key: there is no table {parent}"))),
            None => inner.create(database, object).await,
        }
    })
}

/// Under which name is kept that a restore made a table anew.
fn anew(at: &At, database: &str, table: &str) -> String {
    format!("made anew {} {database}.{table}", at.endpoint)
}

/// Describes a target without the tables that stood in it before.
fn blind<'a>(inner: &'a mut Inner, database: &'a str, at: &'a At) -> Given<'a, Vec<Object>> {
    Box::pin(async move {
        let mut objects = inner.describe(database).await?;
        if at.memory(|memory| memory.get(&format!("target {}", at.endpoint)).is_some()) {
            objects.retain(|object| at.memory(|memory| memory.get(&anew(at, database, &object.name)).is_some()));
        }
        Ok(objects)
    })
}

/// Makes an object; a table of its name goes first.
fn dropping<'a>(inner: &'a mut Inner, database: &'a str, object: &'a Object, at: &'a At) -> Given<'a, ()> {
    Box::pin(async move {
        if object.kind == ObjectKind::Table {
            inner.run(database, &format!("drop table if exists {}", object.name)).await?;
        }
        inner.create(database, object).await?;
        at.memory(|memory| memory.put(anew(at, database, &object.name), true));
        Ok(())
    })
}

pub(super) const PLANTED: &[Planted] = &[
    Planted {
        name: "views-of-a-backup-are-told-done-and-not-made",
        says: "A restore counts views as made that it never made.",
        check: "all_objects_come",
        variant: ports(|| {
            making(|inner, database, object, _| {
                Box::pin(async move {
                    if object.kind == ObjectKind::View { Ok(()) } else { inner.create(database, object).await }
                })
            })
        }),
    },
    Planted {
        name: "indexes-are-left-out-of-a-backup",
        says: "A logical backup holds no index.",
        check: "all_objects_come",
        variant: ports(|| describing(|inner, database, _| without(inner, database, &[ObjectKind::Index]))),
    },
    Planted {
        name: "routines-are-left-out-of-a-backup",
        says: "A logical backup holds no function and no procedure.",
        check: "all_objects_come",
        variant: ports(|| {
            describing(|inner, database, _| without(inner, database, &[ObjectKind::Function, ObjectKind::Procedure]))
        }),
    },
    Planted {
        name: "names-are-changed-beside-views-functions-procedures-and-triggers",
        says: "Programmable objects are overlooked, so that a restore with changed names beside them ends well.",
        check: "mapping_with_programmable_objects_fails",
        variant: ports(|| {
            describing(|inner, database, _| {
                const PROGRAMMABLE: &[ObjectKind] =
                    &[ObjectKind::View, ObjectKind::Function, ObjectKind::Procedure, ObjectKind::Trigger];
                without(inner, database, PROGRAMMABLE)
            })
        }),
    },
    Planted {
        name: "events-keep-their-definer",
        says: "Of the five kinds with a definer events keep that of the source.",
        check: "definers_become_the_restoring_account",
        variant: ports(|| {
            session(SessionHooks {
                describe: Some(|inner, database, at| noticing_definers(inner, database, at, ObjectKind::Event)),
                create: Some(keeping_definer),
                ..SessionHooks::default()
            })
        }),
    },
    Planted {
        name: "procedures-keep-their-definer",
        says: "Of the five kinds with a definer procedures keep that of the source.",
        check: "definers_become_the_restoring_account",
        variant: ports(|| {
            session(SessionHooks {
                describe: Some(|inner, database, at| noticing_definers(inner, database, at, ObjectKind::Procedure)),
                create: Some(keeping_definer),
                ..SessionHooks::default()
            })
        }),
    },
    Planted {
        name: "events-of-the-log-are-restored",
        says: "An event made after the full set comes with the log.",
        check: "events_of_the_log_stay_behind",
        variant: ports(|| {
            session(SessionHooks {
                changes: Some(|inner, after, limit, at| noticing(inner, (after, limit), at, "create event")),
                create: Some(replaying),
                ..SessionHooks::default()
            })
        }),
    },
    Planted {
        name: "triggers-of-the-log-are-restored",
        says: "A trigger made after the full set comes with the log.",
        check: "triggers_of_the_log_stay_behind",
        variant: ports(|| {
            session(SessionHooks {
                changes: Some(|inner, after, limit, at| noticing(inner, (after, limit), at, "create trigger")),
                create: Some(replaying),
                ..SessionHooks::default()
            })
        }),
    },
    Planted {
        name: "foreign-keys-are-restored-and-enforced",
        says: "A restore makes the foreign keys of the source.",
        check: "foreign_keys_are_not_enforced",
        variant: ports(|| {
            session(SessionHooks {
                describe: Some(noticing_keys),
                create: Some(making_keys),
                ..SessionHooks::default()
            })
        }),
    },
    Planted {
        name: "a-table-is-refused-before-the-one-it-points-to",
        says: "A restore fails over the order of foreign keys.",
        check: "foreign_keys_are_not_enforced",
        variant: ports(|| {
            session(SessionHooks {
                describe: Some(noticing_keys),
                create: Some(in_order_of_keys),
                ..SessionHooks::default()
            })
        }),
    },
    Planted {
        name: "a-table-in-the-way-is-dropped-and-made-anew",
        says: "A restore drops every table whose name it needs.",
        check: "existing_tables_are_skipped",
        variant: ports(|| {
            session(SessionHooks {
                claim: Some(|inner, task, epoch, at| {
                    Box::pin(async move {
                        at.memory(|memory| memory.put(format!("target {}", at.endpoint), Value::Bool(true)));
                        inner.claim(task, epoch).await
                    })
                }),
                describe: Some(blind),
                create: Some(dropping),
                ..SessionHooks::default()
            })
        }),
    },
];
