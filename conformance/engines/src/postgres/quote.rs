//! Names and values as PostgreSQL writes them: the one place where text becomes SQL.

/// A name in quotes.
#[must_use]
pub fn ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Names in quotes, with commas between them.
#[must_use]
pub fn idents(names: &[String]) -> String {
    names.iter().map(|name| ident(name)).collect::<Vec<_>>().join(", ")
}

/// A name with its schema before it, which is left out where it is the one that every session looks in.
#[must_use]
pub fn within(schema: &str, name: &str) -> String {
    if schema == super::PUBLIC { ident(name) } else { format!("{}.{}", ident(schema), ident(name)) }
}

/// A text in quotes, whatever `standard_conforming_strings` says.
#[must_use]
pub fn literal(text: &str) -> String {
    let doubled = text.replace('\'', "''");
    if doubled.contains('\\') { format!(" E'{}'", doubled.replace('\\', "\\\\")) } else { format!("'{doubled}'") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_backslashes_cannot_leave_their_text() {
        assert_eq!(ident("a\"b"), "\"a\"\"b\"");
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal("\\'"), " E'\\\\'''");
        assert_eq!(within("public", "t"), "\"t\"");
        assert_eq!(within("a.b", "t"), "\"a.b\".\"t\"");
    }
}
