//! A failed task is taken up again by itself for seven days, if its failure may pass, and no longer (DTS-21).

use super::MigrationViolation;
use super::scene::follows;
use crate::checks::Finding;
use crate::checks::temporary::witness::{faulted_before, skewed};
use crate::history::lens::{Lens, Seen, TaskStory};
use jiff::SignedDuration;
use recovery::model::task::{TaskFailure, TaskStatus};
use recovery::model::views::TaskView;

/// How long a failed task is retried (DTS-21).
const RETRIED: SignedDuration = SignedDuration::from_hours(7 * 24);
/// So long before the end of the seven days a next attempt must still be promised.
const LAST_DAY: SignedDuration = SignedDuration::from_hours(24);
/// How late a promised attempt may begin.
const LATE: SignedDuration = SignedDuration::from_hours(1);

/// Judges every spell of failure: from the first failed sight until the task made progress, ended, or was started by its
/// user.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for task in lens.tasks() {
        let mut spell: Option<Spell<'_>> = None;
        for (position, seen) in task.views.iter().enumerate() {
            let before = position.checked_sub(1).map(|earlier| task.views[earlier]);
            let started = before.is_some_and(|before| user_started(lens, task, &before, seen));
            let failed = seen.it.status == TaskStatus::MigrationFailed;
            if spell.as_ref().is_some_and(|spell| started || (failed && spell.first.it.progress != seen.it.progress)) {
                close(&mut finding, spell.take());
            }
            match (&mut spell, failed) {
                (None, true) => spell = Some(Spell::new(*seen, before)),
                (Some(spell), false)
                    if before.is_some_and(|before| before.it.status == TaskStatus::MigrationFailed) =>
                {
                    spell.resumed(lens, task, seen, before);
                }
                _ => {}
            }
            if let Some(spell) = spell.as_mut().filter(|_| failed) {
                spell.still_failed(lens, task, seen);
            }
        }
        close(&mut finding, spell);
    }
    finding
}

/// A spell of failure and what came of it.
struct Spell<'a> {
    first: Seen<'a, TaskView>,
    earliest: jiff::Timestamp,
    exercised: bool,
    wrong: Option<(Seen<'a, TaskView>, MigrationViolation)>,
}

fn close(finding: &mut Finding, spell: Option<Spell<'_>>) {
    match spell {
        Some(Spell { wrong: Some((seen, violation)), .. }) => finding.judge(&seen, Some(violation)),
        Some(Spell { exercised: true, first, .. }) => finding.judge(&first, None::<MigrationViolation>),
        _ => {}
    }
}

fn may_pass(failure: Option<&TaskFailure>) -> bool {
    matches!(failure, Some(TaskFailure::Unreachable { .. } | TaskFailure::Refused { .. }))
}

fn user_started<'a>(
    lens: &Lens<'a>,
    task: &TaskStory<'a>,
    before: &Seen<'_, TaskView>,
    seen: &Seen<'_, TaskView>,
) -> bool {
    lens.calls_of_task(task.id).any(|(call, verb)| {
        matches!(verb, "start" | "resume")
            && !call.it.refused()
            && call.index > before.index
            && call.it.sent_at <= seen.at
    })
}

impl<'a> Spell<'a> {
    fn new(first: Seen<'a, TaskView>, before: Option<Seen<'a, TaskView>>) -> Self {
        Self { first, earliest: before.map_or(first.at, |before| before.at), exercised: false, wrong: None }
    }

    fn accuse(&mut self, seen: &Seen<'a, TaskView>, violation: MigrationViolation) {
        self.wrong.get_or_insert((*seen, violation));
    }

    /// Attempts of an incremental task may go well without a trace, and then the seven days count from anew.
    fn datable(&self, lens: &Lens<'_>) -> bool {
        !skewed(lens) && !follows(self.first.it)
    }

    fn resumed(
        &mut self,
        lens: &Lens<'_>,
        task: &TaskStory<'a>,
        seen: &Seen<'a, TaskView>,
        before: Option<Seen<'a, TaskView>>,
    ) {
        self.exercised = true;
        if seen.it.status != TaskStatus::Migrating && seen.it.status != TaskStatus::Finished {
            return;
        }
        let (task, last) = (task.id.clone(), before.unwrap_or(self.first));
        if let Some(failure) = last.it.failure.as_ref().filter(|failure| !may_pass(Some(failure))) {
            let failure =
                serde_json::to_value(failure).ok().and_then(|value| Some(value.get("reason")?.as_str()?.to_owned()));
            self.accuse(seen, MigrationViolation::RetriedInVain { task, failure: failure.unwrap_or_default() });
        } else if self.datable(lens) && self.first.it.progress == last.it.progress && last.at > self.first.at + RETRIED
        {
            self.accuse(
                seen,
                MigrationViolation::RetriedTooLate { task, failed_at: self.first.at, retried_at: seen.at },
            );
        }
    }

    fn still_failed(&mut self, lens: &Lens<'_>, task: &TaskStory<'a>, seen: &Seen<'a, TaskView>) {
        let (task, failed_at, seen_at) = (task.id.clone(), self.first.at, seen.at);
        if !may_pass(seen.it.failure.as_ref()) {
            self.exercised |= seen_at > failed_at + LATE;
            return;
        }
        self.exercised |= seen_at > failed_at + RETRIED;
        match seen.it.retry_at {
            Some(retried_at) if self.datable(lens) && retried_at > failed_at + RETRIED => {
                self.accuse(seen, MigrationViolation::RetriedTooLate { task, failed_at, retried_at });
            }
            Some(retry_at) if !skewed(lens) && !faulted_before(lens, seen.index) && seen_at > retry_at + LATE => {
                self.accuse(seen, MigrationViolation::NotRetried { task, failed_at, seen_at });
            }
            None if !skewed(lens) && seen_at < self.earliest + RETRIED - LAST_DAY => {
                self.accuse(seen, MigrationViolation::NotRetried { task, failed_at, seen_at });
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::migration::made_up::{Plot, holds, nothing, orders, wrong};
    use crate::checks::testing::span;

    fn refused() -> TaskFailure {
        TaskFailure::Refused { side: "target".into(), detail: "read only".into() }
    }

    fn failed(failure: TaskFailure, retry_in: Option<&str>) -> Plot {
        let mut plot = Plot::between(&orders(), &nothing());
        plot.begin();
        plot.task.failure = Some(failure);
        plot.task.retry_at = retry_in.map(|text| plot.story.now + span(text));
        plot.sight(TaskStatus::MigrationFailed);
        plot
    }

    #[test]
    fn a_failure_that_passes_and_is_retried_holds() {
        let mut plot = failed(refused(), Some("1m"));
        plot.story.wait("1m");
        plot.sight(TaskStatus::Migrating).finish();
        holds(&plot.story, check, 1);
    }

    #[test]
    fn a_retry_after_seven_days_is_found_promised_or_done() {
        let plot = failed(refused(), Some("200h"));
        assert!(matches!(wrong(&plot.story, check)[..], [MigrationViolation::RetriedTooLate { .. }]));
        let mut plot = failed(refused(), Some("1m"));
        plot.story.wait("170h");
        plot.task.retry_at = None;
        plot.task.failure = Some(refused());
        plot.sight(TaskStatus::MigrationFailed).story.wait("1h");
        plot.sight(TaskStatus::Migrating);
        assert!(matches!(wrong(&plot.story, check)[..], [MigrationViolation::RetriedTooLate { .. }]));
    }

    #[test]
    fn a_task_that_gives_up_too_soon_is_found_and_one_that_does_after_seven_days_holds() {
        let plot = failed(refused(), None);
        assert!(matches!(wrong(&plot.story, check)[..], [MigrationViolation::NotRetried { .. }]));
        let mut plot = failed(refused(), Some("1m"));
        plot.story.wait("170h");
        plot.task.retry_at = None;
        plot.sight(TaskStatus::MigrationFailed);
        holds(&plot.story, check, 1);
    }

    #[test]
    fn a_failure_that_does_not_pass_is_not_retried() {
        let ddl = TaskFailure::DdlDuringMigration { object: "app.orders".into() };
        let mut plot = failed(ddl.clone(), None);
        plot.sight(TaskStatus::Migrating);
        let expected =
            MigrationViolation::RetriedInVain { task: "dts-1".into(), failure: "ddl-during-migration".into() };
        assert_eq!(wrong(&plot.story, check), vec![expected]);
        let mut plot = failed(ddl, None);
        plot.story.wait("2h");
        plot.sight(TaskStatus::MigrationFailed);
        holds(&plot.story, check, 1);
    }

    #[test]
    fn a_user_who_starts_it_and_a_failure_just_seen_exercise_nothing() {
        holds(&failed(refused(), Some("1m")).story, check, 0);
        let mut plot = failed(refused(), Some("1m"));
        plot.ask("start").sight(TaskStatus::Migrating);
        holds(&plot.story, check, 0);
    }
}
