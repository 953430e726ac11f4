//! Tables: columns, checks and keys in one statement, as `CREATE TABLE` would have been written.

use super::super::connection::Connection;
use super::super::quote::{ident, within};
use super::super::relation::{KEY, REVISION};
use super::sequences::{Sequence, Tie};
use super::{Catalog, Described, OF_USERS, by_owner, in_schema, name, not_of_extension, plain};
use recovery::model::content::{Column, Object, ObjectKind};
use recovery::ports::database::DatabaseError;
use tokio_postgres::Row;

/// Bytes of a table up to which its rows are counted one by one; of a larger one the server's estimate is told.
const COUNTED_BYTES: i64 = 64 << 20;

/// Reads the tables.
///
/// # Errors
/// See [`DatabaseError`].
pub async fn read(connection: &Connection, sequences: &[Sequence]) -> Result<Vec<Described>, DatabaseError> {
    let own = not_of_extension("pg_class", "c.oid");
    let sql = format!(
        "SELECT c.oid, n.nspname::text, c.relname::text, c.relpersistence = 'u', array_to_string(c.reloptions, ', '), \
         CASE c.relkind WHEN 'p' THEN pg_get_partkeydef(c.oid) END, \
         CASE WHEN c.relispartition THEN pg_get_expr(c.relpartbound, c.oid) END, \
         (SELECT string_agg(i.inhparent::regclass::text, ', ' ORDER BY i.inhseqno) FROM pg_inherits i \
          WHERE i.inhrelid = c.oid), \
         {REVISION}, {KEY}, pg_relation_size(c.oid), c.reltuples::float8 \
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND {OF_USERS} AND {own} \
         AND has_table_privilege(c.oid, 'SELECT') AND has_schema_privilege(n.oid, 'USAGE')"
    );
    let tables = connection.query(&sql, &[]).await?;
    let columns = by_owner(connection, COLUMNS).await?;
    let constraints = by_owner(connection, CONSTRAINTS).await?;
    let mut found = Vec::new();
    for row in &tables {
        let oid: u32 = row.get(0);
        let of = |all: &'_ std::collections::BTreeMap<u32, Vec<Row>>| all.get(&oid).map_or(0, Vec::len);
        let (has_columns, has_constraints) = (of(&columns) > 0, of(&constraints) > 0);
        let columns = if has_columns { columns[&oid].as_slice() } else { &[] };
        let constraints = if has_constraints { constraints[&oid].as_slice() } else { &[] };
        let sequences: Vec<&Sequence> =
            sequences.iter().filter(|own| own.within_table && own.of.is_some_and(|(table, ..)| table == oid)).collect();
        found.push(table(row, columns, constraints, &sequences));
    }
    count(connection, &tables, &mut found).await?;
    Ok(found)
}

const COLUMNS: &str = "SELECT a.attrelid, a.attname::text, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull, \
    a.attgenerated::text, a.attidentity::text, pg_get_expr(d.adbin, d.adrelid), \
    (SELECT quote_ident(n.nspname) || '.' || quote_ident(l.collname) FROM pg_collation l \
     JOIN pg_namespace n ON n.oid = l.collnamespace, pg_type t \
     WHERE t.oid = a.atttypid AND l.oid = a.attcollation AND a.attcollation <> t.typcollation), \
    a.attislocal, a.attnum::int4 \
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p') \
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
    WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relnamespace <> 'pg_catalog'::regnamespace \
    ORDER BY a.attrelid, a.attnum";

/// Keys and checks; the name of one that would have been called so anyway is left to the server, as it names an index
/// too and is to be free in the target.
const CONSTRAINTS: &str = "SELECT k.conrelid, CASE WHEN k.contype = 'c' OR k.conname <> concat_ws('_', c.relname, \
       CASE WHEN k.contype <> 'p' THEN (SELECT string_agg(a.attname, '_' ORDER BY u.place) \
          FROM unnest(k.conkey) WITH ORDINALITY u (attnum, place) \
          JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.attnum) END, \
       CASE k.contype WHEN 'p' THEN 'pkey' WHEN 'u' THEN 'key' ELSE 'excl' END) THEN k.conname::text END, \
    pg_get_constraintdef(k.oid) \
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid \
    WHERE k.contype IN ('p', 'u', 'c', 'x') AND k.conislocal AND k.conparentid = 0 \
    ORDER BY k.conrelid, array_position('{p,u,x,c}', k.contype::text), k.conname";

fn table(row: &Row, columns: &[Row], constraints: &[Row], sequences: &[&Sequence]) -> Described {
    let (oid, schema, own): (u32, String, String) = (row.get(0), row.get(1), row.get(2));
    let (options, partitioned_by): (Option<&str>, Option<&str>) = (row.get(4), row.get(5));
    let (bound, parents): (Option<&str>, Option<&str>) = (row.get(6), row.get(7));
    let unlogged = if row.get(3) { "UNLOGGED " } else { "" };
    let kind = format!("CREATE {unlogged}TABLE {}", within(&schema, &own));
    let entries = |going_on: bool| -> String {
        let own = columns.iter().filter(|column| bound.is_none() && (column.get(8) || parents.is_none()));
        let columns = own.map(|column| entry(column, sequences, going_on));
        let checks = constraints.iter().map(|row| match row.get::<_, Option<&str>>(1) {
            Some(name) => format!("CONSTRAINT {} {}", ident(name), row.get::<_, &str>(2)),
            None => row.get(2),
        });
        columns.chain(checks).collect::<Vec<_>>().join(", ")
    };
    let statement = |going_on: bool| {
        let entries = entries(going_on);
        let mut text = match (bound, parents) {
            (Some(bound), Some(parent)) if entries.is_empty() => format!("{kind} PARTITION OF {parent} {bound}"),
            (Some(bound), Some(parent)) => format!("{kind} PARTITION OF {parent} ({entries}) {bound}"),
            (None, Some(parents)) => format!("{kind} ({entries}) INHERITS ({parents})"),
            _ => format!("{kind} ({entries})"),
        };
        text.extend(partitioned_by.map(|by| format!(" PARTITION BY {by}")));
        text.extend(options.map(|options| format!(" WITH ({options})")));
        in_schema(&schema, &text)
    };
    let mut described = plain((Catalog::Class, oid), ObjectKind::Table, name(&schema, &own), statement(false));
    let column = |row: &Row| Column { name: row.get(1), declared: row.get(2), nullable: row.get(3) };
    described.object = Object {
        definition: statement(true),
        columns: columns.iter().map(column).collect(),
        key: row.get(9),
        revision: row.get::<_, i64>(8).cast_unsigned(),
        ..described.object
    };
    described
}

fn entry(row: &Row, sequences: &[&Sequence], going_on: bool) -> String {
    let (declared, number): (&str, i32) = (row.get(2), row.get(9));
    let sequence = sequences.iter().find(|sequence| sequence.of.is_some_and(|(_, column, _)| column == number));
    let (generated, identity): (&str, &str) = (row.get(4), row.get(5));
    let value: Option<&str> = row.get(6);
    let mut text = ident(row.get(1));
    if let Some(sequence) = sequence
        && identity.is_empty()
    {
        let mark = if going_on { sequence.mark() } else { String::new() };
        return format!("{text} {}{mark} NOT NULL", sequence.serial());
    }
    text = format!("{text} {declared}");
    text.extend(row.get::<_, Option<&str>>(7).map(|collation| format!(" COLLATE {collation}")));
    match (generated, identity, value) {
        ("v", _, Some(value)) => text.push_str(&format!(" GENERATED ALWAYS AS ({value}) VIRTUAL")),
        (generated, _, Some(value)) if !generated.is_empty() => {
            text.push_str(&format!(" GENERATED ALWAYS AS ({value}) STORED"));
        }
        (_, "a" | "d", _) => {
            let when = if identity == "a" { "ALWAYS" } else { "BY DEFAULT" };
            let options = sequence.filter(|sequence| sequence.of.is_some_and(|(_, _, tie)| tie == Tie::Identity));
            let options = match (options, going_on) {
                (Some(sequence), true) => sequence.going_on(),
                (Some(sequence), false) => sequence.lasting().to_owned(),
                (None, _) => String::new(),
            };
            let options = if options.is_empty() { options } else { format!(" ({options})") };
            text.push_str(&format!(" GENERATED {when} AS IDENTITY{options}"));
        }
        (_, _, Some(value)) => text.push_str(&format!(" DEFAULT {value}")),
        _ => {}
    }
    if !row.get::<_, bool>(3) {
        text.push_str(" NOT NULL");
    }
    text
}

/// Says how many rows each table has.
async fn count(connection: &Connection, tables: &[Row], found: &mut [Described]) -> Result<(), DatabaseError> {
    let mut small = Vec::new();
    for (at, row) in tables.iter().enumerate() {
        let (bytes, estimate): (i64, f64) = (row.get(10), row.get(11));
        if bytes > COUNTED_BYTES && estimate > 0.0 {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let estimate = estimate as u64;
            found[at].object.rows = estimate;
        } else if bytes > 0 {
            small.push((at, format!("SELECT {at}::int8, count(*) FROM ONLY {}", within(row.get(1), row.get(2)))));
        }
    }
    for some in small.chunks(200) {
        let questions: Vec<&str> = some.iter().map(|(_, question)| question.as_str()).collect();
        for row in connection.query(&questions.join(" UNION ALL "), &[]).await? {
            let (at, rows): (i64, i64) = (row.get(0), row.get(1));
            if let Some(described) = usize::try_from(at).ok().and_then(|at| found.get_mut(at)) {
                described.object.rows = rows.unsigned_abs();
            }
        }
    }
    Ok(())
}
