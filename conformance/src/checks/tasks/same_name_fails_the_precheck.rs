//! An object of the same name in the target stops the precheck, unless the task says to ignore it (DTS-13; C-14).

use super::TaskViolation;
use super::calls::Side;
use super::runs::{Run, runs};
use super::steady::{Touch, steady, table, tables};
use crate::checks::Finding;
use crate::history::lens::Lens;
use recovery::model::precheck::PrecheckItem;
use recovery::model::task::{MigrationType, SameNameMode};
use recovery::model::views::TaskObjects;

const ITEM: PrecheckItem = PrecheckItem::SameNameObject;

/// Compares what each precheck said of same names with the tables on photographs of the target.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    // The key space of Redis is there at all times; what counts there is whether it is empty.
    for run in runs(lens).filter(|run| !lens.is_redis(&run.task.first.target.instance_id)) {
        let Some(choice) = run.choice(lens).filter(|choice| choice.types.contains(&MigrationType::Structure)) else {
            continue;
        };
        let (Some(passed), Some(object)) = (run.says(ITEM), taken(lens, &run, &choice)) else { continue };
        let task = run.task.id.clone();
        match (choice.same_name, passed) {
            // It fails all the same: what the source's account may not read cannot be looked up in the target, and what
            // the target's account may not see is not there for it.
            (SameNameMode::Stop, true)
                if [PrecheckItem::SourcePermission, PrecheckItem::TargetPermission]
                    .iter()
                    .any(|rights| run.says(*rights) == Some(false)) => {}
            (SameNameMode::Stop, true) => finding.judge(&run.seen, Some(TaskViolation::NameTaken { task, object })),
            (SameNameMode::Stop, false) => finding.judge(&run.seen, None::<TaskViolation>),
            (SameNameMode::Ignore, _) if run.faulted(lens) || !run.both_connected() => {}
            (SameNameMode::Ignore, true) => finding.judge(&run.seen, None::<TaskViolation>),
            (SameNameMode::Ignore, false) => finding.judge(&run.seen, Some(TaskViolation::NotIgnored { task, object })),
        }
    }
    finding
}

/// A chosen table of the source whose name in the target was taken all the time.
fn taken(lens: &Lens<'_>, run: &Run<'_, '_>, choice: &TaskObjects) -> Option<String> {
    let [source, target] = Side::BOTH.map(|side| &side.of(run.task.first).instance_id);
    choice.objects.iter().find_map(|selection| {
        let chosen = steady(lens, source, Touch::Definitions, run.span, |photograph| match &selection.table {
            Some(name) => table(photograph, &selection.database, name).map(|_| vec![name.clone()]),
            None => Some(tables(photograph, &selection.database).into_iter().map(str::to_owned).collect()),
        })?;
        let database = selection.target_database();
        let names = chosen.into_iter().map(|own| selection.table_as.clone().unwrap_or(own));
        names.into_iter().find_map(|name| {
            let there = |photograph| Some(tables(photograph, database).contains(&name.as_str()));
            let stood = steady(lens, target, Touch::Definitions, run.span, there)?;
            stood.then(|| format!("{database}.{name}"))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::tasks::made_up::{Tale, holds, wrong};
    use crate::checks::testing::{done, photograph};

    const ORDERS: (&str, &[(i64, &str)]) = ("orders", &[(1, "lamp")]);

    fn tale(mode: SameNameMode, target: &[(&str, &[(i64, &str)])], failing: &[PrecheckItem]) -> Tale {
        let mut tale = Tale::begin();
        let (source, target) = (photograph(&[ORDERS]), photograph(target));
        tale.set(|task| task.same_name = mode).ready();
        tale.photograph(&source, &target).precheck(failing).photograph(&source, &target);
        tale
    }

    #[test]
    fn a_taken_name_that_passes_is_found() {
        let expected = TaskViolation::NameTaken { task: "dts-1".into(), object: "app.orders".into() };
        assert_eq!(wrong(&tale(SameNameMode::Stop, &[ORDERS], &[]), check), vec![expected]);
    }

    #[test]
    fn a_name_that_was_to_be_ignored_and_fails_is_found() {
        let expected = TaskViolation::NotIgnored { task: "dts-1".into(), object: "app.orders".into() };
        assert_eq!(wrong(&tale(SameNameMode::Ignore, &[ORDERS], &[ITEM]), check), vec![expected]);
    }

    #[test]
    fn right_verdicts_hold() {
        holds(&tale(SameNameMode::Stop, &[ORDERS], &[ITEM]), check, 1);
        holds(&tale(SameNameMode::Ignore, &[ORDERS], &[]), check, 1);
    }

    #[test]
    fn a_name_that_the_account_has_no_right_to_see_exercises_nothing() {
        let tale = |rights: PrecheckItem| tale(SameNameMode::Stop, &[ORDERS], &[rights]);
        holds(&tale(PrecheckItem::TargetPermission), check, 0);
        assert_eq!(wrong(&tale(PrecheckItem::SchemaExistence), check).len(), 1);
    }

    #[test]
    fn a_free_name_and_one_freed_meanwhile_exercise_nothing() {
        holds(&tale(SameNameMode::Stop, &[], &[]), check, 0);
        let mut tale = Tale::begin();
        let (source, gone) = (photograph(&[ORDERS]), photograph(&[]));
        tale.ready().photograph(&source, &source).begin_run("precheck");
        tale.story.statement("rm-1", "drop table orders", done());
        tale.end_run(&[]).photograph(&source, &gone);
        holds(&tale, check, 0);
    }
}
