//! Raw requests: nonsense, wrong tokens, things that are only read.

use super::Plan;
use scenarios::{Action, CallMethod, CallStep, CallToken, PathPiece};
use serde_json::{Value, json};

/// A request without a name in it.
fn plain(method: CallMethod, path: &str) -> CallStep {
    CallStep {
        method,
        path: vec![PathPiece::Text(path.into())],
        body: None,
        raw: None,
        key: None,
        token: CallToken::Right,
        status: None,
        code: None,
        contains: None,
    }
}

/// A request about an instance.
fn about(method: CallMethod, instance: &str, rest: &str, body: Option<Value>) -> CallStep {
    let mut path = vec![PathPiece::Text("/v1/instances/".into()), PathPiece::Instance(instance.into())];
    if !rest.is_empty() {
        path.push(PathPiece::Text(rest.into()));
    }
    CallStep { path, body, ..plain(method, "") }
}

impl Plan<'_> {
    /// A raw request.
    pub(super) fn call(&mut self) -> Option<()> {
        use CallMethod::{Delete, Get, Patch, Post, Put};
        let names: Vec<String> = self.known.instances.iter().map(|(name, _)| name.clone()).collect();
        let name = self.draw.pick(&names)?.clone();
        let key = Some("nonsense".to_owned());
        let step = match self.draw.count(0..=17) {
            0 => plain(Get, "/v1/nothing"),
            1 => plain(Get, "/v1/instances/rm-nothing"),
            2 => CallStep { raw: Some("{".into()), key, ..plain(Post, "/v1/instances") },
            3 => CallStep { body: Some(json!({"product": "cobol 1"})), key, ..plain(Post, "/v1/instances") },
            4 => plain(Patch, "/v1/instances"),
            5 => CallStep { token: CallToken::Wrong, ..plain(Get, "/v1/instances") },
            6 => CallStep { token: CallToken::None, ..plain(Get, "/v1/migration-tasks") },
            7 => about(Post, &name, "/temporary-instances", Some(json!({}))),
            8 => CallStep { key, ..about(Post, &name, "/temporary-instances", Some(json!({"point_in_time": "soon"}))) },
            9 => {
                CallStep { key, ..about(Post, &name, "/clones", Some(json!({"restore": {}, "terms_accepted": true}))) }
            }
            10 => about(Put, &name, "/configuration", Some(json!({"ssl": "perhaps"}))),
            11 => about(Get, &name, "/restorable", None),
            12 => about(Get, &name, "/backups", None),
            13 => about(Get, &name, "/temporary-instances", None),
            14 => plain(Delete, "/v1/migration-tasks/dts-nothing"),
            15 => CallStep { key, body: Some(json!({"name": ""})), ..plain(Post, "/v1/restore-tasks") },
            16 => plain(Get, "/v1/charges"),
            _ => plain(Get, "/v1/migration-sources?region=region-1"),
        };
        self.push(Action::Call(step));
        Some(())
    }
}
