//! Saving keeps the restore task first and checks it then; a failed precheck loses nothing (LOG-47).

use super::RestoreViolation;
use super::witness::{deleted, requests};
use crate::checks::Finding;
use crate::history::lens::Lens;
use recovery::model::logical::restore::RestoreStatus;

/// Looks at every saved task afterwards: that it is known, and that it was checked.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for request in requests(lens) {
        let Some(made) = &request.made else { continue };
        let path = format!("/v1/restore-tasks/{}", made.id);
        let asked = lens.calls().filter(|seen| seen.index > request.call.index && seen.it.method == "GET");
        let unknown = asked.into_iter().find(|seen| seen.it.path == path && seen.it.status == Some(404));
        let task = made.id.clone();
        if let Some(call) = unknown.filter(|call| !deleted(lens, made.id.as_str(), call.index)) {
            finding.judge(&call, Some(RestoreViolation::TaskNotKept { task }));
            continue;
        }
        let later = lens.restore(made.id.as_str()).into_iter().flat_map(|story| &story.views);
        let over =
            later.into_iter().find(|seen| seen.index > request.call.index && seen.it.status != RestoreStatus::Checking);
        if let Some(seen) = over {
            let checked = seen.it.precheck.as_ref().is_some_and(|run| run.ended_at.is_some() && !run.items.is_empty());
            finding.judge(seen, (!checked).then_some(RestoreViolation::NotChecked { task }));
        }
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::restore::made_up::{Tale, failed, holds, nothing, orders, precheck, wrong};
    use recovery::model::precheck::PrecheckItem;

    fn failing() -> Tale {
        let mut tale = Tale::between(&orders(), &nothing());
        tale.save();
        tale.story.history.events.pop();
        let run = precheck(1, tale.story.now, PrecheckItem::RestoreTargetConnection, failed());
        tale.set(|view| (view.precheck, view.status) = (Some(run), RestoreStatus::CheckFailed));
        tale
    }

    #[test]
    fn a_task_that_is_lost_with_its_precheck_is_found() {
        let mut tale = failing();
        tale.story.refused("GET /v1/restore-tasks/rst-1", serde_json::Value::Null, 404, "InvalidTaskId.NotFound");
        assert_eq!(wrong(&tale.story, check), vec![RestoreViolation::TaskNotKept { task: "rst-1".into() }]);
    }

    #[test]
    fn a_task_that_passes_unchecked_is_found() {
        let mut tale = failing();
        tale.set(|view| (view.precheck, view.status) = (None, RestoreStatus::CheckPassed)).look();
        assert_eq!(wrong(&tale.story, check), vec![RestoreViolation::NotChecked { task: "rst-1".into() }]);
    }

    #[test]
    fn a_task_that_stays_with_its_failed_precheck_holds_and_a_deleted_one_may_go() {
        let mut tale = failing();
        tale.look().story.call("DELETE /v1/restore-tasks/rst-1", serde_json::Value::Null, 204, serde_json::Value::Null);
        tale.story.refused("GET /v1/restore-tasks/rst-1", serde_json::Value::Null, 404, "InvalidTaskId.NotFound");
        holds(&tale.story, check, 1);
    }
}
