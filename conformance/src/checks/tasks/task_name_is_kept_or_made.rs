//! A task bears the name it was given or one that was made for it; names need not differ (TMP-22, SQL-28, CLN-22; C-21).

use super::TaskViolation;
use super::calls::{blamed, flawless, setup_at, setups};
use crate::checks::Finding;
use crate::history::Call;
use crate::history::lens::{Lens, Seen, TaskStory};
use serde_json::Value;

/// Compares every sight of a task with the name last given to it, and looks for names refused because they are taken.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for task in lens.tasks() {
        let Some(first) = task.views.first() else { continue };
        let found = task.views.iter().find_map(|seen| {
            let call = setup_at(lens, task.id, seen.index)?.it;
            lost(task, call, &seen.it.name).map(|violation| (*seen, violation))
        });
        match found {
            Some((seen, violation)) => finding.judge(&seen, Some(violation)),
            None if setup_at(lens, task.id, first.index).is_some() => finding.judge(first, None::<TaskViolation>),
            None => {}
        }
    }
    for call in setups(lens) {
        let Some((name, task)) = twin(lens, &call) else { continue };
        if blamed(call.it) && flawless(lens, &call) {
            finding.judge(&call, Some(TaskViolation::NameRefused { name, task: task.id.clone() }));
        }
    }
    finding
}

fn given(call: &Call) -> Option<&str> {
    call.request.get("name").and_then(Value::as_str)
}

fn lost(task: &TaskStory<'_>, call: &Call, name: &str) -> Option<TaskViolation> {
    let task = task.id.clone();
    match given(call) {
        _ if name.trim().is_empty() => Some(TaskViolation::Nameless { task }),
        Some(given) if given != name => {
            Some(TaskViolation::NameLost { task, given: given.to_owned(), name: name.to_owned() })
        }
        _ => None,
    }
}

/// A task that had the name asked for before.
fn twin<'l, 'a>(lens: &'l Lens<'a>, call: &Seen<'_, Call>) -> Option<(String, &'l TaskStory<'a>)> {
    let name = given(call.it)?;
    let bore = |task: &&TaskStory<'_>| task.view_at(call.index).is_some_and(|seen| seen.it.name == name);
    lens.tasks().find(bore).map(|task| (name.to_owned(), task))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::tasks::made_up::{Tale, body, holds, with, wrong};

    #[test]
    fn a_name_that_was_lost_is_found() {
        let mut tale = Tale::begin();
        tale.create().set(|task| task.name = "task 1".into()).look();
        let (given, name) = ("put back".into(), "task 1".into());
        assert_eq!(wrong(&tale, check), vec![TaskViolation::NameLost { task: "dts-1".into(), given, name }]);
    }

    #[test]
    fn a_task_without_any_name_is_found() {
        let mut tale = Tale::begin();
        let body = with(body(&tale.task), "/name", Value::Null);
        tale.set(|task| task.name = String::new()).create_as(body);
        assert_eq!(wrong(&tale, check), vec![TaskViolation::Nameless { task: "dts-1".into() }]);
    }

    #[test]
    fn a_name_refused_because_it_is_taken_is_found() {
        let mut tale = Tale::begin();
        let again = body(&tale.task);
        tale.create().refuse_body(again, 409, "InvalidTaskName.Duplicate");
        tale.story.see(&crate::checks::tasks::made_up::rescue());
        assert_eq!(
            wrong(&tale, check),
            vec![TaskViolation::NameRefused { name: "put back".into(), task: "dts-1".into() }]
        );
    }

    #[test]
    fn a_name_kept_and_one_that_was_made_hold() {
        let mut tale = Tale::begin();
        tale.create().look();
        holds(&tale, check, 1);
        let mut tale = Tale::begin();
        let body = with(body(&tale.task), "/name", Value::Null);
        tale.set(|task| task.name = "migration of sub1".into()).create_as(body);
        holds(&tale, check, 1);
    }
}
