//! A table's definition as the list in its parentheses, so that it can be altered the way a server alters it.

use super::columns::{self, without_reference};
use super::words::{Words, cut, tokens};
use crate::model::Engine;
use crate::model::content::Column;
use crate::worker::migrate::rename::rename_table_columns;
use crate::worker::sql::{self, Kind, Token};

/// What an entry of the list is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    Column(String),
    Primary(Vec<String>),
    Unique(Option<String>, Vec<String>),
    Index(Option<String>, Vec<String>),
    Check(Option<String>),
    Foreign(Option<String>),
}

/// A table's definition.
#[derive(Debug, Clone)]
pub struct TableText {
    engine: Engine,
    head: Vec<Token>,
    entries: Vec<Vec<Token>>,
    tail: Vec<Token>,
}

impl TableText {
    /// Reads `CREATE TABLE name (…) …`.
    #[must_use]
    pub fn read(engine: Engine, definition: &str) -> Option<Self> {
        let all = tokens(engine, definition);
        let open = all.iter().position(|token| token.is_sign("("))?;
        let inside = Words::from(&all, open).group()?;
        let entries = cut(&all[inside.clone()]).into_iter().map(|range| all[inside.clone()][range].to_vec()).collect();
        let (head, tail) = (all[..=open].to_vec(), all[inside.end..].to_vec());
        Some(Self { engine, head, entries, tail })
    }

    /// The definition.
    #[must_use]
    pub fn text(&self) -> String {
        let entries: Vec<String> = self.entries.iter().map(|entry| sql::text(entry)).collect();
        format!("{}{}{}", sql::text(&self.head), entries.join(","), sql::text(&self.tail))
    }

    /// Takes foreign keys out (LOG-13); gives the names of those that have one.
    pub fn drop_foreign_keys(&mut self) -> Vec<String> {
        let mut names = Vec::new();
        self.entries.retain(|entry| match what(entry) {
            Some(What::Foreign(name)) => {
                names.extend(name);
                false
            }
            _ => true,
        });
        for entry in &mut self.entries {
            if matches!(what(entry), Some(What::Column(_))) {
                *entry = without_reference(entry);
            }
        }
        names
    }

    /// The columns, as far as they can be read.
    #[must_use]
    pub fn columns(&self) -> Vec<Column> {
        let key = self.primary();
        let columns = self.entries.iter().filter(|entry| matches!(what(entry), Some(What::Column(_))));
        let mut columns: Vec<Column> =
            columns.filter_map(|entry| columns::column(entry)).map(|(one, ..)| one).collect();
        for column in &mut columns {
            column.nullable &= !key.contains(&column.name);
        }
        columns
    }

    fn primary(&self) -> Vec<String> {
        let own = self.entries.iter().find_map(|entry| match what(entry)? {
            What::Primary(columns) => Some(columns),
            What::Column(name) => columns::column(entry)?.1.then(|| vec![name]),
            _ => None,
        });
        own.unwrap_or_default()
    }

    /// The columns of the primary key, or of a unique key without NULLs.
    #[must_use]
    pub fn key(&self) -> Vec<String> {
        let primary = self.primary();
        if !primary.is_empty() {
            return primary;
        }
        let columns = self.columns();
        let firm = |name: &String| columns.iter().any(|column| column.name == *name && !column.nullable);
        let uniques = self.entries.iter().filter_map(|entry| match what(entry)? {
            What::Unique(_, columns) => Some(columns),
            What::Column(name) => columns::column(entry)?.2.then(|| vec![name]),
            _ => None,
        });
        uniques.into_iter().find(|columns| columns.iter().all(firm)).unwrap_or_default()
    }

    /// Adds a column where a server adds it.
    pub fn add_column(&mut self, text: &str, place: Option<&Option<String>>) -> Option<()> {
        let is_column = |entry: &Vec<Token>| matches!(what(entry), Some(What::Column(_)));
        let at = match place {
            None => self.entries.iter().rposition(is_column).map_or(0, |last| last + 1),
            Some(None) => 0,
            Some(Some(after)) => self.position(after)? + 1,
        };
        let lead = if at == 0 { "" } else { " " };
        self.entries.insert(at, sql::tokens(self.engine, &format!("{lead}{text}")));
        if at == 0
            && let Some(second) = self.entries.get_mut(1)
        {
            second.insert(0, Token { kind: Kind::Space, text: " ".to_owned() });
        }
        Some(())
    }

    /// Adds a key or check.
    pub fn add_constraint(&mut self, text: &str) {
        self.entries.push(sql::tokens(self.engine, &format!(" {text}")));
    }

    /// Drops a column; nothing where there is none, or something else of the table is made of it.
    pub fn drop_column(&mut self, name: &str) -> Option<()> {
        let at = self.position(name)?;
        let uses = |entry: &Vec<Token>| entry.iter().any(|token| token.spells(name));
        let others = self
            .entries
            .iter()
            .enumerate()
            .filter(|(other, entry)| *other != at && !matches!(what(entry), Some(What::Column(_))) && uses(entry));
        if others.count() > 0 || self.key().iter().any(|own| own == name) {
            return None;
        }
        self.entries.remove(at);
        Some(())
    }

    /// Gives a column another name.
    pub fn rename_column(&mut self, from: &str, to: &str) -> Option<()> {
        self.position(from)?;
        let mut all = sql::tokens(self.engine, &self.text());
        rename_table_columns(self.engine, &mut all, &[(from.to_owned(), to.to_owned())]);
        *self = Self::read(self.engine, &sql::text(&all))?;
        Some(())
    }

    /// Drops a named index or check that is part of the definition; nothing where there is none, or rows are told apart
    /// by it.
    pub fn drop_named(&mut self, name: &str) -> Option<()> {
        let key = self.key();
        let is_it = |own: &Option<String>| own.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(name));
        let at = self.entries.iter().position(|entry| match what(entry) {
            Some(What::Unique(own, columns)) => is_it(&own) && columns != key,
            Some(What::Index(own, _) | What::Check(own)) => is_it(&own),
            _ => false,
        })?;
        self.entries.remove(at);
        Some(())
    }

    fn position(&self, column: &str) -> Option<usize> {
        self.entries.iter().position(|entry| {
            matches!(what(entry), Some(What::Column(_)))
                && Words::new(entry).peek().is_some_and(|token| token.spells(column))
        })
    }
}

fn what(entry: &[Token]) -> Option<What> {
    let mut words = Words::new(entry);
    let mut name = None;
    if words.eat("CONSTRAINT") && !words.is_any(&["PRIMARY", "UNIQUE", "FOREIGN", "CHECK"]) {
        name = Some(words.name()?);
    }
    let own = |words: &mut Words<'_>, name: Option<String>| {
        if words.is_sign("(") { name } else { words.name() }
    };
    if words.eat_all(&["PRIMARY", "KEY"]) {
        while words.peek().is_some() && !words.is_sign("(") {
            words.step();
        }
        return Some(What::Primary(words.name_group()?));
    }
    if words.eat("FOREIGN") {
        return Some(What::Foreign(name));
    }
    if words.eat("CHECK") {
        return Some(What::Check(name));
    }
    if words.eat("UNIQUE") {
        let _ = words.eat("KEY") || words.eat("INDEX");
        let name = own(&mut words, name);
        return Some(What::Unique(name, words.name_group()?));
    }
    let mut ahead = words;
    if ahead.eat("KEY") || ahead.eat("INDEX") {
        let name = own(&mut ahead, name);
        if let Some(columns) = ahead.name_group() {
            return Some(What::Index(name, columns));
        }
    }
    words.name().map(What::Column)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> TableText {
        TableText::read(Engine::MySql, text).expect("a table")
    }

    #[test]
    fn foreign_keys_are_taken_out_wherever_they_stand() {
        let mut table = read(
            "create table o (id int primary key, item int not null constraint f references goods (id) on delete cascade, \
             n int default 1, constraint fk foreign key (item) references goods (id), unique key u (n))",
        );
        assert_eq!(table.drop_foreign_keys(), ["fk"]);
        let text = table.text();
        assert!(!text.contains("references") && !text.contains("foreign"), "{text}");
        assert!(text.contains("item int not null") && text.contains("unique key u (n)"), "{text}");
    }

    #[test]
    fn key_and_columns_are_read() {
        let table = read("create table o (a int not null, b varchar(3, 4) null, primary key (b, a)) engine=x");
        assert_eq!(table.key(), ["b", "a"]);
        let columns: Vec<_> = table.columns().into_iter().map(|one| (one.name, one.declared, one.nullable)).collect();
        assert_eq!(columns, [("a".into(), "int".into(), false), ("b".into(), "varchar(3, 4)".into(), false)]);
        assert_eq!(read("create table o (id int primary key)").key(), ["id"]);
        assert_eq!(read("create table o (id int unique, x int not null, unique (x))").key(), ["x"]);
        assert!(read("create table o (id int)").key().is_empty());
    }

    #[test]
    fn columns_come_go_and_are_renamed() {
        let mut table = read("create table o (id int, note text, primary key (id))");
        assert_eq!(table.add_column("size int default 3", None), Some(()));
        assert_eq!(table.text(), "create table o (id int, note text, size int default 3, primary key (id))");
        assert_eq!(table.add_column("a int", Some(&Some("id".to_owned()))), Some(()));
        assert_eq!(table.drop_column("note"), Some(()));
        assert_eq!(table.drop_column("id"), None);
        assert_eq!(table.rename_column("size", "wide"), Some(()));
        assert_eq!(table.text(), "create table o (id int, a int, `wide` int default 3, primary key (id))");
    }
}
