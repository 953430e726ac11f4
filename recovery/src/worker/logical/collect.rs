//! Collecting the log of a source: one segment with what changed since the last one (LOG-24, LOG-30, LOG-31).

use super::layout::{Part, Segment, Shelf};
use super::source::{self, LogReader, Trouble};
use crate::model::logical::backup::Instant;
use crate::model::work::{LogJob, Report};
use crate::ports::clock::later;
use crate::worker::ask::Facts;
use crate::worker::lease::{LetGo, Stop};
use crate::worker::servers::Servers;
use jiff::SignedDuration;

/// Collects the log as far as it reaches now.
///
/// # Errors
/// When the worker had to let go of the task.
pub async fn collect(servers: &mut Servers<'_>, shelf: &Shelf, job: &LogJob) -> Result<(), LetGo> {
    let report = match segment(servers, shelf, job).await {
        Ok(report) => report,
        Err(Stop::LetGo(let_go)) => return Err(let_go),
        // The log waits while a login or the whitelist is put right.
        Err(Stop::Failed(Trouble::Away(why) | Trouble::Denied(why))) => Report::SourceAway { why },
        Err(Stop::Failed(Trouble::Broken(why))) => Report::SetFailed { why },
    };
    servers.lease.report(vec![report]).await
}

async fn segment(servers: &mut Servers<'_>, shelf: &Shelf, job: &LogJob) -> Result<Report, Stop<Trouble>> {
    let part = Part::Log { segment: job.segment };
    let facts = source::ask(servers, &Facts).await?;
    let to = reached(job.after, facts.log_position, facts.now);
    let mut changes = Vec::new();
    let mut reader = LogReader::new(job.after.position, to.position, &job.databases);
    while let Some(more) = reader.next(servers).await? {
        changes.extend(more);
    }
    if changes.is_empty() {
        return Ok(Report::LogCollected { to, segment_bytes: None });
    }
    let segment = Segment { after: job.after, to, changes };
    if let Some(written) = shelf.put_new(&mut servers.lease, part, &segment).await? {
        return Ok(Report::LogCollected { to, segment_bytes: Some(written.bytes) });
    }
    // An attempt before this one wrote it and ended before it could say so. Its segment counts, so that what a restore
    // may be reading already never changes; one that cannot be read is written anew.
    match shelf.get::<Segment>(&mut servers.lease, part).await {
        Ok(there) if there.body.after == job.after => {
            Ok(Report::LogCollected { to: there.body.to, segment_bytes: Some(there.bytes) })
        }
        Err(Stop::LetGo(let_go)) => Err(let_go.into()),
        Ok(_) | Err(Stop::Failed(_)) => {
            let written = shelf.put(&mut servers.lease, part, &segment).await?;
            Ok(Report::LogCollected { to, segment_bytes: Some(written.bytes) })
        }
    }
}

/// How far the log is known when a server said so: whatever is committed later is committed in the same millisecond or
/// later, so that everything up to the millisecond before is at or before the position.
#[must_use]
pub fn reached(after: Instant, position: u64, now: jiff::Timestamp) -> Instant {
    let at = later(now, SignedDuration::from_millis(-1));
    Instant { position: position.max(after.position), at: at.max(after.at) }
}
