//! Statements that change definitions, as the log of the source shows them: which are carried over (prechecks.md 5.4), and
//! with which names.

use crate::model::Engine;
use crate::worker::sql::{self, Kind, Token};

/// A verb and the kinds of objects it may be about.
type Carried = (&'static str, &'static [&'static str]);

/// The statements each engine's incremental migration carries over; PostgreSQL's and PPAS's are those of the page on
/// migration between instances (C-12).
const CARRIED: [(Engine, &[Carried]); 4] = [
    (
        Engine::MySql,
        &[
            ("ALTER", &["TABLE", "VIEW"]),
            ("CREATE", &["FUNCTION", "INDEX", "PROCEDURE", "TABLE", "VIEW"]),
            ("DROP", &["INDEX", "TABLE"]),
            ("RENAME", &["TABLE"]),
            ("TRUNCATE", &["TABLE"]),
        ],
    ),
    (
        Engine::SqlServer,
        &[
            ("ALTER", &["TABLE"]),
            ("CREATE", &["TABLE", "INDEX"]),
            ("DROP", &["TABLE"]),
            ("RENAME", &["TABLE"]),
            ("TRUNCATE", &["TABLE"]),
        ],
    ),
    (Engine::PostgreSql, POSTGRES_CARRIED),
    (Engine::Ppas, POSTGRES_CARRIED),
];

const POSTGRES_CARRIED: &[Carried] = &[
    ("ALTER", &["TABLE"]),
    ("ADD", &["INDEX"]),
    ("CREATE", &["TABLE", "INDEX"]),
    ("DROP", &["TABLE"]),
    ("RENAME", &["TABLE"]),
];

/// What a statement may be about.
const KINDS: [&str; 16] = [
    "TABLE",
    "VIEW",
    "INDEX",
    "FUNCTION",
    "PROCEDURE",
    "TRIGGER",
    "SEQUENCE",
    "TYPE",
    "DOMAIN",
    "AGGREGATE",
    "SYNONYM",
    "RULE",
    "DATABASE",
    "SCHEMA",
    "EVENT",
    "USER",
];

/// Words after a table's name that SQL Server's list does not name: only columns may be added, dropped or renamed.
const NOT_COLUMNS: [&str; 8] = ["CONSTRAINT", "FOREIGN", "PRIMARY", "UNIQUE", "CHECK", "TRIGGER", "SWITCH", "REBUILD"];

/// A statement that changes definitions.
pub struct Ddl {
    engine: Engine,
    words: Vec<Token>,
    verb: String,
    kind: String,
    name: Option<String>,
}

impl Ddl {
    /// Reads a statement as far as is needed here.
    #[must_use]
    pub fn read(engine: Engine, text: &str) -> Self {
        let kept = |token: &Token| !matches!(token.kind, Kind::Space | Kind::Literal);
        let words: Vec<Token> = sql::tokens(engine, text).into_iter().filter(kept).collect();
        let upper = |token: &Token| token.text.to_uppercase();
        let verb = words.first().map(upper).unwrap_or_default();
        let place = words.iter().position(|word| word.kind == Kind::Word && KINDS.contains(&upper(word).as_str()));
        let kind = match place {
            Some(place) => upper(&words[place]),
            None if verb == "TRUNCATE" => "TABLE".to_owned(),
            None => String::new(),
        };
        let name = last_name(&words, place.unwrap_or(0) + 1);
        Self { engine, words, verb, kind, name }
    }

    /// Whether it is about what no task migrates: events, users and their grants.
    #[must_use]
    pub fn is_beside(&self) -> bool {
        matches!(self.kind.as_str(), "EVENT" | "USER") || matches!(self.verb.as_str(), "GRANT" | "REVOKE" | "SET")
    }

    /// The table it concerns, if any.
    #[must_use]
    pub fn table(&self) -> Option<String> {
        match self.kind.as_str() {
            "TABLE" => self.name.clone(),
            "INDEX" | "TRIGGER" => {
                let on = self.words.iter().position(|word| word.is_word("ON"))?;
                last_name(&self.words, on + 1)
            }
            _ => None,
        }
    }

    /// Whether it alters a table's definition.
    #[must_use]
    pub fn alters_table(&self) -> bool {
        self.verb == "ALTER" && self.kind == "TABLE"
    }

    /// Whether it gives a table another name.
    #[must_use]
    pub fn renames_table(&self) -> bool {
        let to_name =
            |pair: &[Token]| pair[0].is_word("RENAME") && !pair[1].is_word("COLUMN") && !pair[1].is_word("INDEX");
        let column_without_word = self.words.iter().any(|word| word.is_word("COLUMN"));
        self.verb == "RENAME"
            || (self.alters_table() && !column_without_word && self.words.windows(2).any(to_name) && self.to_follows())
    }

    /// `RENAME TO x` and MySQL's `RENAME AS x` and `RENAME x` name a table; `RENAME x TO y` names a column.
    fn to_follows(&self) -> bool {
        let rename = self.words.iter().position(|word| word.is_word("RENAME")).unwrap_or(0);
        let after: Vec<bool> = self.words[rename + 1..].iter().map(|word| word.is_word("TO")).collect();
        after.first() == Some(&true) || !after.contains(&true)
    }

    /// Whether incremental migration of the engine carries it over.
    #[must_use]
    pub fn is_carried(&self) -> bool {
        let Some((_, carried)) = CARRIED.iter().find(|(engine, _)| *engine == self.engine) else {
            return false;
        };
        let has = |words: &[&str]| self.words.iter().any(|word| words.iter().any(|wanted| word.is_word(wanted)));
        let listed = carried.iter().any(|(verb, kinds)| *verb == self.verb && kinds.contains(&self.kind.as_str()));
        let partitioned = self.verb == "CREATE" && self.kind == "TABLE" && has(&["PARTITION"]);
        let beyond_columns = self.engine == Engine::SqlServer
            && self.alters_table()
            && (!has(&["ADD", "DROP", "RENAME"]) || has(&NOT_COLUMNS));
        listed && !beyond_columns && (self.engine == Engine::MySql || !partitioned)
    }
}

/// The last name of a dotted name from a place on, past `IF NOT EXISTS`, `ONLY` and `CONCURRENTLY`.
fn last_name(words: &[Token], from: usize) -> Option<String> {
    let skipped = ["IF", "NOT", "EXISTS", "ONLY", "CONCURRENTLY"];
    let mut at = from;
    while words.get(at).is_some_and(|word| skipped.iter().any(|skip| word.is_word(skip))) {
        at += 1;
    }
    while words.get(at + 1).is_some_and(|word| word.is_sign(".")) {
        at += 2;
    }
    words.get(at).and_then(Token::name)
}

/// A statement with names replaced where they stand as names, and a database's where it qualifies another name.
#[must_use]
pub fn with_names(engine: Engine, text: &str, database: (&str, &str), names: &[(String, String)]) -> String {
    let mut tokens = sql::tokens(engine, text);
    for at in 0..tokens.len() {
        let qualifies = tokens.get(at + 1).is_some_and(|next| next.is_sign("."));
        let own = |(from, to): &&(String, String)| from != to && tokens[at].spells(from);
        let name = if qualifies && database.0 != database.1 && tokens[at].spells(database.0) {
            Some(database.1)
        } else {
            names.iter().find(own).map(|(_, to)| to.as_str())
        };
        if let Some(name) = name {
            tokens[at] = Token { kind: Kind::Quoted, text: sql::quote(engine, name) };
        }
    }
    sql::text(&tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_engine_carries_over_is_its_documented_list() {
        let carried = |engine: Engine, text: &str| Ddl::read(engine, text).is_carried();
        for text in [
            "alter table orders add column note text",
            "create or replace view v as select 1",
            "create unique index i on orders (id)",
            "truncate orders",
            "rename table a to b",
            "create procedure p() select 1",
        ] {
            assert!(carried(Engine::MySql, text), "{text}");
        }
        for text in
            ["drop view v", "create trigger t before insert on orders for each row set @a = 1", "drop database d"]
        {
            assert!(!carried(Engine::MySql, text), "{text}");
        }
        assert!(carried(Engine::SqlServer, "alter table orders add note varchar(9)"));
        assert!(!carried(Engine::SqlServer, "alter table orders add constraint c check (id > 0)"));
        assert!(!carried(Engine::SqlServer, "alter table orders alter column note text"));
        assert!(!carried(Engine::PostgreSql, "truncate table orders"));
        assert!(carried(Engine::PostgreSql, "drop table if exists public.orders"));
        assert!(!carried(Engine::Ppas, "create table p (id int) partition by range (id)"));
    }

    #[test]
    fn the_table_of_a_statement_is_found() {
        let table = |text: &str| Ddl::read(Engine::MySql, text).table();
        assert_eq!(table("create index i on `shop`.`orders` (id)").as_deref(), Some("orders"));
        assert_eq!(table("drop table if exists orders").as_deref(), Some("orders"));
        assert_eq!(table("truncate orders").as_deref(), Some("orders"));
        assert_eq!(table("create view v as select 1"), None);
    }

    #[test]
    fn a_renamed_table_and_a_renamed_column_are_told_apart() {
        let renames = |text: &str| Ddl::read(Engine::MySql, text).renames_table();
        assert!(renames("alter table a rename to b"));
        assert!(renames("rename table a to b"));
        assert!(!renames("alter table a rename column x to y"));
        assert!(!renames("alter table a rename x to y"));
        assert!(!renames("alter table a add b int"));
    }

    #[test]
    fn a_statement_is_given_the_targets_names() {
        let names = [("orders".to_owned(), "old orders".to_owned())];
        let text = with_names(Engine::MySql, "alter table shop.orders add shop text", ("shop", "put_back"), &names);
        assert_eq!(text, "alter table `put_back`.`old orders` add shop text");
    }
}
