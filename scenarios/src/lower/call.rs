//! Raw calls to the service.

use super::Lower;
use super::book::Kind;
use crate::call::{CallMethod, CallStep, CallToken, PathPiece};
use crate::error::quoted;
use crate::fields::{At, Fields, Read, Word};
use crate::read::wrong_name;
use std::ops::Range;

impl Lower {
    pub(super) fn call(&mut self, fields: &Fields) -> Option<CallStep> {
        if fields.has("body") {
            self.refuse_keys(fields, &["raw"], "`body`", "a call has one body");
        }
        let body = fields.get("body").and_then(|at| match &at.value {
            Read::Json(json) => {
                self.body_names(&at.span, json);
                Some(json.clone())
            }
            _ => None,
        });
        let raw = fields.text("raw");
        let method = match fields.word("method").map(|method| method.value) {
            Some("POST") => CallMethod::Post,
            Some("PUT") => CallMethod::Put,
            Some("PATCH") => CallMethod::Patch,
            Some("DELETE") => CallMethod::Delete,
            None if body.is_some() || raw.is_some() => CallMethod::Post,
            _ => CallMethod::Get,
        };
        let token = match fields.word("token").map(|token| token.value) {
            Some("wrong") => CallToken::Wrong,
            Some("none") => CallToken::None,
            _ => CallToken::Right,
        };
        Some(CallStep {
            method,
            path: self.path(&fields.word("path")?)?,
            body,
            raw,
            key: fields.text("key"),
            token,
            status: fields.whole("status"),
            code: fields.code("code"),
            contains: fields.text("contains"),
        })
    }

    fn path(&mut self, path: &Word<'_>) -> Option<Vec<PathPiece>> {
        if !path.value.starts_with('/') {
            let message = format!("the path {} does not begin with `/`", quoted(path.value));
            self.problems.add(&path.span, message, "not accepted", "for example `/v1/instances/{shop}`");
            return None;
        }
        let mut pieces = Vec::new();
        let mut rest = path.value;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, behind)) = after.split_once('}') else {
                let message = format!("a brace of {} is not closed", quoted(path.value));
                self.problems.add(&path.span, message, "not accepted", "write `{NAME}`");
                return None;
            };
            self.plain(path, before)?;
            pieces.push(PathPiece::Text(before.to_owned()));
            pieces.push(self.named_piece(&At { span: path.span.clone(), value: name })?);
            rest = behind;
        }
        self.plain(path, rest)?;
        pieces.push(PathPiece::Text(rest.to_owned()));
        pieces.retain(|piece| !matches!(piece, PathPiece::Text(text) if text.is_empty()));
        Some(pieces)
    }

    /// Looks up what the texts `{NAME}` of a body name.
    fn body_names(&mut self, span: &Range<usize>, body: &serde_json::Value) {
        match body {
            serde_json::Value::String(text) => {
                let name = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
                if let Some(name) = name.filter(|name| wrong_name(name).is_none()) {
                    let span = self.problems.place(span, text);
                    self.named_piece(&At { span, value: name });
                }
            }
            serde_json::Value::Array(items) => items.iter().for_each(|item| self.body_names(span, item)),
            serde_json::Value::Object(entries) => entries.values().for_each(|value| self.body_names(span, value)),
            _ => {}
        }
    }

    fn plain(&mut self, path: &Word<'_>, text: &str) -> Option<()> {
        if text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'}' && byte != b'#') {
            return Some(());
        }
        let message = format!("the path {} holds what no path may hold", quoted(path.value));
        let help = "write visible ASCII without `#`, and anything else as `%20`";
        self.problems.add(&path.span, message, "not accepted", help);
        None
    }

    fn named_piece(&mut self, name: &Word<'_>) -> Option<PathPiece> {
        let text = name.value.to_owned();
        match self.book.kind(name.value) {
            Some(Kind::Instance) => Some(PathPiece::Instance(text)),
            Some(Kind::Backup) => Some(PathPiece::Backup(text)),
            Some(Kind::Task | Kind::Source | Kind::LogicalTask | Kind::Set | Kind::Restore) => {
                Some(PathPiece::Task(text))
            }
            Some(Kind::Mark) | None if self.book.is_first_set(name.value) => Some(PathPiece::Task(text)),
            Some(Kind::Mark) | None => {
                let what = "instance, backup, task, data source or set";
                let kinds = [Kind::Instance, Kind::Backup, Kind::Task, Kind::Source, Kind::LogicalTask, Kind::Set];
                self.unknown(name, what, &[&kinds[..], &[Kind::Restore]].concat());
                None
            }
        }
    }
}
