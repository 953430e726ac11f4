//! Precheck item: no change comes back to where it was made, carried on by tasks that follow logs in a circle.
//!
//! Of the topologies of several tasks, one to one, one to many, many to one and a cascade are supported; where tasks form a
//! circle, each change would be carried round again and again, and none of them would ever catch up.

use super::bench::Bench;
use super::item::{ASKS_S, About, EVERY_ENGINE, Item, Needs, Weight};
use crate::model::TaskId;
use crate::model::precheck::{Finding, PrecheckItem};
use crate::model::task::Selection;
use crate::model::work::MigrationJob;
use crate::worker::scope::Scope;
use std::collections::{BTreeMap, BTreeSet};

/// The item.
pub const ITEM: Item<Bench> = Item {
    about: About {
        item: PrecheckItem::Topology,
        english: "Topology",
        chinese: "拓扑版本检查",
        weight: Weight::Firm,
        engines: EVERY_ENGINE,
        needs: Needs::Incremental,
        looks_at: "Follows what the task writes through the other tasks that follow logs and are under way, to see whether it \
                   comes back.",
        finds: &["what the task carries over comes back to where it was changed, through other incremental tasks"],
        remedy: "End one of the other tasks, or leave out the objects that come back.",
        shieldable: true,
        source: "prechecks.md 2.1 item 18",
    },
    look: |bench| Box::pin(async move { Ok(look(&bench.work())) }),
    limit_s: ASKS_S,
};

fn look(work: &MigrationJob) -> Vec<Finding> {
    let links = links(work);
    let mut circles: BTreeMap<Vec<&TaskId>, BTreeSet<Place<'_>>> = BTreeMap::new();
    for place in places(work, &links) {
        if let Some(way) = way_back(place, &links) {
            circles.entry(way).or_default().insert(place);
        }
    }
    circles.iter().map(|(way, places)| finding(work, way, places)).collect()
}

fn finding(work: &MigrationJob, way: &[&TaskId], places: &BTreeSet<Place<'_>>) -> Finding {
    let whole = |place: &Place<'_>| places.contains(&Place { table: ANY_OTHER, ..*place });
    let shown = places.iter().filter(|place| place.table == ANY_OTHER || !whole(place));
    let objects: Vec<String> = shown.map(Place::words).collect();
    let objects = objects.join(", ");
    let others = way.iter().filter_map(|task| work.way_back.iter().find(|other| other.task == **task));
    let others: Vec<String> =
        others.map(|other| format!("task {} from {} to {}", other.task, other.source, other.target)).collect();
    let (source, target) = (&work.source.instance, &work.target.instance);
    let cause = format!(
        "what changes in {objects} of the source {source} comes back there, since this task carries it to {target} and the log \
         is followed further by {}: each change would be carried round without end",
        others.join(" and ")
    );
    let ends: Vec<String> = way.iter().map(|task| format!("task {task}")).collect();
    let remedy =
        format!("End {}, or leave {objects} out of what this task moves, then start again.", ends.join(" or "));
    Finding::new(cause, remedy)
}

/// The name that stands for all tables that no task mentions.
const ANY_OTHER: &str = "";

/// A table of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place<'a> {
    instance: &'a str,
    database: &'a str,
    table: &'a str,
}

impl Place<'_> {
    fn words(&self) -> String {
        match self.table {
            ANY_OTHER => format!("database {}", self.database),
            table => format!("table {}.{table}", self.database),
        }
    }
}

/// A task that carries changes from one instance to another; this one has no id.
#[derive(Clone, Copy)]
struct Link<'a> {
    task: Option<&'a TaskId>,
    source: &'a str,
    target: &'a str,
    objects: &'a [Selection],
}

impl<'a> Link<'a> {
    /// Where what changes at a place is carried to, if it is.
    fn carries(&self, from: Place<'a>) -> Option<Place<'a>> {
        let scope = Scope::new(self.objects);
        // Within one instance a task leaves alone what it wrote itself.
        let own = self.source == self.target && scope.is_target(from.database, from.table);
        if from.instance != self.source || own {
            return None;
        }
        let placing = scope.place(from.database, from.table)?;
        Some(Place { instance: self.target, database: placing.database, table: placing.table })
    }
}

/// This task, and those that may carry on what it writes.
fn links(work: &MigrationJob) -> Vec<Link<'_>> {
    let (source, target) = (work.source.instance.as_str(), work.target.instance.as_str());
    let own = Link { task: None, source, target, objects: &work.objects };
    let others = work.way_back.iter().map(|other| Link {
        task: Some(&other.task),
        source: &other.source,
        target: &other.target,
        objects: &other.objects,
    });
    std::iter::once(own).chain(others).collect()
}

/// The tables of the source that this task carries changes of: those that a task mentions by name, and all others as one.
fn places<'a>(work: &'a MigrationJob, links: &[Link<'a>]) -> BTreeSet<Place<'a>> {
    let mentioned = links.iter().flat_map(|link| link.objects);
    let names = mentioned.flat_map(|object| [object.table.as_deref(), object.table_as.as_deref()]).flatten();
    let names: BTreeSet<&str> = names.chain([ANY_OTHER]).collect();
    let instance = work.source.instance.as_str();
    let databases = Scope::new(&work.objects).databases();
    databases
        .into_iter()
        .flat_map(|database| names.iter().map(move |table| Place { instance, database, table }))
        .collect()
}

/// The other tasks, in order, that a change which this task carries over comes back through; nothing where it does not.
fn way_back<'a>(begin: Place<'a>, links: &[Link<'a>]) -> Option<Vec<&'a TaskId>> {
    let first = links.first()?.carries(begin)?;
    let mut ways = BTreeMap::from([(first, Vec::new())]);
    let mut next = vec![first];
    while !next.is_empty() {
        let mut further = Vec::new();
        for place in next {
            let way = ways.get(&place).cloned().unwrap_or_default();
            if place == begin {
                return Some(way);
            }
            for link in links {
                let Some(to) = link.carries(place).filter(|to| !ways.contains_key(to)) else { continue };
                let way = way.iter().copied().chain(link.task.filter(|task| !way.contains(task))).collect();
                ways.insert(to, way);
                further.push(to);
            }
        }
        next = further;
    }
    None
}
