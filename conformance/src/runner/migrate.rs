//! The whole flow of the documents: configure, authorise, choose, precheck, OK, buy, run.

use super::operator::{Answer, Operator, StepFailed, Stepped};
use super::requests::ask;
use super::restore::wanted;
use super::watch::watch;
use jiff::SignedDuration;
use recovery::model::TaskId;
use recovery::model::precheck::{PrecheckOutcome, PrecheckRun};
use recovery::model::task::{MigrationType, PhaseStatus, TaskStatus};
use recovery::model::views::{InstanceList, TaskView};
use recovery::ports::clock::later;
use scenarios::{MigrateEnd, MigrateSide, MigrateStep, MigrateUntil, TaskRequest};
use serde_json::{Value, json};

/// One side as a body.
pub async fn side_body(operator: &Operator, side: &MigrateSide) -> Stepped<Value> {
    let id = operator.instance(&side.instance)?;
    let region = operator.see(&id).await?.map_or_else(|| "region-1".to_owned(), |view| view.region);
    Ok(json!({
        "instance_type": "rds", "region": region, "instance_id": id,
        "account": side.login.account, "password": side.login.password.expose(), "connection": side.connection,
    }))
}

/// Walks a task through the flow, as far as the step says.
pub async fn migrate(operator: &Operator, step: &MigrateStep) -> Stepped {
    let what = format!("the migration {} -> {}", step.source.instance, step.target.instance);
    let mut flow = Flow { operator, step, what, task: None };
    let ended = flow.walk().await?;
    if step.refused.is_some() && !ended {
        return Err(StepFailed::new(format!("{} refused", flow.what), "every request was accepted"));
    }
    Ok(())
}

struct Flow<'a> {
    operator: &'a Operator,
    step: &'a MigrateStep,
    what: String,
    task: Option<TaskId>,
}

impl Flow<'_> {
    /// Takes every request in order; true when one was refused as wanted and the flow ended there.
    async fn walk(&mut self) -> Stepped<bool> {
        if !self.create().await? {
            return Ok(true);
        }
        let select = TaskRequest::Select {
            types: self.step.types.clone(),
            objects: self.step.objects.clone(),
            same_name: self.step.same_name,
            without_advice: self.step.without_advice.clone(),
        };
        let requests = [
            (MigrateUntil::Authorised, TaskRequest::Authorise),
            (MigrateUntil::Selected, select),
            (MigrateUntil::Prechecked, TaskRequest::Precheck),
        ];
        for (stage, request) in requests {
            if self.step.until < stage {
                return Ok(false);
            }
            if !self.request(&request).await? {
                return Ok(true);
            }
        }
        let checked = self.until(|view| view.status != TaskStatus::Prechecking, "its precheck ended").await?;
        if self.step.ends == MigrateEnd::PrecheckFailed {
            return self.expect_status(&checked, TaskStatus::PrecheckFailed).map(|()| false);
        }
        self.expect_status(&checked, TaskStatus::PrecheckPassed)?;
        if self.step.until < MigrateUntil::Confirmed {
            return Ok(false);
        }
        if !self.request(&TaskRequest::Confirm).await? {
            return Ok(true);
        }
        if checked.purchase_required && !self.request(&TaskRequest::Purchase { terms: self.step.terms }).await? {
            return Ok(true);
        }
        self.run().await.map(|()| false)
    }

    /// Looks at the list of possible sources, as one who picks from it, and makes the task.
    async fn create(&mut self) -> Stepped<bool> {
        let (source, target) =
            (side_body(self.operator, &self.step.source).await?, side_body(self.operator, &self.step.target).await?);
        let region = source["region"].as_str().unwrap_or_default();
        let _: InstanceList = self.operator.get(&format!("/v1/migration-sources?region={region}")).await?;
        let mut body = json!({"source": source, "target": target});
        if let Some(name) = &self.step.task_name {
            body["name"] = json!(name);
        }
        let answer = self.operator.post("/v1/migration-tasks", &body).await?;
        let Some(answer) = self.wanted(answer)? else { return Ok(false) };
        let view: TaskView = answer.read(&self.what)?;
        if let Some(name) = &self.step.name {
            self.operator.tasks.borrow_mut().insert(name.clone(), view.id.clone());
        } else {
            self.operator.tasks.borrow_mut().insert(view.id.to_string(), view.id.clone());
        }
        self.task = Some(view.id);
        Ok(true)
    }

    async fn request(&self, request: &TaskRequest) -> Stepped<bool> {
        let answer = ask(self.operator, self.id()?, request).await?;
        Ok(self.wanted(answer)?.is_some())
    }

    /// A flow's refusal may come at any of its requests; those before it are accepted.
    fn wanted(&self, answer: Answer) -> Stepped<Option<Answer>> {
        let refused = self.step.refused.filter(|_| answer.status >= 400);
        wanted(self.operator, &self.what, answer, refused)
    }

    fn id(&self) -> Stepped<&TaskId> {
        self.task.as_ref().ok_or_else(|| StepFailed::new(self.what.clone(), "the task was never made"))
    }

    async fn run(&self) -> Stepped {
        if self.step.ends == MigrateEnd::Failed {
            let failed = |view: &TaskView| matches!(view.status, TaskStatus::MigrationFailed | TaskStatus::Finished);
            let view = self.until(failed, "it failed").await?;
            return self.expect_status(&view, TaskStatus::MigrationFailed);
        }
        let reached = match self.step.until {
            MigrateUntil::Running => |view: &TaskView| view.started_at.is_some(),
            MigrateUntil::CaughtUp => |view: &TaskView| caught_up(view),
            MigrateUntil::Finished => |view: &TaskView| view.status == TaskStatus::Finished,
            _ => return Ok(()),
        };
        let over = move |view: &TaskView| reached(view) || is_over(view);
        let view = self.until(over, "it got as far as the step says").await?;
        if reached(&view) {
            Ok(())
        } else {
            Err(StepFailed::new(format!("{} to end well", self.what), describe(&view)))
        }
    }

    async fn until(&self, reached: impl Fn(&TaskView) -> bool, want: &str) -> Stepped<TaskView> {
        let at_most = SignedDuration::try_from(self.step.at_most).unwrap_or(SignedDuration::MAX);
        watch(
            self.operator,
            self.id()?,
            later(self.operator.now(), at_most),
            &format!("{}: {want}", self.what),
            reached,
        )
        .await
    }

    fn expect_status(&self, view: &TaskView, status: TaskStatus) -> Stepped {
        if view.status == status {
            return Ok(());
        }
        Err(StepFailed::new(format!("{} in {status:?}", self.what), describe(view)))
    }
}

fn caught_up(view: &TaskView) -> bool {
    view.phases.get(&MigrationType::Incremental) == Some(&PhaseStatus::Catched)
}

/// Whether a task will not go on without the user.
fn is_over(view: &TaskView) -> bool {
    match view.status {
        TaskStatus::PrecheckFailed | TaskStatus::Finished | TaskStatus::Suspending => true,
        TaskStatus::MigrationFailed => view.retry_at.is_none(),
        _ => false,
    }
}

/// The failed items of a precheck, each with its cause.
pub fn failed_items(run: &PrecheckRun) -> String {
    let failed = run.items.iter().filter_map(|result| match &result.outcome {
        PrecheckOutcome::Failed(found) => Some(format!("{:?}: {}", result.item, found.causes())),
        PrecheckOutcome::Success | PrecheckOutcome::Warning(_) | PrecheckOutcome::Shielded(_) => None,
    });
    failed.collect::<Vec<_>>().join("; ")
}

/// A task's state in one line.
pub fn describe(view: &TaskView) -> String {
    let mut text = format!("{:?}", view.status);
    if view.status == TaskStatus::PrecheckFailed {
        text.push_str(&format!(" ({})", view.precheck.as_ref().map_or(String::new(), failed_items)));
    }
    if let Some(failure) = &view.failure {
        text.push_str(&format!(" ({failure:?})"));
    }
    text
}
