//! Cuts a script into its statements.

/// The statements of a script, without what stands between them.
#[must_use]
pub fn statements(script: &str) -> Vec<&str> {
    let (mut found, mut begin, mut at) = (Vec::new(), 0, 0);
    let mut inside = Inside::default();
    while at < script.len() {
        let rest = &script[at..];
        let (length, word) = next(rest);
        if rest.starts_with(';') && inside.is_outside() {
            found.push(&script[begin..at]);
            begin = at + 1;
            inside = Inside::default();
        } else if let Some(word) = word {
            inside.see(word);
        } else {
            inside.sign(&rest[..length]);
        }
        at += length;
    }
    found.push(&script[begin..]);
    found.retain(|text| !is_blank(text));
    found
}

/// Whether nothing but space and comments stands there.
fn is_blank(text: &str) -> bool {
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let is_space = rest.starts_with(char::is_whitespace) || rest.starts_with("--") || rest.starts_with("/*");
        if !is_space {
            return false;
        }
        at += next(rest).0;
    }
    true
}

/// The first keyword of a statement, in small letters.
#[must_use]
pub fn verb(statement: &str) -> String {
    let mut at = 0;
    while at < statement.len() {
        let rest = &statement[at..];
        let (length, word) = next(rest);
        if let Some(word) = word {
            return word.to_lowercase();
        }
        at += length;
    }
    String::new()
}

/// Whether a keyword stands in a statement, outside of quotes and comments.
#[must_use]
pub fn says(statement: &str, keyword: &str) -> bool {
    let mut at = 0;
    while at < statement.len() {
        let (length, word) = next(&statement[at..]);
        if word.is_some_and(|word| word.eq_ignore_ascii_case(keyword)) {
            return true;
        }
        at += length;
    }
    false
}

/// What a semicolon would be inside of: parentheses, or the body of a routine (`BEGIN ATOMIC … END`).
#[derive(Default)]
struct Inside {
    parentheses: usize,
    blocks: usize,
    before: String,
}

impl Inside {
    fn is_outside(&self) -> bool {
        self.parentheses == 0 && self.blocks == 0
    }

    fn see(&mut self, word: &str) {
        let word = word.to_lowercase();
        let opens = (word == "atomic" && self.before == "begin") || (word == "case" && self.blocks > 0);
        if opens {
            self.blocks += 1;
        } else if word == "end" {
            self.blocks = self.blocks.saturating_sub(1);
        }
        self.before = word;
    }

    fn sign(&mut self, sign: &str) {
        match sign {
            "(" => self.parentheses += 1,
            ")" => self.parentheses = self.parentheses.saturating_sub(1),
            _ => {}
        }
    }
}

/// How long the next piece is, and the word, if it is one.
fn next(rest: &str) -> (usize, Option<&str>) {
    let Some(first) = rest.chars().next() else {
        return (0, None);
    };
    let length = match first {
        '\'' => quoted(rest, 0, '\'', false),
        '"' => quoted(rest, 0, '"', false),
        'e' | 'E' if rest[1..].starts_with('\'') => quoted(rest, 1, '\'', true),
        '$' => dollar(rest).unwrap_or(1),
        '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
        '/' if rest.starts_with("/*") => comment(rest),
        _ if first.is_alphabetic() || first == '_' => {
            let in_word = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '$';
            let length = rest.find(|letter| !in_word(letter)).unwrap_or(rest.len());
            return (length, Some(&rest[..length]));
        }
        _ => first.len_utf8(),
    };
    (length, None)
}

/// The end of a quoted text that opens at `at`; a doubled quote stands for itself.
fn quoted(rest: &str, at: usize, quote: char, backslash: bool) -> usize {
    let mut letters = rest[at + 1..].char_indices().peekable();
    while let Some((place, letter)) = letters.next() {
        if backslash && letter == '\\' {
            letters.next();
        } else if letter == quote && letters.next_if(|(_, next)| *next == quote).is_none() {
            return at + 1 + place + 1;
        }
    }
    rest.len()
}

/// The end of a `$tag$ … $tag$` text.
fn dollar(rest: &str) -> Option<usize> {
    let end = rest[1..].find(|letter: char| !(letter.is_alphanumeric() || letter == '_'))? + 1;
    let tag = rest[..=end].strip_suffix('$').map(|_| &rest[..=end])?;
    if tag[1..].starts_with(|letter: char| letter.is_numeric()) {
        return None;
    }
    let close = rest[tag.len()..].find(tag).map(|close| close + 2 * tag.len());
    Some(close.unwrap_or(rest.len()))
}

/// The end of a comment, which may hold others.
fn comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_semicolon_in_a_text_a_comment_or_a_body_ends_no_statement() {
        let script = "select ';', E'\\';', \"a;b\" /* ; /* ; */ ; */; -- ;\n\
            create function f() returns int language sql begin atomic select case when true then 1 end; end;\n\
            do $x$ begin perform 1; end $x$; create rule r as on insert to t do also (select 1; select 2); ; --\n";
        let found = statements(script);
        assert_eq!(found.len(), 4, "{found:?}");
        assert_eq!(found.iter().map(|text| verb(text)).collect::<Vec<_>>(), ["select", "create", "do", "create"]);
    }

    #[test]
    fn a_keyword_counts_only_where_it_is_none_of_a_text() {
        assert!(says("insert into t values (1) returning id", "RETURNING"));
        assert!(!says("insert into t values ('returning') -- returning", "returning"));
        assert_eq!(statements("select $1; select 'ä;ö', $ä$;$ä$").len(), 2);
    }
}
