//! Who is told that the task has started finds it started (LOG-51).

use super::RestoreViolation;
use super::witness::START;
use crate::checks::Finding;
use crate::checks::temporary::witness::is_fresh;
use crate::history::lens::Lens;

/// Looks at the first fresh sight of a task after each accepted start.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for (call, found) in lens.calls_to(START).filter(|(call, _)| call.it.accepted()) {
        let Some(story) = lens.restores().find(|story| story.id.as_str() == found[0]) else { continue };
        let next = story.views.iter().find(|seen| seen.index > call.index && is_fresh(lens, seen.index));
        if let Some(seen) = next {
            let (task, status) = (story.id.clone(), seen.it.status);
            let idle = seen.it.started_at.is_none();
            finding.judge(seen, idle.then_some(RestoreViolation::NotStarted { task, status }));
        }
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::restore::made_up::{Tale, holds, nothing, orders, wrong};
    use recovery::model::logical::restore::RestoreStatus;
    use serde_json::json;

    #[test]
    fn a_start_that_was_told_and_never_happened_is_found() {
        let mut tale = Tale::between(&orders(), &nothing());
        tale.save().story.call("POST /v1/restore-tasks/rst-1/start", json!({}), 200, json!({})).wait("1s");
        tale.look();
        let status = RestoreStatus::CheckPassed;
        assert_eq!(wrong(&tale.story, check), vec![RestoreViolation::NotStarted { task: "rst-1".into(), status }]);
    }

    #[test]
    fn a_started_task_holds() {
        let mut tale = Tale::between(&orders(), &nothing());
        tale.begin().end(RestoreStatus::Completed);
        holds(&tale.story, check, 1);
    }
}
