//! To verify recovered data before they are put back is advice to the user, and no condition of a migration (TMP-04, SQL-03).
//!
//! What the user did is not the system's doing: the only violation is a migration refused because nothing was verified. Every
//! migration that began counts as an exercise, verified or not.

use super::TemporaryViolation;
use crate::catalogue::Source;
use crate::checks::Finding;
use crate::history::Call;
use crate::history::lens::{Lens, Seen};
use recovery::model::InstanceId;
use recovery::model::instance::Origin;

/// Judges migrations from temporary instances, and refusals of such migrations while nobody had looked at the data.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for task in lens.tasks().filter(|task| lens.source_of(task.first) == Some(Source::Temporary)) {
        let source = &task.first.source.instance_id;
        let refused = lens.calls_of_task(task.id).map(|(call, _)| call).find(|call| demands(lens, source, call));
        if let Some(call) = refused {
            finding.judge(&call, Some(violation(source, &call)));
        } else if let Some(started) = task.started() {
            finding.judge(&started, None::<TemporaryViolation>);
        }
    }
    for (call, _) in lens.calls_to("POST /v1/migration-tasks") {
        let source = call.it.request.pointer("/source/instance_id").and_then(|id| id.as_str()).map(InstanceId::from);
        let Some(story) = source.filter(|id| lens.source_in_scope(id)).and_then(|id| lens.instance(&id)) else {
            continue;
        };
        if matches!(story.first.origin, Origin::Temporary { .. }) && demands(lens, story.id, &call) {
            finding.judge(&call, Some(violation(story.id, &call)));
        }
    }
    finding
}

fn detail(call: &Call) -> String {
    call.answer.get("detail").and_then(|detail| detail.as_str()).unwrap_or("").to_owned()
}

fn violation(source: &InstanceId, call: &Seen<'_, Call>) -> TemporaryViolation {
    TemporaryViolation::VerificationDemanded { instance: source.clone(), detail: detail(call.it) }
}

/// Whether a refusal speaks of verification of data nobody has read yet; a password or certificate may well be verified.
fn demands(lens: &Lens<'_>, source: &InstanceId, call: &Seen<'_, Call>) -> bool {
    let words = format!("{} {}", call.it.code().unwrap_or(""), detail(call.it)).to_lowercase();
    let read = lens.statements(source).any(|seen| seen.index < call.index && seen.it.outcome.is_ok());
    call.it.refused()
        && !read
        && words.contains("verif")
        && !words.contains("password")
        && !words.contains("certificate")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::temporary::made_up::{holds, wrong};
    use crate::checks::testing::{Story, done, master, start, task, temporary};
    use recovery::model::task::TaskStatus;
    use recovery::model::views::TaskView;
    use serde_json::json;

    fn story() -> (Story, TaskView) {
        let shop = master("rm-1", "sqlserver 2012 web");
        let rescue = temporary("sub1", &shop, start());
        let task = task("dts-1", &rescue, &shop);
        let mut story = Story::new();
        story.see(&shop).see(&rescue).see_task(&task);
        (story, task)
    }

    fn refuse(story: &mut Story, detail: &str) {
        let answer = json!({"code": "OperationDenied.TaskStep", "detail": detail, "status": 409});
        story.call("POST /v1/migration-tasks/dts-1/start", json!({}), 409, answer);
    }

    #[test]
    fn a_migration_refused_because_nothing_was_verified_is_found() {
        let (mut story, _) = story();
        refuse(&mut story, "verify the data of sub1 first");
        let detail = "verify the data of sub1 first".into();
        assert_eq!(
            wrong(&story, check),
            vec![TemporaryViolation::VerificationDemanded { instance: "sub1".into(), detail }]
        );
    }

    #[test]
    fn a_migration_that_begins_holds_with_and_without_a_look_at_the_data() {
        for look in [true, false] {
            let (mut story, task) = story();
            if look {
                story.statement("sub1", "select * from orders", done());
            }
            story.see_task(&TaskView { status: TaskStatus::Migrating, started_at: Some(start()), ..task });
            holds(&story, check, 1);
        }
    }

    #[test]
    fn a_refusal_for_another_cause_exercises_nothing() {
        let (mut story, _) = story();
        refuse(&mut story, "the objects were not chosen yet");
        holds(&story, check, 0);
    }
}
