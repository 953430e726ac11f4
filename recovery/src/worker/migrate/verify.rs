//! Looking once more, before a load counts as done, that neither side's definitions changed meanwhile (DTS-04, C-12).

use super::journey::{Journey, changed};
use super::plan::{self, Planned};
use crate::model::Engine;
use crate::model::content::{Object, ObjectKind};
use crate::model::task::MigrationType;
use crate::ports::database::DatabaseError;
use crate::worker::ask::Describe;
use crate::worker::key_space;
use crate::worker::lease::Stop;
use crate::worker::servers::{Servers, Side, refused};
use std::collections::{BTreeMap, BTreeSet};

/// What is selected of the source, described anew.
///
/// # Errors
/// When the source refuses.
pub async fn describe_source(
    servers: &mut Servers<'_>,
    journey: &Journey,
) -> Result<BTreeMap<String, Vec<Object>>, Stop> {
    let mut described = BTreeMap::new();
    for database in journey.scope().databases() {
        let answer = servers.call(Side::Source, &Describe(database)).await?;
        let objects = match answer.outcome {
            Err(DatabaseError::NoSuchDatabase(_)) if journey.engine() == Engine::Redis => Vec::new(),
            Err(DatabaseError::NoSuchDatabase(_)) => return Err(changed(database, "")),
            outcome => outcome.map_err(|error| refused(Side::Source, &format!("{database}: {error}")))?,
        };
        described.insert(database.to_owned(), key_space::described(journey.engine(), objects));
    }
    Ok(described)
}

/// Fails the task if the selected objects of the source are not those that were planned, or one was changed.
///
/// # Errors
/// When one was made, dropped or changed; it is named.
pub async fn source_unchanged(servers: &mut Servers<'_>, journey: &Journey) -> Result<(), Stop> {
    let described = describe_source(servers, journey).await?;
    let now = plan::plan(journey.engine(), journey.scope(), &journey.work.types, &described);
    let now: BTreeMap<_, u64> = now.iter().map(|planned| (identity(planned), planned.object.revision)).collect();
    let mut then = BTreeMap::new();
    for (entry, object) in journey.planned() {
        let planned = Planned { database: entry.database.clone(), object: object.clone() };
        then.insert(identity(&planned), entry.revision);
    }
    let all: BTreeSet<_> = now.keys().chain(then.keys()).collect();
    let is_same = |now: Option<&u64>, then: Option<&u64>| match (now, then) {
        (Some(now), Some(then)) => key_space::is_same(journey.engine(), *now, *then),
        _ => false,
    };
    match all.into_iter().find(|identity| !is_same(now.get(*identity), then.get(*identity))) {
        Some((database, _, _, name)) => Err(changed(database, name)),
        None => Ok(()),
    }
}

/// Database, kind, table and name, which together are an object's own.
fn identity(planned: &Planned) -> (String, ObjectKind, Option<String>, String) {
    let object = &planned.object;
    (planned.database.clone(), object.kind, object.table.clone(), object.name.clone())
}

/// Fails the task if what it made in the target is gone or a table there has other columns than it was given. The keys of
/// Redis have no definition that could change, and they go by themselves.
///
/// # Errors
/// When an object of the target was changed; it is named.
pub async fn target_unchanged(servers: &mut Servers<'_>, journey: &Journey) -> Result<(), Stop> {
    if journey.engine() == Engine::Redis {
        return Ok(());
    }
    let mut described: BTreeMap<String, Vec<Object>> = BTreeMap::new();
    for index in 0..journey.work.progress.len() {
        let (database, made) = journey.mapped(index)?;
        if !described.contains_key(&database) {
            let answer = servers.call(Side::Target, &Describe(&database)).await?;
            described.insert(database.clone(), answer.or_fail()?);
        }
        let objects = described.get(&database).map(Vec::as_slice).unwrap_or_default();
        if let Some(why) = difference(journey, objects, &made) {
            return Err(refused(Side::Target, &format!("{database}.{} was changed meanwhile: {why}", made.name)));
        }
    }
    Ok(())
}

fn difference(journey: &Journey, objects: &[Object], made: &Object) -> Option<String> {
    let is_it = |found: &&Object| found.kind == made.kind && found.name == made.name && found.table == made.table;
    let Some(found) = objects.iter().find(is_it) else {
        return Some("it is no longer there".to_owned());
    };
    let names = |object: &Object| -> Vec<String> { object.columns.iter().map(|column| column.name.clone()).collect() };
    let (has, given) = (names(found), names(made));
    let own = journey.has(MigrationType::Structure) && !journey.keeps_same_name();
    let fits = if own { has == given } else { given.iter().all(|column| has.contains(column)) };
    (!fits).then(|| format!("it has the columns {}, not {}", has.join(", "), given.join(", ")))
}
