//! Precheck item: nothing in the target bears the name of what is to be made there (DTS-13, C-14).

use super::bench::{Bench, Snag};
use super::failed_if_any;
use crate::model::Engine;
use crate::model::content::{Object, ObjectKind};
use crate::model::precheck::PrecheckOutcome;
use crate::model::task::{MigrationType, SameNameMode};
use crate::worker::migrate::plan;
use crate::worker::scope::Scope;
use crate::worker::servers::Side;

/// Compares the names of the planned objects, as mapped, with the target's.
pub async fn check(bench: &mut Bench) -> Result<PrecheckOutcome, Snag> {
    let work = bench.work();
    if !bench.has(MigrationType::Structure) || work.same_name == SameNameMode::Ignore {
        return Ok(PrecheckOutcome::Success);
    }
    let described = bench.source_objects().await?;
    let (engine, scope) = (work.source.product.engine, Scope::new(&work.objects));
    let planned = plan::plan(engine, scope, &work.types, &described);
    let mut causes = Vec::new();
    let mut taken = Vec::new();
    for entry in plan::progress(engine, scope, &planned) {
        let (database, name) = (&entry.target_database, &entry.target_name);
        if !named_by_database(engine, entry.kind) {
            continue;
        }
        if taken.contains(&(database.clone(), entry.kind, name.clone())) {
            causes.push(format!("two selected objects are called {database}.{name} in the target"));
        }
        let there = bench.objects(Side::Target, database).await?;
        if let Some(object) = there.iter().find(|object| clash(engine, object, entry.kind, name)) {
            let word = format!("{:?}", object.kind).to_lowercase();
            causes.push(format!("{word} {database}.{name} is already in the target {}", work.target.instance));
        }
        taken.push((database.clone(), entry.kind, name.clone()));
    }
    let remedy = "Map each to another name, rename or drop it in the target, leave it out, or choose to ignore objects of \
                  the same name, then start again.";
    Ok(failed_if_any(&causes, remedy))
}

/// Whether an object's name is its own in the whole database. Names of indexes mostly belong to their table, those of
/// foreign keys always; they clash only where the tables do.
fn named_by_database(engine: Engine, kind: ObjectKind) -> bool {
    match kind {
        ObjectKind::ForeignKey => false,
        ObjectKind::Index => matches!(engine, Engine::PostgreSql | Engine::Ppas),
        _ => true,
    }
}

fn clash(engine: Engine, there: &Object, kind: ObjectKind, name: &str) -> bool {
    // SQL Server does not tell upper from lower case in names unless asked to.
    let same_name = match engine {
        Engine::SqlServer => there.name.eq_ignore_ascii_case(name),
        Engine::MySql | Engine::PostgreSql | Engine::Ppas | Engine::Redis => there.name == name,
    };
    let relations = [ObjectKind::Table, ObjectKind::View, ObjectKind::Sequence, ObjectKind::Synonym];
    same_name && (there.kind == kind || (relations.contains(&kind) && relations.contains(&there.kind)))
}
