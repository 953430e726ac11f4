//! Statements of a log that change definitions, read as far as folding them needs.

use super::alter::Item;
use super::head::kind_of;
use super::words::{Words, tokens};
use crate::model::Engine;
use crate::model::content::ObjectKind;
use crate::worker::sql::{self, Token};

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    /// Makes a table from columns.
    CreateTable {
        /// Name.
        name: String,
        /// Whether it may be there already.
        tolerant: bool,
    },
    /// Makes a table that is like another.
    CreateLike {
        /// Name.
        name: String,
        /// The other.
        like: String,
    },
    /// Makes an index.
    CreateIndex {
        /// Name.
        name: String,
        /// Table.
        table: String,
    },
    /// Makes or replaces any other object.
    Define {
        /// Kind.
        kind: ObjectKind,
        /// Name.
        name: String,
        /// Table, for a trigger.
        table: Option<String>,
        /// Whether one that is there stays.
        tolerant: bool,
    },
    /// Alters a table.
    AlterTable {
        /// Name.
        name: String,
        /// What is altered.
        items: Vec<Item>,
    },
    /// Alters an object in a way that is not followed.
    Alter {
        /// Kind.
        kind: ObjectKind,
        /// Name.
        name: String,
    },
    /// Gives tables other names, in order.
    Rename(Vec<(String, String)>),
    /// Empties tables.
    Truncate(Vec<String>),
    /// Drops objects.
    Drop {
        /// Kind.
        kind: ObjectKind,
        /// Names.
        names: Vec<String>,
        /// Table, for an index.
        table: Option<String>,
    },
    /// Makes a database.
    CreateDatabase {
        /// Character set, where it says one.
        charset: Option<String>,
    },
    /// Drops a database.
    DropDatabase,
    /// About what no backup holds: accounts and settings.
    Beside,
    /// Not understood.
    Unknown,
}

impl Statement {
    /// Reads a statement.
    #[must_use]
    pub fn read(engine: Engine, text: &str) -> Self {
        let all = tokens(engine, text);
        let mut words = Words::new(&all);
        let read = if words.eat("CREATE") {
            create(&all, words)
        } else if words.eat("ALTER") {
            alter(engine, &all, words)
        } else if words.eat("DROP") {
            drop_objects(words)
        } else if words.eat("RENAME") {
            rename(words)
        } else if words.eat("TRUNCATE") {
            words.eat("TABLE");
            words.names().map(Self::Truncate)
        } else {
            let beside = ["GRANT", "REVOKE", "SET", "ANALYZE", "OPTIMIZE", "FLUSH", "COMMENT"];
            words.is_any(&beside).then_some(Self::Beside)
        };
        read.unwrap_or(Self::Unknown)
    }
}

/// Goes to the word that says the kind.
fn find_kind(words: &mut Words<'_>) -> Option<Token> {
    loop {
        let token = words.peek()?;
        if token.is_sign("(") || token.is_word("AS") {
            return None;
        }
        words.step();
        if kind_of(token).is_some() || ["DATABASE", "SCHEMA", "USER", "ROLE"].iter().any(|word| token.is_word(word)) {
            return Some(token.clone());
        }
    }
}

fn create(all: &[Token], mut words: Words<'_>) -> Option<Statement> {
    if words.is("TEMPORARY") {
        return Some(Statement::Beside);
    }
    let word = find_kind(&mut words)?;
    if word.is_word("PLAN") {
        words.eat("GUIDE");
    }
    words.eat("CONCURRENTLY");
    let tolerant = words.eat_all(&["IF", "NOT", "EXISTS"]);
    if word.is_word("DATABASE") || word.is_word("SCHEMA") {
        let set = all.iter().filter(|token| token.kind != sql::Kind::Space).collect::<Vec<_>>();
        let after = set.iter().position(|token| token.is_word("CHARSET") || token.is_word("SET"));
        let value = after.and_then(|at| set[at + 1..].iter().find(|token| !token.is_sign("=")));
        return Some(Statement::CreateDatabase { charset: value.and_then(|token| token.name()) });
    }
    let Some(kind) = kind_of(&word) else {
        return Some(Statement::Beside);
    };
    let name = words.name()?;
    Some(match kind {
        ObjectKind::Table if words.eat("LIKE") => Statement::CreateLike { name, like: words.name()? },
        ObjectKind::Table => {
            words.group()?;
            // A table that is filled at once.
            let mut rest = words;
            while !rest.is_over() {
                if rest.is_any(&["SELECT", "AS", "IGNORE", "REPLACE"]) {
                    return None;
                }
                rest.step();
            }
            Statement::CreateTable { name, tolerant }
        }
        ObjectKind::Index => {
            let table = on_table(&mut words)?;
            Statement::CreateIndex { name, table }
        }
        ObjectKind::Trigger => Statement::Define { kind, name, table: on_table(&mut words), tolerant },
        kind => Statement::Define { kind, name, table: None, tolerant },
    })
}

fn on_table(words: &mut Words<'_>) -> Option<String> {
    while !words.eat("ON") {
        words.peek()?;
        words.step();
    }
    words.eat("ONLY");
    words.name()
}

fn alter(engine: Engine, all: &[Token], mut words: Words<'_>) -> Option<Statement> {
    let word = find_kind(&mut words)?;
    let Some(kind) = kind_of(&word) else {
        let beside = word.is_word("USER") || word.is_word("ROLE");
        return beside.then_some(Statement::Beside);
    };
    if kind == ObjectKind::Table {
        words.eat_all(&["IF", "EXISTS"]);
        words.eat("ONLY");
        let name = words.name()?;
        return Some(Statement::AlterTable { name, items: Item::read(engine, &all[words.at..]) });
    }
    let name = words.name()?;
    let has = |wanted: &str| all.iter().any(|token| token.is_word(wanted));
    // Where the whole definition is said again, it takes the place of the one before.
    let whole = match kind {
        ObjectKind::View => true,
        ObjectKind::Event => has("SCHEDULE") && has("DO"),
        ObjectKind::Trigger => has("ON"),
        ObjectKind::Procedure | ObjectKind::Function => {
            words.is_sign("(") || (engine == Engine::SqlServer && has("AS"))
        }
        _ => false,
    };
    if !whole {
        return Some(Statement::Alter { kind, name });
    }
    let table = if kind == ObjectKind::Trigger { on_table(&mut words) } else { None };
    Some(Statement::Define { kind, name, table, tolerant: false })
}

fn drop_objects(mut words: Words<'_>) -> Option<Statement> {
    if words.is("TEMPORARY") {
        return Some(Statement::Beside);
    }
    let word = find_kind(&mut words)?;
    if word.is_word("DATABASE") || word.is_word("SCHEMA") {
        return Some(Statement::DropDatabase);
    }
    let Some(kind) = kind_of(&word) else {
        return Some(Statement::Beside);
    };
    if word.is_word("PLAN") {
        words.eat("GUIDE");
    }
    words.eat("CONCURRENTLY");
    words.eat_all(&["IF", "EXISTS"]);
    let names = words.names()?;
    let table = if kind == ObjectKind::Index && words.eat("ON") { words.name() } else { None };
    Some(Statement::Drop { kind, names, table })
}

fn rename(mut words: Words<'_>) -> Option<Statement> {
    if words.is("USER") {
        return Some(Statement::Beside);
    }
    words.eat("TABLE");
    let mut pairs = Vec::new();
    loop {
        let from = words.name()?;
        if !words.eat("TO") {
            return None;
        }
        pairs.push((from, words.name()?));
        if !words.eat_sign(",") {
            return words.is_over().then_some(Statement::Rename(pairs));
        }
    }
}
