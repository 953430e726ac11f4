//! A confirmed recovery makes the instance itself hold the backup and nothing else, and touches no other (RED-21).

use super::RedisViolation;
use super::witness::{appearances, difference, keys, states, strange};
use crate::checks::Finding;
use crate::checks::temporary::truth::{data_difference, untouched};
use crate::history::lens::Lens;

/// Compares each recovered instance with the backup, and other instances before and after.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for appearance in appearances(lens).into_iter().filter(|appearance| !appearance.cloned) {
        let Some(story) = lens.backup(&appearance.backup) else { continue };
        if let Some(differs) = states(lens, story).and_then(|states| strange(&states, &appearance.shot)) {
            let (instance, backup) = (appearance.into.clone(), appearance.backup.clone());
            let violation =
                differs.map(|difference| RedisViolation::RecoveredOtherwise { instance, backup, difference });
            finding.judge(&appearance.shot, violation);
        }
        for other in lens.instances().filter(|other| *other.id != appearance.into) {
            let Some(before) = lens.shot_before(other.id, appearance.call.index) else { continue };
            let Some(after) = lens.shots(other.id).find(|shot| shot.index > appearance.shot.index) else { continue };
            if !untouched(lens, other.id, &before, after.at) {
                continue;
            }
            let (want, got) = (&before.it.photograph, &after.it.photograph);
            let differs = match (lens.is_redis(other.id), keys(want, after.at), keys(got, after.at)) {
                (true, Some(want), Some(got)) => difference(&want, &got),
                _ => data_difference(want, got),
            };
            let (instance, by) = (other.id.clone(), appearance.into.clone());
            if let Some(difference) = differs {
                finding.judge(&after, Some(RedisViolation::OtherChanged { instance, by, difference }));
            }
        }
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::redis::made_up::{backed_up, holds, keys as timed, recover, texts, wrong};
    use crate::checks::temporary::Difference;
    use crate::checks::testing::{Story, done, master, span, start};
    use recovery::model::photograph::Photograph;

    fn story(after: &Photograph) -> Story {
        let mut story = backed_up(&texts(&[("a", "1"), ("b", "2")]));
        story.statement("r-1", "set c 3", done()).shot("r-1", &texts(&[("a", "1"), ("b", "2"), ("c", "3")]));
        recover(&mut story, after);
        story
    }

    #[test]
    fn a_newer_key_that_stays_and_a_part_that_is_missing_are_found() {
        let extra = Difference::Extra { what: "key c of 0".into() };
        let missing = Difference::Missing { what: "key b of 0".into() };
        for (after, difference) in
            [(texts(&[("a", "1"), ("b", "2"), ("c", "3")]), extra), (texts(&[("a", "1")]), missing)]
        {
            let (instance, backup) = ("r-1".into(), "bk-1".into());
            let expected = RedisViolation::RecoveredOtherwise { instance, backup, difference };
            assert_eq!(wrong(&story(&after), check), vec![expected]);
        }
    }

    #[test]
    fn data_that_land_elsewhere_are_found() {
        let mut story = backed_up(&texts(&[("a", "1")]));
        story.see(&master("r-9", "redis 5.0")).shot("r-9", &texts(&[]));
        recover(&mut story, &texts(&[("a", "1")]));
        story.shot("r-9", &texts(&[("a", "1")]));
        assert!(matches!(wrong(&story, check)[..], [RedisViolation::OtherChanged { .. }]));
    }

    #[test]
    fn exactly_the_backup_holds() {
        holds(&story(&texts(&[("a", "1"), ("b", "2")])), check, 1);
    }

    #[test]
    fn keys_whose_time_is_over_by_then_need_not_come() {
        let over = start() + span("12s");
        let mut story = backed_up(&timed(&[("a", "1", None), ("b", "2", Some(over))]));
        recover(&mut story, &texts(&[("a", "1")]));
        holds(&story, check, 1);
    }
}
