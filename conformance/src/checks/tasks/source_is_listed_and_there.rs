//! Sources offered are those that are there, in their region, and a task is made from no other (TMP-25, SQL-31, CLN-26).

use super::TaskViolation;
use super::calls::{Side, instance, setups, there};
use crate::checks::Finding;
use crate::checks::temporary::witness::{at_event, sights, surely_gone};
use crate::history::lens::{InstanceStory, Lens, Seen};
use crate::history::{ListKind, What};
use jiff::Timestamp;
use recovery::model::InstanceId;
use recovery::model::instance::{InstanceState, Origin};
use recovery::model::views::InstanceView;

const LIST: ListKind = ListKind::MigrationSources;

/// Judges every list of sources, and every task made from an instance that is gone.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    let recovered = |story: &&InstanceStory<'_>| {
        matches!(story.first.origin, Origin::Temporary { .. } | Origin::Clone { .. }) && lens.source_in_scope(story.id)
    };
    for (index, event) in lens.history.events.iter().enumerate() {
        let What::InstancesListed { list: LIST, of, ids } = &event.what else { continue };
        let sent_at = lens.calls().rev().find(|call| call.index < index).map_or(event.at, |call| call.it.sent_at);
        for story in lens.instances().filter(recovered) {
            let here = of.as_ref().is_none_or(|region| *region == story.first.region);
            let offered = ids.contains(story.id);
            let instance = story.id.clone();
            let seen = at_event(index, event.at);
            if !here {
                let why = format!("it is in {}", story.first.region);
                finding.judge(&seen, offered.then_some(TaskViolation::SourceOffered { instance, why }));
            } else if gone(lens, story, sent_at) {
                finding.judge(
                    &seen,
                    offered.then_some(TaskViolation::SourceOffered { instance, why: "it is gone".into() }),
                );
            } else if in_order(lens, story, sent_at, event.at) {
                finding.judge(&seen, (!offered).then_some(TaskViolation::SourceNotOffered { instance, list: LIST }));
            }
        }
    }
    for call in setups(lens) {
        let source = instance(call.it, Side::Source).and_then(|id| lens.instance(&id));
        let Some(story) = source.filter(|story| recovered(story) && gone(lens, story, call.it.sent_at)) else {
            continue;
        };
        let instance: InstanceId = story.id.clone();
        if call.it.accepted() {
            finding.judge(&call, Some(TaskViolation::GoneSourceAccepted { instance }));
        } else if call.it.refused() && call.it.status != Some(400) {
            finding.judge(&call, None::<TaskViolation>);
        }
    }
    finding
}

/// Whether an instance must be gone by a time.
fn gone(lens: &Lens<'_>, story: &InstanceStory<'_>, by: Timestamp) -> bool {
    if matches!(story.first.origin, Origin::Temporary { .. }) {
        return surely_gone(lens, story, by);
    }
    let released = |seen: &Seen<'_, InstanceView>| seen.it.state == InstanceState::Released && seen.at <= by;
    story.gone.iter().any(|(_, at)| *at <= by) || story.views.iter().any(released)
}

/// Whether an instance was in order from one time to another.
fn in_order(lens: &Lens<'_>, story: &InstanceStory<'_>, from: Timestamp, to: Timestamp) -> bool {
    let running = |state: InstanceState| state == InstanceState::Running;
    let before = story.views.iter().rev().find(|seen| seen.at <= from);
    let after = sights(lens, story).find(|seen| seen.at >= to);
    there(lens, story.id, from, to)
        && before.is_some_and(|seen| running(seen.it.state))
        && after.is_none_or(|seen| running(seen.it.state) || seen.it.state == InstanceState::Released)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::tasks::made_up::{Tale, body, holds, rescue, wrong};
    use serde_json::Value;

    fn list(tale: &mut Tale, region: &str, ids: &[&str]) {
        let path = format!("GET /v1/migration-sources?region={region}");
        tale.story.call(&path, Value::Null, 200, Value::Null);
        let ids = ids.iter().map(|id| InstanceId::from(*id)).collect();
        tale.story.push(What::InstancesListed { list: LIST, of: Some(region.to_owned()), ids });
    }

    fn released() -> Tale {
        let mut tale = Tale::begin();
        tale.story.call("DELETE /v1/instances/sub1", Value::Null, 204, Value::Null).gone("sub1");
        tale
    }

    #[test]
    fn a_temporary_instance_that_is_not_offered_is_found() {
        let mut tale = Tale::begin();
        list(&mut tale, "region-1", &[]);
        assert_eq!(wrong(&tale, check), vec![TaskViolation::SourceNotOffered { instance: "sub1".into(), list: LIST }]);
    }

    #[test]
    fn an_instance_of_another_region_or_one_that_is_gone_is_found() {
        let mut tale = Tale::begin();
        list(&mut tale, "region-2", &["sub1"]);
        let why = "it is in region-1".into();
        assert_eq!(wrong(&tale, check), vec![TaskViolation::SourceOffered { instance: "sub1".into(), why }]);
        let mut tale = released();
        list(&mut tale, "region-1", &["sub1"]);
        let why = "it is gone".into();
        assert_eq!(wrong(&tale, check), vec![TaskViolation::SourceOffered { instance: "sub1".into(), why }]);
    }

    #[test]
    fn a_task_from_an_instance_that_is_gone_is_found() {
        let mut tale = released();
        tale.create();
        assert_eq!(wrong(&tale, check), vec![TaskViolation::GoneSourceAccepted { instance: "sub1".into() }]);
    }

    #[test]
    fn right_lists_and_a_refused_task_hold() {
        let mut tale = Tale::begin();
        list(&mut tale, "region-1", &["sub1", "rm-1"]);
        list(&mut tale, "region-2", &[]);
        holds(&tale, check, 2);
        let mut tale = released();
        let body = body(&tale.task);
        tale.refuse_body(body, 404, "InvalidDBInstanceId.NotFound");
        holds(&tale, check, 1);
    }

    #[test]
    fn an_instance_that_nobody_saw_running_exercises_nothing() {
        let mut tale = Tale::begin();
        tale.story.history.events.clear();
        tale.story.see(&InstanceView { state: InstanceState::Creating, ..rescue() });
        list(&mut tale, "region-1", &[]);
        holds(&tale, check, 0);
    }
}
