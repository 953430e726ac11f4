//! Advice: tables whose foreign keys lead back to themselves through others.

use crate::model::content::ObjectKind;
use crate::model::precheck::PrecheckItem;
use crate::worker::precheck::bench::Bench;
use crate::worker::precheck::item::{ASKS_S, About, Item, Looked, Needs, RELATIONAL, Weight, each};
use std::collections::{BTreeMap, BTreeSet};

/// The item.
pub const ITEM: Item<Bench> = Item {
    about: About {
        item: PrecheckItem::AdviseCircle,
        english: "Circular foreign keys",
        chinese: "循环外键检查",
        weight: Weight::Advice,
        engines: RELATIONAL,
        needs: Needs::Load,
        looks_at: "Follows the foreign keys between selected tables.",
        finds: &["foreign keys lead from a table through others back to it"],
        remedy: "Drop one of the foreign keys of the circle, or go on and empty such tables with the checks switched off.",
        shieldable: false,
        source: "advice beyond the documents",
    },
    look: |bench| Box::pin(look(bench)),
    limit_s: ASKS_S,
};

async fn look(bench: &Bench) -> Looked {
    let mut causes = Vec::new();
    let tables = bench.source_tables().await?;
    for (database, objects) in bench.source_objects().await? {
        let chosen = |name: &str| tables.iter().any(|(own, table)| *own == database && table.name == name);
        let mut parents: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for key in objects.iter().filter(|object| object.kind == ObjectKind::ForeignKey) {
            let Some(child) = key.table.as_deref().filter(|child| chosen(child)) else { continue };
            let others = key.needs.iter().map(String::as_str).filter(|parent| *parent != child && chosen(parent));
            parents.entry(child).or_default().extend(others);
        }
        for circle in circles(&parents) {
            let named: Vec<String> = circle.iter().map(|table| format!("{database}.{table}")).collect();
            causes.push(format!("the foreign keys of tables {} make a circle: none can come first", named.join(", ")));
        }
    }
    let remedy = "Drop one of these foreign keys and make it again afterwards, or go on: they are made after the tables, and \
                  to empty or drop such tables again the checks have to be switched off.";
    Ok(each(causes, remedy))
}

/// Groups of tables each of which leads to every other.
fn circles<'a>(parents: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> BTreeSet<BTreeSet<&'a str>> {
    let reached = |from: &'a str| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
        while let Some(table) = next.pop() {
            let further = parents.get(table).into_iter().flatten();
            next.extend(further.filter(|parent| seen.insert(**parent)));
        }
        seen
    };
    let all: BTreeMap<&str, BTreeSet<&str>> = parents.keys().map(|table| (*table, reached(table))).collect();
    let circle = |table: &&'a str| -> BTreeSet<&'a str> {
        let back = |other: &&&'a str| all.get(**other).is_some_and(|reached| reached.contains(*table));
        all.get(*table).into_iter().flatten().filter(back).copied().collect()
    };
    parents.keys().map(circle).filter(|circle| circle.len() > 1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_that_lead_to_each_other_are_one_circle_and_others_are_none() {
        let parents = [("a", vec!["b"]), ("b", vec!["c"]), ("c", vec!["a", "d"]), ("d", vec![]), ("e", vec!["a"])];
        let parents = parents.into_iter().map(|(child, of)| (child, of.into_iter().collect())).collect();
        assert_eq!(circles(&parents), BTreeSet::from([BTreeSet::from(["a", "b", "c"])]));
        assert_eq!(circles(&BTreeMap::from([("a", BTreeSet::from(["b"]))])), BTreeSet::new());
    }
}
