//! The key space of Redis as the worker sees it: each logical database has one table of keys, whether there are keys or not.
//!
//! A server describes that table only while there are keys, and neither the first key nor the last one to go is a change
//! of definitions.

use crate::model::Engine;
use crate::model::content::{Column, Object, ObjectKind};
use crate::ports::database::Chunk;

/// Name of the table.
const TABLE: &str = "keys";
/// Its columns, the first of which is its key.
const COLUMNS: [&str; 4] = ["key", "type", "value", "expires_at"];
/// Revision of the table while there are no keys.
const EMPTY: u64 = 0;

/// The objects of a database, with the table of keys also where the database is empty.
#[must_use]
pub fn described(engine: Engine, mut objects: Vec<Object>) -> Vec<Object> {
    let is_table = |object: &Object| object.kind == ObjectKind::Table && object.name == TABLE;
    if engine == Engine::Redis && !objects.iter().any(is_table) {
        objects.push(empty_table());
    }
    objects
}

fn empty_table() -> Object {
    let column = |name: &str| Column {
        name: name.to_owned(),
        declared: if name == "expires_at" { "integer" } else { "text" }.to_owned(),
        nullable: name == "expires_at",
    };
    Object {
        kind: ObjectKind::Table,
        name: TABLE.to_owned(),
        table: None,
        definition: String::new(),
        columns: COLUMNS.map(column).into(),
        key: vec![COLUMNS[0].to_owned()],
        needs: Vec::new(),
        definer: None,
        security: None,
        revision: EMPTY,
        rows: 0,
    }
}

/// Whether a table of one revision is still the one it was at another.
#[must_use]
pub fn is_same(engine: Engine, one: u64, other: u64) -> bool {
    one == other || (engine == Engine::Redis && (one == EMPTY || other == EMPTY))
}

/// What is read of a database without keys.
#[must_use]
pub fn empty_chunk() -> Chunk {
    Chunk { rows: Vec::new(), last: None, done: true, revision: EMPTY }
}
