//! A backup does not slow the instance down nor take it out of service (RED-04).

use super::RedisViolation;
use crate::checks::Finding;
use crate::checks::temporary::witness::{engaged, faulted_before, is_fresh};
use crate::history::What;
use crate::history::lens::redis::BackupStory;
use crate::history::lens::{Lens, Seen};
use jiff::SignedDuration;
use recovery::model::InstanceId;
use recovery::model::instance::InstanceState;
use recovery::ports::database::DatabaseError;

/// How much longer than ever without a backup an answer may take, where many were seen.
const LONGER: SignedDuration = SignedDuration::from_millis(20);
/// The same where few were seen, beside twice the longest.
const LONGER_OF_FEW: SignedDuration = SignedDuration::from_millis(50);
/// From how many on answers are many.
const MANY: usize = 10;

/// What an event says of an instance's service.
enum Service {
    /// It answered, and how long that took.
    Answered(SignedDuration),
    /// It did not answer.
    Silent,
    /// It was in another state.
    Stopped(InstanceState),
}

/// Compares answers of an instance while a backup of it is taken with its answers at other times.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for story in lens.redis_instances() {
        let backups: Vec<_> = lens.redis_backups().filter(|backup| backup.first.instance == *story.id).collect();
        let events = lens.history.events.iter().enumerate();
        let all: Vec<_> = events
            .filter_map(|(index, event)| Some((index, event.at, service(lens, story.id, index, &event.what)?)))
            .collect();
        let inside = |index: usize| backups.iter().any(|backup| during(lens, backup, index));
        let calm = all.iter().filter(|(index, ..)| !inside(*index)).filter_map(|(_, _, service)| match service {
            Service::Answered(took) => Some(*took),
            _ => None,
        });
        let Some(bound) = bound(&calm.collect::<Vec<_>>()) else { continue };
        for (index, at, service) in all.iter().filter(|(index, ..)| inside(*index)) {
            if faulted_before(lens, *index) {
                break;
            }
            let instance = story.id.clone();
            let violation = match service {
                Service::Answered(took) if *took > bound => {
                    Some(RedisViolation::Slowed { instance, took_ms: took.as_millis() as i64 })
                }
                Service::Answered(_) => None,
                Service::Silent => Some(RedisViolation::Silent { instance }),
                Service::Stopped(state) => Some(RedisViolation::StoppedForBackup { instance, state: *state }),
            };
            finding.judge(&Seen { index: *index, at: *at, it: &() }, violation);
        }
    }
    finding
}

/// How long an answer may take by what was seen without a backup; nothing where nothing was.
fn bound(calm: &[SignedDuration]) -> Option<SignedDuration> {
    let longest = *calm.iter().max()?;
    Some(if calm.len() < MANY { longest * 2 + LONGER_OF_FEW } else { longest + LONGER.max(longest / 2) })
}

/// Whether an event was wholly within the taking of a backup.
fn during(lens: &Lens<'_>, backup: &BackupStory<'_>, index: usize) -> bool {
    let at = lens.history.events[index].at;
    let over = backup.views.iter().find_map(|seen| seen.it.ended_at);
    at >= backup.first.began_at && over.is_some_and(|over| at <= over)
}

fn service(lens: &Lens<'_>, instance: &InstanceId, index: usize, what: &What) -> Option<Service> {
    let at = lens.history.events[index].at;
    // Who has the instance recovered or released takes it out of service, whatever else is done to it.
    let silent = || (!engaged(lens, instance, index)).then_some(Service::Silent);
    match what {
        What::Statement(it) if it.instance == *instance => match &it.outcome {
            Err(DatabaseError::Unreachable(_)) => silent(),
            _ => Some(Service::Answered(at.duration_since(it.sent_at))),
        },
        What::Ledger(it) if it.instance == *instance => {
            // A refusal is an answer: the account may have lost its rights.
            if it.acknowledged || it.refused {
                Some(Service::Answered(at.duration_since(it.sent_at)))
            } else {
                silent()
            }
        }
        What::InstanceSeen(view)
            if view.id == *instance && is_fresh(lens, index) && !engaged(lens, instance, index) =>
        {
            (view.state != InstanceState::Running && view.created_at.is_some()).then_some(Service::Stopped(view.state))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::redis::made_up::{backup, cache, holds, show, wrong};
    use crate::checks::testing::{Story, done, span};
    use crate::history::LedgerEntry;
    use recovery::model::views::InstanceView;
    use serde_json::json;

    fn story(during: impl Fn(&mut Story)) -> Story {
        let mut story = Story::new();
        story.see(&cache()).statement("r-1", "get a", done()).wait("1s");
        let began_at = story.now;
        story.wait("100ms");
        during(&mut story);
        story.now = began_at + span("2s");
        show(&mut story, &backup("bk-1", began_at));
        story
    }

    fn takes(story: &mut Story, time: &str) {
        let sent_at = story.now;
        story.wait(time).statement("r-1", "get a", done());
        if let Some(What::Statement(it)) = story.history.events.last_mut().map(|event| &mut event.what) {
            it.sent_at = sent_at;
        }
    }

    #[test]
    fn a_slow_answer_while_a_backup_is_taken_is_found() {
        let found = wrong(&story(|story| takes(story, "400ms")), check);
        assert!(matches!(found[..], [RedisViolation::Slowed { took_ms: 400, .. }]));
    }

    #[test]
    fn the_more_answers_were_seen_the_less_a_backup_may_slow_them() {
        let often = |time: &str| {
            story(|story| {
                takes(story, time);
                story.wait("4s");
                (0..MANY).for_each(|_| takes(story, "5ms"));
            })
        };
        let found = wrong(&often("30ms"), check);
        assert!(matches!(found[..], [RedisViolation::Slowed { took_ms: 30, .. }]));
        holds(&often("24ms"), check, 1);
        holds(&story(|story| takes(story, "30ms")), check, 1);
    }

    #[test]
    fn a_row_of_the_application_that_is_refused_was_answered_and_one_that_is_not_was_not() {
        let row = |refused| {
            story(move |story| {
                let (instance, sent_at) = ("r-1".into(), story.now);
                let (database, table) = ("0".into(), "visit".into());
                let entry = LedgerEntry { instance, database, table, id: 1, sent_at, acknowledged: false, refused };
                story.wait("5ms").push(What::Ledger(entry));
            })
        };
        holds(&row(true), check, 1);
        assert!(matches!(wrong(&row(false), check)[..], [RedisViolation::Silent { .. }]));
    }

    #[test]
    fn silence_once_a_recovery_was_asked_for_is_not_the_backups() {
        let unanswered = |recovered: bool| {
            story(move |story| {
                if recovered {
                    story.call("POST /v1/instances/r-1/recovery", json!({"backup_id": "bk-0"}), 202, json!({}));
                }
                story.statement("r-1", "get a", Err(DatabaseError::Unreachable("r-1: LOADING".into())));
            })
        };
        assert!(matches!(wrong(&unanswered(false), check)[..], [RedisViolation::Silent { .. }]));
        holds(&unanswered(true), check, 0);
    }

    #[test]
    fn an_instance_that_stops_for_its_backup_is_found() {
        let stopped = InstanceView { state: InstanceState::Rebooting, ..cache() };
        let found = wrong(
            &story(|story| {
                story.see(&stopped);
            }),
            check,
        );
        assert!(matches!(found[..], [RedisViolation::StoppedForBackup { .. }]));
    }

    #[test]
    fn answers_as_ever_hold_and_a_backup_nobody_disturbs_exercises_nothing() {
        holds(&story(|story| takes(story, "2ms")), check, 1);
        holds(&story(|_| {}), check, 0);
    }
}
