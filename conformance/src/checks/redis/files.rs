//! Attempts to fetch the file of a Redis backup: those within its seven days, and those after (RED-14, RED-16, RED-17).

use super::listings::{Age, age};
use crate::history::lens::redis::{BackupStory, Download};
use crate::history::lens::{Lens, Seen};
use jiff::SignedDuration;

/// How long before it came a file may have been asked for.
const MOMENT: SignedDuration = SignedDuration::from_millis(100);

/// One attempt.
pub struct Attempt<'l, 'a> {
    /// The event.
    pub seen: Seen<'a, ()>,
    /// The backup.
    pub story: &'l BackupStory<'a>,
    /// The fetched file.
    pub file: Download<'a>,
    /// How old the backup was.
    pub age: Age,
}

/// Attempts to fetch files of complete backups, in order.
pub fn attempts<'l, 'a>(lens: &'l Lens<'a>) -> impl Iterator<Item = Attempt<'l, 'a>> + use<'l, 'a> {
    lens.downloads().filter_map(move |(index, at, file)| {
        let story = lens.redis_backups().find(|story| story.id == file.backup)?;
        // The file was asked for a moment before the answer.
        let age = age(lens, story, at, at - MOMENT)?;
        Some(Attempt { seen: Seen { index, at, it: &() }, story, file, age })
    })
}
