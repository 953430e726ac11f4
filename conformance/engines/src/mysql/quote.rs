//! Names and values as MySQL and MariaDB read them: the one place where either is put into a statement.
//!
//! Sessions that use literals made here have neither `ANSI_QUOTES` nor `NO_BACKSLASH_ESCAPES` in their `sql_mode`, and
//! speak `utf8mb4`.

use recovery::model::content::Value;
use recovery::ports::database::DatabaseError;

/// A name.
pub(super) fn name(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A table or other object of a database.
pub(super) fn of(database: &str, object: &str) -> String {
    format!("{}.{}", name(database), name(object))
}

/// Names with commas.
pub(super) fn names<'a>(all: impl IntoIterator<Item = &'a String>) -> String {
    all.into_iter().map(|one| name(one)).collect::<Vec<_>>().join(", ")
}

/// A text.
pub(super) fn text(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('\'');
    for letter in text.chars() {
        match letter {
            '\'' => quoted.push_str("''"),
            '\\' => quoted.push_str("\\\\"),
            '\0' => quoted.push_str("\\0"),
            other => quoted.push(other),
        }
    }
    quoted.push('\'');
    quoted
}

/// A value of a row, added to a statement.
///
/// # Errors
/// When bytes are not written in hexadecimal digits, or a number is none.
pub(super) fn value(value: &Value, into: &mut String) -> Result<(), DatabaseError> {
    match value {
        Value::Null => into.push_str("NULL"),
        Value::Integer(number) => into.push_str(&number.to_string()),
        // The shortest digits that give the same number, always with an exponent: without one it would be a decimal.
        Value::Real(number) if number.is_finite() => into.push_str(&format!("{number:e}")),
        Value::Real(number) => return Err(DatabaseError::Statement(format!("{number} is no number of this engine"))),
        Value::Text(value) => into.push_str(&text(value)),
        Value::Bytes { hex } => {
            if hex.len() % 2 != 0 || !hex.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return Err(DatabaseError::Statement("bytes are not written in hexadecimal digits".to_owned()));
            }
            into.push_str("x'");
            into.push_str(hex);
            into.push('\'');
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_inside_a_name_or_text_ends_neither() {
        assert_eq!(name("a`b"), "`a``b`");
        assert_eq!(text("it's \\ \0"), "'it''s \\\\ \\0'");
    }

    #[test]
    fn a_number_with_a_fraction_keeps_every_digit() {
        let written = |number: f64| {
            let mut into = String::new();
            value(&Value::Real(number), &mut into).map(|()| into)
        };
        assert_eq!(written(0.1).as_deref(), Ok("1e-1"));
        assert_eq!(written(f64::MIN_POSITIVE).as_deref(), Ok("2.2250738585072014e-308"));
        assert!(written(f64::NAN).is_err());
    }

    #[test]
    fn what_is_no_hexadecimal_digit_never_gets_into_a_statement() {
        let bytes = Value::Bytes { hex: "00'; drop table t; --".to_owned() };
        assert!(value(&bytes, &mut String::new()).is_err());
    }
}
