//! A start looks afresh: no result of an earlier precheck is used again, neither a failed nor a passed one (TMP-47, SQL-46,
//! CLN-44; C-07).

use super::TaskViolation;
use super::calls::changes;
use crate::checks::Finding;
use crate::history::What;
use crate::history::lens::{Lens, Seen, TaskStory};
use recovery::model::task::TaskStatus;
use recovery::model::views::TaskView;

/// Judges every accepted request to check or start a task that had been checked before.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for task in lens.tasks() {
        let asked: Vec<_> = changes(lens, task.id).collect();
        for (position, (call, step)) in asked.iter().enumerate() {
            // What somebody else saw while the request was under way may be its effect already.
            let earlier = |seen: &&Seen<'_, TaskView>| seen.index < call.index && seen.at <= call.it.sent_at;
            let Some(before) = task.views.iter().rev().find(earlier) else { continue };
            let (true, Some(old)) = (call.it.accepted() && starts(before.it, step), number(before.it)) else {
                continue;
            };
            let next = asked.get(position + 1).map_or(usize::MAX, |(next, _)| next.index);
            let after = task.views.iter().filter(|seen| seen.at > call.it.sent_at || seen.index > call.index);
            let after = after.filter(|seen| seen.index < next);
            if after.clone().any(|seen| number(seen.it).is_some_and(|number| number > old)) {
                finding.judge(call, None::<TaskViolation>);
            } else if let Some(seen) =
                after.clone().find(|seen| seen.it.started_at.is_some()).or_else(|| settled(lens, task, next))
            {
                let (task, step, status) = (task.id.clone(), (*step).to_owned(), seen.it.status);
                finding.judge(seen, Some(TaskViolation::OldResultUsed { task, step, run: old, status }));
            }
        }
    }
    finding
}

fn number(task: &TaskView) -> Option<u32> {
    task.precheck.as_ref().map(|run| run.number)
}

/// Whether a step asks a task, as it was seen before, to be checked or to begin.
fn starts(before: &TaskView, step: &str) -> bool {
    let checked = matches!(before.status, TaskStatus::PrecheckFailed | TaskStatus::PrecheckPassed);
    match step {
        "precheck" | "start" => checked,
        "confirm" => before.status == TaskStatus::PrecheckPassed && !before.purchase_required,
        "purchase" => before.status == TaskStatus::PrecheckPassed,
        _ => false,
    }
}

/// The last sight of a task, if everything had come to an end by then and nothing else was asked.
fn settled<'l, 'a>(lens: &Lens<'_>, task: &'l TaskStory<'a>, next: usize) -> Option<&'l Seen<'a, TaskView>> {
    let healed = lens.history.events.iter().position(|event| matches!(event.what, What::Healed))?;
    task.views.last().filter(|seen| seen.index > healed && next == usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::tasks::made_up::{Tale, holds, wrong};
    use recovery::model::precheck::PrecheckItem;

    const ITEM: PrecheckItem = PrecheckItem::SameNameObject;

    #[test]
    fn a_start_that_uses_the_old_failure_is_found() {
        let mut tale = Tale::begin();
        tale.ready().precheck(&[ITEM]).step("start").look();
        tale.story.push(What::Healed);
        tale.look();
        let (step, status) = ("start".into(), TaskStatus::PrecheckFailed);
        assert_eq!(
            wrong(&tale, check),
            vec![TaskViolation::OldResultUsed { task: "dts-1".into(), step, run: 1, status }]
        );
    }

    #[test]
    fn a_task_that_migrates_on_an_old_result_is_found() {
        for (failing, step) in [(vec![ITEM], "start"), (vec![], "confirm")] {
            let mut tale = Tale::begin();
            tale.ready().precheck(&failing).step(step).migrate();
            let (step, status) = (step.into(), TaskStatus::Migrating);
            assert_eq!(
                wrong(&tale, check),
                vec![TaskViolation::OldResultUsed { task: "dts-1".into(), step, run: 1, status }]
            );
        }
    }

    #[test]
    fn starts_that_look_afresh_hold() {
        let mut tale = Tale::begin();
        tale.ready().precheck(&[ITEM]).begin_run("start").end_run(&[]).confirm();
        holds(&tale, check, 2);
    }

    #[test]
    fn what_was_seen_while_a_first_precheck_was_asked_for_is_no_earlier_result() {
        let mut tale = Tale::begin();
        tale.ready().precheck(&[ITEM]);
        let events = &mut tale.story.history.events;
        let asked = |what: &What| matches!(what, What::Call(call) if call.path.ends_with("/precheck"));
        let index = events.iter().position(|event| asked(&event.what)).expect("it was asked for");
        let mut answered = events.remove(index);
        answered.at = tale.story.now;
        events.push(answered);
        tale.story.push(What::Healed);
        tale.look();
        holds(&tale, check, 0);
    }

    #[test]
    fn a_first_precheck_and_a_confirmation_before_the_purchase_exercise_nothing() {
        let mut tale = Tale::begin();
        tale.set(|task| task.purchase_required = true).ready().precheck(&[]).step("confirm").look();
        holds(&tale, check, 0);
    }
}
