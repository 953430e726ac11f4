//! Restoring from a set: structure, rows, and what would act on the rows last. Only the vault is read and only the target
//! is written (LOG-21, LOG-34).

mod look;
pub mod plan;
mod portions;
mod progress;
mod rows;
mod structure;

use super::layout::Shelf;
use super::reading;
use crate::model::logical::restore::{RestoreFailure, RestorePhase, RestoreType};
use crate::model::work::{Report, RestoreJob};
use crate::worker::lease::{self, LetGo};
use crate::worker::servers::Servers;
use plan::Plan;
use progress::Progress;

/// Why an attempt at a restore ended early.
type Stop = lease::Stop<RestoreFailure>;

/// Restores as far as this lease allows.
///
/// # Errors
/// When the worker had to let go of the task.
pub async fn restore(servers: &mut Servers<'_>, shelf: &Shelf, job: RestoreJob) -> Result<(), LetGo> {
    let mut progress = Progress::new(job.details.clone());
    match attempt(servers, shelf, &job, &mut progress).await {
        Ok(()) => servers.lease.report(vec![Report::Finished]).await,
        Err(Stop::LetGo(let_go)) => Err(let_go),
        Err(Stop::Failed(failure)) => {
            let mut reports = progress.failed(servers.now());
            reports.push(Report::RestoreFailed(failure));
            servers.lease.report(reports).await
        }
    }
}

async fn attempt(
    servers: &mut Servers<'_>,
    shelf: &Shelf,
    job: &RestoreJob,
    progress: &mut Progress,
) -> Result<(), Stop> {
    let backup = reading::read(shelf, &mut servers.lease, job).await?;
    servers.comes_from(backup.manifest.product);
    let plan = Plan::make(job, &backup.state).map_err(Stop::Failed)?;
    if !job.planned {
        progress.details.clone_from(&plan.details);
        servers.lease.report(vec![Report::RestorePlanned(plan.details.clone())]).await?;
    }
    if progress.details.len() != plan.made.len() {
        let detail = "the plan does not fit the backup; make a new task".to_owned();
        return Err(Stop::Failed(RestoreFailure::Refused { object: job.set.to_string(), detail }));
    }
    let mut target = structure::Target::default();
    if job.types.contains(&RestoreType::Structure) {
        structure::make_databases(servers, &plan).await?;
    }
    for index in 0..plan.made.len() {
        if progress.is_over(index) {
            continue;
        }
        progress.current = Some(index);
        match progress.details[index].phase {
            RestorePhase::Structure => structure::make(servers, job, &plan, progress, &mut target, index).await?,
            RestorePhase::Full => {
                let table = rows::TableRestore { shelf, job, backup: &backup, made: &plan.made[index] };
                table.restore(servers, progress, index).await?;
            }
        }
        progress.current = None;
    }
    Ok(())
}
