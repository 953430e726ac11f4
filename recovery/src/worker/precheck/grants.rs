//! The statements that grant what an account lacks, as each engine writes them.

use crate::model::Engine;
use std::fmt;

/// What is granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Privilege {
    /// To read rows.
    Read,
    /// To read and write rows and definitions.
    Write,
    /// What following changes takes.
    Replicate,
}

/// A database, or a table of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct On {
    /// Database.
    pub database: String,
    /// Table.
    pub table: Option<String>,
}

impl On {
    /// A database.
    #[must_use]
    pub fn database(name: &str) -> Self {
        Self { database: name.to_owned(), table: None }
    }

    /// A table of a database.
    #[must_use]
    pub fn table(database: &str, name: &str) -> Self {
        Self { database: database.to_owned(), table: Some(name.to_owned()) }
    }
}

impl fmt::Display for On {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.table {
            None => f.write_str(&self.database),
            Some(table) => write!(f, "{}.{table}", self.database),
        }
    }
}

/// The statement that grants an account a privilege.
#[must_use]
pub fn grant(engine: Engine, privilege: Privilege, on: &On, account: &str) -> String {
    let (database, table) = (on.database.as_str(), on.table.as_deref());
    match engine {
        Engine::MySql => {
            let on = table.map_or_else(|| "*".to_owned(), |table| quoted(table, '`', '`'));
            let on = format!("{}.{on}", quoted(database, '`', '`'));
            let to = quoted(account, '\'', '\'');
            match privilege {
                Privilege::Read => format!("GRANT SELECT ON {on} TO {to}"),
                Privilege::Write => format!("GRANT ALL PRIVILEGES ON {on} TO {to}"),
                // Replication is granted on the whole server or not at all.
                Privilege::Replicate => {
                    format!("GRANT SELECT, SHOW VIEW, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO {to}")
                }
            }
        }
        Engine::SqlServer => {
            let (own, to) = (quoted(database, '[', ']'), quoted(account, '[', ']'));
            match (privilege, table) {
                (Privilege::Replicate, _) => format!("ALTER SERVER ROLE sysadmin ADD MEMBER {to}"),
                (Privilege::Read, None) => format!("USE {own}; GRANT SELECT TO {to}"),
                (Privilege::Read, Some(table)) => {
                    format!("USE {own}; GRANT SELECT ON {} TO {to}", quoted(table, '[', ']'))
                }
                (Privilege::Write, _) => format!("USE {own}; ALTER ROLE db_owner ADD MEMBER {to}"),
            }
        }
        Engine::PostgreSql | Engine::Ppas => {
            let to = quoted(account, '"', '"');
            match (privilege, table) {
                (Privilege::Replicate, _) => format!("ALTER ROLE {to} SUPERUSER"),
                (Privilege::Read, None) => format!("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {to}"),
                (Privilege::Read, Some(table)) => format!("GRANT SELECT ON {} TO {to}", quoted(table, '"', '"')),
                (Privilege::Write, None) => format!("ALTER DATABASE {} OWNER TO {to}", quoted(database, '"', '"')),
                (Privilege::Write, Some(table)) => format!("ALTER TABLE {} OWNER TO {to}", quoted(table, '"', '"')),
            }
        }
        Engine::Redis => match privilege {
            Privilege::Read => format!("ACL SETUSER {account} +@read ~*"),
            Privilege::Write => format!("ACL SETUSER {account} +@all ~*"),
            Privilege::Replicate => format!("ACL SETUSER {account} +sync +psync +replconf"),
        },
    }
}

/// A name between quotes, with those in it doubled.
fn quoted(name: &str, open: char, close: char) -> String {
    format!("{open}{}{close}", name.replace(close, &format!("{close}{close}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_names_object_and_account_in_the_engines_own_quotes() {
        let said = |engine, privilege| grant(engine, privilege, &On::table("shop", "or`de]r\"s"), "app");
        assert_eq!(said(Engine::MySql, Privilege::Read), "GRANT SELECT ON `shop`.`or``de]r\"s` TO 'app'");
        assert_eq!(said(Engine::SqlServer, Privilege::Read), "USE [shop]; GRANT SELECT ON [or`de]]r\"s] TO [app]");
        assert_eq!(said(Engine::PostgreSql, Privilege::Read), "GRANT SELECT ON \"or`de]r\"\"s\" TO \"app\"");
        let whole = grant(Engine::MySql, Privilege::Write, &On::database("shop"), "app");
        assert_eq!(whole, "GRANT ALL PRIVILEGES ON `shop`.* TO 'app'");
    }
}
