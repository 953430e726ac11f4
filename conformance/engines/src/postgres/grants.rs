//! What an account may do, as the server would let it.

use super::connection::Connection;
use super::describe::USERS_TABLES;
use recovery::model::instance::{Grants, Rights};
use recovery::ports::database::DatabaseError;

/// The role whose members read and write everything; what they make belongs to it.
pub const WRITERS: &str = "firedrill_writers";

/// The account's rights on whatever is not named.
///
/// # Errors
/// See [`DatabaseError`].
pub async fn default(control: &Connection) -> Result<Rights, DatabaseError> {
    let sql = "SELECT r.rolsuper, EXISTS (SELECT FROM pg_roles w WHERE w.rolname = $1 AND pg_has_role(r.oid, w.oid, 'MEMBER')), \
               EXISTS (SELECT FROM pg_roles w WHERE w.rolname = 'pg_read_all_data' AND pg_has_role(r.oid, w.oid, 'MEMBER')) \
               FROM pg_roles r WHERE r.rolname = session_user";
    let row = control.one(sql, &[&WRITERS]).await?;
    Ok(match (row.get(0), row.get(1), row.get(2)) {
        (true, _, _) => Rights::Owner,
        (false, true, _) => Rights::ReadWrite,
        (false, false, true) => Rights::ReadOnly,
        _ => Rights::None,
    })
}

/// Adds what differs in one database from the rights on everything: for the whole of it where all tables agree, and by
/// table otherwise.
///
/// # Errors
/// See [`DatabaseError`].
pub async fn of_database(connection: &Connection, database: &str, grants: &mut Grants) -> Result<(), DatabaseError> {
    if grants.default >= Rights::ReadWrite {
        return Ok(());
    }
    let sql = format!(
        "SELECT CASE WHEN n.nspname = 'public' THEN '' ELSE n.nspname || '.' END || c.relname, \
         has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'), \
         has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'INSERT') \
         AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE') \
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {USERS_TABLES}"
    );
    let rights = |row: &tokio_postgres::Row| match (row.get(1), row.get(2)) {
        (true, true) => Rights::ReadWrite,
        (true, false) => Rights::ReadOnly,
        _ => Rights::None,
    };
    let rows = connection.query(&sql, &[]).await?;
    let tables: Vec<(String, Rights)> = rows.iter().map(|row| (row.get(0), rights(row))).collect();
    let makes =
        "SELECT has_database_privilege(current_database(), 'CREATE') OR has_schema_privilege('public', 'CREATE')";
    let empty = if connection.one(makes, &[]).await?.get(0) { Rights::ReadWrite } else { grants.default };
    let whole = tables.iter().map(|(_, rights)| *rights).max().unwrap_or(empty);
    if whole != grants.default {
        grants.exceptions.insert(database.to_owned(), whole);
    }
    let others = tables.into_iter().filter(|(_, rights)| *rights != whole);
    grants.exceptions.extend(others.map(|(table, rights)| (format!("{database}.{table}"), rights)));
    Ok(())
}
