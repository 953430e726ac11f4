//! A table is chosen together with the tables its foreign keys point to (DTS-14).

use super::TaskViolation;
use super::calls::Side;
use super::runs::runs;
use super::steady::{Touch, steady, touched};
use crate::checks::Finding;
use crate::history::lens::Lens;
use recovery::model::content::ObjectKind;
use recovery::model::photograph::Photograph;
use recovery::model::precheck::PrecheckItem;
use recovery::model::task::MigrationType;
use recovery::model::views::TaskObjects;

const ITEM: PrecheckItem = PrecheckItem::ConstraintIntegrity;

/// Foreign keys of chosen tables: those without their parent, and those with it.
#[derive(PartialEq)]
struct Keys {
    alone: Vec<(String, String)>,
    together: Vec<String>,
}

/// Compares what each precheck said of foreign keys with those on photographs of the source.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for run in runs(lens) {
        let (Some(choice), Some(passed)) = (run.choice(lens), run.says(ITEM)) else { continue };
        if !choice.types.contains(&MigrationType::Structure) && !choice.types.contains(&MigrationType::Full) {
            continue;
        }
        let source = &Side::Source.of(run.task.first).instance_id;
        let Some(keys) = steady(lens, source, Touch::Definitions, run.span, |photograph| keys(photograph, &choice))
        else {
            continue;
        };
        let task = run.task.id.clone();
        match (keys.alone.into_iter().next(), keys.together.into_iter().next(), passed) {
            // Nobody finds the keys of a table that the account may not see, or may not see any more.
            (Some(_), _, true)
                if run.says(PrecheckItem::SourcePermission) == Some(false)
                    || touched(lens, source, Touch::Accounts, run.span.0, run.span.1) => {}
            (Some((child, parent)), _, true) => {
                finding.judge(&run.seen, Some(TaskViolation::ChildAlone { task, child, parent }));
            }
            (Some(_), _, false) => finding.judge(&run.seen, None::<TaskViolation>),
            (None, Some(_), _) if run.faulted(lens) || !run.both_connected() => {}
            (None, Some(_), true) => finding.judge(&run.seen, None::<TaskViolation>),
            (None, Some(child), false) => finding.judge(&run.seen, Some(TaskViolation::ParentsChosen { task, child })),
            (None, None, _) => {}
        }
    }
    finding
}

/// The enforced foreign keys of chosen tables; none where a photograph does not say whose a key is.
fn keys(source: &Photograph, choice: &TaskObjects) -> Option<Keys> {
    let chosen = |database: &str, name: &str| {
        let of = choice.objects.iter().filter(|selection| selection.database == database);
        of.into_iter().any(|selection| selection.table.as_ref().is_none_or(|table| table.eq_ignore_ascii_case(name)))
    };
    let mut found = Keys { alone: vec![], together: vec![] };
    for (database, content) in &source.databases {
        for key in content.objects.values().filter(|object| object.kind == ObjectKind::ForeignKey && object.enabled) {
            let child = child(&key.definition)?;
            if !chosen(database, &child) {
                continue;
            }
            let child = format!("{database}.{child}");
            let missing =
                key.needs.iter().find(|parent| child != format!("{database}.{parent}") && !chosen(database, parent));
            match missing {
                Some(parent) => found.alone.push((child, format!("{database}.{parent}"))),
                None => found.together.push(child),
            }
        }
    }
    Some(found)
}

/// The table of a foreign key, out of `alter table … add …`.
fn child(definition: &str) -> Option<String> {
    let mut words = definition.split_whitespace();
    let after = words.find(|word| word.eq_ignore_ascii_case("table"));
    let named = after.and_then(|_| words.find(|word| !word.eq_ignore_ascii_case("only")))?;
    let name = named.rsplit('.').next()?;
    Some(name.trim_matches(|letter| matches!(letter, '"' | '`' | '[' | ']')).to_owned()).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::tasks::made_up::{Tale, holds, wrong};
    use crate::checks::testing::photograph;
    use recovery::model::photograph::PhotographedObject;
    use recovery::model::task::Selection;

    fn with_key() -> Photograph {
        let mut shot = photograph(&[("customers", &[]), ("orders", &[])]);
        let key = PhotographedObject {
            kind: ObjectKind::ForeignKey,
            name: "orders_customer".into(),
            definition:
                "alter table [orders] add constraint orders_customer foreign key (id) references customers (id)".into(),
            definer: None,
            security: None,
            enabled: true,
            needs: vec!["customers".into()],
            rows: None,
        };
        for database in shot.databases.values_mut() {
            database.objects.insert("foreign-key orders_customer".into(), key.clone());
        }
        shot
    }

    fn tale(tables: &[&str], failing: &[PrecheckItem]) -> Tale {
        let mut tale = Tale::begin();
        let (source, target) = (with_key(), photograph(&[]));
        tale.set(|task| {
            let any = task.objects[0].clone();
            let of = |name: &&str| Selection { table: Some((*name).to_owned()), ..any.clone() };
            task.objects = tables.iter().map(of).collect();
        });
        tale.ready().photograph(&source, &target).precheck(failing).photograph(&source, &target);
        tale
    }

    #[test]
    fn a_child_alone_that_passes_is_found() {
        let (child, parent) = ("app.orders".into(), "app.customers".into());
        assert_eq!(
            wrong(&tale(&["orders"], &[]), check),
            vec![TaskViolation::ChildAlone { task: "dts-1".into(), child, parent }]
        );
    }

    #[test]
    fn a_child_with_its_parent_that_fails_is_found() {
        let expected = TaskViolation::ParentsChosen { task: "dts-1".into(), child: "app.orders".into() };
        assert_eq!(wrong(&tale(&["orders", "customers"], &[ITEM]), check), vec![expected]);
    }

    #[test]
    fn keys_of_tables_that_the_account_may_not_see_are_not_asked_for() {
        holds(&tale(&["orders"], &[PrecheckItem::SourcePermission]), check, 0);
    }

    #[test]
    fn right_verdicts_hold() {
        holds(&tale(&["orders"], &[ITEM]), check, 1);
        holds(&tale(&["orders", "customers"], &[]), check, 1);
    }

    #[test]
    fn a_parent_alone_exercises_nothing() {
        holds(&tale(&["customers"], &[]), check, 0);
    }
}
