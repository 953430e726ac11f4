//! Which objects a task migrates, and in which order they are made (prechecks.md 5.2).

use super::rename::Names;
use crate::model::Engine;
use crate::model::content::{Object, ObjectKind};
use crate::model::task::{MigrationType, ObjectProgress};
use crate::worker::scope::Scope;
use ObjectKind as K;
use std::collections::{BTreeMap, BTreeSet};

/// When an object is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Before the rows are copied.
    Before,
    /// After the rows were copied, so that it does not act on them.
    After,
}

/// The object kinds an engine's structure migration takes along, in the order they are made, before and after the rows.
/// Events and users are in no list (DTS-24).
const KINDS: [(Engine, &[K], &[K]); 5] = [
    (Engine::MySql, &[K::Table, K::Index, K::ForeignKey, K::View, K::Function, K::Procedure, K::Trigger], &[]),
    (
        Engine::SqlServer,
        &[K::Type, K::Rule, K::Default, K::Table, K::Index, K::View, K::Synonym, K::PlanGuide],
        &[K::Function, K::Procedure, K::Trigger, K::ForeignKey],
    ),
    (Engine::PostgreSql, POSTGRES_BEFORE, &[K::Trigger, K::ForeignKey]),
    (Engine::Ppas, POSTGRES_BEFORE, &[K::Trigger, K::ForeignKey]),
    (Engine::Redis, &[K::Table], &[]),
];

const POSTGRES_BEFORE: &[K] = &[
    K::Type,
    K::Domain,
    K::Sequence,
    K::Table,
    K::Index,
    K::Function,
    K::Aggregate,
    K::Procedure,
    K::View,
    K::Synonym,
    K::Rule,
];

/// An object to migrate and the source database it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// Database in the source.
    pub database: String,
    /// Its description there.
    pub object: Object,
}

/// When a kind is made, and its rank among the kinds made then; nothing for a kind the engine's tasks do not migrate.
fn rank(engine: Engine, kind: ObjectKind) -> Option<(Stage, usize)> {
    let (_, before, after) = KINDS.iter().find(|(own, ..)| *own == engine)?;
    let place = |kinds: &[K]| kinds.iter().position(|own| *own == kind);
    place(before).map(|rank| (Stage::Before, rank)).or_else(|| place(after).map(|rank| (Stage::After, rank)))
}

/// When a kind is made.
#[must_use]
pub fn stage(engine: Engine, kind: ObjectKind) -> Option<Stage> {
    rank(engine, kind).map(|(stage, _)| stage)
}

/// The selected objects in the order they are made: stage by stage, database by database, and what is needed first.
#[must_use]
pub fn plan(
    engine: Engine,
    scope: Scope<'_>,
    types: &BTreeSet<MigrationType>,
    described: &BTreeMap<String, Vec<Object>>,
) -> Vec<Planned> {
    let mut planned = Vec::new();
    for wanted in [Stage::Before, Stage::After] {
        for (database, objects) in described {
            let all: Vec<&Object> = objects.iter().collect();
            let names = Names { engine, scope, database, objects: &all };
            let of_stage = objects.iter().filter(|object| {
                stage(engine, object.kind) == Some(wanted)
                    && is_covered(scope, database, object, types)
                    && names.mapped(object).is_some()
            });
            let rank = |kind| rank(engine, kind).map_or(usize::MAX, |(_, rank)| rank);
            let ordered = needed_first(of_stage.collect(), &all, rank);
            planned.extend(
                ordered.into_iter().map(|object| Planned { database: database.clone(), object: object.clone() }),
            );
        }
    }
    planned
}

/// Whether an object is among what is selected: with tables selected only they, their indexes and foreign keys (DTS-07);
/// without structure only tables.
fn is_covered(scope: Scope<'_>, database: &str, object: &Object, types: &BTreeSet<MigrationType>) -> bool {
    let structure = types.contains(&MigrationType::Structure);
    match (object.kind, &object.table) {
        (K::Table, _) => scope.place(database, &object.name).is_some(),
        (K::Index | K::ForeignKey, Some(table)) => structure && scope.place(database, table).is_some(),
        _ => structure && scope.whole(database).is_some(),
    }
}

/// Orders objects by the rank of their kind and by name, moving what others need before them. Objects that need each
/// other stay in that order.
#[must_use]
pub fn needed_first<'a>(
    mut objects: Vec<&'a Object>,
    all: &[&Object],
    rank: impl Fn(ObjectKind) -> usize,
) -> Vec<&'a Object> {
    objects.sort_by_key(|object| (rank(object.kind), object.table.clone(), object.name.clone()));
    let needs: Vec<BTreeSet<usize>> = objects.iter().map(|object| needed_by(object, &objects, all)).collect();
    let mut placed = BTreeSet::new();
    let mut ordered = Vec::with_capacity(objects.len());
    while ordered.len() < objects.len() {
        let mut open = (0..objects.len()).filter(|at| !placed.contains(at));
        let ready = open.clone().find(|at| needs[*at].is_subset(&placed)).or_else(|| open.next());
        let Some(at) = ready else { break };
        placed.insert(at);
        ordered.push(objects[at]);
    }
    ordered
}

/// The places of what an object needs: what its description names, the table it belongs to, and for a table the
/// parents its foreign keys point at, so that parents' rows are copied first.
fn needed_by(object: &Object, objects: &[&Object], all: &[&Object]) -> BTreeSet<usize> {
    let parents = all
        .iter()
        .filter(|key| object.kind == K::Table && key.kind == K::ForeignKey && key.table.as_ref() == Some(&object.name));
    let mut names: BTreeSet<&String> = parents.flat_map(|key| &key.needs).collect();
    names.extend(object.needs.iter().chain(&object.table));
    let is_needed = |other: &&Object| {
        let belongs_to_a_table = matches!(other.kind, K::Index | K::ForeignKey | K::Trigger);
        !belongs_to_a_table && names.contains(&other.name) && !std::ptr::eq(*other, object)
    };
    (0..objects.len()).filter(|at| is_needed(&objects[*at])).collect()
}

/// Selected tables and databases that are not described, as `database.table`.
#[must_use]
pub fn missing(scope: Scope<'_>, described: &BTreeMap<String, Vec<Object>>) -> Vec<String> {
    let there = |database: &str, table: &str| {
        let objects = described.get(database).map(Vec::as_slice).unwrap_or_default();
        objects.iter().any(|object| object.kind == K::Table && object.name == table)
    };
    let tables = scope.tables().filter(|(database, table)| !there(database, table));
    tables.map(|(database, table)| format!("{database}.{table}")).collect()
}

/// Progress entries of a plan, nothing done yet.
#[must_use]
pub fn progress(engine: Engine, scope: Scope<'_>, planned: &[Planned]) -> Vec<ObjectProgress> {
    let mut objects: BTreeMap<&str, Vec<&Object>> = BTreeMap::new();
    for planned in planned {
        objects.entry(&planned.database).or_default().push(&planned.object);
    }
    let entry = |planned: &Planned| {
        let objects = objects.get(planned.database.as_str())?;
        let names = Names { engine, scope, database: &planned.database, objects };
        let (target_database, made) = names.mapped(&planned.object)?;
        Some(ObjectProgress {
            kind: planned.object.kind,
            database: planned.database.clone(),
            name: planned.object.name.clone(),
            target_database,
            target_name: made.name,
            made: false,
            announced: false,
            revision: planned.object.revision,
            rows_written: 0,
            rows_done: false,
            after: None,
        })
    };
    planned.iter().filter_map(entry).collect()
}
