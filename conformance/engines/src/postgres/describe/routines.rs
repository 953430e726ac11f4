//! Functions, procedures and aggregates.

use super::super::connection::Connection;
use super::super::quote::{literal, within};
use super::{Catalog, Described, OF_USERS, in_schema, name, not_of_extension, plain};
use recovery::model::content::ObjectKind;
use recovery::ports::database::DatabaseError;
use std::collections::BTreeMap;
use tokio_postgres::Row;

/// Reads them. One that shares its name with others is called with the types of its arguments.
///
/// # Errors
/// See [`DatabaseError`].
pub async fn read(connection: &Connection) -> Result<Vec<Described>, DatabaseError> {
    let own = not_of_extension("pg_proc", "p.oid");
    let sql = format!(
        "SELECT p.oid, n.nspname::text, p.proname::text, p.prokind::text, pg_get_function_identity_arguments(p.oid), \
         CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid) END \
         FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE {OF_USERS} AND {own} \
         AND NOT EXISTS (SELECT FROM pg_depend i WHERE i.classid = 'pg_catalog.pg_proc'::regclass AND i.objid = p.oid \
            AND i.deptype = 'i')"
    );
    let rows = connection.query(&sql, &[]).await?;
    let aggregates = super::by_owner(connection, AGGREGATES).await?;
    let mut shared: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for row in &rows {
        *shared.entry((row.get(1), row.get(2))).or_default() += 1;
    }
    let mut found = Vec::new();
    for row in &rows {
        let oid: u32 = row.get(0);
        let is_shared = shared.get(&(row.get(1), row.get(2))).is_some_and(|count| *count > 1);
        let parts = aggregates.get(&oid).and_then(|rows| rows.first());
        found.extend(routine(row, parts, is_shared));
    }
    Ok(found)
}

fn routine(row: &Row, parts: Option<&Row>, is_shared: bool) -> Option<Described> {
    let (schema, own, arguments): (&str, &str, &str) = (row.get(1), row.get(2), row.get(4));
    let kind = match row.get::<_, &str>(3) {
        "p" => ObjectKind::Procedure,
        "a" => ObjectKind::Aggregate,
        _ => ObjectKind::Function,
    };
    let definition = match row.get::<_, Option<&str>>(5) {
        // What is there already is to be found out, not to be replaced.
        Some(text) => text.trim_end().replacen("CREATE OR REPLACE ", "CREATE ", 1),
        None => aggregate(&within(schema, own), arguments, parts?),
    };
    let called = if is_shared { format!("{}({arguments})", name(schema, own)) } else { name(schema, own) };
    Some(plain((Catalog::Proc, row.get(0)), kind, called, in_schema(schema, &definition)))
}

const AGGREGATES: &str = "SELECT a.aggfnoid::oid, a.aggtransfn::text, format_type(a.aggtranstype, NULL), \
    nullif(a.aggfinalfn::oid, 0)::regproc::text, nullif(a.aggcombinefn::oid, 0)::regproc::text, a.agginitval, \
    nullif(a.aggtransspace, 0)::text, \
    nullif(a.aggserialfn::oid, 0)::regproc::text, nullif(a.aggdeserialfn::oid, 0)::regproc::text, \
    nullif(a.aggmtransfn::oid, 0)::regproc::text, nullif(a.aggminvtransfn::oid, 0)::regproc::text, \
    nullif(a.aggmfinalfn::oid, 0)::regproc::text, \
    CASE WHEN a.aggmtransfn::oid <> 0 THEN format_type(a.aggmtranstype, NULL) END, a.aggminitval, \
    (SELECT 'OPERATOR(' || quote_ident(n.nspname) || '.' || o.oprname || ')' FROM pg_operator o \
     JOIN pg_namespace n ON n.oid = o.oprnamespace WHERE o.oid = a.aggsortop), \
    CASE p.proparallel WHEN 's' THEN 'SAFE' WHEN 'r' THEN 'RESTRICTED' END, \
    a.aggfinalextra, a.aggmfinalextra, a.aggkind = 'h', \
    CASE a.aggfinalmodify WHEN 's' THEN 'SHAREABLE' WHEN 'w' THEN 'READ_WRITE' END \
    FROM pg_aggregate a JOIN pg_proc p ON p.oid = a.aggfnoid WHERE p.pronamespace <> 'pg_catalog'::regnamespace";

/// The words of an aggregate's parts, in the order of the columns above, and whether each is a text in quotes.
const PARTS: [(usize, &str, bool); 15] = [
    (1, "SFUNC", false),
    (2, "STYPE", false),
    (6, "SSPACE", false),
    (3, "FINALFUNC", false),
    (19, "FINALFUNC_MODIFY", false),
    (4, "COMBINEFUNC", false),
    (7, "SERIALFUNC", false),
    (8, "DESERIALFUNC", false),
    (5, "INITCOND", true),
    (9, "MSFUNC", false),
    (10, "MINVFUNC", false),
    (12, "MSTYPE", false),
    (11, "MFINALFUNC", false),
    (13, "MINITCOND", true),
    (14, "SORTOP", false),
];

fn aggregate(name: &str, arguments: &str, row: &Row) -> String {
    let mut parts = Vec::new();
    for (at, word, is_text) in PARTS {
        let part: Option<&str> = row.get(at);
        parts.extend(part.map(|part| format!("{word} = {}", if is_text { literal(part) } else { part.to_owned() })));
    }
    for (at, word) in [(16, "FINALFUNC_EXTRA"), (17, "MFINALFUNC_EXTRA"), (18, "HYPOTHETICAL")] {
        if row.get(at) {
            parts.push(word.to_owned());
        }
    }
    parts.extend(row.get::<_, Option<&str>>(15).map(|how| format!("PARALLEL = {how}")));
    let arguments = if arguments.is_empty() { "*" } else { arguments };
    format!("CREATE AGGREGATE {name}({arguments}) ({})", parts.join(", "))
}
