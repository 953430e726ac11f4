//! A stopped task is finished for good, and a deleted one is gone (DTS-23).

use super::MigrationViolation;
use super::scene::{others_wrote, written};
use crate::checks::Finding;
use crate::checks::temporary::truth::data_difference;
use crate::history::Call;
use crate::history::lens::{Lens, Seen, TaskStory};
use jiff::SignedDuration;
use recovery::model::task::TaskStatus;

/// How long a write that was on its way when the task was stopped may take.
const ON_ITS_WAY: SignedDuration = SignedDuration::from_mins(2);

/// Looks at what came after every accepted stop and deletion.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for task in lens.tasks() {
        let accepted = lens.calls_of_task(task.id).filter(|(call, _)| call.it.accepted());
        let (mut stops, mut deletions) = (None, None);
        for (call, verb) in accepted {
            match (call.it.method.as_str(), verb) {
                ("POST", "stop") => {
                    stops.get_or_insert(call);
                }
                ("DELETE", "") => {
                    deletions.get_or_insert(call);
                }
                _ => {}
            }
        }
        if let Some(stop) = stops.filter(|stop| heard_of(lens, task, stop)) {
            finding.judge(&stop, after_stop(lens, task, &stop));
        }
        if let Some(deletion) = deletions.filter(|deletion| heard_of(lens, task, deletion)) {
            finding.judge(&deletion, after_deletion(lens, task, &deletion));
        }
    }
    finding
}

/// Whether anything was asked or seen of a task after a call was sent and answered.
fn heard_of<'a>(lens: &Lens<'a>, task: &TaskStory<'a>, call: &Seen<'_, Call>) -> bool {
    lens.calls_of_task(task.id).any(|(other, _)| other.index > call.index)
        || task.views.iter().any(|seen| seen.index > call.index)
        || task.gone.iter().any(|(index, _)| *index > call.index)
}

/// A request after an end that only a living task can take.
fn took_request<'a>(lens: &Lens<'a>, task: &TaskStory<'a>, end: &Seen<'_, Call>) -> Option<MigrationViolation> {
    let took = lens.calls_of_task(task.id).find(|(call, verb)| {
        let moving = matches!(
            *verb,
            "start" | "resume" | "pause" | "precheck" | "confirm" | "purchase" | "authorise" | "objects"
        );
        call.index > end.index && moving && call.it.accepted()
    });
    took.map(|(_, verb)| MigrationViolation::EndedTaskTookRequest { task: task.id.clone(), request: verb.to_owned() })
}

fn after_stop<'a>(lens: &Lens<'a>, task: &TaskStory<'a>, stop: &Seen<'_, Call>) -> Option<MigrationViolation> {
    let moved = task.views.iter().find(|seen| seen.index > stop.index && seen.it.status != TaskStatus::Finished);
    let moved =
        moved.map(|seen| MigrationViolation::StoppedTaskMoved { task: task.id.clone(), status: seen.it.status });
    moved.or_else(|| took_request(lens, task, stop)).or_else(|| {
        let target = &task.first.target.instance_id;
        let before = lens.shots(target).find(|shot| shot.at >= stop.at + ON_ITS_WAY)?;
        let mut later = lens.shots(target).rev().take_while(|shot| shot.index > before.index);
        let after = later.find(|shot| {
            !written(lens, target, None, &before, shot.at)
                && !others_wrote(lens, target, task.id, before.index, shot.index)
        })?;
        let difference = data_difference(&before.it.photograph, &after.it.photograph)?;
        Some(MigrationViolation::WrittenAfterStop { task: task.id.clone(), difference })
    })
}

fn after_deletion<'a>(lens: &Lens<'a>, task: &TaskStory<'a>, deletion: &Seen<'_, Call>) -> Option<MigrationViolation> {
    // The answer to the deletion itself may show the task once more.
    let seen = task.views.iter().any(|seen| seen.index > deletion.index + 1);
    let back = seen.then(|| MigrationViolation::DeletedTaskSeen { task: task.id.clone() });
    back.or_else(|| took_request(lens, task, deletion))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::migration::made_up::{Plot, holds, nothing, orders, wrong};
    use crate::checks::temporary::Difference;
    use crate::checks::testing::{master, task};
    use serde_json::Value;

    fn stopped() -> Plot {
        let mut plot = Plot::between(&orders(), &nothing());
        plot.begin().ask("stop").finish();
        plot
    }

    #[test]
    fn a_stopped_task_that_migrates_again_is_found() {
        let mut plot = stopped();
        plot.sight(TaskStatus::Migrating);
        let expected = MigrationViolation::StoppedTaskMoved { task: "dts-1".into(), status: TaskStatus::Migrating };
        assert_eq!(wrong(&plot.story, check), vec![expected]);
    }

    #[test]
    fn a_start_after_a_stop_is_found() {
        let mut plot = stopped();
        plot.ask("start");
        assert_eq!(
            wrong(&plot.story, check),
            vec![MigrationViolation::EndedTaskTookRequest { task: "dts-1".into(), request: "start".into() }]
        );
    }

    #[test]
    fn rows_written_long_after_a_stop_are_found() {
        let mut plot = stopped();
        plot.story.wait("10m").shot("rm-1", &nothing()).wait("1m").shot("rm-1", &orders());
        let difference = Difference::Extra { what: "table orders of app".into() };
        assert_eq!(
            wrong(&plot.story, check),
            vec![MigrationViolation::WrittenAfterStop { task: "dts-1".into(), difference }]
        );
    }

    #[test]
    fn what_was_there_before_the_stop_is_no_later_photograph() {
        let mut plot = Plot::between(&orders(), &nothing());
        let mut other = task("dts-2", &master("rm-3", "mysql 5.7"), &master("rm-1", "mysql 5.7"));
        other.status = TaskStatus::Migrating;
        plot.begin().story.see_task(&other);
        plot.ask("stop").finish();
        // The other task writes all the while, so that nothing after the stop can be compared.
        plot.story.wait("10m").see_task(&other).shot("rm-1", &orders());
        holds(&plot.story, check, 1);
    }

    #[test]
    fn a_deleted_task_that_is_seen_again_is_found() {
        let mut plot = Plot::between(&orders(), &nothing());
        plot.story.call("DELETE /v1/migration-tasks/dts-1", Value::Null, 204, Value::Null).wait("1s");
        plot.story.refused("GET /v1/migration-tasks/dts-1", Value::Null, 404, "InvalidTaskId.NotFound");
        holds(&plot.story, check, 1);
        plot.sight(TaskStatus::NotStarted);
        assert_eq!(wrong(&plot.story, check), vec![MigrationViolation::DeletedTaskSeen { task: "dts-1".into() }]);
    }

    #[test]
    fn a_stopped_task_that_refuses_to_start_holds_and_a_running_one_exercises_nothing() {
        let mut plot = stopped();
        plot.refuse("start").refuse("resume");
        plot.story.wait("10m");
        plot.sight(TaskStatus::Finished);
        holds(&plot.story, check, 1);
        let mut running = Plot::between(&orders(), &nothing());
        running.begin().refuse("stop");
        holds(&running.story, check, 0);
    }
}
