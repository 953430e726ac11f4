//! Raw calls to the service.

use crate::call::{CallMethod, CallStep, CallToken, PathPiece};
use crate::tree::{Node, Table};
use recovery::model::RefusalCode;
use serde_json::Value;

pub(super) fn call(step: &CallStep) -> Table {
    let usual = if step.body.is_some() || step.raw.is_some() { CallMethod::Post } else { CallMethod::Get };
    let method = match step.method {
        CallMethod::Get => "GET",
        CallMethod::Post => "POST",
        CallMethod::Put => "PUT",
        CallMethod::Patch => "PATCH",
        CallMethod::Delete => "DELETE",
    };
    let token = match step.token {
        CallToken::Right => None,
        CallToken::Wrong => Some("wrong"),
        CallToken::None => Some("none"),
    };
    Table::default()
        .only(step.method != usual, "method", method)
        .with("path", step.path.iter().map(piece).collect::<String>())
        .maybe("body", step.body.as_ref().map(json))
        .maybe("raw", step.raw.as_ref())
        .maybe("key", step.key.as_ref())
        .maybe("token", token)
        .maybe("status", step.status)
        .maybe("code", step.code.map(RefusalCode::text))
        .maybe("contains", step.contains.as_ref())
}

fn piece(piece: &PathPiece) -> String {
    match piece {
        PathPiece::Text(text) => text.clone(),
        PathPiece::Instance(name) | PathPiece::Backup(name) | PathPiece::Task(name) => format!("{{{name}}}"),
    }
}

fn json(value: &Value) -> Node {
    match value {
        Value::Null => Node::Null,
        Value::Bool(flag) => Node::Flag(*flag),
        Value::Number(number) => match (number.as_i128(), number.as_f64()) {
            (Some(whole), _) => Node::Whole(whole),
            (None, Some(real)) => Node::Real(real),
            (None, None) => Node::Null,
        },
        Value::String(text) => Node::Text(text.clone()),
        Value::Array(items) => Node::List(items.iter().map(json).collect()),
        Value::Object(entries) => entries.iter().map(|(key, value)| (key, json(value))).collect::<Table>().into(),
    }
}
