//! Decisions on instances: asking for one, its settings, and its way from creating to released.

use super::views::state_shown;
use super::{Context, Decided, Decision, charges, nothing, refuse};
use crate::model::instance::{
    BackupPolicy, Billing, Configuration, FirstAccount, Instance, InstanceState, NetworkType, Origin,
};
use crate::model::policy::Policy;
use crate::model::refusal::{Refusal, RefusalCode};
use crate::model::state::StateChange;
use crate::model::task::Task;
use crate::model::views::{ConfigurationChange, NewInstance, Role};
use crate::model::{Engine, InstanceId, Product, Series, Version};
use crate::ports::clock::later_s;
use crate::ports::cloud::Made;
use std::collections::{BTreeMap, BTreeSet};

/// Addresses a new instance may be reached from: those of the people and programs that work with it.
const WHITELIST_AT_FIRST: [&str; 2] = ["operator", "application"];
/// Days a backup stays at least and at most.
const RETENTION_DAYS: std::ops::RangeInclusive<u16> = 7..=730;

/// The settings of a new instance. The automatic data backup is off until weekdays are chosen; logs are backed up as
/// soon as there is a data backup, except those of Redis, which has none (RED-02) and whose retention is fixed (RED-07).
#[must_use]
pub fn configuration_at_first(policy: &Policy, engine: Engine) -> Configuration {
    let is_redis = engine == Engine::Redis;
    let retention_days = if is_redis { policy.redis_retention_days } else { *RETENTION_DAYS.start() };
    Configuration {
        whitelist: WHITELIST_AT_FIRST.map(str::to_owned).into(),
        ssl: false,
        parameters: BTreeMap::new(),
        backup_policy: BackupPolicy {
            weekdays: BTreeSet::new(),
            hour: 18,
            log_backup: !is_redis,
            data_retention_days: retention_days,
            log_retention_days: retention_days,
        },
        alarm_thresholds: BTreeMap::new(),
    }
}

pub(super) fn no_instance(id: &InstanceId) -> Refusal {
    Refusal::new(
        RefusalCode::InstanceNotFound,
        format!("there is no instance {id}, or it was released; GET /v1/instances lists those there are"),
    )
}

/// An instance that exists for a user, running or not.
pub(super) fn there<'a>(ctx: &Context<'a>, id: &InstanceId) -> Result<&'a Instance, Refusal> {
    ctx.state.instances.get(id).filter(|instance| instance.is_there(ctx.now)).ok_or_else(|| no_instance(id))
}

fn not_running<T>(id: &InstanceId, state: InstanceState) -> Result<T, Refusal> {
    refuse(RefusalCode::InstanceStatus, format!("instance {id} is {state:?}; wait until it is Running"))
}

/// An instance that exists and runs (one that is being cloned runs too).
///
/// # Errors
/// `InvalidDBInstanceId.NotFound` or `OperationDenied.DBInstanceStatus`.
pub fn running<'a>(ctx: &Context<'a>, id: &InstanceId) -> Result<&'a Instance, Refusal> {
    let instance = there(ctx, id)?;
    match instance.state_at(ctx.now) {
        InstanceState::Running => Ok(instance),
        other => not_running(id, other),
    }
}

/// An instance that shows `Running` and nothing else (CLN-18, DTS-16).
pub(super) fn settled<'a>(ctx: &Context<'a>, id: &InstanceId) -> Result<&'a Instance, Refusal> {
    let instance = running(ctx, id)?;
    match state_shown(instance, ctx.state, ctx.now) {
        InstanceState::Running => Ok(instance),
        other => not_running(id, other),
    }
}

/// Refuses while a migration task is under way on the instance.
pub(super) fn without_migration(ctx: &Context<'_>, id: &InstanceId) -> Result<(), Refusal> {
    let on_it = |task: &&Task| task.is_under_way() && (task.source.instance == *id || task.target.instance == *id);
    match ctx.state.tasks.values().find(on_it) {
        None => Ok(()),
        Some(task) => refuse(
            RefusalCode::MigrationInProgress,
            format!("migration task {} is under way on instance {id}; wait until it ends, or stop it", task.id),
        ),
    }
}

/// Asks for a primary, read-only or disaster recovery instance; Redis has primary instances only (document 004).
///
/// # Errors
/// `InvalidParameter`, `OperationDenied.DBInstanceType`, and those of [`running`] for the master.
pub fn create(ctx: &Context<'_>, new: &NewInstance) -> Decided<InstanceId> {
    let invalid = |detail: &str| refuse(RefusalCode::InvalidParameter, detail);
    if new.region.trim().is_empty() {
        return invalid("region is empty; name the region the instance is to be in");
    }
    if new.billing == Some(Billing::Free) {
        return invalid("billing free is for temporary instances; choose pay-as-you-go or subscription");
    }
    let origin = origin(ctx, new)?;
    if let Some(account) = &new.account {
        if origin != Origin::Primary {
            return invalid("account is for a primary instance; a replica has the accounts of its master");
        }
        if account.name.trim().is_empty() || account.password.is_empty() {
            return invalid("account needs a name and a password");
        }
    }
    let id = InstanceId((ctx.new_id)("rm-"));
    let instance = Instance {
        id: id.clone(),
        product: new.product,
        origin,
        region: new.region.clone(),
        network: new.network.unwrap_or(NetworkType::Classic),
        state: InstanceState::Creating,
        endpoint: None,
        configuration: configuration_at_first(ctx.policy, new.product.engine),
        billing: new.billing.unwrap_or(Billing::PayAsYouGo),
        requested_at: ctx.now,
        created_at: None,
        expires_at: None,
        released_at: None,
        recovered_to: None,
        recovering: None,
        recoveries: 0,
        scheduled_at: None,
        failure: None,
        first_account: new.account.as_ref().map(|account| FirstAccount {
            name: account.name.clone(),
            password: account.password.clone(),
            grants: account.grants.clone(),
        }),
    };
    Ok(Decision::new(vec![StateChange::Instance(Box::new(instance))], id))
}

fn origin(ctx: &Context<'_>, new: &NewInstance) -> Result<Origin, Refusal> {
    let role = new.role.unwrap_or(Role::Primary);
    let master = match (role, &new.master) {
        (Role::ReadOnly | Role::DisasterRecovery, _) if new.product.engine == Engine::Redis => {
            let detail = "a Redis instance has its replica within it; only primary instances of it are made";
            return refuse(RefusalCode::ProductNotSupported, detail);
        }
        (Role::Primary, None) => return Ok(Origin::Primary),
        (Role::Primary, Some(_)) => {
            return refuse(RefusalCode::InvalidParameter, "a primary instance has no master; leave master out");
        }
        (_, None) => {
            return refuse(RefusalCode::InvalidParameter, "a read-only or disaster recovery instance needs a master");
        }
        (_, Some(master)) => running(ctx, master)?,
    };
    if master.origin != Origin::Primary {
        return refuse(
            RefusalCode::InvalidParameter,
            format!("instance {} is not a primary instance; only those may be a master", master.id),
        );
    }
    if (master.product.engine, master.product.version) != (new.product.engine, new.product.version) {
        let detail =
            format!("the master {} is {}; a replica needs the same engine and version", master.id, master.product);
        return refuse(RefusalCode::InvalidParameter, detail);
    }
    let master = master.id.clone();
    Ok(match role {
        Role::DisasterRecovery => Origin::DisasterRecovery { master },
        Role::Primary | Role::ReadOnly => Origin::ReadOnly { master },
    })
}

/// Changes settings: what is given replaces what was, parameters one by one.
///
/// # Errors
/// `InvalidParameter`, `OperationDenied.BackupMethod`, `OperationDenied.RetentionFixed`, `OperationDenied.SSL`, and those
/// of [`running`].
pub fn configure(ctx: &Context<'_>, id: &InstanceId, change: &ConfigurationChange) -> Decided<Configuration> {
    let instance = running(ctx, id)?;
    let mut settings = instance.configuration.clone();
    let mut scheduled_at = instance.scheduled_at;
    if let Some(whitelist) = &change.whitelist {
        if whitelist.iter().any(|entry| entry.is_empty() || entry.contains(char::is_whitespace)) {
            return refuse(
                RefusalCode::InvalidParameter,
                "the whitelist holds an empty address or one with a blank; name hosts exactly, or 0.0.0.0/0 for all",
            );
        }
        settings.whitelist.clone_from(whitelist);
    }
    if let Some(ssl) = change.ssl {
        check_ssl(instance, ssl)?;
        settings.ssl = ssl;
    }
    if let Some(parameters) = &change.parameters {
        if parameters.keys().any(|name| name.trim().is_empty()) {
            return refuse(RefusalCode::InvalidParameter, "a parameter without a name cannot be set");
        }
        settings.parameters.extend(parameters.clone());
    }
    if let Some(policy) = &change.backup_policy {
        check_backup_policy(ctx.policy, instance, policy)?;
        let schedule = |policy: &BackupPolicy| (policy.weekdays.clone(), policy.hour);
        if schedule(policy) != schedule(&settings.backup_policy) {
            scheduled_at = Some(ctx.now);
        }
        settings.backup_policy.clone_from(policy);
    }
    if let Some(thresholds) = &change.alarm_thresholds {
        settings.alarm_thresholds.clone_from(thresholds);
    }
    let instance = Instance { configuration: settings.clone(), scheduled_at, ..instance.clone() };
    Ok(Decision::new(vec![StateChange::Instance(Box::new(instance))], settings))
}

/// Whether SSL can be had (prechecks.md section 8): SQL Server, MySQL 8.0 and 5.7 high-availability, MySQL 5.6.
fn has_ssl(product: &Product) -> bool {
    match (product.engine, product.version) {
        (Engine::SqlServer, _) | (Engine::MySql, Version::V5_6) => true,
        (Engine::MySql, Version::V8_0 | Version::V5_7) => product.series == Series::HighAvailability,
        _ => false,
    }
}

fn check_ssl(instance: &Instance, ssl: bool) -> Result<(), Refusal> {
    if ssl && !has_ssl(&instance.product) {
        let detail = format!("SSL is not offered for {}; connect to {} without it", instance.product, instance.id);
        return refuse(RefusalCode::SslNotSupported, detail);
    }
    if !ssl && instance.configuration.ssl && instance.product.engine == Engine::SqlServer {
        let detail = format!("SSL is on at {} and cannot be switched off again for SQL Server", instance.id);
        return refuse(RefusalCode::SslNotSupported, detail);
    }
    Ok(())
}

fn check_backup_policy(fixed: &Policy, instance: &Instance, policy: &BackupPolicy) -> Result<(), Refusal> {
    let invalid = |detail: String| refuse(RefusalCode::InvalidParameter, detail);
    if instance.product.engine == Engine::Redis {
        return check_redis_policy(fixed, instance, policy);
    }
    if matches!(instance.origin, Origin::ReadOnly { .. }) {
        let detail = format!("instance {} is read-only and has no backup policy; set its master's", instance.id);
        return refuse(RefusalCode::ProductNotSupported, detail);
    }
    for (what, days) in [("data", policy.data_retention_days), ("log", policy.log_retention_days)] {
        if !RETENTION_DAYS.contains(&days) {
            return invalid(format!("{what} retention of {days} days; 7 to 730 days are possible"));
        }
    }
    if policy.log_retention_days > policy.data_retention_days {
        return invalid(format!(
            "log retention of {} days is longer than the data retention of {} days",
            policy.log_retention_days, policy.data_retention_days
        ));
    }
    if policy.weekdays.len() == 1 {
        return invalid(
            "one weekday; an automatic data backup needs two or more a week, or none while it is off".into(),
        );
    }
    if policy.hour > 23 {
        return invalid(format!("hour {}; 0 to 23 are possible", policy.hour));
    }
    if !policy.log_backup && !log_backup_may_be_off(&instance.product) {
        let detail = format!("log backup cannot be switched off for {}", instance.product);
        return refuse(RefusalCode::BackupMethod, detail);
    }
    Ok(())
}

/// Redis: weekdays and hour are the user's (RED-05), the retention is not (RED-08, C-25), and there is no log.
fn check_redis_policy(fixed: &Policy, instance: &Instance, policy: &BackupPolicy) -> Result<(), Refusal> {
    let days = fixed.redis_retention_days;
    if let Some(other) =
        [policy.data_retention_days, policy.log_retention_days].into_iter().find(|given| *given != days)
    {
        let detail = format!("retention of {other} days; backups of {} stay {days} days, always", instance.product);
        return refuse(RefusalCode::RetentionFixed, detail);
    }
    if policy.log_backup {
        let detail = format!("{} has no log backup; its backups are snapshots", instance.product);
        return refuse(RefusalCode::BackupMethod, detail);
    }
    if policy.weekdays.is_empty() {
        return refuse(RefusalCode::InvalidParameter, "no weekday; choose one to seven for the automatic backup");
    }
    if policy.hour > 23 {
        return refuse(RefusalCode::InvalidParameter, format!("hour {}; 0 to 23 are possible", policy.hour));
    }
    Ok(())
}

fn log_backup_may_be_off(product: &Product) -> bool {
    match product.engine {
        Engine::SqlServer => false,
        Engine::MySql | Engine::PostgreSql => product.series != Series::Basic,
        Engine::Ppas | Engine::Redis => true,
    }
}

/// Releases an instance, in the making or running. A migration on it fails clearly when it finds the instance gone.
///
/// # Errors
/// `InvalidDBInstanceId.NotFound`; `OperationDenied.DBInstanceStatus` while it has read-only instances.
pub fn release(ctx: &Context<'_>, id: &InstanceId) -> Decided<()> {
    let instance = there(ctx, id)?;
    let reads_from_it = |other: &&Instance| {
        matches!(&other.origin, Origin::ReadOnly { master } if master == id) && other.is_there(ctx.now)
    };
    if let Some(replica) = ctx.state.instances.values().find(reads_from_it) {
        let detail = format!("instance {id} has the read-only instance {}; release that first", replica.id);
        return refuse(RefusalCode::InstanceStatus, detail);
    }
    let instance = Instance { state: InstanceState::Deleting, recovering: None, ..instance.clone() };
    let mut changes = charges::end(ctx, id.as_str());
    changes.push(StateChange::Instance(Box::new(instance)));
    Ok(Decision::new(changes, ()))
}

/// The making succeeded: the instance runs, its 48 hours (TMP-11, SQL-17, C-05) or its bill begin. One that was released
/// meanwhile stays on its way out.
///
/// # Errors
/// `InvalidDBInstanceId.NotFound`.
pub fn made(ctx: &Context<'_>, id: &InstanceId, made: &Made) -> Decided<()> {
    let instance = ctx.state.instances.get(id).ok_or_else(|| no_instance(id))?;
    if instance.state != InstanceState::Creating {
        return nothing();
    }
    let expires_at = instance.is_temporary().then(|| later_s(ctx.now, ctx.policy.temporary_life_s));
    let mut changes = Vec::new();
    if instance.billing != Billing::Free {
        changes.push(charges::begin(ctx, id.as_str(), charges::INSTANCE, ctx.policy.instance_cents_per_hour));
    }
    changes.push(StateChange::Instance(Box::new(Instance {
        state: InstanceState::Running,
        endpoint: Some(made.endpoint.clone()),
        recovered_to: made.recovered_to,
        created_at: Some(ctx.now),
        expires_at,
        first_account: None,
        ..instance.clone()
    })));
    Ok(Decision::new(changes, ()))
}

/// The making failed: the instance holds nothing, costs nothing and stands in nobody's way.
///
/// # Errors
/// `InvalidDBInstanceId.NotFound`.
pub fn making_failed(ctx: &Context<'_>, id: &InstanceId, why: &str) -> Decided<()> {
    let instance = ctx.state.instances.get(id).ok_or_else(|| no_instance(id))?;
    if instance.state != InstanceState::Creating {
        return nothing();
    }
    let instance = Instance {
        state: InstanceState::Failed,
        failure: Some(why.to_owned()),
        first_account: None,
        ..instance.clone()
    };
    Ok(Decision::new(vec![StateChange::Instance(Box::new(instance))], ()))
}

/// The machine is free again: the instance is released for good.
///
/// # Errors
/// `InvalidDBInstanceId.NotFound`.
pub fn taken_down(ctx: &Context<'_>, id: &InstanceId) -> Decided<()> {
    let instance = ctx.state.instances.get(id).ok_or_else(|| no_instance(id))?;
    if instance.state != InstanceState::Deleting {
        return nothing();
    }
    let mut changes = charges::end(ctx, id.as_str());
    changes.push(StateChange::Instance(Box::new(Instance {
        state: InstanceState::Released,
        released_at: Some(ctx.now),
        first_account: None,
        ..instance.clone()
    })));
    Ok(Decision::new(changes, ()))
}

/// The time of a temporary instance is over (TMP-11, SQL-17): its machine is to be taken down.
///
/// # Errors
/// `InvalidDBInstanceId.NotFound`.
pub fn expire(ctx: &Context<'_>, id: &InstanceId) -> Decided<()> {
    let instance = ctx.state.instances.get(id).ok_or_else(|| no_instance(id))?;
    let is_over = instance.expires_at.is_some_and(|expires_at| expires_at <= ctx.now);
    if !is_over || instance.state != InstanceState::Running {
        return nothing();
    }
    let instance = Instance { state: InstanceState::Deleting, ..instance.clone() };
    Ok(Decision::new(vec![StateChange::Instance(Box::new(instance))], ()))
}

#[cfg(test)]
#[path = "instances_tests.rs"]
mod tests;
