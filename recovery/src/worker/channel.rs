//! How a worker talks with the service: asks for work and reports on it.

use crate::client::{Answer, Client};
use crate::model::TaskId;
use crate::model::work::{LeaseKept, LeaseRequest, LeasedWork, Report, Reports};
use async_trait::async_trait;
use http::Method;
use jiff::SignedDuration;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Seconds a request for work may take: the service holds it back for up to an hour while there is none.
const LEASE_TIMEOUT_S: i64 = 3_900;
/// Seconds a report may take.
const REPORT_TIMEOUT_S: i64 = 10;

/// Why a report did not arrive, or was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// The lease is somebody else's, lapsed, or the task was paused, stopped or deleted.
    #[error("the lease is lost")]
    LeaseLost,
    /// No answer, or none that can be used; whether the report was taken is open.
    #[error("the service gave no usable answer: {0}")]
    Unreachable(String),
}

/// The way to the service.
#[async_trait]
pub trait Channel: Send + Sync {
    /// Asks for work; `None` when none came up for a while.
    ///
    /// # Errors
    /// [`ReportError::Unreachable`] when no usable answer came.
    async fn lease(&self) -> Result<Option<LeasedWork>, ReportError>;

    /// Reports on a leased task.
    ///
    /// # Errors
    /// See [`ReportError`].
    async fn report(&self, task: &TaskId, epoch: u64, reports: &[Report]) -> Result<LeaseKept, ReportError>;
}

/// The way to the service over its HTTP interface.
pub struct ClientChannel {
    client: Client,
    worker: String,
}

impl ClientChannel {
    /// A channel for the worker of that name.
    #[must_use]
    pub fn new(client: Client, worker: String) -> Self {
        Self { client, worker }
    }

    async fn post(&self, path: &str, body: &impl Serialize, timeout_s: i64) -> Result<Answer, ReportError> {
        let body = serde_json::to_value(body).map_err(unusable)?;
        let timeout = SignedDuration::from_secs(timeout_s);
        self.client.send(Method::POST, path, Some(&body), None, timeout).await.map_err(unusable)
    }
}

#[async_trait]
impl Channel for ClientChannel {
    async fn lease(&self) -> Result<Option<LeasedWork>, ReportError> {
        let request = LeaseRequest { worker: self.worker.clone() };
        let answer = self.post("/internal/leases", &request, LEASE_TIMEOUT_S).await?;
        match answer.status {
            204 => Ok(None),
            200 => read(answer.body).map(Some),
            status => Err(unusable(format!("status {status}"))),
        }
    }

    async fn report(&self, task: &TaskId, epoch: u64, reports: &[Report]) -> Result<LeaseKept, ReportError> {
        let request = Reports { worker: self.worker.clone(), epoch, reports: reports.to_vec() };
        let answer = self.post(&format!("/internal/leases/{task}"), &request, REPORT_TIMEOUT_S).await?;
        match answer.status {
            200 => read(answer.body),
            // A refusal does not get better by being asked again: whatever it is about, this worker has no say any more.
            400..=499 if answer.status != 429 => Err(ReportError::LeaseLost),
            status => Err(unusable(format!("status {status}"))),
        }
    }
}

fn read<T: DeserializeOwned>(body: Value) -> Result<T, ReportError> {
    serde_json::from_value(body).map_err(unusable)
}

fn unusable(why: impl std::fmt::Display) -> ReportError {
    ReportError::Unreachable(why.to_string())
}
