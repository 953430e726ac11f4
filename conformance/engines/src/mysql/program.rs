//! The heads of views, triggers, routines and events: definer and rights are taken out where they are described, and put
//! in where they are made.

use super::table_text::quoted;
use recovery::model::content::{ObjectKind, Security};

/// A statement without definer and rights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Program {
    /// The statement.
    pub text: String,
    /// Account of the definer, without host.
    pub definer: Option<String>,
    /// Whose rights it runs with, where the head says so.
    pub security: Option<Security>,
}

const RIGHTS: [(&str, Security); 2] =
    [("SQL SECURITY DEFINER", Security::Definer), ("SQL SECURITY INVOKER", Security::Invoker)];

/// Takes definer and rights out of a statement the server showed.
pub(super) fn without_definer(kind: ObjectKind, shown: &str) -> Program {
    let Some(mut rest) = shown.strip_prefix("CREATE ") else {
        return Program { text: shown.to_owned(), definer: None, security: None };
    };
    let (mut definer, mut security, mut head) = (None, None, String::from("CREATE "));
    loop {
        if let Some(after) = rest.strip_prefix("ALGORITHM=UNDEFINED ") {
            rest = after;
        } else if let Some(after) = rest.strip_prefix("ALGORITHM=") {
            let (word, after) = after.split_once(' ').unwrap_or((after, ""));
            head.push_str(&format!("ALGORITHM={word} "));
            rest = after;
        } else if let Some((account, after)) = rest.strip_prefix("DEFINER=").and_then(quoted) {
            definer = Some(account);
            rest = after.strip_prefix('@').and_then(quoted).map_or(after, |(_, after)| after).trim_start();
        } else if let Some((word, own)) = RIGHTS.iter().find(|(word, _)| rest.starts_with(word)) {
            security = Some(*own);
            rest = rest[word.len()..].trim_start();
        } else {
            break;
        }
    }
    let mut text = format!("{head}{rest}");
    if matches!(kind, ObjectKind::Procedure | ObjectKind::Function)
        && let Some(end) = head_end(kind, &text)
    {
        // Each characteristic of a routine has a line of its own between head and body.
        for (word, own) in RIGHTS {
            let line = format!("\n    {word}");
            let characteristics: usize = text[end..]
                .split_inclusive('\n')
                .skip(1)
                .take_while(|line| line.starts_with("    "))
                .map(str::len)
                .sum();
            if let Some(at) = text[end..].find(&line).filter(|at| *at <= characteristics) {
                text.replace_range(end + at..end + at + line.len(), "");
                security = Some(own);
            }
        }
    }
    Program { text, definer, security }
}

/// Puts rights into a statement that says none.
pub(super) fn with_security(kind: ObjectKind, text: &str, security: Option<Security>) -> String {
    let Some(security) = security else { return text.to_owned() };
    let word = RIGHTS.iter().find(|(_, own)| *own == security).map_or("", |(word, _)| word);
    match kind {
        ObjectKind::View => match view_word(text) {
            Some(at) if !text[..at].contains("SQL SECURITY") => format!("{}{word} {}", &text[..at], &text[at..]),
            _ => text.to_owned(),
        },
        ObjectKind::Procedure | ObjectKind::Function => match head_end(kind, text) {
            Some(end) => format!("{}\n    {word}{}", &text[..end], &text[end..]),
            None => text.to_owned(),
        },
        _ => text.to_owned(),
    }
}

/// Where the word `VIEW` of the head is.
fn view_word(text: &str) -> Option<usize> {
    let upper: String = text.chars().take(200).map(|letter| letter.to_ascii_uppercase()).collect();
    upper.find("VIEW ")
}

/// Where the head of a routine ends: after the parameters of a procedure, after the type of a function's result.
fn head_end(kind: ObjectKind, text: &str) -> Option<usize> {
    let (mut depth, mut quote, mut escaped) = (0_i32, None, false);
    let mut after_parameters = false;
    for (at, letter) in text.char_indices() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(open) if letter == '\\' && open != '`' => escaped = true,
            Some(open) if letter == open => quote = None,
            Some(_) => {}
            None => match letter {
                '`' | '\'' | '"' => quote = Some(letter),
                '(' => depth += 1,
                ')' => {
                    depth -= 1;
                    if depth == 0 && !after_parameters {
                        after_parameters = true;
                        if kind == ObjectKind::Procedure {
                            return Some(at + 1);
                        }
                    }
                }
                // The server writes a line's end after the type of the result.
                '\n' if depth == 0 && after_parameters => return Some(at),
                _ => {}
            },
        }
    }
    None
}

/// How a definition begins whose statement is to be read with another `sql_mode` than the server's own.
const MODES: &str = "/* sql_mode = '";

/// A definition that says with which modes it is to be read.
pub(super) fn with_modes(text: &str, modes: &str, usual: &str) -> String {
    if modes == usual { text.to_owned() } else { format!("{MODES}{modes}' */ {text}") }
}

/// The modes of a definition, if it says any, and its statement.
pub(super) fn modes(definition: &str) -> (Option<&str>, &str) {
    let said = definition.strip_prefix(MODES).and_then(|rest| rest.split_once("' */ "));
    match said {
        Some((modes, text)) if modes.bytes().all(|byte| byte.is_ascii_uppercase() || matches!(byte, b'_' | b',')) => {
            (Some(modes), text)
        }
        _ => (None, definition),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_loses_and_gets_its_rights() {
        let shown = "CREATE ALGORITHM=UNDEFINED DEFINER=`a``b`@`%` SQL SECURITY DEFINER VIEW `v` AS select 1 AS `1`";
        let program = without_definer(ObjectKind::View, shown);
        assert_eq!(program.text, "CREATE VIEW `v` AS select 1 AS `1`");
        assert_eq!((program.definer.as_deref(), program.security), (Some("a`b"), Some(Security::Definer)));
        let made = with_security(ObjectKind::View, &program.text, Some(Security::Invoker));
        assert_eq!(made, "CREATE SQL SECURITY INVOKER VIEW `v` AS select 1 AS `1`");
    }

    #[test]
    fn a_function_loses_and_gets_its_rights() {
        let shown = "CREATE DEFINER=`app`@`%` FUNCTION `f`(a varchar(9)) RETURNS int(11)\n    DETERMINISTIC\n    SQL SECURITY INVOKER\nreturn 1";
        let program = without_definer(ObjectKind::Function, shown);
        assert_eq!(program.text, "CREATE FUNCTION `f`(a varchar(9)) RETURNS int(11)\n    DETERMINISTIC\nreturn 1");
        let made = with_security(ObjectKind::Function, &program.text, Some(Security::Invoker));
        let again = without_definer(ObjectKind::Function, &made);
        assert_eq!((again.text, again.security), (program.text, Some(Security::Invoker)));
    }

    #[test]
    fn what_a_body_says_of_rights_is_left_alone() {
        let shown = "CREATE PROCEDURE `p`()\nselect '\n    SQL SECURITY INVOKER'";
        assert_eq!(without_definer(ObjectKind::Procedure, shown).text, shown);
    }

    #[test]
    fn modes_go_along_where_they_are_not_the_usual() {
        let text = with_modes("CREATE PROCEDURE `p`() select 1", "ANSI_QUOTES", "STRICT_ALL_TABLES");
        assert_eq!(modes(&text), (Some("ANSI_QUOTES"), "CREATE PROCEDURE `p`() select 1"));
        assert_eq!(modes("select 1"), (None, "select 1"));
    }
}
