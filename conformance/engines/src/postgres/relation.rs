//! A table found by the name it has in descriptions.

use super::connection::Connection;
use super::quote::within;
use super::values::Shape;
use recovery::ports::database::DatabaseError;

/// What changes with every change of a table's definition and with TRUNCATE, of the `pg_class` row `c`. Grants,
/// statistics and what other tables refer to do not change it.
pub const REVISION: &str = "hashtextextended(concat_ws('|', c.oid, c.relnamespace, c.relname, pg_relation_filenode(c.oid), \
    c.relpersistence, c.reloptions, c.relrowsecurity, c.relforcerowsecurity, c.relispartition, \
    (SELECT string_agg(concat(r.attnum, ':', r.xmin), ',' ORDER BY r.attnum) FROM pg_attribute r \
     WHERE r.attrelid = c.oid AND r.attnum > 0), \
    (SELECT string_agg(r.oid::text, ',' ORDER BY r.oid) FROM pg_attrdef r WHERE r.adrelid = c.oid), \
    (SELECT string_agg(concat(r.oid, ':', r.xmin), ',' ORDER BY r.oid) FROM pg_constraint r \
     WHERE r.conrelid = c.oid AND r.contype IN ('p', 'u', 'c', 'x'))), 0)";

/// The columns of the key of `c`: of the primary key, or else of the smallest unique key without NULLs.
pub const KEY: &str = "coalesce((SELECT array_agg(a.attname::text ORDER BY k.place) \
    FROM (SELECT i.indrelid, i.indkey, i.indnkeyatts FROM pg_index i \
          WHERE i.indrelid = c.oid AND i.indisunique AND i.indimmediate AND i.indisvalid \
          AND i.indpred IS NULL AND i.indexprs IS NULL AND NOT EXISTS (SELECT FROM pg_attribute o \
              WHERE o.attrelid = c.oid AND NOT o.attnotnull AND o.attnum = ANY (i.indkey[0:i.indnkeyatts - 1])) \
          ORDER BY i.indisprimary DESC, i.indnkeyatts, i.indexrelid LIMIT 1) i, \
    unnest(i.indkey) WITH ORDINALITY k (attnum, place) \
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum WHERE k.place <= i.indnkeyatts), '{}')";

/// One column.
#[derive(Debug, Clone)]
pub struct Attribute {
    /// Name.
    pub name: String,
    /// Type, as SQL writes it.
    pub declared: String,
    /// What its text becomes.
    pub shape: Shape,
    /// Whether the server works it out by itself, so that nothing can be written to it.
    pub generated: bool,
}

/// A table.
#[derive(Debug, Clone)]
pub struct Relation {
    /// Its number.
    pub oid: u32,
    /// Its name in quotes, with its schema if that must be said.
    pub quoted: String,
    /// Columns.
    pub columns: Vec<Attribute>,
    /// Columns of its key.
    pub key: Vec<String>,
    /// Its revision.
    pub revision: u64,
}

impl Relation {
    /// Finds a table.
    ///
    /// # Errors
    /// When there is none, or the server refuses.
    pub async fn find(connection: &Connection, name: &str) -> Result<Self, DatabaseError> {
        let sql = format!(
            "SELECT c.oid, n.nspname::text, c.relname::text, {REVISION}, {KEY} \
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE c.relkind IN ('r', 'p') AND ((n.nspname = 'public' AND c.relname = $1) \
                OR (n.nspname <> 'public' AND n.nspname || '.' || c.relname = $1)) \
             ORDER BY n.nspname <> 'public' LIMIT 1"
        );
        let found = connection.query(&sql, &[&name]).await?;
        let Some(row) = found.first() else {
            return Err(DatabaseError::NoSuchObject(name.to_owned()));
        };
        let (oid, revision): (u32, i64) = (row.get(0), row.get(3));
        let (schema, own): (String, String) = (row.get(1), row.get(2));
        let sql = "SELECT attname::text, format_type(atttypid, atttypmod), atttypid, attgenerated <> '' \
                   FROM pg_attribute WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped ORDER BY attnum";
        let columns = connection.query(sql, &[&oid]).await?;
        let column = |row: &tokio_postgres::Row| Attribute {
            name: row.get(0),
            declared: row.get(1),
            shape: Shape::of(row.get(2)),
            generated: row.get(3),
        };
        Ok(Self {
            oid,
            quoted: within(&schema, &own),
            columns: columns.iter().map(column).collect(),
            key: row.get(4),
            revision: revision.cast_unsigned(),
        })
    }

    /// A column.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn column(&self, name: &str) -> Result<&Attribute, DatabaseError> {
        let found = self.columns.iter().find(|column| column.name == name);
        found.ok_or_else(|| DatabaseError::Statement(format!("{} has no column {name}", self.quoted)))
    }
}
