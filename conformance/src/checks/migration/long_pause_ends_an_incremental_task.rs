//! Only a migrating task can be paused, and in the incremental phase for no more than six hours (DTS-22).

use super::MigrationViolation;
use crate::checks::Finding;
use crate::checks::temporary::witness::{faulted_before, skewed};
use crate::history::Call;
use crate::history::lens::{Lens, Seen, TaskStory};
use jiff::{SignedDuration, Timestamp};
use recovery::model::task::{MigrationType, PhaseStatus, TaskStatus};
use recovery::model::views::TaskView;

/// How long an incremental task may be paused (DTS-22).
const LONGEST: SignedDuration = SignedDuration::from_hours(6);
/// Times may be cut to whole seconds.
const SECOND: SignedDuration = SignedDuration::from_secs(1);
/// The refusal of a request that does not fit a task's status.
const STATUS: &str = "OperationDenied.TaskStatus";

/// Judges every pause, and every request to go on after one.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for task in lens.tasks() {
        let calls: Vec<(Seen<'_, Call>, &str)> =
            lens.calls_of_task(task.id).filter(|(call, _)| call.it.method != "GET").collect();
        let mut paused: Option<Seen<'_, Call>> = None;
        for (position, (call, verb)) in calls.iter().enumerate() {
            // A call without an answer may have had its effect, or have it later.
            let open =
                calls[..position].iter().any(|(earlier, _)| earlier.it.status.is_none_or(|status| status >= 500));
            if *verb == "pause"
                && !open
                && let Some(verdict) = pause_wrong(lens, task, call)
            {
                finding.judge(call, verdict);
            }
            if matches!(*verb, "resume" | "start")
                && !open
                && let Some(pause) = paused
                && let Some(verdict) = resume_wrong(lens, task, &pause, call)
            {
                finding.judge(call, verdict);
            }
            match *verb {
                "pause" if call.it.accepted() => paused = Some(*call),
                _ if call.it.accepted() => paused = None,
                _ => {}
            }
        }
        for (pause, _) in calls.iter().filter(|(call, verb)| *verb == "pause" && call.it.accepted()) {
            if let Some((seen, status)) = went_on(lens, task, pause) {
                finding.judge(&seen, Some(MigrationViolation::PauseEndedByItself { task: task.id.clone(), status }));
            }
        }
    }
    finding
}

type Verdict = Option<Option<MigrationViolation>>;

/// A pause while it is certain what the task was doing.
fn pause_wrong<'a>(lens: &Lens<'a>, task: &TaskStory<'a>, call: &Seen<'_, Call>) -> Verdict {
    let before = task.view_at(call.index)?;
    let disturbed = lens.calls_of_task(task.id).any(|(other, _)| {
        other.it.method != "GET" && other.index > before.index && other.index < call.index && !other.it.refused()
    });
    let still = matches!(
        before.it.status,
        TaskStatus::NotStarted | TaskStatus::PrecheckFailed | TaskStatus::PrecheckPassed | TaskStatus::Finished
    );
    if disturbed || call.it.status.is_none() {
        return None;
    }
    let id = task.id.clone();
    if still {
        let wrong = MigrationViolation::PausedOutOfTurn { task: id, status: before.it.status };
        return Some(call.it.accepted().then_some(wrong));
    }
    if before.it.status != TaskStatus::Migrating {
        return None;
    }
    // Another task may end or fail between two sights.
    let steady = follows_now(before.it) && !faulted_before(lens, call.index);
    let after = task.views.iter().find(|seen| seen.index > call.index);
    let still_migrating = after.is_some_and(|seen| seen.it.status == TaskStatus::Migrating && follows_now(seen.it));
    let refused = call.it.code() == Some(STATUS) && steady && still_migrating;
    (call.it.accepted() || refused).then(|| refused.then_some(MigrationViolation::PauseRefused { task: id }))
}

fn follows_now(view: &TaskView) -> bool {
    matches!(view.phases.get(&MigrationType::Incremental), Some(PhaseStatus::Migrating | PhaseStatus::Catched))
}

/// A request to go on after an accepted pause.
fn resume_wrong(lens: &Lens<'_>, task: &TaskStory<'_>, pause: &Seen<'_, Call>, call: &Seen<'_, Call>) -> Verdict {
    let paused = task.views.iter().find(|seen| seen.index > pause.index && seen.index < call.index)?;
    if paused.it.status != TaskStatus::Suspending || skewed(lens) {
        return None;
    }
    let (id, paused_at, asked_at) = (task.id.clone(), pause.at, call.it.sent_at);
    let too_long = call.it.sent_at > pause.at + LONGEST + SECOND;
    let short = call.at < pause.it.sent_at + LONGEST;
    let refused = call.it.code() == Some(STATUS);
    let late = MigrationViolation::ResumedTooLate { task: id.clone(), paused_at, resumed_at: asked_at };
    let denied = MigrationViolation::ResumeRefused { task: id, paused_at, asked_at };
    match (follows_now(paused.it), too_long, short) {
        (true, true, _) if call.it.accepted() || refused => Some(call.it.accepted().then_some(late)),
        (true, _, true) | (false, ..) if call.it.accepted() || refused => Some(refused.then_some(denied)),
        _ => None,
    }
}

/// A sight of a paused task that went on though nobody asked for it.
fn went_on<'a>(
    lens: &Lens<'a>,
    task: &TaskStory<'a>,
    pause: &Seen<'_, Call>,
) -> Option<(Seen<'a, TaskView>, TaskStatus)> {
    let paused = task.views.iter().find(|seen| seen.index > pause.index && seen.it.status == TaskStatus::Suspending)?;
    let next = task.views.iter().find(|seen| seen.index > paused.index && seen.it.status != TaskStatus::Suspending)?;
    let until: Timestamp = next.at;
    let asked = lens.calls_of_task(task.id).any(|(call, verb)| {
        matches!(verb, "resume" | "start" | "stop")
            && !call.it.refused()
            && call.index > pause.index
            && call.it.sent_at <= until
    });
    let on = matches!(next.it.status, TaskStatus::Migrating | TaskStatus::Finished);
    (on && !asked).then_some((*next, next.it.status))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::migration::made_up::{Plot, holds, nothing, orders, wrong};

    fn following() -> Plot {
        let mut plot = Plot::of("mysql 5.7");
        plot.types(&[MigrationType::Full, MigrationType::Incremental]).ready(&orders(), &nothing()).begin();
        plot.phase(MigrationType::Incremental, PhaseStatus::Catched);
        plot
    }

    fn paused(mut plot: Plot, span: &str) -> Plot {
        plot.ask("pause").sight(TaskStatus::Suspending).story.wait(span);
        plot
    }

    #[test]
    fn a_task_that_goes_on_after_too_long_a_pause_is_found_and_one_that_does_not_holds() {
        let mut plot = paused(following(), "6h 2s");
        plot.ask("resume").sight(TaskStatus::Migrating);
        assert!(matches!(wrong(&plot.story, check)[..], [MigrationViolation::ResumedTooLate { .. }]));
        let mut plot = paused(following(), "6h 2s");
        plot.refuse("resume");
        holds(&plot.story, check, 2);
    }

    #[test]
    fn a_task_that_may_not_go_on_after_a_short_pause_or_outside_the_incremental_phase_is_found() {
        let mut plot = paused(following(), "5h 59m");
        plot.refuse("resume");
        assert!(matches!(wrong(&plot.story, check)[..], [MigrationViolation::ResumeRefused { .. }]));
        let mut load = Plot::between(&orders(), &nothing());
        load.begin();
        let mut load = paused(load, "10h");
        load.refuse("resume");
        assert!(matches!(wrong(&load.story, check)[..], [MigrationViolation::ResumeRefused { .. }]));
    }

    #[test]
    fn short_pauses_and_long_ones_outside_the_incremental_phase_hold() {
        let mut plot = paused(following(), "5h 59m");
        plot.ask("resume").sight(TaskStatus::Migrating);
        holds(&plot.story, check, 2);
        let mut load = Plot::between(&orders(), &nothing());
        load.begin();
        let mut load = paused(load, "10h");
        load.ask("resume").sight(TaskStatus::Migrating);
        holds(&load.story, check, 2);
    }

    #[test]
    fn a_pause_of_a_task_that_does_not_migrate_is_refused() {
        let mut plot = Plot::between(&orders(), &nothing());
        plot.sight(TaskStatus::PrecheckPassed).refuse("pause");
        holds(&plot.story, check, 1);
        plot.ask("pause");
        let expected = MigrationViolation::PausedOutOfTurn { task: "dts-1".into(), status: TaskStatus::PrecheckPassed };
        assert_eq!(wrong(&plot.story, check), vec![expected]);
    }

    #[test]
    fn a_refused_pause_of_a_following_task_and_a_pause_that_ends_by_itself_are_found() {
        let mut plot = following();
        plot.refuse("pause").sight(TaskStatus::Migrating);
        assert_eq!(wrong(&plot.story, check), vec![MigrationViolation::PauseRefused { task: "dts-1".into() }]);
        let mut plot = paused(following(), "1h");
        plot.sight(TaskStatus::Migrating);
        let expected = MigrationViolation::PauseEndedByItself { task: "dts-1".into(), status: TaskStatus::Migrating };
        assert_eq!(wrong(&plot.story, check), vec![expected]);
    }

    #[test]
    fn without_a_pause_nothing_is_exercised() {
        holds(&following().story, check, 0);
    }
}
