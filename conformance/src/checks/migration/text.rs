//! Statements and definitions as words, so far as checks have to read them.

/// Words and signs of a statement; quoted names lose their quotes, string literals are left out.
#[must_use]
pub fn words(sql: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = sql.chars().peekable();
    while let Some(c) = rest.next() {
        let closing = match c {
            '"' | '`' | '\'' => Some(c),
            '[' => Some(']'),
            _ => None,
        };
        if let Some(closing) = closing {
            let inside: String = rest.by_ref().take_while(|next| *next != closing).collect();
            if c != '\'' {
                found.push(inside);
            }
        } else if is_word(c) {
            let mut word = String::from(c);
            while let Some(next) = rest.next_if(|next| is_word(*next)) {
                word.push(next);
            }
            found.push(word);
        } else if !c.is_whitespace() {
            found.push(c.to_string());
        }
    }
    found
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

/// Whether a statement names something.
#[must_use]
pub fn names(sql: &str, name: &str) -> bool {
    words(sql).iter().any(|word| word.eq_ignore_ascii_case(name))
}

/// Whether the words of a fault speak of something; unlike those of a statement, its name may hold any sign but a blank.
#[must_use]
pub fn tells_of(text: &str, name: &str) -> bool {
    text.split(|sign: char| sign.is_whitespace() || ",:;()".contains(sign)).any(|word| word == name)
}

/// Whether a statement may change what it does not name: whole databases, what routines do, a table by its index, and what a
/// prepared transaction did that it commits.
#[must_use]
pub fn reaches_further(sql: &str) -> bool {
    words(sql).iter().any(|word| {
        ["database", "schema", "call", "exec", "execute", "index", "trigger", "prepared", "xa"]
            .iter()
            .any(|far| word.eq_ignore_ascii_case(far))
    })
}

/// The last part of the dotted name that follows a keyword.
#[must_use]
pub fn name_after(sql: &str, keyword: &str) -> Option<String> {
    let words = words(sql);
    let at = words.iter().position(|word| word.eq_ignore_ascii_case(keyword))?;
    let mut words = words[at + 1..]
        .iter()
        .skip_while(|word| ["if", "exists", "only"].iter().any(|skipped| word.eq_ignore_ascii_case(skipped)));
    let mut name = words.next()?;
    while words.next().is_some_and(|word| word == ".") {
        name = words.next()?;
    }
    Some(name.clone())
}

/// Names that stand, without a database before them, where a statement names a table, view or routine.
#[must_use]
pub fn relations(sql: &str) -> Vec<String> {
    const BEFORE: [&str; 8] = ["from", "join", "into", "update", "references", "table", "call", "exec"];
    let words = words(sql);
    let pairs =
        words.windows(2).enumerate().filter(|(_, pair)| BEFORE.iter().any(|word| pair[0].eq_ignore_ascii_case(word)));
    let plain = pairs.filter(|(at, _)| words.get(at + 2).is_none_or(|next| next != "."));
    plain.map(|(_, pair)| pair[1].clone()).collect()
}

/// A definition without what may differ between two makings of one thing: case, quotes, white space, the database's name
/// before a name, and whose rights it runs with.
#[must_use]
pub fn gist(definition: &str, database: &str) -> String {
    let words: Vec<String> = words_with_literals(definition).iter().map(|word| word.to_lowercase()).collect();
    let mut kept: Vec<&str> = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let rights = words[at] == "sql" && words.get(at + 1).is_some_and(|word| word == "security");
        let qualified = words[at] == database.to_lowercase() && words.get(at + 1).is_some_and(|word| word == ".");
        match (rights, qualified) {
            (true, _) => at += 3,
            (_, true) => at += 2,
            _ => {
                kept.push(&words[at]);
                at += 1;
            }
        }
    }
    kept.join(" ")
}

fn words_with_literals(sql: &str) -> Vec<String> {
    let parts: Vec<&str> = sql.split('\'').collect();
    let mut found = Vec::new();
    for (number, part) in parts.iter().enumerate() {
        if number % 2 == 0 { found.extend(words(part)) } else { found.push(format!("'{part}'")) }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_with_and_without_quotes_and_not_in_literals() {
        assert!(names("alter table `Orders` add x int", "orders"));
        assert!(!names("insert into other values ('orders')", "orders"));
        assert!(!names("drop table orders_old", "orders"));
    }

    #[test]
    fn the_table_of_an_index_trigger_or_foreign_key_is_found() {
        assert_eq!(name_after("create index i on app.orders (id)", "on").as_deref(), Some("orders"));
        assert_eq!(
            name_after("ALTER TABLE \"a\" ADD CONSTRAINT c FOREIGN KEY (x) REFERENCES b (y)", "table").as_deref(),
            Some("a")
        );
        assert_eq!(name_after("create view v as select 1", "on"), None);
    }

    #[test]
    fn relations_are_names_in_their_place_and_not_columns() {
        assert_eq!(relations("create view v as select customer from orders join x.y on 1"), vec!["orders".to_owned()]);
    }

    #[test]
    fn two_makings_of_one_thing_have_one_gist() {
        let (one, other) = (
            "CREATE SQL SECURITY DEFINER VIEW v AS select * from app.`orders`",
            "create SQL SECURITY INVOKER view v as  select * from orders",
        );
        assert_eq!(gist(one, "app"), gist(other, "app_recovered"));
        assert_ne!(gist("create view v as select 'a'", "app"), gist("create view v as select 'b'", "app"));
    }
}
