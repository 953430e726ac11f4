//! A temporary instance leads back to the master it was made from, and to no other instance (TMP-33, SQL-36).

use super::TaskViolation;
use super::calls::{Side, changes, instance, setups, shown};
use crate::checks::Finding;
use crate::checks::temporary::truth::{data_difference, untouched};
use crate::checks::temporary::witness::order_of;
use crate::history::Shot;
use crate::history::lens::{InstanceStory, Lens, Seen, TaskStory};
use recovery::model::InstanceId;
use recovery::model::instance::Origin;
use recovery::model::task::TaskStatus;

/// Judges what temporary instances say of their master, where tasks from them lead, and what migrations left alone.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for story in lens.temporaries() {
        let Some(order) = order_of(lens, story.id) else { continue };
        let Some(master) = order.it.part(2).map(InstanceId::from) else { continue };
        let other = story.views.iter().find_map(|seen| named(&seen.it.origin).filter(|named| **named != master));
        let violation = other.or_else(|| story.master().is_none().then_some(&master));
        let (instance, named) = (story.id.clone(), other.cloned());
        finding.judge(
            &order,
            violation.map(|_| TaskViolation::MasterForgotten { instance, master: master.clone(), named }),
        );
    }
    for call in setups(lens) {
        let [Some(source), Some(target)] = Side::BOTH.map(|side| instance(call.it, side)) else { continue };
        let temporary = lens.instance(&source).filter(|story| matches!(story.first.origin, Origin::Temporary { .. }));
        let Some(master) = temporary.and_then(InstanceStory::master).filter(|master| **master != target) else {
            continue;
        };
        match shown(call.it) {
            Some(task) => {
                let master = master.clone();
                finding.judge(&call, Some(TaskViolation::OtherTarget { task: task.id, master, target }));
            }
            None if call.it.refused() => finding.judge(&call, None::<TaskViolation>),
            None => {}
        }
    }
    for task in lens.tasks() {
        for (seen, violation) in elsewhere(lens, task) {
            finding.judge(&seen, violation);
        }
    }
    finding
}

fn named(origin: &Origin) -> Option<&InstanceId> {
    match origin {
        Origin::Temporary { master, .. } => Some(master),
        _ => None,
    }
}

/// Instances a finished migration has nothing to do with, and how it changed them.
fn elsewhere<'a>(lens: &Lens<'a>, task: &TaskStory<'a>) -> Vec<(Seen<'a, Shot>, Option<TaskViolation>)> {
    let Some(end) = task.first_in(TaskStatus::Finished) else { return vec![] };
    let Some((confirmed, _)) = changes(lens, task.id).find(|(_, step)| *step == "confirm") else { return vec![] };
    let sides = Side::BOTH.map(|side| &side.of(task.first).instance_id);
    let strangers = lens.instances().filter(|story| {
        let follows = story.first.origin.follows_a_master();
        !sides.contains(&story.id) && !follows && story.running().is_some_and(|seen| seen.index < confirmed.index)
    });
    let judged = strangers.filter_map(|story| {
        let before =
            lens.shots(story.id).rev().find(|seen| seen.index < confirmed.index && seen.at <= confirmed.it.sent_at)?;
        let after = lens.shot_after(story.id, end.index)?;
        if story.running()?.index > before.index || !untouched(lens, story.id, &before, after.at) {
            return None;
        }
        let changed = data_difference(&before.it.photograph, &after.it.photograph);
        let (task, instance) = (task.id.clone(), story.id.clone());
        Some((after, changed.map(|difference| TaskViolation::WroteElsewhere { task, instance, difference })))
    });
    judged.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::tasks::made_up::{Tale, body, holds, rescue, shop, wrong};
    use crate::checks::temporary::Difference;
    use crate::checks::testing::{master, photograph};
    use recovery::model::views::InstanceView;
    use serde_json::json;

    fn ordered(made: &InstanceView) -> Tale {
        let mut tale = Tale::begin();
        let choice = json!({"backup_set_id": "bk-1"});
        tale.story.history.events.clear();
        tale.story.see(&shop()).keyed_call(
            "POST /v1/instances/rm-1/temporary-instances",
            Some("k0"),
            choice,
            202,
            json!(made),
        );
        tale.story.see(made);
        tale
    }

    #[test]
    fn a_temporary_instance_that_names_another_master_is_found() {
        let made = InstanceView {
            origin: crate::checks::testing::temporary(
                "x",
                &master("rm-2", "sqlserver 2012 web"),
                crate::checks::testing::start(),
            )
            .origin,
            ..rescue()
        };
        let (instance, named) = ("sub1".into(), Some("rm-2".into()));
        let expected = TaskViolation::MasterForgotten { instance, master: "rm-1".into(), named };
        assert_eq!(wrong(&ordered(&made), check), vec![expected]);
    }

    #[test]
    fn a_task_to_another_instance_is_found() {
        let mut tale = Tale::between(&rescue(), &master("rm-2", "sqlserver 2012 web"));
        tale.create();
        let expected =
            TaskViolation::OtherTarget { task: "dts-1".into(), master: "rm-1".into(), target: "rm-2".into() };
        assert_eq!(wrong(&tale, check), vec![expected]);
    }

    #[test]
    fn a_migration_that_writes_elsewhere_is_found() {
        let mut tale = Tale::begin();
        tale.story.see(&master("rm-2", "sqlserver 2012 web")).shot("rm-2", &photograph(&[]));
        tale.ready().precheck(&[]).confirm().finish();
        tale.story.shot("rm-2", &photograph(&[("orders", &[(1, "lamp")])]));
        let difference = Difference::Extra { what: "table orders of app".into() };
        let expected = TaskViolation::WroteElsewhere { task: "dts-1".into(), instance: "rm-2".into(), difference };
        assert_eq!(wrong(&tale, check), vec![expected]);
    }

    #[test]
    fn the_way_back_and_a_refused_other_way_hold() {
        let mut tale = ordered(&rescue());
        let mut astray = body(&tale.task);
        astray["target"]["instance_id"] = json!("rm-2");
        tale.refuse_body(astray, 400, "InvalidParameter").create();
        holds(&tale, check, 2);
    }

    #[test]
    fn a_task_between_masters_exercises_nothing() {
        let mut tale = Tale::between(&shop(), &master("rm-2", "sqlserver 2012 web"));
        tale.create();
        holds(&tale, check, 0);
    }
}
