//! The precheck of a task: every item of its kind is looked at, several side by side, and reported as soon as it is known.
//!
//! A precheck looks afresh each time (C-07) and only reads, except that it makes a database that the target lacks
//! (DTS-15). An item has one file, which says what it is and how it is looked at, and one line in the list below.

mod advice;
pub mod bench;
mod binlog;
mod binlog_existence;
mod binlog_mode;
mod binlog_on;
mod binlog_row_image;
mod constraint_integrity;
mod eviction_policy;
mod grants;
pub mod item;
mod password_format;
mod psync;
mod recovery_model;
pub mod restore;
mod same_name_object;
mod schema_existence;
mod server_id;
mod source_connectivity;
mod source_permission;
mod source_version;
mod sql_mode;
mod storage_engine;
mod superuser;
mod target_connectivity;
mod target_empty;
mod target_permission;
mod target_super;
mod target_tables_empty;
mod topology;

use super::lease::{Lease, LetGo};
use crate::model::precheck::{Finding, Findings, PrecheckOutcome, PrecheckResult};
use crate::model::work::{MigrationJob, Report};
use crate::ports::{Clock, Database};
use bench::{Bench, Snag};
use futures_util::{StreamExt, stream};
use item::{About, Item, Looked, Weight};
use jiff::SignedDuration;
use std::sync::Arc;

/// Items looked at side by side.
const AT_ONCE: usize = 4;

/// The items of a migration, in the order they are begun.
const ITEMS: [Item<Bench>; 24] = [
    source_connectivity::ITEM,
    source_permission::ITEM,
    target_connectivity::ITEM,
    target_permission::ITEM,
    source_version::ITEM,
    schema_existence::ITEM,
    same_name_object::ITEM,
    constraint_integrity::ITEM,
    target_empty::ITEM,
    eviction_policy::ITEM,
    binlog_on::ITEM,
    binlog_mode::ITEM,
    binlog_row_image::ITEM,
    server_id::ITEM,
    binlog_existence::ITEM,
    storage_engine::ITEM,
    password_format::ITEM,
    sql_mode::ITEM,
    target_tables_empty::ITEM,
    recovery_model::ITEM,
    superuser::ITEM,
    psync::ITEM,
    topology::ITEM,
    target_super::ITEM,
];

/// Codes of the documents that no task here gives anything to look at, and why.
pub const LEFT_OUT: [(&str, &str); 1] = [(
    "CHECK_SAME_USER",
    "Accounts of the same name clash only where accounts are migrated, and no task migrates accounts.",
)];

/// Every item there is: those of a migration, its advice, then those of a restore.
pub fn every() -> impl Iterator<Item = About> {
    ITEMS.iter().chain(&advice::ITEMS).map(|item| item.about).chain(restore::ITEMS.iter().map(|item| item.about))
}

/// Prechecks a migration.
///
/// # Errors
/// When the worker had to let go of the task.
pub async fn precheck(
    clock: Arc<dyn Clock>,
    database: Arc<dyn Database>,
    lease: &mut Lease,
    job: MigrationJob,
) -> Result<(), LetGo> {
    let items = applying(&job);
    let bench = Bench::new(Arc::clone(&clock), database, lease, job);
    look(&*clock, &bench, lease, &items).await
}

/// The items that the precheck of a migration looks at, in the order they are begun.
pub(super) fn applying(work: &MigrationJob) -> Vec<&'static Item<Bench>> {
    let engine = work.source.product.engine;
    let applies = |item: &&Item<Bench>| {
        let about = &item.about;
        about.engines.contains(&engine) && about.needs.met_by(&work.types) && !work.without_advice.contains(&about.item)
    };
    ITEMS.iter().chain(&advice::ITEMS).filter(applies).collect()
}

/// Looks at items and notes each as it is known, then reports the precheck done.
pub(super) async fn look<B: Sync>(
    clock: &(dyn Clock + 'static),
    bench: &B,
    lease: &mut Lease,
    items: &[&Item<B>],
) -> Result<(), LetGo> {
    let looks = items.iter().map(|item| {
        let look = (item.look)(bench);
        async move {
            let looked = clock.timeout(SignedDuration::from_secs(item.limit_s), look).await;
            (item.about, looked.unwrap_or_else(|| Err(unfinished(item.limit_s))))
        }
    });
    let mut looking = stream::iter(looks.collect::<Vec<_>>()).buffer_unordered(AT_ONCE);
    while let Some((about, looked)) = lease.keep(looking.next()).await? {
        let outcome = outcome(about.weight, looked)?;
        lease.note(Report::PrecheckItem(PrecheckResult { item: about.item, outcome })).await?;
    }
    lease.report(vec![Report::PrecheckDone]).await
}

/// What an item's findings come to. An item that could not be looked at weighs what its findings would.
fn outcome(weight: Weight, looked: Looked) -> Result<PrecheckOutcome, LetGo> {
    let found = match looked {
        Ok(found) => found,
        Err(Snag::Found(finding)) => vec![finding],
        Err(Snag::LetGo(let_go)) => return Err(let_go),
    };
    Ok(match weight {
        _ if found.is_empty() => PrecheckOutcome::Success,
        Weight::Firm => PrecheckOutcome::Failed(Findings::of(found)),
        Weight::Light | Weight::Advice => PrecheckOutcome::Warning(Findings::of(found)),
    })
}

fn unfinished(limit_s: i64) -> Snag {
    Snag::Found(Finding::new(
        format!("could not be looked at to the end within {limit_s} seconds"),
        "See that both servers answer and are not overloaded, then start again.",
    ))
}
