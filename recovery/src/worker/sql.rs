//! SQL text as words: enough to find and replace whole names without touching what stands in string literals.

use crate::model::Engine;

/// What a piece of SQL text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A bare word: a keyword, a name or a number.
    Word,
    /// A quoted name.
    Quoted,
    /// A string literal.
    Literal,
    /// Spaces and comments.
    Space,
    /// Any other single character.
    Sign,
}

/// One piece of SQL text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// The text, quotes and all.
    pub text: String,
}

impl Token {
    /// The name it spells, without quotes; nothing for what cannot be a name.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        match self.kind {
            Kind::Word => Some(self.text.clone()),
            Kind::Quoted => {
                let mut letters = self.text.chars();
                letters.next();
                let close = letters.next_back()?;
                let doubled: String = [close, close].iter().collect();
                Some(letters.as_str().replace(&doubled, &close.to_string()))
            }
            Kind::Literal | Kind::Space | Kind::Sign => None,
        }
    }

    /// Whether it spells this name; bare words do not tell upper from lower case.
    #[must_use]
    pub fn spells(&self, name: &str) -> bool {
        match self.kind {
            Kind::Word => self.text.eq_ignore_ascii_case(name),
            _ => self.name().is_some_and(|own| own == name),
        }
    }

    /// Whether it is this keyword.
    #[must_use]
    pub fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }

    /// Whether it is this sign.
    #[must_use]
    pub fn is_sign(&self, sign: &str) -> bool {
        self.kind == Kind::Sign && self.text == sign
    }
}

/// Cuts SQL text into tokens that give the text again when put together.
#[must_use]
pub fn tokens(engine: Engine, sql: &str) -> Vec<Token> {
    let letters: Vec<char> = sql.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < letters.len() {
        let (kind, end) = next(engine, &letters, at);
        tokens.push(Token { kind, text: letters[at..end].iter().collect() });
        at = end;
    }
    tokens
}

fn next(engine: Engine, letters: &[char], at: usize) -> (Kind, usize) {
    let first = letters[at];
    let following = letters.get(at + 1).copied();
    match first {
        _ if first.is_whitespace() => (Kind::Space, while_in(letters, at, char::is_whitespace)),
        '-' if following == Some('-') => (Kind::Space, while_in(letters, at, |letter| letter != '\n')),
        '#' if engine == Engine::MySql => (Kind::Space, while_in(letters, at, |letter| letter != '\n')),
        '/' if following == Some('*') => (Kind::Space, comment(letters, at)),
        '\'' => (Kind::Literal, quoted(letters, at, '\'', engine == Engine::MySql)),
        '"' | '`' => (Kind::Quoted, quoted(letters, at, first, false)),
        '[' if opens_name(letters, at) => (Kind::Quoted, quoted(letters, at, ']', false)),
        '$' => dollar(letters, at).map_or((Kind::Sign, at + 1), |end| (Kind::Literal, end)),
        _ if in_word(first) => (Kind::Word, while_in(letters, at, in_word)),
        _ => (Kind::Sign, at + 1),
    }
}

fn in_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_' || letter == '$' || letter == '@' || letter == '#'
}

fn while_in(letters: &[char], at: usize, belongs: impl Fn(char) -> bool) -> usize {
    letters[at..].iter().position(|letter| !belongs(*letter)).map_or(letters.len(), |length| at + length)
}

fn comment(letters: &[char], at: usize) -> usize {
    (at + 2..letters.len().saturating_sub(1))
        .find(|end| letters[*end] == '*' && letters[end + 1] == '/')
        .map_or(letters.len(), |end| end + 2)
}

/// The end of a quoted text; a doubled quote stands for itself, and in MySQL a backslash takes the next letter along.
fn quoted(letters: &[char], at: usize, close: char, backslash: bool) -> usize {
    let mut end = at + 1;
    while end < letters.len() {
        if backslash && letters[end] == '\\' {
            end += 2;
        } else if letters[end] == close {
            if letters.get(end + 1) != Some(&close) {
                return end + 1;
            }
            end += 2;
        } else {
            end += 1;
        }
    }
    letters.len()
}

/// `[` opens a name unless it follows something it could be an index of, as in `list[1]`.
fn opens_name(letters: &[char], at: usize) -> bool {
    let before = at.checked_sub(1).map(|before| letters[before]);
    !before.is_some_and(|before| before.is_alphanumeric() || matches!(before, '_' | ']' | ')'))
        && letters.get(at + 1).is_some_and(|after| after.is_alphabetic() || *after == '_')
}

/// The end of a `$tag$ … $tag$` text.
fn dollar(letters: &[char], at: usize) -> Option<usize> {
    let end = while_in(letters, at + 1, |letter| letter.is_alphanumeric() || letter == '_');
    if letters.get(end) != Some(&'$') {
        return None;
    }
    let tag = &letters[at..=end];
    (end + 1..letters.len()).find(|close| letters[*close..].starts_with(tag)).map(|close| close + tag.len())
}

/// Puts tokens together again.
#[must_use]
pub fn text(tokens: &[Token]) -> String {
    tokens.iter().map(|token| token.text.as_str()).collect()
}

/// A name in the quotes of an engine.
#[must_use]
pub fn quote(engine: Engine, name: &str) -> String {
    match engine {
        Engine::MySql => format!("`{}`", name.replace('`', "``")),
        Engine::SqlServer => format!("[{}]", name.replace(']', "]]")),
        Engine::PostgreSql | Engine::Ppas | Engine::Redis => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}

/// The same statement, apart from spaces, quotes and the case of bare words.
#[must_use]
pub fn same(engine: Engine, one: &str, other: &str) -> bool {
    let plain = |sql: &str| -> Vec<String> {
        let kept = tokens(engine, sql).into_iter().filter(|token| token.kind != Kind::Space && !token.is_sign(";"));
        kept.map(|token| match token.kind {
            Kind::Word | Kind::Quoted => token.name().unwrap_or_default().to_lowercase(),
            _ => token.text,
        })
        .collect()
    };
    plain(one) == plain(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_put_together_are_the_text_again() {
        for sql in [
            "create table `a b` (x int default 'it''s', [y z] text) -- end",
            "select 'open",
            "create function f() as $body$ select 'orders' $body$ language sql",
            "/* orders */ select \"or\"\"ders\", list[1]",
        ] {
            assert_eq!(text(&tokens(Engine::PostgreSql, sql)), sql);
        }
    }

    #[test]
    fn a_name_in_a_literal_or_comment_is_no_name() {
        let found = |sql: &str| tokens(Engine::MySql, sql).iter().filter(|token| token.spells("orders")).count();
        assert_eq!(found("select 'orders', 'it\\'s orders' -- orders"), 0);
        assert_eq!(found("select `orders`, \"orders\", [orders], ORDERS, orders2"), 4);
    }

    #[test]
    fn statements_that_differ_in_quotes_and_spaces_are_the_same() {
        assert!(same(Engine::MySql, "CREATE  TABLE `a` (x INT);", "create table a (x int)"));
        assert!(!same(Engine::MySql, "create table a (x int default 'A')", "create table a (x int default 'a')"));
    }
}
