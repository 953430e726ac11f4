//! A warning may be passed over: it is no failure and never stands in the way of the start (LOG-50; C-28).

use super::RestoreViolation;
use super::witness::START;
use crate::checks::Finding;
use crate::checks::tasks::steady::{Touch, touched};
use crate::history::lens::Lens;
use jiff::Timestamp;
use recovery::model::logical::restore::RestoreStatus;
use recovery::model::logical::views::RestoreView;
use recovery::model::precheck::{PrecheckOutcome, PrecheckRun};

/// Judges tasks whose newest run has a warning and no failed item, and requests to start them.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for story in lens.restores() {
        let mut judged: Vec<u32> = Vec::new();
        for seen in &story.views {
            let Some(run) = seen.it.precheck.as_ref().filter(|run| warned(run)) else { continue };
            if seen.it.status == RestoreStatus::Checking || judged.contains(&run.number) {
                continue;
            }
            judged.push(run.number);
            let blocked = seen.it.status == RestoreStatus::CheckFailed;
            let task = story.id.clone();
            finding.judge(seen, blocked.then_some(RestoreViolation::WarningBlocks { task }));
        }
    }
    for (call, found) in lens.calls_to(START) {
        let Some(last) = lens.restore(found[0]).and_then(|story| story.view_before(call.index)) else { continue };
        let passed = last.it.status == RestoreStatus::CheckPassed && last.it.precheck.as_ref().is_some_and(warned);
        // The same request sent again is refused where the first one was taken.
        let is_taken = lens.calls_to(START).any(|(other, task)| {
            task == found && !other.it.refused() && other.index > last.index && other.it.sent_at <= call.at
        });
        if passed && !is_taken && !stale(lens, last.it, call.at) && call.it.code() == Some("OperationDenied.TaskStatus")
        {
            let task = last.it.id.clone();
            finding.judge(&call, Some(RestoreViolation::WarningBlocks { task }));
        }
    }
    finding
}

/// Whether somebody may have changed the target's settings since the newest run was first seen: its results are of another
/// target then, and a start that goes by them is refused for that (C-07).
fn stale(lens: &Lens<'_>, task: &RestoreView, until: Timestamp) -> bool {
    let number = |view: &RestoreView| view.precheck.as_ref().map(|run| run.number);
    let views = lens.restore(task.id.as_str()).map_or(&[][..], |story| &story.views);
    let first = views.iter().find(|seen| number(seen.it) == number(task));
    let server = lens.server_of(&task.target);
    first.zip(server).is_some_and(|(first, server)| touched(lens, server.id, Touch::Settings, first.at, until))
}

fn warned(run: &PrecheckRun) -> bool {
    let any = |is: fn(&PrecheckOutcome) -> bool| run.items.iter().any(|result| is(&result.outcome));
    run.ended_at.is_some()
        && any(|outcome| matches!(outcome, PrecheckOutcome::Warning { .. }))
        && !any(|outcome| matches!(outcome, PrecheckOutcome::Failed { .. }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::restore::made_up::{Tale, holds, nothing, orders, precheck, wrong};
    use recovery::model::precheck::PrecheckItem;
    use serde_json::json;

    fn tale(status: RestoreStatus) -> Tale {
        let mut tale = Tale::between(&orders(), &nothing());
        let warning = PrecheckOutcome::warning("utf8 and latin1", "none");
        let run = precheck(1, tale.story.now, PrecheckItem::RestoreCharset, warning);
        tale.set(|view| (view.precheck, view.status) = (Some(run), status)).look();
        tale
    }

    #[test]
    fn a_warning_that_counts_as_a_failure_is_found() {
        let expected = vec![RestoreViolation::WarningBlocks { task: "rst-1".into() }];
        assert_eq!(wrong(&tale(RestoreStatus::CheckFailed).story, check), expected);
        let mut tale = tale(RestoreStatus::CheckPassed);
        tale.story.refused("POST /v1/restore-tasks/rst-1/start", json!({}), 409, "OperationDenied.TaskStatus");
        assert_eq!(wrong(&tale.story, check), expected);
    }

    #[test]
    fn a_start_that_was_sent_twice_may_be_refused_once() {
        let mut tale = tale(RestoreStatus::CheckPassed);
        tale.story.call("POST /v1/restore-tasks/rst-1/start", json!({}), 200, json!({}));
        tale.story.refused("POST /v1/restore-tasks/rst-1/start", json!({}), 409, "OperationDenied.TaskStatus");
        holds(&tale.story, check, 1);
    }

    #[test]
    fn a_start_after_the_target_was_configured_anew_may_be_refused() {
        let mut tale = tale(RestoreStatus::CheckPassed);
        let target = "rm-2";
        tale.story.call(&format!("PUT /v1/instances/{target}/configuration"), json!({"ssl": true}), 200, json!({}));
        tale.story.refused("POST /v1/restore-tasks/rst-1/start", json!({}), 409, "OperationDenied.TaskStatus");
        holds(&tale.story, check, 1);
    }

    #[test]
    fn a_warning_that_passes_holds_and_a_run_without_one_exercises_nothing() {
        holds(&tale(RestoreStatus::CheckPassed).story, check, 1);
        let mut plain = Tale::between(&orders(), &nothing());
        plain.save();
        holds(&plain.story, check, 0);
    }
}
