//! Taking apart what `SHOW CREATE TABLE` says: the table with its primary and unique keys, the other indexes, and the
//! foreign keys, each as a statement of its own.

use super::quote;

/// An index or foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// Name.
    pub name: String,
    /// The statement that makes it.
    pub definition: String,
    /// The parent table of a foreign key, where it is in the same database.
    pub parent: Option<String>,
}

/// What a table's text holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Parts {
    /// The statement that makes the table alone.
    pub table: String,
    /// Indexes.
    pub indexes: Vec<Part>,
    /// Foreign keys.
    pub foreign_keys: Vec<Part>,
}

/// Words of indexes that stand apart from their table, and how the statement that makes one begins.
const INDEXES: [(&str, &str); 4] = [
    ("KEY ", "CREATE INDEX"),
    ("FULLTEXT KEY ", "CREATE FULLTEXT INDEX"),
    ("SPATIAL KEY ", "CREATE SPATIAL INDEX"),
    ("VECTOR KEY ", "CREATE VECTOR INDEX"),
];

/// Takes a table's text apart.
pub(super) fn parts(table: &str, text: &str) -> Parts {
    let mut lines = text.split('\n');
    let head = lines.next().unwrap_or_default();
    let (mut entries, mut tail) = (Vec::new(), Vec::new());
    for line in lines {
        if tail.is_empty() && !line.starts_with(')') {
            entries.push(line.strip_suffix(',').unwrap_or(line).trim_start());
        } else {
            tail.push(line);
        }
    }
    let counting = entries.iter().find(|entry| counts(entry)).and_then(|entry| quoted(entry)).map(|(name, _)| name);
    let counted_by = |entry: &str| counting.is_some() && first_column(entry) == counting;
    let mut needs_index = counting.is_some() && !entries.iter().any(|entry| is_unique(entry) && counted_by(entry));
    let mut parts = Parts::default();
    let mut kept = Vec::new();
    for entry in entries {
        if let Some(part) = foreign_key(table, entry) {
            parts.foreign_keys.push(part);
        } else if let Some(part) = index(table, entry) {
            // A column that counts by itself has to have a key from the start.
            if needs_index && counted_by(entry) {
                needs_index = false;
                kept.push(entry);
            } else {
                parts.indexes.push(part);
            }
        } else {
            kept.push(entry);
        }
    }
    parts.table = format!("{head}\n  {}\n{}", kept.join(",\n  "), tail.join("\n"));
    parts
}

/// The name in backticks that a text begins with, and what follows.
pub(super) fn quoted(text: &str) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut letters = text.strip_prefix('`')?.char_indices();
    while let Some((at, letter)) = letters.next() {
        if letter != '`' {
            name.push(letter);
            continue;
        }
        let rest = text.get(at + 2..)?;
        if !rest.starts_with('`') {
            return Some((name, rest));
        }
        name.push('`');
        letters.next();
    }
    None
}

/// A column's text without what stands in quotes says that it counts by itself.
fn counts(entry: &str) -> bool {
    let Some((_, rest)) = quoted(entry) else { return false };
    let outside: String = rest.split('\'').step_by(2).collect();
    outside.contains(" AUTO_INCREMENT")
}

fn is_unique(entry: &str) -> bool {
    entry.starts_with("PRIMARY KEY ") || entry.starts_with("UNIQUE KEY ")
}

/// The first column of a key's entry.
fn first_column(entry: &str) -> Option<String> {
    let key = entry.find("KEY ")?;
    let after = &entry[key + 4..];
    let columns = quoted(after).map_or(after, |(_, rest)| rest).trim_start();
    quoted(columns.strip_prefix('(')?).map(|(name, _)| name)
}

fn index(table: &str, entry: &str) -> Option<Part> {
    let (rest, verb) = INDEXES.iter().find_map(|(word, verb)| Some((entry.strip_prefix(word)?, verb)))?;
    let (name, rest) = quoted(rest)?;
    let definition = format!("{verb} {} ON {}{rest}", quote::name(&name), quote::name(table));
    Some(Part { name, definition, parent: None })
}

fn foreign_key(table: &str, entry: &str) -> Option<Part> {
    let (name, rest) = quoted(entry.strip_prefix("CONSTRAINT ")?)?;
    if !rest.starts_with(" FOREIGN KEY ") {
        return None;
    }
    let definition = format!("ALTER TABLE {} ADD {entry}", quote::name(table));
    let parent = rest.find(" REFERENCES ").and_then(|at| quoted(&rest[at + " REFERENCES ".len()..]));
    let parent = parent.filter(|(_, rest)| !rest.starts_with('.')).map(|(name, _)| name);
    Some(Part { name, definition, parent })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "CREATE TABLE `or``ders` (
  `id` int NOT NULL,
  `n` int NOT NULL AUTO_INCREMENT COMMENT 'a, b',
  `at` datetime DEFAULT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `u` (`at`),
  KEY `n` (`n`),
  KEY `by``at` (`at`,`id`) USING BTREE,
  FULLTEXT KEY `words` (`w`),
  CONSTRAINT `fk` FOREIGN KEY (`id`) REFERENCES `people` (`id`) ON DELETE CASCADE,
  CONSTRAINT `positive` CHECK ((`n` > 0))
) ENGINE=InnoDB
/*!50100 PARTITION BY HASH (`id`) */";

    #[test]
    fn a_table_keeps_its_unique_keys_and_the_one_it_counts_by() {
        let parts = parts("or`ders", TEXT);
        assert!(parts.table.contains("UNIQUE KEY `u` (`at`),\n  KEY `n` (`n`),\n  CONSTRAINT `positive`"));
        assert!(parts.table.ends_with("\n) ENGINE=InnoDB\n/*!50100 PARTITION BY HASH (`id`) */"));
        assert!(!parts.table.contains("FOREIGN") && !parts.table.contains("words"));
    }

    #[test]
    fn other_indexes_and_foreign_keys_are_statements_of_their_own() {
        let parts = parts("or`ders", TEXT);
        let indexes: Vec<_> = parts.indexes.iter().map(|part| part.definition.as_str()).collect();
        assert_eq!(
            indexes,
            [
                "CREATE INDEX `by``at` ON `or``ders` (`at`,`id`) USING BTREE",
                "CREATE FULLTEXT INDEX `words` ON `or``ders` (`w`)"
            ]
        );
        let key = &parts.foreign_keys[0];
        assert_eq!((key.name.as_str(), key.parent.as_deref()), ("fk", Some("people")));
        assert!(key.definition.starts_with("ALTER TABLE `or``ders` ADD CONSTRAINT `fk` FOREIGN KEY (`id`)"));
    }
}
