//! The link to a backup file works as long as the backup is there, and dies with it on the seventh day (RED-16, RED-17).

use super::RedisViolation;
use super::files::attempts;
use super::listings::{Age, age};
use crate::checks::Finding;
use crate::checks::temporary::witness::faulted_before;
use crate::history::lens::Lens;

/// Judges fetched files, and requests for a link, by how old the backup was.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for attempt in attempts(lens) {
        let (backup, status) = (attempt.story.id.clone(), attempt.file.status);
        let violation = match (attempt.age, status) {
            (Age::Kept, 200) | (Age::Over, 400..=499) => None,
            (Age::Over, 200..=299) => Some(RedisViolation::DownloadedTooLate { backup }),
            (Age::Kept, 400..=499) if !faulted_before(lens, attempt.seen.index) => {
                Some(RedisViolation::LinkDead { backup, status })
            }
            _ => continue,
        };
        finding.judge(&attempt.seen, violation);
    }
    for (call, found) in lens.calls_to("POST /v1/backups/{}/download") {
        let Some(story) = lens.redis_backups().find(|story| story.id.as_str() == found[0]) else { continue };
        let backup = story.id.clone();
        let Some(age) = age(lens, story, call.at, call.it.sent_at) else { continue };
        let first =
            call.it.key.is_none() || !lens.calls().any(|other| other.index < call.index && other.it.key == call.it.key);
        match (age, call.it.accepted(), call.it.status) {
            (Age::Over, true, _) if first => finding.judge(&call, Some(RedisViolation::DownloadedTooLate { backup })),
            (Age::Over, false, Some(400..=499)) => finding.judge(&call, None::<RedisViolation>),
            (Age::Kept, false, Some(status @ (403 | 404)))
                if story.complete().is_some_and(|done| done.index < call.index) =>
            {
                finding.judge(&call, Some(RedisViolation::LinkDead { backup, status }));
            }
            _ => {}
        }
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::redis::made_up::{backup, cache, holds, show, wrong};
    use crate::checks::testing::{Story, start};
    use crate::history::What;
    use serde_json::json;

    fn fetch(after: &str, status: u16) -> Story {
        let mut story = Story::new();
        story.see(&cache()).wait("1s");
        show(&mut story, &backup("bk-1", start()));
        story.go_to("1s").wait(after);
        let (path, sha256) = ("/v1/downloads/x".into(), "00".into());
        story.push(What::Downloaded { backup: "bk-1".into(), path, status, size_bytes: 10, sha256 });
        story
    }

    #[test]
    fn a_file_fetched_after_the_seventh_day_is_found() {
        let backup = "bk-1".into();
        assert_eq!(wrong(&fetch("168h 1s", 200), check), vec![RedisViolation::DownloadedTooLate { backup }]);
    }

    #[test]
    fn a_link_that_dies_early_is_found() {
        let backup = "bk-1".into();
        assert_eq!(wrong(&fetch("160h", 404), check), vec![RedisViolation::LinkDead { backup, status: 404 }]);
    }

    #[test]
    fn a_living_link_before_and_a_dead_one_after_hold() {
        holds(&fetch("160h", 200), check, 1);
        let mut story = fetch("168h 1s", 404);
        story.call("POST /v1/backups/bk-1/download", json!({}), 404, json!({"code": "InvalidBackupId.NotFound"}));
        holds(&story, check, 2);
    }
}
