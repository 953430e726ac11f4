//! Types of users: enumerations, composites, ranges and domains. Those in C have no statement that would make them.

use super::super::connection::Connection;
use super::super::quote::{ident, literal, within};
use super::{Catalog, Described, OF_USERS, by_owner, in_schema, name, not_of_extension, plain};
use recovery::model::content::ObjectKind;
use recovery::ports::database::DatabaseError;
use tokio_postgres::Row;

const LABELS: &str = "SELECT enumtypid, enumlabel::text FROM pg_enum ORDER BY enumtypid, enumsortorder";

const FIELDS: &str = "SELECT t.oid, a.attname::text, format_type(a.atttypid, a.atttypmod), \
    (SELECT quote_ident(n.nspname) || '.' || quote_ident(l.collname) FROM pg_collation l \
     JOIN pg_namespace n ON n.oid = l.collnamespace, pg_type e \
     WHERE e.oid = a.atttypid AND l.oid = a.attcollation AND a.attcollation <> e.typcollation) \
    FROM pg_type t JOIN pg_class c ON c.oid = t.typrelid AND c.relkind = 'c' \
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY t.oid, a.attnum";

const RANGES: &str = "SELECT r.rngtypid, format_type(r.rngsubtype, NULL), \
    (SELECT quote_ident(n.nspname) || '.' || quote_ident(o.opcname) FROM pg_opclass o \
     JOIN pg_namespace n ON n.oid = o.opcnamespace WHERE o.oid = r.rngsubopc AND NOT o.opcdefault), \
    nullif(r.rngsubdiff::oid, 0)::regproc::text, \
    (SELECT quote_ident(n.nspname) || '.' || quote_ident(l.collname) FROM pg_collation l \
     JOIN pg_namespace n ON n.oid = l.collnamespace, pg_type e \
     WHERE e.oid = r.rngsubtype AND l.oid = r.rngcollation AND r.rngcollation <> e.typcollation) FROM pg_range r";

const CHECKS: &str = "SELECT contypid, conname::text, pg_get_constraintdef(oid) FROM pg_constraint \
    WHERE contypid <> 0 AND contype = 'c' ORDER BY contypid, conname";

/// Reads them.
///
/// # Errors
/// See [`DatabaseError`].
pub async fn read(connection: &Connection) -> Result<Vec<Described>, DatabaseError> {
    let own = not_of_extension("pg_type", "t.oid");
    let sql = format!(
        "SELECT t.oid, n.nspname::text, t.typname::text, t.typtype::text, format_type(t.typbasetype, t.typtypmod), \
         t.typnotnull, t.typdefault, \
         (SELECT quote_ident(m.nspname) || '.' || quote_ident(l.collname) FROM pg_collation l \
          JOIN pg_namespace m ON m.oid = l.collnamespace, pg_type e \
          WHERE e.oid = t.typbasetype AND l.oid = t.typcollation AND t.typcollation <> e.typcollation) \
         FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_class c ON c.oid = t.typrelid \
         WHERE (t.typtype IN ('e', 'r', 'd') OR c.relkind = 'c') AND {OF_USERS} AND {own}"
    );
    let types = connection.query(&sql, &[]).await?;
    let labels = by_owner(connection, LABELS).await?;
    let fields = by_owner(connection, FIELDS).await?;
    let ranges = by_owner(connection, RANGES).await?;
    let checks = by_owner(connection, CHECKS).await?;
    let mut found = Vec::new();
    for row in &types {
        let oid: u32 = row.get(0);
        let (schema, own): (&str, &str) = (row.get(1), row.get(2));
        let called = within(schema, own);
        let of = |all: &'_ std::collections::BTreeMap<u32, Vec<Row>>, each: &dyn Fn(&Row) -> String| -> Vec<String> {
            all.get(&oid).into_iter().flatten().map(each).collect()
        };
        let (kind, definition) = match row.get::<_, &str>(3) {
            "e" => {
                let labels = of(&labels, &|row| literal(row.get(1)).trim_start().to_owned());
                (ObjectKind::Type, format!("CREATE TYPE {called} AS ENUM ({})", labels.join(", ")))
            }
            "c" => {
                let fields = of(&fields, &field);
                (ObjectKind::Type, format!("CREATE TYPE {called} AS ({})", fields.join(", ")))
            }
            "r" => {
                let ranges = of(&ranges, &range);
                (ObjectKind::Type, format!("CREATE TYPE {called} AS RANGE ({})", ranges.join(", ")))
            }
            _ => {
                let check = |row: &Row| format!(" CONSTRAINT {} {}", ident(row.get(1)), row.get::<_, &str>(2));
                (ObjectKind::Domain, domain(&called, row, &of(&checks, &check).concat()))
            }
        };
        found.push(plain((Catalog::Type, oid), kind, name(schema, own), in_schema(schema, &definition)));
    }
    Ok(found)
}

fn field(row: &Row) -> String {
    let collation = row.get::<_, Option<&str>>(3).map(|name| format!(" COLLATE {name}")).unwrap_or_default();
    format!("{} {}{collation}", ident(row.get(1)), row.get::<_, &str>(2))
}

fn range(row: &Row) -> String {
    let mut parts = vec![format!("SUBTYPE = {}", row.get::<_, &str>(1))];
    for (at, word) in [(2, "SUBTYPE_OPCLASS"), (3, "SUBTYPE_DIFF"), (4, "COLLATION")] {
        parts.extend(row.get::<_, Option<&str>>(at).map(|part| format!("{word} = {part}")));
    }
    parts.join(", ")
}

fn domain(called: &str, row: &Row, checks: &str) -> String {
    let mut text = format!("CREATE DOMAIN {called} AS {}", row.get::<_, &str>(4));
    text.extend(row.get::<_, Option<&str>>(7).map(|collation| format!(" COLLATE {collation}")));
    text.extend(row.get::<_, Option<&str>>(6).map(|value| format!(" DEFAULT {value}")));
    if row.get(5) {
        text.push_str(" NOT NULL");
    }
    text.push_str(checks);
    text
}
