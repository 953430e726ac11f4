//! Planted bugs about logical backup and restore.

mod asked;
mod disguised;
mod life;
mod objects;
mod rows;
mod sets;
mod sides;
mod source;

use super::Planted;
use super::tools::gate::{code, is};
use crate::runner::gate::{Beyond, Request};
use http::Method;
use recovery::client::{Answer, ClientError};
use serde_json::{Map, Value};

/// For each check of `checks::restore` at least one.
pub(super) const PLANTED: &[&[Planted]] = &[
    asked::PLANTED,
    sides::PLANTED,
    disguised::PLANTED,
    life::PLANTED,
    sets::PLANTED,
    objects::PLANTED,
    rows::PLANTED,
    source::PLANTED,
];

/// The fields of a body.
type Fields = Map<String, Value>;

/// Whether a request makes or changes a restore task.
fn saves(request: &Request) -> bool {
    is(request, "POST /v1/restore-tasks") || is(request, "PUT /v1/restore-tasks/*")
}

/// The body of a request that makes or changes a restore task.
fn saved(request: &mut Request) -> Option<&mut Fields> {
    if saves(request) { request.body.as_mut().and_then(Value::as_object_mut) } else { None }
}

/// A text of a body.
fn text<'f>(fields: &'f Fields, name: &str) -> &'f str {
    fields.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Each restore task that an answer shows.
fn shown<'a>(request: &Request, answer: &'a mut Answer) -> Vec<&'a mut Fields> {
    if !request.path.starts_with("/v1/restore-tasks") || answer.status >= 400 {
        return Vec::new();
    }
    if answer.body.get("tasks").is_none() {
        return answer.body.as_object_mut().into_iter().collect();
    }
    let tasks = answer.body.get_mut("tasks").and_then(Value::as_array_mut);
    tasks.into_iter().flatten().filter_map(Value::as_object_mut).collect()
}

/// The newest complete full set of a backup task.
async fn newest_full(beyond: &Beyond<'_>, task: &str) -> Option<Value> {
    let sets = beyond.get(&format!("/v1/logical-backup-sets?task={task}&kind=full")).await.ok()?;
    let sets = sets.body.get("sets").and_then(Value::as_array)?.iter().rev();
    sets.filter(|set| set["status"] == "completed").map(|set| set["id"].clone()).next()
}

/// Saves a restore otherwise when the service refuses it with a code; the second answer counts.
async fn or_else(
    mut request: Request,
    beyond: &Beyond<'_>,
    refused: &str,
    change: impl AsyncFnOnce(&mut Fields),
) -> Result<Answer, ClientError> {
    let answer = beyond.send(&request).await?;
    if code(&answer) != refused {
        return Ok(answer);
    }
    request.key = request.key.map(|key| format!("{key}-again"));
    let Some(fields) = saved(&mut request) else { return Ok(answer) };
    change(fields).await;
    beyond.send(&request).await
}

/// A request without a body.
fn bare(method: Method, path: impl Into<String>) -> Request {
    Request { method, path: path.into(), body: None, key: None }
}
