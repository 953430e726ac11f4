//! A restore begins from a full set that is complete, and no other is offered (LOG-02, LOG-16, LOG-32).

use super::RestoreViolation;
use super::witness::requests;
use crate::checks::Finding;
use crate::history::lens::Lens;
use crate::history::lens::logical::SetStory;
use recovery::model::logical::backup::{SetKind, SetStatus};
use recovery::model::logical::views::LogicalSetView;

/// Judges requests by backup set whose set was seen before and after, requests of tasks without any complete full set, and
/// what answers say of sets that cannot be restored from.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for request in requests(lens) {
        let set = match request.text("/recovery/backup_set_id") {
            Some(set) => lens.set(&set.into()).filter(|set| unusable(set, request.call.index)),
            None => request.text("/backup_task").and_then(|task| without_full(lens, task, request.call.index)),
        };
        let Some(set) = set else { continue };
        if request.made.is_some() {
            finding.judge(&request.call, Some(taken(set.last())));
        } else if request.call.it.refused() {
            finding.judge(&request.call, None::<RestoreViolation>);
        }
    }
    for story in lens.sets() {
        let whole = |view: &LogicalSetView| view.kind == SetKind::Full && view.status == SetStatus::Completed;
        let offered = story.views.iter().find(|seen| seen.it.restorable && !whole(seen.it));
        if let Some(seen) = offered.or_else(|| story.views.iter().find(|seen| !whole(seen.it))) {
            let (set, kind, status) = (story.id.clone(), seen.it.kind, seen.it.status);
            finding.judge(seen, offered.map(|_| RestoreViolation::SetOffered { set, kind, status }));
        }
    }
    finding
}

fn taken(view: &LogicalSetView) -> RestoreViolation {
    RestoreViolation::SetTaken { set: view.id.clone(), kind: view.kind, status: view.status }
}

/// Whether a set cannot have been a complete full one at an event.
fn unusable(set: &SetStory<'_>, index: usize) -> bool {
    let incomplete = |view: &LogicalSetView| view.status != SetStatus::Completed;
    let failed = set.views.iter().any(|seen| seen.index < index && seen.it.status == SetStatus::Failed);
    let before = set.view_before(index).is_some_and(|seen| incomplete(seen.it));
    let after = set.view_after(index).is_some_and(|seen| incomplete(seen.it));
    set.first.kind != SetKind::Full || failed || (before && after)
}

/// A set of a task that has sets and no complete full one before or after an event.
fn without_full<'l, 'a>(lens: &'l Lens<'a>, task: &str, index: usize) -> Option<&'l SetStory<'a>> {
    let own: Vec<&SetStory<'a>> = lens.sets().filter(|set| set.first.task.as_str() == task).collect();
    let none = own.iter().all(|set| unusable(set, index));
    own.into_iter().next().filter(|_| none)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::restore::made_up::{Tale, body, holds, nothing, orders, wrong};
    use crate::history::What;
    use std::sync::Arc;

    fn tale(kind: SetKind, status: SetStatus) -> Tale {
        let mut tale = Tale::between(&orders(), &nothing());
        tale.story.history.events.retain(|event| !matches!(event.what, What::LogicalSetSeen(_)));
        tale.set = LogicalSetView { kind, status, restorable: false, ..tale.set };
        look(&mut tale);
        tale
    }

    fn look(tale: &mut Tale) {
        tale.story.push(What::LogicalSetSeen(Arc::new(tale.set.clone())));
    }

    #[test]
    fn a_restore_from_a_running_set_or_a_log_is_found() {
        for (kind, status) in [(SetKind::Full, SetStatus::Running), (SetKind::Log, SetStatus::Completed)] {
            let mut tale = tale(kind, status);
            tale.save();
            look(&mut tale);
            let set = "bkx-1".into();
            assert_eq!(wrong(&tale.story, check), vec![RestoreViolation::SetTaken { set, kind, status }]);
        }
    }

    #[test]
    fn a_failed_set_that_is_offered_is_found() {
        let (kind, status) = (SetKind::Full, SetStatus::Failed);
        let mut tale = tale(kind, status);
        tale.set.restorable = true;
        look(&mut tale);
        let set = "bkx-1".into();
        assert_eq!(wrong(&tale.story, check), vec![RestoreViolation::SetOffered { set, kind, status }]);
    }

    #[test]
    fn a_refusal_holds_and_a_complete_full_set_exercises_nothing() {
        let mut refused = tale(SetKind::Full, SetStatus::Failed);
        let asked = body(&refused.view);
        refused.story.refused("POST /v1/restore-tasks", asked, 403, "OperationDenied.BackupSet");
        holds(&refused.story, check, 2);
        let mut whole = Tale::between(&orders(), &nothing());
        whole.save();
        holds(&whole.story, check, 0);
    }
}
