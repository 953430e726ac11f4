//! Automatic and manual backups are both put into storage whole (RED-14).

use super::RedisViolation;
use super::files::attempts;
use super::listings::Age;
use crate::checks::Finding;
use crate::checks::temporary::witness::faulted_before;
use crate::history::lens::Lens;
use recovery::model::BackupId;
use std::collections::BTreeMap;

/// Looks at every file fetched within seven days: that it is there, as large as the backup says, and the same each time.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    let mut sums: BTreeMap<&BackupId, &str> = BTreeMap::new();
    for attempt in attempts(lens).filter(|attempt| attempt.age == Age::Kept) {
        let (backup, file) = (attempt.story.id.clone(), &attempt.file);
        if file.status != 200 {
            if !faulted_before(lens, attempt.seen.index) && (400..500).contains(&file.status) {
                let (mode, status) = (attempt.story.first.mode, file.status);
                finding.judge(&attempt.seen, Some(RedisViolation::NotArchived { backup, mode, status }));
            }
            continue;
        }
        let told = attempt.story.complete().and_then(|seen| seen.it.size_bytes);
        let other = *sums.entry(file.backup).or_insert(file.sha256) != file.sha256;
        let wrong = other || file.size_bytes == 0 || told.is_some_and(|told| told != file.size_bytes);
        finding
            .judge(&attempt.seen, wrong.then_some(RedisViolation::FileDiffers { backup, size_bytes: file.size_bytes }));
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::redis::made_up::{backup, cache, holds, show, wrong};
    use crate::checks::testing::{Story, start};
    use crate::history::What;

    fn story(status: u16, sizes: &[u64]) -> Story {
        let mut story = Story::new();
        story.see(&cache()).wait("1s");
        show(&mut story, &backup("bk-1", start()));
        story.wait("1h");
        for size in sizes {
            let (path, sha256) = ("/v1/downloads/x".into(), "00".into());
            story.push(What::Downloaded { backup: "bk-1".into(), path, status, size_bytes: *size, sha256 });
        }
        story
    }

    #[test]
    fn a_backup_without_a_file_is_found() {
        assert!(matches!(wrong(&story(404, &[0]), check)[..], [RedisViolation::NotArchived { status: 404, .. }]));
    }

    #[test]
    fn a_file_of_another_size_is_found() {
        assert!(matches!(wrong(&story(200, &[7]), check)[..], [RedisViolation::FileDiffers { size_bytes: 7, .. }]));
    }

    #[test]
    fn the_same_whole_file_each_time_holds() {
        holds(&story(200, &[10, 10]), check, 2);
    }
}
