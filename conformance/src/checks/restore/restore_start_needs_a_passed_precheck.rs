//! A restore task is started only after its precheck passed (LOG-48; C-28).

use super::RestoreViolation;
use super::witness::{EDIT, RECHECK, START};
use crate::checks::Finding;
use crate::checks::temporary::witness::skewed;
use crate::history::lens::Lens;
use recovery::model::logical::restore::RestoreStatus;

/// Judges requests to start by what was last seen of the task, and by the precheck it began with: that had passed when
/// the start was accepted.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for (call, found) in lens.calls_to(START) {
        let Some(story) = lens.restores().find(|story| story.id.as_str() == found[0]) else { continue };
        let Some(last) = story.view_before(call.index) else { continue };
        let asked_again = [RECHECK, EDIT].into_iter().flat_map(|pattern| lens.calls_to(pattern)).any(|(other, of)| {
            of[0] == found[0] && other.index > last.index && other.index < call.index && !other.it.refused()
        });
        let task = story.id.clone();
        let failed = last.it.status == RestoreStatus::CheckFailed && !asked_again;
        let checking = last.it.status == RestoreStatus::Checking;
        if call.it.accepted() {
            let begun = story.views.iter().find(|seen| seen.index > call.index && seen.it.started_at.is_some());
            let unpassed = begun.is_some_and(|seen| !seen.it.precheck.as_ref().is_some_and(|run| run.passed()));
            let ended_at = begun.and_then(|seen| seen.it.precheck.as_ref()?.ended_at);
            let too_soon = ended_at.is_some_and(|ended_at| ended_at > call.at) && !skewed(lens);
            let wrong = failed || ((unpassed || too_soon) && last.it.started_at.is_none());
            finding.judge(&call, wrong.then_some(RestoreViolation::StartedUnchecked { task }));
        } else if call.it.refused() && (failed || checking) {
            finding.judge(&call, None::<RestoreViolation>);
        }
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::restore::made_up::{Tale, failed, holds, nothing, orders, precheck, wrong};
    use recovery::model::precheck::{PrecheckItem, PrecheckOutcome};
    use serde_json::json;

    fn failing() -> Tale {
        let mut tale = Tale::between(&orders(), &nothing());
        let run = precheck(1, tale.story.now, PrecheckItem::RestoreTargetConnection, failed());
        tale.set(|view| (view.precheck, view.status) = (Some(run), RestoreStatus::CheckFailed)).look();
        tale
    }

    #[test]
    fn a_start_after_a_failed_precheck_that_is_accepted_is_found() {
        let mut tale = failing();
        tale.story.call("POST /v1/restore-tasks/rst-1/start", json!({}), 200, json!({}));
        assert_eq!(wrong(&tale.story, check), vec![RestoreViolation::StartedUnchecked { task: "rst-1".into() }]);
    }

    #[test]
    fn a_start_while_the_precheck_still_runs_that_is_accepted_is_found() {
        let mut tale = Tale::between(&orders(), &nothing());
        tale.look().story.call("POST /v1/restore-tasks/rst-1/start", json!({}), 200, json!({}));
        let now = tale.story.now;
        tale.set(|view| (view.status, view.started_at) = (RestoreStatus::Running, Some(now))).look();
        assert_eq!(wrong(&tale.story, check), vec![RestoreViolation::StartedUnchecked { task: "rst-1".into() }]);
    }

    #[test]
    fn a_start_that_is_accepted_before_the_precheck_has_passed_is_found() {
        let mut tale = Tale::between(&orders(), &nothing());
        tale.look().story.call("POST /v1/restore-tasks/rst-1/start", json!({}), 200, json!({}));
        tale.story.wait("2s");
        let now = tale.story.now;
        let run = precheck(1, now, PrecheckItem::RestoreTargetConnection, PrecheckOutcome::Success);
        tale.set(|view| (view.status, view.started_at) = (RestoreStatus::Running, Some(now)));
        tale.set(|view| view.precheck = Some(run)).look();
        assert_eq!(wrong(&tale.story, check), vec![RestoreViolation::StartedUnchecked { task: "rst-1".into() }]);
    }

    #[test]
    fn a_refused_start_after_a_failure_and_one_after_a_pass_hold() {
        let mut tale = failing();
        tale.story.refused("POST /v1/restore-tasks/rst-1/start", json!({}), 409, "OperationDenied.TaskStatus");
        holds(&tale.story, check, 1);
        let mut tale = Tale::between(&orders(), &nothing());
        tale.begin();
        holds(&tale.story, check, 1);
    }
}
