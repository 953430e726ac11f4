//! Sequences: those of identity and `serial` columns are part of their table, the others objects of their own.

use super::super::connection::Connection;
use super::super::quote::{literal, within};
use super::{Catalog, Described, OF_USERS, in_schema, name, not_of_extension, plain};
use recovery::model::content::ObjectKind;
use recovery::ports::database::DatabaseError;
use std::collections::BTreeMap;

/// How a sequence belongs to a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tie {
    /// The column is an identity column.
    Identity,
    /// The column was declared `serial`, or the sequence given to it later.
    Owned,
}

/// A sequence.
#[derive(Debug, Clone)]
pub struct Sequence {
    oid: u32,
    schema: String,
    /// Its name.
    pub own: String,
    /// Type of its values.
    declared: String,
    options: String,
    /// Whether its options are those it would have by itself.
    ordinary: bool,
    /// The value it gives next; unknown to an account that may not read it.
    pub next: Option<i64>,
    /// Table and column it belongs to.
    pub of: Option<(u32, i32, Tie)>,
    /// Whether it is part of the table's definition.
    pub within_table: bool,
}

/// Reads the sequences.
///
/// # Errors
/// See [`DatabaseError`].
pub async fn read(connection: &Connection) -> Result<Vec<Sequence>, DatabaseError> {
    let own = not_of_extension("pg_class", "c.oid");
    let sql = format!(
        "SELECT c.oid, n.nspname::text, c.relname::text, format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement, \
         s.seqmin, s.seqmax, s.seqcache, s.seqcycle, d.refobjid, d.refobjsubid, d.deptype::text, \
         has_sequence_privilege(c.oid, 'SELECT'), \
         EXISTS (SELECT FROM pg_attrdef f JOIN pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum \
            WHERE f.adrelid = d.refobjid AND f.adnum = d.refobjsubid AND a.attnotnull AND a.atttypid = s.seqtypid \
            AND pg_get_expr(f.adbin, f.adrelid) = concat('nextval(''', replace(c.oid::regclass::text, '''', ''''''), '''::regclass)')) \
         AND t.relnamespace = c.relnamespace, t.relname::text, o.attname::text \
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_sequence s ON s.seqrelid = c.oid \
         LEFT JOIN pg_depend d ON d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.refobjsubid > 0 \
            AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.deptype IN ('a', 'i') \
         LEFT JOIN pg_class t ON t.oid = d.refobjid \
         LEFT JOIN pg_attribute o ON o.attrelid = d.refobjid AND o.attnum = d.refobjsubid \
         WHERE {OF_USERS} AND {own}"
    );
    let rows = connection.query(&sql, &[]).await?;
    let mut found: Vec<Sequence> = rows.iter().map(sequence).collect();
    let readable = found.iter().zip(&rows).filter(|(_, row)| row.get(13)).map(|(sequence, _)| sequence);
    let values = next_values(connection, readable).await?;
    for sequence in &mut found {
        sequence.next = values.get(&sequence.oid).copied();
    }
    Ok(found)
}

fn sequence(row: &tokio_postgres::Row) -> Sequence {
    let (declared, start, by): (String, i64, i64) = (row.get(3), row.get(4), row.get(5));
    let (least, most, cache, cycles): (i64, i64, i64, bool) = (row.get(6), row.get(7), row.get(8), row.get(9));
    let top = match declared.as_str() {
        "smallint" => i64::from(i16::MAX),
        "integer" => i64::from(i32::MAX),
        _ => i64::MAX,
    };
    let cycle = if cycles { "CYCLE" } else { "NO CYCLE" };
    let options =
        format!("START WITH {start} INCREMENT BY {by} MINVALUE {least} MAXVALUE {most} CACHE {cache} {cycle}");
    let ordinary = (start, by, least, most, cache, cycles) == (1, 1, 1, top, 1, false);
    let of = match (row.get::<_, Option<u32>>(10), row.get::<_, Option<i32>>(11), row.get::<_, Option<&str>>(12)) {
        (Some(table), Some(column), Some("i")) => Some((table, column, Tie::Identity)),
        (Some(table), Some(column), _) => Some((table, column, Tie::Owned)),
        _ => None,
    };
    let named = match (row.get::<_, Option<&str>>(15), row.get::<_, Option<&str>>(16)) {
        (Some(table), Some(column)) => is_automatic(table, column, row.get(2)),
        _ => false,
    };
    let serial = ordinary && named && row.get::<_, Option<bool>>(14) == Some(true);
    let within_table = of.is_some_and(|(_, _, tie)| tie == Tie::Identity || serial);
    let (oid, schema, own) = (row.get(0), row.get(1), row.get(2));
    Sequence { oid, schema, own, declared, options, ordinary, next: None, of, within_table }
}

/// Bytes of a name at most.
const NAME_BYTES: usize = 63;

/// Whether a sequence has the name the server itself gives to that of a `serial` column: both names cut to fit, and a
/// number after it where that was taken.
fn is_automatic(table: &str, column: &str, own: &str) -> bool {
    let (mut of_table, mut of_column) = (table.len(), column.len());
    while of_table + of_column > NAME_BYTES - "__seq".len() {
        if of_table > of_column {
            of_table -= 1;
        } else {
            of_column -= 1;
        }
    }
    let wanted = format!("{}_{}_seq", clip(table, of_table), clip(column, of_column));
    own.strip_prefix(&wanted).is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The beginning of a text, of so many bytes at most and without half a letter.
fn clip(text: &str, mut bytes: usize) -> &str {
    while !text.is_char_boundary(bytes) {
        bytes -= 1;
    }
    &text[..bytes]
}

/// What each sequence gives next; a used-up one its last value.
async fn next_values(
    connection: &Connection,
    sequences: impl Iterator<Item = &Sequence>,
) -> Result<BTreeMap<u32, i64>, DatabaseError> {
    let one = |sequence: &Sequence| {
        let place = within(&sequence.schema, &sequence.own);
        format!(
            "SELECT {}::oid, CASE WHEN NOT v.is_called THEN v.last_value \
             WHEN s.seqincrement > 0 AND v.last_value > s.seqmax - s.seqincrement THEN v.last_value \
             WHEN s.seqincrement < 0 AND v.last_value < s.seqmin - s.seqincrement THEN v.last_value \
             ELSE v.last_value + s.seqincrement END FROM {place} v, pg_sequence s WHERE s.seqrelid = {0}",
            sequence.oid
        )
    };
    let questions: Vec<String> = sequences.map(one).collect();
    let mut values = BTreeMap::new();
    // A statement of some hundred parts is no burden; one of ten thousand would be.
    for some in questions.chunks(200) {
        let rows = connection.query(&some.join(" UNION ALL "), &[]).await?;
        values.extend(rows.iter().map(|row| (row.get::<_, u32>(0), row.get::<_, i64>(1))));
    }
    Ok(values)
}

impl Sequence {
    /// Its options, and where it goes on.
    #[must_use]
    pub fn going_on(&self) -> String {
        let restart = self.next.map(|next| format!(" RESTART WITH {next}")).unwrap_or_default();
        format!("{}{restart}", self.options)
    }

    /// Its options without where it goes on.
    #[must_use]
    pub fn lasting(&self) -> &str {
        if self.ordinary { "" } else { &self.options }
    }

    /// `serial` and its kin.
    #[must_use]
    pub fn serial(&self) -> &'static str {
        match self.declared.as_str() {
            "smallint" => "smallserial",
            "integer" => "serial",
            _ => "bigserial",
        }
    }

    /// The mark in a table's definition of where a `serial` column goes on.
    #[must_use]
    pub fn mark(&self) -> String {
        self.next.map(|next| format!(" /* goes on with {next} */")).unwrap_or_default()
    }
}

/// The sequences that are objects of their own.
pub fn alone(sequences: &[Sequence]) -> Vec<Described> {
    let own = sequences.iter().filter(|sequence| !sequence.within_table);
    let described = own.map(|sequence| {
        let Sequence { oid, schema, own, declared, options, .. } = sequence;
        let made = |options: &str| {
            in_schema(schema, &format!("CREATE SEQUENCE {} AS {declared} {options}", within(schema, own)))
        };
        let mut found = plain((Catalog::Class, *oid), ObjectKind::Sequence, name(schema, own), made(options));
        found.object.definition = made(&sequence.going_on());
        found
    });
    described.collect()
}

/// The places of `serial` columns in a table's definition: where each goes on, in the order of the columns.
#[must_use]
pub fn marks(definition: &str) -> Vec<i64> {
    let after = definition.split(" /* goes on with ").skip(1);
    after.filter_map(|rest| rest.split_once(" */")?.0.parse().ok()).collect()
}

/// The statement that makes the sequence of a `serial` column go on.
#[must_use]
pub fn go_on(table: &str, column: &str, next: i64) -> String {
    format!("SELECT setval(pg_get_serial_sequence({}, {}), {next}, false)", literal(table), literal(column))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_the_server_gives_a_sequence_is_known_however_long_the_tables_is() {
        assert!(is_automatic("orders", "id", "orders_id_seq") && is_automatic("orders", "id", "orders_id_seq1"));
        assert!(!is_automatic("orders", "id", "orders_seq") && !is_automatic("orders", "id", "orders_id_seq_x"));
        assert!(is_automatic(&"a".repeat(63), "key", &format!("{}_key_seq", "a".repeat(55))));
        assert!(is_automatic(&"é".repeat(31), "key", &format!("{}_key_seq", "é".repeat(27))));
    }

    #[test]
    fn a_definition_tells_where_its_serial_columns_go_on() {
        assert_eq!(
            marks("CREATE TABLE t (a serial /* goes on with 7 */ NOT NULL, b serial /* goes on with -1 */)"),
            [7, -1]
        );
    }
}
