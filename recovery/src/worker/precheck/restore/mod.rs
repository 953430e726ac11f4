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
use super::item::Item;
use crate::model::precheck::Finding;
use crate::model::work::RestoreJob;
use crate::ports::{Clock, Database};
use crate::worker::lease::{Lease, LetGo, Stop, Unleased};
use crate::worker::logical::fold::State;
use crate::worker::logical::layout::{Manifest, Shelf, Unusable};
use crate::worker::logical::reading;
use crate::worker::logical::restore::plan::Plan;
use crate::worker::servers::Side;
use std::sync::Arc;
use tokio::sync::OnceCell;

/// The items of a restore, in the order they are begun.
pub const ITEMS: [Item<RestoreBench>; 13] = [
    target_connection::ITEM,
    target_permission::ITEM,
    engine_match::ITEM,
    version::ITEM,
    set_readable::ITEM,
    log_coverage::ITEM,
    same_name::ITEM,
    data_existence::ITEM,
    charset::ITEM,
    time_zone::ITEM,
    collation::ITEM,
    name_case::ITEM,
    sql_mode::ITEM,
];

/// What the items look at: the target and the backup.
pub struct RestoreBench {
    /// The target.
    pub bench: Bench<RestoreJob>,
    /// The full set.
    pub shelf: Shelf,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    manifest: OnceCell<Result<Arc<Manifest>, Unusable>>,
    plan: OnceCell<Arc<Plan>>,
}

impl RestoreBench {
    /// Nothing is looked at yet.
    #[must_use]
    pub fn new(
        clock: Arc<dyn Clock>,
        database: Arc<dyn Database>,
        lease: &Lease,
        job: RestoreJob,
        shelf: Shelf,
    ) -> Self {
        let sides = [(Side::Target, job.target.clone())];
        let bench = Bench::with(Arc::clone(&clock), database, lease, job, &sides);
        Self { bench, shelf, clock, manifest: OnceCell::new(), plan: OnceCell::new() }
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
    pub async fn manifest(&self) -> Result<Arc<Manifest>, Snag> {
        let read = async { kept(self.shelf.manifest(&mut Unleased(&*self.clock)).await) };
        match self.manifest.get_or_try_init(|| read).await? {
            Ok(manifest) => Ok(Arc::clone(manifest)),
            Err(unusable) => Err(Snag::Found(Finding::new(
                format!("could not be looked at because set {} cannot be read: {}", unusable.set, unusable.detail),
                "Choose another set, or back the source up again, then check again.",
            ))),
        }
    }

    /// What would be restored; where the log cannot be read, what the full set holds by itself.
    ///
    /// # Errors
    /// See [`Snag`].
    pub async fn plan(&self) -> Result<Arc<Plan>, Snag> {
        let read = async {
            let (job, manifest) = (self.job(), self.manifest().await?);
            let backup = kept(reading::read(&self.shelf, &mut Unleased(&*self.clock), &job).await)?;
            Ok::<_, Snag>(Arc::new(match backup {
                Ok(backup) => Plan::of(&job, &backup.state),
                Err(_) => Plan::of(&job, &State::begin(&manifest, false)),
            }))
        };
        self.plan.get_or_try_init(|| read).await.cloned()
    }
}

fn kept<T>(read: Result<T, Stop<Unusable>>) -> Result<Result<Arc<T>, Unusable>, LetGo> {
    match read {
        Ok(read) => Ok(Ok(Arc::new(read))),
        Err(Stop::LetGo(let_go)) => Err(let_go),
        Err(Stop::Failed(unusable)) => Ok(Err(unusable)),
    }
}

/// Prechecks a restore.
///
/// # Errors
/// When the worker had to let go of the task.
pub async fn precheck(
    clock: Arc<dyn Clock>,
    database: Arc<dyn Database>,
    lease: &mut Lease,
    job: RestoreJob,
    shelf: Shelf,
) -> Result<(), LetGo> {
    let bench = RestoreBench::new(Arc::clone(&clock), database, lease, job, shelf);
    let items: Vec<&Item<RestoreBench>> = ITEMS.iter().collect();
    super::look(&*clock, &bench, lease, &items).await
}
