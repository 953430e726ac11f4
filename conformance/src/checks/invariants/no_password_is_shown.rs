//! A password stands in no answer, neither as a field of its own nor in words.
//!
//! Passwords stand in histories as their marks: a field of an answer that bears one was redacted like that of a request,
//! and a word of an answer is known by the mark it has.

use super::InvariantViolation;
use crate::checks::Finding;
use crate::history::lens::Lens;
use recovery::model::Secret;
use recovery::model::photograph::password_mark;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Looks for fields of that name in every answer, and for words that are passwords in refusals and in answers to requests
/// that change something.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    let mut marks: BTreeSet<&str> = lens.logins().map(|login| login.it.password_mark.as_str()).collect();
    lens.calls().for_each(|call| marks_in(&call.it.request, &mut marks));
    // The same answer may stand in many calls.
    let mut fields: BTreeMap<*const Value, Option<String>> = BTreeMap::new();
    let mut innocent = BTreeSet::new();
    for call in lens.calls().filter(|call| call.it.status.is_some()) {
        let words = call.it.method != "GET" || call.it.refused();
        let known = fields.entry(Arc::as_ptr(&call.it.answer)).or_insert_with(|| field(&call.it.answer));
        let shown = known.clone().or_else(|| if words { word(&call.it.answer, &marks, &mut innocent) } else { None });
        let mut told = BTreeSet::new();
        marks_in(&call.it.request, &mut told);
        if shown.is_none() && told.is_empty() {
            continue;
        }
        let request = format!("{} {}", call.it.method, call.it.path);
        finding.judge(&call, shown.map(|place| InvariantViolation::PasswordShown { request, place }));
    }
    finding
}

/// The marks of passwords in a request.
fn marks_in<'a>(value: &'a Value, marks: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                match field.as_str().and_then(|text| text.strip_prefix('#')) {
                    Some(mark) if is_secret(name) => drop(marks.insert(mark)),
                    _ => marks_in(field, marks),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| marks_in(item, marks)),
        _ => {}
    }
}

fn is_secret(name: &str) -> bool {
    name.as_bytes().windows(b"password".len()).any(|part| part == b"password")
}

/// Whether a field is MySQL's parameter that says in which format passwords are kept (prechecks.md 2.1 item 15), with a
/// value it can have.
fn is_format(name: &str, value: &str) -> bool {
    name == "old_passwords" && ["0", "1", "2", "ON", "OFF"].contains(&value)
}

/// The field of an answer that shows a password.
fn field(value: &Value) -> Option<String> {
    match value {
        Value::Object(fields) => fields.iter().find_map(|(name, inner)| match inner {
            Value::String(text) if is_secret(name) && !is_format(name, text) => Some(name.clone()),
            _ => field(inner).map(|place| format!("{name}.{place}")),
        }),
        Value::Array(items) => items.iter().find_map(field),
        _ => None,
    }
}

/// The place of an answer where a word is a password. Words that are none are kept: they come again and again.
fn word<'a>(value: &'a Value, marks: &BTreeSet<&str>, innocent: &mut BTreeSet<&'a str>) -> Option<String> {
    match value {
        Value::Object(fields) => {
            fields.iter().find_map(|(name, inner)| word(inner, marks, innocent).map(|place| format!("{name}{place}")))
        }
        Value::Array(items) => items.iter().find_map(|item| word(item, marks, innocent)),
        Value::String(text) => {
            let between = |letter: char| letter.is_whitespace() || "'\"`,;()".contains(letter);
            let known = |word: &'a str| {
                let new = !word.is_empty() && !innocent.contains(word);
                let known = new && marks.contains(password_mark(&Secret::new(word)).as_str());
                if new && !known {
                    innocent.insert(word);
                }
                known
            };
            text.split(between).any(known).then(String::new)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::invariants::made_up::{Tale, holds, wrong};
    use crate::history::redact::redact;
    use serde_json::json;

    const ACCOUNTS: &str = "POST /v1/instances/rm-1/accounts";

    fn asked() -> Value {
        let mut body = json!({"name": "app", "password": "s3cret"});
        redact(&mut body);
        body
    }

    fn shown(place: &str) -> Vec<InvariantViolation> {
        vec![InvariantViolation::PasswordShown { request: ACCOUNTS.into(), place: place.into() }]
    }

    #[test]
    fn a_field_that_shows_a_password_is_found() {
        let mut tale = Tale::new();
        let mut answer = json!({"account": {"name": "app", "password": "s3cret"}});
        redact(&mut answer);
        tale.story.call(ACCOUNTS, asked(), 200, answer);
        assert_eq!(wrong(&tale.story, check), shown("account.password"));
    }

    #[test]
    fn the_parameter_that_says_how_passwords_are_kept_is_none_unless_it_has_a_value_of_its_own() {
        for (value, found) in [("1", false), ("s3cret", true)] {
            let mut tale = Tale::new();
            tale.story.call(ACCOUNTS, asked(), 200, json!({"parameters": {"old_passwords": value}}));
            let wanted = if found { shown("parameters.old_passwords") } else { vec![] };
            assert_eq!(wrong(&tale.story, check), wanted);
        }
    }

    #[test]
    fn a_sentence_that_tells_a_password_is_found() {
        let mut tale = Tale::new();
        tale.story.call(ACCOUNTS, asked(), 400, json!({"detail": "the password 's3cret' is too short"}));
        assert_eq!(wrong(&tale.story, check), shown("detail"));
    }

    #[test]
    fn an_answer_without_the_password_holds() {
        let mut tale = Tale::new();
        tale.story.call(ACCOUNTS, asked(), 200, json!({"name": "app", "detail": "the password was set"}));
        holds(&tale.story, check, 1);
    }
}
