//! A precheck has passed exactly when no item failed, shielded ones apart (DTS-09; C-28).
//!
//! A shield covers its own item and no other, only items that may be shielded have one, and a shielded item says why that
//! is allowed.

use super::TaskViolation;
use super::runs::{failed, runs};
use crate::checks::Finding;
use crate::history::lens::Lens;
use recovery::model::precheck::{PrecheckItem, PrecheckOutcome};
use recovery::model::views::TaskView;

/// Codes of the items that may be shielded (prechecks.md section 4, and 2.1 item 20).
const SHIELDABLE: [&str; 7] = [
    "CHECK_SAME_OBJ",
    "CHECK_SAME_USER",
    "CHECK_SRC",
    "CHECK_TOPOLOGY",
    "CHECK_SERVER_ID",
    "CHECK_DEST_TABLE_EMPTY",
    "CHECK_SUPER_AUTH_DEST",
];

/// Compares the verdict of every run with its items, and shields with what they cover.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for run in runs(lens) {
        let Some(passed) = run.let_through() else { continue };
        let failed = run.run.items.iter().find(|result| failed(result)).map(|result| result.item);
        let (task, number) = (run.task.id.clone(), run.run.number);
        let violation = match (passed, failed) {
            (true, Some(item)) => Some(TaskViolation::PassedWithFailed { task, run: number, item }),
            (false, None) => Some(TaskViolation::FailedWithoutFailed { task, run: number }),
            _ => None,
        };
        finding.judge(&run.seen, violation);
    }
    for seen in lens.tasks().flat_map(|task| &task.views) {
        if let Some(item) = wrongly_shielded(seen.it) {
            finding.judge(seen, Some(TaskViolation::WronglyShielded { task: seen.it.id.clone(), item }));
        }
    }
    finding
}

/// An item that counts as shielded and may not be, was not, or does not say why it may be; or one that failed under its
/// own shield.
fn wrongly_shielded(task: &TaskView) -> Option<PrecheckItem> {
    let may = |item: PrecheckItem| SHIELDABLE.contains(&item.code());
    let now = task.shields.iter().copied().find(|item| !may(*item));
    // What a run went by is what it says itself: shields may have come and gone since.
    let Some(run) = task.precheck.as_ref() else { return now };
    let went_by: Vec<&str> = run.configuration.get("shields").map_or("", String::as_str).split(", ").collect();
    let wrong = run.items.iter().find(|result| match &result.outcome {
        PrecheckOutcome::Shielded(shielded) => {
            let own = went_by.contains(&result.item.code());
            !may(result.item) || !own || shielded.allowed_by.trim().is_empty() || shielded.found.findings.is_empty()
        }
        PrecheckOutcome::Failed(_) => went_by.contains(&result.item.code()),
        PrecheckOutcome::Success | PrecheckOutcome::Warning(_) => false,
    });
    now.or_else(|| wrong.map(|result| result.item))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::tasks::made_up::{Tale, holds, wrong};
    use recovery::model::precheck::{PrecheckResult, PrecheckRun};
    use recovery::model::task::TaskStatus;

    const ITEM: PrecheckItem = PrecheckItem::ConstraintIntegrity;

    #[test]
    fn a_pass_with_a_failed_item_is_found() {
        let mut tale = Tale::begin();
        tale.ready().precheck(&[ITEM]).set(|task| task.status = TaskStatus::PrecheckPassed);
        tale.story.history.events.truncate(tale.story.history.events.len() - 2);
        tale.look();
        let expected = TaskViolation::PassedWithFailed { task: "dts-1".into(), run: 1, item: ITEM };
        assert_eq!(wrong(&tale, check), vec![expected]);
    }

    #[test]
    fn a_failure_without_a_failed_item_is_found() {
        let mut tale = Tale::begin();
        tale.ready().precheck(&[]).set(|task| task.status = TaskStatus::PrecheckFailed);
        tale.story.history.events.truncate(tale.story.history.events.len() - 2);
        tale.look();
        assert_eq!(wrong(&tale, check), vec![TaskViolation::FailedWithoutFailed { task: "dts-1".into(), run: 1 }]);
    }

    #[test]
    fn a_failed_and_a_passed_run_hold() {
        let mut tale = Tale::begin();
        tale.ready().precheck(&[ITEM]).precheck(&[]);
        holds(&tale, check, 2);
    }

    /// A run in which one item failed, under these shields, with what became of that item.
    fn shielded(item: PrecheckItem, shields: &str, change: impl Fn(PrecheckOutcome) -> PrecheckOutcome) -> Tale {
        let mut tale = Tale::begin();
        let (code, change) = (shields.to_owned(), &change);
        tale.ready().begin_run("precheck");
        let run = PrecheckRun::begin(1, tale.story.now, [("shields".to_owned(), code)].into());
        let outcome = change(PrecheckOutcome::failed("found", "repair"));
        let status = if outcome.is_failure() { TaskStatus::PrecheckFailed } else { TaskStatus::PrecheckPassed };
        let run = PrecheckRun { ended_at: Some(tale.story.now), items: vec![PrecheckResult { item, outcome }], ..run };
        tale.set(|task| (task.status, task.precheck) = (status, Some(run))).look();
        tale
    }

    #[test]
    fn a_shield_covers_its_own_item_and_says_why_it_may() {
        let (own, other) = (PrecheckItem::SameNameObject, PrecheckItem::SourcePermission);
        holds(&shielded(own, "CHECK_SAME_OBJ, CHECK_SRC", |it| it.shielded("documented")), check, 1);
        holds(&shielded(other, "CHECK_SAME_OBJ", |it| it), check, 1);
        let wrong_of = |item| vec![TaskViolation::WronglyShielded { task: "dts-1".into(), item }];
        assert_eq!(wrong(&shielded(other, "CHECK_AUTH_SRC", |it| it.shielded("documented")), check), wrong_of(other));
        assert_eq!(wrong(&shielded(own, "CHECK_SRC", |it| it.shielded("documented")), check), wrong_of(own));
        assert_eq!(wrong(&shielded(own, "CHECK_SAME_OBJ", |it| it.shielded(" ")), check), wrong_of(own));
        assert_eq!(wrong(&shielded(own, "CHECK_SAME_OBJ", |it| it), check), wrong_of(own));
    }

    #[test]
    fn a_shield_of_an_item_that_may_not_have_one_is_found() {
        let mut tale = Tale::begin();
        let item = PrecheckItem::SourceConnectivity;
        tale.ready().precheck(&[]).set(|task| task.shields = [item].into()).look();
        assert_eq!(wrong(&tale, check), vec![TaskViolation::WronglyShielded { task: "dts-1".into(), item }]);
    }

    #[test]
    fn a_run_that_is_under_way_exercises_nothing() {
        let mut tale = Tale::begin();
        tale.ready().begin_run("precheck");
        holds(&tale, check, 0);
    }
}
