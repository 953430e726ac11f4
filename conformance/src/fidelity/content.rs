//! Content in words that mean the same on every engine: definitions are only told apart, as each server writes them its way.

use crate::runner::FIRST_ROW;
use recovery::model::content::{Row, Value};
use recovery::model::photograph::{Photograph, PhotographedObject, Rows};
use scenarios::Scenario;
use std::collections::BTreeMap;

/// The texts of definitions that came up, by object, in the order in which they came.
#[derive(Default)]
pub struct Words(BTreeMap<String, Vec<String>>);

impl Words {
    /// A photograph of an instance, each part by what it is called.
    pub fn of(&mut self, scenario: &Scenario, photograph: &Photograph) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for (name, database) in &photograph.databases {
            if database.objects.is_empty() {
                continue;
            }
            found.push((format!("character set of {name}"), charset(&database.charset)));
            for (called, object) in &database.objects {
                found.push((format!("{name}: {called}"), self.object(called, object)));
                if let Some(rows) = &object.rows {
                    found.push((format!("{name}: rows of {called}"), table(scenario, name, object, rows)));
                }
            }
        }
        for (name, account) in &photograph.accounts {
            let grants = serde_json::to_string(&account.grants).unwrap_or_default();
            found.push((format!("account {name}"), format!("password {}, {grants}", account.password_mark)));
        }
        let settings: Vec<String> =
            photograph.settings.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        found.push(("settings".to_owned(), settings.join(", ")));
        found
    }

    /// An object: which of its definitions that came up it has, and how it stands.
    fn object(&mut self, called: &str, object: &PhotographedObject) -> String {
        let known = self.0.entry(called.to_owned()).or_default();
        let place = known.iter().position(|text| *text == object.definition).unwrap_or_else(|| {
            known.push(object.definition.clone());
            known.len() - 1
        });
        let enabled = if object.enabled { "" } else { ", switched off" };
        let definer = object.definer.as_ref().map(|definer| format!(", definer {definer}")).unwrap_or_default();
        format!("definition {}{enabled}{definer}", place + 1)
    }
}

/// Every name of the character set that holds all characters is one.
fn charset(name: &str) -> String {
    let lower = name.to_lowercase();
    if lower.starts_with("utf") { "utf8".to_owned() } else { lower }
}

/// Rows of a table. How many the application wrote depends on how long all takes: its own are left out.
fn table(scenario: &Scenario, database: &str, object: &PhotographedObject, found: &Rows) -> String {
    let Rows::Whole { columns, key, rows: all } = found else { return format!("{} rows", found.count()) };
    let writes = |spec: &&scenarios::ApplicationSpec| {
        spec.database == database && (spec.table == object.name || object.name == "keys")
    };
    let written = scenario.application.as_ref().filter(writes);
    let own = |row: &&Row| match (written, row.first()) {
        (Some(_), Some(Value::Integer(id))) => *id > FIRST_ROW,
        (Some(spec), Some(Value::Text(text))) => text.starts_with(&format!("{}:", spec.table)),
        _ => false,
    };
    let mut kept: Vec<Row> = all.iter().filter(|row| !own(row)).cloned().collect();
    // How long a key of Redis is still there is told to the millisecond, and its value as the server keeps it.
    if object.name == "keys" && columns.len() == 4 {
        kept.iter_mut().for_each(|row| row.truncate(2));
    }
    format!("({}) key ({}) {}", columns.join(", "), key.join(", "), rows(&kept))
}

/// Rows in the order of their words.
pub fn rows(rows: &[Row]) -> String {
    let mut lines: Vec<String> = rows.iter().map(|row| row.iter().map(value).collect::<Vec<_>>().join(", ")).collect();
    lines.sort();
    let many = lines.len() > 20;
    lines.truncate(20);
    let more = if many { format!(" … {} in all", rows.len()) } else { String::new() };
    format!("[{}]{more}", lines.join("; "))
}

/// A value; whether a number is text on the wire is the server's own affair.
fn value(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Text(text) => text.clone(),
        Value::Bytes { hex } => format!("x{hex}"),
    }
}
