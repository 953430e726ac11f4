//! The photograph: canonical content of one instance, so that two contents can be compared without asking either system.

use super::content::{ObjectKind, Row, Security};
use super::instance::Grants;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Canonical content of one instance at one instant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Photograph {
    /// Databases by name.
    pub databases: BTreeMap<String, PhotographedDatabase>,
    /// Accounts by name.
    pub accounts: BTreeMap<String, PhotographedAccount>,
    /// Server settings that a recovery must not change: whitelist, SSL, parameters.
    pub settings: BTreeMap<String, String>,
    /// Log position of the server.
    pub log_position: u64,
}

/// One database on a photograph.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PhotographedDatabase {
    /// Character set.
    pub charset: String,
    /// Objects by kind and name, written `table orders`.
    pub objects: BTreeMap<String, PhotographedObject>,
}

/// One object on a photograph. Two are the same whatever they are seen to need: a view, trigger or routine names what it
/// needs in its definition, and which of that is there says something about the others.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PhotographedObject {
    /// Kind.
    pub kind: ObjectKind,
    /// Name.
    pub name: String,
    /// Definition with white space folded, without definer.
    pub definition: String,
    /// Account that defined it.
    pub definer: Option<String>,
    /// Whose rights it runs with.
    pub security: Option<Security>,
    /// Whether it is enforced or fires (a foreign key or trigger can be there and switched off).
    pub enabled: bool,
    /// Names of the objects it needs, of those that are there.
    pub needs: Vec<String>,
    /// A table's rows.
    pub rows: Option<Rows>,
}

impl PartialEq for PhotographedObject {
    fn eq(&self, other: &Self) -> bool {
        let Self { kind, name, definition, definer, security, enabled, needs: _, rows } = self;
        *kind == other.kind
            && *name == other.name
            && *definition == other.definition
            && *definer == other.definer
            && *security == other.security
            && *enabled == other.enabled
            && *rows == other.rows
    }
}

/// A table's rows on a photograph: sorted by all columns, so that order never counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "as", rename_all = "lowercase")]
pub enum Rows {
    /// All rows.
    Whole {
        /// Column names in order.
        columns: Vec<String>,
        /// Names of the key's columns; empty for a table without a key.
        key: Vec<String>,
        /// Rows, sorted.
        rows: Vec<Row>,
    },
    /// Too many rows to keep.
    Digest {
        /// How many.
        count: u64,
        /// SHA-256 over the sorted rows, hexadecimal.
        sha256: String,
    },
}

/// One account on a photograph.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PhotographedAccount {
    /// The mark of the password: equal marks, equal passwords.
    pub password_mark: String,
    /// Rights.
    pub grants: Grants,
}

impl PhotographedDatabase {
    /// A table's object.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&PhotographedObject> {
        self.objects.get(&format!("table {name}"))
    }
}

impl Rows {
    /// How many rows.
    #[must_use]
    pub fn count(&self) -> u64 {
        match self {
            Self::Whole { rows, .. } => rows.len() as u64,
            Self::Digest { count, .. } => *count,
        }
    }
}

/// The keyed mark of a password: equal passwords have equal marks on every instance and in every history.
#[must_use]
pub fn password_mark(password: &super::Secret) -> String {
    use sha2::{Digest, Sha256};
    let digest = Sha256::new().chain_update(b"firedrill password mark\0").chain_update(password.expose()).finalize();
    digest[..6].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_routine_is_the_same_whether_or_not_what_it_names_is_there() {
        let tidy = PhotographedObject {
            kind: ObjectKind::Procedure,
            name: "tidy".into(),
            definition: "create procedure tidy as delete from orders".into(),
            definer: None,
            security: None,
            enabled: true,
            needs: vec![],
            rows: None,
        };
        assert_eq!(PhotographedObject { needs: vec!["orders".into()], ..tidy.clone() }, tidy);
        assert_ne!(PhotographedObject { definition: "create procedure tidy as select 1".into(), ..tidy.clone() }, tidy);
    }
}
