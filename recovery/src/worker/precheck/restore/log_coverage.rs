//! Precheck item: the log reaches without a gap from the full set to the point in time (LOG-24).

use super::RestoreBench;
use super::set_readable::unreadable;
use crate::model::precheck::PrecheckOutcome;
use crate::worker::lease::Stop;
use crate::worker::logical::reading::LogWalk;
use crate::worker::precheck::bench::Snag;
use crate::worker::precheck::failed;

/// Reads every segment up to the point in time, one at a time.
pub async fn check(bench: &mut RestoreBench) -> Result<PrecheckOutcome, Snag> {
    let job = bench.job();
    let Some(until) = job.until else {
        return Ok(PrecheckOutcome::Success);
    };
    let manifest = bench.manifest().await?;
    if until < manifest.snapshot.at {
        let (set, begins) = (&job.set, manifest.snapshot.at);
        return Ok(failed(
            format!("set {set} begins at {begins}, after {until}"),
            "Choose a later point in time, or an earlier set, then check again.",
        ));
    }
    if until <= manifest.completion.at {
        return Ok(PrecheckOutcome::Success);
    }
    if job.logs.is_empty() {
        let (set, ends) = (&job.set, manifest.completion.at);
        return Ok(failed(
            format!("set {set} ends at {ends}, and there is no log after it up to {until}"),
            "Choose a point in time of the restorable range, then check again.",
        ));
    }
    let mut log = LogWalk::new(&job.logs, manifest.completion.position, until);
    loop {
        match log.next(&bench.shelf, &mut bench.bench.lease).await {
            Ok(Some(_)) => {}
            Ok(None) => return Ok(PrecheckOutcome::Success),
            Err(Stop::LetGo(let_go)) => return Err(let_go.into()),
            Err(Stop::Failed(unusable)) => return Ok(unreadable(&unusable)),
        }
    }
}
