//! No row is lost, and only tables without a key may get rows twice (DTS-19).

use super::MigrationViolation;
use super::content::{Move, find, is_keyed, moves, text};
use super::scene::{Scene, follows, is_key_space, last_before_begin, others_wrote, quiet, scene, written};
use super::text::{names, reaches_further};
use crate::checks::Finding;
use crate::history::Shot;
use crate::history::lens::{Lens, Seen, TaskStory};
use recovery::model::content::{ObjectKind, Row, Value};
use recovery::model::photograph::{Photograph, Rows};
use recovery::model::precheck::PrecheckItem;
use recovery::model::task::{MigrationType, SameNameMode, TaskStatus};
use recovery::model::views::TaskView;
use std::collections::BTreeSet;

/// Items whose shield keeps rows of the target (C-14).
const KEEPS: [PrecheckItem; 2] = [PrecheckItem::SameNameObject, PrecheckItem::TargetTablesEmpty];

/// Judges each table with a key of a task that ended well, the rows of one that failed, and the rows the application wrote
/// to the target meanwhile.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for task in lens.tasks().filter(|task| task.last().types.contains(&MigrationType::Full)) {
        if let Some(scene) = scene(lens, task) {
            for table in moves(scene.view(), scene.from()) {
                let source = &task.first.source.instance_id;
                let commanded = is_key_space((table.database, table.table))
                    && written(lens, source, None, &scene.source, scene.after.at);
                let steady = !commanded
                    && !by_statement(lens, source, table.table, scene.source.index, &scene.after)
                    && !scene.disturbed(lens, Some((table.to_database, table.to_table)));
                let by_key = || keyed_rows(&table, scene.is()).map(|rows| rows.wrong(scene.view()));
                if let Some(verdict) = by_key().or_else(|| counted_rows(lens, &scene, &table)).filter(|_| steady) {
                    finding.judge(&scene.after, verdict);
                }
            }
        }
        if let Some((shot, verdict)) = failed_rows(lens, task) {
            finding.judge(&shot, verdict);
        }
        if let Some((shot, verdict)) = ledger_rows(lens, task) {
            finding.judge(&shot, verdict);
        }
    }
    finding
}

/// Whether a statement may have changed or taken rows of a table.
fn by_statement(
    lens: &Lens<'_>,
    instance: &recovery::model::InstanceId,
    table: &str,
    from: usize,
    until: &Seen<'_, Shot>,
) -> bool {
    lens.statements(instance).any(|seen| {
        let hits = names(&seen.it.sql, table) || reaches_further(&seen.it.sql);
        seen.index > from && seen.it.sent_at <= until.at && !seen.it.only_reads() && hits
    })
}

/// Keys of a table on both sides.
struct KeyedRows {
    table: String,
    source: BTreeSet<String>,
    target: Vec<String>,
}

fn keyed_rows(table: &Move<'_>, target: &Photograph) -> Option<KeyedRows> {
    let Some(Rows::Whole { columns, key, rows }) = &table.object.rows else { return None };
    let found = find(target, table.to_database, ObjectKind::Table, table.to_table)?;
    let Some(Rows::Whole { columns: is_columns, rows: is, .. }) = &found.rows else { return None };
    let own: Option<Vec<usize>> = key.iter().map(|name| columns.iter().position(|column| column == name)).collect();
    let own = own.filter(|own| !own.is_empty())?;
    let other: Option<Vec<usize>> = key
        .iter()
        .map(|name| table.column(name))
        .map(|name| is_columns.iter().position(|column| Some(column.as_str()) == name))
        .collect();
    let keys = |rows: &[Row], at: &[usize]| -> Vec<String> {
        rows.iter().map(|row| text(at.iter().filter_map(|at| row.get(*at)))).collect()
    };
    let (source, target) = (keys(rows, &own).into_iter().collect(), keys(is, &other?));
    Some(KeyedRows { table: table.words(), source, target })
}

impl KeyedRows {
    fn wrong(&self, view: &TaskView) -> Option<MigrationViolation> {
        let there: BTreeSet<&String> = self.target.iter().collect();
        let (task, table) = (view.id.clone(), self.table.clone());
        let lost = self.source.iter().filter(|key| !there.contains(key)).count() as u64;
        let doubled = (self.target.len() - there.len()) as u64;
        match (lost, doubled) {
            (0, 0) => None,
            (0, doubled) => Some(MigrationViolation::MovedRowsDoubled { task, table, doubled }),
            (lost, _) => Some(MigrationViolation::MovedRowsLost { task, table, lost }),
        }
    }
}

/// Of tables of many rows, and of tables that are not there, only the number is known; it must agree where the target had
/// no rows of its own, and may be more only where the application added to the source.
fn counted_rows(lens: &Lens<'_>, scene: &Scene<'_, '_>, table: &Move<'_>) -> Option<Option<MigrationViolation>> {
    let rows = |held: &Photograph| {
        let found = find(held, table.to_database, ObjectKind::Table, table.to_table);
        found.and_then(|found| found.rows.as_ref().map(Rows::count)).unwrap_or(0)
    };
    let (want, got) = (table.object.rows.as_ref()?.count(), rows(scene.is()));
    if rows(scene.was()) > 0 || !is_keyed(table.object) {
        return None;
    }
    let (task, name) = (scene.task.id.clone(), table.words());
    Some(match (want.saturating_sub(got), got.saturating_sub(want)) {
        (0, 0) => None,
        (0, _) if !follows(scene.view()) && !quiet(lens, scene) => None,
        (0, doubled) => Some(MigrationViolation::MovedRowsDoubled { task, table: name, doubled }),
        (lost, _) => Some(MigrationViolation::MovedRowsLost { task, table: name, lost }),
    })
}

type Verdict<'a> = (Seen<'a, Shot>, Option<MigrationViolation>);

/// The rows of a failed task: a part of the source's, and no fewer than it says it wrote. Judged where the target had none
/// before and nobody else wrote to either side.
fn failed_rows<'a>(lens: &Lens<'a>, task: &TaskStory<'a>) -> Option<Verdict<'a>> {
    let failed = task.first_in(TaskStatus::MigrationFailed)?;
    let begin = last_before_begin(task)?;
    let (from, into) = (&task.first.source.instance_id, &task.first.target.instance_id);
    let (source, before) = (lens.shot_before(from, begin.index)?, lens.shot_before(into, begin.index)?);
    let shot = lens.shot_after(into, failed.index)?;
    let view = failed.it;
    let quiet =
        !written(lens, from, None, &source, shot.at) && !others_wrote(lens, into, task.id, before.index, shot.index);
    if !quiet
        || view.same_name != SameNameMode::Stop
        || view.shields.iter().any(|item| KEEPS.contains(item))
        || view.types.contains(&MigrationType::Incremental)
    {
        return None;
    }
    let moved = moves(view, &source.it.photograph);
    let fresh = moved.iter().filter(|table| {
        let was = find(&before.it.photograph, table.to_database, ObjectKind::Table, table.to_table);
        was.is_none_or(|was| was.rows.as_ref().is_none_or(|rows| rows.count() == 0))
            && !written(lens, into, Some((table.to_database, table.to_table)), &before, shot.at)
    });
    let verdicts: Vec<_> = fresh.filter_map(|table| failed_table(view, table, &shot.it.photograph)).collect();
    if verdicts.is_empty() { None } else { Some((shot, verdicts.into_iter().flatten().next())) }
}

fn failed_table(view: &TaskView, table: &Move<'_>, target: &Photograph) -> Option<Option<MigrationViolation>> {
    let is = |progress: &&recovery::model::task::ObjectProgress| {
        progress.kind == ObjectKind::Table && progress.database == table.database && progress.name == table.table
    };
    let claimed = view.progress.iter().find(is).map_or(0, |progress| progress.rows_written);
    let there = find(target, table.to_database, ObjectKind::Table, table.to_table)
        .and_then(|found| found.rows.as_ref().map(Rows::count))
        .unwrap_or(0);
    let (task, name) = (view.id.clone(), table.words());
    if claimed == 0 && there == 0 {
        return None;
    }
    if claimed > there {
        return Some(Some(MigrationViolation::MovedRowsClaimed { task, table: name, claimed, there }));
    }
    let Some(rows) = keyed_rows(table, target) else {
        let doubled = there.saturating_sub(table.object.rows.as_ref().map_or(there, Rows::count));
        let wrong = doubled > 0 && is_keyed(table.object);
        return Some(wrong.then_some(MigrationViolation::MovedRowsDoubled { task, table: name, doubled }));
    };
    let distinct: BTreeSet<&String> = rows.target.iter().collect();
    let foreign = distinct.iter().filter(|key| !rows.source.contains(**key)).count() as u64;
    let doubled = (rows.target.len() - distinct.len()) as u64;
    Some(match (foreign, doubled) {
        (0, 0) => None,
        (0, doubled) => Some(MigrationViolation::MovedRowsDoubled { task, table: name, doubled }),
        (foreign, _) => Some(MigrationViolation::MovedRowsForeign { task, table: name, foreign }),
    })
}

/// Rows the target acknowledged to the application, in tables the task does not move, that are gone after it.
fn ledger_rows<'a>(lens: &Lens<'a>, task: &TaskStory<'a>) -> Option<Verdict<'a>> {
    let into = &task.first.target.instance_id;
    let begun = task.started().filter(|_| !lens.is_redis(into))?;
    let end = task
        .views
        .iter()
        .rev()
        .find(|seen| matches!(seen.it.status, TaskStatus::Finished | TaskStatus::MigrationFailed))?;
    let shot = lens.shot_after(into, end.index.max(begun.index))?;
    let view = end.it;
    let chosen = |database: &str, table: &str| {
        view.objects.iter().any(|selection| {
            let to_table = selection.table_as.as_ref().or(selection.table.as_ref());
            selection.target_database() == database && to_table.is_none_or(|name| name == table)
        })
    };
    let rows: Vec<_> = lens
        .ledger(into)
        .filter(|row| {
            row.it.acknowledged
                && row.index < shot.index
                && !chosen(&row.it.database, &row.it.table)
                && !by_statement(lens, into, &row.it.table, row.index, &shot)
        })
        .collect();
    let lost = rows.iter().find(|row| !has_row(&shot.it.photograph, &row.it.database, &row.it.table, row.it.id, &rows));
    let wrong = lost.map(|row| MigrationViolation::LedgerRowLost {
        task: task.id.clone(),
        table: row.it.table.clone(),
        id: row.it.id,
    });
    (!rows.is_empty()).then_some((shot, wrong))
}

/// Whether a table holds a row of the application; of tables of many rows only their number is known.
fn has_row(
    held: &Photograph,
    database: &str,
    table: &str,
    id: i64,
    ledger: &[Seen<'_, crate::history::LedgerEntry>],
) -> bool {
    let Some(rows) = find(held, database, ObjectKind::Table, table).and_then(|found| found.rows.as_ref()) else {
        return false;
    };
    match rows {
        Rows::Whole { columns, key, rows } => {
            let at = key.first().and_then(|key| columns.iter().position(|column| column == key)).unwrap_or(0);
            rows.iter().any(|row| row.get(at) == Some(&Value::Integer(id)))
        }
        Rows::Digest { count, .. } => {
            *count >= ledger.iter().filter(|row| row.it.database == database && row.it.table == table).count() as u64
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::migration::made_up::{Plot, TWO, holds, nothing, orders, wrong};
    use crate::checks::testing::photograph;
    use crate::history::{LedgerEntry, What};
    use recovery::model::task::{ObjectProgress, TaskFailure};

    const TABLE: &str = "table orders of app";

    fn finished(after: &Photograph) -> Plot {
        let mut plot = Plot::between(&orders(), &nothing());
        plot.begin().finish().after(&orders(), after);
        plot
    }

    #[test]
    fn lost_and_doubled_rows_are_found() {
        let lost = MigrationViolation::MovedRowsLost { task: "dts-1".into(), table: TABLE.into(), lost: 1 };
        assert_eq!(wrong(&finished(&photograph(&[("orders", &[(1, "lamp")])])).story, check), vec![lost]);
        let doubled = MigrationViolation::MovedRowsDoubled { task: "dts-1".into(), table: TABLE.into(), doubled: 1 };
        assert_eq!(
            wrong(&finished(&photograph(&[("orders", &[(1, "lamp"), (1, "lamp"), (2, "desk")])])).story, check),
            vec![doubled]
        );
    }

    #[test]
    fn of_many_rows_the_number_tells() {
        let many = |count: u64| {
            let mut held = orders();
            let object = held.databases.get_mut("app").and_then(|held| held.objects.get_mut("table orders"));
            object.unwrap_or_else(|| panic!("the table is there")).rows =
                Some(Rows::Digest { count, sha256: count.to_string() });
            held
        };
        let run = |after: &Photograph| {
            let mut plot = Plot::between(&many(3000), &nothing());
            plot.begin().finish().after(&many(3000), after);
            plot
        };
        let (task, table) = (recovery::model::TaskId::from("dts-1"), TABLE.to_owned());
        let lost = |lost| MigrationViolation::MovedRowsLost { task: task.clone(), table: table.clone(), lost };
        assert_eq!(wrong(&run(&many(2999)).story, check), vec![lost(1)]);
        assert_eq!(wrong(&run(&nothing()).story, check), vec![lost(3000)]);
        let doubled = MigrationViolation::MovedRowsDoubled { task: task.clone(), table: table.clone(), doubled: 200 };
        assert_eq!(wrong(&run(&many(3200)).story, check), vec![doubled]);
        holds(&run(&many(3000)).story, check, 1);
    }

    #[test]
    fn each_row_once_holds() {
        holds(&finished(&orders()).story, check, 1);
    }

    fn failed(claimed: u64, there: &Photograph) -> Plot {
        let mut plot = Plot::between(&orders(), &nothing());
        plot.begin();
        plot.task.failure = Some(TaskFailure::Refused { side: "target".into(), detail: "no".into() });
        plot.task.progress = vec![ObjectProgress {
            kind: ObjectKind::Table,
            database: "app".into(),
            name: "orders".into(),
            target_database: "app".into(),
            target_name: "orders".into(),
            made: true,
            announced: true,
            revision: 1,
            rows_written: claimed,
            rows_done: false,
            after: None,
        }];
        plot.sight(TaskStatus::MigrationFailed).after(&orders(), there);
        plot
    }

    #[test]
    fn a_failed_task_that_says_too_much_or_left_foreign_rows_is_found() {
        let one = photograph(&[("orders", &[(1, "lamp")])]);
        let claimed =
            MigrationViolation::MovedRowsClaimed { task: "dts-1".into(), table: TABLE.into(), claimed: 2, there: 1 };
        assert_eq!(wrong(&failed(2, &one).story, check), vec![claimed]);
        let foreign = MigrationViolation::MovedRowsForeign { task: "dts-1".into(), table: TABLE.into(), foreign: 1 };
        assert_eq!(wrong(&failed(1, &photograph(&[("orders", &[(9, "x")])])).story, check), vec![foreign]);
        holds(&failed(1, &orders()).story, check, 1);
    }

    #[test]
    fn an_acknowledged_row_that_is_gone_is_found_and_one_without_an_answer_is_not_missed() {
        let entry = |acknowledged, at| LedgerEntry {
            instance: "rm-1".into(),
            database: "app".into(),
            table: "journal".into(),
            id: 7,
            sent_at: at,
            acknowledged,
            refused: false,
        };
        let run = |acknowledged, after: &Photograph| {
            let mut plot = Plot::between(&orders(), &photograph(&[("journal", &[])]));
            plot.begin();
            let now = plot.story.now;
            plot.story.push(What::Ledger(entry(acknowledged, now)));
            plot.finish().after(&orders(), after);
            plot
        };
        let gone = photograph(&[("orders", TWO), ("journal", &[])]);
        let expected = MigrationViolation::LedgerRowLost { task: "dts-1".into(), table: "journal".into(), id: 7 };
        assert_eq!(wrong(&run(true, &gone).story, check), vec![expected]);
        holds(&run(true, &photograph(&[("orders", TWO), ("journal", &[(7, "row 7")])])).story, check, 2);
        holds(&run(false, &gone).story, check, 1);
    }

    #[test]
    fn a_task_on_its_way_exercises_nothing() {
        let mut plot = Plot::between(&orders(), &nothing());
        plot.begin();
        holds(&plot.story, check, 0);
    }
}
