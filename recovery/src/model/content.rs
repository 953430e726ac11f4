//! Content of a database server as the recovery system handles it: objects, columns, rows and changes.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One value of a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// NULL.
    Null,
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Real(f64),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes {
        /// Hexadecimal digits.
        hex: String,
    },
}

/// Values in the order of the columns asked for.
pub type Row = Vec<Value>;

/// The kinds of objects a database holds.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
    utoipa::ToSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ObjectKind {
    /// A table with its columns, keys, checks and defaults, without its foreign keys.
    Table,
    /// An index that is not part of a table's definition.
    Index,
    /// A view.
    View,
    /// A trigger on a table.
    Trigger,
    /// A stored procedure.
    Procedure,
    /// A function.
    Function,
    /// A foreign key of a table.
    ForeignKey,
    /// A sequence.
    Sequence,
    /// A synonym (SQL Server).
    Synonym,
    /// A user type.
    Type,
    /// A rule.
    Rule,
    /// A default object (SQL Server).
    Default,
    /// A plan guide (SQL Server).
    PlanGuide,
    /// A domain (PostgreSQL).
    Domain,
    /// An aggregate (PostgreSQL).
    Aggregate,
    /// A scheduled event (MySQL); migrated by no task.
    Event,
}

/// Whose rights a view or routine runs with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// The definer's.
    Definer,
    /// The caller's.
    Invoker,
}

/// One object of a database, as a server describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    /// Kind.
    pub kind: ObjectKind,
    /// Name within the database.
    pub name: String,
    /// The table a trigger, index or foreign key belongs to.
    pub table: Option<String>,
    /// The statement that makes it, with its own name, without definer.
    pub definition: String,
    /// Columns, for a table, in order.
    pub columns: Vec<Column>,
    /// Columns of the primary key, or of a unique key without NULLs where there is no primary key; empty without either.
    pub key: Vec<String>,
    /// Names of the objects of the same database this one needs (a view's tables, a foreign key's parent table).
    pub needs: Vec<String>,
    /// Account that defined a view, routine, trigger or event.
    pub definer: Option<String>,
    /// Whose rights it runs with.
    pub security: Option<Security>,
    /// Changes with every DDL on the object (and with TRUNCATE), so that DDL during a migration shows.
    pub revision: u64,
    /// Rows, for a table.
    pub rows: u64,
}

/// One column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Name.
    pub name: String,
    /// Declared type, as the server writes it.
    pub declared: String,
    /// Whether NULL is allowed.
    pub nullable: bool,
}

/// One database of a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseFacts {
    /// Name.
    pub name: String,
    /// Character set.
    pub charset: String,
}

/// A change read from a server's log, for incremental migration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Log position.
    pub position: u64,
    /// The server's time when it was committed.
    pub at: jiff::Timestamp,
    /// Database.
    pub database: String,
    /// What changed.
    pub kind: ChangeKind,
}

/// What a log entry says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "lowercase")]
pub enum ChangeKind {
    /// A row by column name, before and after; an insert has no before, a delete no after.
    Row {
        /// Table.
        table: String,
        /// Before.
        old: Option<BTreeMap<String, Value>>,
        /// After.
        new: Option<BTreeMap<String, Value>>,
    },
    /// A statement that changed definitions.
    Ddl {
        /// The object it named.
        object: String,
        /// The statement.
        sql: String,
    },
}
