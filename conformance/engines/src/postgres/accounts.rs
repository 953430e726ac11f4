//! Accounts: roles with the rights the model says. What was granted stands in the role's comment, which comes back with a
//! restore, and in the server's own privileges, which hold.

use super::connection::{Connection, Door};
use super::machine::{ROOT, connect, control, databases, failed};
use super::{CONTROL, WRITERS, ident, literal};
use crate::engine::Server;
use recovery::model::Secret;
use recovery::model::instance::{FirstAccount, Grants, Rights};
use recovery::model::views::AccountView;
use recovery::ports::cloud::{AccountOrder, CloudError};
use recovery::ports::database::{DatabaseError, Login};

/// What a role's comment begins with that is an account of users.
const MARK: &str = "firedrill ";

/// Changes an account.
///
/// # Errors
/// When the account is not there, or is already.
pub async fn change(server: &Server, order: &AccountOrder) -> Result<(), CloudError> {
    let control = control(server).await.map_err(failed)?;
    let missing = |name: &String| CloudError::NoSuchAccount(name.clone());
    match order {
        AccountOrder::Create(account) => create(server, &control, account).await,
        AccountOrder::Password { name, password } => {
            grants_of(&control, name).await.map_err(failed)?.ok_or_else(|| missing(name))?;
            set_password(&control, name, password).await.map_err(failed)
        }
        AccountOrder::Grants { name, grants } => {
            grants_of(&control, name).await.map_err(failed)?.ok_or_else(|| missing(name))?;
            grant(server, &control, name, grants).await.map_err(failed)
        }
        AccountOrder::Drop { name } => {
            grants_of(&control, name).await.map_err(failed)?.ok_or_else(|| missing(name))?;
            drop_role(server, &control, name).await.map_err(failed)
        }
    }
}

/// Makes an account; one that is there already just as asked for was made by the same order before.
///
/// # Errors
/// When another one of that name is there.
pub async fn create(server: &Server, control: &Connection, account: &FirstAccount) -> Result<(), CloudError> {
    let FirstAccount { name, password, grants } = account;
    let there = grants_of(control, name).await.map_err(failed)?;
    if there.as_ref() == Some(grants) && accepts(server, name, password).await {
        return Ok(());
    }
    if there.is_some() {
        return Err(CloudError::AccountExists(name.clone()));
    }
    let make = async {
        control.execute(&format!("CREATE ROLE {} LOGIN PASSWORD {}", ident(name), literal(password.expose()))).await?;
        grant(server, control, name, grants).await
    };
    match make.await {
        Err(DatabaseError::ObjectExists(_)) => Err(CloudError::AccountExists(name.clone())),
        outcome => outcome.map_err(failed),
    }
}

async fn set_password(control: &Connection, name: &str, password: &Secret) -> Result<(), DatabaseError> {
    control.execute(&format!("ALTER ROLE {} PASSWORD {}", ident(name), literal(password.expose()))).await
}

/// Whether a server lets an account in with a password.
pub async fn accepts(server: &Server, name: &str, password: &Secret) -> bool {
    let Ok(endpoint) = server.container.endpoint().await else { return false };
    let login = Login { account: name.to_owned(), password: password.clone(), ssl: false };
    match Door::new(&endpoint, &login) {
        Ok(door) => door.open(CONTROL, "firedrill administrator").await.is_ok(),
        Err(_) => false,
    }
}

async fn grants_of(control: &Connection, name: &str) -> Result<Option<Grants>, DatabaseError> {
    Ok(all(control).await?.into_iter().find(|account| account.name == name).map(|account| account.grants))
}

/// The accounts, without the administrator's.
///
/// # Errors
/// When the server does not answer.
pub async fn all(control: &Connection) -> Result<Vec<AccountView>, DatabaseError> {
    let sql = "SELECT rolname::text, shobj_description(oid, 'pg_authid') FROM pg_roles \
               WHERE rolcanlogin AND rolname <> $1 ORDER BY rolname";
    let rows = control.query(sql, &[&ROOT]).await?;
    let view = |row: &tokio_postgres::Row| {
        let granted = row.get::<_, Option<&str>>(1).and_then(|text| text.strip_prefix(MARK));
        let grants = granted.and_then(|text| serde_json::from_str(text).ok());
        AccountView { name: row.get(0), grants: grants.unwrap_or_else(|| Grants::all(Rights::None)) }
    };
    Ok(rows.iter().map(view).collect())
}

/// Gives an account its rights, whatever it had before.
async fn grant(server: &Server, control: &Connection, name: &str, grants: &Grants) -> Result<(), DatabaseError> {
    let (role, writers) = (ident(name), ident(WRITERS));
    let version: i32 = control.one("SELECT current_setting('server_version_num')::int4", &[]).await?.get(0);
    // Nobody has fewer rights anywhere than everywhere else: then a role that has them on everything does.
    let even = grants.exceptions.values().all(|rights| *rights >= grants.default);
    let writes = even && grants.default == Rights::ReadWrite;
    let reads = even && grants.default == Rights::ReadOnly && version >= 140_000;
    let owner = if grants.default == Rights::Owner { "SUPERUSER" } else { "NOSUPERUSER" };
    let member =
        |of: &str, is: bool| if is { format!("GRANT {of} TO {role}") } else { format!("REVOKE {of} FROM {role}") };
    let mut orders = vec![format!("ALTER ROLE {role} {owner}"), member(&writers, writes)];
    if version >= 140_000 {
        orders.push(member("pg_read_all_data", reads));
    }
    // What those make who write everything belongs to all of them.
    let acts = if writes {
        format!("ALTER ROLE {role} SET role TO {writers}")
    } else {
        format!("ALTER ROLE {role} RESET role")
    };
    orders.push(acts);
    let text = serde_json::to_string(grants).map_err(super::errors::statement)?;
    orders.push(format!("COMMENT ON ROLE {role} IS {}", literal(&format!("{MARK}{text}"))));
    control.execute(&format!("BEGIN; {}; COMMIT", orders.join("; "))).await?;
    for (database, _) in databases(control).await? {
        let connection = connect(server, &database).await?;
        let whole = grants.on_database(&database);
        let by_role = whole == Rights::Owner || ((writes || reads) && whole == grants.default);
        grant_within(&connection, &role, if by_role { Rights::None } else { whole }).await?;
        let inside = format!("{database}.");
        for (on, rights) in grants.exceptions.iter().filter(|(on, _)| on.starts_with(&inside)) {
            grant_on(&connection, &role, &on[inside.len()..], *rights).await?;
        }
    }
    Ok(())
}

/// Grants rights on all that is in a database, and on what comes.
async fn grant_within(connection: &Connection, role: &str, rights: Rights) -> Result<(), DatabaseError> {
    let sql =
        "SELECT quote_ident(nspname) FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'";
    let schemas = connection.query(sql, &[]).await?;
    for row in &schemas {
        let schema: &str = row.get(0);
        let mut orders = vec![
            format!("REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {role}"),
            format!("REVOKE ALL ON ALL SEQUENCES IN SCHEMA {schema} FROM {role}"),
            format!("REVOKE ALL ON SCHEMA {schema} FROM {role}"),
        ];
        for maker in [WRITERS, ROOT] {
            let defaults = format!("ALTER DEFAULT PRIVILEGES FOR ROLE {} IN SCHEMA {schema}", ident(maker));
            orders.push(format!("{defaults} REVOKE ALL ON TABLES FROM {role}"));
            orders.push(format!("{defaults} REVOKE ALL ON SEQUENCES FROM {role}"));
            if rights.reads() {
                orders.push(format!("{defaults} GRANT {} ON TABLES TO {role}", on_tables(rights)));
                orders.push(format!("{defaults} GRANT {} ON SEQUENCES TO {role}", on_sequences(rights)));
            }
        }
        if rights.reads() {
            let create = if rights.writes() { ", CREATE" } else { "" };
            orders.push(format!("GRANT USAGE{create} ON SCHEMA {schema} TO {role}"));
            orders.push(format!("GRANT {} ON ALL TABLES IN SCHEMA {schema} TO {role}", on_tables(rights)));
            orders.push(format!("GRANT {} ON ALL SEQUENCES IN SCHEMA {schema} TO {role}", on_sequences(rights)));
        }
        connection.execute(&format!("BEGIN; {}; COMMIT", orders.join("; "))).await?;
    }
    Ok(())
}

/// Grants rights on one table; one that is not there yet has none.
async fn grant_on(connection: &Connection, role: &str, table: &str, rights: Rights) -> Result<(), DatabaseError> {
    let place = match super::relation::Relation::find(connection, table).await {
        Ok(found) => found.quoted,
        Err(DatabaseError::NoSuchObject(_)) => return Ok(()),
        Err(error) => return Err(error),
    };
    let mut orders = format!("REVOKE ALL ON {place} FROM {role}");
    if rights.reads() {
        orders.push_str(&format!("; GRANT {} ON {place} TO {role}", on_tables(rights)));
    }
    connection.execute(&orders).await
}

fn on_tables(rights: Rights) -> &'static str {
    if rights.writes() { "ALL" } else { "SELECT" }
}

fn on_sequences(rights: Rights) -> &'static str {
    if rights.writes() { "ALL" } else { "SELECT" }
}

/// Takes an account away; its sessions end, and what belongs to it goes to those that write everything.
async fn drop_role(server: &Server, control: &Connection, name: &str) -> Result<(), DatabaseError> {
    let (role, writers) = (ident(name), ident(WRITERS));
    control.execute(&format!("ALTER ROLE {role} NOLOGIN")).await?;
    control.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", &[&name]).await?;
    let mut places: Vec<String> = databases(control).await?.into_iter().map(|(database, _)| database).collect();
    places.push(CONTROL.to_owned());
    for database in places {
        let connection = connect(server, &database).await?;
        connection.execute(&format!("REASSIGN OWNED BY {role} TO {writers}; DROP OWNED BY {role}")).await?;
    }
    control.execute(&format!("DROP ROLE {role}")).await
}
