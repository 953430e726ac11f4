//! Every migration is preceded by a precheck (TMP-42, SQL-44, CLN-39).

use super::TaskViolation;
use super::calls::asked_before;
use crate::checks::Finding;
use crate::checks::temporary::witness::skewed;
use crate::history::lens::{Lens, Seen, TaskStory};
use recovery::model::views::TaskView;

/// Judges every task that was seen to have started.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for task in lens.tasks() {
        let Some(started) = task.started() else { continue };
        let unchecked = !checked(lens, task, &started);
        finding.judge(&started, unchecked.then(|| TaskViolation::StartedUnchecked { task: task.id.clone() }));
    }
    finding
}

/// Whether a precheck was asked for, and ended before the task started.
fn checked<'a>(lens: &Lens<'a>, task: &TaskStory<'a>, started: &Seen<'_, TaskView>) -> bool {
    let asked = ["precheck", "start"].into_iter().any(|step| asked_before(lens, task, step, started.index));
    let earlier = task.views.iter().filter(|seen| seen.index <= started.index);
    let ended = earlier.filter_map(|seen| seen.it.precheck.as_ref()?.ended_at).min();
    let in_time = |ended| started.it.started_at.is_none_or(|started| ended <= started || skewed(lens));
    asked && ended.is_some_and(in_time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::tasks::made_up::{Tale, holds, wrong};

    #[test]
    fn a_migration_without_a_precheck_is_found() {
        let mut tale = Tale::begin();
        tale.ready().step("confirm").migrate();
        assert_eq!(wrong(&tale, check), vec![TaskViolation::StartedUnchecked { task: "dts-1".into() }]);
    }

    #[test]
    fn a_precheck_that_ended_too_late_is_found() {
        let mut tale = Tale::begin();
        tale.ready();
        let too_early = tale.story.now;
        tale.precheck(&[]).set(|task| task.started_at = Some(too_early)).look();
        assert_eq!(wrong(&tale, check), vec![TaskViolation::StartedUnchecked { task: "dts-1".into() }]);
    }

    #[test]
    fn a_migration_after_a_precheck_holds() {
        let mut tale = Tale::begin();
        tale.ready().precheck(&[]).confirm();
        holds(&tale, check, 1);
    }

    #[test]
    fn a_task_that_never_started_exercises_nothing() {
        let mut tale = Tale::begin();
        tale.ready().precheck(&[]);
        holds(&tale, check, 0);
    }
}
