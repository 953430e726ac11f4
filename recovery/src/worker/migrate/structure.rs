//! Making the planned objects in the target.

use super::journey::Journey;
use super::plan::Stage;
use crate::model::Engine;
use crate::model::content::{Object, ObjectKind};
use crate::ports::database::DatabaseError;
use crate::worker::ask::{Create, Describe};
use crate::worker::lease::Stop;
use crate::worker::servers::{Servers, Side, refused};
use crate::worker::sql;
use std::collections::BTreeMap;

/// Makes the objects of a stage that are not made yet, in order.
///
/// # Errors
/// When an object cannot be made, or the lease is over.
pub async fn make(servers: &mut Servers<'_>, journey: &mut Journey, stage: Stage) -> Result<(), Stop> {
    let mut before = Before::default();
    for index in journey.of_stage(stage) {
        let progress = &journey.work.progress[index];
        if progress.made {
            continue;
        }
        if !progress.announced && !journey.keeps_same_name() {
            before.refuse_taken(servers, journey, index).await?;
        }
        make_one(servers, journey, index).await?;
    }
    Ok(())
}

/// What the target held before a stage. An object that is not announced yet and is there already is not this task's: it
/// must not be announced, or a later attempt would take it for its own (DTS-13).
#[derive(Default)]
struct Before(BTreeMap<String, Vec<Object>>);

impl Before {
    async fn refuse_taken(&mut self, servers: &mut Servers<'_>, journey: &Journey, index: usize) -> Result<(), Stop> {
        let (database, object) = journey.mapped(index)?;
        if !self.0.contains_key(&database) {
            let answer = servers.call(Side::Target, &Describe(&database)).await?;
            let objects = match answer.outcome {
                Err(DatabaseError::NoSuchDatabase(_)) => Vec::new(),
                outcome => outcome.map_err(|error| cannot_make(&database, &object, &error))?,
            };
            self.0.insert(database.clone(), objects);
        }
        let mut there = self.0.get(&database).into_iter().flatten();
        match there.find(|found| is_in_place_of(found, &object)) {
            Some(_) => Err(cannot_make(&database, &object, &"an object of that name is there already")),
            None => Ok(()),
        }
    }
}

fn is_in_place_of(found: &Object, wanted: &Object) -> bool {
    found.kind == wanted.kind && found.name == wanted.name && found.table == wanted.table
}

/// Announces an object, makes it, and notes it made. One that is there already is this task's own when it was
/// announced before this attempt, or the call was repeated, and it looks as it would have been made.
async fn make_one(servers: &mut Servers<'_>, journey: &mut Journey, index: usize) -> Result<(), Stop> {
    let (database, object) = journey.mapped(index)?;
    let announced = journey.work.progress[index].announced;
    refuse_broken(servers, journey, index, &database).await?;
    if !announced {
        journey.report(servers, index, |progress| progress.announced = true).await?;
    }
    let answer = servers.call(Side::Target, &Create(&database, &object)).await?;
    let may_be_own = announced || answer.repeated;
    match answer.outcome {
        Ok(()) => {}
        Err(DatabaseError::ObjectExists(_)) if journey.keeps_same_name() => {}
        Err(DatabaseError::ObjectExists(_)) if may_be_own && is_there(servers, journey, &database, &object).await? => {}
        Err(error) => return Err(cannot_make(&database, &object, &error)),
    }
    journey.made(servers, index).await?;
    Ok(())
}

fn cannot_make(database: &str, object: &Object, why: &impl ToString) -> Stop {
    let (kind, name) = (object.kind, &object.name);
    refused(Side::Target, &format!("{kind:?} {database}.{name} could not be made: {}", why.to_string()))
}

/// Refuses a view, trigger or routine that needs a name the target does not have, because what bears it was renamed: its
/// text is not rewritten, and it must not be left pointing at nothing (DTS-06).
async fn refuse_broken(servers: &mut Servers<'_>, journey: &Journey, index: usize, database: &str) -> Result<(), Stop> {
    let planned = journey.source(index)?;
    let look = |in_target: &dyn Fn(&str) -> bool| {
        journey.with_names(&planned.database, |names| names.broken(&planned.object, database, in_target))
    };
    if look(&|_| false).is_none() {
        return Ok(());
    }
    let described = servers.call(Side::Target, &Describe(database)).await?.or_fail()?;
    let in_target = |name: &str| {
        let relations = [ObjectKind::Table, ObjectKind::View];
        described.iter().any(|object| relations.contains(&object.kind) && object.name == name)
    };
    match look(&in_target) {
        None => Ok(()),
        Some(why) => Err(cannot_make(database, &planned.object, &why)),
    }
}

async fn is_there(servers: &mut Servers<'_>, journey: &Journey, database: &str, wanted: &Object) -> Result<bool, Stop> {
    let described = servers.call(Side::Target, &Describe(database)).await?.or_fail()?;
    Ok(described.iter().any(|found| is_same(journey.engine(), found, wanted)))
}

/// Whether an object of the target is the one that would be made: the same statement, or for a table the same columns
/// and key.
fn is_same(engine: Engine, found: &Object, wanted: &Object) -> bool {
    let same_table = wanted.kind == ObjectKind::Table && found.columns == wanted.columns && found.key == wanted.key;
    is_in_place_of(found, wanted) && (same_table || sql::same(engine, &found.definition, &wanted.definition))
}
