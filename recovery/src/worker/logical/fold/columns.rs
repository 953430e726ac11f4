//! Columns as a table's definition says them.

use super::words::Words;
use crate::model::Engine;
use crate::model::content::Column;
use crate::worker::sql::{self, Kind, Token};

/// Words that end a column's type.
const AFTER_TYPE: [&str; 16] = [
    "NOT",
    "NULL",
    "DEFAULT",
    "PRIMARY",
    "UNIQUE",
    "KEY",
    "CHECK",
    "REFERENCES",
    "CONSTRAINT",
    "COLLATE",
    "COMMENT",
    "AUTO_INCREMENT",
    "IDENTITY",
    "GENERATED",
    "CHARACTER",
    "ON",
];

/// A column of a definition; the second says whether it is the primary key by itself, the third whether it is unique.
#[must_use]
pub fn column(item: &[Token]) -> Option<(Column, bool, bool)> {
    let mut words = Words::new(item);
    let name = words.name()?;
    let from = words.at;
    while words.peek().is_some() && !words.is_any(&AFTER_TYPE) {
        if words.group().is_none() {
            words.step();
        }
    }
    let declared = sql::text(&item[from..words.at]).trim().to_owned();
    let rest: Vec<&Token> = item[words.at..].iter().filter(|token| token.kind != Kind::Space).collect();
    let pair = |one: &str, other: &str| rest.windows(2).any(|two| two[0].is_word(one) && two[1].is_word(other));
    let (primary, unique) = (pair("PRIMARY", "KEY"), rest.iter().any(|token| token.is_word("UNIQUE")));
    Some((Column { name, declared, nullable: !primary && !pair("NOT", "NULL") }, primary, unique))
}

/// A column that `ALTER TABLE` adds: its text without foreign key, and its place. Nothing where rows that are there would
/// get a value that is not the same in a restore: only a constant default is.
#[must_use]
pub fn added(engine: Engine, tokens: &[Token]) -> Option<(String, Option<Option<String>>)> {
    let mut tokens = without_reference(tokens);
    let mut place = None;
    let end = tokens.iter().rposition(|token| token.kind != Kind::Space).map_or(0, |end| end + 1);
    tokens.truncate(end);
    let words: Vec<usize> = (0..tokens.len()).filter(|at| tokens[*at].kind != Kind::Space).collect();
    if let [.., after, name] = words[..]
        && engine == Engine::MySql
        && tokens[after].is_word("AFTER")
    {
        place = Some(tokens[name].name());
        tokens.truncate(after);
    } else if let [.., last] = words[..]
        && engine == Engine::MySql
        && tokens[last].is_word("FIRST")
    {
        place = Some(None);
        tokens.truncate(last);
    }
    let (_, primary, _) = column(&tokens)?;
    let counts = ["AUTO_INCREMENT", "IDENTITY", "SERIAL", "BIGSERIAL", "GENERATED", "AS", "ROWVERSION"];
    let unfit = primary || tokens.iter().any(|token| counts.iter().any(|word| token.is_word(word)));
    if unfit || !default_is_constant(&tokens) {
        return None;
    }
    Some((sql::text(&tokens).trim().to_owned(), place))
}

fn default_is_constant(tokens: &[Token]) -> bool {
    let words: Vec<&Token> = tokens.iter().filter(|token| token.kind != Kind::Space).collect();
    let Some(at) = words.iter().position(|token| token.is_word("DEFAULT")) else {
        return true;
    };
    let value = words[at + 1..].iter().find(|token| !(token.is_sign("-") || token.is_sign("+")));
    value.is_some_and(|value| match value.kind {
        Kind::Literal => true,
        Kind::Word => {
            value.text.starts_with(|letter: char| letter.is_ascii_digit())
                || ["NULL", "TRUE", "FALSE"].iter().any(|word| value.is_word(word))
        }
        _ => false,
    })
}

/// A column without `[CONSTRAINT name] REFERENCES …` (LOG-13).
#[must_use]
pub fn without_reference(item: &[Token]) -> Vec<Token> {
    let mut words = Words::new(item);
    let mut named = None;
    loop {
        let from = words.at;
        if words.eat("CONSTRAINT") {
            let _ = words.name();
            named = Some((from, words.at));
            continue;
        }
        if words.eat("REFERENCES") {
            let begin = named.filter(|(_, end)| *end == from).map_or(from, |(begin, _)| begin);
            let _ = words.name();
            let _ = words.group();
            skip_actions(&mut words);
            let mut kept = item[..begin].to_vec();
            let rest = without_reference(&item[words.at..]);
            while rest.is_empty() && kept.last().is_some_and(|last| last.kind == Kind::Space) {
                kept.pop();
            }
            kept.extend(rest);
            return kept;
        }
        if words.peek().is_none() {
            return item.to_vec();
        }
        if words.group().is_none() {
            words.step();
        }
    }
}

fn skip_actions(words: &mut Words<'_>) {
    let actions = [&["CASCADE"][..], &["RESTRICT"], &["SET", "NULL"], &["SET", "DEFAULT"], &["NO", "ACTION"]];
    loop {
        if words.eat_all(&["ON", "DELETE"]) || words.eat_all(&["ON", "UPDATE"]) {
            let _ = actions.iter().any(|action| words.eat_all(action));
        } else if words.eat("MATCH") {
            words.step();
        } else if !(words.eat("DEFERRABLE")
            || words.eat_all(&["NOT", "DEFERRABLE"])
            || words.eat_all(&["INITIALLY", "DEFERRED"])
            || words.eat_all(&["INITIALLY", "IMMEDIATE"]))
        {
            return;
        }
    }
}
