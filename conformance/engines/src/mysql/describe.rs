//! What a database holds: tables, indexes, foreign keys, views, triggers, routines and events.

use super::layout::{Layout, hashed, storage};
use super::line::{Line, Mode};
use super::program::{Program, with_modes, without_definer};
use super::{layout, quote, table_text};
use recovery::model::Engine;
use recovery::model::content::{Column, Object, ObjectKind, Security};
use recovery::ports::database::DatabaseError;
use recovery::worker::sql;
use std::collections::BTreeMap;

/// Up to so many rows by the server's estimate a table is counted.
const COUNTED_ROWS: u64 = 100_000;

/// The objects of a database, in the order of kind and name.
pub(super) async fn describe(line: &mut Line, database: &str) -> Result<Vec<Object>, DatabaseError> {
    line.set(Mode::Bulk).await?;
    line.enter(database).await?;
    let mut objects = Vec::new();
    let kinds = format!(
        "SELECT TABLE_NAME, TABLE_TYPE, IFNULL(TABLE_ROWS, 0) FROM information_schema.TABLES WHERE TABLE_SCHEMA = {} \
         ORDER BY TABLE_NAME",
        quote::text(database)
    );
    let found = line.texts(&kinds).await?;
    let storage: BTreeMap<String, String> = storage(line, database, None).await?.into_iter().collect();
    for row in &found {
        let [name, kind, rows] = row.as_slice() else { continue };
        match kind.as_str() {
            "BASE TABLE" | "SYSTEM VERSIONED" => {
                let storage = storage.get(name).map_or("", String::as_str);
                objects.extend(table(line, database, name, rows.parse().unwrap_or(0), storage).await?);
            }
            "VIEW" => objects.push(view(line, database, name).await?),
            "SEQUENCE" => {
                let shown = line.texts(&format!("SHOW CREATE SEQUENCE {}", quote::of(database, name))).await?;
                let text = shown.into_iter().next().and_then(|row| row.into_iter().nth(1)).unwrap_or_default();
                objects.push(plain(ObjectKind::Sequence, name, text));
            }
            _ => {}
        }
    }
    objects.extend(programs(line, database).await?);
    let names: BTreeMap<String, String> = objects
        .iter()
        .filter(|object| can_be_needed(object.kind))
        .map(|object| (object.name.to_lowercase(), object.name.clone()))
        .collect();
    for object in &mut objects {
        if !matches!(object.kind, ObjectKind::Table | ObjectKind::Index | ObjectKind::ForeignKey | ObjectKind::Sequence)
        {
            object.needs = needs(object, &names);
        }
    }
    objects.sort_by(|one, other| (one.kind, &one.name, &one.table).cmp(&(other.kind, &other.name, &other.table)));
    Ok(objects)
}

fn can_be_needed(kind: ObjectKind) -> bool {
    !matches!(kind, ObjectKind::Index | ObjectKind::Trigger | ObjectKind::ForeignKey | ObjectKind::Event)
}

/// The names of other objects that stand in a definition.
fn needs(object: &Object, names: &BTreeMap<String, String>) -> Vec<String> {
    let tokens = sql::tokens(Engine::MySql, &object.definition);
    let mut found: Vec<String> = tokens
        .iter()
        .filter_map(sql::Token::name)
        .filter_map(|name| names.get(&name.to_lowercase()))
        .filter(|name| **name != object.name && object.table.as_ref() != Some(*name))
        .cloned()
        .collect();
    found.sort();
    found.dedup();
    found
}

fn plain(kind: ObjectKind, name: &str, definition: String) -> Object {
    let revision = hashed(&[&definition]);
    Object {
        kind,
        name: name.to_owned(),
        table: None,
        definition,
        columns: Vec::new(),
        key: Vec::new(),
        needs: Vec::new(),
        definer: None,
        security: None,
        revision,
        rows: 0,
    }
}

async fn table(
    line: &mut Line,
    database: &str,
    name: &str,
    estimate: u64,
    storage: &str,
) -> Result<Vec<Object>, DatabaseError> {
    let text = match layout::definition(line, database, name).await {
        // Dropped a moment ago.
        Err(DatabaseError::NoSuchObject(_)) => return Ok(Vec::new()),
        text => text?,
    };
    let Layout { columns, key, .. } = Layout::read(line, database, name).await?;
    let parts = table_text::parts(name, &text);
    let mut made = plain(ObjectKind::Table, name, parts.table);
    made.columns = columns
        .into_iter()
        .map(|field| Column { name: field.name, declared: field.declared, nullable: field.nullable })
        .collect();
    made.key = key.into_iter().map(|field| field.name).collect();
    made.revision = hashed(&[&text, storage]);
    made.rows = estimate;
    if estimate <= COUNTED_ROWS {
        match line.first(&format!("SELECT COUNT(*) FROM {}", quote::of(database, name))).await {
            Ok(count) => made.rows = count.unwrap_or(0),
            // Who may see a table need not be one who may read it.
            Err(DatabaseError::NotPermitted { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    let mut objects = vec![made];
    for (kind, parts) in [(ObjectKind::Index, parts.indexes), (ObjectKind::ForeignKey, parts.foreign_keys)] {
        for part in parts {
            let mut made = plain(kind, &part.name, part.definition);
            made.table = Some(name.to_owned());
            made.needs = part.parent.into_iter().collect();
            objects.push(made);
        }
    }
    Ok(objects)
}

async fn view(line: &mut Line, database: &str, name: &str) -> Result<Object, DatabaseError> {
    let shown = line.texts(&format!("SHOW CREATE VIEW {}", quote::of(database, name))).await?;
    let text = shown.into_iter().next().and_then(|row| row.into_iter().nth(1)).unwrap_or_default();
    let Program { text, definer, security } = without_definer(ObjectKind::View, &text);
    let revision = hashed(&[&text, &format!("{definer:?} {security:?}")]);
    Ok(Object { definer, security, revision, ..plain(ObjectKind::View, name, text) })
}

/// How triggers, routines and events are found and shown.
struct Family {
    kind: ObjectKind,
    /// Name, table, time of the last change.
    found: &'static str,
    shown: &'static str,
    /// Place of the statement in what is shown.
    place: usize,
}

const FAMILIES: [Family; 4] = [
    Family {
        kind: ObjectKind::Trigger,
        found: "SELECT TRIGGER_NAME, EVENT_OBJECT_TABLE, CONCAT(IFNULL(CREATED, ''), ' ', ACTION_ORDER) \
                FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ",
        shown: "TRIGGER",
        place: 2,
    },
    Family {
        kind: ObjectKind::Procedure,
        found: "SELECT ROUTINE_NAME, '', LAST_ALTERED FROM information_schema.ROUTINES \
                WHERE ROUTINE_TYPE = 'PROCEDURE' AND ROUTINE_SCHEMA = ",
        shown: "PROCEDURE",
        place: 2,
    },
    Family {
        kind: ObjectKind::Function,
        found: "SELECT ROUTINE_NAME, '', LAST_ALTERED FROM information_schema.ROUTINES \
                WHERE ROUTINE_TYPE = 'FUNCTION' AND ROUTINE_SCHEMA = ",
        shown: "FUNCTION",
        place: 2,
    },
    Family {
        kind: ObjectKind::Event,
        found: "SELECT EVENT_NAME, '', LAST_ALTERED FROM information_schema.EVENTS WHERE EVENT_SCHEMA = ",
        shown: "EVENT",
        place: 3,
    },
];

async fn programs(line: &mut Line, database: &str) -> Result<Vec<Object>, DatabaseError> {
    let usual: String = line.first("SELECT @@global.sql_mode").await?.unwrap_or_default();
    let mut objects = Vec::new();
    for family in FAMILIES {
        for row in line.texts(&format!("{}{}", family.found, quote::text(database))).await? {
            let [name, table, changed] = row.as_slice() else { continue };
            let shown = line.texts(&format!("SHOW CREATE {} {}", family.shown, quote::of(database, name))).await;
            let shown = match shown {
                // Dropped a moment ago.
                Err(DatabaseError::NoSuchObject(_)) => continue,
                shown => shown?.into_iter().next().unwrap_or_default(),
            };
            let (modes, text) = (shown.get(1), shown.get(family.place).filter(|text| !text.is_empty()));
            let Some((modes, text)) = modes.zip(text) else {
                let what = format!("read the definition of {database}.{name}");
                return Err(DatabaseError::NotPermitted { account: line.account.clone(), what });
            };
            // One that was sent together with others may show the end of a statement.
            let text = text.trim_end_matches([';', ' ', '\t', '\r', '\n']);
            let Program { text, definer, security } = without_definer(family.kind, text);
            let runs = matches!(family.kind, ObjectKind::Procedure | ObjectKind::Function);
            let security = if runs { security.or(Some(Security::Definer)) } else { None };
            let revision = hashed(&[&text, modes, changed, &format!("{definer:?} {security:?}")]);
            let mut made = plain(family.kind, name, with_modes(&text, modes, &usual));
            made.table = Some(table.clone()).filter(|_| family.kind == ObjectKind::Trigger);
            objects.push(Object { definer, security, revision, ..made });
        }
    }
    Ok(objects)
}
