//! Values as a server gives them: whole numbers and numbers with a fraction as such, bytes as bytes, all else as text with
//! every digit.

use mysql_async::consts::ColumnType;
use mysql_async::{Column, Value as Given};
use recovery::model::content::Value;

/// Number of the character set of bytes.
const BINARY: u16 = 63;

/// What a column's values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Whole numbers; larger ones than fit are text.
    Whole,
    /// Numbers with a fraction.
    Fraction,
    /// Bytes.
    Bytes,
    /// Text, and what is written as text: decimals, dates, times, JSON.
    Text,
}

impl Shape {
    /// Of a type as the catalogue names it, with the character set of a text.
    pub fn of_type(data_type: &str) -> Self {
        match data_type {
            "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "year" => Self::Whole,
            "float" | "double" | "real" => Self::Fraction,
            "bit" | "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" | "geometry" | "point"
            | "linestring" | "polygon" | "multipoint" | "multilinestring" | "multipolygon" | "geometrycollection"
            | "geomcollection" | "vector" => Self::Bytes,
            _ => Self::Text,
        }
    }

    /// Of a column of any query.
    pub fn of_column(column: &Column) -> Self {
        use ColumnType as T;
        match column.column_type() {
            T::MYSQL_TYPE_TINY
            | T::MYSQL_TYPE_SHORT
            | T::MYSQL_TYPE_LONG
            | T::MYSQL_TYPE_LONGLONG
            | T::MYSQL_TYPE_INT24
            | T::MYSQL_TYPE_YEAR => Self::Whole,
            T::MYSQL_TYPE_FLOAT | T::MYSQL_TYPE_DOUBLE => Self::Fraction,
            T::MYSQL_TYPE_BIT | T::MYSQL_TYPE_GEOMETRY | T::MYSQL_TYPE_VECTOR => Self::Bytes,
            T::MYSQL_TYPE_VARCHAR
            | T::MYSQL_TYPE_TINY_BLOB
            | T::MYSQL_TYPE_MEDIUM_BLOB
            | T::MYSQL_TYPE_LONG_BLOB
            | T::MYSQL_TYPE_BLOB
            | T::MYSQL_TYPE_VAR_STRING
            | T::MYSQL_TYPE_STRING
                if column.character_set() == BINARY =>
            {
                Self::Bytes
            }
            _ => Self::Text,
        }
    }

    /// The value a server wrote.
    pub fn read(self, given: Given) -> Value {
        let bytes = match given {
            Given::NULL => return Value::Null,
            Given::Bytes(bytes) => bytes,
            Given::Int(number) => return Value::Integer(number),
            Given::UInt(number) => {
                return i64::try_from(number).map_or_else(|_| Value::Text(number.to_string()), Value::Integer);
            }
            Given::Float(number) => return Value::Real(f64::from(number)),
            Given::Double(number) => return Value::Real(number),
            other => return Value::Text(other.as_sql(true).trim_matches('\'').to_owned()),
        };
        if self == Self::Bytes {
            return Value::Bytes { hex: hex(&bytes) };
        }
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => return Value::Bytes { hex: hex(error.as_bytes()) },
        };
        match self {
            Self::Whole => text.parse().map_or_else(|_| Value::Text(text), Value::Integer),
            Self::Fraction => text.parse().map_or_else(|_| Value::Text(text), Value::Real),
            Self::Bytes | Self::Text => Value::Text(text),
        }
    }
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

/// Reads what [`hex`] wrote.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let pair = |pair: &[u8]| match pair {
        [high, low] => u8::try_from(digit(*high)? * 16 + digit(*low)?).ok(),
        _ => None,
    };
    text.as_bytes().chunks(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_too_large_is_text_with_all_its_digits() {
        let read = |text: &str| Shape::Whole.read(Given::Bytes(text.as_bytes().to_vec()));
        assert_eq!(read("-7"), Value::Integer(-7));
        assert_eq!(read("18446744073709551615"), Value::Text("18446744073709551615".to_owned()));
    }

    #[test]
    fn bytes_come_back_from_their_digits() {
        assert_eq!(unhex(&hex(&[0, 255, 16])), Some(vec![0, 255, 16]));
        assert_eq!(unhex("0"), None);
    }
}
