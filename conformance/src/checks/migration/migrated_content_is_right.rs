//! A migration puts one copy of what was chosen into the target, and leaves the rest of it alone (CLN-09; C-14, C-16).

use super::MigrationViolation;
use super::content::{belongs_to, content_difference, moves};
use super::scene::{Scene, follows, settled};
use super::text::words;
use crate::checks::Finding;
use crate::checks::temporary::Difference;
use crate::history::lens::Lens;
use recovery::model::content::ObjectKind;

/// Compares the target of each task that ended by itself, or caught up with a source that was quiet, with the photograph
/// of the source; and what was not chosen with the photograph of the target before.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for scene in lens.tasks().filter_map(|task| settled(lens, task)) {
        let task = scene.task.id.clone();
        let disturbed = |database: &str, table: &str| scene.disturbed(lens, Some((database, table)));
        let wrong = content_difference(&scene, scene.from(), &disturbed);
        let wrong = wrong.map(|difference| MigrationViolation::MigratedContentWrong { task: task.clone(), difference });
        let aside = || {
            unchosen_difference(lens, &scene).map(|difference| MigrationViolation::UnchosenChanged { task, difference })
        };
        finding.judge(&scene.after, wrong.or_else(aside));
    }
    finding
}

/// The first object of the target that was there before, was not chosen, and is not as it was. Triggers of the target may
/// act on rows that arrive.
fn unchosen_difference(lens: &Lens<'_>, scene: &Scene<'_, '_>) -> Option<Difference> {
    let mut moved = moves(scene.view(), scene.from());
    // One that follows its source also drops and renames what the source had at first.
    let begun = lens.shot_before(&scene.task.first.source.instance_id, scene.before.index + 1);
    let at_first = begun.filter(|_| follows(scene.view()));
    moved.extend(at_first.iter().flat_map(|shot| moves(scene.view(), &shot.it.photograph)));
    for (database, held) in &scene.was().databases {
        let into = moved.iter().any(|table| table.to_database == database);
        if into && held.objects.values().any(|object| object.kind == ObjectKind::Trigger) {
            continue;
        }
        for (key, object) in &held.objects {
            let table = belongs_to(object).filter(|_| object.kind != ObjectKind::Table);
            let brought = |name: &str| moved.iter().any(|it| it.to_database == database && it.to_table == name);
            let chosen = brought(&object.name) || (follows(scene.view()) && table.as_deref().is_some_and(brought));
            // What belongs to a table goes and comes with it, and what an object is made of, its definition names.
            let named = if object.kind == ObjectKind::Table { vec![] } else { words(&object.definition) };
            let mut names = named.iter().chain([&object.name]).chain(&table);
            if chosen || names.any(|name| scene.disturbed(lens, Some((database, name)))) {
                continue;
            }
            let found = scene.is().databases.get(database).and_then(|held| held.objects.get(key));
            let what = || format!("{key} of {database}");
            match found {
                None => return Some(Difference::Missing { what: what() }),
                Some(found)
                    if found.rows != object.rows
                        || found.definition != object.definition
                        || found.enabled != object.enabled =>
                {
                    return Some(Difference::Changed { what: what() });
                }
                Some(_) => {}
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::migration::made_up::{Plot, TWO, holds, nothing, orders, with, wrong};
    use crate::checks::testing::{done, photograph};
    use recovery::model::photograph::{Photograph, Rows};
    use recovery::model::task::{MigrationType, PhaseStatus, SameNameMode};
    use std::collections::BTreeMap;

    fn plot(before: &Photograph, after: &Photograph) -> Plot {
        let mut plot = Plot::between(&orders(), before);
        plot.begin().finish().after(&orders(), after);
        plot
    }

    fn content(difference: Difference) -> Vec<MigrationViolation> {
        vec![MigrationViolation::MigratedContentWrong { task: "dts-1".into(), difference }]
    }

    #[test]
    fn a_copy_of_what_was_chosen_holds() {
        holds(&plot(&photograph(&[("other", TWO)]), &photograph(&[("other", TWO), ("orders", TWO)])).story, check, 1);
    }

    #[test]
    fn a_missing_table_and_a_missing_row_are_found() {
        let what = || "table orders of app".to_owned();
        assert_eq!(wrong(&plot(&nothing(), &nothing()).story, check), content(Difference::Missing { what: what() }));
        let less = photograph(&[("orders", &[(1, "lamp")])]);
        assert_eq!(
            wrong(&plot(&nothing(), &less).story, check),
            content(Difference::Rows { what: what(), want: 2, got: 1 })
        );
    }

    #[test]
    fn a_table_nobody_chose_is_found_where_it_comes_and_where_it_changes() {
        let more = photograph(&[("orders", TWO), ("other", TWO)]);
        assert_eq!(
            wrong(&plot(&nothing(), &more).story, check),
            content(Difference::Extra { what: "table other of app".into() })
        );
        let difference = Difference::Changed { what: "table other of app".into() };
        let expected = vec![MigrationViolation::UnchosenChanged { task: "dts-1".into(), difference }];
        assert_eq!(wrong(&plot(&photograph(&[("other", &[(1, "x")])]), &more).story, check), expected);
    }

    #[test]
    fn an_index_that_goes_with_its_table_exercises_nothing_and_another_that_goes_is_found() {
        let text = "create index by_item on other (item)";
        let before = with(photograph(&[("other", TWO)]), ObjectKind::Index, "by_item", text, &[]);
        let told = |sql: &str, after: &Photograph| {
            let mut plot = Plot::between(&orders(), &before);
            plot.begin();
            plot.story.statement("rm-1", sql, done());
            plot.finish().after(&orders(), after);
            wrong(&plot.story, check)
        };
        let moved = photograph(&[("orders", TWO)]);
        assert_eq!(told("drop table other", &moved), vec![]);
        let difference = Difference::Missing { what: "index by_item of app".into() };
        let expected = vec![MigrationViolation::UnchosenChanged { task: "dts-1".into(), difference }];
        assert_eq!(told("drop table some", &photograph(&[("orders", TWO), ("other", TWO)])), expected);
    }

    #[test]
    fn a_foreign_key_that_is_switched_off_is_found() {
        let text = "alter table orders add constraint k foreign key (id) references orders (id)";
        let source = with(orders(), ObjectKind::ForeignKey, "k", text, &[]);
        let mut after = source.clone();
        let key = after.databases.get_mut("app").and_then(|held| held.objects.get_mut("foreign-key k"));
        key.unwrap_or_else(|| panic!("the key is there")).enabled = false;
        let mut plot = Plot::between(&source, &nothing());
        plot.begin().finish().after(&source, &after);
        assert_eq!(
            wrong(&plot.story, check),
            content(Difference::Changed { what: "foreign key k of table orders of app".into() })
        );
    }

    #[test]
    fn with_ignore_a_foreign_key_of_the_target_stays_as_it_was() {
        let text = "alter table orders add constraint k foreign key (id) references items (id)";
        let both = |held| with(held, ObjectKind::ForeignKey, "k", text, &["items"]);
        let source = both(photograph(&[("items", TWO), ("orders", TWO)]));
        let after = |needs: &str| {
            let held = photograph(&[("items", TWO), ("items_again", TWO), ("orders", TWO)]);
            with(held, ObjectKind::ForeignKey, "k", text, &[needs])
        };
        let told = |after: &Photograph| {
            let mut plot = Plot::of("mysql 5.7");
            plot.task.same_name = SameNameMode::Ignore;
            let mut items = plot.task.objects[0].clone();
            (items.table, items.table_as) = (Some("items".into()), Some("items_again".into()));
            plot.task.objects.push(items);
            plot.ready(&source, &source).begin().finish().after(&source, after);
            plot.story
        };
        holds(&told(&after("items")), check, 1);
        let what = "foreign key k of table orders of app".to_owned();
        assert_eq!(wrong(&told(&after("items_again")), check), content(Difference::Changed { what }));
    }

    #[test]
    fn renamed_tables_and_columns_hold_under_their_new_names() {
        let mut after = photograph(&[("recovered", TWO)]);
        if let Some(object) = after.databases.get_mut("app").and_then(|held| held.objects.get_mut("table recovered"))
            && let Some(Rows::Whole { columns, .. }) = &mut object.rows
        {
            columns[1] = "thing".into();
        }
        let mut plot = Plot::of("mysql 5.7");
        plot.task.objects[0].table_as = Some("recovered".into());
        plot.task.objects[0].columns_as = BTreeMap::from([("item".into(), "thing".into())]);
        plot.ready(&orders(), &nothing()).begin().finish().after(&orders(), &after);
        holds(&plot.story, check, 1);
    }

    #[test]
    fn with_ignore_a_row_of_the_target_stays_and_the_others_come() {
        let mine = photograph(&[("orders", &[(1, "mine")])]);
        let mut held = Plot::of("mysql 5.7");
        held.task.same_name = SameNameMode::Ignore;
        held.ready(&orders(), &mine)
            .begin()
            .finish()
            .after(&orders(), &photograph(&[("orders", &[(1, "mine"), (2, "desk")])]));
        holds(&held.story, check, 1);
        let mut lost = Plot::of("mysql 5.7");
        lost.task.same_name = SameNameMode::Ignore;
        lost.ready(&orders(), &mine).begin().finish().after(&orders(), &orders());
        let difference = Difference::Rows { what: "table orders of app".into(), want: 2, got: 2 };
        assert_eq!(wrong(&lost.story, check), content(difference));
    }

    /// `orders` without a key.
    fn keyless(rows: &[(i64, &str)]) -> Photograph {
        let mut held = photograph(&[("orders", rows)]);
        if let Some(object) = held.databases.get_mut("app").and_then(|held| held.objects.get_mut("table orders"))
            && let Some(Rows::Whole { key, .. }) = &mut object.rows
        {
            key.clear();
        }
        held
    }

    #[test]
    fn a_table_without_a_key_keeps_its_rows_and_gets_all_of_the_sources() {
        let (mine, both) = ([(1, "lamp"), (3, "mine")], [(1, "lamp"), (1, "lamp"), (2, "desk"), (3, "mine")]);
        let merged = |after: &[(i64, &str)]| {
            let mut plot = Plot::of("mysql 5.7");
            plot.task.same_name = SameNameMode::Ignore;
            plot.ready(&keyless(TWO), &keyless(&mine)).begin().finish().after(&keyless(TWO), &keyless(after));
            plot
        };
        holds(&merged(&both).story, check, 1);
        let differ = |got| content(Difference::Rows { what: "table orders of app".into(), want: 4, got });
        assert_eq!(wrong(&merged(&both[1..]).story, check), differ(3));
        assert_eq!(wrong(&merged(&[both[0], both[1], both[2], (2, "desk")]).story, check), differ(4));
        assert_eq!(wrong(&merged(&[both[0], both[1], both[2], both[3], (9, "none's")]).story, check), differ(5));
    }

    #[test]
    fn structure_alone_brings_no_rows() {
        let mut plot = Plot::of("mysql 5.7");
        plot.types(&[MigrationType::Structure]).ready(&orders(), &nothing()).begin().finish();
        plot.after(&orders(), &photograph(&[("orders", &[])]));
        holds(&plot.story, check, 1);
    }

    #[test]
    fn a_source_somebody_writes_to_and_a_stopped_task_exercise_nothing() {
        let mut busy = Plot::between(&orders(), &nothing());
        busy.begin();
        busy.story.statement("rm-2", "insert into orders values (3, 'x')", done());
        busy.finish().after(&orders(), &nothing());
        holds(&busy.story, check, 0);
        let mut stopped = Plot::between(&orders(), &nothing());
        stopped.begin().ask("stop").finish().after(&orders(), &nothing());
        holds(&stopped.story, check, 0);
    }

    #[test]
    fn a_task_that_follows_is_compared_once_its_source_was_quiet() {
        let all = [MigrationType::Structure, MigrationType::Full, MigrationType::Incremental];
        let mut plot = Plot::of("mysql 5.7");
        plot.types(&all).ready(&orders(), &nothing()).begin();
        plot.phase(MigrationType::Incremental, PhaseStatus::Catched);
        let more = photograph(&[("orders", &[(1, "lamp"), (2, "desk"), (3, "chair")])]);
        plot.story.statement("rm-2", "insert into orders values (3, 'chair')", done());
        plot.after(&more, &orders());
        plot.story.wait("1m");
        plot.sight(recovery::model::task::TaskStatus::Migrating).after(&more, &orders());
        assert_eq!(
            wrong(&plot.story, check),
            content(Difference::Rows { what: "table orders of app".into(), want: 3, got: 2 })
        );
    }

    #[test]
    fn a_source_that_another_task_wrote_to_was_not_quiet() {
        let all = [MigrationType::Structure, MigrationType::Full, MigrationType::Incremental];
        let told = |into: &str| {
            let mut plot = Plot::of("mysql 5.7");
            plot.types(&all).ready(&orders(), &nothing()).begin();
            plot.phase(MigrationType::Incremental, PhaseStatus::Catched);
            plot.after(&orders(), &orders()).story.wait("1m");
            let mut other = plot.task.clone();
            (other.id, other.target.instance_id) = ("dts-2".into(), into.into());
            plot.story.see_task(&other);
            let more = photograph(&[("orders", &[(1, "lamp"), (2, "desk"), (3, "chair")])]);
            plot.sight(recovery::model::task::TaskStatus::Migrating).after(&more, &orders());
            plot.story
        };
        let want = |story| wrong(&story, check).iter().filter(|it| format!("{it:?}").contains("want: 3")).count();
        assert_eq!((want(told("rm-2")), want(told("rm-9"))), (0, 1));
    }

    #[test]
    fn what_another_task_brings_that_was_on_its_way_and_is_not_seen_again_is_nobodys_mistake() {
        let told = |status: recovery::model::task::TaskStatus| {
            let mut plot = Plot::of("mysql 5.7");
            let mut other = plot.task.clone();
            (other.id, other.status) = ("dts-2".into(), status);
            plot.story.see_task(&other);
            let both = photograph(&[("orders", TWO), ("others", TWO)]);
            plot.ready(&orders(), &nothing()).begin().finish().after(&orders(), &both);
            wrong(&plot.story, check).len()
        };
        use recovery::model::task::TaskStatus as S;
        assert_eq!((told(S::Prechecking), told(S::Migrating), told(S::PrecheckFailed)), (0, 0, 1));
    }
}
