//! What was answered survives a crash of the service: an instance, a task, an account or a setting that an answer showed is
//! as answered when it is looked at afterwards, unless somebody had it changed, released or deleted, or its time was over.

use super::InvariantViolation;
use super::doings::{LINGERS, vanished};
use crate::checks::Finding;
use crate::checks::temporary::witness::{alive, is_fresh, released_by_user, skewed};
use crate::history::lens::{InstanceStory, Lens, Seen};
use crate::history::{Call, ListKind, What};
use jiff::Timestamp;
use recovery::model::instance::InstanceState;
use recovery::model::logical::restore::RestoreStatus;
use recovery::model::task::{Stage, TaskStatus};
use recovery::model::views::InstanceView;
use recovery::model::{InstanceId, TaskId};

/// Compares what was seen before each crash of the service with what was seen after it.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    let crashes: Vec<(usize, Timestamp)> = lens.history.events.iter().enumerate().filter_map(crash).collect();
    if crashes.is_empty() {
        return finding;
    }
    let steady = !skewed(lens);
    let lists: Vec<(usize, Timestamp, &[InstanceId])> = lists(lens).collect();
    for (index, _) in &crashes {
        for story in lens.instances() {
            instance(lens, story, *index, &lists, steady, &mut finding);
        }
        tasks(lens, *index, &mut finding);
        restores(lens, *index, &mut finding);
    }
    let first = crashes[0];
    accounts(lens, first, &mut finding);
    finding
}

/// Whether an event says that the service crashed.
fn crash((index, event): (usize, &crate::history::Event)) -> Option<(usize, Timestamp)> {
    let What::Fault { kind, host, began: true, .. } = &event.what else { return None };
    (host.as_deref() == Some("service") && kind.starts_with("crash")).then_some((index, event.at))
}

/// Complete lists of instances.
fn lists<'a>(lens: &Lens<'a>) -> impl Iterator<Item = (usize, Timestamp, &'a [InstanceId])> + use<'a> {
    lens.history.events.iter().enumerate().filter_map(|(index, event)| match &event.what {
        What::InstancesListed { list: ListKind::Instances, of: None, ids } => Some((index, event.at, ids.as_slice())),
        _ => None,
    })
}

/// Whether a user asked for something about a thing, not in vain, between two events; or had asked before and nobody knows
/// what came of it.
fn asked(lens: &Lens<'_>, id: &str, from: (usize, Timestamp), to: (usize, Timestamp)) -> bool {
    lens.calls().any(|call| {
        let open = !call.it.accepted() && call.at + LINGERS > from.1;
        call.it.method != "GET"
            && !call.it.refused()
            && (call.index > from.0 || open)
            && call.it.sent_at <= to.1
            && call.it.parts().contains(&id)
    })
}

fn lost(what: String, answered: impl Into<String>, found: impl Into<String>) -> InvariantViolation {
    InvariantViolation::LostInACrash { what, answered: answered.into(), found: found.into() }
}

fn instance(
    lens: &Lens<'_>,
    story: &InstanceStory<'_>,
    crash: usize,
    lists: &[(usize, Timestamp, &[InstanceId])],
    steady: bool,
    finding: &mut Finding,
) {
    let Some(before) = story.views.iter().rev().find(|seen| seen.index < crash) else { return };
    let Some((index, at, ids)) = lists.iter().find(|(index, ..)| *index > crash) else { return };
    let expired = before
        .it
        .expires_at
        .map_or(before.it.billing == recovery::model::instance::Billing::Free, |expires| !steady || expires <= *at);
    if alive(before.it.state) && !released_by_user(lens, story, *at) && !expired && !vanished(lens, story) {
        // What was being made may fail; then it is on no list, and says so.
        let failed = before.it.state == InstanceState::Creating
            && story.views.iter().any(|seen| seen.index > crash && seen.it.state == InstanceState::Failed);
        let there = failed || ids.contains(story.id);
        let violation = (!there)
            .then(|| lost(format!("instance {}", story.id), format!("{:?}", before.it.state), "it is not listed"));
        finding.judge(&crate::checks::temporary::witness::at_event(*index, *at), violation);
    }
    let after = story.views.iter().find(|seen| seen.index > crash && is_fresh(lens, seen.index));
    let Some(after) =
        after.filter(|after| !asked(lens, story.id.as_str(), (before.index, before.at), (after.index, after.at)))
    else {
        return;
    };
    let violation =
        other(before.it, after.it).map(|part| lost(format!("{part} of {}", story.id), "as answered", "another one"));
    finding.judge(after, violation);
}

/// What differs of an instance that nobody asked to change.
fn other(before: &InstanceView, after: &InstanceView) -> Option<&'static str> {
    let mut kept = before.configuration.clone();
    kept.whitelist.clone_from(&after.configuration.whitelist);
    let made = |view: &InstanceView| view.state == InstanceState::Running;
    if kept != after.configuration || !before.configuration.whitelist.is_subset(&after.configuration.whitelist) {
        Some("configuration")
    } else if before.created_at.is_some() && before.created_at != after.created_at {
        Some("time of creation")
    } else if before.expires_at.is_some() && before.expires_at != after.expires_at {
        Some("time of expiry")
    } else if (&before.origin, &before.billing, before.network, before.requested_at)
        != (&after.origin, &after.billing, after.network, after.requested_at)
    {
        Some("origin, billing or network")
    } else if made(before) && after.state == InstanceState::Creating {
        Some("state")
    } else {
        None
    }
}

fn tasks(lens: &Lens<'_>, crash: usize, finding: &mut Finding) {
    for story in lens.tasks() {
        let Some(before) = story.views.iter().rev().find(|seen| seen.index < crash) else { continue };
        let task = format!("task {}", story.id);
        let deleted = |until: Timestamp| {
            lens.calls_of_task(story.id).any(|(call, verb)| {
                verb.is_empty() && call.it.method == "DELETE" && !call.it.refused() && call.it.sent_at <= until
            })
        };
        if let Some((index, at)) = story.gone.iter().find(|(index, _)| *index > crash).filter(|(_, at)| !deleted(*at)) {
            let seen = crate::checks::temporary::witness::at_event(*index, *at);
            finding.judge(&seen, Some(lost(task, format!("{:?}", before.it.status), "it is not known")));
            continue;
        }
        let Some(after) = story.views.iter().find(|seen| seen.index > crash) else { continue };
        if asked(lens, story.id.as_str(), (before.index, before.at), (after.index, after.at)) {
            continue;
        }
        let chosen = (&before.it.name, &before.it.types, &before.it.objects, &before.it.source, &before.it.target)
            == (&after.it.name, &after.it.types, &after.it.objects, &after.it.source, &after.it.target);
        let reopened = before.it.status == TaskStatus::Finished && after.it.status != TaskStatus::Finished;
        // A precheck that was under way and fails has the objects chosen anew.
        let refused = before.it.status == TaskStatus::Prechecking && after.it.status == TaskStatus::PrecheckFailed;
        let stage = if refused { before.it.stage.min(Stage::Selected) } else { before.it.stage };
        let violation = if !chosen {
            Some(lost(task, "as configured", "another one"))
        } else if reopened || after.it.stage < stage {
            Some(lost(
                task,
                format!("{:?} {:?}", before.it.stage, before.it.status),
                format!("{:?} {:?}", after.it.stage, after.it.status),
            ))
        } else if before.it.started_at.is_some()
            && before.it.started_at != after.it.started_at
            && !retried(after.it.status)
        {
            Some(lost(task, "begun as answered", "begun at another time"))
        } else {
            None
        };
        finding.judge(after, violation);
    }
}

/// Whether a task may have begun anew by itself.
fn retried(status: TaskStatus) -> bool {
    matches!(status, TaskStatus::Migrating | TaskStatus::Prechecking | TaskStatus::MigrationFailed)
}

fn restores(lens: &Lens<'_>, crash: usize, finding: &mut Finding) {
    let listed = lens.history.events.iter().enumerate().skip(crash).find_map(|(index, event)| match &event.what {
        What::RestoresListed { ids } => Some(Seen { index, at: event.at, it: ids }),
        _ => None,
    });
    let Some(listed) = listed else { return };
    for story in lens.restores() {
        let Some(before) = story.view_before(crash) else { continue };
        if asked(lens, story.id.as_str(), (before.index, before.at), (listed.index, listed.at)) {
            continue;
        }
        let task = format!("task {}", story.id);
        let found: &[TaskId] = listed.it;
        let after = story.view_after(crash).map(|seen| seen.it.status);
        let reopened = before.it.status == RestoreStatus::Completed
            && after.is_some_and(|after| after != RestoreStatus::Completed);
        let violation = if !found.contains(story.id) {
            Some(lost(task, format!("{:?}", before.it.status), "it is not listed"))
        } else if reopened {
            Some(lost(task, "Completed", format!("{after:?}")))
        } else {
            None
        };
        finding.judge(&listed, violation);
    }
}

/// The last answer about each account and the last photograph of its instance.
fn accounts(lens: &Lens<'_>, first: (usize, Timestamp), finding: &mut Finding) {
    let about = |call: &Seen<'_, Call>| {
        let parts = call.it.parts();
        (parts.len() > 3
            && parts[1] == "instances"
            && parts[3] == "accounts"
            && call.it.method != "GET"
            && !call.it.refused())
        .then(|| InstanceId::from(parts[2]))
    };
    for (call, instance) in lens.calls().filter_map(|call| about(&call).map(|instance| (call, instance))) {
        let Some(name) = account_of(call.it) else { continue };
        let again = lens.calls().any(|other| {
            other.index > call.index && about(&other).as_ref() == Some(&instance) && account_of(other.it) == Some(name)
        });
        let crashed = first.0 > call.index;
        if again || !crashed || !call.it.accepted() {
            continue;
        }
        let Some(shot) = lens.shots(&instance).next_back().filter(|shot| shot.index > first.0) else { continue };
        let dropped = lens.statements(&instance).any(|seen| seen.index > call.index && seen.it.is_ddl());
        let there = shot.it.photograph.accounts.contains_key(name);
        let want = call.it.method != "DELETE";
        let word = |there: bool| if there { "there" } else { "gone" };
        let violation = (there != want && !dropped && !lens.recovered_between(&instance, call.index, shot.index))
            .then(|| lost(format!("account {name} of {instance}"), word(want), word(there)));
        finding.judge(&shot, violation);
    }
}

/// The account a request is about.
fn account_of(call: &Call) -> Option<&str> {
    let in_path = call.path.split('?').next()?.split('/').filter(|part| !part.is_empty()).nth(4);
    in_path.or_else(|| call.request.get("name")?.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::invariants::made_up::{Tale, holds, wrong};
    use crate::checks::testing::{photograph, span};
    use serde_json::json;

    #[test]
    fn an_instance_that_a_crash_forgot_is_found() {
        let mut tale = Tale::new();
        tale.crash().list(&[]);
        let expected = lost("instance rm-1".into(), "Running", "it is not listed");
        assert_eq!(wrong(&tale.story, check), vec![expected]);
    }

    #[test]
    fn a_setting_that_a_crash_forgot_is_found() {
        let mut tale = Tale::new();
        let shop = tale.shop.clone();
        let mut other = shop.clone();
        other.configuration.ssl = true;
        tale.story.call("PUT /v1/instances/rm-1/configuration", json!({"ssl": true}), 200, json!(other)).see(&other);
        tale.crash().list(&[&shop]);
        assert_eq!(wrong(&tale.story, check), vec![lost("configuration of rm-1".into(), "as answered", "another one")]);
    }

    #[test]
    fn a_task_that_went_back_is_found() {
        let mut tale = Tale::new();
        tale.look(TaskStatus::Finished).crash().look(TaskStatus::Migrating);
        assert_eq!(wrong(&tale.story, check).len(), 1);
        let mut tale = Tale::new();
        tale.task.stage = Stage::Authorised;
        tale.look(TaskStatus::NotStarted).crash().task.stage = Stage::Configured;
        tale.look(TaskStatus::NotStarted);
        assert_eq!(wrong(&tale.story, check).len(), 1);
    }

    #[test]
    fn a_precheck_that_fails_after_a_crash_has_the_objects_chosen_anew() {
        for (before, found) in [(TaskStatus::Prechecking, 0), (TaskStatus::PrecheckPassed, 1)] {
            let mut tale = Tale::new();
            tale.task.stage = Stage::Ordered;
            tale.look(before).crash().task.stage = Stage::Selected;
            tale.look(TaskStatus::PrecheckFailed);
            assert_eq!(wrong(&tale.story, check).len(), found, "{before:?}");
        }
    }

    #[test]
    fn an_account_that_a_crash_forgot_is_found() {
        let mut tale = Tale::new();
        tale.story.call("POST /v1/instances/rm-1/accounts", json!({"name": "late"}), 201, json!({"name": "late"}));
        tale.crash().story.shot("rm-1", &photograph(&[]));
        assert_eq!(wrong(&tale.story, check), vec![lost("account late of rm-1".into(), "there", "gone")]);
    }

    #[test]
    fn what_is_as_answered_released_or_over_holds() {
        let mut tale = Tale::new();
        let shop = tale.shop.clone();
        tale.rescue().look(TaskStatus::NotStarted).crash();
        tale.story.now += span("49h");
        tale.list(&[&shop]).look(TaskStatus::NotStarted);
        holds(&tale.story, check, 3);
        let mut tale = Tale::new();
        tale.story.call("DELETE /v1/instances/rm-1", json!(null), 204, json!(null));
        tale.crash().list(&[]);
        holds(&tale.story, check, 0);
    }

    #[test]
    fn what_fails_to_be_made_is_on_no_list_and_says_so() {
        let ordered = |found: Option<InstanceState>| {
            let mut tale = Tale::new();
            let shop = tale.shop.clone();
            let view = |state| InstanceView { id: "rm-2".into(), state, created_at: None, ..shop.clone() };
            tale.story.see(&view(InstanceState::Creating));
            tale.crash().list(&[&shop]);
            found.map(|state| tale.story.see(&view(state)).history.events.len());
            tale
        };
        holds(&ordered(Some(InstanceState::Failed)).story, check, 4);
        let expected = lost("instance rm-2".into(), "Creating", "it is not listed");
        assert_eq!(wrong(&ordered(None).story, check), vec![expected]);
    }

    #[test]
    fn without_a_crash_nothing_is_exercised() {
        let mut tale = Tale::new();
        tale.list(&[]);
        holds(&tale.story, check, 0);
    }
}
