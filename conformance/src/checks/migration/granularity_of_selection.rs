//! A whole database brings its views, triggers and routines; tables and columns bring none, and no other columns (DTS-07).

use super::MigrationViolation;
use super::content::{find, kind_word, kinds, moves, whole};
use super::scene::{Scene, follows, scene, written};
use crate::checks::Finding;
use crate::history::lens::Lens;
use recovery::model::content::ObjectKind;
use recovery::model::photograph::Rows;

/// Looks at what each task that ended by itself brought besides tables, where its source has such things or columns were
/// chosen.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for scene in lens.tasks().filter_map(|task| scene(lens, task)) {
        let source = &scene.task.first.source.instance_id;
        let still = !written(lens, source, None, &scene.source, scene.done.at) && !scene.disturbed(lens, None);
        if follows(scene.view()) || !still || !comes_up(&scene) {
            continue;
        }
        finding.judge(&scene.after, kinds_wrong(&scene).or_else(|| columns_wrong(&scene)));
    }
    finding
}

fn is_beside(kind: ObjectKind) -> bool {
    !matches!(kind, ObjectKind::Table | ObjectKind::Index | ObjectKind::ForeignKey)
}

/// Whether there is something whose moving or staying behind the choice decides.
fn comes_up(scene: &Scene<'_, '_>) -> bool {
    let chosen = |database: &String| scene.view().objects.iter().any(|selection| selection.database == *database);
    let beside = scene
        .from()
        .databases
        .iter()
        .filter(|(name, _)| chosen(name))
        .any(|(_, held)| held.objects.values().any(|object| is_beside(object.kind)));
    beside || scene.view().objects.iter().any(|selection| selection.columns.is_some())
}

fn kinds_wrong(scene: &Scene<'_, '_>) -> Option<MigrationViolation> {
    let (task, view) = (&scene.task.id, scene.view());
    for selection in view.objects.iter().filter(|selection| scene.structure() && selection.table.is_none()) {
        let to_database = selection.database_as.as_deref().unwrap_or(&selection.database);
        let held = scene.from().databases.get(&selection.database)?;
        let wanted = held.objects.values().filter(|object| kinds(scene.engine).contains(&object.kind));
        for object in wanted {
            if find(scene.is(), to_database, object.kind, &object.name).is_none() {
                let (kind, name) = (kind_word(object.kind), object.name.clone());
                return Some(MigrationViolation::ChosenKindMissing { task: (*task).clone(), kind, name });
            }
        }
    }
    for (database, held) in &scene.is().databases {
        let into_whole = view.objects.iter().any(|selection| {
            selection.table.is_none() && selection.database_as.as_deref().unwrap_or(&selection.database) == database
        });
        let arrived = held.objects.values().filter(|object| is_beside(object.kind));
        let new = arrived.filter(|object| find(scene.was(), database, object.kind, &object.name).is_none());
        // Events come with no choice at all.
        let unchosen = new.filter(|object| !scene.structure() || !into_whole || object.kind == ObjectKind::Event);
        if let Some(object) = unchosen.into_iter().next() {
            let (kind, name) = (kind_word(object.kind), object.name.clone());
            return Some(MigrationViolation::UnchosenKindMoved { task: (*task).clone(), kind, name });
        }
    }
    None
}

fn columns_wrong(scene: &Scene<'_, '_>) -> Option<MigrationViolation> {
    let moved = moves(scene.view(), scene.from());
    let made =
        moved.iter().filter(|table| find(scene.was(), table.to_database, ObjectKind::Table, table.to_table).is_none());
    made.filter(|table| table.selection.is_some() || whole(scene.view(), table.database).is_some()).find_map(|table| {
        let after = find(scene.is(), table.to_database, ObjectKind::Table, table.to_table)?;
        let (Some(Rows::Whole { columns, .. }), Some(Rows::Whole { columns: got, .. })) =
            (&table.object.rows, &after.rows)
        else {
            return None;
        };
        let wanted: Vec<&str> = columns.iter().filter_map(|column| table.column(column)).collect();
        let column = got.iter().find(|column| !wanted.contains(&column.as_str()))?.clone();
        Some(MigrationViolation::UnchosenColumnMoved { task: scene.task.id.clone(), table: table.words(), column })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::migration::made_up::{Plot, holds, nothing, orders, with, wrong};
    use recovery::model::photograph::Photograph;

    fn with_view(held: Photograph) -> Photograph {
        with(held, ObjectKind::View, "lamps", "create view lamps as select * from orders", &["orders"])
    }

    fn plot(table: Option<&str>, after: &Photograph) -> Plot {
        let mut plot = Plot::of("mysql 5.7");
        plot.task.objects[0].table = table.map(str::to_owned);
        plot.ready(&with_view(orders()), &nothing()).begin().finish().after(&with_view(orders()), after);
        plot
    }

    #[test]
    fn a_view_that_comes_with_a_table_is_found() {
        let expected =
            MigrationViolation::UnchosenKindMoved { task: "dts-1".into(), kind: "view".into(), name: "lamps".into() };
        assert_eq!(wrong(&plot(Some("orders"), &with_view(orders())).story, check), vec![expected]);
    }

    #[test]
    fn a_view_that_stays_behind_though_the_database_was_chosen_is_found() {
        let expected =
            MigrationViolation::ChosenKindMissing { task: "dts-1".into(), kind: "view".into(), name: "lamps".into() };
        assert_eq!(wrong(&plot(None, &orders()).story, check), vec![expected]);
    }

    #[test]
    fn a_column_that_was_left_out_and_comes_is_found() {
        let mut plot = Plot::of("mysql 5.7");
        plot.task.objects[0].columns = Some(vec!["id".into()]);
        plot.ready(&orders(), &nothing()).begin().finish().after(&orders(), &orders());
        let (table, column) = ("table orders of app".into(), "item".into());
        assert_eq!(
            wrong(&plot.story, check),
            vec![MigrationViolation::UnchosenColumnMoved { task: "dts-1".into(), table, column }]
        );
    }

    #[test]
    fn what_was_chosen_holds_and_tables_alone_exercise_nothing() {
        holds(&plot(Some("orders"), &orders()).story, check, 1);
        holds(&plot(None, &with_view(orders())).story, check, 1);
        let mut plain = Plot::between(&orders(), &nothing());
        plain.begin().finish().after(&orders(), &orders());
        holds(&plain.story, check, 0);
    }
}
