//! Which backups of a Redis instance must be in a listing, and which must not (RED-07, RED-11, RED-12).

use super::witness::KEPT;
use crate::checks::temporary::witness::{released_by_user, skewed};
use crate::history::lens::Lens;
use crate::history::lens::redis::{BackupStory, Listing};
use jiff::SignedDuration;

/// Near the edge, seen from both sides.
pub const NEAR: SignedDuration = SignedDuration::from_hours(24);

/// How old a backup is at a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// It must be kept.
    Kept,
    /// It must be gone.
    Over,
    /// It may be either.
    Edge,
}

/// How old a complete backup is for a listing; `None` where clocks were wrong or its instance was released.
pub fn age(lens: &Lens<'_>, backup: &BackupStory<'_>, at: jiff::Timestamp, asked_at: jiff::Timestamp) -> Option<Age> {
    let ended_at = backup.complete()?.it.ended_at?;
    let of = lens.instance(&backup.first.instance)?;
    if skewed(lens) || released_by_user(lens, of, at) {
        return None;
    }
    Some(if at < backup.first.began_at + KEPT {
        Age::Kept
    } else if asked_at >= ended_at + KEPT {
        Age::Over
    } else {
        Age::Edge
    })
}

/// Whether a backup begins within the range of a listing, both ends included.
pub fn in_range(backup: &BackupStory<'_>, listing: &Listing<'_>) -> bool {
    let began_at = backup.first.began_at;
    listing.from.is_none_or(|from| from <= began_at) && listing.to.is_none_or(|to| began_at <= to)
}

/// When a listing was asked for: the answer speaks of a moment between that and the event.
pub fn asked_at(lens: &Lens<'_>, listing: &Listing<'_>) -> jiff::Timestamp {
    crate::checks::temporary::witness::asked_at(lens, listing.index)
}
