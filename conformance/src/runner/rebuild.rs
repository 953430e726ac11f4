//! Restore tasks: configure and save, wait for the precheck, start, and watch until it is over.

use super::logical::{
    self, BackupTask, covers, newest_set, second_for, set_named, source_of, task_named, until_covered,
};
use super::migrate::failed_items;
use super::operator::{Answer, Operator, StepFailed, Stepped};
use super::restore::wanted;
use super::watch::watch;
use http::Method;
use jiff::{SignedDuration, Timestamp};
use recovery::model::TaskId;
use recovery::model::logical::backup::{SetKind, SetStatus};
use recovery::model::logical::restore::{RestoreMethod, RestorePhase, RestoreStatus};
use recovery::model::logical::views::{LogicalSetView, NewRestore, RestoreView};
use recovery::ports::clock::later;
use scenarios::{RestoreEnd, RestorePoint, RestoreRequest, RestoreStep, RestoreTaskStep, RestoreUntil};
use serde_json::json;

/// Walks a restore task through the flow, as far as the step says.
pub async fn restore(operator: &Operator, step: &RestoreStep) -> Stepped {
    let what = format!("the restore of {} into {}", step.task, logical::named(&step.into));
    let flow = Flow { operator, step, what };
    let ended = flow.walk().await?;
    if step.refused.is_some() && !ended {
        return Err(StepFailed::new(format!("{} refused", flow.what), "every request was accepted"));
    }
    Ok(())
}

struct Flow<'a> {
    operator: &'a Operator,
    step: &'a RestoreStep,
    what: String,
}

impl Flow<'_> {
    /// Takes every request in order; true when one was refused as wanted and the flow ended there.
    async fn walk(&self) -> Stepped<bool> {
        let Some(id) = self.save().await? else { return Ok(true) };
        if self.step.until < RestoreUntil::Checked {
            return Ok(false);
        }
        let checked = self.until(&id, "its precheck ended", |view| view.status != RestoreStatus::Checking).await?;
        if self.step.ends == RestoreEnd::CheckFailed {
            return self.expect(&checked, RestoreStatus::CheckFailed).map(|()| false);
        }
        self.expect(&checked, RestoreStatus::CheckPassed)?;
        if self.step.until < RestoreUntil::Started {
            return Ok(false);
        }
        self.operator.photograph_all(None).await;
        let answer = ask(self.operator, &id, RestoreRequest::Start).await?;
        if self.wanted(answer)?.is_none() {
            return Ok(true);
        }
        if self.step.until < RestoreUntil::Finished {
            return Ok(false);
        }
        let ended = self.until(&id, "it was over", |view| is_over(view.status)).await?;
        let status = match self.step.ends {
            RestoreEnd::Completed | RestoreEnd::CheckFailed => RestoreStatus::Completed,
            RestoreEnd::Failed => RestoreStatus::Failed,
            RestoreEnd::Stopped => RestoreStatus::Stopped,
        };
        self.expect(&ended, status).map(|()| false)
    }

    /// Save and Precheck.
    async fn save(&self) -> Stepped<Option<TaskId>> {
        let (operator, step) = (self.operator, self.step);
        let task = task_named(operator, &step.task)?;
        let source = match &step.of {
            None => Some(task.source.clone()),
            Some(other) => source_of(operator, other, step.refused).await?,
        };
        let Some(source) = source else { return Ok(None) };
        let Some(target) = source_of(operator, &step.into, step.refused).await? else { return Ok(None) };
        let body = NewRestore {
            name: step.service_name.clone(),
            source: source.id,
            backup_task: task.id.clone(),
            recovery: self.method(&task).await?,
            target: target.id,
            types: step.types.clone(),
            objects: step.objects.clone(),
            mapping: step.mapping.clone(),
            structure_conflict: step.structure_conflict,
            data_conflict: step.data_conflict,
        };
        let answer = operator.post("/v1/restore-tasks", &json!(body)).await?;
        let Some(answer) = self.wanted(answer)? else { return Ok(None) };
        let saved: RestoreView = answer.read(&self.what)?;
        let name = step.name.clone().unwrap_or_else(|| saved.id.to_string());
        operator.logical.restores.borrow_mut().insert(name, saved.id.clone());
        Ok(Some(saved.id))
    }

    /// The moment the step asks for, after a look at what the interface offers.
    async fn method(&self, task: &BackupTask) -> Stepped<RestoreMethod> {
        let (operator, step) = (self.operator, self.step);
        let time = match &step.point {
            RestorePoint::Backup(name) => {
                return Ok(RestoreMethod::BackupSet { backup_set_id: set_named(operator, name).await? });
            }
            RestorePoint::LatestBackup => {
                let newest = newest_set(operator, &task.id, is_whole).await?;
                return Ok(RestoreMethod::BackupSet { backup_set_id: newest.id });
            }
            RestorePoint::Mark { mark, offset } => later(second_for(operator, mark, task)?, *offset),
            RestorePoint::Time(time) => *time,
            RestorePoint::Earliest(offset) => later(self.edge(task).await?.0, *offset),
            RestorePoint::Latest(offset) => later(self.edge(task).await?.1, *offset),
            RestorePoint::Now(offset) => {
                let moved = later(operator.now(), *offset);
                Timestamp::from_second(moved.as_second()).unwrap_or(moved)
            }
        };
        let offered = logical::restorable(operator, task).await?;
        if step.covered && !covers(&offered, time) {
            until_covered(operator, task, time, self.at_most()).await?;
        }
        Ok(RestoreMethod::PointInTime { point_in_time: time })
    }

    async fn edge(&self, task: &BackupTask) -> Stepped<(Timestamp, Timestamp)> {
        let offered = logical::restorable(self.operator, task).await?;
        match (offered.ranges.first(), offered.ranges.last()) {
            (Some(first), Some(last)) => Ok((first.earliest, last.latest)),
            _ => Err(StepFailed::new(format!("a restorable range of {}", self.step.task), "there is none")),
        }
    }

    /// A flow's refusal may come at any of its requests; those before it are accepted.
    fn wanted(&self, answer: Answer) -> Stepped<Option<Answer>> {
        let refused = self.step.refused.filter(|_| answer.status >= 400);
        wanted(self.operator, &self.what, answer, refused)
    }

    fn at_most(&self) -> SignedDuration {
        SignedDuration::try_from(self.step.at_most).unwrap_or(SignedDuration::MAX)
    }

    async fn until(&self, id: &TaskId, want: &str, reached: impl Fn(&RestoreView) -> bool) -> Stepped<RestoreView> {
        let give_up = later(self.operator.now(), self.at_most());
        watch(self.operator, id, give_up, &format!("{}: {want}", self.what), reached).await
    }

    fn expect(&self, view: &RestoreView, status: RestoreStatus) -> Stepped {
        if view.status == status {
            return Ok(());
        }
        Err(StepFailed::new(format!("{} {status:?}", self.what), describe(view)))
    }
}

fn is_whole(set: &LogicalSetView) -> bool {
    set.kind == SetKind::Full && set.status == SetStatus::Completed
}

/// Whether a restore will not go on by itself.
fn is_over(status: RestoreStatus) -> bool {
    matches!(status, RestoreStatus::Completed | RestoreStatus::Failed | RestoreStatus::Stopped)
}

/// One request about a restore task.
pub async fn task(operator: &Operator, step: &RestoreTaskStep) -> Stepped {
    let id = restore_named(operator, &step.of)?;
    if step.request == RestoreRequest::Start {
        operator.photograph_all(None).await;
    }
    let answer = ask(operator, &id, step.request).await?;
    wanted(operator, &format!("{} of restore {}", verb(step.request), step.of), answer, step.refused).map(drop)
}

fn verb(request: RestoreRequest) -> &'static str {
    match request {
        RestoreRequest::Precheck => "precheck",
        RestoreRequest::Start => "start",
        RestoreRequest::Delete => "delete",
    }
}

async fn ask(operator: &Operator, id: &TaskId, request: RestoreRequest) -> Stepped<Answer> {
    let path = format!("/v1/restore-tasks/{id}");
    match request {
        RestoreRequest::Delete => operator.call(Method::DELETE, &path, None, None).await,
        RestoreRequest::Precheck | RestoreRequest::Start => {
            operator.call(Method::POST, &format!("{path}/{}", verb(request)), None, None).await
        }
    }
}

/// A restore task by name.
pub fn restore_named(operator: &Operator, name: &str) -> Stepped<TaskId> {
    let known = operator.logical.restores.borrow().get(name).cloned();
    known.ok_or_else(|| StepFailed::new(format!("restore {name}"), "it was never made"))
}

/// A restore task as the interface shows it; `None` when it is gone.
pub async fn see(operator: &Operator, id: &TaskId) -> Stepped<Option<RestoreView>> {
    // As with tasks of migration: nothing is seen while a photograph is taken.
    let _still = operator.hold_breath().await;
    let answer = operator.call(Method::GET, &format!("/v1/restore-tasks/{id}"), None, None).await?;
    if answer.status == 404 { Ok(None) } else { answer.read("a restore task").map(Some) }
}

/// Rows a restore task has written so far.
pub fn written(view: &RestoreView) -> u64 {
    view.details.iter().filter(|it| it.phase == RestorePhase::Full).map(|it| it.records).sum()
}

/// A restore task's state in one line.
pub fn describe(view: &RestoreView) -> String {
    let mut text = format!("{:?}", view.status);
    if view.status == RestoreStatus::CheckFailed {
        text.push_str(&format!(" ({})", view.precheck.as_ref().map_or(String::new(), failed_items)));
    }
    if let Some(failure) = &view.failure {
        text.push_str(&format!(" ({failure:?})"));
    }
    text
}
