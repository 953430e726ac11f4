//! One line that says a step, for traces. Passwords are never in it.

use crate::fields::{At, Entry, Fields, Read};
use recovery::model::content::Value;

/// Characters of the line at most.
const LINE_MAX: usize = 160;
/// Characters of one text in it at most.
const TEXT_MAX: usize = 60;

/// The step as one line.
pub(super) fn of(step: &Fields) -> String {
    let said = step.entries.iter().filter(|entry| !super::steps::CASE_KEYS.contains(&entry.key.value.as_str()));
    let line = said.map(entry).collect::<Vec<_>>().join(", ");
    shortened(&line, LINE_MAX)
}

fn entry(entry: &Entry) -> String {
    let key = entry.key.value.as_str();
    match entry.value.word() {
        Some(raw) if key == "raw" && raw.value.to_lowercase().contains("password") => "raw = ***".into(),
        _ => format!("{key} = {}", value(&entry.value)),
    }
}

fn value(at: &At<Read>) -> String {
    match &at.value {
        Read::Text(text) => quoted(text),
        Read::Secret(secret) => secret.to_string(),
        Read::Flag(flag) => flag.to_string(),
        Read::Whole(whole) => whole.to_string(),
        Read::Time(time) => match jiff::SignedDuration::try_from(*time) {
            Ok(time) => format!("{time:#}"),
            Err(_) => format!("{}s", time.as_secs()),
        },
        Read::Shift(shift) => format!("{shift:#}"),
        Read::Product(product) => product.to_string(),
        Read::Host(host) => host.to_string(),
        Read::Cell(cell) => match cell {
            Value::Null => "null".into(),
            Value::Integer(whole) => whole.to_string(),
            Value::Real(real) => real.to_string(),
            Value::Text(text) => quoted(text),
            Value::Bytes { hex } => format!("0x{}", shortened(hex, TEXT_MAX)),
        },
        Read::Json(json) => shortened(&without_passwords(json.clone()).to_string(), TEXT_MAX),
        Read::List(items) => format!("[{}]", items.iter().map(value).collect::<Vec<_>>().join(", ")),
        Read::Map(entries) => format!("{{ {} }}", entries.iter().map(entry).collect::<Vec<_>>().join(", ")),
        Read::Table(fields) => format!("{{ {} }}", fields.entries.iter().map(entry).collect::<Vec<_>>().join(", ")),
    }
}

fn without_passwords(mut json: serde_json::Value) -> serde_json::Value {
    match &mut json {
        serde_json::Value::Object(entries) => {
            for (key, value) in entries.iter_mut() {
                *value = match key.to_lowercase().contains("password") {
                    true => "***".into(),
                    false => without_passwords(value.take()),
                };
            }
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(|item| *item = without_passwords(item.take())),
        _ => {}
    }
    json
}

fn quoted(text: &str) -> String {
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    format!("\"{}\"", shortened(&one_line, TEXT_MAX))
}

fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}
