//! Making databases and objects in the target, and what an object of the same name there means (LOG-37, LOG-38).

use super::Stop;
use super::plan::Plan;
use super::progress::Progress;
use crate::model::Engine;
use crate::model::content::{Object, ObjectKind};
use crate::model::logical::restore::{RestoreFailure, RestoredStatus, StructureConflict};
use crate::model::work::RestoreJob;
use crate::ports::database::DatabaseError;
use crate::worker::ask::{Create, CreateDatabase, Databases, Describe};
use crate::worker::names::{takes_name, word};
use crate::worker::servers::{Servers, Side};
use crate::worker::sql;
use std::collections::BTreeMap;

/// Makes the databases that the target lacks.
///
/// # Errors
/// When one cannot be made, or the lease is over.
pub async fn make_databases(servers: &mut Servers<'_>, plan: &Plan) -> Result<(), Stop> {
    let there = servers.call(Side::Target, &Databases).await?.outcome;
    let there = there.map_err(|error| refused("the list of databases".to_owned(), &error))?;
    for (name, charset) in &plan.databases {
        if there.iter().any(|database| database.name == *name) {
            continue;
        }
        match servers.call(Side::Target, &CreateDatabase(name, charset)).await?.outcome {
            Ok(()) | Err(DatabaseError::ObjectExists(_)) => {}
            Err(error) => return Err(refused(format!("database {name}"), &error)),
        }
    }
    Ok(())
}

/// What the target held when it was first looked at, and what was made since.
#[derive(Default)]
pub struct Target(BTreeMap<String, Vec<Object>>);

impl Target {
    async fn objects(&mut self, servers: &mut Servers<'_>, database: &str) -> Result<&mut Vec<Object>, Stop> {
        if !self.0.contains_key(database) {
            let objects = describe(servers, database).await?;
            self.0.insert(database.to_owned(), objects);
        }
        Ok(self.0.entry(database.to_owned()).or_default())
    }
}

/// The objects of a database of the target; none where there is no such database.
///
/// # Errors
/// When it cannot be described, or the lease is over.
pub async fn describe(servers: &mut Servers<'_>, database: &str) -> Result<Vec<Object>, Stop> {
    match servers.call(Side::Target, &Describe(database)).await?.outcome {
        Ok(objects) => Ok(objects),
        Err(DatabaseError::NoSuchDatabase(_)) => Ok(Vec::new()),
        Err(error) => Err(refused(format!("database {database}"), &error)),
    }
}

/// The failure of a restore whose target refused something.
#[must_use]
pub fn refused(object: String, error: &impl ToString) -> Stop {
    Stop::Failed(RestoreFailure::Refused { object, detail: error.to_string() })
}

/// Makes one object, announced before; one that an attempt before made already counts as made.
///
/// # Errors
/// When it cannot be made, its name is taken and conflicts are to stop the task, or the lease is over.
pub async fn make(
    servers: &mut Servers<'_>,
    job: &RestoreJob,
    plan: &Plan,
    progress: &mut Progress,
    target: &mut Target,
    index: usize,
) -> Result<(), Stop> {
    let (entry, object) = (progress.details[index].clone(), &plan.made[index]);
    let engine = job.source_product.engine;
    let called = format!("{} {}.{}", word(object.kind), entry.database, object.name);
    if !entry.announced {
        let there = target.objects(servers, &entry.database).await?;
        if there.iter().any(|found| takes_name(engine, found, object)) {
            return conflict(servers, job, progress, index, called).await;
        }
        progress.announce(servers, index).await?;
    }
    let answer = servers.call(Side::Target, &Create(&entry.database, object)).await?;
    let may_be_own = entry.announced || answer.repeated;
    match answer.outcome {
        Ok(()) => {}
        Err(_) if may_be_own && is_there(servers, job, engine, &entry.database, object).await? => {}
        Err(DatabaseError::ObjectExists(_)) => return conflict(servers, job, progress, index, called).await,
        Err(error) => return Err(refused(called, &error)),
    }
    target.objects(servers, &entry.database).await?.push(object.clone());
    Ok(progress.end(servers, index, RestoredStatus::Done).await?)
}

async fn conflict(
    servers: &mut Servers<'_>,
    job: &RestoreJob,
    progress: &mut Progress,
    index: usize,
    object: String,
) -> Result<(), Stop> {
    match job.structure_conflict {
        StructureConflict::Ignore => Ok(progress.end(servers, index, RestoredStatus::Skipped).await?),
        StructureConflict::Stop => Err(Stop::Failed(RestoreFailure::ObjectExists { object })),
    }
}

/// Whether the target has the object as it would have been made. Servers write definitions in their own way: a table is
/// known by columns and key, an index by its table, and others by their text or by their definer.
async fn is_there(
    servers: &mut Servers<'_>,
    job: &RestoreJob,
    engine: Engine,
    database: &str,
    wanted: &Object,
) -> Result<bool, Stop> {
    let names = |object: &Object| -> Vec<String> { object.columns.iter().map(|column| column.name.clone()).collect() };
    let is_same = |found: &Object| match wanted.kind {
        ObjectKind::Table => names(found) == names(wanted) && found.key == wanted.key,
        ObjectKind::Index => true,
        _ => {
            let account = &job.target.login.account;
            let own = found.definer.as_ref().is_some_and(|definer| definer.split('@').next() == Some(account));
            own || sql::same(engine, &found.definition, &wanted.definition)
        }
    };
    let there = describe(servers, database).await?;
    let in_place =
        |found: &&Object| found.kind == wanted.kind && found.name == wanted.name && found.table == wanted.table;
    Ok(there.iter().find(in_place).is_some_and(is_same))
}
