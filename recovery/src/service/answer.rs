//! What is answered: an answer as it is sent, the state as answers look at it, and which request was answered already.

use crate::model::decide::{backups, views};
use crate::model::instance::{Instance, InstanceState};
use crate::model::refusal::{Refusal, RefusalCode};
use crate::model::state::{KeptAnswer, State, StateChange};
use crate::model::{BackupId, InstanceId, TaskId};
use jiff::Timestamp;
use serde::Serialize;

/// The identity of a request that makes something: the same again gives the same answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Once {
    /// Idempotency key.
    pub key: String,
    /// SHA-256 of method, path and body.
    pub request_sha256: String,
}

/// An answer as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// JSON, or nothing at all.
    pub body: String,
}

impl Answer {
    /// An answer in JSON.
    ///
    /// # Errors
    /// When the value cannot be written as JSON.
    pub fn json(status: u16, value: &impl Serialize) -> Result<Self, Refusal> {
        let body = serde_json::to_string(value).map_err(|error| internal(format!("unwritable answer: {error}")))?;
        Ok(Self { status, body })
    }

    /// An answer that says only that it was done.
    #[must_use]
    pub fn empty() -> Self {
        Self { status: 204, body: String::new() }
    }
}

/// The status under which an [`Once`] is kept while its effect on a server is under way.
pub(super) const INTENDED: u16 = 0;

/// What is known of a request that came with an idempotency key.
#[derive(Debug, PartialEq, Eq)]
pub enum Known {
    /// Nothing.
    New,
    /// It was begun; whether it had its effect on the server is open.
    Begun,
    /// It was answered.
    Answered(Answer),
}

/// The state after a decision, as answers look at it.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The state.
    pub state: &'a State,
    /// The time.
    pub now: Timestamp,
}

impl<'a> View<'a> {
    /// An instance a user can see.
    ///
    /// # Errors
    /// When it is not there, or released.
    pub fn require(&self, id: &InstanceId) -> Result<&'a Instance, Refusal> {
        let instance = self.state.instances.get(id);
        instance
            .filter(|instance| instance.state_at(self.now) != InstanceState::Released)
            .ok_or_else(|| no_instance(id))
    }

    /// Answers with an instance.
    ///
    /// # Errors
    /// When it is not there, or released.
    pub fn instance(&self, status: u16, id: &InstanceId) -> Result<Answer, Refusal> {
        let instance = self.require(id)?;
        Answer::json(status, &views::instance_view(instance, self.state, self.now))
    }

    /// Answers with a backup.
    ///
    /// # Errors
    /// When it is not there, or its retention has passed.
    pub fn backup(&self, status: u16, id: &BackupId) -> Result<Answer, Refusal> {
        let backup =
            self.state.backups.get(id).filter(|backup| backups::is_kept(backup, self.now)).ok_or_else(|| {
                Refusal::new(
                    RefusalCode::BackupNotFound,
                    format!("there is no backup {id}; GET the backups of its instance for their ids"),
                )
            })?;
        Answer::json(status, &views::backup_view(backup))
    }

    /// Answers with a task.
    ///
    /// # Errors
    /// When it is not there.
    pub fn task(&self, status: u16, id: &TaskId) -> Result<Answer, Refusal> {
        let task = self.state.tasks.get(id).ok_or_else(|| {
            Refusal::new(
                RefusalCode::TaskNotFound,
                format!("there is no migration task {id}; GET /v1/migration-tasks lists those there are"),
            )
        })?;
        Answer::json(status, &views::task_view(task, self.state, self.now))
    }
}

/// The refusal of an id no instance has.
#[must_use]
pub fn no_instance(id: &InstanceId) -> Refusal {
    Refusal::new(
        RefusalCode::InstanceNotFound,
        format!("there is no instance {id}, or it was released; GET /v1/instances lists those there are"),
    )
}

/// A refusal for a fault of the service's own.
pub(super) fn internal(detail: impl Into<String>) -> Refusal {
    Refusal::new(RefusalCode::Internal, detail)
}

impl Once {
    pub(super) fn kept(&self, answer: &Answer, at: Timestamp) -> StateChange {
        StateChange::Answer(
            self.key.clone(),
            KeptAnswer {
                request_sha256: self.request_sha256.clone(),
                status: answer.status,
                body: answer.body.clone(),
                at,
            },
        )
    }

    /// What is known of the request.
    pub(super) fn known(&self, state: &State) -> Result<Known, Refusal> {
        match state.answers.get(&self.key) {
            None => Ok(Known::New),
            Some(kept) if kept.request_sha256 != self.request_sha256 => Err(Refusal::new(
                RefusalCode::IdempotencyKeyReused,
                "this Idempotency-Key came with another request before; a new request needs a new key",
            )),
            Some(kept) if kept.status == INTENDED => Ok(Known::Begun),
            Some(kept) => Ok(Known::Answered(Answer { status: kept.status, body: kept.body.clone() })),
        }
    }
}
