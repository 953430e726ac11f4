//! The precheck of a restore task: every item is looked at, in order, and reported as soon as it is known. It only reads
//! (LOG-47 to LOG-50).

mod charset;
mod collation;
mod data_existence;
mod engine_match;
mod log_coverage;
mod name_case;
mod parameters;
mod same_name;
mod set_readable;
mod sql_mode;
mod target_connection;
mod target_permission;
mod time_zone;
mod version;

use super::bench::{Bench, Snag};
use super::failed;
use crate::model::precheck::{PrecheckItem, PrecheckOutcome, PrecheckResult};
use crate::model::work::{Report, RestoreJob};
use crate::ports::{Clock, Database};
use crate::worker::lease::{Lease, LetGo, Stop};
use crate::worker::logical::fold::State;
use crate::worker::logical::layout::{Manifest, Shelf, Unusable};
use crate::worker::logical::reading;
use crate::worker::logical::restore::plan::Plan;
use crate::worker::servers::Side;
use futures_util::future::BoxFuture;
use std::sync::Arc;

/// How an item is looked at.
type Check = for<'a> fn(&'a mut RestoreBench) -> BoxFuture<'a, Result<PrecheckOutcome, Snag>>;

/// What the outcome of an item may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weight {
    /// It may fail.
    Firm,
    /// It warns at most (LOG-50).
    Light,
}

/// The items, in the order they run and are shown.
const ITEMS: [(PrecheckItem, Weight, Check); 13] = [
    (PrecheckItem::RestoreTargetConnection, Weight::Firm, |bench| Box::pin(target_connection::check(bench))),
    (PrecheckItem::RestoreTargetPermission, Weight::Firm, |bench| Box::pin(target_permission::check(bench))),
    (PrecheckItem::RestoreEngineMatch, Weight::Firm, |bench| Box::pin(engine_match::check(bench))),
    (PrecheckItem::RestoreVersion, Weight::Firm, |bench| Box::pin(version::check(bench))),
    (PrecheckItem::RestoreSetReadable, Weight::Firm, |bench| Box::pin(set_readable::check(bench))),
    (PrecheckItem::RestoreLogCoverage, Weight::Firm, |bench| Box::pin(log_coverage::check(bench))),
    (PrecheckItem::RestoreSameName, Weight::Light, |bench| Box::pin(same_name::check(bench))),
    (PrecheckItem::RestoreDataExistence, Weight::Light, |bench| Box::pin(data_existence::check(bench))),
    (PrecheckItem::RestoreCharset, Weight::Light, |bench| Box::pin(charset::check(bench))),
    (PrecheckItem::RestoreTimeZone, Weight::Light, |bench| Box::pin(time_zone::check(bench))),
    (PrecheckItem::RestoreCollation, Weight::Light, |bench| Box::pin(collation::check(bench))),
    (PrecheckItem::RestoreNameCase, Weight::Light, |bench| Box::pin(name_case::check(bench))),
    (PrecheckItem::RestoreSqlMode, Weight::Light, |bench| Box::pin(sql_mode::check(bench))),
];

/// What the items look at: the target and the backup.
pub struct RestoreBench {
    /// The target.
    pub bench: Bench<RestoreJob>,
    /// The full set.
    pub shelf: Shelf,
    manifest: Option<Result<Arc<Manifest>, Unusable>>,
    plan: Option<Arc<Plan>>,
}

impl RestoreBench {
    /// Nothing is looked at yet.
    #[must_use]
    pub fn new(
        clock: Arc<dyn Clock>,
        database: Arc<dyn Database>,
        lease: Lease,
        job: RestoreJob,
        shelf: Shelf,
    ) -> Self {
        let sides = [(Side::Target, job.target.clone())];
        Self { bench: Bench::with(clock, database, lease, job, &sides), shelf, manifest: None, plan: None }
    }

    /// The task.
    #[must_use]
    pub fn job(&self) -> Arc<RestoreJob> {
        self.bench.work()
    }

    /// What the full set holds.
    ///
    /// # Errors
    /// See [`Snag`].
    pub async fn manifest(&mut self) -> Result<Arc<Manifest>, Snag> {
        if self.manifest.is_none() {
            self.manifest = Some(kept(self.shelf.manifest(&mut self.bench.lease).await)?);
        }
        known(self.manifest.as_ref())
    }

    /// What would be restored; where the log cannot be read, what the full set holds by itself.
    ///
    /// # Errors
    /// See [`Snag`].
    pub async fn plan(&mut self) -> Result<Arc<Plan>, Snag> {
        if let Some(plan) = &self.plan {
            return Ok(Arc::clone(plan));
        }
        let (job, manifest) = (self.job(), self.manifest().await?);
        let backup = kept(reading::read(&self.shelf, &mut self.bench.lease, &job).await)?;
        let plan = Arc::new(match backup {
            Ok(backup) => Plan::of(&job, &backup.state),
            Err(_) => Plan::of(&job, &State::begin(&manifest, false)),
        });
        self.plan = Some(Arc::clone(&plan));
        Ok(plan)
    }
}

fn kept<T>(read: Result<T, Stop<Unusable>>) -> Result<Result<Arc<T>, Unusable>, LetGo> {
    match read {
        Ok(read) => Ok(Ok(Arc::new(read))),
        Err(Stop::LetGo(let_go)) => Err(let_go),
        Err(Stop::Failed(unusable)) => Ok(Err(unusable)),
    }
}

fn known<T>(kept: Option<&Result<Arc<T>, Unusable>>) -> Result<Arc<T>, Snag> {
    match kept {
        Some(Ok(kept)) => Ok(Arc::clone(kept)),
        Some(Err(unusable)) => Err(Snag::Outcome(failed(
            format!("could not be looked at because set {} cannot be read: {}", unusable.set, unusable.detail),
            "Choose another set, or back the source up again, then check again.",
        ))),
        None => Err(Snag::Outcome(failed("could not be looked at", "Check again."))),
    }
}

/// Looks at every item and notes it, then reports the precheck done.
///
/// # Errors
/// When the worker had to let go of the task.
pub async fn precheck(bench: &mut RestoreBench) -> Result<(), LetGo> {
    for (item, weight, check) in ITEMS {
        let outcome = match check(bench).await {
            Ok(outcome) | Err(Snag::Outcome(outcome)) => outcome,
            Err(Snag::LetGo(let_go)) => return Err(let_go),
        };
        let outcome = match (weight, outcome) {
            (Weight::Light, PrecheckOutcome::Failed { cause, remedy }) => PrecheckOutcome::Warning { cause, remedy },
            (_, outcome) => outcome,
        };
        bench.bench.lease.note(Report::PrecheckItem(PrecheckResult { item, outcome })).await?;
    }
    bench.bench.lease.report(vec![Report::PrecheckDone]).await
}
