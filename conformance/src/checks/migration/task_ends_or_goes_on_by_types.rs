//! Without the incremental type a task ends by itself, with it never (DTS-11).

use super::MigrationViolation;
use super::scene::{asked, follows};
use crate::checks::Finding;
use crate::history::What;
use crate::history::lens::{Lens, TaskStory};
use jiff::SignedDuration;
use recovery::model::task::{MigrationType, PhaseStatus, TaskStatus};

/// How long after everything was healed a task may still be migrating.
const PATIENCE: SignedDuration = SignedDuration::from_hours(3);

/// Judges each incremental task that came to its last phase, and each other task that ended, or still migrates long after
/// everything was healed.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for task in lens.tasks() {
        let id = task.id.clone();
        let ended = task.first_in(TaskStatus::Finished);
        let by_itself = ended.filter(|seen| !asked(lens, task, &["stop"], seen.at));
        let began = task.started();
        match (began.is_some_and(|seen| follows(seen.it)), by_itself) {
            (true, Some(seen)) => finding.judge(&seen, Some(MigrationViolation::IncrementalEndedByItself { task: id })),
            (true, None) => {
                let phase = |status: Option<&PhaseStatus>| {
                    matches!(status, Some(PhaseStatus::Migrating | PhaseStatus::Catched))
                };
                if let Some(seen) =
                    task.views.iter().rev().find(|seen| phase(seen.it.phases.get(&MigrationType::Incremental)))
                {
                    finding.judge(seen, None::<MigrationViolation>);
                }
            }
            (false, Some(seen)) => finding.judge(&seen, None::<MigrationViolation>),
            (false, None) => {
                if let Some(seen) = task.views.last().filter(|_| ended.is_none() && stuck(lens, task)) {
                    finding.judge(seen, Some(MigrationViolation::TaskNeverEnded { task: id, status: seen.it.status }));
                }
            }
        }
    }
    finding
}

fn stuck(lens: &Lens<'_>, task: &TaskStory<'_>) -> bool {
    let healed = lens.history.events.iter().find(|event| matches!(event.what, What::Healed)).map(|event| event.at);
    let Some(healed) = healed else { return false };
    let since: Vec<_> = task.views.iter().filter(|seen| seen.at >= healed).collect();
    since.last().is_some_and(|last| last.at >= healed + PATIENCE)
        && since.iter().all(|seen| seen.it.status == TaskStatus::Migrating)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::migration::made_up::{Plot, holds, nothing, orders, wrong};

    const ALL: &[MigrationType] = &[MigrationType::Structure, MigrationType::Full, MigrationType::Incremental];

    #[test]
    fn an_incremental_task_that_ends_by_itself_is_found_and_a_stopped_one_holds() {
        let mut plot = Plot::of("mysql 5.7");
        plot.types(ALL).ready(&orders(), &nothing()).begin().finish();
        assert_eq!(
            wrong(&plot.story, check),
            vec![MigrationViolation::IncrementalEndedByItself { task: "dts-1".into() }]
        );
        let mut plot = Plot::of("mysql 5.7");
        plot.types(ALL)
            .ready(&orders(), &nothing())
            .begin()
            .phase(MigrationType::Incremental, PhaseStatus::Catched)
            .ask("stop")
            .finish();
        holds(&plot.story, check, 1);
    }

    #[test]
    fn a_task_that_still_migrates_long_after_healing_is_found() {
        let mut plot = Plot::between(&orders(), &nothing());
        plot.begin().story.push(What::Healed).wait("4h");
        plot.sight(TaskStatus::Migrating);
        let expected = MigrationViolation::TaskNeverEnded { task: "dts-1".into(), status: TaskStatus::Migrating };
        assert_eq!(wrong(&plot.story, check), vec![expected]);
    }

    #[test]
    fn a_task_that_ends_holds_and_one_on_its_way_exercises_nothing() {
        let mut plot = Plot::between(&orders(), &nothing());
        plot.begin();
        holds(&plot.story, check, 0);
        plot.finish();
        holds(&plot.story, check, 1);
    }
}
