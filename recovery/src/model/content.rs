//! Content of a database server as the recovery system handles it: objects, columns, rows and changes.

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;
use std::fmt::{self, Formatter};

/// One value of a row. As JSON it is null, a number or a string; bytes are an object with the one field `hex`.
#[derive(Debug, Clone, PartialEq, Serialize)]
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

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

/// Takes a value for what it is at once. The derived way tries one variant after the other and makes an error of each that
/// does not fit, for every value of every row.
struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str("null, a number, a string or {\"hex\": …}")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Integer(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        // A number that no integer of a row holds.
        #[allow(clippy::cast_precision_loss)]
        let real = number as f64;
        Ok(i64::try_from(number).map_or(Value::Real(real), Value::Integer))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Real(number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Value, E> {
        Ok(Value::Text(text))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value, A::Error> {
        #[derive(Deserialize)]
        struct Bytes {
            hex: String,
        }
        let Bytes { hex } = Bytes::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Value::Bytes { hex })
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_reads_back_as_it_was_written() {
        let values = [
            Value::Null,
            Value::Integer(i64::MIN),
            Value::Integer(7),
            Value::Real(0.5),
            Value::Text("null".into()),
            Value::Bytes { hex: "00ff".into() },
        ];
        for value in values {
            let text = serde_json::to_string(&value).expect("JSON");
            assert_eq!(serde_json::from_str::<Value>(&text).ok(), Some(value));
        }
        assert_eq!(
            serde_json::from_str::<Value>("18446744073709551615").ok(),
            Some(Value::Real(18_446_744_073_709_551_615.0))
        );
        for wrong in ["[1]", "true", "{}"] {
            assert!(serde_json::from_str::<Value>(wrong).is_err(), "{wrong}");
        }
    }
}
