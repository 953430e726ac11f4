//! Triggers and events made after the full set, which a restore to a point in time leaves behind (LOG-09, LOG-10).

use super::RestoreViolation;
use super::content::{chosen, words};
use super::scene::{Scene, scenes};
use crate::checks::Finding;
use crate::checks::migration::content::find;
use crate::history::lens::Lens;
use recovery::model::content::ObjectKind;
use std::collections::BTreeSet;

/// Triggers or events that the source was seen with after the full set and that the set lacks, by database and name;
/// they may have been dropped again. None where the set's content is not known.
pub fn made_later(lens: &Lens<'_>, scene: &Scene<'_, '_>, kind: ObjectKind) -> BTreeSet<(String, String)> {
    let (Some(set), Some(story)) = (scene.of_set, lens.set(&scene.view().backup_set)) else { return BTreeSet::new() };
    let mut found = BTreeSet::new();
    let later =
        lens.shots(scene.source).filter(|shot| shot.at >= story.first.began_at && shot.index < scene.done.index);
    for (database, held) in later.flat_map(|shot| &shot.it.photograph.databases) {
        for object in held.objects.values().filter(|object| object.kind == kind) {
            if find(set, database, kind, &object.name).is_none()
                && chosen(scene.view(), scene.databases, database, object)
            {
                found.insert((database.clone(), object.name.clone()));
            }
        }
    }
    found
}

/// Judges restores to a point in time of a source that was seen with such an object, those that ended early by what came.
pub fn stay_behind(lens: &Lens<'_>, kind: ObjectKind) -> Finding {
    let mut finding = Finding::default();
    for scene in scenes(lens).filter(|scene| scene.by_time() && scene.structure()) {
        for (database, name) in made_later(lens, &scene, kind) {
            if find(scene.was(), &database, kind, &name).is_none() {
                let came = find(scene.is(), &database, kind, &name).is_some();
                if !came && !scene.completed() {
                    continue;
                }
                let (task, object) = (scene.story.id.clone(), words(&database, kind, &name));
                finding.judge(&scene.after, came.then_some(RestoreViolation::LogObjectCame { task, object }));
            }
        }
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::restore::made_up::{Tale, holds, nothing, orders, with, wrong};
    use crate::checks::restore::{events_of_the_log_stay_behind, triggers_of_the_log_stay_behind};
    use recovery::model::logical::restore::RestoreStatus;
    use recovery::model::photograph::Photograph;

    fn with_trigger(held: Photograph) -> Photograph {
        with(held, ObjectKind::Trigger, "audit", "create trigger audit after insert on orders begin select 1; end")
    }

    fn with_event(held: Photograph) -> Photograph {
        with(held, ObjectKind::Event, "tidy", "create event tidy on schedule every 1 hour do delete from orders")
    }

    fn tale(at_mark: &Photograph, target: &Photograph) -> Tale {
        let mut tale = Tale::between(&orders(), &nothing());
        tale.story.statement("rm-1", "create something", crate::checks::testing::done());
        tale.placed().at_mark("later", at_mark).complete(at_mark, target);
        tale
    }

    #[test]
    fn a_trigger_of_the_log_that_comes_is_found() {
        let tale = tale(&with_trigger(orders()), &with_trigger(orders()));
        let (task, object) = ("rst-1".into(), "trigger audit of app".into());
        let found = wrong(&tale.story, triggers_of_the_log_stay_behind::check);
        assert_eq!(found, vec![RestoreViolation::LogObjectCame { task, object }]);
        holds(&tale.story, events_of_the_log_stay_behind::check, 0);
    }

    #[test]
    fn an_event_of_the_log_that_comes_is_found_and_one_that_stays_behind_holds() {
        let (task, object) = ("rst-1".into(), "event tidy of app".into());
        let found =
            wrong(&tale(&with_event(orders()), &with_event(orders())).story, events_of_the_log_stay_behind::check);
        assert_eq!(found, vec![RestoreViolation::LogObjectCame { task, object }]);
        holds(&tale(&with_event(orders()), &orders()).story, events_of_the_log_stay_behind::check, 1);
    }

    #[test]
    fn an_event_of_the_log_that_comes_is_found_though_the_restore_stopped() {
        let mut tale = Tale::between(&orders(), &nothing());
        tale.story.statement("rm-1", "create something", crate::checks::testing::done());
        tale.placed().at_mark("later", &with_event(orders())).begin();
        tale.end(RestoreStatus::Stopped).after(&with_event(orders()), &with_event(orders()));
        let found = wrong(&tale.story, events_of_the_log_stay_behind::check);
        assert!(matches!(found[..], [RestoreViolation::LogObjectCame { .. }]));
    }

    #[test]
    fn a_trigger_of_the_full_set_exercises_nothing() {
        let source = with_trigger(orders());
        let mut tale = Tale::between(&source, &nothing());
        tale.at_mark("later", &source).complete(&source, &source);
        holds(&tale.story, triggers_of_the_log_stay_behind::check, 0);
    }
}
