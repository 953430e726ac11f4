//! Migrating a leased task: plan, structure, rows, what is left of the structure, a last look, and then the changes.

mod ddl;
mod full;
mod incremental;
mod journey;
pub mod plan;
pub mod rename;
mod structure;
mod verify;

use super::ask::Facts;
use super::lease::{LetGo, Stop};
use super::servers::{Servers, Side};
use crate::model::task::{MigrationType, PhaseStatus};
use crate::model::work::{MigrationJob, Report};
use journey::{Journey, changed};
use plan::Stage;

/// Migrates a task as far as this lease allows.
///
/// # Errors
/// When the worker had to let go of it.
pub async fn migrate(servers: &mut Servers<'_>, work: MigrationJob) -> Result<(), LetGo> {
    let mut journey = Journey::new(work);
    match attempt(servers, &mut journey).await {
        Ok(()) => Ok(()),
        Err(Stop::LetGo(let_go)) => Err(let_go),
        Err(Stop::Failed(failure)) => {
            let status = PhaseStatus::Failed;
            let mut reports: Vec<_> = journey.phase.map(|phase| Report::Phase { phase, status }).into_iter().collect();
            reports.push(Report::Failed(failure));
            servers.lease.report(reports).await
        }
    }
}

async fn attempt(servers: &mut Servers<'_>, journey: &mut Journey) -> Result<(), Stop> {
    make_plan(servers, journey).await?;
    if !journey.work.loaded {
        load(servers, journey).await?;
    }
    if journey.has(MigrationType::Incremental) {
        return incremental::follow(servers, journey).await;
    }
    Ok(servers.lease.report(vec![Report::Finished]).await?)
}

/// Plans once, before anything is written. The log position is noted first, so that no change between it and the reading
/// of the rows is missed.
async fn make_plan(servers: &mut Servers<'_>, journey: &mut Journey) -> Result<(), Stop> {
    // With nothing to load a task counts as loaded from the start, and still has to begin somewhere in the log.
    let incremental = journey.has(MigrationType::Incremental);
    let begun = !incremental || journey.work.log_position.is_some();
    if !journey.work.progress.is_empty() || (journey.work.loaded && begun) {
        return Ok(());
    }
    let mut log_position = None;
    if incremental {
        let facts = servers.call(Side::Source, &Facts).await?.or_fail()?;
        log_position = Some(facts.log_position);
    }
    let described = verify::describe_source(servers, journey).await?;
    if let Some(missing) = plan::missing(journey.scope(), &described).first() {
        return Err(changed(missing, ""));
    }
    let planned = plan::plan(journey.engine(), journey.scope(), &journey.work.types, &described);
    let progress = plan::progress(journey.engine(), journey.scope(), &planned);
    let planned: Vec<_> = planned.into_iter().map(|planned| planned.object).collect();
    let report = Report::Planned { progress: progress.clone(), planned: planned.clone(), log_position };
    servers.lease.report(vec![report]).await?;
    (journey.work.progress, journey.work.planned, journey.work.log_position) = (progress, planned, log_position);
    Ok(())
}

/// Everything before the incremental phase. What is finished is said only after the last look, so that a task that ends
/// in between looks again.
async fn load(servers: &mut Servers<'_>, journey: &mut Journey) -> Result<(), Stop> {
    let (structure, full) = (journey.has(MigrationType::Structure), journey.has(MigrationType::Full));
    let mut unfinished = Vec::new();
    if structure {
        make_first(servers, journey).await?;
        if full && journey.of_stage(Stage::After).is_empty() {
            servers.lease.note(finished(MigrationType::Structure)).await?;
        } else {
            unfinished.push(finished(MigrationType::Structure));
        }
    }
    if full {
        journey.begin(servers, MigrationType::Full).await?;
        full::copy(servers, journey).await?;
        unfinished.push(finished(MigrationType::Full));
    }
    if structure {
        structure::make(servers, journey, Stage::After).await?;
    }
    verify::source_unchanged(servers, journey).await?;
    verify::target_unchanged(servers, journey).await?;
    servers.lease.report(unfinished).await?;
    Ok(())
}

async fn make_first(servers: &mut Servers<'_>, journey: &mut Journey) -> Result<(), Stop> {
    let progress = &journey.work.progress;
    if progress.is_empty() || progress.iter().any(|entry| !entry.made) {
        journey.begin(servers, MigrationType::Structure).await?;
    }
    structure::make(servers, journey, Stage::Before).await
}

fn finished(phase: MigrationType) -> Report {
    Report::Phase { phase, status: PhaseStatus::Finished }
}
