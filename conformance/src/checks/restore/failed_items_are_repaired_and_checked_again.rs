//! A failed item says why, and after the repair the precheck is run anew, with a result of its own (LOG-49).

use super::RestoreViolation;
use super::witness::{EDIT, RECHECK};
use crate::checks::Finding;
use crate::history::lens::Lens;
use recovery::model::logical::restore::RestoreStatus;
use recovery::model::precheck::{Finding as Told, PrecheckOutcome, PrecheckRun};

/// Looks at what failed items say, and at the first run seen over after each accepted request to check again.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for story in lens.restores() {
        let mut told: Vec<u32> = Vec::new();
        for seen in &story.views {
            let Some(run) = seen.it.precheck.as_ref().filter(|run| run.ended_at.is_some()) else { continue };
            let Some(silent) = failed_item(run).filter(|_| !told.contains(&run.number)) else { continue };
            told.push(run.number);
            let task = story.id.clone();
            finding.judge(seen, silent.map(|item| RestoreViolation::FailedWithoutCause { task, item }));
        }
    }
    for (call, found) in [RECHECK, EDIT].into_iter().flat_map(|pattern| lens.calls_to(pattern)) {
        let Some(story) = lens.restores().find(|story| story.id.as_str() == found[0]) else { continue };
        let before = story.view_before(call.index).and_then(|seen| seen.it.precheck.as_ref());
        let over = story.views.iter().find(|seen| {
            seen.index > call.index && seen.it.status != RestoreStatus::Checking && seen.it.precheck.is_some()
        });
        let (Some(before), Some(seen), true) = (before, over, call.it.accepted()) else { continue };
        let reused = seen.it.precheck.as_ref().is_some_and(|run| run.number <= before.number);
        let (task, number) = (story.id.clone(), before.number);
        finding.judge(seen, reused.then_some(RestoreViolation::OldResultUsed { task, number }));
    }
    finding
}

/// Whether a run has a failed item, and one that says nothing of its cause or its remedy.
fn failed_item(run: &PrecheckRun) -> Option<Option<recovery::model::precheck::PrecheckItem>> {
    let mut any = false;
    for result in &run.items {
        let PrecheckOutcome::Failed(found) = &result.outcome else { continue };
        let silent = |finding: &Told| finding.cause.trim().is_empty() || finding.remedy.trim().is_empty();
        if found.findings.is_empty() || found.findings.iter().any(silent) {
            return Some(Some(result.item));
        }
        any = true;
    }
    any.then_some(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::restore::made_up::{Tale, failed, holds, nothing, orders, precheck, wrong};
    use recovery::model::precheck::PrecheckItem;
    use serde_json::json;

    const ITEM: PrecheckItem = PrecheckItem::RestoreTargetConnection;

    fn run(tale: &mut Tale, number: u32, outcome: PrecheckOutcome, status: RestoreStatus) {
        let run = precheck(number, tale.story.now, ITEM, outcome);
        tale.set(|view| (view.precheck, view.status) = (Some(run), status)).look();
    }

    fn failing(outcome: PrecheckOutcome) -> Tale {
        let mut tale = Tale::between(&orders(), &nothing());
        run(&mut tale, 1, outcome, RestoreStatus::CheckFailed);
        tale
    }

    #[test]
    fn a_failed_item_without_a_cause_is_found() {
        let outcome = PrecheckOutcome::failed("", "wait");
        let expected = RestoreViolation::FailedWithoutCause { task: "rst-1".into(), item: ITEM };
        assert_eq!(wrong(&failing(outcome).story, check), vec![expected]);
    }

    #[test]
    fn an_old_result_that_is_used_again_is_found() {
        let mut tale = failing(failed());
        tale.story.call("POST /v1/restore-tasks/rst-1/precheck", json!({}), 200, json!({}));
        tale.look();
        let expected = RestoreViolation::OldResultUsed { task: "rst-1".into(), number: 1 };
        assert_eq!(wrong(&tale.story, check), vec![expected]);
    }

    #[test]
    fn a_cause_and_a_fresh_run_after_the_repair_hold() {
        let mut tale = failing(failed());
        tale.story.call("POST /v1/restore-tasks/rst-1/precheck", json!({}), 200, json!({}));
        run(&mut tale, 2, PrecheckOutcome::Success, RestoreStatus::CheckPassed);
        holds(&tale.story, check, 2);
    }
}
