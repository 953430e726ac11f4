//! The precheck of a task: every item is looked at, in order, and reported as soon as it is known.
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
mod target_permission;

use super::lease::LetGo;
use crate::model::precheck::{PrecheckItem, PrecheckOutcome, PrecheckResult};
use crate::model::work::Report;
use bench::{Bench, Snag};
use futures_util::future::BoxFuture;

/// How an item is looked at.
type Check = for<'a> fn(&'a mut Bench) -> BoxFuture<'a, Result<PrecheckOutcome, Snag>>;

/// The items, in the order they run and are shown.
const ITEMS: [(PrecheckItem, Check); 8] = [
    (PrecheckItem::SourceConnectivity, |bench| Box::pin(source_connectivity::check(bench))),
    (PrecheckItem::SourcePermission, |bench| Box::pin(source_permission::check(bench))),
    (PrecheckItem::TargetConnectivity, |bench| Box::pin(target_connectivity::check(bench))),
    (PrecheckItem::TargetPermission, |bench| Box::pin(target_permission::check(bench))),
    (PrecheckItem::SourceVersion, |bench| Box::pin(source_version::check(bench))),
    (PrecheckItem::SchemaExistence, |bench| Box::pin(schema_existence::check(bench))),
    (PrecheckItem::SameNameObject, |bench| Box::pin(same_name_object::check(bench))),
    (PrecheckItem::ConstraintIntegrity, |bench| Box::pin(constraint_integrity::check(bench))),
];

/// Looks at every item and reports it, then reports the precheck done.
///
/// # Errors
/// When the worker had to let go of the task.
pub async fn precheck(bench: &mut Bench) -> Result<(), LetGo> {
    for (item, check) in ITEMS {
        let outcome = match check(bench).await {
            Ok(outcome) | Err(Snag::Outcome(outcome)) => outcome,
            Err(Snag::LetGo(let_go)) => return Err(let_go),
        };
        bench.lease.report(vec![Report::PrecheckItem(PrecheckResult { item, outcome })]).await?;
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
