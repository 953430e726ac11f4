//! A definition that changes while it is migrated fails the task or arrives, and never passes silently (DTS-04, CLN-10,
//! CLN-11; C-12).

use super::MigrationViolation;
use super::content::{content_difference, whole};
use super::scene::{Scene, follows, last_before_begin, scene};
use super::text::names;
use crate::checks::Finding;
use crate::checks::temporary::Difference;
use crate::history::lens::{Lens, Seen, TaskStory};
use crate::history::{Shot, Statement};
use recovery::model::task::TaskStatus;
use recovery::model::views::TaskView;
use recovery::ports::database::DatabaseError;

/// Looks at every task during which a definition it moves was changed. One that failed did so aloud; of one that ended
/// well, or follows its source, the target must be as the source was at some time.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    // Redis has no definitions.
    for task in lens.tasks().filter(|task| !lens.is_redis(&task.first.source.instance_id)) {
        let Some(begin) = last_before_begin(task) else { continue };
        let Some(ddl) = changes(lens, task, begin.it).find(|ddl| ddl.index > begin.index) else { continue };
        let failed =
            task.views.iter().find(|seen| seen.it.status == TaskStatus::MigrationFailed && seen.index > ddl.index);
        match (scene(lens, task), failed) {
            (Some(scene), _) if ddl.it.sent_at < scene.done.at => {
                if let Some(difference) = silent_difference(lens, &scene, &ddl) {
                    let (task, statement) = (task.id.clone(), ddl.it.sql.clone());
                    finding.judge(
                        &scene.after,
                        difference.map(|difference| MigrationViolation::DdlPassedSilently {
                            task,
                            statement,
                            difference,
                        }),
                    );
                }
            }
            (None, Some(failed)) => finding.judge(failed, None::<MigrationViolation>),
            _ => {}
        }
    }
    finding
}

/// Statements that changed definitions of what a task moves, and had or may have had their effect.
fn changes<'l, 'a>(
    lens: &Lens<'a>,
    task: &'l TaskStory<'a>,
    view: &'l TaskView,
) -> impl Iterator<Item = Seen<'a, Statement>> + use<'l, 'a> {
    lens.statements(&task.first.source.instance_id).filter(move |seen| {
        let effect = seen.it.outcome.is_ok() || matches!(seen.it.outcome, Err(DatabaseError::Unreachable(_)));
        let chosen = |table: &String| names(&seen.it.sql, table);
        let own = view.objects.iter().filter(|selection| selection.database == seen.it.database);
        let hits = whole(view, &seen.it.database).is_some()
            || own.filter_map(|selection| selection.table.as_ref()).any(chosen);
        seen.it.is_ddl() && effect && hits
    })
}

/// How the target differs from every state of the source that was seen; nothing where rows were written besides, so that
/// no state seen need be the one that was copied.
fn silent_difference(lens: &Lens<'_>, scene: &Scene<'_, '_>, ddl: &Seen<'_, Statement>) -> Option<Option<Difference>> {
    let source = &scene.task.first.source.instance_id;
    let disturbed = |database: &str, table: &str| scene.disturbed(lens, Some((database, table)));
    let difference = |shot: &Seen<'_, Shot>| content_difference(scene, &shot.it.photograph, &disturbed);
    if follows(scene.view()) {
        return (ddl.index < scene.done.index).then(|| difference(&scene.source));
    }
    let end = lens.shot_after(source, scene.done.index)?;
    let others = lens.statements(source).any(|seen| {
        seen.index > scene.source.index && seen.it.sent_at <= end.at && !seen.it.only_reads() && !seen.it.is_ddl()
    });
    if others || lens.ledger(source).any(|row| row.index > scene.source.index && row.it.sent_at <= end.at) {
        return None;
    }
    let mut states: Vec<Seen<'_, Shot>> =
        lens.shots(source).filter(|shot| (scene.source.index..=end.index).contains(&shot.index)).collect();
    states.dedup_by(|one, other| one.it.photograph == other.it.photograph);
    let found: Vec<Option<Difference>> = states.iter().map(difference).collect();
    if found.iter().any(Option::is_none) { Some(None) } else { found.into_iter().next() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::migration::made_up::{Plot, holds, nothing, orders, wrong};
    use crate::checks::testing::{done, photograph};
    use recovery::model::task::TaskFailure;

    const EMPTIED: &str = "truncate table orders";

    fn emptied(plot: &mut Plot) -> &mut Plot {
        plot.begin();
        plot.story.statement("rm-2", EMPTIED, done());
        plot.story.shot("rm-2", &photograph(&[("orders", &[])]));
        plot
    }

    #[test]
    fn a_target_between_the_old_and_the_new_content_is_found() {
        let mut plot = Plot::between(&orders(), &nothing());
        emptied(&mut plot).finish().after(&photograph(&[("orders", &[])]), &photograph(&[("orders", &[(1, "lamp")])]));
        let difference = Difference::Rows { what: "table orders of app".into(), want: 2, got: 1 };
        let expected =
            MigrationViolation::DdlPassedSilently { task: "dts-1".into(), statement: EMPTIED.into(), difference };
        assert_eq!(wrong(&plot.story, check), vec![expected]);
    }

    #[test]
    fn the_old_content_the_new_content_and_a_failure_hold() {
        let empty = photograph(&[("orders", &[])]);
        for content in [&orders(), &empty] {
            let mut plot = Plot::between(&orders(), &nothing());
            emptied(&mut plot).finish().after(&empty, content);
            holds(&plot.story, check, 1);
        }
        let mut plot = Plot::between(&orders(), &nothing());
        emptied(&mut plot).task.failure = Some(TaskFailure::DdlDuringMigration { object: "app.orders".into() });
        plot.sight(TaskStatus::MigrationFailed);
        holds(&plot.story, check, 1);
    }

    #[test]
    fn a_change_of_a_table_that_was_not_chosen_exercises_nothing() {
        let mut plot = Plot::between(&orders(), &nothing());
        plot.begin();
        plot.story.statement("rm-2", "alter table other add column x int", done());
        plot.finish().after(&orders(), &orders());
        holds(&plot.story, check, 0);
    }
}
