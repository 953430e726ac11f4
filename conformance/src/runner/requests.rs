//! Single requests: about a task, an account, settings, a release, or as they stand in the scenario.

use super::migrate::side_body;
use super::operator::{Answer, Operator, StepFailed, Stepped};
use super::restore::wanted;
use super::setup::account_body;
use http::Method;
use recovery::model::TaskId;
use recovery::model::task::SameNameMode;
use recovery::model::views::{InstanceView, TaskView};
use scenarios::{
    AccountStep, AccountStepChange, CallMethod, CallStep, CallToken, ConfigureStep, PathPiece, ReleaseStep,
    TaskRequest, TaskStep,
};
use serde_json::{Map, Value, json};

/// One request about a task.
pub async fn task(operator: &Operator, step: &TaskStep) -> Stepped {
    let id = operator.task(&step.of)?;
    let answer = ask(operator, &id, &step.request).await?;
    wanted(operator, &format!("{} of task {}", verb(&step.request), step.of), answer, step.refused).map(drop)
}

fn verb(request: &TaskRequest) -> &'static str {
    match request {
        TaskRequest::Authorise => "authorise",
        TaskRequest::Select { .. } => "objects",
        TaskRequest::Shield { .. } => "shields",
        TaskRequest::Precheck => "precheck",
        TaskRequest::Confirm => "confirm",
        TaskRequest::Purchase { .. } => "purchase",
        TaskRequest::Start => "start",
        TaskRequest::Pause => "pause",
        TaskRequest::Resume => "resume",
        TaskRequest::Stop => "stop",
        TaskRequest::Delete => "delete",
        TaskRequest::Edit { .. } => "edit",
    }
}

/// Sends a request about a task.
pub async fn ask(operator: &Operator, id: &TaskId, request: &TaskRequest) -> Stepped<Answer> {
    let path = format!("/v1/migration-tasks/{id}");
    match request {
        TaskRequest::Select { types, objects, same_name, without_advice } => {
            let mut body = objects_body(types, objects, *same_name);
            if !without_advice.is_empty() {
                body["without_advice"] = json!(without_advice);
            }
            operator.call(Method::PUT, &format!("{path}/objects"), Some(&body), None).await
        }
        TaskRequest::Edit { task_name, source, target } => {
            let kept: TaskView = operator.get(&path).await?;
            let name = task_name.clone().unwrap_or(kept.name);
            let (source, target) = (side_body(operator, source).await?, side_body(operator, target).await?);
            let body = json!({"name": name, "source": source, "target": target});
            operator.call(Method::PUT, &path, Some(&body), None).await
        }
        TaskRequest::Shield { items, shielded } => {
            let body = json!({"items": items, "shielded": shielded});
            operator.call(Method::PUT, &format!("{path}/shields"), Some(&body), None).await
        }
        TaskRequest::Delete => operator.call(Method::DELETE, &path, None, None).await,
        TaskRequest::Purchase { terms } => {
            operator
                .call(Method::POST, &format!("{path}/purchase"), Some(&json!({"terms_accepted": terms})), None)
                .await
        }
        simple => operator.call(Method::POST, &format!("{path}/{}", verb(simple)), None, None).await,
    }
}

/// The body that chooses types and objects.
pub fn objects_body(types: impl serde::Serialize, objects: impl serde::Serialize, same_name: SameNameMode) -> Value {
    json!({"types": types, "objects": objects, "same_name": same_name})
}

/// Releases an instance.
pub async fn release(operator: &Operator, step: &ReleaseStep) -> Stepped {
    let id = operator.instance(&step.instance)?;
    let answer = operator.call(Method::DELETE, &format!("/v1/instances/{id}"), None, None).await?;
    wanted(operator, &format!("the release of {}", step.instance), answer, step.refused).map(drop)
}

/// Makes, changes or drops an account.
pub async fn account(operator: &Operator, step: &AccountStep) -> Stepped {
    let id = operator.instance(&step.on)?;
    let path = format!("/v1/instances/{id}/accounts");
    let answer = match &step.change {
        AccountStepChange::Create(spec) => operator.post(&path, &account_body(spec)).await?,
        AccountStepChange::Change { name, password, grants } => {
            let mut body = Map::new();
            if let Some(password) = password {
                body.insert("password".into(), json!(password.expose()));
            }
            if let Some(grants) = grants {
                body.insert("grants".into(), json!(grants));
            }
            operator.call(Method::PUT, &format!("{path}/{name}"), Some(&Value::Object(body)), None).await?
        }
        AccountStepChange::Drop { name } => {
            operator.call(Method::DELETE, &format!("{path}/{name}"), None, None).await?
        }
    };
    wanted(operator, &format!("the account change on {}", step.on), answer, step.refused).map(drop)
}

/// Changes settings.
pub async fn configure(operator: &Operator, step: &ConfigureStep) -> Stepped {
    let id = operator.instance(&step.on)?;
    let now: Option<InstanceView> = operator.see(&id).await?;
    let now = now.ok_or_else(|| StepFailed::new(format!("{} to configure", step.on), "it is gone"))?.configuration;
    let mut body = Map::new();
    if step.whitelist.is_some() || !step.add_whitelist.is_empty() || !step.remove_whitelist.is_empty() {
        let mut whitelist = step.whitelist.clone().unwrap_or(now.whitelist);
        whitelist.extend(step.add_whitelist.iter().cloned());
        whitelist.retain(|address| !step.remove_whitelist.contains(address));
        body.insert("whitelist".into(), json!(whitelist));
    }
    if let Some(ssl) = step.ssl {
        body.insert("ssl".into(), json!(ssl));
    }
    if !step.parameters.is_empty() {
        body.insert("parameters".into(), json!(step.parameters));
    }
    if let Some(policy) = &step.backup_policy {
        body.insert("backup_policy".into(), json!(policy.made_to(now.backup_policy)));
    }
    if let Some(thresholds) = &step.alarm_thresholds {
        body.insert("alarm_thresholds".into(), json!(thresholds));
    }
    let path = format!("/v1/instances/{id}/configuration");
    let answer = operator.call(Method::PUT, &path, Some(&Value::Object(body)), None).await?;
    wanted(operator, &format!("the settings of {}", step.on), answer, step.refused).map(drop)
}

/// A body with `{NAME}` replaced by the id of what bears that name.
fn with_ids(operator: &Operator, body: &Value) -> Value {
    match body {
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(key, field)| (key.clone(), with_ids(operator, field))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(|item| with_ids(operator, item)).collect()),
        Value::String(text) => {
            let name = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
            let id = name.and_then(|name| {
                let instance = operator.instance(name).map(|id| id.to_string());
                let backup = || operator.backups.borrow().get(name).map(ToString::to_string);
                instance.or_else(|_| operator.any_task(name)).ok().or_else(backup)
            });
            Value::String(id.unwrap_or_else(|| text.clone()))
        }
        other => other.clone(),
    }
}

/// A request as it stands in the scenario.
pub async fn call(operator: &Operator, step: &CallStep) -> Stepped {
    let mut path = String::new();
    for piece in &step.path {
        match piece {
            PathPiece::Text(text) => path.push_str(text),
            PathPiece::Instance(name) => path.push_str(operator.instance(name)?.as_str()),
            PathPiece::Task(name) => path.push_str(&operator.any_task(name)?),
            PathPiece::Backup(name) => {
                let id = operator.backups.borrow().get(name).cloned();
                path.push_str(
                    id.ok_or_else(|| StepFailed::new(format!("backup {name}"), "it was never taken"))?.as_str(),
                );
            }
        }
    }
    let method = match step.method {
        CallMethod::Get => Method::GET,
        CallMethod::Post => Method::POST,
        CallMethod::Put => Method::PUT,
        CallMethod::Patch => Method::PATCH,
        CallMethod::Delete => Method::DELETE,
    };
    let key = step.key.as_deref().map(|name| operator.key_named(Some(name)));
    let body = match &step.raw {
        Some(raw) => Some(Value::String(raw.clone())),
        None => step.body.as_ref().map(|body| with_ids(operator, body)),
    };
    let none = || StepFailed::new(format!("an answer to {method} {path}"), "none");
    let answer = match step.token {
        CallToken::Right => operator.call(method.clone(), &path, body.as_ref(), key.as_deref()).await?,
        CallToken::Wrong => {
            operator.call_as("not-the-token", method.clone(), &path, body.as_ref()).await.ok_or_else(none)?
        }
        CallToken::None => operator.call_as("", method.clone(), &path, body.as_ref()).await.ok_or_else(none)?,
    };
    let got = format!("{} {}", answer.status, answer.body);
    let want = format!("{method} {path} answered as the step says");
    let status = step.status.is_none_or(|status| status == answer.status);
    let code = step.code.is_none_or(|code| answer.code() == Some(code.text()));
    let contains = step.contains.as_ref().is_none_or(|text| answer.body.to_string().contains(text.as_str()));
    operator.recorder.expectation(operator.now(), status && code && contains, want, got);
    Ok(())
}
