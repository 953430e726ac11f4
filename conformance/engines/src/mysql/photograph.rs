//! The content of a server as its administrator sees it, all of it as of one instant.

use super::values::hex;
use recovery::model::Engine;
use recovery::model::content::{Object, ObjectKind, Row, Value};
use recovery::model::photograph::{Photograph, PhotographedDatabase, PhotographedObject, Rows};
use recovery::ports::Session;
use recovery::ports::database::{DatabaseError, ReadChunk};
use recovery::worker::sql;
use sha2::{Digest, Sha256};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// Tables up to this many rows are photographed row by row.
const WHOLE_ROWS_MAX: usize = 1000;
/// Rows read at a time.
const CHUNK_ROWS: usize = 5000;

/// Takes it; the session is of no use afterwards. Accounts and settings are left out.
pub(super) async fn photograph(session: &mut dyn Session) -> Result<Photograph, DatabaseError> {
    let instant = session.snapshot().await?;
    let mut databases = BTreeMap::new();
    for database in session.databases().await? {
        let mut objects = BTreeMap::new();
        for object in session.describe(&database.name).await? {
            let rows = match object.kind {
                ObjectKind::Table => Some(rows(session, &database.name, &object).await?),
                _ => None,
            };
            objects.insert(entry(&object), photographed(object, rows));
        }
        databases.insert(database.name, PhotographedDatabase { charset: database.charset, objects });
    }
    let (accounts, settings) = (BTreeMap::new(), BTreeMap::new());
    Ok(Photograph { databases, accounts, settings, log_position: instant.position })
}

fn entry(object: &Object) -> String {
    let kind = serde_json::to_value(object.kind).ok();
    let word = kind.as_ref().and_then(|kind| kind.as_str()).unwrap_or("object");
    format!("{word} {}", object.name)
}

fn photographed(object: Object, rows: Option<Rows>) -> PhotographedObject {
    PhotographedObject {
        kind: object.kind,
        definition: folded(&object.definition),
        name: object.name,
        definer: object.definer,
        security: object.security,
        enabled: true,
        needs: object.needs,
        rows,
    }
}

/// A statement with its white space folded.
fn folded(definition: &str) -> String {
    let tokens = sql::tokens(Engine::MySql, definition);
    let text: String =
        tokens.iter().map(|token| if token.kind == sql::Kind::Space { " " } else { &token.text }).collect();
    text.trim().to_owned()
}

async fn rows(session: &mut dyn Session, database: &str, table: &Object) -> Result<Rows, DatabaseError> {
    let columns: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
    let mut read = ReadChunk {
        database: database.to_owned(),
        table: table.name.clone(),
        columns: columns.clone(),
        after: None,
        limit: CHUNK_ROWS,
    };
    // Of many rows only their digests are kept, which are sorted in their place.
    let (mut whole, mut digests): (Vec<Row>, Vec<[u8; 32]>) = (Vec::new(), Vec::new());
    loop {
        let chunk = session.read(&read).await?;
        for row in chunk.rows {
            digests.push(Sha256::digest(serde_json::to_vec(&row).unwrap_or_default()).into());
            if digests.len() <= WHOLE_ROWS_MAX {
                whole.push(row);
            }
        }
        if chunk.done || chunk.last.is_none() {
            break;
        }
        read.after = chunk.last;
    }
    if digests.len() <= WHOLE_ROWS_MAX {
        whole.sort_by(compared);
        return Ok(Rows::Whole { columns, key: table.key.clone(), rows: whole });
    }
    digests.sort_unstable();
    let mut hash = Sha256::new();
    digests.iter().for_each(|digest| hash.update(digest));
    Ok(Rows::Digest { count: digests.len() as u64, sha256: hex(&hash.finalize()) })
}

fn compared(one: &Row, other: &Row) -> Ordering {
    let rank = |value: &Value| match value {
        Value::Null => 0,
        Value::Integer(_) | Value::Real(_) => 1,
        Value::Text(_) => 2,
        Value::Bytes { .. } => 3,
    };
    let number = |value: &Value| match value {
        Value::Integer(number) => *number as f64,
        Value::Real(number) => *number,
        _ => 0.0,
    };
    let values = one.iter().zip(other).map(|(one, other)| match (one, other) {
        (Value::Integer(one), Value::Integer(other)) => one.cmp(other),
        (Value::Text(one), Value::Text(other)) | (Value::Bytes { hex: one }, Value::Bytes { hex: other }) => {
            one.cmp(other)
        }
        (one, other) => rank(one).cmp(&rank(other)).then_with(|| number(one).total_cmp(&number(other))),
    });
    values.fold(Ordering::Equal, Ordering::then)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_sorted_by_all_columns() {
        let mut rows = [
            vec![Value::Integer(2), Value::Null],
            vec![Value::Integer(10), Value::Null],
            vec![Value::Integer(2), Value::Text("a".into())],
            vec![Value::Null, Value::Null],
        ];
        rows.sort_by(compared);
        let first: Vec<_> = rows.iter().map(|row| row[0].clone()).collect();
        assert_eq!(first, [Value::Null, Value::Integer(2), Value::Integer(2), Value::Integer(10)]);
        assert_eq!(rows[1][1], Value::Null);
    }
}
