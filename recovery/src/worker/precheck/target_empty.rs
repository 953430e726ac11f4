//! Precheck item: a Redis target of a full migration holds no key at all (prechecks.md section 9).
//!
//! Keys of the source would stand beside the target's own, and lists would hold elements of both. To ignore objects of
//! the same name does not help: the documents know no exception.

use super::bench::{Bench, Snag};
use super::failed_if_any;
use crate::model::precheck::PrecheckOutcome;
use crate::worker::servers::Side;

/// Looks for keys in every logical database of the target.
pub async fn check(bench: &mut Bench) -> Result<PrecheckOutcome, Snag> {
    let instance = bench.access(Side::Target).instance.clone();
    let mut causes = Vec::new();
    for database in bench.databases(Side::Target).await? {
        let objects = bench.objects(Side::Target, &database.name).await?;
        let keys: u64 = objects.iter().map(|object| object.rows).sum();
        if keys > 0 {
            causes.push(format!("database {} of the target {instance} holds {keys} keys", database.name));
        }
    }
    let remedy = format!("Empty {instance}, or choose a target without keys, then start again.");
    Ok(failed_if_any(&causes, remedy))
}
