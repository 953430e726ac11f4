//! Accounts of a server as its administrator sees them: the model's rights as privileges, and back.

use super::claims::BOOKS;
use super::facts::{granted, is_own};
use super::line::Line;
use super::quote;
use recovery::model::instance::{FirstAccount, Grants, Rights};
use recovery::model::views::AccountView;
use recovery::ports::cloud::{AccountOrder, CloudError};
use recovery::ports::database::DatabaseError;

/// Accounts that come with a server.
const OWN: &str = "'root', '', 'PUBLIC', 'mariadb.sys', 'mysql', 'mysql.sys', 'mysql.session', 'mysql.infoschema', \
                   'debian-sys-maint', 'healthcheck'";

/// What reading takes; triggers show only to those who may make them.
const READS: &str = "SELECT, SHOW VIEW, TRIGGER";
/// What writing takes.
const WRITES: &str = "SELECT, SHOW VIEW, TRIGGER, INSERT, UPDATE, DELETE, CREATE, DROP, REFERENCES, INDEX, ALTER, \
                      CREATE TEMPORARY TABLES, LOCK TABLES, EXECUTE, CREATE VIEW, CREATE ROUTINE, ALTER ROUTINE, EVENT";
/// The part of [`WRITES`] that can be granted on one table.
const WRITES_TABLE: &str =
    "SELECT, SHOW VIEW, TRIGGER, INSERT, UPDATE, DELETE, CREATE, DROP, REFERENCES, INDEX, ALTER, CREATE VIEW";
/// What an owner has more, on the whole server.
const OWNS: &str = "RELOAD, REPLICATION SLAVE, REPLICATION CLIENT";

pub(super) fn refused(error: DatabaseError) -> CloudError {
    match error {
        DatabaseError::Unreachable(why) => CloudError::Unreachable(why),
        error => CloudError::Failed(error.to_string()),
    }
}

/// An account as statements name it.
fn user(name: &str) -> String {
    format!("{}@'%'", quote::text(name))
}

async fn exists(line: &mut Line, name: &str) -> Result<bool, DatabaseError> {
    let sql =
        format!("SELECT 1 FROM mysql.user WHERE user = {} AND host = '%' AND user NOT IN ({OWN})", quote::text(name));
    Ok(!line.texts(&sql).await?.is_empty())
}

/// Changes an account.
pub(super) async fn change(line: &mut Line, order: &AccountOrder) -> Result<(), CloudError> {
    let name = match order {
        AccountOrder::Create(account) => return create(line, account).await,
        AccountOrder::Password { name, .. } | AccountOrder::Grants { name, .. } | AccountOrder::Drop { name } => name,
    };
    if !exists(line, name).await.map_err(refused)? {
        return Err(CloudError::NoSuchAccount(name.clone()));
    }
    match order {
        AccountOrder::Create(_) => {}
        AccountOrder::Password { password, .. } => {
            let sql = format!("ALTER USER {} IDENTIFIED BY {}", user(name), quote::text(password.expose()));
            line.exec(&sql).await.map_err(refused)?;
            end_sessions(line, name).await.map_err(refused)?;
        }
        AccountOrder::Grants { grants, .. } => grant(line, name, grants).await.map_err(refused)?,
        AccountOrder::Drop { .. } => {
            line.exec(&format!("DROP USER {}", user(name))).await.map_err(refused)?;
            end_sessions(line, name).await.map_err(refused)?;
        }
    }
    Ok(())
}

/// Makes an account.
pub(super) async fn create(line: &mut Line, account: &FirstAccount) -> Result<(), CloudError> {
    let name = &account.name;
    if exists(line, name).await.map_err(refused)? {
        return Err(CloudError::AccountExists(name.clone()));
    }
    let sql = format!("CREATE USER {} IDENTIFIED BY {}", user(name), quote::text(account.password.expose()));
    line.exec(&sql).await.map_err(refused)?;
    grant(line, name, &account.grants).await.map_err(refused)
}

/// Ends what an account is logged in to.
async fn end_sessions(line: &mut Line, name: &str) -> Result<(), DatabaseError> {
    let sql = format!("SELECT ID FROM information_schema.PROCESSLIST WHERE USER = {}", quote::text(name));
    for row in line.texts(&sql).await? {
        for id in row.iter().filter(|id| id.bytes().all(|digit| digit.is_ascii_digit())) {
            // It may have ended by itself.
            let _ = line.exec(&format!("KILL CONNECTION {id}")).await;
        }
    }
    Ok(())
}

/// The name of a database in a grant, where it is a pattern.
fn pattern(database: &str) -> String {
    quote::name(&database.replace('_', "\\_").replace('%', "\\%"))
}

/// Gives an account these rights and no others.
///
/// Privileges only add up: where rights on something are less than on what is around it, those around are granted one by
/// one, on what is there now.
async fn grant(line: &mut Line, name: &str, grants: &Grants) -> Result<(), DatabaseError> {
    let to = user(name);
    line.exec(&format!("REVOKE ALL PRIVILEGES, GRANT OPTION FROM {to}")).await?;
    line.exec(&format!("GRANT PROCESS ON *.* TO {to}")).await?;
    line.exec(&format!("GRANT ALL ON {BOOKS}.* TO {to}")).await?;
    let anything = grants.default.reads() || grants.exceptions.values().any(|rights| rights.reads());
    if anything {
        show_routines(line, &to).await?;
    }
    if grants.default >= Rights::Owner {
        line.exec(&format!("GRANT {OWNS} ON *.* TO {to}")).await?;
        // MariaDB tells every account of prepared transactions.
        if !line.is_mariadb {
            line.exec(&format!("GRANT XA_RECOVER_ADMIN ON *.* TO {to}")).await?;
        }
    }
    let within = |level: &str, database: &str| level.strip_prefix(database).is_some_and(|rest| rest.starts_with('.'));
    let lessened = grants.exceptions.values().any(|rights| *rights < grants.default);
    if !lessened {
        on(line, "*.*", grants.default, WRITES, &to).await?;
    }
    let databases = line.texts("SELECT SCHEMA_NAME FROM information_schema.SCHEMATA").await?;
    for database in databases.into_iter().flatten().filter(|database| !is_own(database)) {
        let rights = grants.on_database(&database);
        let inside: Vec<_> = grants.exceptions.iter().filter(|(level, _)| within(level, &database)).collect();
        if inside.iter().any(|(_, own)| **own < rights) {
            let sql = format!(
                "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = {}",
                quote::text(&database)
            );
            for table in line.texts(&sql).await?.into_iter().flatten() {
                let level = quote::of(&database, &table);
                on(line, &level, grants.on(&database, &table), WRITES_TABLE, &to).await?;
            }
        } else if lessened || rights > grants.default {
            on(line, &format!("{}.*", pattern(&database)), rights, WRITES, &to).await?;
        }
    }
    // Names of what is not there yet.
    for (level, rights) in grants.exceptions.iter().filter(|(_, rights)| **rights > grants.default) {
        let level = match level.split_once('.') {
            Some((database, table)) => quote::of(database, table),
            None => format!("{}.*", pattern(level)),
        };
        // A table has to be there to be granted.
        let words = if level.ends_with(".*") { WRITES } else { WRITES_TABLE };
        match on(line, &level, *rights, words, &to).await {
            Err(DatabaseError::NoSuchObject(_)) => {}
            done => done?,
        }
    }
    Ok(())
}

/// Lets an account read the definitions of routines that others made.
async fn show_routines(line: &mut Line, to: &str) -> Result<(), DatabaseError> {
    let what = if line.is_mariadb { "SELECT ON mysql.proc" } else { "SHOW_ROUTINE ON *.*" };
    line.exec(&format!("GRANT {what} TO {to}")).await.map(|_| ())
}

async fn on(line: &mut Line, level: &str, rights: Rights, writes: &str, to: &str) -> Result<(), DatabaseError> {
    let words = match rights {
        Rights::None => return Ok(()),
        Rights::ReadOnly => READS,
        Rights::ReadWrite | Rights::Owner => writes,
    };
    line.exec(&format!("GRANT {words} ON {level} TO {to}")).await.map(|_| ())
}

/// The accounts, without those that come with the server.
pub(super) async fn all(line: &mut Line) -> Result<Vec<AccountView>, DatabaseError> {
    let sql = format!("SELECT user FROM mysql.user WHERE host = '%' AND user NOT IN ({OWN}) ORDER BY user");
    let mut accounts = Vec::new();
    for name in line.texts(&sql).await?.into_iter().flatten() {
        let shown = line.texts(&format!("SHOW GRANTS FOR {}", user(&name))).await?;
        let lines: Vec<String> = shown.into_iter().flatten().collect();
        let mut grants = granted(&lines);
        // What is granted for looking at routines.
        grants.exceptions.retain(|level, _| level != "mysql.proc");
        accounts.push(AccountView { name, grants });
    }
    Ok(accounts)
}
