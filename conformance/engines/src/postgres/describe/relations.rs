//! What stands on tables: indexes, foreign keys, views, triggers and rules.

use super::super::connection::Connection;
use super::super::quote::{ident, within};
use super::{Catalog, Described, OF_USERS, in_schema, name, not_of_extension, plain};
use recovery::model::content::ObjectKind;
use recovery::ports::database::DatabaseError;
use tokio_postgres::Row;

/// Reads them.
///
/// # Errors
/// See [`DatabaseError`].
pub async fn read(connection: &Connection) -> Result<Vec<Described>, DatabaseError> {
    let mut found = Vec::new();
    found.extend(connection.query(&indexes(), &[]).await?.iter().map(index));
    found.extend(connection.query(&foreign_keys(), &[]).await?.iter().map(foreign_key));
    found.extend(connection.query(&views(), &[]).await?.iter().map(view));
    found.extend(connection.query(&triggers(), &[]).await?.iter().map(trigger));
    found.extend(connection.query(&rules(), &[]).await?.iter().map(rule));
    Ok(found)
}

/// That the account may see the table `t`.
const SEEN: &str = "has_table_privilege(t.oid, 'SELECT') AND has_schema_privilege(n.oid, 'USAGE')";

/// Indexes that no constraint brought along, and that are not those of a partition.
fn indexes() -> String {
    let own = not_of_extension("pg_class", "c.oid");
    format!(
        "SELECT c.oid, n.nspname::text, c.relname::text, t.relname::text, \
         CASE c.relkind WHEN 'I' THEN replace(pg_get_indexdef(c.oid), ' ON ONLY ', ' ON ') ELSE pg_get_indexdef(c.oid) END \
         FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid \
         JOIN pg_namespace n ON n.oid = t.relnamespace \
         WHERE t.relkind IN ('r', 'p', 'm') AND t.relpersistence <> 't' AND NOT c.relispartition AND {OF_USERS} \
         AND {own} AND {SEEN} AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = c.oid AND k.contype IN ('p', 'u', 'x'))"
    )
}

fn index(row: &Row) -> Described {
    let (schema, own): (&str, &str) = (row.get(1), row.get(2));
    let mut found = plain((Catalog::Class, row.get(0)), ObjectKind::Index, name(schema, own), row.get(4));
    found.object.table = Some(name(schema, row.get(3)));
    found
}

/// Foreign keys that were made themselves, not for a partition.
fn foreign_keys() -> String {
    format!(
        "SELECT k.oid, n.nspname::text, k.conname::text, t.relname::text, pg_get_constraintdef(k.oid), \
         pn.nspname::text, p.relname::text, \
         NOT EXISTS (SELECT FROM pg_trigger g WHERE g.tgconstraint = k.oid AND g.tgenabled = 'D') \
         FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid JOIN pg_namespace n ON n.oid = t.relnamespace \
         JOIN pg_class p ON p.oid = k.confrelid JOIN pg_namespace pn ON pn.oid = p.relnamespace \
         WHERE k.contype = 'f' AND k.conparentid = 0 AND {OF_USERS} AND {SEEN}"
    )
}

fn foreign_key(row: &Row) -> Described {
    let (schema, own, table): (&str, &str, &str) = (row.get(1), row.get(2), row.get(3));
    let text: &str = row.get(4);
    let definition = format!("ALTER TABLE {} ADD CONSTRAINT {} {text}", within(schema, table), ident(own));
    let mut found = plain((Catalog::Constraint, row.get(0)), ObjectKind::ForeignKey, own.to_owned(), definition);
    found.object.table = Some(name(schema, table));
    found.object.needs = vec![name(row.get(5), row.get(6))];
    found.enabled = row.get(7);
    found
}

fn views() -> String {
    let own = not_of_extension("pg_class", "t.oid");
    format!(
        "SELECT t.oid, n.nspname::text, t.relname::text, t.relkind = 'm', array_to_string(t.reloptions, ', '), \
         pg_get_viewdef(t.oid) FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace \
         WHERE t.relkind IN ('v', 'm') AND t.relpersistence <> 't' AND {OF_USERS} AND {own} AND {SEEN}"
    )
}

fn view(row: &Row) -> Described {
    let (schema, own): (&str, &str) = (row.get(1), row.get(2));
    let kind = if row.get(3) { "MATERIALIZED VIEW" } else { "VIEW" };
    let options = row.get::<_, Option<&str>>(4).map(|options| format!(" WITH ({options})")).unwrap_or_default();
    let query = row.get::<_, &str>(5).trim().trim_end_matches(';');
    let definition = in_schema(schema, &format!("CREATE {kind} {}{options} AS {query}", within(schema, own)));
    plain((Catalog::Class, row.get(0)), ObjectKind::View, name(schema, own), definition)
}

/// Triggers that were made themselves, not for a foreign key or a partition.
fn triggers() -> String {
    format!(
        "SELECT g.oid, n.nspname::text, g.tgname::text, t.relname::text, pg_get_triggerdef(g.oid), g.tgenabled::text \
         FROM pg_trigger g JOIN pg_class t ON t.oid = g.tgrelid JOIN pg_namespace n ON n.oid = t.relnamespace \
         WHERE NOT g.tgisinternal AND g.tgparentid = 0 AND {OF_USERS} AND {SEEN}"
    )
}

fn trigger(row: &Row) -> Described {
    let (schema, own, table): (&str, &str, &str) = (row.get(1), row.get(2), row.get(3));
    let says = match row.get::<_, &str>(5) {
        "D" => Some("DISABLE"),
        "R" => Some("ENABLE REPLICA"),
        "A" => Some("ENABLE ALWAYS"),
        _ => None,
    };
    let mut definition: String = row.get(4);
    definition
        .extend(says.map(|says| format!("; ALTER TABLE {} {says} TRIGGER {}", within(schema, table), ident(own))));
    let mut found = plain((Catalog::Trigger, row.get(0)), ObjectKind::Trigger, own.to_owned(), definition);
    found.object.table = Some(name(schema, table));
    found.enabled = says != Some("DISABLE");
    found
}

fn rules() -> String {
    format!(
        "SELECT r.oid, n.nspname::text, r.rulename::text, t.relname::text, pg_get_ruledef(r.oid), r.ev_enabled <> 'D' \
         FROM pg_rewrite r JOIN pg_class t ON t.oid = r.ev_class JOIN pg_namespace n ON n.oid = t.relnamespace \
         WHERE r.rulename <> '_RETURN' AND {OF_USERS} AND {SEEN}"
    )
}

fn rule(row: &Row) -> Described {
    let (schema, own): (&str, &str) = (row.get(1), row.get(2));
    let definition = row.get::<_, &str>(4).trim_end_matches(';').to_owned();
    let mut found = plain((Catalog::Rewrite, row.get(0)), ObjectKind::Rule, own.to_owned(), definition);
    found.object.table = Some(name(schema, row.get(3)));
    found.enabled = row.get(5);
    found
}
