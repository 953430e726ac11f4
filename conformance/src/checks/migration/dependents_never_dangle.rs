//! What depends on a renamed object is never left pointing at a name that is not there (DTS-06).

use super::MigrationViolation;
use super::content::{belongs_to, find, kind_word};
use super::scene::{Scene, scene};
use super::text::{name_after, relations};
use crate::checks::Finding;
use crate::history::lens::Lens;
use recovery::model::content::ObjectKind;
use recovery::model::photograph::{PhotographedDatabase, PhotographedObject};
use recovery::model::task::Selection;

/// Looks at every object that came with a task that ended well and gave something another name.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for scene in lens.tasks().filter_map(|task| scene(lens, task)) {
        if !scene.structure() || !scene.view().objects.iter().any(renames) || scene.disturbed(lens, None) {
            continue;
        }
        finding.judge(&scene.after, dangling(&scene));
    }
    finding
}

fn renames(selection: &Selection) -> bool {
    let other = |name: &Option<String>, own: &str| name.as_ref().is_some_and(|name| name != own);
    other(&selection.database_as, &selection.database)
        || selection.table.as_ref().is_some_and(|table| other(&selection.table_as, table))
        || selection.columns_as.iter().any(|(from, to)| from != to)
}

fn dangling(scene: &Scene<'_, '_>) -> Option<MigrationViolation> {
    for (database, held) in &scene.is().databases {
        for object in
            held.objects.values().filter(|object| find(scene.was(), database, object.kind, &object.name).is_none())
        {
            if let Some(needs) = lacks(scene, held, object) {
                let object = format!("{} {} of {database}", kind_word(object.kind), object.name);
                return Some(MigrationViolation::Dangling { task: scene.task.id.clone(), object, needs });
            }
        }
    }
    None
}

/// A name an object needs and its database does not have. A view or routine is asked only for names that the source has:
/// others may mean something else.
fn lacks(scene: &Scene<'_, '_>, held: &PhotographedDatabase, object: &PhotographedObject) -> Option<String> {
    let there = |name: &str| {
        held.objects.values().any(|other| can_be_needed(other.kind) && other.name.eq_ignore_ascii_case(name))
    };
    let in_source = |name: &str| {
        scene.from().databases.values().any(|held| {
            held.objects.values().any(|other| can_be_needed(other.kind) && other.name.eq_ignore_ascii_case(name))
        })
    };
    let mut names = object.needs.clone();
    match object.kind {
        ObjectKind::Table => return None,
        ObjectKind::ForeignKey => {
            names.extend(name_after(&object.definition, "references").into_iter().chain(belongs_to(object)))
        }
        ObjectKind::Index => names.extend(belongs_to(object)),
        ObjectKind::Trigger => names
            .extend(belongs_to(object).into_iter().chain(relations(&object.definition)).filter(|name| in_source(name))),
        _ => names.extend(relations(&object.definition).into_iter().filter(|name| in_source(name))),
    }
    names.into_iter().find(|name| !there(name))
}

fn can_be_needed(kind: ObjectKind) -> bool {
    !matches!(kind, ObjectKind::Index | ObjectKind::Trigger | ObjectKind::ForeignKey | ObjectKind::Event)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::migration::made_up::{Plot, TWO, holds, nothing, orders, with, wrong};
    use crate::checks::testing::photograph;
    use recovery::model::photograph::Photograph;

    fn renamed(table: Option<&str>, source: &Photograph, after: &Photograph) -> Plot {
        let mut plot = Plot::of("sqlserver 2012 web");
        plot.task.objects[0].table = table.map(str::to_owned);
        plot.task.objects[0].table_as = table.map(|_| "recovered".to_owned());
        plot.task.objects[0].database_as = table.is_none().then(|| "app".to_owned());
        plot.ready(source, &nothing()).begin().finish().after(source, after);
        plot
    }

    fn key(held: Photograph, table: &str, parent: &str) -> Photograph {
        let text = format!("alter table {table} add constraint k foreign key (id) references {parent} (id)");
        with(held, ObjectKind::ForeignKey, "k", &text, &[parent])
    }

    #[test]
    fn a_foreign_key_to_the_old_name_is_found_and_one_to_the_new_name_holds() {
        let source = key(photograph(&[("orders", TWO), ("customers", TWO)]), "orders", "customers");
        let target = || photograph(&[("recovered", TWO), ("customers_recovered", TWO)]);
        let plot = renamed(Some("orders"), &source, &key(target(), "recovered", "customers"));
        let expected = MigrationViolation::Dangling {
            task: "dts-1".into(),
            object: "foreign-key k of app".into(),
            needs: "customers".into(),
        };
        assert_eq!(wrong(&plot.story, check), vec![expected]);
        holds(&renamed(Some("orders"), &source, &key(target(), "recovered", "customers_recovered")).story, check, 1);
    }

    #[test]
    fn a_view_of_a_name_that_is_not_there_is_found() {
        let view =
            |held: Photograph| with(held, ObjectKind::View, "lamps", "create view lamps as select * from orders", &[]);
        let plot = renamed(Some("orders"), &view(orders()), &view(photograph(&[("recovered", TWO)])));
        let expected = MigrationViolation::Dangling {
            task: "dts-1".into(),
            object: "view lamps of app".into(),
            needs: "orders".into(),
        };
        assert_eq!(wrong(&plot.story, check), vec![expected]);
    }

    #[test]
    fn without_another_name_nothing_is_exercised() {
        holds(&renamed(None, &orders(), &orders()).story, check, 0);
    }
}
