//! What is to be migrated back from the recovered copy: the damaged tables with what hangs on them, or, where the damage
//! goes beyond tables, whole databases.

use super::compare::{Change, How};
use recovery::model::content::{Object, ObjectKind};
use recovery::model::photograph::PhotographedDatabase;
use serde::Serialize;
use std::collections::BTreeSet;

/// How a database is put back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "way", rename_all = "kebab-case")]
pub enum Way {
    /// Tables with structure and rows, after what is left of the damaged ones was dropped; then what else is missing of the
    /// structure.
    Tables {
        /// Tables to migrate: the damaged ones and the parents their foreign keys need.
        tables: Vec<String>,
        /// Damaged tables that are still there.
        dropped: Vec<String>,
        /// Whether something else than tables is missing then.
        rest: bool,
    },
    /// All of it, after what is left was moved out of the way.
    Whole,
}

/// How a database is put back, from what it was and is; nothing where nothing changed.
pub fn way(
    before: &PhotographedDatabase,
    now: Option<&PhotographedDatabase>,
    copy: &[Object],
    changes: &[Change],
) -> Option<Way> {
    if changes.is_empty() {
        return None;
    }
    let Some(now) = now else { return Some(Way::Whole) };
    let is_table = |change: &&Change| change.kind == Some(ObjectKind::Table);
    let name = |change: &Change| change.object.split_once(' ').map(|(_, name)| name.to_owned()).unwrap_or_default();
    let damaged: BTreeSet<String> = changes.iter().filter(is_table).map(name).collect();
    let beyond = changes.iter().any(|change| match change.how {
        How::New => true,
        How::Missing => false,
        How::Defined | How::Rows { .. } => change.kind != Some(ObjectKind::Table),
    });
    if beyond || needs_what_is_gone(before, now, &damaged) {
        return Some(Way::Whole);
    }
    let tables = with_parents(copy, &damaged);
    let doubled = |table: &&String| {
        // A table that stays and has no key would take its rows a second time.
        !damaged.contains(*table)
            && copy.iter().any(|object| is(object, table) && object.key.is_empty() && object.rows > 0)
    };
    if tables.iter().any(|table| doubled(&table)) {
        return Some(Way::Whole);
    }
    let dropped: Vec<String> = damaged.iter().filter(|table| now.table(table).is_some()).cloned().collect();
    let rest = !dropped.is_empty() || changes.iter().any(|change| change.kind != Some(ObjectKind::Table));
    Some(Way::Tables { tables: tables.into_iter().collect(), dropped, rest })
}

fn is(object: &Object, table: &str) -> bool {
    object.kind == ObjectKind::Table && object.name == table
}

/// Whether a damaged table needs something that is no table and is gone too: a type, a sequence, a function.
fn needs_what_is_gone(before: &PhotographedDatabase, now: &PhotographedDatabase, damaged: &BTreeSet<String>) -> bool {
    let needs: BTreeSet<&String> =
        damaged.iter().filter_map(|table| before.table(table)).flat_map(|table| &table.needs).collect();
    let gone = before.objects.iter().filter(|(entry, _)| !now.objects.contains_key(*entry));
    let mut gone = gone.filter(|(_, object)| object.kind != ObjectKind::Table);
    gone.any(|(_, object)| needs.contains(&object.name))
}

/// Tables with the tables that they and their foreign keys need.
fn with_parents(copy: &[Object], damaged: &BTreeSet<String>) -> BTreeSet<String> {
    let mut all = damaged.clone();
    loop {
        let child = |object: &&Object| match object.kind {
            ObjectKind::ForeignKey => object.table.as_ref().is_some_and(|table| all.contains(table)),
            ObjectKind::Table => all.contains(&object.name),
            _ => false,
        };
        let needed = copy.iter().filter(child).flat_map(|object| &object.needs);
        let parents: BTreeSet<String> =
            needed.filter(|need| copy.iter().any(|object| is(object, need))).cloned().collect();
        let known = all.len();
        all.extend(parents);
        if all.len() == known {
            return all;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::compare::changes;
    use super::super::compare::tests::{object, photograph};
    use super::*;
    use recovery::model::content::ObjectKind as K;
    use recovery::model::photograph::Photograph;

    fn described(kind: K, name: &str, table: Option<&str>, needs: &[&str], key: &[&str]) -> Object {
        Object {
            kind,
            name: name.into(),
            table: table.map(str::to_owned),
            definition: String::new(),
            columns: vec![],
            key: key.iter().map(|name| (*name).to_owned()).collect(),
            needs: needs.iter().map(|name| (*name).to_owned()).collect(),
            definer: None,
            security: None,
            revision: 0,
            rows: 1,
        }
    }

    fn chosen(before: &Photograph, now: &Photograph, copy: &[Object]) -> Option<Way> {
        way(&before.databases["app"], now.databases.get("app"), copy, &changes(before, now, &BTreeSet::new()))
    }

    #[test]
    fn a_dropped_table_comes_back_with_the_parents_its_foreign_keys_need() {
        let items = || object(K::Table, "items", 1);
        let before = photograph([object(K::Table, "orders", 2), items(), object(K::Trigger, "t", 0)]);
        let now = photograph([items()]);
        let mut copy = vec![
            described(K::Table, "orders", None, &[], &["id"]),
            described(K::Table, "items", None, &[], &["id"]),
            described(K::ForeignKey, "fk", Some("orders"), &["items"], &[]),
        ];
        let tables = vec!["items".to_owned(), "orders".to_owned()];
        assert_eq!(chosen(&before, &now, &copy), Some(Way::Tables { tables, dropped: vec![], rest: true }));
        // Without a key the parent's rows would be there twice.
        copy[1].key.clear();
        assert_eq!(chosen(&before, &now, &copy), Some(Way::Whole));
    }

    #[test]
    fn lost_rows_come_back_into_the_table_made_anew() {
        let before = photograph([object(K::Table, "orders", 2)]);
        let now = photograph([object(K::Table, "orders", 1)]);
        let copy = [described(K::Table, "orders", None, &[], &[])];
        let orders = vec!["orders".to_owned()];
        assert_eq!(
            chosen(&before, &now, &copy),
            Some(Way::Tables { tables: orders.clone(), dropped: orders, rest: true })
        );
        assert_eq!(chosen(&before, &before, &copy), None);
    }

    #[test]
    fn damage_beyond_tables_takes_the_whole_database_back() {
        let mut before = photograph([object(K::Table, "orders", 2), object(K::Type, "status", 0)]);
        let app = before.databases.get_mut("app").expect("app");
        app.objects.get_mut("table orders").expect("orders").needs = vec!["status".into()];
        let now = photograph([object(K::View, "v", 0)]);
        assert_eq!(chosen(&before, &now, &[]), Some(Way::Whole), "a new view");
        assert_eq!(chosen(&before, &photograph([]), &[]), Some(Way::Whole), "its type is gone");
        let nothing = Photograph { databases: Default::default(), ..before.clone() };
        assert_eq!(chosen(&before, &nothing, &[]), Some(Way::Whole), "the database is gone");
    }
}
