//! What `ALTER TABLE` does, item by item.

use super::columns;
use super::words::{Words, cut};
use crate::model::Engine;
use crate::worker::sql::{self, Token};

/// One item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// Adds a column.
    AddColumn {
        /// Name, type and the rest.
        text: String,
        /// Where: after a column, or first where that is empty; last without.
        place: Option<Option<String>>,
    },
    /// Drops a column.
    DropColumn(String),
    /// Gives a column another name.
    RenameColumn {
        /// Name.
        from: String,
        /// New name.
        to: String,
    },
    /// Gives the table another name.
    RenameTable(String),
    /// Adds a key or check that becomes part of the table's definition.
    AddConstraint(String),
    /// Adds an index that has a name.
    AddIndex {
        /// Name.
        name: String,
        /// `UNIQUE ` or nothing.
        unique: bool,
        /// Columns in parentheses.
        columns: String,
    },
    /// Adds a foreign key.
    AddForeignKey(Option<String>),
    /// Drops an index.
    DropIndex(String),
    /// Drops a foreign key, check or unique key; which of them, the table knows.
    DropConstraint(String),
    /// Does nothing to definitions or rows.
    Nothing,
    /// Is not followed.
    Unknown,
}

impl Item {
    /// Reads what stands after the table's name.
    #[must_use]
    pub fn read(engine: Engine, tokens: &[Token]) -> Vec<Self> {
        let end = tokens.iter().rposition(|token| !token.is_sign(";") && token.kind != sql::Kind::Space);
        let tokens = &tokens[..end.map_or(0, |end| end + 1)];
        let read = |range: std::ops::Range<usize>| Self::one(engine, &tokens[range]).unwrap_or(Self::Unknown);
        cut(tokens).into_iter().map(read).collect()
    }

    fn one(engine: Engine, tokens: &[Token]) -> Option<Self> {
        let mut words = Words::new(tokens);
        if words.eat("WITH") && !(words.eat("CHECK") || words.eat("NOCHECK")) {
            return None;
        }
        if words.eat("ADD") {
            return Self::add(engine, tokens, words);
        }
        if words.eat("DROP") {
            return Self::dropped(words);
        }
        if words.eat("RENAME") {
            return Self::renamed(words);
        }
        let foreign_only = words.is_any(&["NOCHECK", "CHECK"]);
        let harmless =
            foreign_only || words.is_any(&["AUTO_INCREMENT", "ENABLE", "DISABLE", "FORCE", "ALGORITHM", "LOCK"]);
        harmless.then_some(Self::Nothing)
    }

    fn add(engine: Engine, tokens: &[Token], mut words: Words<'_>) -> Option<Self> {
        let from = words.at;
        let whole = || sql::text(&tokens[from..]).trim().to_owned();
        let mut name = None;
        if words.eat("CONSTRAINT") && !words.is_any(&["PRIMARY", "UNIQUE", "FOREIGN", "CHECK"]) {
            name = Some(words.name()?);
        }
        if words.is("FOREIGN") {
            return Some(Self::AddForeignKey(name));
        }
        if words.is_any(&["PRIMARY", "CHECK"]) {
            return Some(Self::AddConstraint(whole()));
        }
        let unique = words.eat("UNIQUE");
        if words.eat("INDEX") || words.eat("KEY") || unique {
            words.eat("INDEX");
            words.eat("KEY");
            let own = if words.is_sign("(") { name } else { words.name() };
            let columns = words.group().map(|inside| format!("({})", sql::text(&tokens[inside])))?;
            if !words.is_over() {
                return None;
            }
            return Some(match own {
                Some(name) => Self::AddIndex { name, unique, columns },
                None => Self::AddConstraint(whole()),
            });
        }
        if name.is_some() || words.is_any(&["FULLTEXT", "SPATIAL", "PARTITION"]) {
            return None;
        }
        words.eat("COLUMN");
        words.eat_all(&["IF", "NOT", "EXISTS"]);
        let begin = words.at;
        let (text, place) = columns::added(engine, &tokens[begin..])?;
        Some(Self::AddColumn { text, place })
    }

    fn dropped(mut words: Words<'_>) -> Option<Self> {
        let item = if words.eat("INDEX") || words.eat("KEY") {
            Self::DropIndex(words.name()?)
        } else if words.eat("CONSTRAINT") || words.eat("CHECK") || words.eat_all(&["FOREIGN", "KEY"]) {
            words.eat_all(&["IF", "EXISTS"]);
            Self::DropConstraint(words.name()?)
        } else if words.is("PRIMARY") || words.is("PARTITION") {
            return None;
        } else {
            words.eat("COLUMN");
            words.eat_all(&["IF", "EXISTS"]);
            Self::DropColumn(words.name()?)
        };
        let _ = words.eat("RESTRICT") || words.eat("CASCADE");
        words.is_over().then_some(item)
    }

    fn renamed(mut words: Words<'_>) -> Option<Self> {
        if words.is_any(&["INDEX", "KEY", "CONSTRAINT"]) {
            return None;
        }
        let says_column = words.eat("COLUMN");
        if !says_column && (words.eat("TO") || words.eat("AS")) {
            return words.name().map(Self::RenameTable);
        }
        let from = words.name()?;
        if words.eat("TO") {
            return words.name().map(|to| Self::RenameColumn { from, to });
        }
        (!says_column && words.is_over()).then_some(Self::RenameTable(from))
    }
}
