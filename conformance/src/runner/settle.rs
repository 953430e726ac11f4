//! The end of a run: everything heals, and everything under way has to come to an end.

use super::application::Application;
use super::fault::{heal, over};
use super::logical;
use super::operator::{Operator, StepFailed, Stepped};
use crate::history::What;
use jiff::SignedDuration;
use recovery::model::instance::InstanceState;
use recovery::model::task::{MigrationType, PhaseStatus, TaskFailure, TaskStatus};
use recovery::model::views::{ChargeList, InstanceList, TaskView};
use recovery::ports::clock::later;

/// How long everything may take to come to an end once nothing is broken.
const PATIENCE: SignedDuration = SignedDuration::from_hours(4);

/// How long it may take where an instance vanished, which no healing brings back: a server that is not reached is tried
/// again for twelve hours before a task fails.
const GIVES_UP: SignedDuration = SignedDuration::from_hours(13);

/// How long a task that follows its source may take to carry over what is left once nothing is broken: the time after which
/// a silent server counts as away, and a lease of somebody who is gone.
const CATCHES_UP: SignedDuration = SignedDuration::from_mins(10);

/// Heals, waits for the end of everything under way, and looks at it all once more.
pub async fn settle(operator: &Operator, application: &Application) {
    operator.recorder.step(None);
    over(operator).await;
    application.stop().await;
    let healed = heal(operator).await;
    operator.recorder.record(operator.now(), What::Healed);
    let quiet = match healed {
        Ok(()) => until_quiet(operator).await,
        failed => failed,
    };
    let quiet = match quiet {
        Ok(()) => let_follow(operator).await,
        failed => failed,
    };
    let looked = match quiet {
        Ok(()) => operator.observe().await,
        failed => failed,
    };
    let result = match looked {
        Ok(()) => operator.get::<ChargeList>("/v1/charges").await.map(drop),
        failed => failed,
    };
    if let Err(StepFailed { want, got }) = result {
        operator.recorder.expectation(operator.now(), false, want, got);
    }
}

/// Gives tasks that follow their source the time to catch up with it, now that nothing is broken.
async fn let_follow(operator: &Operator) -> Stepped {
    let follows =
        |task: &TaskView| task.status == TaskStatus::Migrating && task.phases.contains_key(&MigrationType::Incremental);
    if operator.see_tasks().await?.iter().any(follows) {
        operator.photograph_all(None).await;
        operator.sleep(CATCHES_UP).await;
    }
    Ok(())
}

async fn until_quiet(operator: &Operator) -> Stepped {
    let patience = if operator.recorder.vanished().is_empty() { PATIENCE } else { GIVES_UP };
    let give_up = later(operator.now(), patience);
    let mut pause_ms = 100;
    loop {
        let Some(busy) = under_way(operator).await? else { return Ok(()) };
        if operator.now() >= give_up {
            return Err(StepFailed::new("everything under way to come to an end once all is well", busy));
        }
        operator.sleep(SignedDuration::from_millis(pause_ms)).await;
        pause_ms = (pause_ms * 2).min(60_000);
    }
}

/// What is still under way, in words; a task that waits for its user, or incrementally follows a living source, is not.
async fn under_way(operator: &Operator) -> Stepped<Option<String>> {
    let list: InstanceList = operator.get("/v1/instances").await?;
    let now = operator.now();
    for view in &list.instances {
        let name = operator.name_of(&view.id);
        if matches!(view.state, InstanceState::Creating | InstanceState::InsCloning | InstanceState::BackupRecovering) {
            return Ok(Some(format!("{name} is {:?}", view.state)));
        }
        if view.expires_at.is_some_and(|expires| later(expires, SignedDuration::from_mins(5)) < now) {
            return Ok(Some(format!("{name} is still there after its time")));
        }
    }
    if let Some(task) = operator.see_tasks().await?.iter().find(|task| is_busy(operator, task)) {
        return Ok(Some(format!("task {} is {:?}", task.id, task.status)));
    }
    if let Some(busy) = logical::under_way(operator).await? {
        return Ok(Some(busy));
    }
    Ok(None)
}

fn is_busy(operator: &Operator, task: &TaskView) -> bool {
    match task.status {
        TaskStatus::Prechecking => true,
        TaskStatus::Migrating => {
            let loaded = task
                .phases
                .iter()
                .all(|(phase, status)| *phase == MigrationType::Incremental || *status == PhaseStatus::Finished);
            !(task.types.contains(&MigrationType::Incremental) && loaded)
        }
        // What failed because it could not be reached has to go on now that it can be, unless it is gone for good.
        TaskStatus::MigrationFailed => {
            let sides = [&task.source.instance_id, &task.target.instance_id].map(|id| operator.name_of(id));
            let gone = || operator.recorder.vanished().iter().any(|name| sides.contains(name));
            task.retry_at.is_some() && matches!(task.failure, Some(TaskFailure::Unreachable { .. })) && !gone()
        }
        _ => false,
    }
}
