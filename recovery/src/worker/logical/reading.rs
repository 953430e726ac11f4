//! Reading a backup as of the moment that is restored: manifest, tail and logs, folded.

use super::fold::State;
use super::layout::{Manifest, Part, Segment, Shelf, Unusable};
use crate::model::content::Change;
use crate::model::logical::restore::{RestoreFailure, RestoreType};
use crate::model::work::{LogPart, RestoreJob};
use crate::worker::lease::{Keeper, Stop};
use crate::worker::servers::Lost;
use jiff::Timestamp;

impl From<Stop<Unusable>> for Stop<RestoreFailure> {
    fn from(stop: Stop<Unusable>) -> Self {
        match stop {
            Stop::LetGo(let_go) => Self::LetGo(let_go),
            Stop::Failed(Unusable { set, detail }) => {
                Self::Failed(RestoreFailure::BackupUnreadable { set: set.0, detail })
            }
        }
    }
}

impl From<Stop<Lost>> for Stop<RestoreFailure> {
    fn from(stop: Stop<Lost>) -> Self {
        Self::Failed(match stop {
            Stop::LetGo(let_go) => return Self::LetGo(let_go),
            Stop::Failed(Lost::Gone { instance, .. }) => RestoreFailure::InstanceGone { instance },
            Stop::Failed(Lost::Unreachable { detail, .. }) => RestoreFailure::Unreachable { detail },
            Stop::Failed(Lost::Older { side, detail }) => RestoreFailure::Refused { object: side.to_string(), detail },
        })
    }
}

/// The backup as of the moment that is restored.
pub struct Backup {
    /// What the full set holds.
    pub manifest: Manifest,
    /// Definitions and changed rows.
    pub state: State,
}

/// Reads the backup of a restore; chunks of rows are left for later.
///
/// # Errors
/// When the lease is over, or a set cannot be used.
pub async fn read(shelf: &Shelf, lease: &mut impl Keeper, job: &RestoreJob) -> Result<Backup, Stop<Unusable>> {
    let manifest = shelf.manifest(lease).await?;
    let mut state = State::begin(&manifest, job.types.contains(&RestoreType::Full));
    let wanted = |change: &Change| job.until.is_none_or(|until| change.at <= until);
    if job.until.is_some_and(|until| until < manifest.snapshot.at) {
        let why = format!("it begins at {}, after the time asked for", manifest.snapshot.at);
        return Err(Stop::Failed(shelf.unusable(Part::Manifest, why)));
    }
    for number in 0..manifest.tail_parts {
        for change in shelf.tail(lease, &manifest, number).await?.iter().filter(|change| wanted(change)) {
            let taken = state.take(change);
            taken.map_err(|why| Stop::Failed(shelf.unusable(Part::Tail { number }, why)))?;
        }
    }
    let Some(until) = job.until.filter(|until| *until > manifest.completion.at) else {
        return Ok(Backup { manifest, state });
    };
    let mut log = LogWalk::new(&job.logs, manifest.completion.position, until);
    while let Some((part, segment)) = log.next(shelf, lease).await? {
        for change in segment.changes.iter().filter(|change| wanted(change)) {
            let taken = state.take(change);
            taken.map_err(|why| Stop::Failed(shelf.of(&part.0).unusable(part.1, why)))?;
        }
    }
    Ok(Backup { manifest, state })
}

/// Segments of log sets in order, from a position to a time; each change comes once.
pub struct LogWalk<'a> {
    logs: &'a [LogPart],
    set: usize,
    segment: u64,
    reached: u64,
    until: Timestamp,
}

/// A log set and a part of it.
type Place = (crate::model::SetId, Part);

impl<'a> LogWalk<'a> {
    /// After a position and up to and including a time.
    #[must_use]
    pub fn new(logs: &'a [LogPart], after: u64, until: Timestamp) -> Self {
        Self { logs, set: 0, segment: 0, reached: after, until }
    }

    /// The next segment, without the changes before the position reached; nothing when the time is reached.
    ///
    /// # Errors
    /// When the lease is over, a segment cannot be used, or it does not join the one before.
    pub async fn next(
        &mut self,
        shelf: &Shelf,
        lease: &mut impl Keeper,
    ) -> Result<Option<(Place, Segment)>, Stop<Unusable>> {
        loop {
            let Some(log) = self.logs.get(self.set) else {
                return Ok(None);
            };
            let part = Part::Log { segment: self.segment };
            let shelf = shelf.of(&log.set);
            if self.segment == 0 && self.set == 0 && log.from_position > self.reached {
                let why =
                    format!("it begins after position {}, the backup ends at {}", log.from_position, self.reached);
                return Err(Stop::Failed(shelf.unusable(part, why)));
            }
            if self.segment >= log.segments {
                // One log set ends where the next begins, whether or not there were changes in between.
                (self.set, self.segment) = (self.set + 1, 0);
                let begins = self.logs.get(self.set).map_or(0, |next| next.from_position);
                self.reached = self.reached.max(begins);
                continue;
            }
            let mut segment: Segment = shelf.get(lease, part).await?.body;
            self.segment += 1;
            if segment.after.at >= self.until {
                self.set = self.logs.len();
                return Ok(None);
            }
            if segment.to.position < segment.after.position || segment.after.position < log.from_position {
                return Err(Stop::Failed(shelf.unusable(part, "it does not belong where it is")));
            }
            let reached = self.reached;
            segment.changes.retain(|change| change.position > reached);
            self.reached = reached.max(segment.to.position);
            return Ok(Some(((log.set.clone(), part), segment)));
        }
    }
}
