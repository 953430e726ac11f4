//! The list of restore tasks contains every one that was saved and not deleted (LOG-53).

use super::RestoreViolation;
use super::witness::deleted;
use crate::checks::Finding;
use crate::history::What;
use crate::history::lens::{Lens, Seen};

/// Compares each list with the tasks seen before it.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for (index, event) in lens.history.events.iter().enumerate() {
        let What::RestoresListed { ids } = &event.what else { continue };
        let known = lens.restores().filter(|story| story.views[0].index < index && story.views[0].at < event.at);
        let there: Vec<_> = known.filter(|story| !deleted(lens, story.id.as_str(), index)).collect();
        if there.is_empty() {
            continue;
        }
        let missing = there.into_iter().find(|story| !ids.contains(story.id));
        let seen = Seen { index, at: event.at, it: &event.what };
        finding.judge(&seen, missing.map(|story| RestoreViolation::RestoreNotListed { task: story.id.clone() }));
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::restore::made_up::{Tale, holds, nothing, orders, wrong};

    fn tale(ids: &[&str]) -> Tale {
        let mut tale = Tale::between(&orders(), &nothing());
        let ids = ids.iter().map(|id| (*id).into()).collect();
        tale.save().story.push(What::RestoresListed { ids });
        tale
    }

    #[test]
    fn a_list_without_a_saved_task_is_found() {
        let expected = vec![RestoreViolation::RestoreNotListed { task: "rst-1".into() }];
        assert_eq!(wrong(&tale(&[]).story, check), expected);
    }

    #[test]
    fn a_list_with_it_holds_and_one_before_any_task_exercises_nothing() {
        holds(&tale(&["rst-1"]).story, check, 1);
        let mut early = Tale::between(&orders(), &nothing());
        early.story.push(What::RestoresListed { ids: vec![] });
        holds(&early.story, check, 0);
    }
}
