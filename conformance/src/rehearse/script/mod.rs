//! The user's scripts as the engine's own client is given them: dumps are changed where they speak of the server they
//! were taken from, line by line, so that line numbers stay.

mod mysql;
mod postgres;

use super::Trouble;
use bytes::Bytes;
use engines::images::Family;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor};
use std::path::Path;

/// Bytes handed on at a time, about.
const PORTION: usize = 256 * 1024;

/// The account whose the loaded objects are.
pub const ACCOUNT: &str = "rehearsal";

/// What was changed or left out, each with how often.
pub type Notes = BTreeMap<String, u64>;

/// How files begin that no client reads as a script.
const OTHERS: [(&[u8], &str); 6] = [
    (b"PGDMP", "is in pg_dump's custom format; write it as text first: pg_restore -f dump.sql FILE"),
    (b"toc.dat", "is in pg_dump's tar format; write it as text first: pg_restore -f dump.sql FILE"),
    (&[0x1f, 0x8b], "is compressed (gzip); unpack it first"),
    (&[0x28, 0xb5, 0x2f, 0xfd], "is compressed (zstd); unpack it first"),
    (
        &[0xff, 0xfe],
        "is in UTF-16; write it in UTF-8 first (PowerShell's `>` makes UTF-16: use the dump's own option for a file)",
    ),
    (b"BZh", "is compressed (bzip2); unpack it first"),
];

/// What is done to a line.
#[derive(Debug, PartialEq, Eq)]
enum Line {
    /// It stays.
    Same,
    /// Another stands in its place; the note says why.
    Other(Vec<u8>, String),
    /// The script is refused.
    Refused(String),
}

/// What knows the dumps of an engine.
enum Dialect {
    Postgres(postgres::Dialect),
    MySql(mysql::Dialect),
}

/// A script.
pub struct Script {
    source: Box<dyn BufRead>,
    dialect: Dialect,
    /// What was changed.
    pub notes: Notes,
    /// Why it is not read on.
    pub refused: Option<String>,
    over: bool,
}

impl Script {
    /// The script in a file.
    ///
    /// # Errors
    /// When it cannot be read, or is no script.
    pub fn open(path: &Path, family: Family) -> Result<Self, Trouble> {
        let shown = path.display();
        let unreadable = |error: io::Error| Trouble::Input(format!("{shown} cannot be read: {error}"));
        if path.is_dir() {
            return Err(Trouble::Input(format!(
                "{shown} is a folder; a dump in pg_dump's directory format is written as text by: pg_restore -f dump.sql {shown}"
            )));
        }
        let mut source = BufReader::with_capacity(PORTION, File::open(path).map_err(unreadable)?);
        let head = source.fill_buf().map_err(unreadable)?;
        if head.is_empty() {
            return Err(Trouble::Input(format!("{shown} is empty")));
        }
        if let Some((_, why)) = OTHERS.iter().find(|(begin, _)| head.starts_with(begin)) {
            return Err(Trouble::Input(format!("{shown} {why}")));
        }
        Ok(Self::of(Box::new(source), family))
    }

    /// A script of a text.
    #[must_use]
    pub fn text(text: &str, family: Family) -> Self {
        Self::of(Box::new(Cursor::new(format!("{text}\n").into_bytes())), family)
    }

    fn of(source: Box<dyn BufRead>, family: Family) -> Self {
        let dialect = match family {
            Family::Postgres => Dialect::Postgres(postgres::Dialect::default()),
            _ => Dialect::MySql(mysql::Dialect::default()),
        };
        Self { source, dialect, notes: Notes::new(), refused: None, over: false }
    }

    /// The next lines, together; `None` at the end.
    fn portion(&mut self) -> io::Result<Option<Bytes>> {
        let mut portion = Vec::with_capacity(PORTION * 5 / 4);
        let mut line = Vec::new();
        while portion.len() < PORTION {
            line.clear();
            if self.source.read_until(b'\n', &mut line)? == 0 {
                break;
            }
            let done = match &mut self.dialect {
                Dialect::Postgres(dialect) => dialect.line(&line),
                Dialect::MySql(dialect) => dialect.line(&line),
            };
            match done {
                Line::Same => portion.extend_from_slice(&line),
                Line::Other(other, note) => {
                    portion.extend_from_slice(&other);
                    *self.notes.entry(note).or_default() += 1;
                }
                Line::Refused(why) => return Err(io::Error::other(why)),
            }
        }
        Ok((!portion.is_empty()).then(|| Bytes::from(portion)))
    }
}

impl Iterator for Script {
    type Item = io::Result<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let portion = self.portion().transpose();
        if let Some(Err(error)) = &portion {
            (self.over, self.refused) = (true, Some(error.to_string()));
        }
        portion
    }
}

/// A line without its content, so that those after it keep their numbers.
fn without() -> Vec<u8> {
    b"\n".to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_no_script_is_refused_with_what_to_do() {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, bytes, said) in [
            ("custom", b"PGDMP\x01".as_slice(), "pg_restore -f"),
            ("packed", &[0x1f, 0x8b, 8], "unpack it first"),
            ("empty", b"", "is empty"),
        ] {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).expect("written");
            let refused = Script::open(&path, Family::Postgres).err();
            assert!(matches!(&refused, Some(Trouble::Input(why)) if why.contains(said)), "{refused:?}");
        }
        assert!(matches!(Script::open(folder.path(), Family::MySql).err(), Some(Trouble::Input(_))));
        assert!(matches!(Script::open(&folder.path().join("none"), Family::MySql).err(), Some(Trouble::Input(_))));
    }

    #[test]
    fn what_is_changed_is_noted_and_lines_keep_their_numbers() {
        let mut script = Script::text("select 1;\n\\restrict abc\nselect 2;", Family::Postgres);
        let text: Vec<u8> = script.by_ref().flat_map(|portion| portion.expect("read").to_vec()).collect();
        assert_eq!(String::from_utf8(text).expect("text"), "select 1;\n\nselect 2;\n");
        assert_eq!(script.notes.values().copied().collect::<Vec<_>>(), [1]);
    }
}
