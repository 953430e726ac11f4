//! Takes passwords out of what is recorded; an equal password leaves an equal mark.

use recovery::model::Secret;
use recovery::model::photograph::password_mark;
use serde_json::Value;

/// Puts marks in the place of passwords.
pub fn redact(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                match field {
                    Value::String(text) if name == "password" => {
                        *text = format!("#{}", password_mark(&Secret::new(text.as_str())));
                    }
                    other => redact(other),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(redact),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_password_leaves_only_its_mark() {
        let mut shown = json!({"source": {"account": "app", "password": "s3cret"}, "list": [{"password": "s3cret"}]});
        redact(&mut shown);
        assert!(!shown.to_string().contains("s3cret"));
        assert_eq!(shown["source"]["password"], shown["list"][0]["password"]);
        assert_eq!(shown["source"]["account"], "app");
    }
}
