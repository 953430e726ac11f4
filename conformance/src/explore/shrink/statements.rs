//! Statements of a database, some of them or some of their rows taken away.

/// The texts with less in them, those with the least first.
pub(super) fn fewer(text: &str) -> Vec<String> {
    let by_line = !text.contains(';');
    let statements: Vec<&str> = match by_line {
        true => text.lines().collect(),
        false => split(text, ';'),
    };
    let statements: Vec<&str> = statements.into_iter().map(str::trim).filter(|it| !it.is_empty()).collect();
    let end = if by_line { "\n" } else { ";\n" };
    let joined = |statements: &[String]| match statements {
        [one] => one.clone(),
        several => several.iter().map(|it| format!("{it}{end}")).collect(),
    };
    let owned: Vec<String> = statements.iter().map(|it| (*it).to_owned()).collect();
    let mut all: Vec<String> = without_some(&owned).iter().map(|kept| joined(kept)).collect();
    for (index, statement) in statements.iter().enumerate() {
        for fewer in fewer_rows(statement) {
            let mut kept = owned.clone();
            kept[index] = fewer;
            all.push(joined(&kept));
        }
    }
    all
}

/// Lists without half, a quarter, … of the items and without each; never empty.
fn without_some(items: &[String]) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    let mut size = items.len() / 2;
    while size > 0 {
        let mut end = items.len();
        while end > 0 {
            let start = end.saturating_sub(size);
            let kept: Vec<String> = items[..start].iter().chain(&items[end..]).cloned().collect();
            if !kept.is_empty() {
                all.push(kept);
            }
            end = start;
        }
        size /= 2;
    }
    all
}

/// An insert with fewer rows.
fn fewer_rows(statement: &str) -> Vec<String> {
    let lower = statement.to_ascii_lowercase();
    let Some(at) = lower.find("values").filter(|_| lower.starts_with("insert") || lower.starts_with("replace")) else {
        return Vec::new();
    };
    let (head, tail) = statement.split_at(at + "values".len());
    let rows: Vec<String> = split(tail, ',').into_iter().map(|row| row.trim().to_owned()).collect();
    let sound = rows.len() > 1 && rows.iter().all(|row| row.starts_with('(') && row.ends_with(')'));
    if !sound {
        return Vec::new();
    }
    without_some(&rows).iter().map(|kept| format!("{head} {}", kept.join(", "))).collect()
}

/// Splits a text at a sign that stands outside of quotation marks and brackets.
fn split(text: &str, sign: char) -> Vec<&str> {
    let (mut parts, mut from, mut depth, mut open) = (Vec::new(), 0, 0_usize, None);
    for (at, c) in text.char_indices() {
        match open {
            Some(mark) if c == mark => open = None,
            Some(_) => {}
            None if ['\'', '"', '`'].contains(&c) => open = Some(c),
            None if c == '(' => depth += 1,
            None if c == ')' => depth = depth.saturating_sub(1),
            None if c == sign && depth == 0 => {
                parts.push(&text[from..at]);
                from = at + c.len_utf8();
            }
            None => {}
        }
    }
    parts.push(&text[from..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_and_rows_go_one_by_one() {
        let text = "create table t (id int, note text);\ninsert into t values (1, 'a;b'), (2, '(');\n";
        assert_eq!(
            fewer(text),
            [
                "create table t (id int, note text)",
                "insert into t values (1, 'a;b'), (2, '(')",
                "create table t (id int, note text);\ninsert into t values (1, 'a;b');\n",
                "create table t (id int, note text);\ninsert into t values (2, '(');\n",
            ]
        );
    }

    #[test]
    fn commands_go_line_by_line() {
        assert_eq!(
            fewer("set a 1\nset b 2\nset c 3"),
            ["set a 1\nset b 2\n", "set a 1\nset c 3\n", "set b 2\nset c 3\n"]
        );
        assert!(fewer("set a 1").is_empty());
    }

    #[test]
    fn many_go_at_once_first() {
        let eight: String = (0..8).map(|number| format!("insert into t values ({number});")).collect();
        let fewer = fewer(&eight);
        assert_eq!(fewer[0].lines().count(), 4);
        assert_eq!(fewer.len(), 2 + 4 + 8);
    }
}
