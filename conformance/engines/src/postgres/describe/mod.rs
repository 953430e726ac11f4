//! What a database holds: every object with the statement that makes it, from the catalogs.

mod needs;
mod relations;
mod routines;
mod sequences;
mod tables;
mod types;

pub use sequences::{go_on, marks};

use super::PUBLIC;
use super::connection::Connection;
use recovery::model::content::{Object, ObjectKind};
use recovery::ports::database::DatabaseError;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use tokio_postgres::Row;

/// The schemas of users, of the `pg_namespace` row `n`.
const OF_USERS: &str = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'";

/// The tables of users, of the `pg_class` row `c` and its schema.
pub const USERS_TABLES: &str = "c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND n.nspname !~ '^pg_' \
    AND n.nspname <> 'information_schema'";

/// An object, and what is known of it beside its description.
#[derive(Debug, Clone)]
pub struct Described {
    /// Its row: the catalog it is in and its number there.
    pub at: (Catalog, u32),
    /// The description.
    pub object: Object,
    /// Its definition without what changes as rows are written: the next value of a sequence.
    pub lasting: String,
    /// Whether it is enforced or fires.
    pub enabled: bool,
}

/// Catalogs that objects are rows of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Catalog {
    /// `pg_class`.
    Class,
    /// `pg_proc`.
    Proc,
    /// `pg_type`.
    Type,
    /// `pg_constraint`.
    Constraint,
    /// `pg_trigger`.
    Trigger,
    /// `pg_rewrite`.
    Rewrite,
}

/// All objects of the database of a connection that its account may see, in the order of kind and name.
///
/// # Errors
/// See [`DatabaseError`].
pub async fn describe(connection: &Connection) -> Result<Vec<Object>, DatabaseError> {
    let all = all(connection).await?;
    Ok(all.into_iter().map(|described| described.object).collect())
}

/// The same with what is known beside.
///
/// # Errors
/// See [`DatabaseError`].
pub async fn all(connection: &Connection) -> Result<Vec<Described>, DatabaseError> {
    connection.begin_reading(true).await?;
    let outcome = within(connection).await;
    connection.end_reading(outcome).await
}

/// The same within a transaction that has begun.
///
/// # Errors
/// See [`DatabaseError`].
pub async fn within(connection: &Connection) -> Result<Vec<Described>, DatabaseError> {
    let sequences = sequences::read(connection).await?;
    let mut found = tables::read(connection, &sequences).await?;
    found.extend(sequences::alone(&sequences));
    found.extend(relations::read(connection).await?);
    found.extend(routines::read(connection).await?);
    found.extend(types::read(connection).await?);
    needs::find(connection, &mut found).await?;
    found.sort_by(|a, b| key(&a.object).cmp(&key(&b.object)));
    unambiguous(&found)?;
    Ok(found)
}

fn key(object: &Object) -> (ObjectKind, &str, Option<&str>) {
    (object.kind, &object.name, object.table.as_deref())
}

/// A table `b` of a schema `a` and a table `a.b` would have one name.
fn unambiguous(found: &[Described]) -> Result<(), DatabaseError> {
    match found.windows(2).find(|pair| key(&pair[0].object) == key(&pair[1].object)) {
        None => Ok(()),
        Some(pair) => {
            let Object { kind, name, .. } = &pair[0].object;
            Err(DatabaseError::Statement(format!(
                "two objects of kind {kind:?} would be called {name} here; rename one"
            )))
        }
    }
}

/// The name of an object in descriptions: with its schema where that is not `public`.
fn name(schema: &str, own: &str) -> String {
    if schema == PUBLIC { own.to_owned() } else { format!("{schema}.{own}") }
}

/// A statement that first makes the schema it needs.
fn in_schema(schema: &str, statement: &str) -> String {
    if schema == PUBLIC {
        statement.to_owned()
    } else {
        format!("CREATE SCHEMA IF NOT EXISTS {}; {statement}", super::quote::ident(schema))
    }
}

/// An object without anything but kind, name and definition; its revision is a mark of both definition and row.
fn plain(at: (Catalog, u32), kind: ObjectKind, name: String, definition: String) -> Described {
    let digest = Sha256::new().chain_update(at.1.to_be_bytes()).chain_update(&definition).finalize();
    let revision = digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte));
    let object = Object {
        kind,
        name,
        table: None,
        definition: definition.clone(),
        columns: Vec::new(),
        key: Vec::new(),
        needs: Vec::new(),
        definer: None,
        security: None,
        revision,
        rows: 0,
    };
    Described { at, object, lasting: definition, enabled: true }
}

/// Rows of a query, by the number in their first column.
async fn by_owner(connection: &Connection, sql: &str) -> Result<BTreeMap<u32, Vec<Row>>, DatabaseError> {
    let mut by_owner: BTreeMap<u32, Vec<Row>> = BTreeMap::new();
    for row in connection.query(sql, &[]).await? {
        by_owner.entry(row.get(0)).or_default().push(row);
    }
    Ok(by_owner)
}

/// That no extension brought the row of a catalog along; extensions are not described (they come with the server).
fn not_of_extension(catalog: &str, oid: &str) -> String {
    format!(
        "NOT EXISTS (SELECT FROM pg_depend x WHERE x.classid = 'pg_catalog.{catalog}'::regclass \
         AND x.objid = {oid} AND x.deptype = 'e')"
    )
}
