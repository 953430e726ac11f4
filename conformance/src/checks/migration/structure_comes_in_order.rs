//! The ticked phases run, one after the other; what acts on rows is made after them on SQL Server, PostgreSQL and PPAS, and
//! with the structure on MySQL (DTS-08; C-16; prechecks.md section 5.2).

use super::MigrationViolation;
use super::content::{Move, find, kind_word, moves};
use super::scene::{asked, last_before_begin, others_wrote, written};
use crate::checks::Finding;
use crate::history::Shot;
use crate::history::lens::{Lens, Seen, TaskStory};
use recovery::model::Engine;
use recovery::model::content::ObjectKind as K;
use recovery::model::photograph::{Photograph, Rows};
use recovery::model::task::{MigrationType as M, PhaseStatus as P, TaskStatus};
use recovery::model::views::TaskView;

/// Looks at the phases of each task that began, and at the photographs of its target under way.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for task in lens.tasks() {
        let Some(begun) = task.started() else { continue };
        let phases = task
            .views
            .iter()
            .filter(|seen| seen.index >= begun.index)
            .find_map(|seen| Some((seen.index, seen.at, phase_wrong(lens, task, seen)?)));
        match phases.or_else(|| made_wrong(lens, task)) {
            Some((index, at, violation)) => finding.judge(&Seen { index, at, it: &() }, Some(violation)),
            None => finding.judge(&begun, None::<MigrationViolation>),
        }
    }
    finding
}

/// A phase that is not ticked, is left out, or begins too early, at one sight.
fn phase_wrong<'a>(lens: &Lens<'a>, task: &TaskStory<'a>, seen: &Seen<'_, TaskView>) -> Option<MigrationViolation> {
    let view = seen.it;
    let status = |phase: M| view.phases.get(&phase).copied().unwrap_or_default();
    let id = || view.id.clone();
    if let Some((phase, _)) =
        view.phases.iter().find(|(phase, status)| !view.types.contains(phase) && **status != P::NotStarted)
    {
        return Some(MigrationViolation::UntickedPhaseRan { task: id(), phase: *phase });
    }
    let begun = |phase: M| matches!(status(phase), P::Migrating | P::Catched | P::Finished);
    let ticked = |phase: M| view.types.contains(&phase);
    // On engines that make a part of the structure after the rows, the structure ends with them.
    if begun(M::Full) && ticked(M::Structure) && status(M::Structure) == P::NotStarted {
        return Some(MigrationViolation::PhaseTooEarly { task: id(), phase: M::Full, before: M::Structure });
    }
    let open = [M::Structure, M::Full].into_iter().find(|phase| ticked(*phase) && status(*phase) != P::Finished);
    if let Some(before) = open.filter(|_| begun(M::Incremental) && view.status != TaskStatus::Finished) {
        return Some(MigrationViolation::PhaseTooEarly { task: id(), phase: M::Incremental, before });
    }
    let by_itself = view.status == TaskStatus::Finished && !asked(lens, task, &["stop"], seen.at);
    let left_out = view.types.iter().find(|phase| by_itself && status(**phase) != P::Finished);
    left_out.map(|phase| MigrationViolation::TickedPhaseLeftOut { task: id(), phase: *phase })
}

type Found = (usize, jiff::Timestamp, MigrationViolation);

/// Something a photograph of the target under way shows too early or too late, while users wrote to neither side.
fn made_wrong(lens: &Lens<'_>, task: &TaskStory<'_>) -> Option<Found> {
    let begin = last_before_begin(task)?;
    let (from, into) = (&task.first.source.instance_id, &task.first.target.instance_id);
    let (source, before) = (lens.shot_before(from, begin.index)?, lens.shot_before(into, begin.index)?);
    let engine = lens.instance(into)?.first.product.engine;
    let view = begin.it;
    if !view.types.contains(&M::Structure) || !view.types.contains(&M::Full) {
        return None;
    }
    let last = task.views.last()?.index;
    lens.shots(into).filter(|shot| shot.index > begin.index && shot.index <= last).find_map(|shot| {
        let alone = !written(lens, into, None, &before, shot.at) && !written(lens, from, None, &source, shot.at);
        if !alone || others_wrote(lens, into, task.id, before.index, shot.index) {
            return None;
        }
        let violation = made_at(engine, view, source.it.photograph.as_ref(), before.it.photograph.as_ref(), &shot)?;
        Some((shot.index, shot.at, violation))
    })
}

/// What was made too early or too late at one photograph.
fn made_at(
    engine: Engine,
    view: &TaskView,
    source: &Photograph,
    before: &Photograph,
    shot: &Seen<'_, Shot>,
) -> Option<MigrationViolation> {
    let is = shot.it.photograph.as_ref();
    let moved = moves(view, source);
    let rows = |held: &Photograph, table: &Move<'_>| {
        find(held, table.to_database, K::Table, table.to_table).and_then(|object| object.rows.as_ref().map(Rows::count))
    };
    let fresh: Vec<&Move<'_>> =
        moved.iter().filter(|table| rows(before, table).is_none_or(|count| count == 0)).collect();
    let all_rows = fresh.iter().all(|table| rows(is, table) >= table.object.rows.as_ref().map(Rows::count));
    let any_row = fresh.iter().any(|table| rows(is, table).is_some_and(|count| count > 0));
    for (database, to_database) in moved.iter().map(|table| (table.database, table.to_database)) {
        let Some(held) = source.databases.get(database) else { continue };
        for object in held.objects.values() {
            let there = find(is, to_database, object.kind, &object.name).is_some();
            let new = there && find(before, to_database, object.kind, &object.name).is_none();
            let (task, kind, name) = (view.id.clone(), kind_word(object.kind), object.name.clone());
            if new && !all_rows && after_the_rows(engine).contains(&object.kind) {
                return Some(MigrationViolation::MadeBeforeRows { task, kind, name });
            }
            let whole = super::content::whole(view, database).is_some();
            if whole && !there && any_row && with_the_structure(engine).contains(&object.kind) {
                return Some(MigrationViolation::MadeAfterRows { task, kind, name });
            }
        }
    }
    None
}

/// Kinds that are made after the rows.
fn after_the_rows(engine: Engine) -> &'static [K] {
    match engine {
        Engine::MySql | Engine::Redis => &[],
        Engine::SqlServer => &[K::Procedure, K::Function, K::Trigger, K::ForeignKey],
        Engine::PostgreSql | Engine::Ppas => &[K::Trigger, K::ForeignKey],
    }
}

/// Kinds besides tables that are made before the rows.
fn with_the_structure(engine: Engine) -> &'static [K] {
    match engine {
        Engine::Redis => &[],
        Engine::MySql => &[K::View, K::Trigger, K::Procedure, K::Function],
        Engine::SqlServer => &[K::View, K::Synonym, K::Type, K::Rule, K::Default, K::PlanGuide],
        Engine::PostgreSql | Engine::Ppas => {
            &[K::View, K::Sequence, K::Function, K::Type, K::Rule, K::Domain, K::Aggregate]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::migration::made_up::{Plot, holds, nothing, orders, with, wrong};
    use crate::checks::testing::photograph;

    const TRIGGER: &str = "create trigger remember after insert on orders begin select 1; end";

    fn with_trigger(held: Photograph) -> Photograph {
        with(held, K::Trigger, "remember", TRIGGER, &[])
    }

    /// A whole database with a trigger, its target photographed while half the rows are there.
    fn midway(product: &str, seen: &Photograph) -> Plot {
        let mut plot = Plot::of(product);
        plot.task.objects[0].table = None;
        plot.ready(&with_trigger(orders()), &nothing()).begin();
        plot.after(&with_trigger(orders()), seen);
        plot.finish();
        plot
    }

    #[test]
    fn a_trigger_before_the_rows_is_found_on_sql_server_and_one_after_them_on_mysql() {
        let half = photograph(&[("orders", &[(1, "lamp")])]);
        let (task, kind, name) = (recovery::model::TaskId::from("dts-1"), "trigger".to_owned(), "remember".to_owned());
        let early = MigrationViolation::MadeBeforeRows { task: task.clone(), kind: kind.clone(), name: name.clone() };
        assert_eq!(wrong(&midway("sqlserver 2012 web", &with_trigger(half.clone())).story, check), vec![early]);
        let late = MigrationViolation::MadeAfterRows { task, kind, name };
        assert_eq!(wrong(&midway("mysql 5.7", &half).story, check), vec![late]);
    }

    #[test]
    fn each_engines_own_order_holds() {
        let half = photograph(&[("orders", &[(1, "lamp")])]);
        holds(&midway("sqlserver 2012 web", &half).story, check, 1);
        holds(&midway("mysql 5.7", &with_trigger(half)).story, check, 1);
    }

    #[test]
    fn phases_out_of_order_unticked_or_left_out_are_found() {
        let mut early = Plot::between(&orders(), &nothing());
        early.begin().phase(M::Full, P::Migrating);
        let task = || recovery::model::TaskId::from("dts-1");
        assert_eq!(
            wrong(&early.story, check),
            vec![MigrationViolation::PhaseTooEarly { task: task(), phase: M::Full, before: M::Structure }]
        );
        let mut unticked = Plot::of("mysql 5.7");
        unticked.types(&[M::Full]).ready(&orders(), &orders()).begin().phase(M::Structure, P::Migrating);
        assert_eq!(
            wrong(&unticked.story, check),
            vec![MigrationViolation::UntickedPhaseRan { task: task(), phase: M::Structure }]
        );
        let mut left_out = Plot::between(&orders(), &nothing());
        left_out.begin().sight(TaskStatus::Finished);
        assert_eq!(
            wrong(&left_out.story, check),
            vec![MigrationViolation::TickedPhaseLeftOut { task: task(), phase: M::Structure }]
        );
    }

    #[test]
    fn a_task_that_never_began_exercises_nothing() {
        holds(&Plot::between(&orders(), &nothing()).story, check, 0);
    }
}
