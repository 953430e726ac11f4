//! Values between SQLite, the wire and the log.

use recovery::model::content::Value;
use recovery::ports::database::DatabaseError;
use rusqlite::ErrorCode;
use rusqlite::types::{Value as Sql, ValueRef};

/// A value SQLite gave.
pub(super) fn from_sql(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Value::Bytes { hex: hex(bytes) },
    }
}

/// A value for SQLite.
pub(super) fn to_sql(value: &Value) -> Result<Sql, DatabaseError> {
    Ok(match value {
        Value::Null => Sql::Null,
        Value::Integer(number) => Sql::Integer(*number),
        Value::Real(number) => Sql::Real(*number),
        Value::Text(text) => Sql::Text(text.clone()),
        Value::Bytes { hex } => Sql::Blob(
            unhex(hex).ok_or_else(|| DatabaseError::Statement("bytes are not written in hexadecimal digits".into()))?,
        ),
    })
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    digits.map(char::from).collect()
}

/// Reads what [`hex`] wrote.
pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let pairs = text.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => u8::try_from(digit(*high)? * 16 + digit(*low)?).ok(),
        _ => None,
    });
    pairs.collect()
}

/// What an error of SQLite means.
pub(super) fn failed(error: rusqlite::Error) -> DatabaseError {
    let (code, text) = match error {
        rusqlite::Error::SqliteFailure(error, text) => (Some(error.code), text.unwrap_or_else(|| error.to_string())),
        rusqlite::Error::SqlInputError { error, msg, .. } => (Some(error.code), msg),
        other => (None, other.to_string()),
    };
    let after = |prefix: &str| text.strip_prefix(prefix).map(|name| name.trim().to_owned());
    let named = ["no such table: ", "no such view: ", "no such index: ", "no such trigger: "];
    if code == Some(ErrorCode::ConstraintViolation) {
        DatabaseError::Constraint(text)
    } else if let Some(name) = named.iter().find_map(|prefix| after(prefix)) {
        DatabaseError::NoSuchObject(name.strip_prefix("main.").unwrap_or(&name).to_owned())
    } else if text.ends_with("already exists") {
        let words: Vec<_> = text.split(' ').collect();
        DatabaseError::ObjectExists(words.get(words.len().wrapping_sub(3)).copied().unwrap_or_default().to_owned())
    } else {
        DatabaseError::Statement(text)
    }
}
