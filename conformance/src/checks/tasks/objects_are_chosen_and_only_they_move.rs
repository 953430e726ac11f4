//! Something is chosen to be moved, and nothing else of the target changes (TMP-40, SQL-42, CLN-36).

use super::TaskViolation;
use super::calls::{CHOOSE, changes, choice_at};
use super::runs::runs_of;
use super::steady::{Touch, shot_by, table, touched};
use crate::checks::Finding;
use crate::checks::temporary::Difference;
use crate::history::lens::{Lens, Seen, TaskStory};
use crate::history::{Call, Shot, What};
use recovery::model::content::ObjectKind;
use recovery::model::photograph::{Photograph, PhotographedDatabase, PhotographedObject};
use recovery::model::task::TaskStatus;
use recovery::model::views::TaskObjects;
use recovery::model::{InstanceId, TaskId};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Judges empty choices, and what migrations changed in the target beside what was chosen.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for task in lens.tasks() {
        for (call, _) in
            lens.calls_to(CHOOSE).filter(|(call, found)| found[0] == task.id.as_str() && chooses_nothing(call.it))
        {
            if call.it.accepted() {
                finding.judge(&call, Some(TaskViolation::NothingChosen { task: task.id.clone() }));
            } else if call.it.status == Some(400) {
                finding.judge(&call, None::<TaskViolation>);
            }
        }
        for (after, difference) in beside(lens, task).into_iter().chain(left_behind(lens, task)) {
            let (task, instance) = (task.id.clone(), task.first.target.instance_id.clone());
            finding.judge(
                &after,
                difference.map(|difference| TaskViolation::UnchosenChanged { task, instance, difference }),
            );
        }
    }
    finding
}

fn chooses_nothing(call: &Call) -> bool {
    let objects = call.request.get("objects");
    call.request.is_object()
        && objects.is_none_or(|objects| objects.as_array().is_some_and(Vec::is_empty) || *objects == Value::Null)
}

/// What each failed precheck changed in the target, where nobody else had a hand in it: it may have made the databases that
/// were chosen (DTS-15), and nothing in them.
fn left_behind<'a>(lens: &Lens<'a>, task: &TaskStory<'a>) -> Vec<(Seen<'a, Shot>, Option<Difference>)> {
    let target = &task.first.target.instance_id;
    let failed = runs_of(lens, task).into_iter().filter(|run| run.seen.it.status == TaskStatus::PrecheckFailed);
    let looked = failed.filter(|_| !lens.is_redis(target)).filter_map(|run| {
        let (before, after) = (shot_by(lens, target, run.span.0)?, lens.shot_after(target, run.seen.index)?);
        let choice = run.choice(lens)?;
        let meddled = others_write(lens, task, before.index, after.index)
            || lens.changes_by_itself(target)
            || touched(lens, target, Touch::Content, before.at, after.at);
        let nothing = TaskObjects { types: BTreeSet::new(), objects: vec![], ..choice.clone() };
        let (was, is) = (&before.it.photograph, &after.it.photograph);
        (!meddled).then(|| (after, difference(&choice, &nothing, &[was], was, is)))
    });
    looked.collect()
}

/// What changed in the target while a task ran that was not chosen, where nobody else had a hand in it.
fn beside<'a>(lens: &Lens<'a>, task: &TaskStory<'a>) -> Option<(Seen<'a, Shot>, Option<Difference>)> {
    let started = task.started()?;
    let (source, target) = (&task.first.source.instance_id, &task.first.target.instance_id);
    let confirmed =
        changes(lens, task.id).filter(|(call, step)| *step == "confirm" && call.index < started.index).last()?.0;
    let before = shot_by(lens, target, confirmed.it.sent_at)?;
    let end = task.first_in(TaskStatus::Finished).or(task.views.last().copied())?;
    let after = lens.shot_after(target, end.index).or_else(|| lens.shots(target).next_back())?;
    if after.index <= started.index
        || others_write(lens, task, before.index, after.index)
        || touched(lens, target, Touch::Content, before.at, after.at)
    {
        return None;
    }
    let choice = choice_at(lens, task.id, confirmed.index)?;
    let known = shot_by(lens, source, confirmed.it.sent_at)?;
    // A database that is chosen as a whole is moved with the tables it has got meanwhile.
    let last = lens.shot_after(source, after.index).map_or(after.index, |shot| shot.index);
    let later = lens.shots(source).filter(|shot| shot.index >= known.index && shot.index <= last);
    let held: Vec<&Photograph> = later.map(|shot| shot.it.photograph.as_ref()).collect();
    Some((after, difference(&choice, &choice, &held, &before.it.photograph, &after.it.photograph)))
}

/// Whether another task may have written to the same target between two events.
fn others_write(lens: &Lens<'_>, task: &TaskStory<'_>, from: usize, to: usize) -> bool {
    let into: Vec<&InstanceId> = lens.written_at(&task.first.target.instance_id).collect();
    let mut writing: BTreeMap<&TaskId, bool> = BTreeMap::new();
    for (index, event) in lens.history.events[..=to].iter().enumerate() {
        let What::TaskSeen(view) = &event.what else { continue };
        if view.id != *task.id && into.contains(&&view.target.instance_id) {
            let now = matches!(view.status, TaskStatus::Prechecking | TaskStatus::Migrating) || view.retry_at.is_some();
            let known = writing.entry(&view.id).or_default();
            *known = now || (*known && index > from);
        }
    }
    writing.values().any(|writes| *writes)
}

/// Whether a table of the target is one that was chosen, under its name there; the source is told by its photographs.
fn covers(choice: &TaskObjects, source: &[&Photograph], database: &str, name: &str) -> bool {
    choice.objects.iter().filter(|selection| selection.target_database() == database).any(|selection| {
        selection.table.as_ref().map_or_else(
            || source.iter().any(|source| table(source, &selection.database, name).is_some()),
            |table| selection.table_as.as_ref().unwrap_or(table).eq_ignore_ascii_case(name),
        )
    })
}

/// The first difference beside the databases of one choice, and in them beside what another one covers.
fn difference(
    aims: &TaskObjects,
    choice: &TaskObjects,
    source: &[&Photograph],
    before: &Photograph,
    after: &Photograph,
) -> Option<Difference> {
    let aimed = |name: &String| aims.objects.iter().any(|selection| selection.target_database() == name);
    let missing = before.databases.keys().find(|name| !after.databases.contains_key(*name));
    let missing = missing.map(|name| Difference::Missing { what: format!("database {name}") });
    let extra = after.databases.keys().find(|name| !before.databases.contains_key(*name) && !aimed(name));
    let extra = || extra.map(|name| Difference::Extra { what: format!("database {name}") });
    let inside = || {
        after.databases.iter().find_map(|(name, got)| {
            let nothing = PhotographedDatabase { charset: got.charset.clone(), objects: BTreeMap::new() };
            in_database(choice, source, name, before.databases.get(name).unwrap_or(&nothing), got)
        })
    };
    missing.or_else(extra).or_else(inside)
}

/// Tables by their names; other objects that stood in the target before must stand there as they did.
fn in_database(
    choice: &TaskObjects,
    source: &[&Photograph],
    database: &str,
    before: &PhotographedDatabase,
    after: &PhotographedDatabase,
) -> Option<Difference> {
    let table = |object: &PhotographedObject| object.kind == ObjectKind::Table;
    let belongs = |object: &PhotographedObject| matches!(object.kind, ObjectKind::Index | ObjectKind::ForeignKey);
    let whole =
        choice.objects.iter().any(|selection| selection.target_database() == database && selection.table.is_none());
    let chosen = |object: &PhotographedObject| {
        if table(object) { covers(choice, source, database, &object.name) } else { whole || belongs(object) }
    };
    let changed = before.objects.iter().filter(|(_, object)| !chosen(object)).find_map(|(key, want)| {
        let what = format!("{key} of {database}");
        let Some(got) = after.objects.get(key) else { return Some(Difference::Missing { what }) };
        match (&want.rows, &got.rows) {
            (Some(rows), Some(found)) if rows != found => {
                Some(Difference::Rows { what, want: rows.count(), got: found.count() })
            }
            _ => (want != got).then_some(Difference::Changed { what }),
        }
    });
    let extra = after
        .objects
        .iter()
        .find(|(key, object)| table(object) && !chosen(object) && !before.objects.contains_key(*key));
    changed.or_else(|| extra.map(|(key, _)| Difference::Extra { what: format!("{key} of {database}") }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::tasks::made_up::{Tale, holds, rescue, shop, with, wrong};
    use crate::checks::testing::{done, photograph};
    use recovery::model::instance::Origin;
    use recovery::model::precheck::PrecheckItem;
    use recovery::model::views::InstanceView;
    use serde_json::json;

    /// A migration of the table `orders`, between two photographs of the target.
    fn tale(before: &Photograph, after: &Photograph) -> Tale {
        let mut tale = Tale::begin();
        let source = photograph(&[("orders", &[(1, "lamp")]), ("secrets", &[(1, "x")])]);
        tale.ready().precheck(&[]).photograph(&source, before).confirm().finish().photograph(&source, after);
        tale
    }

    #[test]
    fn an_empty_choice_is_found() {
        let mut tale = Tale::begin();
        let none = with(tale.choice(), "/objects", json!([]));
        tale.create().step("authorise").step_with("objects", none);
        assert_eq!(wrong(&tale, check), vec![TaskViolation::NothingChosen { task: "dts-1".into() }]);
    }

    #[test]
    fn an_unchosen_table_that_changes_is_found() {
        let before = photograph(&[("items", &[(1, "lamp")])]);
        let after = photograph(&[("items", &[]), ("orders", &[(1, "lamp")])]);
        let difference = Difference::Rows { what: "table items of app".into(), want: 1, got: 0 };
        let expected = TaskViolation::UnchosenChanged { task: "dts-1".into(), instance: "rm-1".into(), difference };
        assert_eq!(wrong(&tale(&before, &after), check), vec![expected]);
    }

    #[test]
    fn an_unchosen_table_that_is_moved_is_found() {
        let after = photograph(&[("secrets", &[(1, "x")]), ("orders", &[(1, "lamp")])]);
        let difference = Difference::Extra { what: "table secrets of app".into() };
        let expected = TaskViolation::UnchosenChanged { task: "dts-1".into(), instance: "rm-1".into(), difference };
        assert_eq!(wrong(&tale(&photograph(&[]), &after), check), vec![expected]);
    }

    #[test]
    fn a_table_that_a_whole_database_gets_meanwhile_comes_along_and_no_other() {
        let mut tale = Tale::begin();
        tale.task.objects[0].table = None;
        let (was, is) = (photograph(&[("orders", &[])]), photograph(&[("orders", &[]), ("more", &[])]));
        tale.ready().precheck(&[]).photograph(&was, &photograph(&[])).confirm().finish();
        tale.photograph(&is, &is);
        holds(&tale, check, 1);
        let other = photograph(&[("orders", &[]), ("other", &[])]);
        let mut stray = Tale::begin();
        stray.task.objects[0].table = None;
        stray.ready().precheck(&[]).photograph(&was, &photograph(&[])).confirm().finish().photograph(&is, &other);
        assert_eq!(wrong(&stray, check).len(), 1);
    }

    #[test]
    fn what_a_failed_precheck_leaves_in_the_target_is_found() {
        let shot = photograph(&[("items", &[(1, "lamp")])]);
        let failed = |after: &Photograph| {
            let mut tale = Tale::begin();
            tale.ready().photograph(&shot, &shot).precheck(&[PrecheckItem::SameNameObject]).photograph(&shot, after);
            tale
        };
        let probe = photograph(&[("items", &[(1, "lamp")]), ("probe", &[])]);
        let difference = Difference::Extra { what: "table probe of app".into() };
        let expected = TaskViolation::UnchosenChanged { task: "dts-1".into(), instance: "rm-1".into(), difference };
        assert_eq!(wrong(&failed(&probe), check), vec![expected]);
        holds(&failed(&shot), check, 1);
    }

    #[test]
    fn a_refused_empty_choice_and_a_migration_of_the_chosen_alone_hold() {
        let before = photograph(&[("items", &[(1, "lamp")])]);
        let after = photograph(&[("items", &[(1, "lamp")]), ("orders", &[(1, "lamp")])]);
        let mut tale = tale(&before, &after);
        let none = with(tale.choice(), "/objects", json!([]));
        tale.refuse("objects", none, 400, "InvalidParameter");
        holds(&tale, check, 2);
    }

    #[test]
    fn a_replica_that_its_masters_users_change_meanwhile_exercises_nothing() {
        let reader = InstanceView { origin: Origin::ReadOnly { master: "rm-1".into() }, id: "rm-3".into(), ..shop() };
        let failed = |written_at: &str| {
            let mut tale = Tale::between(&rescue(), &reader);
            tale.story.see(&shop());
            let (before, after) = (photograph(&[("items", &[])]), photograph(&[("items", &[(1, "lamp")])]));
            tale.ready().photograph(&before, &before).begin_run("precheck");
            tale.story.statement(written_at, "insert into items values (1, 'lamp')", done());
            tale.end_run(&[PrecheckItem::TargetPermission]).photograph(&before, &after);
            tale
        };
        holds(&failed("rm-1"), check, 0);
        assert_eq!(wrong(&failed("sub1"), check).len(), 1);
    }

    #[test]
    fn a_target_that_its_users_change_meanwhile_exercises_nothing() {
        let mut tale = Tale::begin();
        let shot = photograph(&[("items", &[(1, "lamp")])]);
        tale.ready().precheck(&[]).photograph(&shot, &shot).confirm();
        tale.story.statement("rm-1", "delete from items", done());
        tale.finish().photograph(&shot, &photograph(&[("items", &[])]));
        holds(&tale, check, 0);
    }
}
