//! What is restored, in which order, and with which names.

use crate::model::Engine;
use crate::model::content::{Object, ObjectKind as K};
use crate::model::logical::restore::{
    Branch, RestoreFailure, RestoreObjects, RestorePhase, RestoreType, RestoredObject, RestoredStatus, TableMapping,
};
use crate::model::task::Selection;
use crate::model::work::RestoreJob;
use crate::worker::logical::fold::state::Database;
use crate::worker::logical::fold::{Entry, State, head};
use crate::worker::migrate::plan::needed_first;
use crate::worker::migrate::rename::Names;
use crate::worker::names::word;
use crate::worker::scope::Scope;
use crate::worker::sql;
use std::collections::BTreeMap;

/// Kinds made before the rows, in order (C-30).
const BEFORE: [K; 13] = [
    K::Type,
    K::Domain,
    K::Rule,
    K::Default,
    K::Sequence,
    K::Table,
    K::Index,
    K::Synonym,
    K::View,
    K::Function,
    K::Aggregate,
    K::Procedure,
    K::PlanGuide,
];

/// Kinds made after the rows, so that they do not act on them (LOG-11).
const AFTER: [K; 2] = [K::Trigger, K::Event];

/// Kinds of objects whose database takes no other table names (LOG-08, C-17, C-18).
const PROGRAMMABLE: [K; 4] = [K::View, K::Function, K::Procedure, K::Trigger];

/// What is restored.
#[derive(Debug)]
pub struct Plan {
    /// Entries, nothing done yet, in the order they are done.
    pub details: Vec<RestoredObject>,
    /// The objects as they are made in the target, in the same order.
    pub made: Vec<Object>,
    /// Databases with their character sets, made where they are missing.
    pub databases: BTreeMap<String, String>,
}

impl Plan {
    /// Plans a restore of a backup.
    ///
    /// # Errors
    /// When names may not be changed, or the log holds what cannot be restored exactly.
    pub fn make(job: &RestoreJob, state: &State) -> Result<Self, RestoreFailure> {
        refuse_mapping(&job.mapping, state)?;
        let plan = Self::of(job, state);
        plan.details.iter().try_for_each(|entry| refuse_unsupported(entry, state))?;
        Ok(plan)
    }

    /// What would be restored, whether or not it can be.
    #[must_use]
    pub fn of(job: &RestoreJob, state: &State) -> Self {
        let mut plan = Self { details: Vec::new(), made: Vec::new(), databases: BTreeMap::new() };
        let (structure, full) = (job.types.contains(&RestoreType::Structure), job.types.contains(&RestoreType::Full));
        if structure {
            plan.add_databases(job, state);
            plan.add(job, state, &BEFORE, RestorePhase::Structure);
        }
        if full {
            plan.add(job, state, &[K::Table], RestorePhase::Full);
        }
        if structure {
            plan.add(job, state, &AFTER, RestorePhase::Structure);
        }
        plan
    }

    fn add_databases(&mut self, job: &RestoreJob, state: &State) {
        for (name, database) in &state.databases {
            let whole = match &job.objects {
                RestoreObjects::All => true,
                RestoreObjects::Custom { branches } => {
                    branches.iter().any(|branch| branch.database == *name && branch.kind.is_none())
                }
            };
            let some = database.entries.iter().any(|entry| is_restored(&job.objects, name, entry));
            if whole || some {
                self.databases.insert(name.clone(), database.charset.clone());
            }
        }
    }

    fn add(&mut self, job: &RestoreJob, state: &State, kinds: &[K], phase: RestorePhase) {
        let selections = selections(&job.mapping, state);
        for (name, database) in &state.databases {
            let all = described(state.engine, database);
            let all: Vec<&Object> = all.iter().collect();
            let restored = |object: &&&Object| {
                let is_it = |entry: &&Entry| {
                    let own = &entry.object;
                    own.kind == object.kind && own.name == object.name && own.table == object.table
                };
                let entry = database.entries.iter().find(is_it);
                kinds.contains(&object.kind) && entry.is_some_and(|entry| is_restored(&job.objects, name, entry))
            };
            let rank = |kind| kinds.iter().position(|own| *own == kind).unwrap_or(usize::MAX);
            let ordered = needed_first(all.iter().filter(restored).copied().collect(), &all, rank);
            if ordered.is_empty() {
                continue;
            }
            let names = Names { engine: state.engine, scope: Scope::new(&selections), database: name, objects: &all };
            for object in ordered {
                let Some((_, mut made)) = names.renamed(object) else { continue };
                made.definition = head::plain(state.engine, &made.definition);
                self.details.push(entry(phase, name, object, &made));
                self.made.push(made);
            }
        }
    }
}

fn entry(phase: RestorePhase, database: &str, object: &Object, made: &Object) -> RestoredObject {
    RestoredObject {
        phase,
        kind: object.kind,
        database: database.to_owned(),
        name: object.name.clone(),
        target_name: made.name.clone(),
        status: RestoredStatus::Waiting,
        began_at: None,
        ended_at: None,
        records: 0,
        records_skipped: 0,
        cursor: 0,
        announced: false,
        rows_before: None,
    }
}

/// The objects of a database; those the log made with what they need, as far as names in their text tell.
fn described(engine: Engine, database: &Database) -> Vec<Object> {
    let nameable = |entry: &&Entry| !matches!(entry.object.kind, K::Index | K::Trigger | K::Event);
    let names: Vec<&String> = database.entries.iter().filter(nameable).map(|entry| &entry.object.name).collect();
    let describe = |entry: &Entry| {
        let mut object = entry.object.clone();
        if entry.fresh && !matches!(object.kind, K::Table | K::Index) {
            let words = sql::tokens(engine, &object.definition);
            let named =
                names.iter().filter(|name| ***name != object.name && words.iter().any(|word| word.spells(name)));
            object.needs = named.map(|name| (*name).clone()).collect();
        }
        object
    };
    database.entries.iter().map(describe).collect()
}

/// Whether an object is restored: chosen, and no trigger or event of the log period (LOG-09, LOG-10).
fn is_restored(objects: &RestoreObjects, database: &str, entry: &Entry) -> bool {
    let lost = entry.after_backup && matches!(entry.object.kind, K::Trigger | K::Event);
    !lost && is_chosen(objects, database, &entry.object)
}

/// Whether an object is chosen (LOG-44, LOG-45). A table brings its indexes.
#[must_use]
pub fn is_chosen(objects: &RestoreObjects, database: &str, object: &Object) -> bool {
    let RestoreObjects::Custom { branches } = objects else {
        return true;
    };
    let of_table = |branch: &Branch| match (object.kind, &object.table, &branch.name) {
        (K::Index, Some(table), Some(name)) => table == name,
        (K::Index, Some(_), None) => true,
        _ => false,
    };
    branches.iter().filter(|branch| branch.database == database).any(|branch| match branch.kind {
        None => true,
        Some(K::Table) if of_table(branch) => true,
        Some(kind) => kind == object.kind && branch.name.as_ref().is_none_or(|name| *name == object.name),
    })
}

/// Refuses other names for tables of a database that holds views, functions, procedures or triggers (LOG-08).
fn refuse_mapping(mapping: &[TableMapping], state: &State) -> Result<(), RestoreFailure> {
    let mut objects = Vec::new();
    for (name, database) in &state.databases {
        if !mapping.iter().any(|own| own.database == *name && own.table_as != own.table) {
            continue;
        }
        let programmable = database.entries.iter().filter(|entry| PROGRAMMABLE.contains(&entry.object.kind));
        objects.extend(programmable.map(|entry| format!("{} {name}.{}", word(entry.object.kind), entry.object.name)));
    }
    if objects.is_empty() { Ok(()) } else { Err(RestoreFailure::MappingWithProgrammableObjects { objects }) }
}

/// Refuses what the log changed in a way that cannot be carried.
fn refuse_unsupported(entry: &RestoredObject, state: &State) -> Result<(), RestoreFailure> {
    let Some(database) = state.databases.get(&entry.database) else {
        return Ok(());
    };
    let is_it = |own: &&Entry| own.object.kind == entry.kind && own.object.name == entry.name;
    let own = database.entries.iter().find(is_it);
    let table = own.and_then(|own| own.object.table.as_ref());
    let is_table = |own: &&Entry| own.object.kind == K::Table && Some(&own.object.name) == table;
    let marked = [own, database.entries.iter().find(is_table)].into_iter().flatten();
    let mut marked = marked.filter_map(|own| Some((own.object.name.clone(), own.unsupported.clone()?)));
    match database.unsupported.clone().or_else(|| marked.next()) {
        None => Ok(()),
        Some((object, statement)) => {
            Err(RestoreFailure::UnsupportedDdl { object: format!("{}.{object}", entry.database), statement })
        }
    }
}

/// The mapping as selections: every database as a whole, and the tables that get another name.
fn selections(mapping: &[TableMapping], state: &State) -> Vec<Selection> {
    let blank = |database: &str| Selection {
        database: database.to_owned(),
        table: None,
        columns: None,
        database_as: None,
        table_as: None,
        columns_as: BTreeMap::new(),
    };
    let whole = state.databases.keys().map(|name| blank(name));
    let tables = mapping.iter().map(|own| Selection {
        table: Some(own.table.clone()),
        table_as: Some(own.table_as.clone()),
        ..blank(&own.database)
    });
    whole.chain(tables).collect()
}
