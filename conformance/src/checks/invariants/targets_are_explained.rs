//! The target is as before, as after, or between them in a way that can be told: every row of a chosen table is one it had
//! itself or one its source had, and its own rows stay unless they were to be rewritten.

use super::InvariantViolation;
use super::changes::{Change, all_stand_in, changes, keys, shots};
use super::doings::{Act, Doing, Doings, Movement, Span};
use crate::checks::Finding;
use crate::checks::migration::content::{find, moves, text};
use crate::checks::restore::content::mapped;
use crate::history::Shot;
use crate::history::lens::{Lens, Seen};
use recovery::model::InstanceId;
use recovery::model::content::{ObjectKind, Value};
use recovery::model::logical::restore::DataConflict;
use recovery::model::photograph::{Photograph, PhotographedObject, Rows};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Photographs by instance.
type Shots<'a> = BTreeMap<&'a InstanceId, Vec<Seen<'a, Shot>>>;

/// Looks at every change of a table that a migration or a restore, and nobody else, may have changed.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    let doings = Doings::of(lens);
    if doings.moves.is_empty() {
        return finding;
    }
    let shots = shots(lens);
    for change in changes(lens) {
        let Some((place, old, new)) = change.table() else { continue };
        if change.is_users(&doings) {
            continue;
        }
        let into = doings.moved_into(change.instance, change.span());
        let covering: Vec<&Doing<'_, '_>> =
            into.filter(|doing| doing.covers(lens, place.database, place.object)).collect();
        let [doing] = covering[..] else { continue };
        let scene = Scene { lens, doings: &doings, shots: &shots, change: &change, doing, database: place.database };
        finding.judge(&change.seen(), scene.wrong(old, new));
    }
    finding
}

/// A table of a target that one task alone changed.
struct Scene<'s, 'l, 'a> {
    lens: &'s Lens<'a>,
    doings: &'s Doings<'l, 'a>,
    shots: &'s Shots<'a>,
    change: &'s Change<'a>,
    doing: &'s Doing<'l, 'a>,
    database: &'a str,
}

impl<'a> Scene<'_, '_, 'a> {
    fn wrong(
        &self,
        old: Option<&'a PhotographedObject>,
        new: Option<&'a PhotographedObject>,
    ) -> Option<InvariantViolation> {
        let object = new.or(old)?;
        let (task, table) = (self.doing.id().clone(), format!("{} of {}", object.name, self.database));
        let altered = old.is_some_and(|old| new.is_none_or(|new| new.definition != old.definition));
        if altered && !self.doing.follows() {
            return Some(InvariantViolation::TargetTableAltered { task, table });
        }
        let is = new?.rows.as_ref()?;
        let was = old.and_then(|old| old.rows.as_ref());
        if was.is_some_and(|was| all_stand_in(was, is) && was.count() == is.count()) {
            return None;
        }
        let foreign = self.foreign(&object.name, was, is);
        if foreign > 0 {
            return Some(InvariantViolation::RowsFromNowhere { task, table, rows: foreign });
        }
        let rows = was.filter(|_| !self.rewrites()).map_or(0, |was| replaced(was, is));
        (rows > 0).then_some(InvariantViolation::RowsReplaced { task, table, rows })
    }

    /// Whether rows of the target may give way to those of the source.
    fn rewrites(&self) -> bool {
        match &self.doing.movement {
            Movement::Migration(_) => self.doing.follows(),
            Movement::Restore(story) => {
                story.views.iter().any(|seen| seen.it.data_conflict == DataConflict::DeleteThenRewrite)
            }
        }
    }

    /// Rows that neither the table itself nor its source ever had.
    fn foreign(&self, table: &str, was: Option<&Rows>, is: &Rows) -> u64 {
        let Rows::Whole { columns, rows, .. } = is else { return 0 };
        let own: BTreeSet<String> = match was {
            Some(Rows::Whole { columns: was_columns, rows, .. }) if was_columns == columns => {
                rows.iter().map(|row| text(row.iter())).collect()
            }
            Some(Rows::Whole { rows, .. }) if rows.is_empty() => BTreeSet::new(),
            None => BTreeSet::new(),
            Some(_) => return 0,
        };
        let mut new: Vec<&[Value]> =
            rows.iter().map(Vec::as_slice).filter(|row| !own.contains(&text(row.iter()))).collect();
        let Some(source) = self.source() else { return 0 };
        let taken: Vec<&Seen<'a, Shot>> =
            self.shots.get(source).map(|shots| shots.iter().collect()).unwrap_or_default();
        let mut last: Option<&Seen<'a, Shot>> = None;
        for shot in taken.iter().rev() {
            if new.is_empty() || last.is_some_and(|last| Arc::ptr_eq(&last.it.photograph, &shot.it.photograph)) {
                continue;
            }
            last = Some(shot);
            // A source whose rows cannot be seen says nothing.
            let Some(had) = self.projected(&shot.it.photograph, table, columns) else { continue };
            let Some((at, had)) = had else { return 0 };
            new.retain(|row| !had.contains(&text(at.iter().filter_map(|at| row.get(*at)))));
        }
        if taken.is_empty() || self.written(source) { 0 } else { new.len() as u64 }
    }

    /// The server the rows come from.
    fn source(&self) -> Option<&'a InstanceId> {
        match &self.doing.movement {
            Movement::Migration(_) => self.doing.source,
            Movement::Restore(story) => {
                self.lens.data_source(&story.first.source).map(|source| &source.first.instance_id)
            }
        }
    }

    /// Whether the source may have had rows that no photograph shows: somebody wrote to it all the while, or others moved
    /// into it.
    fn written(&self, source: &InstanceId) -> bool {
        let Some(shots) = self.shots.get(source) else { return true };
        let (Some(first), Some(last)) = (shots.first(), shots.last()) else { return true };
        // What was written between two photographs and written over before the second is on neither; inserts are not.
        let hidden =
            |write: &super::doings::Write<'_>| !matches!(write.act, Act::Call(_) | Act::Set) && !write.only_adds();
        let early = match &self.doing.movement {
            Movement::Migration(_) => shots.iter().rev().find(|shot| shot.index <= self.doing.from).unwrap_or(first),
            Movement::Restore(_) => first,
        };
        let span = Span::of(early, last);
        let newest = shots.iter().find(|shot| shot.index >= self.change.after.index);
        newest.is_none()
            || self.doings.writes(source, span).any(hidden)
            || self.doings.moved_into(source, span).next().is_some()
            || self.doings.restless(source, span)
    }

    /// Rows of the source as the target would have them, and the places of their columns in the target. Outside none: the
    /// source had no such table then; inside none: its rows cannot be seen.
    #[allow(clippy::type_complexity, reason = "two answers that differ, said once")]
    fn projected(
        &self,
        held: &Photograph,
        table: &str,
        columns: &[String],
    ) -> Option<Option<(Vec<usize>, BTreeSet<String>)>> {
        match &self.doing.movement {
            Movement::Migration(task) => {
                let moves = moves(task.last(), held);
                let own = moves.iter().find(|it| it.to_database == self.database && it.to_table == table)?;
                let rows = own.object.rows.as_ref()?;
                Some(project(rows, columns, |name| own.column(name)))
            }
            Movement::Restore(story) => {
                let view = story.last();
                let tables = held.databases.get(self.database)?.objects.values();
                let mut tables = tables.filter(|object| object.kind == ObjectKind::Table);
                let own = tables.find(|object| mapped(view, self.database, &object.name) == table)?;
                let own = find(held, self.database, ObjectKind::Table, &own.name)?;
                Some(project(own.rows.as_ref()?, columns, Some))
            }
        }
    }
}

fn project<'v>(
    rows: &'v Rows,
    columns: &[String],
    place: impl Fn(&'v str) -> Option<&'v str>,
) -> Option<(Vec<usize>, BTreeSet<String>)> {
    let Rows::Whole { columns: from, rows, .. } = rows else { return None };
    let pairs: Vec<(usize, usize)> = from
        .iter()
        .enumerate()
        .filter_map(|(at, name)| {
            let to = place(name)?;
            Some((at, columns.iter().position(|column| column == to)?))
        })
        .collect();
    let texts = rows.iter().map(|row| text(pairs.iter().filter_map(|(at, _)| row.get(*at)))).collect();
    Some((pairs.iter().map(|(_, to)| *to).collect(), texts))
}

/// Keys under which another row stands than did.
fn replaced(was: &Rows, is: &Rows) -> u64 {
    let (Rows::Whole { columns, .. }, Rows::Whole { columns: is_columns, .. }) = (was, is) else { return 0 };
    if columns != is_columns {
        return 0;
    }
    let (Some(was), Some(is)) = (keys(was), keys(is)) else { return 0 };
    was.iter().filter(|(key, row)| is.get(*key).is_some_and(|now| now != *row)).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::invariants::made_up::{Tale, holds, wrong};
    use crate::checks::testing::{done, photograph};

    const SOURCE: &[(i64, &str)] = &[(1, "lamp"), (2, "desk")];

    /// A migration of `orders` with one photograph of the target on its way.
    fn between(before: Option<&[(i64, &str)]>, after: Option<&[(i64, &str)]>) -> Tale {
        let held = |rows: Option<&[(i64, &str)]>| {
            photograph(&rows.map(|rows| ("orders", rows)).into_iter().collect::<Vec<_>>())
        };
        let mut tale = Tale::new();
        tale.rescue().story.shot("sub1", &photograph(&[("orders", SOURCE)])).shot("rm-1", &held(before));
        tale.migrate("sub1", "rm-1").story.shot("rm-1", &held(after)).shot("sub1", &photograph(&[("orders", SOURCE)]));
        tale
    }

    const TABLE: &str = "orders of app";

    #[test]
    fn rows_that_nobody_ever_had_are_found() {
        let tale = between(None, Some(&[(1, "lamp"), (9, "ghost")]));
        let expected = InvariantViolation::RowsFromNowhere { task: "dts-1".into(), table: TABLE.into(), rows: 1 };
        assert_eq!(wrong(&tale.story, check), vec![expected]);
    }

    #[test]
    fn own_rows_that_were_replaced_are_found() {
        let tale = between(Some(&[(1, "mine")]), Some(&[(1, "lamp"), (2, "desk")]));
        let expected = InvariantViolation::RowsReplaced { task: "dts-1".into(), table: TABLE.into(), rows: 1 };
        assert_eq!(wrong(&tale.story, check), vec![expected]);
    }

    #[test]
    fn a_table_that_was_there_and_is_gone_is_found() {
        let tale = between(Some(&[]), None);
        let expected = InvariantViolation::TargetTableAltered { task: "dts-1".into(), table: TABLE.into() };
        assert_eq!(wrong(&tale.story, check), vec![expected]);
    }

    #[test]
    fn a_part_of_the_source_beside_own_rows_holds() {
        holds(&between(None, Some(&[(2, "desk")])).story, check, 1);
        holds(&between(Some(&[(7, "mine")]), Some(&[(1, "lamp"), (7, "mine")])).story, check, 1);
    }

    #[test]
    fn what_users_of_the_target_wrote_is_not_judged() {
        let mut tale = Tale::new();
        tale.rescue()
            .story
            .shot("sub1", &photograph(&[("orders", SOURCE)]))
            .shot("rm-1", &photograph(&[("orders", &[])]));
        tale.migrate("sub1", "rm-1").story.statement("rm-1", "insert into orders values (9, 'x')", done());
        tale.story.shot("rm-1", &photograph(&[("orders", &[(9, "x")])]));
        holds(&tale.story, check, 0);
    }
}
