//! A database that the target lacks is made there, if its name and character set are legal and the rights suffice (DTS-15).

use super::TaskViolation;
use super::calls::Side;
use super::rights::{Enough, to_write};
use super::runs::{Run, runs};
use super::steady::{Touch, account, shot_by, steady, table, touched};
use crate::checks::Finding;
use crate::history::lens::Lens;
use recovery::model::Engine;
use recovery::model::photograph::Photograph;
use recovery::model::precheck::PrecheckItem;
use recovery::model::task::{MigrationType, Selection, TaskStatus};
use recovery::model::views::TaskObjects;

const ITEM: PrecheckItem = PrecheckItem::SchemaExistence;
/// Character sets a database is made with (DTS-15).
const CHARSETS: [&str; 4] = ["utf8", "gbk", "latin1", "utf8mb4"];

/// Whether a missing database is to be made.
#[derive(PartialEq)]
enum Makeable {
    /// It has to be.
    Yes,
    /// It must not be.
    No,
    /// It may be, or the precheck may say that it has to be made by hand (PostgreSQL and PPAS).
    Maybe,
}

/// Compares what each precheck said of databases that the target lacked with what the documents say of them.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    // The databases of Redis are there at all times.
    for run in runs(lens).filter(|run| !lens.is_redis(&run.task.first.target.instance_id)) {
        let (Some(choice), Some(passed)) = (run.choice(lens), run.says(ITEM)) else { continue };
        if !choice.types.contains(&MigrationType::Structure) {
            continue;
        }
        let Some((database, makeable)) = missing(lens, &run, &choice) else { continue };
        let task = run.task.id.clone();
        match (makeable, passed) {
            (Makeable::No, true) => finding.judge(&run.seen, Some(TaskViolation::DatabaseMade { task, database })),
            (Makeable::No, false) => {
                let made = stands_after(lens, &run, &database) == Some(true);
                finding.judge(&run.seen, made.then_some(TaskViolation::DatabaseMade { task, database }));
            }
            (Makeable::Yes, false) if run.faulted(lens) || !run.both_connected() => {}
            (Makeable::Yes, false) => finding.judge(&run.seen, Some(TaskViolation::DatabaseNotMade { task, database })),
            (Makeable::Maybe, false) => finding.judge(&run.seen, None::<TaskViolation>),
            (Makeable::Yes | Makeable::Maybe, true) => {
                if let Some(made) = made_by_the_end(lens, &run, &database) {
                    finding.judge(&run.seen, (!made).then_some(TaskViolation::DatabaseMissing { task, database }));
                }
            }
        }
    }
    finding
}

/// A database that the target lacked when a run began, if it is the one thing that the item may have found.
fn missing<'a>(lens: &Lens<'a>, run: &Run<'_, 'a>, choice: &TaskObjects) -> Option<(String, Makeable)> {
    let [source, target] = Side::BOTH.map(|side| &side.of(run.task.first).instance_id);
    let before = &shot_by(lens, target, run.span.0)
        .filter(|seen| !touched(lens, target, Touch::Definitions, seen.at, run.span.1))?;
    let standing = &before.it.photograph.databases;
    let lacking: Vec<&Selection> =
        choice.objects.iter().filter(|selection| !standing.contains_key(selection.target_database())).collect();
    let first = lacking.first()?;
    let complete = |photograph: &Photograph| choice.objects.iter().all(|selection| is_there(photograph, selection));
    let charset = steady(lens, source, Touch::Definitions, run.span, |photograph| {
        let charset = photograph.databases.get(&first.database).map(|database| database.charset.clone());
        charset.filter(|_| complete(photograph))
    })?;
    let name = first.target_database();
    let legal = is_legal(name) && CHARSETS.contains(&charset.as_str());
    let story = lens.instance(target)?;
    // No rights suffice for an instance that follows a master.
    if story.first.origin.follows_a_master() {
        return None;
    }
    let makeable = match story.first.product.engine {
        _ if !legal => Makeable::No,
        Engine::MySql | Engine::SqlServer => Makeable::Yes,
        Engine::PostgreSql | Engine::Ppas | Engine::Redis => Makeable::Maybe,
    };
    let alone = lacking.iter().all(|other| other.target_database() == name);
    let sure = alone && (makeable != Makeable::Yes || may_write(lens, run, choice));
    sure.then(|| (name.to_owned(), makeable))
}

fn is_legal(name: &str) -> bool {
    !name.is_empty()
        && name
            .chars()
            .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || matches!(letter, '_' | '-'))
}

/// Whether everything a selection names is in the source.
fn is_there(source: &Photograph, selection: &Selection) -> bool {
    let Some(name) = &selection.table else { return source.databases.contains_key(&selection.database) };
    table(source, &selection.database, name).is_some() && selection.columns.is_none() && selection.columns_as.is_empty()
}

fn may_write<'a>(lens: &Lens<'a>, run: &Run<'_, 'a>, choice: &TaskObjects) -> bool {
    let Some(given) = run.given(lens, Side::Target) else { return false };
    let known =
        steady(lens, &given.instance, Touch::Accounts, run.span, |photograph| account(photograph, given.account));
    let Some((_, grants)) = known.flatten() else { return false };
    let source = shot_by(lens, &Side::Source.of(run.task.first).instance_id, run.span.0);
    source.is_some_and(|source| to_write(&source.it.photograph, choice, grants) == Enough::Has)
}

/// Whether a database stood in the target when a run had ended, if no user can have made it.
fn stands_after<'a>(lens: &Lens<'a>, run: &Run<'_, 'a>, database: &str) -> Option<bool> {
    let target = &Side::Target.of(run.task.first).instance_id;
    let after = lens.shot_after(target, run.seen.index)?;
    (!touched(lens, target, Touch::Definitions, run.span.0, after.at))
        .then(|| after.it.photograph.databases.contains_key(database))
}

/// Whether a database stood in the target once the precheck had passed, or at the latest when the task had ended well.
fn made_by_the_end<'a>(lens: &Lens<'a>, run: &Run<'_, 'a>, database: &str) -> Option<bool> {
    if stands_after(lens, run, database) == Some(true) {
        return Some(true);
    }
    let target = &Side::Target.of(run.task.first).instance_id;
    let end = run.task.first_in(TaskStatus::Finished)?;
    let after = lens.shot_after(target, end.index)?;
    let stopped = lens.calls_of_task(run.task.id).any(|(_, step)| step == "stop");
    let sure = !stopped && !touched(lens, target, Touch::Definitions, run.span.0, after.at);
    sure.then(|| after.it.photograph.databases.contains_key(database))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::tasks::made_up::{Tale, holds, wrong};
    use crate::checks::testing::{master, photograph, start, temporary};
    use recovery::model::instance::Origin;
    use recovery::model::views::InstanceView;

    const ORDERS: (&str, &[(i64, &str)]) = ("orders", &[(1, "lamp")]);

    fn with_database(name: &str) -> Photograph {
        let mut shot = photograph(&[ORDERS]);
        let copy = shot.databases["app"].clone();
        shot.databases.insert(name.to_owned(), copy);
        shot
    }

    /// A precheck of `app` as another database of an engine, and a photograph of the target after it.
    fn tale(engine: &str, name: &str, failing: &[PrecheckItem], after: &Photograph) -> Tale {
        let shop = master("rm-1", engine);
        tale_into(&shop, &shop, name, failing, after)
    }

    fn tale_into(
        shop: &InstanceView,
        target: &InstanceView,
        name: &str,
        failing: &[PrecheckItem],
        after: &Photograph,
    ) -> Tale {
        let mut tale = Tale::between(&temporary("sub1", shop, start()), target);
        let shot = photograph(&[ORDERS]);
        tale.set(|task| (task.objects[0].table, task.objects[0].database_as) = (None, Some(name.to_owned()))).ready();
        tale.photograph(&shot, &shot).precheck(failing).photograph(&shot, after);
        tale
    }

    #[test]
    fn a_database_that_could_be_made_and_is_not_is_found() {
        let tale = tale("sqlserver 2012 web", "copy", &[ITEM], &photograph(&[ORDERS]));
        let expected = TaskViolation::DatabaseNotMade { task: "dts-1".into(), database: "copy".into() };
        assert_eq!(wrong(&tale, check), vec![expected]);
    }

    #[test]
    fn a_database_of_an_illegal_name_that_passes_or_is_made_is_found() {
        let expected = vec![TaskViolation::DatabaseMade { task: "dts-1".into(), database: "App Copy".into() }];
        let after = with_database("App Copy");
        assert_eq!(wrong(&tale("sqlserver 2012 web", "App Copy", &[], &photograph(&[ORDERS])), check), expected);
        assert_eq!(wrong(&tale("sqlserver 2012 web", "App Copy", &[ITEM], &after), check), expected);
    }

    #[test]
    fn a_database_that_passes_and_is_never_made_is_found() {
        let shot = photograph(&[ORDERS]);
        let mut tale = tale("postgresql 9.4", "copy", &[], &shot);
        tale.confirm().finish().photograph(&shot, &shot);
        let found = wrong(&tale, check);
        let expected = TaskViolation::DatabaseMissing { task: "dts-1".into(), database: "copy".into() };
        assert_eq!(found.first(), Some(&expected));
    }

    #[test]
    fn right_verdicts_hold() {
        let nothing = photograph(&[ORDERS]);
        holds(&tale("sqlserver 2012 web", "copy", &[], &with_database("copy")), check, 1);
        holds(&tale("sqlserver 2012 web", "App Copy", &[ITEM], &nothing), check, 1);
        holds(&tale("postgresql 9.4", "copy", &[ITEM], &nothing), check, 1);
    }

    #[test]
    fn nothing_has_to_be_made_in_an_instance_that_follows_a_master() {
        let shop = master("rm-1", "sqlserver 2012 web");
        let origin = Origin::ReadOnly { master: "rm-1".into() };
        let reader = InstanceView { origin, ..master("rm-2", "sqlserver 2012 web") };
        holds(&tale_into(&shop, &reader, "copy", &[ITEM], &photograph(&[ORDERS])), check, 0);
    }

    #[test]
    fn a_database_that_is_there_exercises_nothing() {
        let mut tale = Tale::begin();
        let shot = photograph(&[ORDERS]);
        tale.ready().photograph(&shot, &shot).precheck(&[ITEM]).photograph(&shot, &shot);
        holds(&tale, check, 0);
    }
}
