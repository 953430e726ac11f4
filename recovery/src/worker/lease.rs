//! The lease a worker works under: renewed in good time, and over for the worker before it is for the service.

use super::channel::{Channel, ReportError};
use crate::model::TaskId;
use crate::model::task::TaskFailure;
use crate::model::work::{LeasedWork, Report, lease_over_at};
use crate::ports::Clock;
use crate::ports::clock::{later, later_s};
use jiff::{SignedDuration, Timestamp};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;

/// Seconds that what is noted may wait for the next report.
const NOTED_S: i64 = 1;
/// Milliseconds before a report that did not arrive is sent again.
const REPORT_AGAIN_MS: i64 = 250;

/// Why a worker lets go of a task without another word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LetGo {
    /// The service says the lease is lost.
    #[error("the lease is lost")]
    Lost,
    /// The lease could not be renewed in time.
    #[error("the lease could not be renewed in time")]
    Lapsed,
    /// A later lease works on the server already.
    #[error("a later lease works on the server")]
    Fenced,
    /// A server has not been reachable for a while; a fresh lease tells whether it still exists.
    #[error("a server has not been reachable for a while")]
    Away,
}

/// Why an attempt at a task ended early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop<F = TaskFailure> {
    /// Let go, say nothing.
    LetGo(LetGo),
    /// Say that the task failed.
    Failed(F),
}

impl<F> From<LetGo> for Stop<F> {
    fn from(let_go: LetGo) -> Self {
        Self::LetGo(let_go)
    }
}

/// Somebody under whom work is done that takes a while.
pub trait Keeper: Send {
    /// Does `work`; cut off the moment it may not go on.
    fn keep<T: Send>(&mut self, work: impl Future<Output = T> + Send) -> impl Future<Output = Result<T, LetGo>> + Send;

    /// Waits.
    fn wait(&mut self, span: SignedDuration) -> impl Future<Output = Result<(), LetGo>> + Send;
}

/// The keeper of work that is done within somebody else's: the lease is kept there.
pub struct Unleased<'a>(pub &'a (dyn Clock + 'static));

impl Keeper for Unleased<'_> {
    async fn keep<T: Send>(&mut self, work: impl Future<Output = T> + Send) -> Result<T, LetGo> {
        Ok(work.await)
    }

    async fn wait(&mut self, span: SignedDuration) -> Result<(), LetGo> {
        self.0.sleep(span).await;
        Ok(())
    }
}

impl Keeper for Lease {
    async fn keep<T: Send>(&mut self, work: impl Future<Output = T> + Send) -> Result<T, LetGo> {
        Self::keep(self, work).await
    }

    async fn wait(&mut self, span: SignedDuration) -> Result<(), LetGo> {
        Self::wait(self, span).await
    }
}

/// A lease as its worker holds it.
pub struct Lease {
    clock: Arc<dyn Clock>,
    channel: Arc<dyn Channel>,
    task: TaskId,
    epoch: u64,
    renew_at: Timestamp,
    over_at: Timestamp,
    others_wait: bool,
    /// What waits to be reported, and since when.
    noted: Option<(Timestamp, Vec<Report>)>,
}

impl Lease {
    /// Takes up the lease of `work`, asked for at `asked_at`.
    ///
    /// The service may hold a request for work back for longer than a lease lasts, so the lease counted from when it
    /// was asked for can be over on arrival. It is then renewed before anything else is done under it.
    ///
    /// # Errors
    /// When it is lost already.
    pub async fn take(
        clock: Arc<dyn Clock>,
        channel: Arc<dyn Channel>,
        work: &LeasedWork,
        asked_at: Timestamp,
    ) -> Result<Self, LetGo> {
        let (task, epoch) = (work.task.clone(), work.epoch);
        let (renew_at, over_at) = (asked_at, asked_at);
        let mut lease = Self { clock, channel, task, epoch, renew_at, over_at, others_wait: false, noted: None };
        lease.count_from(asked_at, work.lease_s);
        let now = lease.clock.now();
        if lease.renew_at <= now {
            lease.over_at = lease_over_at(now, work.lease_s);
            lease.report(vec![Report::Renew]).await?;
        }
        Ok(lease)
    }

    /// The task.
    #[must_use]
    pub fn task(&self) -> &TaskId {
        &self.task
    }

    /// Epoch of the lease.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Whether a task waits for which there is no worker, as far as the service has said.
    #[must_use]
    pub fn others_wait(&self) -> bool {
        self.others_wait
    }

    fn count_from(&mut self, asked_at: Timestamp, lease_s: i64) {
        self.renew_at = later_s(asked_at, lease_s / 3);
        self.over_at = lease_over_at(asked_at, lease_s);
    }

    /// Takes up a report that may come late or, where the worker dies, not at all: it goes with the next one, or by
    /// itself once it has waited for a second.
    ///
    /// # Errors
    /// When the lease is lost or over.
    pub async fn note(&mut self, report: Report) -> Result<(), LetGo> {
        let now = self.clock.now();
        let (since, noted) = self.noted.get_or_insert_with(|| (now, Vec::new()));
        noted.push(report);
        if now < later_s(*since, NOTED_S) { Ok(()) } else { self.report(Vec::new()).await }
    }

    /// Reports, with all that is noted before it, again and again while the service cannot be reached, until the lease
    /// is over.
    ///
    /// # Errors
    /// When the lease is lost or over.
    pub async fn report(&mut self, reports: Vec<Report>) -> Result<(), LetGo> {
        let mut all = self.noted.take().map_or_else(Vec::new, |(_, noted)| noted);
        all.extend(reports);
        let reports = all;
        let mut pause_ms = REPORT_AGAIN_MS;
        loop {
            let asked_at = self.clock.now();
            if asked_at >= self.over_at {
                return Err(LetGo::Lapsed);
            }
            let left = asked_at.duration_until(self.over_at);
            let answer = self.clock.timeout(left, self.channel.report(&self.task, self.epoch, &reports)).await;
            match answer {
                Some(Ok(kept)) => {
                    self.count_from(asked_at, kept.lease_s);
                    self.others_wait = kept.others_wait;
                    return Ok(());
                }
                Some(Err(ReportError::LeaseLost)) => return Err(LetGo::Lost),
                Some(Err(ReportError::Unreachable(why))) => tracing::debug!(task = %self.task, why, "report again"),
                None => return Err(LetGo::Lapsed),
            }
            let again_at = later(self.clock.now(), SignedDuration::from_millis(pause_ms));
            self.clock.sleep_until(again_at.min(self.over_at)).await;
            pause_ms = (pause_ms * 2).min(5_000);
        }
    }

    /// Does `work` while keeping the lease; the work is cut off the moment the lease is over.
    ///
    /// # Errors
    /// When the lease is lost or over before the work is done.
    pub async fn keep<T>(&mut self, work: impl Future<Output = T>) -> Result<T, LetGo> {
        let mut work = pin!(work);
        loop {
            if self.clock.now() >= self.over_at {
                return Err(LetGo::Lapsed);
            }
            tokio::select! {
                biased;
                done = &mut work => return Ok(done),
                () = self.clock.sleep_until(self.renew_at) => {}
            }
            tokio::select! {
                biased;
                done = &mut work => return Ok(done),
                kept = self.report(vec![Report::Renew]) => kept?,
            }
        }
    }

    /// Waits while keeping the lease.
    ///
    /// # Errors
    /// When the lease is lost or over.
    pub async fn wait(&mut self, span: SignedDuration) -> Result<(), LetGo> {
        let clock = Arc::clone(&self.clock);
        self.keep(clock.sleep(span)).await
    }
}
