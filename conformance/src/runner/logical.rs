//! Logical backup: data sources, backup tasks and their sets, as one asks for them at the interface.

use super::operator::{Operator, StepFailed, Stepped};
use super::restore::{second_of, wanted};
use futures_util::future::LocalBoxFuture;
use http::Method;
use jiff::{SignedDuration, Timestamp};
use recovery::model::logical::backup::{SetKind, SetStatus};
use recovery::model::logical::restore::RestoreStatus;
use recovery::model::logical::views::{
    DataSourceView, LogicalBackupTaskList, LogicalBackupTaskView, LogicalRestorable, LogicalSetList, LogicalSetView,
    RestoreList, RestoreView,
};
use recovery::model::{DataSourceId, InstanceId, RefusalCode, SetId, TaskId};
use recovery::ports::clock::later;
use scenarios::{
    Credentials, DataSourceStep, LogicalBackupStep, LogicalTaskRequest, LogicalTaskStep, RemoveDataSourceStep, SetEnd,
    SourceName,
};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// How long a set may take.
const TAKING: SignedDuration = SignedDuration::from_hours(6);

/// What the names of a scenario stand for in logical backup and restore.
#[derive(Default)]
pub struct Known {
    /// Data sources that a step registered, by name.
    pub sources: RefCell<BTreeMap<String, Source>>,
    /// Data sources that were registered because a step needed one, by instance and account.
    implied: RefCell<BTreeMap<(String, String), Source>>,
    /// Backup tasks by name.
    pub tasks: RefCell<BTreeMap<String, BackupTask>>,
    /// Sets by name.
    pub sets: RefCell<BTreeMap<String, SetId>>,
    /// Restore tasks by name.
    pub restores: RefCell<BTreeMap<String, TaskId>>,
}

/// A data source, and the instance behind it.
#[derive(Debug, Clone)]
pub struct Source {
    /// Id.
    pub id: DataSourceId,
    /// Instance; none for an id that stands for nothing.
    pub instance: Option<InstanceId>,
}

/// A backup task, and what it backs up.
#[derive(Debug, Clone)]
pub struct BackupTask {
    /// Id.
    pub id: TaskId,
    /// Its source.
    pub source: Source,
}

impl Known {
    /// The id that a name stands for, whatever it names; `TASK set` is the first set of a task, which bears its name.
    pub fn id_of(&self, name: &str) -> Option<String> {
        let task = self.tasks.borrow().get(name).map(|task| task.id.to_string());
        task.or_else(|| self.restores.borrow().get(name).map(ToString::to_string))
            .or_else(|| self.sources.borrow().get(name).map(|source| source.id.to_string()))
            .or_else(|| self.sets.borrow().get(name).map(ToString::to_string))
            .or_else(|| self.sets.borrow().get(name.strip_suffix(" set")?).map(ToString::to_string))
    }
}

/// Registers a data source.
pub async fn data_source(operator: &Operator, step: &DataSourceStep) -> Stepped {
    let what = format!("a data source of {}", step.instance);
    let mut body = source_body(operator, &step.service_name, &step.instance, &step.login)?;
    body["connection"] = json!(step.connection);
    let answer = operator.post("/v1/data-sources", &body).await?;
    let Some(answer) = wanted(operator, &what, answer, step.refused)? else { return Ok(()) };
    let made: DataSourceView = answer.read(&what)?;
    if let Some(name) = &step.name {
        let source = Source { id: made.id, instance: Some(made.instance_id) };
        operator.logical.sources.borrow_mut().insert(name.clone(), source);
    }
    Ok(())
}

fn source_body(operator: &Operator, name: &str, instance: &str, login: &Credentials) -> Stepped<Value> {
    let id = operator.instance(instance)?;
    Ok(json!({
        "name": name, "instance_id": id, "account": login.account, "password": login.password.expose(),
    }))
}

/// Removes a data source.
pub async fn remove_data_source(operator: &Operator, step: &RemoveDataSourceStep) -> Stepped {
    let known = operator.logical.sources.borrow().get(&step.of).cloned();
    let known = known.or_else(|| {
        let implied = operator.logical.implied.borrow();
        implied.iter().find(|((instance, _), _)| *instance == step.of).map(|(_, source)| source.clone())
    });
    let source = known.ok_or_else(|| StepFailed::new(format!("data source {}", step.of), "it was never registered"))?;
    let answer = operator.call(Method::DELETE, &format!("/v1/data-sources/{}", source.id), None, None).await?;
    let removed = wanted(operator, &format!("the removal of data source {}", step.of), answer, step.refused)?;
    if removed.is_some() {
        operator.logical.implied.borrow_mut().retain(|_, known| known.id != source.id);
    }
    Ok(())
}

/// The data source a step names, registered for it where it names an instance; none where the registration was refused
/// as the step wants it.
pub async fn source_of(
    operator: &Operator,
    name: &SourceName,
    refused: Option<RefusalCode>,
) -> Stepped<Option<Source>> {
    let (instance, login) = match name {
        SourceName::Registered(name) => {
            let known = operator.logical.sources.borrow().get(name).cloned();
            let missing = || StepFailed::new(format!("data source {name}"), "it was never registered");
            return known.ok_or_else(missing).map(Some);
        }
        SourceName::Unknown(text) => {
            return Ok(Some(Source { id: DataSourceId::from(text.as_str()), instance: None }));
        }
        SourceName::Instance { instance, login } => (instance, login),
    };
    let place = (instance.clone(), login.account.clone());
    if let Some(known) = operator.logical.implied.borrow().get(&place) {
        return Ok(Some(known.clone()));
    }
    let what = format!("a data source of {instance}");
    let answer = operator.post("/v1/data-sources", &source_body(operator, instance, instance, login)?).await?;
    let refused = refused.filter(|_| answer.status >= 400);
    let Some(answer) = wanted(operator, &what, answer, refused)? else { return Ok(None) };
    let made: DataSourceView = answer.read(&what)?;
    let source = Source { id: made.id, instance: Some(made.instance_id) };
    operator.logical.implied.borrow_mut().insert(place, source.clone());
    Ok(Some(source))
}

/// A source's name in words.
pub fn named(source: &SourceName) -> &str {
    match source {
        SourceName::Registered(name) | SourceName::Unknown(name) => name,
        SourceName::Instance { instance, .. } => instance,
    }
}

/// Makes a backup task, and waits for its first set where the step says so.
pub async fn back_up(operator: &Operator, step: &LogicalBackupStep) -> Stepped {
    let what = format!("a logical backup of {}", named(&step.of));
    let Some(source) = source_of(operator, &step.of, step.refused).await? else { return Ok(()) };
    let mut body = json!({
        "name": step.service_name, "source": source.id, "backup_type": step.backup_type, "databases": step.databases,
    });
    if let Some((weekdays, hour)) = &step.schedule {
        body["schedule"] = json!({"weekdays": weekdays, "hour": hour});
    }
    if let Some(days) = step.retention_days {
        body["retention_days"] = json!(days);
    }
    let answer = operator.post("/v1/logical-backup-tasks", &body).await?;
    let Some(answer) = wanted(operator, &what, answer, step.refused)? else { return Ok(()) };
    let task: LogicalBackupTaskView = answer.read(&what)?;
    let set = match task.running {
        Some(set) => set,
        None => newest_set(operator, &task.id, |set| set.kind != SetKind::Log).await?.id,
    };
    let name = step.name.clone().unwrap_or_else(|| task.id.to_string());
    operator.logical.tasks.borrow_mut().insert(name.clone(), BackupTask { id: task.id, source });
    operator.logical.sets.borrow_mut().insert(name, set.clone());
    if step.wait {
        until_ended(operator, &set, step.ends, &what).await?;
    }
    Ok(())
}

/// One request about a backup task.
pub async fn task(operator: &Operator, step: &LogicalTaskStep) -> Stepped {
    let known = task_named(operator, &step.of)?;
    let path = format!("/v1/logical-backup-tasks/{}", known.id);
    match &step.request {
        LogicalTaskRequest::Stop => {
            let answer = operator.call(Method::POST, &format!("{path}/stop"), None, None).await?;
            wanted(operator, &format!("the stop of logical backup {}", step.of), answer, step.refused).map(drop)
        }
        LogicalTaskRequest::Run { name, wait, ends } => {
            let what = format!("another set of {}", step.of);
            let key = operator.key();
            let answer = operator.call(Method::POST, &format!("{path}/runs"), None, Some(&key)).await?;
            let Some(answer) = wanted(operator, &what, answer, step.refused)? else { return Ok(()) };
            let set: LogicalSetView = answer.read(&what)?;
            if let Some(name) = name {
                operator.logical.sets.borrow_mut().insert(name.clone(), set.id.clone());
            }
            if *wait {
                until_ended(operator, &set.id, *ends, &what).await?;
            }
            Ok(())
        }
    }
}

/// A backup task by name.
pub fn task_named(operator: &Operator, name: &str) -> Stepped<BackupTask> {
    let known = operator.logical.tasks.borrow().get(name).cloned();
    known.ok_or_else(|| StepFailed::new(format!("logical backup {name}"), "it was never made"))
}

/// A set by name; `TASK log` is the newest log set of a task.
pub async fn set_named(operator: &Operator, name: &str) -> Stepped<SetId> {
    if let Some(known) = operator.logical.sets.borrow().get(name) {
        return Ok(known.clone());
    }
    let Some(task) = name.strip_suffix(" log") else {
        return Err(StepFailed::new(format!("set {name}"), "it was never taken"));
    };
    let task = task_named(operator, task)?;
    Ok(newest_set(operator, &task.id, |set| set.kind == SetKind::Log).await?.id)
}

/// The newest set of a task that fits.
pub async fn newest_set(
    operator: &Operator,
    task: &TaskId,
    fits: impl Fn(&LogicalSetView) -> bool,
) -> Stepped<LogicalSetView> {
    let sets = sets_of(operator, task).await?;
    let newest = sets.into_iter().rev().find(|set| fits(set));
    newest.ok_or_else(|| StepFailed::new(format!("a set of {task}"), "none that fits is listed"))
}

/// Sets of a task, oldest first.
pub async fn sets_of(operator: &Operator, task: &TaskId) -> Stepped<Vec<LogicalSetView>> {
    let list: LogicalSetList = operator.get(&format!("/v1/logical-backup-sets?task={task}")).await?;
    Ok(list.sets)
}

/// Waits until a set ended, photographs everything then, and says whether it ended as it was to.
async fn until_ended(operator: &Operator, id: &SetId, ends: SetEnd, what: &str) -> Stepped {
    let view = until_set(operator, id, |view| view.status != SetStatus::Running, TAKING, what).await?;
    operator.photograph_all(None).await;
    let wanted = match ends {
        SetEnd::Completed => SetStatus::Completed,
        SetEnd::Failed => SetStatus::Failed,
    };
    if view.status == wanted { Ok(()) } else { Err(StepFailed::new(format!("{what} {wanted:?}"), described(&view))) }
}

/// Waits until something is so about a set.
pub async fn until_set(
    operator: &Operator,
    id: &SetId,
    reached: impl Fn(&LogicalSetView) -> bool,
    at_most: SignedDuration,
    what: &str,
) -> Stepped<LogicalSetView> {
    let give_up = later(operator.now(), at_most);
    let mut pause_ms = 50;
    loop {
        let view: LogicalSetView = operator.get(&format!("/v1/logical-backup-sets/{id}")).await?;
        if reached(&view) {
            return Ok(view);
        }
        if operator.now() >= give_up {
            return Err(StepFailed::new(what, format!("{} after {at_most:#}", described(&view))));
        }
        operator.sleep(SignedDuration::from_millis(pause_ms)).await;
        pause_ms = (pause_ms * 3 / 2).min(60_000);
    }
}

/// A set in one line.
pub fn described(view: &LogicalSetView) -> String {
    let why = view.failure.as_ref().map_or(String::new(), |why| format!(" ({why})"));
    format!("{:?}{why}", view.status)
}

/// What can be restored from a task now.
pub async fn restorable(operator: &Operator, task: &BackupTask) -> Stepped<LogicalRestorable> {
    operator.get(&format!("/v1/logical-backup-tasks/{}/restorable", task.id)).await
}

/// Whether a time lies in a range of what can be restored.
pub fn covers(restorable: &LogicalRestorable, time: Timestamp) -> bool {
    restorable.ranges.iter().any(|range| (range.earliest..=range.latest).contains(&time))
}

/// Waits until a time can be restored from a task.
pub async fn until_covered(
    operator: &Operator,
    task: &BackupTask,
    time: Timestamp,
    at_most: SignedDuration,
) -> Stepped {
    let give_up = later(operator.now(), at_most);
    let mut pause_s = 5;
    while !covers(&restorable(operator, task).await?, time) {
        if operator.now() >= give_up {
            return Err(StepFailed::new(
                format!("{time} restorable from {}", task.id),
                format!("not after {at_most:#}"),
            ));
        }
        operator.sleep(SignedDuration::from_secs(pause_s)).await;
        pause_s = (pause_s * 2).min(300);
    }
    Ok(())
}

/// The second a mark stands for on the server of a task's source.
pub fn second_for(operator: &Operator, mark: &str, task: &BackupTask) -> Stepped<Timestamp> {
    let instance = task.source.instance.as_ref();
    let instance = instance.ok_or_else(|| StepFailed::new(format!("mark '{mark}'"), "the source is no instance"))?;
    second_of(operator, mark, instance)
}

/// What is still under way, in words: a set that is being taken (a log set is open as long as its task goes on), a
/// precheck, a restore.
pub async fn under_way(operator: &Operator) -> Stepped<Option<String>> {
    if operator.recorder.backed_up_logically() {
        let list: LogicalSetList = operator.get("/v1/logical-backup-sets").await?;
        let running = |set: &LogicalSetView| set.kind != SetKind::Log && set.status == SetStatus::Running;
        if let Some(set) = list.sets.into_iter().find(running) {
            return Ok(Some(format!("set {} is being taken", set.id)));
        }
    }
    if operator.recorder.restored() {
        let list: RestoreList = operator.get("/v1/restore-tasks").await?;
        let busy = |view: &RestoreView| matches!(view.status, RestoreStatus::Checking | RestoreStatus::Running);
        if let Some(view) = list.tasks.into_iter().find(busy) {
            return Ok(Some(format!("restore {} is {:?}", view.name, view.status)));
        }
    }
    Ok(None)
}

/// Looks at all backup tasks, sets and restore tasks, where there ever was one: one for each kind.
pub fn looks(operator: &Operator) -> Vec<LocalBoxFuture<'_, Stepped>> {
    let mut looks: Vec<LocalBoxFuture<'_, Stepped>> = Vec::new();
    if operator.recorder.backed_up_logically() {
        looks.push(Box::pin(operator.look_at::<LogicalBackupTaskList>("/v1/logical-backup-tasks")));
        looks.push(Box::pin(operator.look_at::<LogicalSetList>("/v1/logical-backup-sets")));
    }
    if operator.recorder.restored() {
        looks.push(Box::pin(operator.look_at::<RestoreList>("/v1/restore-tasks")));
    }
    looks
}
