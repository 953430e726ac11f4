//! No committed row is lost on a master: what was acknowledged, or was on a photograph, stays until somebody takes it away.

use super::InvariantViolation;
use super::changes::{Change, all_stand_in, changes, keys, shots};
use super::doings::{Act, Doing, Doings, Movement, Place, Span, inserted_into};
use crate::checks::Finding;
use crate::checks::migration::content::{find, is_keyed};
use crate::history::lens::{Lens, Seen};
use crate::history::{LedgerEntry, Shot};
use recovery::model::InstanceId;
use recovery::model::content::{ObjectKind, Value};
use recovery::model::instance::Origin;
use recovery::model::logical::restore::DataConflict;
use recovery::model::photograph::Rows;
use std::collections::BTreeMap;

/// Compares each master's photographs with each other, with the application's ledger, and with what statements were told.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    let doings = Doings::of(lens);
    let shots = shots(lens);
    let master = |instance: &InstanceId| {
        let origin = lens.instance(instance).map(|story| &story.first.origin);
        matches!(origin, Some(Origin::Primary | Origin::Clone { .. }))
    };
    for (instance, shots) in shots.iter().filter(|(instance, shots)| master(instance) && shots.len() > 1) {
        let ledger: Vec<Seen<'_, LedgerEntry>> = lens.ledger(instance).filter(|row| row.it.acknowledged).collect();
        let mut lost = None;
        for pair in shots.windows(2) {
            lost = lost.or_else(|| {
                ledger_lost(&doings, instance, &ledger, pair[0], pair[1])
                    .or_else(|| inserts_lost(&doings, instance, pair[0], pair[1]))
                    .map(|violation| (pair[1], violation))
            });
        }
        match lost {
            Some((seen, violation)) => finding.judge(&seen, Some(violation)),
            None => finding.judge(&shots[shots.len() - 1], None::<InvariantViolation>),
        }
    }
    for change in changes(lens).iter().filter(|change| master(change.instance)) {
        if let Some(lost) = rows_lost(lens, &doings, change) {
            finding.judge(&change.seen(), Some(lost));
        }
    }
    finding
}

/// Rows of the earlier photograph that the later one lacks, by key, though nobody took them away.
fn rows_lost<'a>(lens: &Lens<'a>, doings: &Doings<'_, 'a>, change: &Change<'a>) -> Option<InvariantViolation> {
    let (place, old, new) = change.table()?;
    let (was, is) = (old?.rows.as_ref()?, new.and_then(|new| new.rows.as_ref()));
    if is.is_some_and(|is| all_stand_in(was, is)) {
        return None;
    }
    let lost = match (keys(was), is.map(keys)) {
        (Some(was), Some(Some(is))) => was.keys().filter(|key| !is.contains_key(*key)).count() as u64,
        _ => was.count().saturating_sub(is.map_or(0, Rows::count)),
    };
    if lost == 0 || taken_away(lens, doings, change, &place) {
        return None;
    }
    let table = format!("{} of {}", place.object.name, place.database);
    Some(InvariantViolation::CommittedRowsLost { instance: change.instance.clone(), table, lost })
}

/// Whether somebody may have taken rows of a table away between two photographs.
fn taken_away<'a>(lens: &Lens<'a>, doings: &Doings<'_, 'a>, change: &Change<'a>, place: &Place<'_>) -> bool {
    let users =
        doings.restless(change.instance, change.span()) || change.writes(doings).any(|write| !write.only_adds());
    // Deletions are carried over; a row that is rewritten may stand in the way of two by another unique key (LOG-41).
    let moved = doings.moved_into(change.instance, change.span()).any(|doing| {
        let rewrites = match &doing.movement {
            Movement::Migration(_) => doing.follows(),
            Movement::Restore(story) => {
                story.views.iter().any(|seen| seen.it.data_conflict == DataConflict::DeleteThenRewrite)
                    && (place.object.definition.to_lowercase().contains("unique") || !is_keyed(place.object))
            }
        };
        rewrites && doing.covers(lens, place.database, place.object)
    });
    users || moved
}

/// An acknowledged row of the application that the photograph after it lacks.
fn ledger_lost(
    doings: &Doings<'_, '_>,
    instance: &InstanceId,
    ledger: &[Seen<'_, LedgerEntry>],
    before: Seen<'_, Shot>,
    after: Seen<'_, Shot>,
) -> Option<InvariantViolation> {
    let span = Span::of(&before, &after);
    let from = ledger.partition_point(|row| row.index <= before.index);
    let to = ledger.partition_point(|row| row.index < after.index);
    let (first, rows) = (ledger.get(from)?, ledger.get(from..to)?);
    let (database, table) = (&first.it.database, &first.it.table);
    let removed = || {
        doings.restless(instance, span)
            || doings
                .writes(instance, span)
                .any(|write| !write.only_adds() && !matches!(write.act, Act::Call(_) | Act::Set))
            || doings.moved_into(instance, span).any(Doing::follows)
    };
    let redis = database.parse::<u8>().is_ok();
    let found = find(&after.it.photograph, database, ObjectKind::Table, if redis { "keys" } else { table });
    let there = found.and_then(|found| found.rows.as_ref());
    let missing = match there {
        None => rows.first(),
        Some(Rows::Digest { .. }) => None,
        Some(Rows::Whole { columns, key, rows: held }) => {
            let at = key.first().and_then(|key| columns.iter().position(|column| column == key)).unwrap_or(0);
            let mut ids: BTreeMap<i64, bool> = rows.iter().map(|row| (row.it.id, false)).collect();
            for row in held {
                let id = match row.get(at) {
                    Some(Value::Integer(id)) => Some(*id),
                    Some(Value::Text(name)) if redis => {
                        name.rsplit_once(':').filter(|(of, _)| of == table).and_then(|(_, id)| id.parse().ok())
                    }
                    _ => None,
                };
                if let Some(seen) = id.and_then(|id| ids.get_mut(&id)) {
                    *seen = true;
                }
            }
            rows.iter().find(|row| ids.get(&row.it.id) == Some(&false))
        }
    };
    let row = missing.filter(|_| !removed())?;
    let table = format!("{table} of {database}");
    Some(InvariantViolation::AcknowledgedRowLost { instance: instance.clone(), table, id: row.it.id })
}

/// Rows that plain inserts were told to have written, where nothing else touched their table, and that are fewer.
fn inserts_lost(
    doings: &Doings<'_, '_>,
    instance: &InstanceId,
    before: Seen<'_, Shot>,
    after: Seen<'_, Shot>,
) -> Option<InvariantViolation> {
    let span = Span::of(&before, &after);
    let mut told: BTreeMap<(&str, String), u64> = BTreeMap::new();
    for write in doings.writes(instance, span) {
        if write.open || write.index < before.index || write.index > after.index {
            return None;
        }
        match &write.act {
            Act::Sql(it) if !write.only_adds() || it.outcome.is_err() => return None,
            // Sent before the earlier photograph and answered after it: it may be on it already.
            Act::Sql(it) if it.sent_at <= before.at => return None,
            Act::Row(it) if it.sent_at <= before.at => return None,
            Act::Sql(it) => {
                let (table, outcome) = (inserted_into(&it.sql)?, it.outcome.as_ref().ok()?);
                *told.entry((&it.database, table)).or_default() += outcome.affected;
            }
            Act::Row(it) => *told.entry((&it.database, it.table.clone())).or_default() += u64::from(it.acknowledged),
            Act::Call(_) | Act::Set => {}
            Act::Replaced => return None,
        }
    }
    if told.is_empty() || doings.restless(instance, span) || doings.moved_into(instance, span).any(Doing::follows) {
        return None;
    }
    let rows = |shot: &Seen<'_, Shot>, database: &str, table: &str| {
        find(&shot.it.photograph, database, ObjectKind::Table, table)
            .and_then(|found| found.rows.as_ref())
            .map(Rows::count)
    };
    told.into_iter().find_map(|((database, table), told)| {
        let want = rows(&before, database, &table)? + told;
        let got = rows(&after, database, &table).unwrap_or(0);
        let name = format!("{table} of {database}");
        (got < want).then(|| InvariantViolation::AcknowledgedInsertLost {
            instance: instance.clone(),
            table: name,
            want,
            got,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::invariants::made_up::{Tale, holds, wrong};
    use crate::checks::testing::{done, photograph};
    use crate::history::What;
    use recovery::ports::database::Outcome;

    const TWO: &[(i64, &str)] = &[(1, "lamp"), (2, "desk")];

    fn lost(lost: u64) -> InvariantViolation {
        InvariantViolation::CommittedRowsLost { instance: "rm-1".into(), table: "orders of app".into(), lost }
    }

    #[test]
    fn a_row_that_vanishes_between_two_photographs_is_found() {
        let mut tale = Tale::new();
        tale.story.shot("rm-1", &photograph(&[("orders", TWO)]));
        tale.story.shot("rm-1", &photograph(&[("orders", &[(2, "desk")])]));
        assert_eq!(wrong(&tale.story, check), vec![lost(1)]);
    }

    #[test]
    fn a_table_that_vanishes_loses_its_rows() {
        let mut tale = Tale::new();
        tale.story.shot("rm-1", &photograph(&[("orders", TWO)])).shot("rm-1", &photograph(&[]));
        assert_eq!(wrong(&tale.story, check), vec![lost(2)]);
    }

    #[test]
    fn what_a_user_deletes_drops_or_changes_is_not_lost() {
        for (sql, after) in [
            ("delete from orders where id = 1", photograph(&[("orders", &[(2, "desk")])])),
            ("drop table orders", photograph(&[])),
            ("update orders set item = 'sofa'", photograph(&[("orders", &[(1, "sofa"), (2, "sofa")])])),
        ] {
            let mut tale = Tale::new();
            tale.story.shot("rm-1", &photograph(&[("orders", TWO)])).statement("rm-1", sql, done());
            tale.story.shot("rm-1", &after);
            holds(&tale.story, check, 1);
        }
    }

    #[test]
    fn an_acknowledged_row_that_is_not_there_is_found_and_one_without_an_answer_is_not_missed() {
        for (acknowledged, row) in [(true, 7), (false, 8)] {
            let mut tale = Tale::new();
            tale.story.shot("rm-1", &photograph(&[("orders", TWO)]));
            tale.row("rm-1", row, acknowledged).story.shot("rm-1", &photograph(&[("orders", TWO)]));
            let table = "orders of app".to_owned();
            let expected = InvariantViolation::AcknowledgedRowLost { instance: "rm-1".into(), table, id: 7 };
            assert_eq!(wrong(&tale.story, check), if acknowledged { vec![expected] } else { vec![] });
        }
    }

    #[test]
    fn an_insert_that_was_told_more_rows_than_are_there_is_found() {
        for (there, right) in [
            (&[(1, "lamp"), (2, "desk"), (3, "sofa")][..], false),
            (&[(1, "lamp"), (2, "desk"), (3, "sofa"), (4, "rug")], true),
        ] {
            let mut tale = Tale::new();
            tale.story.shot("rm-1", &photograph(&[("orders", TWO)]));
            let outcome = Ok(Outcome { columns: vec![], rows: vec![], affected: 2 });
            tale.story.statement("rm-1", "insert into orders values (3, 'sofa'), (4, 'rug')", outcome);
            tale.story.shot("rm-1", &photograph(&[("orders", there)]));
            let (instance, table) = ("rm-1".into(), "orders of app".to_owned());
            let expected = InvariantViolation::AcknowledgedInsertLost { instance, table, want: 4, got: 3 };
            assert_eq!(wrong(&tale.story, check), if right { vec![] } else { vec![expected] });
        }
    }

    #[test]
    fn a_row_that_was_under_way_at_a_photograph_may_be_on_it() {
        let mut tale = Tale::new();
        let sent = tale.story.now;
        tale.story.shot("rm-1", &photograph(&[("orders", TWO)]));
        tale.row("rm-1", 2, true);
        if let Some(What::Ledger(row)) = tale.story.history.events.last_mut().map(|event| &mut event.what) {
            row.sent_at = sent;
        }
        tale.story.shot("rm-1", &photograph(&[("orders", TWO)]));
        assert_eq!(wrong(&tale.story, check), vec![]);
    }

    #[test]
    fn a_temporary_instance_is_no_master() {
        let mut tale = Tale::new();
        tale.rescue().story.shot("sub1", &photograph(&[("orders", TWO)])).shot("sub1", &photograph(&[]));
        holds(&tale.story, check, 0);
    }
}
