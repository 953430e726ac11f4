//! What a server keeps of the objects of a database beside SQLite: shapes of tables, definers, definitions, foreign keys.

use super::extras::EventTrigger;
use super::profile::word;
use super::tokens::quoted;
use recovery::model::content::{Column, ObjectKind, Security};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What is known of a database's objects.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Catalogue {
    /// Tables by name.
    pub tables: BTreeMap<String, Shape>,
    /// Definers of views and triggers, by [`key`].
    pub owners: BTreeMap<String, Owner>,
    /// Objects kept as definitions, by [`key`].
    pub definitions: BTreeMap<String, Definition>,
    /// Foreign keys by lower-case name.
    pub foreign_keys: BTreeMap<String, ForeignKey>,
    /// Revisions of all objects, by [`key`].
    pub revisions: BTreeMap<String, u64>,
    /// Storage engines that tables were made with, by lower-case name.
    #[serde(default)]
    pub storage: BTreeMap<String, String>,
    /// The recovery model, where it was set.
    #[serde(default)]
    pub recovery_model: Option<String>,
    /// Event triggers by name (PostgreSQL).
    #[serde(default)]
    pub event_triggers: BTreeMap<String, EventTrigger>,
    /// Extensions that are installed (PostgreSQL).
    #[serde(default)]
    pub extensions: BTreeSet<String>,
}

/// A table's columns and key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Shape {
    /// Columns in order.
    pub columns: Vec<Column>,
    /// Columns of the primary key or of a unique key without NULLs.
    pub key: Vec<String>,
}

impl Shape {
    /// The columns' names in order.
    pub fn names(&self) -> Vec<String> {
        self.columns.iter().map(|column| column.name.clone()).collect()
    }
}

/// Who defined an object and whose rights it runs with.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Owner {
    /// Definer.
    pub definer: Option<String>,
    /// Whose rights.
    pub security: Option<Security>,
}

/// An object kept as a definition.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Definition {
    /// Kind.
    pub kind: ObjectKind,
    /// Name.
    pub name: String,
    /// The statement that makes it, without definer.
    pub text: String,
    /// Definer.
    pub owner: Owner,
}

/// What happens to rows when the row they point to goes or gets another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum OnChange {
    /// The change is refused.
    Refuse,
    /// They follow.
    Cascade,
    /// They point to nothing.
    SetNull,
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ForeignKey {
    /// Name.
    pub name: String,
    /// Table.
    pub table: String,
    /// Columns.
    pub columns: Vec<String>,
    /// The table it points to.
    pub parent: String,
    /// The columns it points to.
    pub parent_columns: Vec<String>,
    /// Whether it is enforced.
    pub enabled: bool,
    /// What happens when the row it points to is deleted.
    pub on_delete: OnChange,
    /// What happens when the row it points to gets another key.
    pub on_update: OnChange,
}

impl ForeignKey {
    /// The statement that makes it.
    pub fn definition(&self) -> String {
        let list = |names: &[String]| names.iter().map(|name| written(name)).collect::<Vec<_>>().join(", ");
        let mut text = format!(
            "alter table {} add constraint {} foreign key ({}) references {} ({})",
            written(&self.table),
            written(&self.name),
            list(&self.columns),
            written(&self.parent),
            list(&self.parent_columns),
        );
        for (event, action) in [("delete", self.on_delete), ("update", self.on_update)] {
            let action = match action {
                OnChange::Refuse => continue,
                OnChange::Cascade => "cascade",
                OnChange::SetNull => "set null",
            };
            text.push_str(&format!(" on {event} {action}"));
        }
        text
    }

    /// A query for a row that points to nothing.
    pub fn orphans(&self) -> String {
        let not_null: Vec<_> = self.columns.iter().map(|column| format!("c.{} is not null", quoted(column))).collect();
        let same = self.columns.iter().zip(&self.parent_columns);
        let same: Vec<_> = same.map(|(c, p)| format!("p.{} = c.{}", quoted(p), quoted(c))).collect();
        format!(
            "select 1 from {} c where {} and not exists (select 1 from {} p where {}) limit 1",
            quoted(&self.table),
            not_null.join(" and "),
            quoted(&self.parent),
            same.join(" and "),
        )
    }
}

/// The name an object goes by in the catalogue: `table orders`.
pub(super) fn key(kind: ObjectKind, name: &str) -> String {
    format!("{} {}", word(kind), name.to_ascii_lowercase())
}

/// Words that are not names unless quoted.
const RESERVED: [&str; 44] = [
    "add",
    "all",
    "alter",
    "and",
    "as",
    "between",
    "case",
    "check",
    "collate",
    "commit",
    "constraint",
    "create",
    "default",
    "delete",
    "distinct",
    "drop",
    "else",
    "exists",
    "foreign",
    "from",
    "group",
    "having",
    "in",
    "index",
    "insert",
    "into",
    "is",
    "join",
    "limit",
    "not",
    "null",
    "on",
    "or",
    "order",
    "primary",
    "references",
    "select",
    "set",
    "table",
    "to",
    "union",
    "unique",
    "update",
    "values",
];

/// A name as a person writes it: quoted only where it must be.
pub(super) fn written(name: &str) -> String {
    let mut bytes = name.bytes();
    let plain = bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !RESERVED.contains(&name.to_ascii_lowercase().as_str())
        && !name.eq_ignore_ascii_case("where");
    if plain { name.to_owned() } else { quoted(name) }
}

impl Catalogue {
    /// A table's name as it was made, and its shape.
    pub fn table(&self, name: &str) -> Option<(&str, &Shape)> {
        let found = self.tables.get_key_value(name);
        let found = found.or_else(|| self.tables.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)));
        found.map(|(name, shape)| (name.as_str(), shape))
    }

    /// The foreign keys that point to a table from other tables.
    pub fn pointing_to<'a>(&'a self, table: &'a str) -> impl Iterator<Item = &'a ForeignKey> {
        let to = move |key: &&ForeignKey| {
            key.enabled && key.parent.eq_ignore_ascii_case(table) && !key.table.eq_ignore_ascii_case(table)
        };
        self.foreign_keys.values().filter(to)
    }

    /// An object's revision.
    pub fn revision(&self, kind: ObjectKind, name: &str) -> u64 {
        self.revisions.get(&key(kind, name)).copied().unwrap_or(0)
    }

    /// Forgets a dropped table: its shape, foreign keys and revisions.
    pub fn forget_table(&mut self, name: &str) {
        self.tables.retain(|known, _| !known.eq_ignore_ascii_case(name));
        self.foreign_keys.retain(|_, key| !key.table.eq_ignore_ascii_case(name));
        self.revisions.remove(&key(ObjectKind::Table, name));
        self.storage.remove(&name.to_ascii_lowercase());
    }

    /// A name for a foreign key that was given none.
    pub fn free_name(&self, table: &str) -> String {
        let taken = |name: &String| self.foreign_keys.contains_key(&name.to_ascii_lowercase());
        let numbers = 1..=self.foreign_keys.len() + 1;
        let mut names = numbers.map(|number| format!("fk_{table}_{number}"));
        names.find(|name| !taken(name)).unwrap_or_else(|| format!("fk_{table}"))
    }
}
