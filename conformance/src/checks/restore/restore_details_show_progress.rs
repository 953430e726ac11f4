//! The details of a restore task show how far it is: every object with its phase, state, times and records (LOG-52).

use super::RestoreViolation;
use super::content::{tables, words};
use super::scene::{Scene, scenes};
use crate::checks::Finding;
use crate::checks::temporary::witness::is_fresh;
use crate::history::lens::Lens;
use recovery::model::content::ObjectKind;
use recovery::model::logical::restore::{RestorePhase, RestoreStatus, RestoredObject, RestoredStatus};
use recovery::model::photograph::Rows;

/// Compares the details of restores that are over with how they ended and with the rows of the backup; and looks for
/// records that became fewer on the way.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for scene in scenes(lens).filter(Scene::completed) {
        let task = scene.story.id.clone();
        finding.judge(&scene.done, ended(&scene).map(|what| RestoreViolation::DetailsWrong { task, what }));
    }
    for story in lens.restores() {
        if let Some(done) = story.ended().filter(|seen| seen.it.status != RestoreStatus::Completed) {
            let (task, what) = (story.id.clone(), format!("{:?} without a cause", done.it.status));
            let silent = done.it.failure.is_none();
            finding.judge(&done, silent.then_some(RestoreViolation::DetailsWrong { task, what }));
        }
        let counted =
            |details: &[RestoredObject]| details.iter().map(|it| it.records + it.records_skipped).sum::<u64>();
        let fresh: Vec<_> = story.views.iter().filter(|seen| is_fresh(lens, seen.index)).collect();
        let back = fresh.windows(2).find(|pair| counted(&pair[1].it.details) < counted(&pair[0].it.details));
        if let Some(pair) = back {
            let (task, what) = (story.id.clone(), "fewer records than before".to_owned());
            finding.judge(pair[1], Some(RestoreViolation::DetailsWrong { task, what }));
        }
    }
    finding
}

/// What the details of a restore that ended well say wrongly.
fn ended(scene: &Scene<'_, '_>) -> Option<String> {
    let details = &scene.view().details;
    let over = |it: &RestoredObject| matches!(it.status, RestoredStatus::Done | RestoredStatus::Skipped);
    let named = |it: &RestoredObject| words(&it.database, it.kind, &it.name);
    if let Some(open) = details.iter().find(|it| !over(it)) {
        return Some(format!("{} {:?} in a completed task", named(open), open.status));
    }
    let timeless =
        details.iter().find(|it| it.status == RestoredStatus::Done && it.began_at.zip(it.ended_at).is_none());
    if let Some(it) = timeless {
        return Some(format!("{} done without its times", named(it)));
    }
    let truth = scene.truth?;
    tables(scene, truth).iter().filter(|_| scene.full()).find_map(|table| {
        let own = details.iter().find(|it| {
            it.phase == RestorePhase::Full
                && it.kind == ObjectKind::Table
                && it.database == table.database
                && it.name == table.object.name
        });
        let want = table.object.rows.as_ref().map_or(0, Rows::count);
        match own {
            None => Some(format!("{} missing from the full restore", table.words())),
            Some(it) if it.status == RestoredStatus::Done && it.records + it.records_skipped != want => {
                let told = it.records + it.records_skipped;
                Some(format!("{} with {told} records instead of {want}", table.words()))
            }
            Some(_) => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::restore::made_up::{Tale, holds, nothing, orders, wrong};
    use crate::checks::testing::start;

    fn detail(records: u64, status: RestoredStatus) -> RestoredObject {
        RestoredObject {
            phase: RestorePhase::Full,
            kind: ObjectKind::Table,
            database: "app".into(),
            name: "orders".into(),
            target_name: "orders".into(),
            status,
            began_at: Some(start()),
            ended_at: Some(start()),
            records,
            records_skipped: 0,
            cursor: records,
            announced: false,
            rows_before: None,
        }
    }

    fn tale(details: Vec<RestoredObject>) -> Tale {
        let mut tale = Tale::between(&orders(), &nothing());
        tale.begin().set(|view| view.details = details).end(RestoreStatus::Completed).after(&orders(), &orders());
        tale
    }

    #[test]
    fn details_that_are_missing_unfinished_or_miscounted_are_found() {
        let cases = [vec![], vec![detail(2, RestoredStatus::Running)], vec![detail(1, RestoredStatus::Done)]];
        for details in cases {
            let found = wrong(&tale(details.clone()).story, check);
            assert!(matches!(found[..], [RestoreViolation::DetailsWrong { .. }]), "{details:?}");
        }
    }

    #[test]
    fn records_that_become_fewer_are_found() {
        let mut tale = Tale::between(&orders(), &nothing());
        tale.begin().set(|view| view.details = vec![detail(2, RestoredStatus::Running)]).look();
        tale.set(|view| view.details = vec![detail(1, RestoredStatus::Running)]).look();
        assert!(matches!(wrong(&tale.story, check)[..], [RestoreViolation::DetailsWrong { .. }]));
    }

    #[test]
    fn details_of_every_table_with_its_records_hold() {
        holds(&tale(vec![detail(2, RestoredStatus::Done)]).story, check, 1);
    }
}
