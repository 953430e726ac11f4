//! Cuts SQL text into tokens and statements, so that the parts SQLite does not know can be taken out of it.

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A bare word: keyword or name.
    Word,
    /// A quoted name.
    Quoted,
    /// A string, in single quotes or dollars.
    Text,
    /// Anything else: numbers, operators, parentheses.
    Sign,
}

/// One token and where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'a> {
    /// What it is.
    pub kind: TokenKind,
    /// Its text as written.
    pub text: &'a str,
    /// Offset of its first byte.
    pub start: usize,
    /// Offset after its last byte.
    pub end: usize,
}

impl Token<'_> {
    /// Whether it is this keyword or sign.
    pub fn is(&self, word: &str) -> bool {
        matches!(self.kind, TokenKind::Word | TokenKind::Sign) && self.text.eq_ignore_ascii_case(word)
    }

    /// Whether it is one of these keywords.
    pub fn is_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(word))
    }

    /// The name it stands for, without quotes; MySQL writes account names as strings.
    pub fn name(&self) -> String {
        match self.kind {
            TokenKind::Word | TokenKind::Sign => self.text.to_owned(),
            TokenKind::Quoted | TokenKind::Text => {
                let inner = self.text.get(1..self.text.len().saturating_sub(1)).unwrap_or_default();
                match self.text.as_bytes().first() {
                    Some(b'"') => inner.replace("\"\"", "\""),
                    Some(b'`') => inner.replace("``", "`"),
                    Some(b'\'') => inner.replace("''", "'"),
                    _ => inner.to_owned(),
                }
            }
        }
    }

    /// Whether it can be a name.
    pub fn is_name(&self) -> bool {
        matches!(self.kind, TokenKind::Word | TokenKind::Quoted)
    }
}

/// Cuts a text into tokens; white space and comments fall away.
pub(super) fn tokens(sql: &str) -> Vec<Token<'_>> {
    let bytes = sql.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        let kind = match bytes[at] {
            byte if byte.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            b'-' if bytes.get(at + 1) == Some(&b'-') => {
                at = sql[at..].find('\n').map_or(bytes.len(), |length| at + length);
                continue;
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                at = sql[at + 2..].find("*/").map_or(bytes.len(), |length| at + 2 + length + 2);
                continue;
            }
            b'\'' => {
                at = after_quote(bytes, at, b'\'');
                TokenKind::Text
            }
            quote @ (b'"' | b'`') => {
                at = after_quote(bytes, at, quote);
                TokenKind::Quoted
            }
            b'[' => {
                at = sql[at..].find(']').map_or(bytes.len(), |length| at + length + 1);
                TokenKind::Quoted
            }
            b'$' if dollar_quote(sql, at).is_some() => {
                at = dollar_quote(sql, at).unwrap_or(bytes.len());
                TokenKind::Text
            }
            byte if is_word_byte(byte) && !byte.is_ascii_digit() => {
                while at < bytes.len() && (is_word_byte(bytes[at]) || bytes[at] == b'$') {
                    at += 1;
                }
                TokenKind::Word
            }
            byte if byte.is_ascii_digit() => {
                while at < bytes.len() && (is_word_byte(bytes[at]) || bytes[at] == b'.') {
                    at += 1;
                }
                TokenKind::Sign
            }
            _ => {
                at += 1;
                TokenKind::Sign
            }
        };
        found.push(Token { kind, text: &sql[start..at], start, end: at });
    }
    found
}

fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn after_quote(bytes: &[u8], start: usize, quote: u8) -> usize {
    let mut at = start + 1;
    while at < bytes.len() {
        if bytes[at] == quote {
            if bytes.get(at + 1) == Some(&quote) {
                at += 2;
                continue;
            }
            return at + 1;
        }
        at += 1;
    }
    bytes.len()
}

/// Where a PostgreSQL string `$tag$ … $tag$` ends, if one begins here.
fn dollar_quote(sql: &str, start: usize) -> Option<usize> {
    let tag_length = sql[start + 1..].find('$')?;
    let tag = &sql[start..start + tag_length + 2];
    if !tag[1..tag.len() - 1].bytes().all(is_word_byte) {
        return None;
    }
    let body = start + tag.len();
    sql[body..].find(tag).map(|length| body + length + tag.len())
}

/// Cuts a text into statements at semicolons outside quotes and outside the bodies of routines and triggers.
pub(super) fn statements(sql: &str) -> Vec<&str> {
    let all = tokens(sql);
    let mut found = Vec::new();
    let (mut first, mut depth, mut has_body) = (None, 0_usize, false);
    for (index, token) in all.iter().enumerate() {
        let start = *first.get_or_insert(token.start);
        let is_definition =
            all.iter().find(|token| token.start == start).is_some_and(|t| t.is_any(&["create", "alter"]));
        if is_definition && token.is_any(&["trigger", "procedure", "function", "event", "aggregate"]) {
            has_body = true;
        }
        if has_body && token.is_any(&["begin", "case"]) {
            let closes = index > 0 && all[index - 1].is("end");
            depth += usize::from(!closes);
        } else if has_body && token.is("end") {
            let of_a_branch = all.get(index + 1).is_some_and(|next| next.is_any(&["if", "loop", "while", "repeat"]));
            depth = depth.saturating_sub(usize::from(!of_a_branch));
        } else if depth == 0 && token.is(";") {
            if token.start > start {
                found.push(sql[start..token.start].trim());
            }
            (first, has_body) = (None, false);
        }
    }
    if let Some(start) = first {
        found.push(sql[start..].trim());
    }
    found
}

/// Folds white space outside quotes to single spaces and drops comments.
pub(super) fn folded(sql: &str) -> String {
    let mut text = String::with_capacity(sql.len());
    let mut end = 0;
    for token in tokens(sql) {
        if !text.is_empty() && token.start > end {
            text.push(' ');
        }
        text.push_str(token.text);
        end = token.end;
    }
    text
}

/// A name in double quotes.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Names in double quotes, with commas between.
pub(super) fn quoted_list(names: &[String]) -> String {
    names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ")
}

/// The items between the parenthesis at `open` and its partner, cut at commas; and the index after the partner.
pub(super) fn items(tokens: &[Token<'_>], open: usize) -> Option<(Vec<std::ops::Range<usize>>, usize)> {
    if !tokens.get(open)?.is("(") {
        return None;
    }
    let (mut found, mut depth, mut begin) = (Vec::new(), 0_usize, open + 1);
    for (index, token) in tokens.iter().enumerate().skip(open) {
        if token.is("(") {
            depth += 1;
        } else if token.is(")") {
            depth -= 1;
            if depth == 0 {
                found.push(begin..index);
                return Some((found, index + 1));
            }
        } else if token.is(",") && depth == 1 {
            found.push(begin..index);
            begin = index + 1;
        }
    }
    None
}

/// The names in a parenthesis such as `(a, b)`, and the index after it.
pub(super) fn name_list(tokens: &[Token<'_>], open: usize) -> Option<(Vec<String>, usize)> {
    let (ranges, after) = items(tokens, open)?;
    let names = ranges.into_iter().filter_map(|range| tokens.get(range.start).map(Token::name)).collect();
    Some((names, after))
}

/// The text of a range of tokens as written.
pub(super) fn slice<'a>(sql: &'a str, tokens: &[Token<'_>], range: std::ops::Range<usize>) -> &'a str {
    match (tokens.get(range.start), range.end.checked_sub(1).and_then(|last| tokens.get(last))) {
        (Some(first), Some(last)) if first.start < last.end => &sql[first.start..last.end],
        _ => "",
    }
}
