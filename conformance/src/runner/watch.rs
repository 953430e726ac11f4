//! Looks at a task until something is so, and photographs everything whenever its status changes.

use super::operator::{Operator, StepFailed, Stepped};
use super::{migrate, rebuild};
use jiff::{SignedDuration, Timestamp};
use recovery::model::TaskId;
use recovery::model::logical::restore::RestoreStatus;
use recovery::model::logical::views::RestoreView;
use recovery::model::task::TaskStatus;
use recovery::model::views::TaskView;

/// A task that can be watched.
pub trait Watched: Sized {
    /// How far it is.
    type Status: PartialEq;

    /// The task as the interface shows it; `None` when it is gone.
    async fn see(operator: &Operator, id: &TaskId) -> Stepped<Option<Self>>;

    /// How far it is.
    fn status(&self) -> Self::Status;

    /// It in one line.
    fn describe(&self) -> String;
}

impl Watched for TaskView {
    type Status = TaskStatus;

    async fn see(operator: &Operator, id: &TaskId) -> Stepped<Option<Self>> {
        operator.see_task(id).await
    }

    fn status(&self) -> TaskStatus {
        self.status
    }

    fn describe(&self) -> String {
        migrate::describe(self)
    }
}

impl Watched for RestoreView {
    type Status = RestoreStatus;

    async fn see(operator: &Operator, id: &TaskId) -> Stepped<Option<Self>> {
        rebuild::see(operator, id).await
    }

    fn status(&self) -> RestoreStatus {
        self.status
    }

    fn describe(&self) -> String {
        rebuild::describe(self)
    }
}

/// Looks at a task until something is so.
///
/// # Errors
/// When it is gone, or the time is up.
pub async fn watch<T: Watched>(
    operator: &Operator,
    id: &TaskId,
    give_up: Timestamp,
    want: &str,
    reached: impl Fn(&T) -> bool,
) -> Stepped<T> {
    let (mut last, mut pause_ms) = (None, 20);
    loop {
        let Some(view) = T::see(operator, id).await? else { return Err(StepFailed::new(want, "the task is gone")) };
        let status = Some(view.status());
        if last != status {
            last = status;
            operator.photograph_all(None).await;
        }
        if reached(&view) {
            return Ok(view);
        }
        if operator.now() >= give_up {
            return Err(StepFailed::new(want, format!("{} when time was up", view.describe())));
        }
        operator.sleep(SignedDuration::from_millis(pause_ms)).await;
        pause_ms = (pause_ms * 2).min(60_000);
    }
}
