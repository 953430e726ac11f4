//! Hands of a layer that meddles with migration tasks, and what tells the sides of a migration apart.

use super::gate::{self, body, is};
use super::{At, CloudHooks};
use crate::runner::gate::{Beyond, Request};
use http::Method;
use jiff::SignedDuration;
use recovery::client::{Answer, ClientError};
use recovery::ports::clock::later;
use recovery::ports::cloud::Content;
use serde_json::{Value, json};

/// The two sides of a task, as fields of a request and of an answer.
pub const SIDES: [&str; 2] = ["source", "target"];

/// How often a layer looks whether a precheck has ended, at most.
const LOOKS: usize = 600;

/// Whether a request makes a task.
#[must_use]
pub fn creates(request: &Request) -> bool {
    is(request, "POST /v1/migration-tasks")
}

/// Whether a request chooses types and objects.
#[must_use]
pub fn chooses(request: &Request) -> bool {
    is(request, "PUT /v1/migration-tasks/*/objects")
}

/// Whether a request asks for a step of a task: `confirm`, `start`, `stop` and so on.
#[must_use]
pub fn steps(request: &Request, step: &str) -> bool {
    is(request, "POST /v1/migration-tasks/*/*") && request.path.ends_with(&format!("/{step}"))
}

/// Whether a request looks at one task.
#[must_use]
pub fn looks(request: &Request) -> bool {
    is(request, "GET /v1/migration-tasks/*")
}

/// The path of the task that a request is about.
#[must_use]
pub fn task_path(request: &Request) -> Option<String> {
    let parts = gate::parts(request);
    (parts.get(1) == Some(&"migration-tasks")).then(|| parts.get(2).map(|id| format!("/v1/migration-tasks/{id}")))?
}

/// One more request, of the layer's own.
///
/// # Errors
/// When there is no answer.
pub async fn ask(
    beyond: &Beyond<'_>,
    method: Method,
    path: String,
    body: Option<Value>,
) -> Result<Answer, ClientError> {
    beyond.send(&Request { method, path, body, key: None }).await
}

/// A step of a task, asked for by the layer itself.
///
/// # Errors
/// When there is no answer.
pub async fn step(beyond: &Beyond<'_>, task: &str, step: &str) -> Result<Answer, ClientError> {
    let terms = (step == "purchase").then(|| json!({"terms_accepted": true}));
    ask(beyond, Method::POST, format!("{task}/{step}"), terms).await
}

/// Chooses what a task that is shown has chosen already, but for what is changed.
///
/// # Errors
/// When there is no answer.
pub async fn choose(
    beyond: &Beyond<'_>,
    path: &str,
    task: &Value,
    change: impl FnOnce(&mut Value),
) -> Result<Answer, ClientError> {
    let mut choice = json!({"types": task["types"], "objects": task["objects"], "same_name": task["same_name"]});
    if let Some(items) = task.get("without_advice") {
        choice["without_advice"] = items.clone();
    }
    change(&mut choice);
    ask(beyond, Method::PUT, format!("{path}/objects"), Some(choice)).await
}

/// Prechecks a task and, when it passes, starts it without asking anybody.
///
/// # Errors
/// When there is no answer.
pub async fn drive(beyond: &Beyond<'_>, path: &str) -> Result<Answer, ClientError> {
    step(beyond, path, "precheck").await?;
    for _ in 0..LOOKS {
        let task = beyond.get(path).await?;
        match task.body["status"].as_str() {
            Some("Prechecking") => {
                beyond.clock.sleep_until(later(beyond.now(), SignedDuration::from_millis(50))).await;
            }
            Some("PrecheckPassed") => {
                let confirmed = step(beyond, path, "confirm").await?;
                let to_buy = task.body["purchase_required"] == json!(true);
                return if to_buy { step(beyond, path, "purchase").await } else { Ok(confirmed) };
            }
            _ => return Ok(task),
        }
    }
    beyond.get(path).await
}

/// Makes a task whose precheck failed start all the same: what stands in the target is ignored.
///
/// # Errors
/// When there is no answer.
pub async fn force(beyond: &Beyond<'_>, path: &str, task: &Value) -> Result<Answer, ClientError> {
    choose(beyond, path, task, |choice| choice["same_name"] = json!("ignore")).await?;
    drive(beyond, path).await
}

/// Changes every task that an answer shows.
pub fn each_task(answer: &mut Answer, mut change: impl FnMut(&mut Value)) {
    if answer.status >= 400 {
        return;
    }
    if answer.body.get("pay_type").is_some() {
        change(&mut answer.body);
    } else if let Some(tasks) = answer.body.get_mut("tasks").and_then(Value::as_array_mut) {
        tasks.iter_mut().for_each(change);
    }
}

/// A refusal.
#[must_use]
pub fn refusal(status: u16, code: &str) -> Answer {
    let problem = json!({"type": "about:blank", "code": code, "title": code, "status": status, "detail": "no"});
    gate::answer(status, problem)
}

/// Changes the bodies of both sides of a request that makes a task.
pub fn each_side(request: &mut Request, mut change: impl FnMut(&str, &mut Value)) {
    let Some(body) = &mut request.body else { return };
    for side in SIDES {
        if let Some(given) = body.get_mut(side).filter(|given| given.is_object()) {
            change(side, given);
        }
    }
}

/// Changes the objects that a request chooses.
pub fn each_object(request: &mut Request, change: impl FnMut(&mut Value)) {
    let objects = request.body.as_mut().and_then(|body| body.get_mut("objects")).and_then(Value::as_array_mut);
    objects.into_iter().flatten().for_each(change);
}

/// The instance that a side of a request names, as the service shows it.
///
/// # Errors
/// When there is no answer.
pub async fn instance_of(beyond: &Beyond<'_>, request: &Request, side: &str) -> Result<Value, ClientError> {
    let Some(id) = body(request)[side]["instance_id"].as_str() else { return Ok(Value::Null) };
    Ok(beyond.get(&format!("/v1/instances/{id}")).await?.body)
}

/// Hooks that note which servers hold what was restored: temporary instances and clones, the sources of most tasks.
pub const NOTED: CloudHooks = CloudHooks {
    create: Some(|inner, order, at| {
        Box::pin(async move {
            let made = inner.create(order).await?;
            let restored = matches!(order.content, Content::Restored(_));
            at.memory(|memory| memory.put(format!("restored {}", made.endpoint), restored));
            Ok(made)
        })
    }),
    destroy: None,
    configure: None,
    overwrite: None,
    account: None,
    accounts: None,
    back_up: None,
    discard_backup: None,
};

/// Whether a session is with a server that holds what was restored.
#[must_use]
pub fn is_restored(at: &At) -> bool {
    at.memory(|memory| memory.get(&format!("restored {}", at.endpoint)) == Some(&Value::Bool(true)))
}
