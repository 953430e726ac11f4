//! What was chosen bears in the target the name given to it, or its own, and keeps its own in the source (TMP-41, SQL-43,
//! CLN-37, DTS-05).

use super::TaskViolation;
use super::calls::{changes, choice_at};
use super::steady::{Touch, shot_by, table, tables, touched};
use crate::checks::Finding;
use crate::history::Shot;
use crate::history::lens::{Lens, Seen, TaskStory};
use recovery::model::photograph::{Photograph, PhotographedObject, Rows};
use recovery::model::task::{Selection, TaskStatus};

/// Looks for the names of everything that finished tasks moved. Tasks without a new name count only when they are wrong.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for task in lens.tasks() {
        let Some((after, renamed, violation)) = names(lens, task) else { continue };
        if renamed || violation.is_some() {
            finding.judge(&after, violation);
        }
    }
    finding
}

/// Whether a selection gives a new name to something.
fn renames(selection: &Selection) -> bool {
    let other = |name: &Option<String>, own: &str| name.as_ref().is_some_and(|name| name != own);
    other(&selection.database_as, &selection.database)
        || selection.table.as_ref().is_some_and(|table| other(&selection.table_as, table))
        || selection.columns_as.iter().any(|(from, to)| from != to)
}

fn names<'a>(lens: &Lens<'a>, task: &TaskStory<'a>) -> Option<(Seen<'a, Shot>, bool, Option<TaskViolation>)> {
    let end = task.first_in(TaskStatus::Finished)?;
    let (source, target) = (&task.first.source.instance_id, &task.first.target.instance_id);
    let mut calls = changes(lens, task.id).filter(|(call, _)| call.index < end.index);
    if calls.any(|(_, step)| step == "stop") {
        return None;
    }
    let started = task.started()?;
    let confirmed =
        changes(lens, task.id).filter(|(call, step)| *step == "confirm" && call.index < started.index).last()?.0;
    let from = confirmed.it.sent_at;
    let (before, moved, after) =
        (shot_by(lens, source, from)?, lens.shot_after(source, end.index), lens.shot_after(target, end.index)?);
    let meddled = [source, target].into_iter().any(|side| touched(lens, side, Touch::Definitions, before.at, after.at));
    if meddled {
        return None;
    }
    let choice = choice_at(lens, task.id, confirmed.index)?;
    let absent =
        choice.objects.iter().find_map(|selection| absent(selection, &before.it.photograph, &after.it.photograph));
    let absent = absent.map(|what| TaskViolation::NameNotInTarget { task: task.id.clone(), what });
    let changed = || {
        let moved = moved
            .filter(|moved| source != target && !touched(lens, source, Touch::Definitions, before.at, moved.at))?;
        let what = choice
            .objects
            .iter()
            .find_map(|selection| changed(selection, &before.it.photograph, &moved.it.photograph))?;
        Some(TaskViolation::NameChangedInSource { task: task.id.clone(), what })
    };
    Some((after, choice.objects.iter().any(renames), absent.or_else(changed)))
}

/// The tables a selection covers in the source.
fn chosen<'a>(selection: &'a Selection, source: &'a Photograph) -> Vec<&'a str> {
    match &selection.table {
        Some(name) => vec![name.as_str()],
        None => tables(source, &selection.database),
    }
}

/// The first name that must be in the target and is not.
fn absent(selection: &Selection, source: &Photograph, target: &Photograph) -> Option<String> {
    let database = selection.target_database();
    if !target.databases.contains_key(database) {
        return Some(format!("database {database}"));
    }
    chosen(selection, source).into_iter().find_map(|own| {
        let name = selection.table_as.as_deref().unwrap_or(own);
        let Some(found) = table(target, database, name) else { return Some(format!("table {database}.{name}")) };
        let columns = table(source, &selection.database, own).and_then(columns)?;
        let there = self::columns(found)?;
        let taken = columns.iter().filter(|column| selection.columns.as_ref().is_none_or(|some| some.contains(column)));
        let mut names = taken.map(|column| selection.columns_as.get(column).unwrap_or(column));
        let lost = names.find(|name| !there.iter().any(|column| column.eq_ignore_ascii_case(name)));
        lost.map(|column| format!("column {database}.{name}.{column}"))
    })
}

/// The first name of the source that is another than before.
fn changed(selection: &Selection, before: &Photograph, after: &Photograph) -> Option<String> {
    if before.databases.contains_key(&selection.database) && !after.databases.contains_key(&selection.database) {
        return Some(format!("database {} is gone", selection.database));
    }
    chosen(selection, before).into_iter().find_map(|name| {
        let was = table(before, &selection.database, name)?;
        let Some(is) = table(after, &selection.database, name) else {
            return Some(format!("table {}.{name} is gone", selection.database));
        };
        (columns(was)? != columns(is)?).then(|| format!("{}.{name} has other columns", selection.database))
    })
}

fn columns(table: &PhotographedObject) -> Option<&[String]> {
    match table.rows.as_ref()? {
        Rows::Whole { columns, .. } => Some(columns),
        Rows::Digest { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::tasks::made_up::{Tale, holds, wrong};
    use crate::checks::testing::{done, photograph};

    const ORDERS: (&str, &[(i64, &str)]) = ("orders", &[(1, "lamp")]);
    const COPY: (&str, &[(i64, &str)]) = ("copy", &[(1, "lamp")]);

    fn tale(table_as: Option<&str>, source_after: &Photograph, target_after: &Photograph) -> Tale {
        let mut tale = Tale::begin();
        tale.set(|task| task.objects[0].table_as = table_as.map(str::to_owned)).ready().precheck(&[]);
        tale.photograph(&photograph(&[ORDERS]), &photograph(&[]))
            .confirm()
            .finish()
            .photograph(source_after, target_after);
        tale
    }

    #[test]
    fn a_new_name_that_is_ignored_is_found() {
        let tale = tale(Some("copy"), &photograph(&[ORDERS]), &photograph(&[ORDERS]));
        let expected = TaskViolation::NameNotInTarget { task: "dts-1".into(), what: "table app.copy".into() };
        assert_eq!(wrong(&tale, check), vec![expected]);
    }

    #[test]
    fn a_new_column_name_that_is_ignored_is_found() {
        let mut tale = Tale::begin();
        tale.set(|task| task.objects[0].columns_as = [("item".to_owned(), "thing".to_owned())].into())
            .ready()
            .precheck(&[]);
        tale.photograph(&photograph(&[ORDERS]), &photograph(&[])).confirm().finish();
        tale.photograph(&photograph(&[ORDERS]), &photograph(&[ORDERS]));
        let expected = TaskViolation::NameNotInTarget { task: "dts-1".into(), what: "column app.orders.thing".into() };
        assert_eq!(wrong(&tale, check), vec![expected]);
    }

    #[test]
    fn a_name_that_changes_in_the_source_is_found() {
        let tale = tale(Some("copy"), &photograph(&[COPY]), &photograph(&[COPY]));
        let expected =
            TaskViolation::NameChangedInSource { task: "dts-1".into(), what: "table app.orders is gone".into() };
        assert_eq!(wrong(&tale, check), vec![expected]);
    }

    #[test]
    fn a_name_that_nobody_gave_is_found() {
        let tale = tale(None, &photograph(&[ORDERS]), &photograph(&[COPY]));
        let expected = TaskViolation::NameNotInTarget { task: "dts-1".into(), what: "table app.orders".into() };
        assert_eq!(wrong(&tale, check), vec![expected]);
    }

    #[test]
    fn a_new_name_in_the_target_alone_holds() {
        holds(&tale(Some("copy"), &photograph(&[ORDERS]), &photograph(&[COPY])), check, 1);
    }

    #[test]
    fn names_left_as_they_were_exercise_nothing_nor_do_tables_dropped_afterwards() {
        holds(&tale(None, &photograph(&[ORDERS]), &photograph(&[ORDERS])), check, 0);
        let mut tale = Tale::begin();
        tale.set(|task| task.objects[0].table_as = Some("copy".into())).ready().precheck(&[]);
        tale.photograph(&photograph(&[ORDERS]), &photograph(&[])).confirm().finish();
        tale.story.statement("rm-1", "drop table copy", done());
        tale.photograph(&photograph(&[ORDERS]), &photograph(&[]));
        holds(&tale, check, 0);
    }
}
