//! Decisions on the direct recovery of Redis instances: a backup set overwrites what is in its own instance.

use super::instances::{no_instance, settled, there, without_migration};
use super::{Context, Decided, Decision, backups, nothing, refuse};
use crate::model::instance::{Instance, InstanceState};
use crate::model::refusal::{Refusal, RefusalCode};
use crate::model::state::StateChange;
use crate::model::task::{Stage, Task, TaskStatus};
use crate::model::views::NewRecovery;
use crate::model::{BackupId, Edition, Engine, InstanceId};

/// Recovers a backup set into the instance it was taken of (RED-20, RED-21). What is there is overwritten, so that it has
/// to be confirmed; who did not is warned (RED-24).
///
/// # Errors
/// `InvalidDBInstanceId.NotFound`, `OperationDenied.DBInstanceType`, `…DBInstanceStatus`, `…MigrationInProgress`,
/// `InvalidBackupId.NotFound`, `OperationDenied.BackupStatus`, `…NotConfirmed`.
pub fn create(ctx: &Context<'_>, id: &InstanceId, new: &NewRecovery) -> Decided<()> {
    check_product(ctx, there(ctx, id)?)?;
    let instance = settled(ctx, id)?;
    without_migration(ctx, id)?;
    without_ordered_migration(ctx, id)?;
    let set = &new.backup_set_id;
    backups::by_set(ctx.state, id, set, ctx.now)?;
    if !new.overwrite_confirmed {
        let detail = format!(
            "a direct recovery is highly risky: it overwrites all data of instance {id}, and what was written after \
             backup set {set} is lost. If time permits, clone the instance from the set and verify the data there \
             first. To overwrite all the same, confirm it: overwrite_confirmed is false"
        );
        return refuse(RefusalCode::NotConfirmed, detail);
    }
    let instance = Instance {
        state: InstanceState::BackupRecovering,
        recovering: Some(set.clone()),
        recoveries: instance.recoveries + 1,
        failure: None,
        ..instance.clone()
    };
    Ok(Decision::new(vec![StateChange::Instance(Box::new(instance))], ()))
}

fn check_product(ctx: &Context<'_>, instance: &Instance) -> Result<(), Refusal> {
    if instance.product.engine == Engine::Redis {
        return check_cluster(ctx, instance);
    }
    let detail = format!(
        "instance {} is {}, which is not overwritten; recover through a temporary or clone instance instead",
        instance.id, instance.product
    );
    refuse(RefusalCode::ProductNotSupported, detail)
}

/// Refuses a Redis cluster where the policy does (C-27).
pub(super) fn check_cluster(ctx: &Context<'_>, instance: &Instance) -> Result<(), Refusal> {
    let is_cluster = instance.product.engine == Engine::Redis && instance.product.edition == Edition::Cluster;
    if !is_cluster || ctx.policy.redis_cluster_recoverable {
        return Ok(());
    }
    let detail = format!("instance {} is a cluster, which is neither recovered nor cloned", instance.id);
    refuse(RefusalCode::ProductNotSupported, detail)
}

/// Refuses while a task on the instance is being checked for the last time before it starts by itself.
fn without_ordered_migration(ctx: &Context<'_>, id: &InstanceId) -> Result<(), Refusal> {
    let starts = |task: &&Task| {
        task.status == TaskStatus::Prechecking
            && task.stage == Stage::Ordered
            && (task.source.instance == *id || task.target.instance == *id)
    };
    match ctx.state.tasks.values().find(starts) {
        None => Ok(()),
        Some(task) => refuse(
            RefusalCode::MigrationInProgress,
            format!("migration task {} on instance {id} is about to start; wait until it ends, or delete it", task.id),
        ),
    }
}

/// Refuses while one of a task's instances is being recovered: what it reads or writes would be neither old nor new.
pub(super) fn none_on(ctx: &Context<'_>, task: &Task) -> Result<(), Refusal> {
    let is_recovering = |id: &&InstanceId| {
        ctx.state.instances.get(id).is_some_and(|instance| instance.state == InstanceState::BackupRecovering)
    };
    match [&task.source.instance, &task.target.instance].into_iter().find(is_recovering) {
        None => Ok(()),
        Some(id) => refuse(
            RefusalCode::InstanceStatus,
            format!("instance {id} is {:?}; wait until it is Running", InstanceState::BackupRecovering),
        ),
    }
}

/// All of the set is in the instance.
///
/// # Errors
/// `InvalidDBInstanceId.NotFound`.
pub fn done(ctx: &Context<'_>, id: &InstanceId, recovery: u64) -> Decided<()> {
    let Some((instance, set)) = under_way(ctx, id, recovery)? else { return nothing() };
    let held = ctx.state.backups.get(set).and_then(|backup| backup.held.as_ref());
    let recovered_to = held.map(|held| held.to_time).or(instance.recovered_to);
    ended(Instance { recovered_to, ..instance.clone() })
}

/// The set could not be recovered; the instance goes on with what it holds and says why.
///
/// # Errors
/// `InvalidDBInstanceId.NotFound`.
pub fn failed(ctx: &Context<'_>, id: &InstanceId, recovery: u64, why: &str) -> Decided<()> {
    let Some((instance, set)) = under_way(ctx, id, recovery)? else { return nothing() };
    ended(Instance { failure: Some(format!("recovery from backup set {set}: {why}")), ..instance.clone() })
}

/// The instance with the set that is being recovered into it, while this recovery is under way.
fn under_way<'a>(
    ctx: &Context<'a>,
    id: &InstanceId,
    recovery: u64,
) -> Result<Option<(&'a Instance, &'a BackupId)>, Refusal> {
    let instance = ctx.state.instances.get(id).ok_or_else(|| no_instance(id))?;
    let is_it = instance.state == InstanceState::BackupRecovering && instance.recoveries == recovery;
    Ok(instance.recovering.as_ref().filter(|_| is_it).map(|set| (instance, set)))
}

fn ended(instance: Instance) -> Decided<()> {
    let instance = Instance { state: InstanceState::Running, recovering: None, ..instance };
    Ok(Decision::new(vec![StateChange::Instance(Box::new(instance))], ()))
}

#[cfg(test)]
#[path = "recoveries_tests.rs"]
mod tests;
