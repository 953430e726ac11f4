//! Instances as answers show them, for layers that show them otherwise.

use recovery::client::Answer;
use serde_json::Value;

/// The instances of an answer, one or a list of them.
pub fn instances(answer: &mut Answer) -> Vec<&mut Value> {
    if answer.status >= 400 {
        return vec![];
    }
    if answer.body.get("origin").is_some() {
        return vec![&mut answer.body];
    }
    answer
        .body
        .get_mut("instances")
        .and_then(Value::as_array_mut)
        .map(|list| list.iter_mut().collect())
        .unwrap_or_default()
}

/// Leaves instances out of a list.
pub fn leave_out(answer: &mut Answer, out: fn(&Value) -> bool) {
    if let Some(list) = answer.body.get_mut("instances").and_then(Value::as_array_mut) {
        list.retain(|view| !out(view));
    }
}

/// A text of an instance; empty when it is not there.
#[must_use]
pub fn text<'a>(view: &'a Value, pointer: &str) -> &'a str {
    view.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// Whether an instance is a temporary one.
#[must_use]
pub fn is_temporary(view: &Value) -> bool {
    text(view, "/origin/kind") == "temporary"
}

/// Whether an instance is a clone.
#[must_use]
pub fn is_clone(view: &Value) -> bool {
    text(view, "/origin/kind") == "clone"
}

/// Whether an instance is there for a user.
#[must_use]
pub fn is_there(view: &Value) -> bool {
    !matches!(text(view, "/state"), "Deleting" | "Released" | "Failed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_answer_shows_one_instance_or_a_list() {
        let rescue = json!({"id": "sub1", "state": "Running", "origin": {"kind": "temporary", "master": "rm-1"}});
        let mut one = Answer { status: 200, body: rescue.clone() };
        let mut list = Answer { status: 200, body: json!({"instances": [rescue, {"origin": {"kind": "primary"}}]}) };
        assert_eq!((instances(&mut one).len(), instances(&mut list).len()), (1, 2));
        leave_out(&mut list, is_temporary);
        assert_eq!(instances(&mut list).len(), 1);
        assert_eq!(instances(&mut Answer { status: 404, body: json!({"origin": 1}) }).len(), 0);
    }
}
