//! What stands before the kind of an object in a statement that makes it: `OR REPLACE`, `DEFINER = …`, `IF NOT EXISTS`.

use super::words::{Words, tokens};
use crate::model::Engine;
use crate::model::content::{ObjectKind, Security};
use crate::worker::sql::{self, Kind, Token};

/// Kinds by the words that name them.
const KINDS: [(&str, ObjectKind); 16] = [
    ("TABLE", ObjectKind::Table),
    ("VIEW", ObjectKind::View),
    ("INDEX", ObjectKind::Index),
    ("FUNCTION", ObjectKind::Function),
    ("PROCEDURE", ObjectKind::Procedure),
    ("PROC", ObjectKind::Procedure),
    ("TRIGGER", ObjectKind::Trigger),
    ("EVENT", ObjectKind::Event),
    ("SEQUENCE", ObjectKind::Sequence),
    ("TYPE", ObjectKind::Type),
    ("DOMAIN", ObjectKind::Domain),
    ("AGGREGATE", ObjectKind::Aggregate),
    ("SYNONYM", ObjectKind::Synonym),
    ("RULE", ObjectKind::Rule),
    ("DEFAULT", ObjectKind::Default),
    ("PLAN", ObjectKind::PlanGuide),
];

/// A kind by its word.
#[must_use]
pub fn kind_of(token: &Token) -> Option<ObjectKind> {
    KINDS.iter().find(|(word, _)| token.is_word(word)).map(|(_, kind)| *kind)
}

/// The statement that makes an object, as a target gets it: without definer (LOG-12), without `OR REPLACE` and
/// `IF NOT EXISTS`, which would pass over what is there, and `CREATE` where it said `ALTER`.
#[must_use]
pub fn plain(engine: Engine, definition: &str) -> String {
    let all = tokens(engine, definition);
    let Some(place) = all.iter().position(|token| kind_of(token).is_some()) else {
        return definition.to_owned();
    };
    let mut kept = Vec::with_capacity(all.len());
    let mut at = 0;
    while at < place {
        let mut words = Words::from(&all, at);
        if words.eat_all(&["OR", "REPLACE"]) || words.eat_all(&["OR", "ALTER"]) || eat_definer(&mut words) {
            at = words.at;
            continue;
        }
        let token = if all[at].is_word("ALTER") {
            Token { kind: Kind::Word, text: "CREATE".to_owned() }
        } else {
            all[at].clone()
        };
        kept.push(token);
        at += 1;
    }
    kept.push(all[place].clone());
    let mut words = Words::from(&all, place);
    words.step();
    if words.eat_all(&["IF", "NOT", "EXISTS"]) {
        kept.push(Token { kind: Kind::Space, text: " ".to_owned() });
    } else {
        words.at = place + 1;
    }
    kept.extend_from_slice(&all[words.at..]);
    sql::text(&kept)
}

/// Goes over `DEFINER = account[@host]`.
fn eat_definer(words: &mut Words<'_>) -> bool {
    let mut ahead = *words;
    if !(ahead.eat("DEFINER") && ahead.eat_sign("=")) {
        return false;
    }
    ahead.step();
    if ahead.group().is_none()
        && let Some(host) = ahead.peek().filter(|token| token.kind == Kind::Word && token.text.starts_with('@'))
    {
        ahead.step();
        if host.text == "@" {
            ahead.step();
        }
    }
    *words = ahead;
    true
}

/// Whose rights an object runs with, by the statement that makes it (MySQL).
#[must_use]
pub fn security(engine: Engine, kind: ObjectKind, definition: &str) -> Option<Security> {
    let runs = matches!(kind, ObjectKind::View | ObjectKind::Procedure | ObjectKind::Function);
    if engine != Engine::MySql || !runs {
        return None;
    }
    let all: Vec<Token> = tokens(engine, definition).into_iter().filter(|token| token.kind != Kind::Space).collect();
    let mut three = all.windows(3);
    let says =
        three.any(|three| three[0].is_word("SQL") && three[1].is_word("SECURITY") && three[2].is_word("INVOKER"));
    Some(if says { Security::Invoker } else { Security::Definer })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definer_is_taken_out_of_the_head_alone() {
        let plain = |text: &str| sql::text(&squeezed(&plain(Engine::MySql, text)));
        let squeeze = |text: &str| sql::text(&squeezed(text));
        for (given, wanted) in [
            ("create definer=`a`@`%` view v as select 1", "create view v as select 1"),
            (
                "CREATE DEFINER = 'a'@'h' SQL SECURITY INVOKER VIEW v AS SELECT 1",
                "CREATE SQL SECURITY INVOKER VIEW v AS SELECT 1",
            ),
            ("create or replace definer = a@localhost view v as select 1", "create view v as select 1"),
            (
                "create definer=current_user() event e on schedule every 1 day do select 1",
                "create event e on schedule every 1 day do select 1",
            ),
            ("alter view v as select 'definer = x'", "CREATE view v as select 'definer = x'"),
            ("create procedure if not exists p() select 1", "create procedure p() select 1"),
            (
                "CREATE /*!50017 DEFINER=`root`@`%`*/ TRIGGER t BEFORE INSERT ON o FOR EACH ROW SET @a = 1",
                "CREATE TRIGGER t BEFORE INSERT ON o FOR EACH ROW SET @a = 1",
            ),
        ] {
            assert_eq!(plain(given), squeeze(wanted));
        }
    }

    fn squeezed(text: &str) -> Vec<Token> {
        let mut kept: Vec<Token> = Vec::new();
        for token in sql::tokens(Engine::MySql, text) {
            let is_space = token.kind == Kind::Space;
            if is_space && kept.last().is_some_and(|last| last.kind == Kind::Space) {
                continue;
            }
            kept.push(if is_space { Token { text: " ".to_owned(), ..token } } else { token });
        }
        kept
    }

    #[test]
    fn security_is_read_from_the_statement() {
        let of = |text: &str| security(Engine::MySql, ObjectKind::View, text);
        assert_eq!(of("create sql security invoker view v as select 1"), Some(Security::Invoker));
        assert_eq!(of("create view v as select 'sql security invoker'"), Some(Security::Definer));
        assert_eq!(security(Engine::PostgreSql, ObjectKind::View, "create view v as select 1"), None);
    }
}
