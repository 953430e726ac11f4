//! The precheck of a task: every item of its kind is looked at, in order, and reported as soon as it is known.
//!
//! A precheck looks afresh each time (C-07) and only reads, except that it makes a database that the target lacks (DTS-15).

pub mod bench;
mod constraint_integrity;
pub mod restore;
mod same_name_object;
mod schema_existence;
mod source_connectivity;
mod source_permission;
mod source_version;
mod target_connectivity;
mod target_empty;
mod target_permission;

use super::lease::LetGo;
use super::servers::Side;
use crate::model::Engine;
use crate::model::precheck::{PrecheckItem, PrecheckOutcome, PrecheckResult};
use crate::model::task::MigrationType;
use crate::model::work::Report;
use bench::{Bench, Snag};
use futures_util::future::BoxFuture;

/// Whether an item is one of a task's.
type Applies = fn(&Bench) -> bool;

/// How an item is looked at.
type Check = for<'a> fn(&'a mut Bench) -> BoxFuture<'a, Result<PrecheckOutcome, Snag>>;

/// The items, in the order they run and are shown, and the tasks they are for (prechecks.md 2.4).
const ITEMS: [(PrecheckItem, Applies, Check); 9] = [
    (PrecheckItem::SourceConnectivity, always, |bench| Box::pin(source_connectivity::check(bench))),
    (PrecheckItem::SourcePermission, always, |bench| Box::pin(source_permission::check(bench))),
    (PrecheckItem::TargetConnectivity, always, |bench| Box::pin(target_connectivity::check(bench))),
    (PrecheckItem::TargetPermission, always, |bench| Box::pin(target_permission::check(bench))),
    (PrecheckItem::SourceVersion, always, |bench| Box::pin(source_version::check(bench))),
    (PrecheckItem::SchemaExistence, has_schema, |bench| Box::pin(schema_existence::check(bench))),
    (PrecheckItem::SameNameObject, has_schema, |bench| Box::pin(same_name_object::check(bench))),
    (PrecheckItem::ConstraintIntegrity, has_schema, |bench| Box::pin(constraint_integrity::check(bench))),
    (PrecheckItem::TargetEmpty, fills_keys, |bench| Box::pin(target_empty::check(bench))),
];

fn always(_: &Bench) -> bool {
    true
}

/// A Redis instance has sixteen databases of keys and no objects with names; its target has to be empty instead.
fn has_schema(bench: &Bench) -> bool {
    bench.access(Side::Source).product.engine != Engine::Redis
}

fn fills_keys(bench: &Bench) -> bool {
    !has_schema(bench) && bench.has(MigrationType::Full)
}

/// Looks at every item and notes it, then reports the precheck done.
///
/// # Errors
/// When the worker had to let go of the task.
pub async fn precheck(bench: &mut Bench) -> Result<(), LetGo> {
    let items = ITEMS.into_iter().filter(|(_, applies, _)| applies(bench)).collect::<Vec<_>>();
    for (item, _, check) in items {
        let outcome = match check(bench).await {
            Ok(outcome) | Err(Snag::Outcome(outcome)) => outcome,
            Err(Snag::LetGo(let_go)) => return Err(let_go),
        };
        bench.lease.note(Report::PrecheckItem(PrecheckResult { item, outcome })).await?;
    }
    bench.lease.report(vec![Report::PrecheckDone]).await
}

/// A failed item.
fn failed(cause: impl Into<String>, remedy: impl Into<String>) -> PrecheckOutcome {
    PrecheckOutcome::Failed { cause: cause.into(), remedy: remedy.into() }
}

/// An item that warns if anything was found.
fn warned_if_any(causes: &[String], remedy: impl Into<String>) -> PrecheckOutcome {
    match causes {
        [] => PrecheckOutcome::Success,
        causes => PrecheckOutcome::Warning { cause: causes.join("; "), remedy: remedy.into() },
    }
}

/// An item that fails if anything was found.
fn failed_if_any(causes: &[String], remedy: impl Into<String>) -> PrecheckOutcome {
    if causes.is_empty() { PrecheckOutcome::Success } else { failed(causes.join("; "), remedy) }
}
