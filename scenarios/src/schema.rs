//! The JSON Schema of a scenario file, for completion in editors, written from the tables of keys.

use crate::keys::{Form, Key, SCENARIO, Shape, Takes};
use serde_json::{Map, Value, json};

/// The JSON Schema of a scenario file.
#[must_use]
pub fn schema() -> Value {
    let schema = schemars::Schema::try_from(table(&SCENARIO, false)).unwrap_or_default();
    let mut schema = schema.to_value();
    if let Some(object) = schema.as_object_mut() {
        object.insert("$schema".into(), schemars::consts::meta_schemas::DRAFT2020_12.into());
        object.insert("title".into(), "Firedrill scenario".into());
        object.insert("$defs".into(), json!({ PARAMETER: { "type": "string", "pattern": "^\\$\\{[^{}]+\\}$" } }));
    }
    schema
}

fn table(shape: &'static Shape, open: bool) -> Value {
    let with = |form: Option<&'static Form>| {
        let keys: Vec<&Key> = form.into_iter().flat_map(|form| form.0).chain(shape.keys).collect();
        let properties: Map<String, Value> = keys.iter().map(|key| (key.name.to_owned(), property(key))).collect();
        let required: Vec<&str> = keys.iter().filter(|key| key.needed).map(|key| key.name).collect();
        json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": open })
    };
    match shape.forms {
        [] => with(None),
        forms => json!({ "oneOf": forms.iter().map(|form| with(Some(form))).collect::<Vec<_>>() }),
    }
}

/// The definition of a text that is one parameter, which stands for a value of any type.
const PARAMETER: &str = "parameter";

fn property(key: &Key) -> Value {
    let mut schema = value(key.takes);
    if let Some(object) = schema.as_object_mut() {
        object.insert("description".into(), key.says.into());
    }
    schema
}

/// What a key takes, or a parameter in its place.
fn value(takes: Takes) -> Value {
    let plain = plain(takes);
    match takes {
        Takes::Flag | Takes::Whole { .. } | Takes::Word(_) | Takes::List { .. } | Takes::Map(_) | Takes::Table(_) => {
            json!({ "anyOf": [plain, { "$ref": format!("#/$defs/{PARAMETER}") }] })
        }
        _ => plain,
    }
}

fn plain(takes: Takes) -> Value {
    match takes {
        Takes::Text | Takes::Password | Takes::Moment => json!({ "type": "string" }),
        Takes::Name => json!({ "type": "string", "minLength": 1, "maxLength": 100 }),
        Takes::Flag => json!({ "type": "boolean" }),
        Takes::Whole { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Takes::Time => json!({ "type": "string", "examples": ["48h", "47h 59m 59s", "250ms"] }),
        Takes::Shift => json!({ "type": "string", "examples": ["-1s", "+0s"] }),
        Takes::Word(words) => {
            let all = words.all();
            let lower = all.iter().map(|word| word.to_lowercase()).filter(|word| !all.contains(word));
            json!({ "type": "string", "enum": all.iter().cloned().chain(lower).collect::<Vec<_>>() })
        }
        Takes::Product => schemars::schema_for!(recovery::model::Product).to_value(),
        Takes::Host => {
            json!({ "type": "string", "examples": ["service", "worker-1", "machine-1", "machine of shop", "application"] })
        }
        Takes::List { of, min, max } => {
            json!({ "type": "array", "items": value(*of), "minItems": min, "maxItems": max })
        }
        Takes::Map(of) => json!({ "type": "object", "additionalProperties": value(*of) }),
        Takes::Table(shape) => table(shape, false),
        Takes::Open(shape) => table(shape, true),
        Takes::Either(kinds) => json!({ "anyOf": kinds.iter().map(|takes| value(*takes)).collect::<Vec<_>>() }),
        Takes::Cell => json!({ "anyOf": [
            { "type": ["string", "number"] },
            { "type": "object", "properties": { "null": { "const": true } }, "required": ["null"], "additionalProperties": false },
            { "type": "object", "properties": { "hex": { "type": "string" } }, "required": ["hex"], "additionalProperties": false },
        ] }),
        Takes::Json => json!(true),
    }
}
