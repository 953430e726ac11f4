//! Takes steps and instances away, and with them what needs them.

use scenarios::Scenario;
use scenarios::tree::{Node, Part, Table};
use std::collections::BTreeSet;
use std::ops::Range;

/// How often what needs something is looked for in turn.
const ROUNDS_MAX: usize = 100;

/// Steps of a file.
pub(super) fn count(table: &Table) -> usize {
    match table.get("step") {
        Some(Node::List(steps)) => steps.len(),
        _ => 0,
    }
}

/// A file without some steps and without what needs them; `None` where nothing is left that could be run.
pub(super) fn without_steps(table: &Table, steps: Range<usize>, known: &BTreeSet<String>) -> Option<Table> {
    let mut cut = table.clone();
    if let Some(Node::List(all)) = cut.get_mut("step") {
        all.drain(steps);
    }
    sound(cut, known)
}

/// Files without one instance or without the application, and without what needs them.
pub(super) fn instances(table: &Table, known: &BTreeSet<String>) -> Vec<Table> {
    let number = match table.get("instances") {
        Some(Node::Table(instances)) => instances.entries.len(),
        _ => 0,
    };
    let parts = (0..number).map(Part::Instance).chain([Part::Table("application".into())]);
    let cut = parts.filter_map(|part| {
        let mut cut = table.clone();
        drop_part(&mut cut, &part).then_some(cut)
    });
    cut.filter_map(|cut| sound(cut, known)).collect()
}

/// Takes away every part that the reader refuses, until it accepts the rest.
fn sound(mut table: Table, known: &BTreeSet<String>) -> Option<Table> {
    for _ in 0..ROUNDS_MAX {
        if count(&table) == 0 {
            return None;
        }
        let parts = table.parts();
        let text: String = parts.iter().map(|(_, text)| text.as_str()).collect();
        let error = match Scenario::parse("candidate.toml", &text, known) {
            Ok(_) => return Some(table),
            Err(error) => error,
        };
        let mut wrong: Vec<Part> = error.problems.iter().filter_map(|it| part_at(&parts, it.at.offset())).collect();
        // From the last to the first, so that those before keep their number.
        wrong.dedup();
        let dropped = wrong.iter().rev().filter(|part| drop_part(&mut table, part)).count();
        if dropped == 0 {
            return None;
        }
    }
    None
}

fn part_at(parts: &[(Part, String)], offset: usize) -> Option<Part> {
    let mut end = 0;
    let part = parts.iter().find(|(_, text)| {
        end += text.len();
        offset < end
    });
    part.map(|(part, _)| part.clone())
}

/// Takes a part away; false where it has to stay.
fn drop_part(table: &mut Table, part: &Part) -> bool {
    match part {
        Part::Head => false,
        Part::Table(name) => table.remove(name).is_some(),
        Part::Instance(index) => match table.get_mut("instances") {
            Some(Node::Table(instances)) if *index < instances.entries.len() => {
                instances.entries.remove(*index);
                true
            }
            _ => false,
        },
        Part::Step(index) => match table.get_mut("step") {
            Some(Node::List(steps)) if *index < steps.len() => {
                steps.remove(*index);
                true
            }
            _ => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use scenarios::tree_of;

    const FILE: &str = r#"
title = "a fact"
[instances.shop]
engine = "mysql 5.7"
account = { name = "app", password = "s3cret-one" }
[instances.copy]
engine = "mysql 5.7"
role = "read-only"
master = "shop"
[instances.other]
engine = "mysql 5.7"
account = { name = "app", password = "s3cret-one" }
[application]
on = "shop"
table = "t"
every = "2s"
[[step]]
backup = "shop"
[[step]]
mark = "before"
[[step]]
clone = { of = "shop", to = "before", as = "c" }
[[step]]
login = { on = "c" }
[[step]]
login = { on = "other" }
"#;

    fn file() -> Table {
        let read =
            Scenario::parse("a.toml", FILE, &BTreeSet::new()).unwrap_or_else(|error| panic!("{}", error.render()));
        tree_of(&read[0])
    }

    #[test]
    fn with_a_step_goes_what_needs_it() {
        let cut = without_steps(&file(), 1..2, &BTreeSet::new());
        assert_eq!(cut.as_ref().map(count), Some(2));
        assert!(without_steps(&file(), 0..5, &BTreeSet::new()).is_none());
    }

    #[test]
    fn with_an_instance_goes_what_needs_it() {
        let cut = instances(&file(), &BTreeSet::new());
        let left = |table: &Table| match table.get("instances") {
            Some(Node::Table(instances)) => instances.entries.len(),
            _ => 0,
        };
        let all: Vec<(usize, usize, bool)> =
            cut.iter().map(|table| (left(table), count(table), table.get("application").is_some())).collect();
        // Primaries stand first: shop, other, copy.
        assert_eq!(all, [(1, 2, false), (2, 4, true), (2, 5, true), (3, 5, false)]);
    }
}
