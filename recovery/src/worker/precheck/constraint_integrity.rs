//! Precheck item: the parent table of every foreign key is selected with its child (DTS-14).

use super::bench::{Bench, Snag};
use super::failed_if_any;
use crate::model::content::ObjectKind;
use crate::model::precheck::PrecheckOutcome;
use crate::worker::scope::Scope;

/// Looks for foreign keys of selected tables whose parent is not selected.
pub async fn check(bench: &mut Bench) -> Result<PrecheckOutcome, Snag> {
    if !bench.loads() {
        return Ok(PrecheckOutcome::Success);
    }
    let described = bench.source_objects().await?;
    let work = bench.work();
    let scope = Scope::new(&work.objects);
    let mut causes = Vec::new();
    for (database, objects) in &described {
        for key in objects.iter().filter(|object| object.kind == ObjectKind::ForeignKey) {
            let Some(child) = key.table.as_ref().filter(|child| scope.place(database, child).is_some()) else {
                continue;
            };
            for parent in key.needs.iter().filter(|parent| *parent != child && scope.place(database, parent).is_none())
            {
                let key = &key.name;
                causes.push(format!(
                    "table {database}.{child} is selected without {database}.{parent}, which its foreign key {key} needs"
                ));
            }
        }
    }
    let remedy = "Select the parent tables too, leave the child tables out, or drop the foreign keys in the source, then \
                  start again.";
    Ok(failed_if_any(&causes, remedy))
}
