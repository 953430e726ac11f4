//! Values as they travel: PostgreSQL's text form, which keeps every type's full precision, in the escapes of COPY.

use recovery::model::content::{Row, Value};
use recovery::ports::database::DatabaseError;

use super::errors::statement;

/// What becomes of a column's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A whole number of at most 64 bits.
    Integer,
    /// A binary floating point number.
    Real,
    /// A decimal number of any length.
    Decimal,
    /// Bytes.
    Bytes,
    /// Everything else.
    Text,
}

impl Shape {
    /// The shape of a type, by its number in `pg_type`, which is fixed for these.
    #[must_use]
    pub fn of(oid: u32) -> Self {
        match oid {
            20 | 21 | 23 | 26 => Self::Integer,
            700 | 701 => Self::Real,
            1700 => Self::Decimal,
            17 => Self::Bytes,
            _ => Self::Text,
        }
    }

    /// A value from the server's text. Whatever a number of the model would not keep to the last digit stays text.
    #[must_use]
    pub fn value(self, text: String) -> Value {
        match self {
            Self::Integer => text.parse().map_or(Value::Text(text), Value::Integer),
            Self::Real => match text.parse::<f64>() {
                Ok(number) if number.is_finite() => Value::Real(number),
                _ => Value::Text(text),
            },
            Self::Decimal => decimal(text),
            Self::Bytes => match text.strip_prefix("\\x") {
                Some(hex) => Value::Bytes { hex: hex.to_owned() },
                None => Value::Text(text),
            },
            Self::Text => Value::Text(text),
        }
    }
}

/// A decimal number is a number of the model where writing that gives the same digits again.
fn decimal(text: String) -> Value {
    if let Ok(number) = text.parse::<i64>()
        && number.to_string() == text
    {
        return Value::Integer(number);
    }
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && number.fract() != 0.0 && number.to_string() == text => Value::Real(number),
        _ => Value::Text(text),
    }
}

/// A value as the server reads it, without quotes or escapes; nothing for NULL.
#[must_use]
pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Integer(number) => Some(number.to_string()),
        Value::Real(number) => Some(format!("{number:?}")),
        Value::Text(text) => Some(text.clone()),
        Value::Bytes { hex } => Some(format!("\\x{hex}")),
    }
}

/// Writes a row as a line of COPY.
pub fn encode(row: &Row, to: &mut Vec<u8>) {
    for (at, value) in row.iter().enumerate() {
        if at > 0 {
            to.push(b'\t');
        }
        match value {
            Value::Null => to.extend_from_slice(b"\\N"),
            Value::Text(text) => escape(text.as_bytes(), to),
            Value::Bytes { hex } => {
                to.extend_from_slice(b"\\\\x");
                to.extend_from_slice(hex.as_bytes());
            }
            Value::Integer(_) | Value::Real(_) => to.extend(text(value).into_iter().flat_map(String::into_bytes)),
        }
    }
    to.push(b'\n');
}

fn escape(text: &[u8], to: &mut Vec<u8>) {
    let mut plain = 0;
    for (at, byte) in text.iter().enumerate() {
        let letter = match byte {
            b'\\' => b'\\',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            _ => continue,
        };
        to.extend_from_slice(&text[plain..at]);
        to.extend_from_slice(&[b'\\', letter]);
        plain = at + 1;
    }
    to.extend_from_slice(&text[plain..]);
}

/// Reads a line of COPY, without its end.
///
/// # Errors
/// When it has other columns than `shapes`, or is no text.
pub fn decode(line: &[u8], shapes: &[Shape]) -> Result<Row, DatabaseError> {
    let mut row = Row::with_capacity(shapes.len());
    if shapes.is_empty() {
        return Ok(row);
    }
    for field in line.split(|byte| *byte == b'\t') {
        let shape = shapes.get(row.len()).ok_or_else(|| statement("a row has more columns than were asked for"))?;
        row.push(if field == b"\\N" { Value::Null } else { shape.value(unescape(field)?) });
    }
    if row.len() == shapes.len() { Ok(row) } else { Err(statement("a row has fewer columns than were asked for")) }
}

fn unescape(field: &[u8]) -> Result<String, DatabaseError> {
    let no_text = |_| statement("a value is not UTF-8");
    if !field.contains(&b'\\') {
        return std::str::from_utf8(field).map(str::to_owned).map_err(|_| statement("a value is not UTF-8"));
    }
    let mut bytes = Vec::with_capacity(field.len());
    let mut at = 0;
    while at < field.len() {
        let (byte, step) = match (field[at], field.get(at + 1)) {
            (b'\\', Some(letter)) => (plain(*letter), 2),
            (byte, _) => (byte, 1),
        };
        bytes.push(byte);
        at += step;
    }
    String::from_utf8(bytes).map_err(no_text)
}

/// What a letter after a backslash stands for in what the server writes.
fn plain(letter: u8) -> u8 {
    match letter {
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn there_and_back(row: &Row, shapes: &[Shape]) -> Row {
        let mut line = Vec::new();
        encode(row, &mut line);
        decode(&line[..line.len() - 1], shapes).unwrap_or_default()
    }

    #[test]
    fn what_looks_like_an_escape_comes_back_as_it_was() {
        let row: Row =
            ["\\N", "", "\\", "a\tb\nc\rd", "\u{8}\u{b}\u{c}", "é😀"].map(|text| Value::Text(text.into())).into();
        assert_eq!(there_and_back(&row, &[Shape::Text; 6]), row);
    }

    #[test]
    fn a_decimal_is_a_number_only_where_no_digit_is_lost() {
        assert_eq!(Shape::Decimal.value("60".into()), Value::Integer(60));
        assert_eq!(Shape::Decimal.value("10.5".into()), Value::Real(10.5));
        for text in ["10.50", "1.0", "NaN", "0.1000000000000000055511151231257827", "123456789012345678901234567890"] {
            assert_eq!(Shape::Decimal.value(text.into()), Value::Text(text.into()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_and_any_number_come_back(words in "\\PC*|[\\\\\t\r\n]*", whole: i64, real in proptest::num::f64::NORMAL) {
            let row = vec![Value::Text(words), Value::Integer(whole), Value::Null, Value::Real(real)];
            prop_assert_eq!(there_and_back(&row, &[Shape::Text, Shape::Integer, Shape::Text, Shape::Real]), row);
        }
    }
}
