//! Precheck item: nothing in the target bears the name of what is to be made there (DTS-13, C-14).

use super::bench::{Bench, Snag};
use super::failed_if_any;
use crate::model::precheck::PrecheckOutcome;
use crate::model::task::{MigrationType, SameNameMode};
use crate::worker::migrate::plan;
use crate::worker::names::{clash, named_by_database};
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
