//! A refused request changed nothing: what was seen before it and after it is the same, where nothing else was under way.

use super::InvariantViolation;
use super::changes::{Change, changes};
use super::doings::{Doings, LINGERS, vanished};
use super::sources_stay::{reader_of, readers};
use crate::checks::Finding;
use crate::checks::temporary::witness::{is_fresh, skewed};
use crate::history::Call;
use crate::history::lens::{Lens, Seen};
use jiff::Timestamp;
use recovery::model::instance::InstanceState;
use recovery::model::logical::restore::RestoreStatus;
use recovery::model::logical::views::RestoreView;
use recovery::model::task::TaskStatus;
use recovery::model::views::{InstanceView, TaskView};
use std::collections::BTreeSet;

/// Compares the last sight before each refused request with the first after it, thing by thing.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    let refused: Vec<Seen<'_, Call>> = refusals(lens).collect();
    if refused.is_empty() {
        return finding;
    }
    let others: Vec<Seen<'_, Call>> =
        lens.calls().filter(|call| call.it.method != "GET" && !call.it.refused()).collect();
    let steady = !skewed(lens);
    for call in &refused {
        let calm = |before: (usize, Timestamp), after: (usize, Timestamp)| calm(lens, &others, before, after);
        let instances = lens.instances().find_map(|story| {
            let fresh = |seen: &&Seen<'_, InstanceView>| is_fresh(lens, seen.index);
            let before = story.views.iter().rev().filter(fresh).find(|seen| seen.index < call.index)?;
            let after = story.views.iter().filter(fresh).find(|seen| seen.index > call.index)?;
            let what = instance_change(before.it, after.it, after.at, steady && !vanished(lens, story))?;
            calm((before.index, before.at), (after.index, after.at)).then(|| format!("{what} of {}", story.id))
        });
        let tasks = || {
            lens.tasks().find_map(|story| {
                let before = story.views.iter().rev().find(|seen| seen.index < call.index)?;
                let after = story.views.iter().find(|seen| seen.index > call.index)?;
                let differ = at_rest(before.it.status) && chosen(before.it) != chosen(after.it);
                let calm = differ && calm((before.index, before.at), (after.index, after.at));
                calm.then(|| format!("task {}", story.id))
            })
        };
        let restores = || {
            lens.restores().find_map(|story| {
                let before = story.view_before(call.index)?;
                let after = story.view_after(call.index)?;
                let differ = restore_at_rest(before.it) && before.it != after.it;
                let calm = differ && calm((before.index, before.at), (after.index, after.at));
                calm.then(|| format!("task {}", story.id))
            })
        };
        let violation = instances.or_else(tasks).or_else(restores).map(|what| changed(call, what));
        finding.judge(call, violation);
    }
    photographs(lens, &mut finding);
    made(lens, &refused, &others, &mut finding);
    finding
}

/// Refused requests that would have changed something.
fn refusals<'a>(lens: &Lens<'a>) -> impl Iterator<Item = Seen<'a, Call>> + use<'a> {
    lens.calls().filter(|call| call.it.method != "GET" && call.it.refused())
}

fn changed(call: &Seen<'_, Call>, what: String) -> InvariantViolation {
    let (request, code) = told(call);
    InvariantViolation::RefusalChanged { request, code, what }
}

fn told(call: &Seen<'_, Call>) -> (String, String) {
    let code = call.it.code().map_or_else(|| call.it.status.unwrap_or(0).to_string(), str::to_owned);
    (format!("{} {}", call.it.method, call.it.path), code)
}

/// Whether no other request can have had its effect between two sights, and nothing was broken meanwhile.
fn calm(lens: &Lens<'_>, others: &[Seen<'_, Call>], before: (usize, Timestamp), after: (usize, Timestamp)) -> bool {
    let open = |call: &Seen<'_, Call>| !call.it.accepted() && call.at + LINGERS > before.1;
    let acted = others.iter().any(|call| (call.index > before.0 || open(call)) && call.it.sent_at <= after.1);
    let broken = lens.history.events[before.0..after.0].iter().any(|event| event.what.breaks());
    !acted && !broken
}

/// What changed of an instance that does not change by itself.
fn instance_change(before: &InstanceView, after: &InstanceView, at: Timestamp, steady: bool) -> Option<&'static str> {
    let grown = |before: &InstanceView, after: &InstanceView| {
        let mut same = before.configuration.clone();
        same.whitelist.clone_from(&after.configuration.whitelist);
        same == after.configuration && before.configuration.whitelist.is_subset(&after.configuration.whitelist)
    };
    let expires = before.expires_at.is_some_and(|expires| expires <= at) || !steady;
    let state = before.state == InstanceState::Running && after.state != InstanceState::Running && !expires;
    if !grown(before, after) {
        Some("configuration")
    } else if before.billing != after.billing {
        Some("billing")
    } else if before.expires_at != after.expires_at && before.expires_at.is_some() {
        Some("time of expiry")
    } else if before.network != after.network {
        Some("network")
    } else if state {
        Some("state")
    } else {
        None
    }
}

/// What a user chose of a task, and how far it is.
#[allow(clippy::type_complexity, reason = "the parts are compared together and never named")]
fn chosen(
    view: &TaskView,
) -> (
    &str,
    TaskStatus,
    [&recovery::model::views::SideView; 2],
    &BTreeSet<recovery::model::task::MigrationType>,
    &[recovery::model::task::Selection],
    recovery::model::task::Stage,
) {
    (&view.name, view.status, [&view.source, &view.target], &view.types, &view.objects, view.stage)
}

/// Whether a task goes on only when it is asked to.
fn at_rest(status: TaskStatus) -> bool {
    matches!(
        status,
        TaskStatus::NotStarted | TaskStatus::PrecheckFailed | TaskStatus::PrecheckPassed | TaskStatus::Finished
    )
}

fn restore_at_rest(view: &RestoreView) -> bool {
    !matches!(view.status, RestoreStatus::Checking | RestoreStatus::Running)
}

/// The refused request about an instance between the two photographs of a change.
pub fn refusal_behind<'a>(lens: &Lens<'a>, change: &Change<'_>) -> Option<Seen<'a, Call>> {
    refusals(lens).find(|call| {
        call.index > change.before.index
            && call.index < change.after.index
            && call.it.part(2) == Some(change.instance.as_str())
    })
}

/// Changes of photographs that nothing but a refused request explains; what is being read is another invariant's.
fn photographs(lens: &Lens<'_>, finding: &mut Finding) {
    let doings = Doings::of(lens);
    let readers = readers(lens, &doings);
    for change in changes(lens) {
        let Some(call) = refusal_behind(lens, &change).filter(|_| reader_of(&readers, &change).is_none()) else {
            continue;
        };
        if !change.is_users(&doings) && !change.is_moved(lens, &doings) {
            let what = format!("{} on {}", change.difference(), change.instance);
            finding.judge(&change.seen(), Some(changed(&call, what)));
        }
    }
}

/// Instances and tasks that are there though only a refused request asked for them.
fn made(lens: &Lens<'_>, refused: &[Seen<'_, Call>], others: &[Seen<'_, Call>], finding: &mut Finding) {
    let making = |call: &&Seen<'_, Call>, collections: &[&str]| {
        call.it.method == "POST" && call.it.last_part().is_some_and(|last| collections.contains(&last))
    };
    let mut judge = |id: &str, first: usize, collections: &[&str]| {
        // An answer that shows it is its own explanation; so is a request of which nobody knows what came.
        let shown = |call: &&Seen<'_, Call>| call.it.accepted() && call.it.answer.to_string().contains(id);
        let answered =
            others.iter().filter(|call| making(call, collections)).any(|call| shown(&call) || !call.it.accepted());
        let culprit = refused.iter().rev().find(|call| call.index < first && making(call, collections));
        if let Some(call) = culprit.filter(|_| !answered) {
            let (request, code) = told(call);
            finding.judge(call, Some(InvariantViolation::RefusalMade { request, code, made: id.to_owned() }));
        }
    };
    for story in lens.instances() {
        judge(story.id.as_str(), story.views[0].index, &["instances", "clones", "temporary-instances"]);
    }
    for story in lens.tasks() {
        judge(story.id.as_str(), story.views[0].index, &["migration-tasks"]);
    }
    for story in lens.restores() {
        judge(story.id.as_str(), story.views[0].index, &["restore-tasks"]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::invariants::made_up::{Tale, holds, wrong};
    use crate::checks::testing::{photograph, start, temporary};
    use crate::history::What;
    use serde_json::json;

    const ORDER: &str = "POST /v1/instances/rm-1/temporary-instances";
    const CODE: &str = "OperationDenied.TempDBInstanceExists";

    fn refusal(tale: &mut Tale) -> &mut Tale {
        tale.story.refused(ORDER, json!({}), 409, CODE);
        tale
    }

    fn changed(what: &str) -> Vec<InvariantViolation> {
        let (request, code) = (ORDER.to_owned(), CODE.to_owned());
        vec![InvariantViolation::RefusalChanged { request, code, what: what.into() }]
    }

    #[test]
    fn a_master_that_a_refused_request_changed_is_found() {
        let mut tale = Tale::new();
        let shop = tale.shop.clone();
        let mut other = shop.clone();
        other.configuration.ssl = true;
        refusal(tale.list(&[&shop])).list(&[&other]);
        assert_eq!(wrong(&tale.story, check), changed("configuration of rm-1"));
        let busy = InstanceView { state: InstanceState::InsCloning, ..shop.clone() };
        let mut tale = Tale::new();
        refusal(tale.list(&[&shop])).list(&[&busy]);
        assert_eq!(wrong(&tale.story, check), changed("state of rm-1"));
    }

    #[test]
    fn what_changed_is_found_though_everything_was_healed_meanwhile() {
        let mut tale = Tale::new();
        let shop = tale.shop.clone();
        let mut other = shop.clone();
        other.configuration.ssl = true;
        refusal(tale.list(&[&shop])).story.push(What::fault("heal", "everything heals", None));
        tale.list(&[&other]);
        assert_eq!(wrong(&tale.story, check), changed("configuration of rm-1"));
    }

    #[test]
    fn a_task_that_a_refused_request_moved_on_is_found() {
        let mut tale = Tale::new();
        tale.look(TaskStatus::PrecheckFailed);
        refusal(&mut tale).look(TaskStatus::Migrating);
        assert_eq!(wrong(&tale.story, check), changed("task dts-1"));
    }

    #[test]
    fn content_that_a_refused_request_changed_is_found() {
        let mut tale = Tale::new();
        tale.story.shot("rm-1", &photograph(&[("orders", &[(1, "lamp")])]));
        refusal(&mut tale).story.shot("rm-1", &photograph(&[("orders", &[])]));
        assert_eq!(wrong(&tale.story, check), changed("table orders of app with 0 rows instead of 1 on rm-1"));
    }

    #[test]
    fn an_instance_that_only_a_refused_request_asked_for_is_found() {
        let mut tale = Tale::new();
        refusal(&mut tale).rescue();
        let (request, code) = (ORDER.to_owned(), CODE.to_owned());
        assert_eq!(
            wrong(&tale.story, check),
            vec![InvariantViolation::RefusalMade { request, code, made: "sub1".into() }]
        );
    }

    #[test]
    fn what_is_as_before_or_was_asked_for_otherwise_holds() {
        let mut tale = Tale::new();
        let shop = tale.shop.clone();
        refusal(tale.list(&[&shop])).list(&[&shop]);
        holds(&tale.story, check, 1);
        let made = temporary("sub1", &shop, start());
        tale.story.keyed_call(ORDER, Some("k"), json!({}), 202, json!(made)).see(&made);
        let mut other = shop.clone();
        other.configuration.ssl = true;
        tale.story.call("PUT /v1/instances/rm-1/configuration", json!({"ssl": true}), 200, json!(other));
        refusal(&mut tale).list(&[&other, &made]);
        holds(&tale.story, check, 2);
    }
}
