//! Takes passwords out of what is recorded; an equal password leaves an equal mark.

use recovery::model::Secret;
use recovery::model::photograph::password_mark;
use serde_json::Value;

/// The value with the text of every `password` field replaced by its mark.
#[must_use]
pub fn redacted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .map(|(name, field)| match field {
                    Value::String(text) if name == "password" => {
                        (name.clone(), Value::String(format!("#{}", password_mark(&Secret::new(text.clone())))))
                    }
                    other => (name.clone(), redacted(other)),
                })
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.iter().map(redacted).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_password_leaves_only_its_mark() {
        let secret = json!({"source": {"account": "app", "password": "s3cret"}, "list": [{"password": "s3cret"}]});
        let shown = redacted(&secret);
        assert!(!shown.to_string().contains("s3cret"));
        assert_eq!(shown["source"]["password"], shown["list"][0]["password"]);
        assert_eq!(shown["source"]["account"], "app");
    }
}
