//! Faults, and raw calls to the service.

use super::Lower;
use super::book::Kind;
use crate::error::quoted;
use crate::fault::{CallMethod, CallStep, CallToken, Fault, FaultStep, PathPiece};
use crate::fields::{At, Fields, Read, Word};
use crate::read::wrong_name;
use crate::scenario::Host;
use std::ops::Range;
use std::time::Duration;

impl Lower {
    pub(super) fn fault(&mut self, fields: &Fields) -> Option<FaultStep> {
        let fault = self.breaks(fields)?;
        if let Fault::Restart { .. } | Fault::Skew { .. } | Fault::Heal = fault {
            self.refuse_keys(fields, &["for"], "a fault that has no end of its own", "leave `for` out");
        }
        let after = self.after(fields);
        Some(FaultStep {
            fault,
            lasts: fields.time("for"),
            after,
            background: fields.flag("background").unwrap_or(false),
        })
    }

    fn breaks(&mut self, fields: &Fields) -> Option<Fault> {
        for (key, pair) in [("partition", 0), ("hold", 1), ("slow", 2)] {
            if !fields.has(key) {
                continue;
            }
            let (a, b) = self.pair(fields, key)?;
            return Some(match pair {
                0 => Fault::Partition { a, b, oneway: fields.flag("oneway").unwrap_or(false) },
                1 => Fault::Hold { a, b },
                _ => Fault::Slow { a, b, latency_ms: fields.whole("latency_ms")? },
            });
        }
        for key in ["crash", "restart", "pause", "skew"] {
            let Some(host) = fields.host(key) else { continue };
            let host = self.faulty(host)?;
            return Some(match key {
                "crash" => Fault::Crash { host, torn: fields.flag("torn").unwrap_or(false) },
                "restart" => Fault::Restart { host },
                "pause" => Fault::Pause { host },
                _ => Fault::Skew { host, ms: fields.whole("ms")? },
            });
        }
        if fields.flag("heal") == Some(false) {
            self.problems.add(
                &fields.place("heal"),
                "`heal` is true or is left out",
                "not accepted",
                "write `heal = true`",
            );
        }
        Some(Fault::Heal)
    }

    fn pair(&mut self, fields: &Fields, key: &str) -> Option<(Host, Host)> {
        let host = |at: &At<Read>| match &at.value {
            Read::Host(host) => Some(At { span: at.span.clone(), value: host.clone() }),
            _ => None,
        };
        let mut hosts = Vec::new();
        for at in fields.list(key).iter().filter_map(host) {
            hosts.push(self.faulty(at)?);
        }
        let [a, b] = <[Host; 2]>::try_from(hosts).ok()?;
        if a == b {
            let message = format!("`{a}` is named twice");
            self.problems.add(&fields.place(key), message, "one host", "name two different hosts");
        }
        Some((a, b))
    }

    fn faulty(&mut self, host: At<Host>) -> Option<Host> {
        if host.value == Host::Application && self.application.is_none() {
            let help = "declare one: `[application]` with `on`, `table` and `every`";
            self.problems.add(&host.span, "there is no application", "no such host", help);
            return None;
        }
        self.host(host)
    }

    fn after(&mut self, fields: &Fields) -> Option<(Duration, Duration)> {
        let time = |at: &At<Read>| match at.value {
            Read::Time(time) => Some(time),
            _ => None,
        };
        let times: Vec<Duration> = fields.list("after").iter().filter_map(time).collect();
        let [first, last] = <[Duration; 2]>::try_from(times).ok()?;
        if first > last {
            let help = "write the shorter delay first";
            self.problems.add(&fields.place("after"), "the first delay is longer than the second", "swapped", help);
        }
        Some((first, last))
    }

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
