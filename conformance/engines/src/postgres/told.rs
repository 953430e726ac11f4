//! What prechecks ask of a server beside what tasks need: accounts, bytes, open transactions, event triggers, extensions.

use super::connection::Connection;
use jiff::Timestamp;
use recovery::ports::database::{Circumstances, DatabaseError, EventTrigger, Extensions, OpenTransaction};

/// Transactions of other sessions, as far as the account may see them. Those of workers of the server itself are no one's
/// to end.
const OPEN: &str = "SELECT pid::text, usename::text, datname::text, (extract(epoch FROM xact_start) * 1000000)::bigint \
    FROM pg_stat_activity WHERE xact_start IS NOT NULL AND pid <> pg_backend_pid() AND datname IS NOT NULL \
    AND query NOT LIKE 'autovacuum:%'";

/// Prepared transactions; whoever logs in sees all of them.
const PREPARED: &str = "SELECT quote_literal(gid), owner::text, database::text, \
    (extract(epoch FROM prepared) * 1000000)::bigint FROM pg_prepared_xacts";

/// Event triggers that fire in ordinary sessions.
const EVENT_TRIGGERS: &str = "SELECT evtname::text, evtevent::text, COALESCE(evttags, '{}')::text[], evtfoid::regproc::text \
    FROM pg_event_trigger WHERE evtenabled IN ('O', 'A') ORDER BY evtname";

/// Objects of users and the extensions that something they depend on belongs to. What depends on it directly may be a part
/// of them: a default, or the rule that makes a view of a relation.
const USED: &str = "WITH part AS (SELECT d.classid, d.objid, e.extname::text AS extension FROM pg_depend d \
        JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid WHERE d.deptype = 'e'), \
    needing AS (SELECT u.classid, u.objid, p.extension FROM pg_depend u \
        JOIN part p ON u.refclassid = p.classid AND u.refobjid = p.objid WHERE u.deptype NOT IN ('e', 'i') \
        AND NOT EXISTS (SELECT FROM part o WHERE o.classid = u.classid AND o.objid = u.objid)), \
    named AS (SELECT c.relnamespace AS schema, c.relname::text AS name, n.extension FROM needing n \
        JOIN pg_class c ON n.classid = 'pg_class'::regclass AND c.oid = n.objid \
        UNION SELECT c.relnamespace, c.relname::text, n.extension FROM needing n \
        JOIN pg_attrdef a ON n.classid = 'pg_attrdef'::regclass AND a.oid = n.objid JOIN pg_class c ON c.oid = a.adrelid \
        UNION SELECT c.relnamespace, c.relname::text, n.extension FROM needing n \
        JOIN pg_rewrite w ON n.classid = 'pg_rewrite'::regclass AND w.oid = n.objid JOIN pg_class c ON c.oid = w.ev_class \
        UNION SELECT c.relnamespace, c.relname::text, n.extension FROM needing n \
        JOIN pg_constraint k ON n.classid = 'pg_constraint'::regclass AND k.oid = n.objid JOIN pg_class c ON c.oid = k.conrelid \
        UNION SELECT p.pronamespace, p.proname::text, n.extension FROM needing n \
        JOIN pg_proc p ON n.classid = 'pg_proc'::regclass AND p.oid = n.objid \
        UNION SELECT t.typnamespace, t.typname::text, n.extension FROM needing n \
        JOIN pg_type t ON n.classid = 'pg_type'::regclass AND t.oid = n.objid) \
    SELECT CASE s.nspname WHEN 'public' THEN name ELSE s.nspname || '.' || name END, extension FROM named \
    JOIN pg_namespace s ON s.oid = named.schema WHERE s.nspname !~ '^pg_' AND s.nspname <> 'information_schema'";

/// What concerns the server as a whole; it knows nothing of the room there is.
///
/// # Errors
/// See [`DatabaseError`].
pub async fn of_server(control: &Connection) -> Result<Circumstances, DatabaseError> {
    let roles = control.query("SELECT rolname::text FROM pg_roles WHERE rolcanlogin", &[]).await?;
    let sizes = "SELECT COALESCE(sum(pg_database_size(oid)), 0)::bigint FROM pg_database \
                 WHERE datallowconn AND NOT datistemplate AND has_database_privilege(oid, 'CONNECT')";
    let used: i64 = control.one(sizes, &[]).await?.get(0);
    let offered = control.query("SELECT name::text FROM pg_available_extensions", &[]).await?;
    let mut transactions = Vec::new();
    for (sql, prepared) in [(OPEN, false), (PREPARED, true)] {
        transactions.extend(control.query(sql, &[]).await?.iter().map(|row| OpenTransaction {
            id: row.get(0),
            prepared,
            account: row.get(1),
            database: row.get(2),
            since: row.get::<_, Option<i64>>(3).and_then(|micros| Timestamp::from_microsecond(micros).ok()),
        }));
    }
    Ok(Circumstances {
        accounts: Some(roles.iter().map(|row| row.get(0)).collect()),
        used_bytes: u64::try_from(used).ok(),
        offered_extensions: Some(offered.iter().map(|row| row.get(0)).collect()),
        transactions,
        ..Circumstances::default()
    })
}

/// Adds what concerns one of its databases.
///
/// # Errors
/// See [`DatabaseError`].
pub async fn of_database(connection: &Connection, name: &str, told: &mut Circumstances) -> Result<(), DatabaseError> {
    let triggers = connection.query(EVENT_TRIGGERS, &[]).await?;
    told.event_triggers.extend(triggers.iter().map(|row| EventTrigger {
        database: name.to_owned(),
        name: row.get(0),
        event: row.get(1),
        tags: row.get(2),
        function: row.get(3),
    }));
    let installed = connection.query("SELECT extname::text FROM pg_extension", &[]).await?;
    let mut extensions =
        Extensions { installed: installed.iter().map(|row| row.get(0)).collect(), ..Extensions::default() };
    for row in connection.query(USED, &[]).await? {
        extensions.used.entry(row.get(0)).or_default().insert(row.get(1));
    }
    told.extensions.insert(name.to_owned(), extensions);
    Ok(())
}
