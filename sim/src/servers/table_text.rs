//! Reads `CREATE TABLE`: takes foreign keys out of it, and what other engines write that SQLite does not know.

use super::catalogue::{ForeignKey, OnChange};
use super::statement::{Cursor, not_understood};
use super::tokens::{Token, items, name_list, quoted, slice};
use recovery::ports::database::DatabaseError;

/// A table to be made.
#[derive(Debug, Clone)]
pub(super) struct NewTable {
    /// Name.
    pub name: String,
    /// Whether it may be there already.
    pub if_not_exists: bool,
    /// The statement for SQLite.
    pub sql: String,
    /// Its foreign keys; one without a name gets it from the server.
    pub foreign_keys: Vec<ForeignKey>,
    /// Whether it is filled by a query.
    pub from_query: bool,
    /// Its storage engine, where the statement names one.
    pub storage: Option<String>,
}

impl NewTable {
    /// A table made and filled by a query.
    pub fn from_query(name: String, sql: String) -> Self {
        Self { name, if_not_exists: false, sql, foreign_keys: Vec::new(), from_query: true, storage: None }
    }
}

/// Reads what stands after `CREATE TABLE [IF NOT EXISTS]`.
pub(super) fn create_table(mut cursor: Cursor<'_>, if_not_exists: bool) -> Result<NewTable, DatabaseError> {
    let (sql, all) = (cursor.sql, cursor.all);
    let name = cursor.name()?;
    if cursor.is("as") {
        return Ok(NewTable::from_query(name.clone(), format!("create table {} {}", quoted(&name), cursor.rest())));
    }
    let Some((ranges, after)) = items(all, cursor.at) else {
        return Err(not_understood(sql, "the columns are missing or the parenthesis is not closed"));
    };
    let (mut parts, mut foreign_keys, mut counted) = (Vec::new(), Vec::new(), None);
    for range in ranges {
        if range.is_empty() {
            return Err(not_understood(sql, "a column is missing"));
        }
        let first = &all[range.start];
        let mut at = range.start;
        let mut constraint = String::new();
        if first.is("constraint") && range.len() > 2 {
            constraint = all[at + 1].name();
            at += 2;
        }
        if all[at].is("foreign") && all.get(at + 1).is_some_and(|token| token.is("key")) {
            foreign_keys.push(foreign_key(sql, all, at, &name, constraint, Vec::new())?.0);
        } else if all[at].is("unique") && all.get(at + 1).is_some_and(|t| t.is_any(&["key", "index"])) {
            let open = (at..range.end).find(|index| all[*index].is("(")).unwrap_or(range.end);
            parts.push((range.start, format!("unique {}", slice(sql, all, open..range.end))));
        } else if at > range.start || first.is_any(&["primary", "unique", "check"]) {
            parts.push((range.start, slice(sql, all, range).to_owned()));
        } else {
            let column = column(sql, all, range.clone(), &name)?;
            if column.counts {
                counted = Some(column.name.clone());
            }
            foreign_keys.extend(column.foreign_key);
            parts.push((range.start, column.text));
        }
    }
    if let Some(counted) = counted {
        parts.retain(|(start, _)| !is_primary_key_of(all, *start, &counted));
    }
    let options = &all[after.min(all.len())..];
    if options.iter().any(|token| token.is("select")) {
        return Err(not_understood(sql, "a table with columns cannot be filled by a query at once"));
    }
    let mut tail = String::new();
    if options.windows(2).any(|pair| pair[0].is("without") && pair[1].is("rowid")) {
        tail.push_str(" without rowid");
    }
    let columns = parts.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join(", ");
    let sql = format!("create table {} ({columns}){tail}", super::catalogue::written(&name));
    Ok(NewTable { name, if_not_exists, sql, foreign_keys, from_query: false, storage: storage(options) })
}

/// The storage engine that the options of a table name.
fn storage(options: &[Token<'_>]) -> Option<String> {
    let at = options.iter().position(|token| token.is("engine"))?;
    let mut named = options[at + 1..].iter().filter(|token| !token.is("="));
    named.next().filter(|token| token.is_name()).map(Token::name)
}

fn is_primary_key_of(all: &[Token<'_>], start: usize, column: &str) -> bool {
    let at = if all[start].is("constraint") { start + 2 } else { start };
    all.get(at).is_some_and(|token| token.is("primary"))
        && name_list(all, at + 2).is_some_and(|(names, _)| names.len() == 1 && names[0].eq_ignore_ascii_case(column))
}

struct ColumnText {
    name: String,
    text: String,
    counts: bool,
    foreign_key: Option<ForeignKey>,
}

/// Reads one column; a column that counts by itself becomes SQLite's own kind of it.
fn column(
    sql: &str,
    all: &[Token<'_>],
    range: std::ops::Range<usize>,
    table: &str,
) -> Result<ColumnText, DatabaseError> {
    let name = all[range.start].name();
    let mut kept: Vec<Token<'_>> = Vec::new();
    let (mut counts, mut foreign, mut at) = (false, None, range.start);
    while at < range.end {
        let token = all[at];
        let next = all.get(at + 1).filter(|_| at + 1 < range.end);
        let next_is = |words: &[&str]| next.is_some_and(|next| next.is_any(words));
        if at == range.start {
            kept.push(token);
            at += 1;
        } else if token.is("auto_increment") || token.is_any(&["serial", "bigserial"]) {
            counts = true;
            at += 1;
        } else if token.is("identity") {
            counts = true;
            at = if next_is(&["("]) { items(all, at + 1).map_or(at + 1, |(_, after)| after) } else { at + 1 };
        } else if token.is("references") {
            let mut constraint = String::new();
            if kept.len() >= 2 && kept[kept.len() - 2].is("constraint") {
                constraint = kept[kept.len() - 1].name();
                kept.truncate(kept.len() - 2);
            }
            let (key, after) = foreign_key(sql, all, at, table, constraint, vec![name.clone()])?;
            foreign = Some(key);
            at = after;
        } else if token.is_any(&["comment", "charset"])
            || (token.is("collate") && !next_is(&["nocase", "binary", "rtrim"]))
        {
            at += 2;
        } else if (token.is("character") && next_is(&["set"])) || (token.is("on") && next_is(&["update"])) {
            at += 3;
        } else {
            kept.push(token);
            at += 1;
        }
    }
    let text = if counts {
        format!("{} integer primary key autoincrement", kept[0].text)
    } else {
        let mut text = String::new();
        let mut end = kept[0].start;
        for token in kept {
            if token.start > end {
                text.push(' ');
            }
            text.push_str(token.text);
            end = token.end;
        }
        text
    };
    Ok(ColumnText { name, text, counts, foreign_key: foreign })
}

/// Whether a constraint is added without a look at the rows that are there, as PostgreSQL says it.
pub(super) fn is_not_valid(all: &[Token<'_>]) -> bool {
    all.windows(2).any(|pair| pair[0].is("not") && pair[1].is("valid"))
}

/// Reads `[FOREIGN KEY (…)] REFERENCES parent [(…)] [ON …]`; gives the key and the index after it.
pub(super) fn foreign_key(
    sql: &str,
    all: &[Token<'_>],
    at: usize,
    table: &str,
    name: String,
    columns: Vec<String>,
) -> Result<(ForeignKey, usize), DatabaseError> {
    let mut cursor = Cursor { sql, all, at };
    let list = |cursor: &mut Cursor<'_>| {
        let (names, after) = name_list(cursor.all, cursor.at)
            .ok_or_else(|| not_understood(cursor.sql, "the foreign key's columns are missing"))?;
        cursor.at = after;
        Ok(names)
    };
    let columns = if cursor.eat_all(&["foreign", "key"]) { list(&mut cursor)? } else { columns };
    if !cursor.eat("references") {
        return Err(not_understood(sql, "'references' is missing"));
    }
    let parent = cursor.name()?;
    let parent_columns = if cursor.is("(") { list(&mut cursor)? } else { Vec::new() };
    let (mut on_delete, mut on_update) = (OnChange::Refuse, OnChange::Refuse);
    loop {
        let slot = if cursor.eat_all(&["on", "delete"]) {
            &mut on_delete
        } else if cursor.eat_all(&["on", "update"]) {
            &mut on_update
        } else if cursor.eat("deferrable")
            || cursor.eat_all(&["not", "deferrable"])
            || cursor.eat_all(&["initially", "deferred"])
            || cursor.eat_all(&["initially", "immediate"])
        {
            continue;
        } else {
            break;
        };
        *slot = if cursor.eat("cascade") {
            OnChange::Cascade
        } else if cursor.eat_all(&["set", "null"]) {
            OnChange::SetNull
        } else if cursor.eat("restrict") || cursor.eat_all(&["no", "action"]) {
            OnChange::Refuse
        } else {
            return Err(not_understood(sql, "the foreign key's action is not known"));
        };
    }
    let key = ForeignKey {
        name,
        table: table.to_owned(),
        columns,
        parent,
        parent_columns,
        enabled: true,
        on_delete,
        on_update,
    };
    Ok((key, cursor.at))
}
