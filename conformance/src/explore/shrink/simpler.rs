//! Files with one key, item, statement or row less, or with one simpler value.

use super::statements;
use scenarios::tree::{Node, Table};
use std::time::Duration;

/// Keys of the whole file that stay: what it says beside them is what is made small.
const KEPT: [&str; 5] = ["title", "covers", "seed", "instances", "step"];
/// Keys whose texts are statements.
const STATEMENTS: [&str; 4] = ["sql", "commands", "run", "databases"];
/// Keys whose values are what somebody expects to see: others would only be wrong.
const EXPECTED: [&str; 4] = ["rows", "status", "query", "contains"];

/// Simpler values in the place of one, under its key.
type Simpler = dyn Fn(&str, &Node) -> Vec<Node>;

/// Every file in which one value is simpler.
pub(super) fn tables(table: &Table, simpler: &Simpler) -> Vec<Table> {
    let mut all = Vec::new();
    for (index, (key, node)) in table.entries.iter().enumerate() {
        if ["title", "covers", "seed"].contains(&key.as_str()) {
            continue;
        }
        for node in variants(key, node, simpler) {
            let mut table = table.clone();
            table.entries[index].1 = node;
            all.push(table);
        }
    }
    for node in simpler("", &Node::Table(table.clone())) {
        if let Node::Table(table) = node {
            all.push(table);
        }
    }
    all
}

/// A value with one thing in it simpler, from the outside to the inside.
fn variants(key: &str, node: &Node, simpler: &Simpler) -> Vec<Node> {
    let mut all = simpler(key, node);
    match node {
        Node::Table(table) => {
            for (index, (name, inner)) in table.entries.iter().enumerate() {
                // The statements of a database stand under its name.
                let name = if key == "databases" { key } else { name };
                for inner in variants(name, inner, simpler) {
                    let mut table = table.clone();
                    table.entries[index].1 = inner;
                    all.push(Node::Table(table));
                }
            }
        }
        Node::List(items) => {
            for (index, inner) in items.iter().enumerate() {
                for inner in variants(key, inner, simpler) {
                    let mut items = items.clone();
                    items[index] = inner;
                    all.push(Node::List(items));
                }
            }
        }
        _ => {}
    }
    all
}

/// A table without one of its keys.
pub(super) fn without_a_key(key: &str, node: &Node) -> Vec<Node> {
    let Node::Table(table) = node else { return Vec::new() };
    let removable = |name: &str| key != "instances" && !(key.is_empty() && KEPT.contains(&name));
    let without = |name: &String| {
        let mut table = table.clone();
        table.remove(name);
        Node::Table(table)
    };
    table.entries.iter().map(|(name, _)| name).filter(|name| removable(name)).map(without).collect()
}

/// A list without one of its items.
pub(super) fn without_an_item(key: &str, node: &Node) -> Vec<Node> {
    let Node::List(items) = node else { return Vec::new() };
    if key == "step" || EXPECTED.contains(&key) {
        return Vec::new();
    }
    let without = |index: usize| {
        let mut items = items.clone();
        items.remove(index);
        Node::List(items)
    };
    (0..items.len()).rev().map(without).collect()
}

/// Statements with some of them, or some of their rows, away.
pub(super) fn fewer_statements(key: &str, node: &Node) -> Vec<Node> {
    match node {
        Node::Text(text) if STATEMENTS.contains(&key) => statements::fewer(text).into_iter().map(Node::Text).collect(),
        _ => Vec::new(),
    }
}

/// A shorter or rounder time, a smaller number, a moment without its shift.
pub(super) fn a_simpler_value(key: &str, node: &Node) -> Vec<Node> {
    if STATEMENTS.contains(&key) || EXPECTED.contains(&key) {
        return Vec::new();
    }
    match node {
        Node::Whole(whole) => {
            let nearer = [0, 1, -1, whole / 10, whole / 2];
            let nearer = nearer.into_iter().filter(|other| other.unsigned_abs() < whole.unsigned_abs());
            nearer.filter(|other| *other == 0 || (*other < 0) == (*whole < 0)).map(Node::Whole).collect()
        }
        Node::Text(text) => match node.time() {
            Some(time) => times(key, time),
            None if ["to", "at"].contains(&key) => {
                [" - ", " + "].iter().filter_map(|sign| text.rsplit_once(sign)).map(|(name, _)| name.into()).collect()
            }
            None => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// Shorter times, the shortest first. Somebody who does something more often is no simpler, only rounder.
fn times(key: &str, time: Duration) -> Vec<Node> {
    const UNITS: [u64; 4] = [1, 60, 3_600, 86_400];
    let mut all: Vec<Duration> = Vec::new();
    if key != "every" {
        all.extend(UNITS.map(Duration::from_secs));
        all.extend([Duration::from_secs(600), Duration::from_secs(2 * 86_400)]);
    }
    // Only the greatest unit of it.
    let whole = |unit: &u64| (time.as_secs() / unit > 0).then(|| Duration::from_secs(time.as_secs() / unit * unit));
    all.extend(UNITS.iter().rev().find_map(whole));
    all.retain(|other| *other < time);
    all.sort();
    all.dedup();
    all.into_iter().map(Node::from).collect()
}

/// Files in which two steps that let time pass are one, or something is restored to the newest backup instead of to a
/// moment that other steps have to make.
pub(super) fn plainer_steps(table: &Table) -> Vec<Table> {
    let Some(Node::List(steps)) = table.get("step") else { return Vec::new() };
    let with = |steps: Vec<Node>| {
        let mut table = table.clone();
        table.set("step", Node::List(steps));
        table
    };
    let mut all = Vec::new();
    for (index, pair) in steps.windows(2).enumerate() {
        if let [Some(first), Some(second)] = [passes(&pair[0]), passes(&pair[1])] {
            let mut steps = steps.clone();
            steps[index] = Table::of("advance", first.saturating_add(second)).into();
            steps.remove(index + 1);
            all.push(with(steps));
        }
    }
    for (index, step) in steps.iter().enumerate() {
        if let Some(step) = of_the_newest(step) {
            let mut steps = steps.clone();
            steps[index] = step;
            all.push(with(steps));
        }
    }
    all
}

/// How long a step lets time pass.
fn passes(step: &Node) -> Option<Duration> {
    match step {
        Node::Table(step) => step.get("advance")?.time(),
        _ => None,
    }
}

fn of_the_newest(step: &Node) -> Option<Node> {
    let Node::Table(step) = step else { return None };
    let key = ["temporary", "clone", "restore"].into_iter().find(|key| step.get(key).is_some())?;
    let mut newest = step.clone();
    let Some(Node::Table(made)) = newest.get_mut(key) else { return None };
    let point = made.entries.iter_mut().find(|(key, _)| ["to", "at", "set"].contains(&key.as_str()))?;
    let latest = ("set".to_owned(), Node::from("latest"));
    (*point != latest).then(|| *point = latest)?;
    Some(newest.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(key: &str, node: &Node) -> Vec<String> {
        let all = a_simpler_value(key, node);
        all.iter().map(|node| Table::of("x", node.clone()).text("").trim_end()[4..].to_owned()).collect()
    }

    #[test]
    fn simpler_values_are_shorter_smaller_and_without_a_shift() {
        assert_eq!(texts("advance", &"1h 5m".into()), ["\"1s\"", "\"1m\"", "\"10m\"", "\"1h\""]);
        assert_eq!(texts("every", &"1m 5s".into()), ["\"1m\""]);
        assert_eq!(texts("ms", &Node::Whole(-250)), ["0", "-1", "-25", "-125"]);
        assert_eq!(texts("to", &"before - 1s".into()), ["\"before\""]);
        assert_eq!(texts("rows", &Node::Whole(7)), [""; 0]);
    }

    #[test]
    fn time_passes_in_one_step_and_the_newest_backup_is_restored() {
        let restored =
            |key: &str, point: &str| Table::of("clone", Table::of("of", "a").with(key, point).with("as", "b"));
        let passes = |time: &str| Table::of("advance", time);
        let file = |steps: Vec<Table>| Table::of("step", steps.into_iter().collect::<Node>());
        let given = file(vec![passes("40h"), passes("7h"), restored("at", "m - 1s"), passes("1s")]);
        let wanted = [
            file(vec![passes("47h"), restored("at", "m - 1s"), passes("1s")]),
            file(vec![passes("40h"), passes("7h"), restored("set", "latest"), passes("1s")]),
        ];
        assert_eq!(plainer_steps(&given), wanted);
        assert!(plainer_steps(&file(vec![restored("set", "latest")])).is_empty());
    }

    #[test]
    fn each_candidate_is_without_one_thing() {
        let step = Table::of("backup", Table::of("of", "shop").with("kind", "log"));
        let file = Table::of("title", "a").with("tolerant", true).with("step", Node::List(vec![step.into()]));
        let without = tables(&file, &without_a_key);
        // The step's key, the two keys of the backup, and `tolerant`.
        assert_eq!(without.len(), 4);
        assert!(without.iter().all(|table| table.get("title").is_some()));
        let list = Table::of("a", ["x", "y"].into_iter().collect::<Node>());
        assert_eq!(tables(&list, &without_an_item).len(), 2);
    }
}
