//! Dumps of pg_dump: what newer programs write and older ones do not read, and the locale of the server they are of.

use super::{Line, without};

/// Where a line is.
#[derive(Debug, Default)]
pub struct Dialect {
    /// Within rows of `COPY … FROM stdin`.
    rows: bool,
}

/// What follows the encoding in pg_dump's `CREATE DATABASE`: the locale, which only the server it is of may know.
const LOCALE: [&str; 4] = [" LOCALE_PROVIDER ", " LOCALE ", " LC_COLLATE ", " LC_CTYPE "];

impl Dialect {
    /// What is done to a line.
    pub fn line(&mut self, line: &[u8]) -> Line {
        let text = line.trim_ascii_end();
        if self.rows {
            self.rows = text != b"\\.";
            return Line::Same;
        }
        if text.starts_with(b"COPY ") && text.ends_with(b" FROM stdin;") {
            self.rows = true;
            return Line::Same;
        }
        // Since 2025 pg_dump encloses what it writes in these; psql before that does not know them.
        if text.starts_with(b"\\restrict ") || text.starts_with(b"\\unrestrict ") {
            return Line::Other(without(), "pg_dump's \\restrict, which only newer clients know, left out".into());
        }
        if let Some(create) = std::str::from_utf8(text).ok().filter(|text| text.starts_with("CREATE DATABASE ")) {
            let at = LOCALE.iter().filter_map(|word| create.find(word)).min();
            if let Some(at) = at.filter(|_| create.ends_with(';')) {
                let other = format!("{};\n", &create[..at]).into_bytes();
                return Line::Other(
                    other,
                    "the locale of a database, which only the dump's server may know, left out".into(),
                );
            }
        }
        Line::Same
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_left_as_they_are_and_what_stands_around_them_is_not() {
        let mut dialect = Dialect::default();
        for (line, same) in [
            ("COPY public.t (a) FROM stdin;\n", true),
            ("\\restrict abc\n", true),
            ("CREATE DATABASE shop LOCALE = 'de_DE.UTF-8';\n", true),
            ("\\.\n", true),
            ("\\restrict abc\n", false),
            ("\\unrestrict abc\n", false),
        ] {
            assert_eq!(dialect.line(line.as_bytes()) == Line::Same, same, "{line}");
        }
    }

    #[test]
    fn a_database_is_made_without_the_locale_of_another_server() {
        let line = "CREATE DATABASE shop WITH TEMPLATE = template0 ENCODING = 'UTF8' LOCALE_PROVIDER = libc LOCALE = 'de_DE.UTF-8';\n";
        let Line::Other(other, _) = Dialect::default().line(line.as_bytes()) else { panic!("it stayed") };
        let other = String::from_utf8(other).expect("text");
        assert_eq!(other, "CREATE DATABASE shop WITH TEMPLATE = template0 ENCODING = 'UTF8';\n");
    }
}
