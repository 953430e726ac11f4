//! What a task says of itself agrees with the photographs: what it says it made is there, what it says it wrote is there, and
//! when it says it is done, all that was chosen is there.

use super::InvariantViolation;
use super::changes::shots;
use super::doings::{Act, Doing, Doings, Movement, Place, Span};
use crate::checks::Finding;
use crate::checks::migration::content::{find, kind_word};
use crate::checks::migration::text::reaches_further;
use crate::history::Shot;
use crate::history::lens::{Lens, Seen};
use recovery::model::content::ObjectKind;
use recovery::model::logical::restore::{RestorePhase, RestoreStatus, RestoredStatus};
use recovery::model::photograph::Rows;
use recovery::model::task::TaskStatus;

/// What a task says of one object of the target.
struct Claim<'v> {
    kind: ObjectKind,
    database: &'v str,
    name: &'v str,
    /// Rows written.
    rows: u64,
    /// Whether it says that the object is there.
    made: bool,
}

/// Compares what each task said last with each photograph of its target that follows, as long as nobody else wrote there.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    let doings = Doings::of(lens);
    let shots = shots(lens);
    for doing in &doings.moves {
        let Some(shots) = shots.get(doing.target) else { continue };
        let Some(before) = shots.iter().rev().find(|shot| shot.index <= doing.from) else { continue };
        let mut judged = None;
        for shot in shots.iter().filter(|shot| shot.index > doing.from) {
            let claims = claims(doing, shot);
            if claims.is_empty() || alone_no_more(&doings, doing, Span::of(before, shot)) {
                continue;
            }
            judged = Some(shot);
            let wrong = claims.iter().find_map(|claim| wrong(&doings, doing, claim, before, shot));
            if let Some(wrong) = wrong {
                finding.judge(shot, Some(wrong));
                break;
            }
        }
        if let Some(shot) = judged {
            finding.judge(shot, None::<InvariantViolation>);
        }
    }
    finding
}

/// What a task had said of its objects last when a photograph was taken.
fn claims<'v>(doing: &Doing<'v, '_>, shot: &Seen<'_, Shot>) -> Vec<Claim<'v>> {
    match &doing.movement {
        Movement::Migration(task) => {
            let Some(seen) = task.view_at(shot.index) else { return vec![] };
            let stopped = seen.it.status == TaskStatus::Finished && seen.it.progress.iter().any(|it| !it.made);
            let claim = |it: &'v recovery::model::task::ObjectProgress| Claim {
                kind: it.kind,
                database: &it.target_database,
                name: &it.target_name,
                rows: it.rows_written,
                made: it.made && !stopped,
            };
            seen.it.progress.iter().map(claim).collect()
        }
        Movement::Restore(story) => {
            let Some(seen) = story.view_before(shot.index) else { return vec![] };
            let full = |it: &&recovery::model::logical::restore::RestoredObject| it.phase == RestorePhase::Full;
            let claim = |it: &'v recovery::model::logical::restore::RestoredObject| Claim {
                kind: it.kind,
                database: &it.database,
                name: &it.target_name,
                rows: it.records,
                made: it.status == RestoredStatus::Done && seen.it.status == RestoreStatus::Completed,
            };
            seen.it.details.iter().filter(full).map(claim).collect()
        }
    }
}

/// Whether something else moved data into the target, or all of it may have been replaced.
fn alone_no_more(doings: &Doings<'_, '_>, own: &Doing<'_, '_>, span: Span) -> bool {
    doings.restless(own.target, span)
        || doings.moved_into(own.target, span).any(|other| other.id() != own.id())
        || own.follows()
}

fn wrong(
    doings: &Doings<'_, '_>,
    doing: &Doing<'_, '_>,
    claim: &Claim<'_>,
    before: &Seen<'_, Shot>,
    shot: &Seen<'_, Shot>,
) -> Option<InvariantViolation> {
    let task = doing.id().clone();
    let words = format!("{} {} of {}", kind_word(claim.kind), claim.name, claim.database);
    let found = find(&shot.it.photograph, claim.database, claim.kind, claim.name);
    let was = find(&before.it.photograph, claim.database, claim.kind, claim.name);
    let removed = |carried: bool| {
        doings.writes(doing.target, Span::of(before, shot)).any(|write| match &write.act {
            Act::Sql(it) if write.only_adds() => reaches_further(&it.sql),
            Act::Sql(it) => match found.or(was) {
                Some(object) => Doings::may_change(write, &Place { database: claim.database, object, carried }),
                None => it.is_ddl() || it.is_redis(),
            },
            Act::Replaced => true,
            Act::Row(_) | Act::Call(_) | Act::Set => false,
        })
    };
    let there = found.and_then(|found| found.rows.as_ref()).map_or(0, Rows::count);
    if claim.made && found.is_none() && !removed(true) {
        return Some(InvariantViolation::ReportedObjectMissing { task, object: words });
    }
    if claim.kind == ObjectKind::Table && claim.rows > there && !removed(true) {
        return Some(InvariantViolation::ReportedRowsMissing { task, table: words, reported: claim.rows, there });
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::invariants::made_up::{Tale, holds, wrong as wrong_of};
    use crate::checks::testing::{done, photograph};
    use recovery::model::task::ObjectProgress;

    fn said(rows: u64, made: bool) -> Tale {
        let mut tale = Tale::new();
        tale.rescue().story.shot("rm-1", &photograph(&[]));
        tale.migrate("sub1", "rm-1").task.progress = vec![ObjectProgress {
            kind: ObjectKind::Table,
            database: "app".into(),
            name: "orders".into(),
            target_database: "app".into(),
            target_name: "orders".into(),
            made,
            announced: true,
            revision: 1,
            rows_written: rows,
            rows_done: false,
            after: None,
        }];
        tale.look(TaskStatus::Migrating);
        tale
    }

    #[test]
    fn rows_that_are_told_before_they_are_there_are_found() {
        let mut tale = said(2, true);
        tale.story.shot("rm-1", &photograph(&[("orders", &[(1, "lamp")])]));
        let (task, table) = ("dts-1".into(), "table orders of app".to_owned());
        assert_eq!(
            wrong_of(&tale.story, check),
            vec![InvariantViolation::ReportedRowsMissing { task, table, reported: 2, there: 1 }]
        );
    }

    #[test]
    fn a_table_that_is_said_to_be_made_and_is_not_there_is_found() {
        let mut tale = said(0, true);
        tale.story.shot("rm-1", &photograph(&[]));
        let (task, object) = ("dts-1".into(), "table orders of app".to_owned());
        assert_eq!(wrong_of(&tale.story, check), vec![InvariantViolation::ReportedObjectMissing { task, object }]);
    }

    #[test]
    fn what_is_there_or_was_taken_away_by_users_holds() {
        let mut tale = said(1, true);
        tale.story.shot("rm-1", &photograph(&[("orders", &[(1, "lamp"), (2, "desk")])]));
        tale.story.statement("rm-1", "drop table orders", done()).shot("rm-1", &photograph(&[]));
        holds(&tale.story, check, 1);
        holds(&said(0, false).story, check, 0);
    }
}
