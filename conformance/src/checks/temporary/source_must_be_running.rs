//! A migration is set up only between instances that were made and run (SQL-25, CLN-18, DTS-16).

use super::TemporaryViolation;
use super::witness::{CLONES, alive, asked_at, sights};
use crate::checks::Finding;
use crate::history::Call;
use crate::history::lens::{InstanceStory, Lens, Seen};
use recovery::model::InstanceId;
use recovery::model::instance::InstanceState;

/// Refusals that name the cause.
const CAUSES: [&str; 2] = ["OperationDenied.DBInstanceStatus", "InvalidDBInstanceId.NotFound"];

/// Judges tasks made or edited while one of their instances was certainly in another state.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    let edits = lens.calls_to("PUT /v1/migration-tasks/{}");
    let mut calls: Vec<_> = lens.calls_to("POST /v1/migration-tasks").chain(edits).map(|(call, _)| call).collect();
    calls.sort_by_key(|call| call.index);
    for call in calls {
        let id = |side: &str| call.it.request.pointer(side).and_then(|id| id.as_str()).map(InstanceId::from);
        let sides = [id("/source/instance_id").filter(|id| lens.source_in_scope(id)), id("/target/instance_id")];
        if sides[0].is_none() {
            continue;
        }
        let down = sides.iter().flatten().filter_map(|id| lens.instance(id)).find_map(|story| {
            let state = state_during(lens, story, &call)?;
            Some((story.id.clone(), state))
        });
        let Some((instance, state)) = down else { continue };
        if call.it.accepted() {
            finding.judge(&call, Some(TemporaryViolation::SideNotRunning { instance, state }));
        } else if call.it.code().is_some_and(|code| CAUSES.contains(&code)) {
            finding.judge(&call, None::<TemporaryViolation>);
        }
    }
    finding
}

/// The state an instance was in during the whole of a call, if that was none to migrate from or to.
fn state_during(lens: &Lens<'_>, story: &InstanceStory<'_>, call: &Seen<'_, Call>) -> Option<InstanceState> {
    let before = story.views.iter().rev().find(|seen| seen.at <= call.it.sent_at && seen.index < call.index)?.it.state;
    if !alive(before) {
        return Some(before);
    }
    if story.gone.iter().any(|(_, at)| *at <= call.it.sent_at) {
        return Some(InstanceState::Released);
    }
    let after = sights(lens, story).find(|seen| asked_at(lens, seen.index) >= call.at)?;
    // One state before and after is one state all along, unless another order brought it about twice.
    let mut orders =
        lens.calls_to(CLONES).filter(|(order, found)| found[0] == story.id.as_str() && order.at >= call.it.sent_at);
    let twice = orders.any(|(order, _)| order.it.sent_at <= after.at);
    (before == after.it.state && before != InstanceState::Running && !twice).then_some(before)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::temporary::made_up::{creating, holds, in_state, wrong};
    use crate::checks::testing::{Story, master, start, temporary};
    use recovery::model::views::InstanceView;
    use serde_json::{Value, json};

    fn rescue() -> InstanceView {
        temporary("sub1", &master("rm-1", "sqlserver 2012 web"), start())
    }

    fn request() -> Value {
        json!({"source": {"instance_id": "sub1"}, "target": {"instance_id": "rm-1"}})
    }

    #[test]
    fn a_task_from_an_instance_that_is_still_made_is_found() {
        let mut story = Story::new();
        story.see(&creating(&rescue())).call("POST /v1/migration-tasks", request(), 201, json!({"id": "dts-1"}));
        story.see(&creating(&rescue()));
        let state = InstanceState::Creating;
        assert_eq!(wrong(&story, check), vec![TemporaryViolation::SideNotRunning { instance: "sub1".into(), state }]);
    }

    #[test]
    fn a_task_to_a_master_that_is_being_cloned_is_found() {
        let shop = in_state(&master("rm-1", "mysql 5.7"), InstanceState::InsCloning);
        let mut story = Story::new();
        story
            .see(&rescue())
            .see(&shop)
            .call("POST /v1/migration-tasks", request(), 201, json!({"id": "dts-1"}))
            .see(&shop);
        let state = InstanceState::InsCloning;
        assert_eq!(wrong(&story, check), vec![TemporaryViolation::SideNotRunning { instance: "rm-1".into(), state }]);
    }

    #[test]
    fn a_task_from_a_failed_instance_that_is_refused_holds() {
        let mut story = Story::new();
        story.see(&in_state(&rescue(), InstanceState::Failed));
        story.refused("POST /v1/migration-tasks", request(), 403, CAUSES[0]);
        holds(&story, check, 1);
    }

    #[test]
    fn a_task_from_an_instance_that_may_have_come_up_exercises_nothing() {
        let mut story = Story::new();
        story.see(&creating(&rescue())).call("POST /v1/migration-tasks", request(), 201, json!({"id": "dts-1"}));
        story.see(&rescue());
        holds(&story, check, 0);
    }
}
