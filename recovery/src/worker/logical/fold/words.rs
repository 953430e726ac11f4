//! Walking over the words of a statement, past spaces and comments.

use crate::model::Engine;
use crate::worker::sql::{self, Kind, Token};

/// A statement's tokens; what MySQL runs although it stands in a comment, `/*!50017 … */`, is part of it.
#[must_use]
pub fn tokens(engine: Engine, text: &str) -> Vec<Token> {
    let tokens = sql::tokens(engine, text);
    let runs = |token: &Token| token.kind == Kind::Space && token.text.starts_with("/*!");
    if engine != Engine::MySql || !tokens.iter().any(runs) {
        return tokens;
    }
    let inside = |token: &Token| {
        let text = token.text.trim_start_matches("/*!").trim_end_matches("*/");
        format!(" {} ", text.trim_start_matches(|letter: char| letter.is_ascii_digit()))
    };
    let text: String =
        tokens.iter().map(|token| if runs(token) { inside(token) } else { token.text.clone() }).collect();
    sql::tokens(engine, &text)
}

/// A place in a statement.
#[derive(Debug, Clone, Copy)]
pub struct Words<'a> {
    tokens: &'a [Token],
    /// Index of the next token.
    pub at: usize,
}

impl<'a> Words<'a> {
    /// The beginning.
    #[must_use]
    pub fn new(tokens: &'a [Token]) -> Self {
        let mut words = Self { tokens, at: 0 };
        words.skip_space();
        words
    }

    /// A place of its own.
    #[must_use]
    pub fn from(tokens: &'a [Token], at: usize) -> Self {
        Self { tokens, at }
    }

    fn skip_space(&mut self) {
        while self.tokens.get(self.at).is_some_and(|token| token.kind == Kind::Space) {
            self.at += 1;
        }
    }

    /// The next token.
    #[must_use]
    pub fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at)
    }

    /// Whether nothing but a semicolon is left.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.peek().is_none_or(|token| token.is_sign(";"))
    }

    /// Goes on.
    pub fn step(&mut self) {
        self.at += 1;
        self.skip_space();
    }

    /// Whether the next is this keyword.
    #[must_use]
    pub fn is(&self, word: &str) -> bool {
        self.peek().is_some_and(|token| token.is_word(word))
    }

    /// Whether the next is one of these keywords.
    #[must_use]
    pub fn is_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(word))
    }

    /// Whether the next is this sign.
    #[must_use]
    pub fn is_sign(&self, sign: &str) -> bool {
        self.peek().is_some_and(|token| token.is_sign(sign))
    }

    /// Goes over a keyword.
    pub fn eat(&mut self, word: &str) -> bool {
        let found = self.is(word);
        if found {
            self.step();
        }
        found
    }

    /// Goes over these keywords if all of them come next.
    pub fn eat_all(&mut self, words: &[&str]) -> bool {
        let mut ahead = *self;
        let found = words.iter().all(|word| ahead.eat(word));
        if found {
            *self = ahead;
        }
        found
    }

    /// Goes over a sign.
    pub fn eat_sign(&mut self, sign: &str) -> bool {
        let found = self.is_sign(sign);
        if found {
            self.step();
        }
        found
    }

    /// A name, without what qualifies it.
    pub fn name(&mut self) -> Option<String> {
        loop {
            let name = self.peek()?.name()?;
            self.step();
            if !self.eat_sign(".") {
                return Some(name);
            }
        }
    }

    /// Names with commas between.
    pub fn names(&mut self) -> Option<Vec<String>> {
        let mut names = vec![self.name()?];
        while self.eat_sign(",") {
            names.push(self.name()?);
        }
        Some(names)
    }

    /// Goes over parentheses; gives the range of what is inside.
    pub fn group(&mut self) -> Option<std::ops::Range<usize>> {
        if !self.is_sign("(") {
            return None;
        }
        let from = self.at + 1;
        let mut depth = 0_i32;
        for (at, token) in self.tokens.iter().enumerate().skip(self.at) {
            depth += i32::from(token.is_sign("(")) - i32::from(token.is_sign(")"));
            if depth == 0 {
                self.at = at + 1;
                self.skip_space();
                return Some(from..at);
            }
        }
        None
    }

    /// Names in parentheses, each perhaps with a length or an order.
    pub fn name_group(&mut self) -> Option<Vec<String>> {
        let range = self.group()?;
        let inside = self.tokens.get(range)?;
        cut(inside).into_iter().map(|item| Words::new(&inside[item]).name()).collect()
    }
}

/// The stretches between the commas that stand in no parentheses.
#[must_use]
pub fn cut(tokens: &[Token]) -> Vec<std::ops::Range<usize>> {
    let (mut ranges, mut from, mut depth) = (Vec::new(), 0, 0_i32);
    for (at, token) in tokens.iter().enumerate() {
        depth += i32::from(token.is_sign("(")) - i32::from(token.is_sign(")"));
        if depth == 0 && token.is_sign(",") {
            ranges.push(from..at);
            from = at + 1;
        }
    }
    ranges.push(from..tokens.len());
    ranges
}
