//! Reads one SQL statement as far as a server has to understand it: what it defines, renames, truncates or drops.

use super::catalogue::ForeignKey;
use super::profile::{Profile, kind_of, word};
use super::table_text::{self, NewTable};
use super::tokens::{Token, TokenKind, name_list, quoted, slice, tokens};
use recovery::model::content::{ObjectKind, Security};
use recovery::ports::database::DatabaseError;

/// One statement.
#[derive(Debug, Clone)]
pub(super) enum Statement {
    /// A query or a change of rows, for SQLite as it is.
    Plain {
        /// The statement.
        sql: String,
        /// Whether rows in its way are replaced; their deletion counts as a change then.
        replaces: bool,
    },
    /// Nothing to do: every run is one transaction anyway.
    Nothing,
    /// Switches the checking of foreign keys for the rest of the run.
    ForeignKeyChecks(bool),
    /// Makes a table.
    CreateTable(NewTable),
    /// Makes, alters or drops an index, view or trigger, or alters or drops a table.
    Schema(SchemaChange),
    /// Renames a table.
    Rename {
        /// Its name.
        table: String,
        /// Its new name.
        to: String,
    },
    /// Empties a table.
    Truncate {
        /// Table.
        table: String,
    },
    /// Makes an object that is kept as a definition.
    Define(Define),
    /// Drops an object that is kept as a definition.
    Undefine {
        /// Kind.
        kind: ObjectKind,
        /// Name.
        name: String,
        /// Whether it may be missing.
        if_exists: bool,
    },
    /// Adds a foreign key.
    AddForeignKey {
        /// The key.
        key: ForeignKey,
        /// Whether rows already there are checked.
        checked: bool,
    },
    /// Drops a constraint; which kind, the catalogue knows.
    DropConstraint {
        /// Table.
        table: String,
        /// Name.
        name: String,
    },
    /// Switches a foreign key on or off.
    EnableForeignKey {
        /// Table.
        table: String,
        /// Name.
        name: String,
        /// On or off.
        enabled: bool,
        /// Whether rows already there are checked.
        checked: bool,
    },
    /// Makes a database.
    CreateDatabase {
        /// Name.
        name: String,
        /// Character set.
        charset: Option<String>,
        /// Whether it may be there.
        if_not_exists: bool,
    },
    /// Sets the recovery model of a database (SQL Server).
    SetRecovery {
        /// Name.
        database: String,
        /// Model, in lower case.
        model: String,
    },
    /// Drops a database.
    DropDatabase {
        /// Name.
        name: String,
        /// Whether it may be missing.
        if_exists: bool,
    },
}

/// What happens to an object of the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// It is made.
    Create,
    /// It is changed.
    Alter,
    /// It is dropped.
    Drop,
}

/// A change to an object that SQLite keeps.
#[derive(Debug, Clone)]
pub(super) struct SchemaChange {
    /// What happens.
    pub action: Action,
    /// Kind.
    pub kind: ObjectKind,
    /// Name.
    pub name: String,
    /// The table of an index or trigger, where the statement names it.
    pub table: Option<String>,
    /// The statement for SQLite.
    pub sql: String,
    /// Whether an object of that name is dropped first.
    pub replaces: bool,
    /// Whether it may be missing (drop) or there (create).
    pub tolerant: bool,
    /// Definer, where the statement names one.
    pub definer: Option<String>,
    /// Whose rights it runs with, where the statement says.
    pub security: Option<Security>,
}

/// An object kept as a definition.
#[derive(Debug, Clone)]
pub(super) struct Define {
    /// Kind.
    pub kind: ObjectKind,
    /// Name.
    pub name: String,
    /// The statement without definer.
    pub text: String,
    /// Whether an object of that name is replaced.
    pub replaces: bool,
    /// Whether it may be there already.
    pub tolerant: bool,
    /// Definer, where the statement names one.
    pub definer: Option<String>,
    /// Whose rights it runs with, where the statement says.
    pub security: Option<Security>,
}

pub(super) fn not_understood(sql: &str, why: &str) -> DatabaseError {
    let head: String = sql.chars().take(60).collect();
    DatabaseError::Statement(format!("{why} in '{head}'"))
}

/// Walks over the tokens of one statement.
pub(super) struct Cursor<'a> {
    pub sql: &'a str,
    pub all: &'a [Token<'a>],
    pub at: usize,
}

impl<'a> Cursor<'a> {
    pub fn peek(&self) -> Option<Token<'a>> {
        self.all.get(self.at).copied()
    }

    pub fn is(&self, word: &str) -> bool {
        self.peek().is_some_and(|token| token.is(word))
    }

    pub fn eat(&mut self, word: &str) -> bool {
        let found = self.is(word);
        self.at += usize::from(found);
        found
    }

    /// Goes over these words if all of them come next.
    pub fn eat_all(&mut self, words: &[&str]) -> bool {
        let found = words.iter().enumerate().all(|(i, word)| self.all.get(self.at + i).is_some_and(|t| t.is(word)));
        self.at += if found { words.len() } else { 0 };
        found
    }

    /// A name, without what qualifies it.
    pub fn name(&mut self) -> Result<String, DatabaseError> {
        let mut found = self.peek().filter(|t| t.is_name() || t.kind == TokenKind::Text);
        while found.is_some() && self.all.get(self.at + 1).is_some_and(|token| token.is(".")) {
            self.at += 2;
            found = self.peek().filter(Token::is_name);
        }
        self.at += 1;
        found.map(|token| token.name()).ok_or_else(|| not_understood(self.sql, "a name is missing"))
    }

    /// The text from here to the end.
    pub fn rest(&self) -> &'a str {
        slice(self.sql, self.all, self.at..self.all.len())
    }
}

/// Reads a statement.
pub(super) fn parse(sql: &str, profile: Profile) -> Result<Statement, DatabaseError> {
    let unqualified = without_default_schema(sql);
    let sql = unqualified.as_deref().unwrap_or(sql);
    let all = tokens(sql);
    let mut cursor = Cursor { sql, all: &all, at: 1 };
    let Some(first) = all.first() else { return Ok(Statement::Nothing) };
    if first.kind != TokenKind::Word {
        return Ok(plain(sql));
    }
    match first.text.to_ascii_lowercase().as_str() {
        "create" => create(cursor, profile),
        "drop" => drop_object(cursor, profile),
        "alter" => alter(cursor, profile),
        "truncate" => {
            cursor.eat("table");
            Ok(Statement::Truncate { table: cursor.name()? })
        }
        "rename" => {
            cursor.eat("table");
            let table = cursor.name()?;
            cursor.eat("to");
            Ok(Statement::Rename { table, to: cursor.name()? })
        }
        "begin" | "start" | "commit" | "end" | "go" => Ok(Statement::Nothing),
        "set" if cursor.eat("foreign_key_checks") => {
            cursor.eat("=");
            Ok(Statement::ForeignKeyChecks(!cursor.peek().is_some_and(|token| token.is_any(&["0", "off"]))))
        }
        "set" => Ok(Statement::Nothing),
        "insert" if cursor.eat("ignore") => {
            Ok(Statement::Plain { sql: format!("insert or ignore {}", cursor.rest()), replaces: false })
        }
        "insert" | "update" if cursor.eat_all(&["or", "replace"]) => {
            Ok(Statement::Plain { sql: sql.to_owned(), replaces: true })
        }
        "replace" => Ok(Statement::Plain { sql: sql.to_owned(), replaces: true }),
        "select" if profile.select_into => Ok(select_into(sql, &all).unwrap_or_else(|| plain(sql))),
        "rollback" | "savepoint" | "release" => {
            Err(not_understood(sql, "every run is one transaction of its own and cannot be cut"))
        }
        "pragma" | "attach" | "detach" | "vacuum" | "reindex" | "analyze" | "use" | "call" | "exec" | "execute" => {
            Err(not_understood(sql, "such statements are not served"))
        }
        _ => Ok(plain(sql)),
    }
}

fn plain(sql: &str) -> Statement {
    Statement::Plain { sql: sql.to_owned(), replaces: false }
}

/// Takes `dbo.` and `public.`, the schemas everything is in, off names.
fn without_default_schema(sql: &str) -> Option<String> {
    let lower = sql.to_ascii_lowercase();
    if !["dbo", "public"].iter().any(|schema| lower.contains(schema)) {
        return None;
    }
    let all = tokens(sql);
    let (mut text, mut from) = (String::new(), 0);
    for pair in all.windows(2) {
        let is_schema = pair[0].is_name() && ["dbo", "public"].contains(&pair[0].name().to_ascii_lowercase().as_str());
        if is_schema && pair[1].is(".") && pair[0].start >= from {
            text.push_str(&sql[from..pair[0].start]);
            from = pair[1].end;
        }
    }
    text.push_str(&sql[from..]);
    Some(text)
}

/// `SELECT … INTO t FROM …` makes a table.
fn select_into(sql: &str, all: &[Token<'_>]) -> Option<Statement> {
    let mut depth = 0_i32;
    for (index, token) in all.iter().enumerate() {
        match token.text {
            "(" => depth += 1,
            ")" => depth -= 1,
            _ if depth == 0 && token.is("into") => {
                let name = all.get(index + 1).filter(|token| token.is_name())?.name();
                let query = format!("{} {}", slice(sql, all, 0..index), slice(sql, all, index + 2..all.len()));
                let text = format!("create table {} as {query}", quoted(&name));
                return Some(Statement::CreateTable(NewTable::from_query(name, text)));
            }
            _ => {}
        }
    }
    None
}

fn create(mut cursor: Cursor<'_>, profile: Profile) -> Result<Statement, DatabaseError> {
    let replaces = cursor.eat_all(&["or", "replace"]) || cursor.eat_all(&["or", "alter"]);
    let (mut definer, mut security, mut unique) = (None, None, false);
    loop {
        if cursor.eat("definer") {
            cursor.eat("=");
            definer = Some(cursor.name()?);
            if cursor.eat("@") {
                cursor.at += 1;
            }
        } else if cursor.eat_all(&["sql", "security"]) {
            security = Some(if cursor.eat("invoker") { Security::Invoker } else { Security::Definer });
            cursor.eat("definer");
        } else if cursor.eat("algorithm") {
            cursor.at += 2;
        } else if cursor.eat("unique") {
            unique = true;
        } else if !(cursor.eat("clustered") || cursor.eat("nonclustered")) {
            break;
        }
    }
    if (definer.is_some() || security.is_some()) && !profile.definers {
        return Err(not_understood(cursor.sql, "this engine knows no definer clause"));
    }
    let keyword = cursor.at;
    let Some(kind_token) = cursor.peek() else { return Err(not_understood(cursor.sql, "the kind is missing")) };
    if kind_token.is_any(&["database", "schema"]) {
        cursor.at += 1;
        return create_database(cursor);
    }
    let kind = known_kind(&mut cursor, profile)?;
    let tolerant = cursor.eat_all(&["if", "not", "exists"]);
    if kind == ObjectKind::Table {
        return table_text::create_table(cursor, tolerant).map(Statement::CreateTable);
    }
    let rest = cursor.rest();
    let name = cursor.name()?;
    let change = |table, sql| {
        let action = Action::Create;
        let (name, definer) = (name.clone(), definer.clone());
        Statement::Schema(SchemaChange { action, kind, name, table, sql, replaces, tolerant, definer, security })
    };
    match kind {
        ObjectKind::Index => {
            let table = if cursor.eat("on") { Some(cursor.name()?) } else { None };
            Ok(change(table, format!("create {}index {rest}", if unique { "unique " } else { "" })))
        }
        ObjectKind::View => Ok(change(None, format!("create view {rest}"))),
        ObjectKind::Trigger => {
            let on = cursor.all.iter().skip(cursor.at).position(|token| token.is("on"));
            cursor.at += on.map_or(0, |on| on + 1);
            let table = cursor.name()?;
            Ok(change(Some(table), format!("create trigger {rest}")))
        }
        _ => {
            let text = format!("create {}", slice(cursor.sql, cursor.all, keyword..cursor.all.len()));
            Ok(Statement::Define(Define { kind, name, text, replaces, tolerant, definer, security }))
        }
    }
}

/// The kind of object named next, if this engine has it.
fn known_kind(cursor: &mut Cursor<'_>, profile: Profile) -> Result<ObjectKind, DatabaseError> {
    let token = cursor.peek().ok_or_else(|| not_understood(cursor.sql, "the kind is missing"))?;
    let kind = kind_of(token.text).ok_or_else(|| not_understood(cursor.sql, "the kind of object is not known"))?;
    cursor.at += 1;
    if kind == ObjectKind::PlanGuide {
        cursor.eat("guide");
    }
    if profile.knows(kind) {
        Ok(kind)
    } else {
        Err(DatabaseError::Statement(format!("this engine has no objects of kind {}", word(kind))))
    }
}

fn create_database(mut cursor: Cursor<'_>) -> Result<Statement, DatabaseError> {
    let if_not_exists = cursor.eat_all(&["if", "not", "exists"]);
    let name = cursor.name()?;
    let mut charset = None;
    while let Some(token) = cursor.peek() {
        cursor.at += 1;
        if token.is_any(&["charset", "collate", "encoding"]) || (token.is("character") && cursor.eat("set")) {
            cursor.eat("=");
            charset = Some(cursor.name()?.to_ascii_lowercase());
        }
    }
    Ok(Statement::CreateDatabase { name, charset, if_not_exists })
}

fn drop_object(mut cursor: Cursor<'_>, profile: Profile) -> Result<Statement, DatabaseError> {
    let is_database = cursor.eat("database") || cursor.eat("schema");
    let kind = if is_database { ObjectKind::Table } else { known_kind(&mut cursor, profile)? };
    let if_exists = cursor.eat_all(&["if", "exists"]);
    let name = cursor.name()?;
    if is_database {
        return Ok(Statement::DropDatabase { name, if_exists });
    }
    match kind {
        ObjectKind::Table | ObjectKind::Index | ObjectKind::View | ObjectKind::Trigger => {
            let table = if cursor.eat("on") { Some(cursor.name()?) } else { None };
            let sql = format!("drop {} {}", word(kind), quoted(&name));
            Ok(Statement::Schema(SchemaChange {
                action: Action::Drop,
                kind,
                name,
                table,
                sql,
                replaces: false,
                tolerant: if_exists,
                definer: None,
                security: None,
            }))
        }
        _ => Ok(Statement::Undefine { kind, name, if_exists }),
    }
}

/// The recovery models there are.
const RECOVERY_MODELS: [&str; 3] = ["full", "bulk_logged", "simple"];

fn alter_database(mut cursor: Cursor<'_>, profile: Profile) -> Result<Statement, DatabaseError> {
    let database = cursor.name()?;
    if !profile.recovery_models || !cursor.eat_all(&["set", "recovery"]) {
        return Err(not_understood(cursor.sql, "such a change of a database is not served"));
    }
    let model = cursor.name()?.to_ascii_lowercase();
    if !RECOVERY_MODELS.contains(&model.as_str()) {
        return Err(not_understood(cursor.sql, "there is no such recovery model"));
    }
    Ok(Statement::SetRecovery { database, model })
}

fn alter(mut cursor: Cursor<'_>, profile: Profile) -> Result<Statement, DatabaseError> {
    if cursor.eat("database") {
        return alter_database(cursor, profile);
    }
    if !cursor.eat("table") {
        // An altered view, routine or other definition takes the place of the old one.
        let text = format!("create or replace {}", cursor.rest());
        return parse(&text, profile);
    }
    let table = cursor.name()?;
    let checked = !(cursor.eat_all(&["with", "nocheck"]) || table_text::is_not_valid(cursor.all));
    cursor.eat_all(&["with", "check"]);
    if cursor.eat_all(&["rename", "to"]) {
        return Ok(Statement::Rename { table, to: cursor.name()? });
    }
    if cursor.eat_all(&["drop", "foreign", "key"]) || cursor.eat_all(&["drop", "constraint"]) {
        return Ok(Statement::DropConstraint { name: cursor.name()?, table });
    }
    for (word, enabled) in [("nocheck", false), ("check", true)] {
        if cursor.eat_all(&[word, "constraint"]) {
            return Ok(Statement::EnableForeignKey { name: cursor.name()?, table, enabled, checked });
        }
    }
    if cursor.eat("add") {
        let name = if cursor.eat("constraint") { cursor.name()? } else { String::new() };
        if cursor.is("foreign") {
            let (key, _) = table_text::foreign_key(cursor.sql, cursor.all, cursor.at, &table, name, Vec::new())?;
            return Ok(Statement::AddForeignKey { key, checked });
        }
        if cursor.eat("unique") {
            let _ = cursor.eat("key") || cursor.eat("index");
            let given = if cursor.is("(") { name } else { cursor.name()? };
            return unique_index(&cursor, table, given);
        }
        if cursor.all.iter().any(|token| token.is("references")) {
            return Err(not_understood(cursor.sql, "a foreign key is added with 'add constraint … foreign key'"));
        }
    }
    Ok(Statement::Schema(SchemaChange {
        action: Action::Alter,
        kind: ObjectKind::Table,
        name: table.clone(),
        table: Some(table),
        sql: cursor.sql.to_owned(),
        replaces: false,
        tolerant: false,
        definer: None,
        security: None,
    }))
}

/// A unique constraint added later is a unique index.
fn unique_index(cursor: &Cursor<'_>, table: String, name: String) -> Result<Statement, DatabaseError> {
    let columns = name_list(cursor.all, cursor.at).ok_or_else(|| not_understood(cursor.sql, "columns are missing"))?.0;
    let name = if name.is_empty() { format!("uq_{table}_{}", columns.join("_")) } else { name };
    let sql = format!(
        "create unique index {} on {} ({})",
        quoted(&name),
        quoted(&table),
        super::tokens::quoted_list(&columns)
    );
    Ok(Statement::Schema(SchemaChange {
        action: Action::Create,
        kind: ObjectKind::Index,
        name,
        table: Some(table),
        sql,
        replaces: false,
        tolerant: false,
        definer: None,
        security: None,
    }))
}
