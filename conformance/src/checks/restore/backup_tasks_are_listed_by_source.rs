//! Choosing a source narrows the backup tasks to its own, and no other's can be chosen (LOG-20).

use super::RestoreViolation;
use super::witness::requests;
use crate::checks::Finding;
use crate::history::What;
use crate::history::lens::{Lens, Seen};

/// Judges lists of the backup tasks of one source, and requests that name a task of another source.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for (index, event) in lens.history.events.iter().enumerate() {
        let What::LogicalTasksListed { source: Some(asked), ids } = &event.what else { continue };
        let seen = Seen { index, at: event.at, it: &event.what };
        let known = ids.iter().filter_map(|id| lens.backup_task(id)).map(|story| story.first);
        let other = known.into_iter().find(|task| task.source != *asked).map(|task| {
            let (task, of, asked) = (task.id.clone(), task.source.clone(), asked.clone());
            RestoreViolation::TaskOfAnotherSource { task, of, asked }
        });
        let missing = || {
            let before = lens
                .backup_tasks()
                .find(|story| story.first.source == *asked && story.views[0].at < event.at && !ids.contains(story.id));
            before.map(|story| RestoreViolation::TaskNotListed { task: story.id.clone(), source: asked.clone() })
        };
        finding.judge(&seen, other.or_else(missing));
    }
    for request in requests(lens) {
        let (Some(asked), Some(task)) = (request.side("/source"), request.text("/backup_task")) else { continue };
        let Some(story) = lens.backup_task(&task.into()).filter(|story| story.first.source != asked) else { continue };
        if request.made.is_some() {
            let (task, of) = (story.id.clone(), story.first.source.clone());
            finding.judge(&request.call, Some(RestoreViolation::TaskOfAnotherSource { task, of, asked }));
        } else if request.call.it.refused() {
            finding.judge(&request.call, None::<RestoreViolation>);
        }
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::restore::made_up::{Tale, body, holds, nothing, orders, wrong};

    fn list(tale: &mut Tale, source: &str, ids: &[&str]) {
        let ids = ids.iter().map(|id| (*id).into()).collect();
        tale.story.push(What::LogicalTasksListed { source: Some(source.into()), ids });
    }

    fn expected(asked: &str) -> Vec<RestoreViolation> {
        let (task, of, asked) = ("bk-1".into(), "ds-1".into(), asked.into());
        vec![RestoreViolation::TaskOfAnotherSource { task, of, asked }]
    }

    #[test]
    fn a_task_of_another_source_in_the_list_is_found() {
        let mut tale = Tale::between(&orders(), &nothing());
        list(&mut tale, "ds-2", &["bk-1"]);
        assert_eq!(wrong(&tale.story, check), expected("ds-2"));
    }

    #[test]
    fn a_task_of_another_source_that_can_be_chosen_is_found() {
        let mut tale = Tale::between(&orders(), &nothing());
        tale.set(|view| view.source = "ds-2".into()).save();
        assert_eq!(wrong(&tale.story, check), expected("ds-2"));
    }

    #[test]
    fn a_task_that_the_list_of_its_source_lacks_is_found() {
        let mut tale = Tale::between(&orders(), &nothing());
        list(&mut tale, "ds-1", &[]);
        let (task, source) = ("bk-1".into(), "ds-1".into());
        assert_eq!(wrong(&tale.story, check), vec![RestoreViolation::TaskNotListed { task, source }]);
    }

    #[test]
    fn own_tasks_in_the_list_and_a_refusal_of_anothers_hold() {
        let mut tale = Tale::between(&orders(), &nothing());
        list(&mut tale, "ds-1", &["bk-1"]);
        list(&mut tale, "ds-2", &[]);
        let asked = body(&tale.set(|view| view.source = "ds-2".into()).view);
        tale.story.refused("POST /v1/restore-tasks", asked, 404, "InvalidTaskId.NotFound");
        holds(&tale.story, check, 3);
    }
}
