//! A call of the interface as it stands in a history.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// A call of the interface.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// When it was sent.
    pub sent_at: Timestamp,
    /// Method.
    pub method: String,
    /// Path with query.
    pub path: String,
    /// Idempotency key.
    pub key: Option<String>,
    /// Body, with passwords replaced by their marks.
    pub request: Value,
    /// HTTP status; none when no answer came.
    pub status: Option<u16>,
    /// Answer; the same one where the same was answered to the same question before.
    pub answer: Arc<Value>,
    /// Why there is no answer.
    pub error: Option<String>,
}

impl Call {
    /// The code of a refusal.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        if self.refused() { self.answer.get("code").and_then(Value::as_str) } else { None }
    }

    /// Whether it was accepted (status 2xx).
    #[must_use]
    pub fn accepted(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }

    /// Whether it was refused (status 4xx).
    #[must_use]
    pub fn refused(&self) -> bool {
        self.status.is_some_and(|status| (400..500).contains(&status))
    }

    /// The path without its query, in parts: `["v1", "instances", "rm-…"]`.
    #[must_use]
    pub fn parts(&self) -> Vec<&str> {
        segments(self.path_only()).collect()
    }

    /// One part of the path.
    #[must_use]
    pub fn part(&self, index: usize) -> Option<&str> {
        segments(self.path_only()).nth(index)
    }

    /// The last part of the path.
    #[must_use]
    pub fn last_part(&self) -> Option<&str> {
        segments(self.path_only()).next_back()
    }

    fn path_only(&self) -> &str {
        cut(&self.path, b'?').0
    }

    /// Matches a pattern like `POST /v1/instances/{}/clones`; gives what stands in the places of `{}`.
    #[must_use]
    pub fn matches(&self, pattern: &str) -> Option<Vec<&str>> {
        let path = pattern.strip_prefix(self.method.as_str())?.strip_prefix(' ')?;
        let fixed = cut(path, b'{').0;
        if !self.path.starts_with(fixed) {
            return None;
        }
        let mut wanted = segments(path);
        let mut parts = segments(self.path_only());
        let mut found = Vec::new();
        loop {
            match (wanted.next(), parts.next()) {
                (None, None) => return Some(found),
                (Some("{}"), Some(part)) => found.push(part),
                (Some(want), Some(part)) if want == part => {}
                _ => return None,
            }
        }
    }
}

/// What stands before and after the first such byte; a search of its own, as paths are too short for a better one to pay.
fn cut(text: &str, at: u8) -> (&str, &str) {
    match text.bytes().position(|byte| byte == at) {
        Some(place) => (&text[..place], &text[place + 1..]),
        None => (text, ""),
    }
}

fn segments(path: &str) -> impl DoubleEndedIterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty())
}
