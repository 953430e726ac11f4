//! A Redis backup is there for seven days and no longer (RED-07, RED-12, RED-15, RED-16).

use super::RedisViolation;
use super::listings::{Age, NEAR, age, asked_at, in_range};
use super::witness::KEPT;
use crate::checks::Finding;
use crate::history::lens::Lens;

/// Looks for each complete backup in later listings, and at requests for it by its id. What is far from the edge on the
/// inner side puts nothing to the test.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for story in lens.redis_backups() {
        let Some(done) = story.complete() else { continue };
        let backup = story.id.clone();
        let near = |at: jiff::Timestamp| at.duration_since(story.first.began_at) + NEAR >= KEPT;
        for listing in lens.redis_listings().filter(|it| *it.of == story.first.instance && it.index > done.index) {
            let listed = listing.ids.contains(story.id);
            let seen = crate::history::lens::Seen { index: listing.index, at: listing.at, it: &() };
            let backup = backup.clone();
            match age(lens, story, listing.at, asked_at(lens, &listing)) {
                Some(Age::Kept) if in_range(story, &listing) && (near(listing.at) || !listed) => {
                    finding.judge(&seen, (!listed).then_some(RedisViolation::GoneTooEarly { backup, at: listing.at }));
                }
                Some(Age::Over) => {
                    finding.judge(&seen, listed.then_some(RedisViolation::KeptTooLong { backup, at: listing.at }));
                }
                _ => {}
            }
        }
        let path = format!("/v1/backups/{}", story.id);
        for call in
            lens.calls().filter(|call| call.index > done.index && call.it.path == path && call.it.method == "GET")
        {
            let backup = backup.clone();
            match (age(lens, story, call.at, call.it.sent_at), call.it.accepted()) {
                (Some(Age::Kept), false) if call.it.status == Some(404) => {
                    finding.judge(&call, Some(RedisViolation::GoneTooEarly { backup, at: call.at }));
                }
                (Some(Age::Kept), true) if near(call.at) => finding.judge(&call, None::<RedisViolation>),
                (Some(Age::Over), there) if there || call.it.refused() => {
                    finding.judge(&call, there.then_some(RedisViolation::KeptTooLong { backup, at: call.at }));
                }
                _ => {}
            }
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

    /// A list a span after the backup ended.
    fn listed(story: &mut Story, after: &str, there: bool) {
        story.go_to("1s").wait(after);
        let ids = if there { vec!["bk-1".into()] } else { vec![] };
        story.push(What::BackupsListed { of: "r-1".into(), from: None, to: None, ids });
    }

    fn story() -> Story {
        let mut story = Story::new();
        story.see(&cache()).wait("1s");
        show(&mut story, &backup("bk-1", start()));
        story
    }

    #[test]
    fn a_backup_that_is_gone_before_its_seventh_day_is_over_is_found() {
        let mut story = story();
        listed(&mut story, "167h 59m 58s", false);
        assert!(matches!(wrong(&story, check)[..], [RedisViolation::GoneTooEarly { .. }]));
    }

    #[test]
    fn a_backup_that_is_there_after_its_seventh_day_is_found() {
        let mut story = story();
        listed(&mut story, "168h", true);
        assert!(matches!(wrong(&story, check)[..], [RedisViolation::KeptTooLong { .. }]));
    }

    #[test]
    fn both_sides_of_the_edge_hold_and_a_young_backup_exercises_nothing() {
        let mut story = story();
        listed(&mut story, "24h", true);
        holds(&story, check, 0);
        listed(&mut story, "167h 59m 58s", true);
        listed(&mut story, "168h", false);
        holds(&story, check, 2);
    }
}
