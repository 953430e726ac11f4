//! A restore by backup set gives the state at the moment that the full set was complete, and nothing later
//! (LOG-27, LOG-28, LOG-33; C-29).

use super::RestoreViolation;
use super::content::{keyed, mapped};
use super::scene::{Scene, scenes};
use super::whole::verdict;
use crate::checks::Finding;
use crate::checks::migration::content::find;
use crate::checks::temporary::witness::{faulted_before, skewed};
use crate::history::lens::logical::SetStory;
use crate::history::lens::{Lens, Seen};
use jiff::{SignedDuration, Timestamp};
use recovery::model::content::ObjectKind;
use recovery::model::logical::backup::{SetKind, SetStatus};
use recovery::model::logical::views::LogicalSetView;

/// What is written this shortly before a set is complete may not be in it any more.
const LAST_MOMENT: SignedDuration = SignedDuration::from_secs(1);

/// Compares the target with the photograph of the source at the set's completion, or with the application's own ledger; and looks at how old a set is that calls itself complete.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for scene in scenes(lens).filter(|scene| !scene.by_time() && scene.completed()) {
        if let Some(truth) = scene.truth
            && let Some(violation) = verdict(&scene, truth)
        {
            finding.judge(&scene.after, violation);
        } else if let Some(violation) = by_ledger(lens, &scene) {
            finding.judge(&scene.after, violation);
        }
    }
    for set in lens.sets().filter(|set| set.first.kind == SetKind::Full) {
        if let Some((seen, violation)) = too_old(lens, set) {
            finding.judge(&seen, violation);
        }
    }
    finding
}

/// The moment before which everything is in a set, and the one after which nothing is, by the true time; not told where a
/// clock or something else was broken.
fn bounds(lens: &Lens<'_>, set: &SetStory<'_>) -> Option<(Seen<'static, ()>, Timestamp, Timestamp)> {
    let done = set.views.iter().find(|seen| seen.it.status == SetStatus::Completed)?;
    let view: &LogicalSetView = done.it;
    let ended_at = view.ended_at?;
    if skewed(lens) || faulted_before(lens, done.index) {
        return None;
    }
    let half = ended_at.duration_since(view.began_at) / 2;
    Some((Seen { index: done.index, at: done.at, it: &() }, ended_at - half.min(LAST_MOMENT), ended_at))
}

/// Whether a set ends at a place of the log that the source had long passed when the set was complete.
fn too_old(lens: &Lens<'_>, set: &SetStory<'_>) -> Option<(Seen<'static, ()>, Option<RestoreViolation>)> {
    let (seen, until, _) = bounds(lens, set)?;
    let place = set.views.iter().find_map(|seen| seen.it.to)?.position;
    let server = &lens.data_source(&set.first.source)?.first.instance_id;
    let shot = lens.shots(server).rev().find(|shot| shot.at <= until && shot.at > set.first.began_at)?;
    let passed = shot.it.photograph.log_position;
    let set = set.id.clone();
    Some((seen, (place < passed).then_some(RestoreViolation::SetOlderThanItsCompletion { set, place, passed })))
}

/// Rows of the application that must be in the target, or must not, by when they were sent and acknowledged.
fn by_ledger(lens: &Lens<'_>, scene: &Scene<'_, '_>) -> Option<Option<RestoreViolation>> {
    let set = lens.set(&scene.view().backup_set)?;
    let (_, until, ended_at) = bounds(lens, set)?;
    let mut judged = false;
    for row in lens.ledger(scene.source) {
        let in_time = row.it.acknowledged && row.at <= until;
        let too_late = row.it.sent_at > ended_at;
        let name = mapped(scene.view(), &row.it.database, &row.it.table);
        let stood = find(scene.was(), &row.it.database, ObjectKind::Table, name).is_some();
        let table = find(scene.is(), &row.it.database, ObjectKind::Table, name);
        let rows = table.and_then(|table| table.rows.as_ref()).and_then(keyed).filter(|_| scene.full() && !stood);
        let Some(rows) = rows.filter(|_| in_time || too_late) else { continue };
        let there = rows.contains_key(&format!("[{}]", row.it.id));
        judged = true;
        if there != in_time {
            let (task, table, id) = (scene.story.id.clone(), row.it.table.clone(), row.it.id);
            return Some(Some(RestoreViolation::RowOfAnotherMoment { task, table, id, there }));
        }
    }
    judged.then_some(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::restore::made_up::{Tale, holds, nothing, orders, orders_with, wrong};
    use crate::checks::temporary::Difference;
    use crate::checks::testing::done;
    use crate::history::{LedgerEntry, What};
    use recovery::model::photograph::Photograph;

    fn tale(target: &Photograph) -> Tale {
        let mut tale = Tale::between(&orders(), &nothing());
        let later = orders_with(&[(1, "lamp"), (2, "desk"), (3, "chair")]);
        tale.story.statement("rm-1", "insert into orders values (3, 'chair')", done()).shot("rm-1", &later);
        tale.complete(&later, target);
        tale
    }

    #[test]
    fn a_later_change_that_comes_along_is_found() {
        let target = orders_with(&[(1, "lamp"), (2, "desk"), (3, "chair")]);
        let difference = Difference::Rows { what: "table orders of app".into(), want: 2, got: 3 };
        let task = "rst-1".into();
        let expected = vec![RestoreViolation::RestoredContentDiffers { task, difference }];
        assert_eq!(wrong(&tale(&target).story, check), expected);
    }

    #[test]
    fn the_state_at_completion_holds_and_a_point_in_time_exercises_nothing() {
        holds(&tale(&orders()).story, check, 1);
        let mut tale = Tale::between(&orders(), &nothing());
        tale.at_mark("later", &orders()).complete(&orders(), &orders());
        holds(&tale.story, check, 0);
    }

    /// A row acknowledged before the set was complete, and one sent afterwards.
    fn with_ledger(target: &[(i64, &str)]) -> Tale {
        let mut tale = Tale::between(&orders(), &nothing());
        let row = |id, sent_at| {
            let (instance, database, table) = ("rm-1".into(), "app".into(), "orders".into());
            What::Ledger(LedgerEntry { instance, database, table, id, sent_at, acknowledged: true, refused: false })
        };
        let (began_at, now) = (tale.set.began_at, tale.story.now);
        tale.story.push(row(8, now));
        let at = began_at + crate::checks::testing::span("10ms");
        let event = crate::history::Event { at, step: None, what: row(7, began_at) };
        let place = tale.story.history.events.partition_point(|other| other.at <= at);
        tale.story.history.events.insert(place, event);
        tale.complete(&orders(), &orders_with(target));
        tale
    }

    #[test]
    fn rows_of_the_ledger_are_in_by_when_they_were_written() {
        let expected = |id, there| {
            let (task, table) = ("rst-1".into(), "orders".into());
            vec![RestoreViolation::RowOfAnotherMoment { task, table, id, there }]
        };
        assert_eq!(wrong(&with_ledger(&[(1, "lamp")]).story, check), expected(7, false));
        assert_eq!(wrong(&with_ledger(&[(7, "a"), (8, "b")]).story, check), expected(8, true));
        holds(&with_ledger(&[(1, "lamp"), (7, "a")]).story, check, 1);
    }

    #[test]
    fn a_set_that_ends_where_it_began_is_found() {
        let mut tale = Tale::between(&orders(), &nothing());
        let middle = tale.set.began_at + crate::checks::testing::span("500ms");
        let shot = What::Photograph(crate::history::Shot {
            instance: "rm-1".into(),
            mark: None,
            photograph: std::sync::Arc::new(orders()),
            node: None,
        });
        let place = tale.story.history.events.partition_point(|other| other.at <= middle);
        tale.story.history.events.insert(place, crate::history::Event { at: middle, step: None, what: shot });
        let expected = RestoreViolation::SetOlderThanItsCompletion { set: "bkx-1".into(), place: 0, passed: 1 };
        assert_eq!(wrong(&tale.story, check), vec![expected]);
    }
}
