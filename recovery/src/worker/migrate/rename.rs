//! Descriptions as they are made in the target: with the target's names (DTS-05), the selected columns, and the caller's
//! rights instead of a definer's (DTS-24, C-15).
//!
//! Only an object's own names change: a table's, its columns', the table an index, trigger or foreign key belongs to or
//! points at. Bodies of views, triggers and routines stay as they are; one that no longer fits is refused (DTS-06).

use crate::model::Engine;
use crate::model::content::{Column, Object, ObjectKind, Security};
use crate::worker::scope::{Placing, Scope};
use crate::worker::sql::{self, Kind, Token};

/// What the names of one database's objects are looked up in.
#[derive(Clone, Copy)]
pub struct Names<'a> {
    /// Engine.
    pub engine: Engine,
    /// Selections.
    pub scope: Scope<'a>,
    /// Database in the source.
    pub database: &'a str,
    /// Objects of that database.
    pub objects: &'a [&'a Object],
}

impl<'a> Names<'a> {
    fn place<'b>(&self, table: &'b str) -> Option<Placing<'b>>
    where
        'a: 'b,
    {
        self.scope.place(self.database, table)
    }

    fn table(&self, name: &str) -> Option<&'a Object> {
        self.objects.iter().find(|object| object.kind == ObjectKind::Table && object.name == name).copied()
    }

    /// The target database and the object as it is made there; nothing for an index or foreign key on a column that is
    /// not selected.
    #[must_use]
    pub fn mapped(&self, object: &Object) -> Option<(String, Object)> {
        let (database, mut made) = self.renamed(object)?;
        let runs_as_somebody = matches!(object.kind, ObjectKind::View | ObjectKind::Procedure | ObjectKind::Function);
        if self.engine == Engine::MySql && runs_as_somebody {
            made.security = Some(Security::Invoker);
            made.definition = as_invoker(self.engine, &made.definition);
        }
        Some((database, made))
    }

    /// The target database and the object with the names it has there, with the rights it runs with.
    #[must_use]
    pub fn renamed(&self, object: &Object) -> Option<(String, Object)> {
        let mut made = Object { definer: None, rows: 0, ..object.clone() };
        let database = match (object.kind, &object.table) {
            (ObjectKind::Table, _) => self.map_table(object, &mut made)?,
            (ObjectKind::Index | ObjectKind::ForeignKey | ObjectKind::Trigger, Some(table)) => {
                self.map_dependent(object, table, &mut made)?
            }
            _ => self.scope.whole(self.database)?.to_owned(),
        };
        Some((database, made))
    }

    fn map_table(&self, object: &Object, made: &mut Object) -> Option<String> {
        let placing = self.place(&object.name)?;
        let columns = placing.columns_of(object);
        made.name = placing.table.to_owned();
        made.key = placing.key_of(object);
        made.columns = object
            .columns
            .iter()
            .filter_map(|column| Some(Column { name: placing.column(&column.name)?, ..column.clone() }))
            .collect();
        made.definition = if placing.takes_all_columns() {
            let mut tokens = sql::tokens(self.engine, &object.definition);
            self.rename_chain(&mut tokens, "TABLE", &object.name, &placing);
            if columns.iter().any(|(from, to)| from != to) {
                rename_table_columns(self.engine, &mut tokens, &columns);
            }
            sql::text(&tokens)
        } else {
            table_of_columns(self.engine, made)
        };
        Some(placing.database.to_owned())
    }

    fn map_dependent(&self, object: &Object, table: &str, made: &mut Object) -> Option<String> {
        let placing = self.place(table)?;
        if object.kind == ObjectKind::Trigger {
            self.scope.whole(self.database)?;
        }
        let mut tokens = sql::tokens(self.engine, &object.definition);
        let columns = self.table(table).map(|table| renames(table, &placing)).unwrap_or_default();
        match object.kind {
            ObjectKind::ForeignKey => {
                let own = group_after(&tokens, "KEY");
                rename_in(self.engine, &mut tokens, own, &columns)?;
                self.rename_chain(&mut tokens, "TABLE", table, &placing);
                self.map_parent(object, &mut tokens, made)?;
            }
            ObjectKind::Index => {
                let region = self.rename_chain(&mut tokens, "ON", table, &placing).map(|end| end..tokens.len());
                rename_in(self.engine, &mut tokens, region, &columns)?;
            }
            _ => drop(self.rename_chain(&mut tokens, "ON", table, &placing)),
        }
        made.table = Some(placing.table.to_owned());
        made.definition = sql::text(&tokens);
        Some(placing.database.to_owned())
    }

    fn map_parent(&self, object: &Object, tokens: &mut [Token], made: &mut Object) -> Option<()> {
        let Some(parent) = object.needs.first() else {
            return Some(());
        };
        let placing = self.place(parent)?;
        let columns = self.table(parent).map(|parent| renames(parent, &placing)).unwrap_or_default();
        let referenced = group_after(tokens, "REFERENCES");
        rename_in(self.engine, tokens, referenced, &columns)?;
        self.rename_chain(tokens, "REFERENCES", parent, &placing);
        made.needs = vec![placing.table.to_owned()];
        Some(())
    }

    /// Renames the name after a keyword, `[database.]table`, if it is `table`; says where it ends.
    fn rename_chain(&self, tokens: &mut [Token], keyword: &str, table: &str, placing: &Placing<'_>) -> Option<usize> {
        let chain = chain_after(tokens, keyword)?;
        let (&last, qualifiers) = chain.split_last()?;
        rename_after(self.engine, tokens, keyword, table, placing.table);
        if let Some(&qualifier) = qualifiers.first()
            && tokens[qualifier].spells(self.database)
            && placing.database != self.database
        {
            rename(self.engine, &mut tokens[qualifier], placing.database);
        }
        Some(last + 1)
    }

    /// Why an object whose text is not rewritten would point at a name that the target does not have (DTS-06).
    ///
    /// `in_target` says whether the target database of the object has a table or view of that name.
    #[must_use]
    pub fn broken(&self, object: &Object, target: &str, in_target: &dyn Fn(&str) -> bool) -> Option<String> {
        if matches!(object.kind, ObjectKind::Table | ObjectKind::Index | ObjectKind::ForeignKey) {
            return None;
        }
        let own = object.table.as_ref();
        for need in object.needs.iter().filter(|need| Some(*need) != own || object.kind != ObjectKind::Trigger) {
            let Some(placing) = self.table(need).and_then(|table| self.place(&table.name)) else {
                continue;
            };
            if (placing.table != need || placing.database != target) && !in_target(need) {
                let (database, table) = (placing.database, placing.table);
                return Some(format!("it needs {need}, which is {database}.{table} in the target"));
            }
        }
        let words = sql::tokens(self.engine, &object.definition);
        let tables = object.needs.iter().chain(own).filter_map(|name| self.table(name));
        tables.flat_map(|table| self.lost_columns(table)).find_map(|(table, column)| {
            let named = words.iter().any(|word| word.spells(&column));
            named.then(|| format!("it names column {column} of {table}, which the target does not have"))
        })
    }

    fn lost_columns(&self, table: &Object) -> Vec<(String, String)> {
        let Some(placing) = self.place(&table.name) else {
            return Vec::new();
        };
        let lost = renames(table, &placing).into_iter().filter(|(from, to)| to.as_ref() != Some(from));
        lost.map(|(from, _)| (table.name.clone(), from)).collect()
    }
}

/// Every column of a table with its name in the target, if it goes there.
fn renames(table: &Object, placing: &Placing<'_>) -> Vec<(String, Option<String>)> {
    table.columns.iter().map(|column| (column.name.clone(), placing.column(&column.name))).collect()
}

fn rename(engine: Engine, token: &mut Token, name: &str) {
    *token = Token { kind: Kind::Quoted, text: sql::quote(engine, name) };
}

/// Gives the name after a keyword, `[database.]table`, another if it is `from`; says where it ends.
pub fn rename_after(engine: Engine, tokens: &mut [Token], keyword: &str, from: &str, to: &str) -> Option<usize> {
    let last = *chain_after(tokens, keyword)?.last()?;
    if tokens[last].spells(from) && from != to {
        rename(engine, &mut tokens[last], to);
    }
    Some(last + 1)
}

/// Gives a name another in all that stands in parentheses after a keyword.
#[must_use]
pub fn rename_in_group(engine: Engine, definition: &str, keyword: &str, from: &str, to: &str) -> String {
    let mut tokens = sql::tokens(engine, definition);
    let group = group_after(&tokens, keyword);
    // Every name goes along, so that nothing can be missing.
    let _ = rename_in(engine, &mut tokens, group, &[(from.to_owned(), Some(to.to_owned()))]);
    sql::text(&tokens)
}

/// The places of the names of a dotted name after the first such keyword that stands in no parentheses.
fn chain_after(tokens: &[Token], keyword: &str) -> Option<Vec<usize>> {
    let mut at = outside(tokens).find(|at| tokens[*at].is_word(keyword))? + 1;
    let mut chain = Vec::new();
    let mut expect_name = true;
    while let Some(token) = tokens.get(at) {
        let skipped = ["IF", "NOT", "EXISTS", "ONLY"].iter().any(|word| token.is_word(word));
        match token.kind {
            Kind::Space => {}
            _ if token.is_sign(".") && !expect_name => expect_name = true,
            Kind::Word if skipped && chain.is_empty() => {}
            Kind::Word | Kind::Quoted if expect_name => {
                chain.push(at);
                expect_name = false;
            }
            _ => break,
        }
        at += 1;
    }
    (!chain.is_empty()).then_some(chain)
}

/// The places that stand in no parentheses.
fn outside(tokens: &[Token]) -> impl Iterator<Item = usize> {
    let mut depth = 0_i32;
    tokens.iter().enumerate().filter_map(move |(at, token)| {
        if token.is_sign("(") {
            depth += 1;
        } else if token.is_sign(")") {
            depth -= 1;
        } else if depth == 0 {
            return Some(at);
        }
        None
    })
}

/// The inside of the first parentheses after a keyword.
fn group_after(tokens: &[Token], keyword: &str) -> Option<std::ops::Range<usize>> {
    let from = outside(tokens).find(|at| tokens[*at].is_word(keyword))?;
    let open = from + tokens[from..].iter().position(|token| token.is_sign("("))?;
    let close = open + tokens[open..].iter().position(|token| token.is_sign(")"))?;
    Some(open + 1..close)
}

/// Renames columns in a stretch of text; nothing when it names a column that does not go along.
fn rename_in(
    engine: Engine,
    tokens: &mut [Token],
    stretch: Option<std::ops::Range<usize>>,
    columns: &[(String, Option<String>)],
) -> Option<()> {
    for token in stretch.and_then(|stretch| tokens.get_mut(stretch)).unwrap_or_default() {
        if let Some((from, to)) = columns.iter().find(|(from, _)| token.spells(from)) {
            let to = to.as_ref()?;
            if to != from {
                rename(engine, token, to);
            }
        }
    }
    Some(())
}

/// Renames columns in the parentheses of a table's definition: the first name of each entry, and names in inner
/// parentheses (keys, checks). What follows a column's own name is its type, which may be spelled like a column.
pub fn rename_table_columns(engine: Engine, tokens: &mut [Token], columns: &[(String, String)]) {
    let mut depth = 0_i32;
    let mut entry_begins = false;
    for token in tokens {
        if token.is_sign("(") {
            depth += 1;
            entry_begins = depth == 1;
        } else if token.is_sign(")") {
            depth -= 1;
        } else if token.is_sign(",") && depth == 1 {
            entry_begins = true;
        } else if token.kind != Kind::Space && depth >= 1 {
            let renamed = columns.iter().find(|(from, to)| from != to && token.spells(from));
            if let Some((_, to)) = renamed.filter(|_| entry_begins || depth > 1) {
                rename(engine, token, to);
            }
            entry_begins = false;
        }
    }
}

/// A table of some of its columns: with their types and the key, if all of it goes along. Defaults and checks, which may
/// name other columns, do not.
fn table_of_columns(engine: Engine, table: &Object) -> String {
    let quote = |name: &str| sql::quote(engine, name);
    let mut entries: Vec<String> = table
        .columns
        .iter()
        .map(|column| {
            let null = if column.nullable { "" } else { " NOT NULL" };
            format!("{} {}{null}", quote(&column.name), column.declared)
        })
        .collect();
    if !table.key.is_empty() {
        let key: Vec<String> = table.key.iter().map(|column| quote(column)).collect();
        entries.push(format!("PRIMARY KEY ({})", key.join(", ")));
    }
    format!("CREATE TABLE {} ({})", quote(&table.name), entries.join(", "))
}

/// `SQL SECURITY DEFINER`, where the text says it, becomes `SQL SECURITY INVOKER`.
fn as_invoker(engine: Engine, definition: &str) -> String {
    let mut tokens = sql::tokens(engine, definition);
    let words: Vec<usize> = (0..tokens.len()).filter(|at| tokens[*at].kind != Kind::Space).collect();
    for three in words.windows(3) {
        let says = ["SQL", "SECURITY", "DEFINER"];
        if three.iter().zip(says).all(|(at, word)| tokens[*at].is_word(word)) {
            tokens[three[2]].text = "INVOKER".to_owned();
            break;
        }
    }
    sql::text(&tokens)
}
