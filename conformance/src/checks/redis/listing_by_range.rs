//! Earlier backups can be looked up by a range of time: all in it, and none outside (RED-11).

use super::RedisViolation;
use super::listings::{Age, age, asked_at, in_range};
use crate::checks::Finding;
use crate::history::lens::{Lens, Seen};

/// Judges listings with a range by when the backups known so far began.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for listing in lens.redis_listings().filter(|listing| listing.from.is_some() || listing.to.is_some()) {
        let own = || lens.redis_backups().filter(|story| story.first.instance == *listing.of);
        let outside = own().find(|story| listing.ids.contains(story.id) && !in_range(story, &listing));
        let missing = own().find(|story| {
            let known = story.complete().is_some_and(|done| done.index < listing.index);
            let kept = age(lens, story, listing.at, asked_at(lens, &listing)) == Some(Age::Kept);
            known && kept && in_range(story, &listing) && !listing.ids.contains(story.id)
        });
        let violation = match (outside, missing) {
            (Some(story), _) => Some(RedisViolation::ListedOutsideRange { backup: story.id.clone() }),
            (_, Some(story)) => Some(RedisViolation::MissingInRange { backup: story.id.clone() }),
            _ => None,
        };
        finding.judge(&Seen { index: listing.index, at: listing.at, it: &() }, violation);
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::redis::made_up::{backup, cache, holds, show, wrong};
    use crate::checks::testing::{Story, span, start};
    use crate::history::What;

    fn story(from: &str, ids: &[&str]) -> Story {
        let mut story = Story::new();
        story.see(&cache()).wait("1s");
        show(&mut story, &backup("bk-1", start()));
        story.wait("1h");
        let ids = ids.iter().map(|id| (*id).into()).collect();
        let (from, to) = (Some(start() + span(from)), Some(story.now));
        story.push(What::BackupsListed { of: "r-1".into(), from, to, ids });
        story
    }

    #[test]
    fn a_backup_outside_the_range_is_found() {
        let backup = "bk-1".into();
        assert_eq!(wrong(&story("1s", &["bk-1"]), check), vec![RedisViolation::ListedOutsideRange { backup }]);
    }

    #[test]
    fn a_backup_in_the_range_that_is_missing_is_found() {
        let backup = "bk-1".into();
        assert_eq!(wrong(&story("0s", &[]), check), vec![RedisViolation::MissingInRange { backup }]);
    }

    #[test]
    fn exactly_those_in_the_range_hold() {
        holds(&story("0s", &["bk-1"]), check, 1);
        holds(&story("1s", &[]), check, 1);
    }
}
