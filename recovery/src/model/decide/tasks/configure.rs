//! Name, source and target of a task, and the authorisation of the whitelists.

use super::{changed, configurable, find, wrong_status};
use crate::model::decide::{Context, Decided, Decision, instances, refuse};
use crate::model::instance::{Instance, Origin};
use crate::model::refusal::{Refusal, RefusalCode};
use crate::model::state::StateChange;
use crate::model::task::{SameNameMode, Side, Stage, Task, TaskStatus};
use crate::model::views::{NewSide, NewTask};
use crate::model::{InstanceId, TaskId};
use std::collections::{BTreeMap, BTreeSet};

fn invalid<T>(detail: impl Into<String>) -> Result<T, Refusal> {
    refuse(RefusalCode::InvalidParameter, detail)
}

/// Makes a task from its name, source and target (TMP-21).
///
/// # Errors
/// `InvalidParameter`, `InvalidEnginePair`, and those of running instances.
pub fn create(ctx: &Context<'_>, new: &NewTask) -> Decided<TaskId> {
    let (source, _) = sides(ctx, new)?;
    let name = name(ctx, new.name.as_deref())?.unwrap_or_else(|| default_name(ctx, source));
    let id = TaskId((ctx.new_id)("dts-"));
    let task = Task {
        id: id.clone(),
        name,
        source: side(&new.source),
        target: side(&new.target),
        purchase_required: is_clone(source),
        stage: Stage::Configured,
        types: BTreeSet::new(),
        objects: Vec::new(),
        same_name: SameNameMode::default(),
        without_advice: BTreeSet::new(),
        shields: BTreeSet::new(),
        edits: 0,
        status: TaskStatus::NotStarted,
        precheck: None,
        precheck_runs: 0,
        phases: BTreeMap::new(),
        progress: Vec::new(),
        planned: Vec::new(),
        log_position: None,
        failure: None,
        failed_since: None,
        retry_at: None,
        retries: 0,
        paused_at: None,
        incremental_since: None,
        incremental_billed_s: 0,
        lease: None,
        follow_at: None,
        epochs: 0,
        created_at: ctx.now,
        started_at: None,
        ended_at: None,
    };
    Ok(Decision::new(vec![StateChange::Task(Box::new(task))], id))
}

/// Changes name, source and target before the task starts; the name stays unless one is given. Whitelists have to be
/// authorised again, objects chosen again, and no earlier precheck and no shield counts any more (C-07).
///
/// # Errors
/// `InvalidTaskId.NotFound`, `OperationDenied.TaskStatus`, and those of [`create`].
pub fn edit(ctx: &Context<'_>, id: &TaskId, new: &NewTask) -> Decided<()> {
    let task = configurable(ctx, id)?;
    let (source, _) = sides(ctx, new)?;
    let name = name(ctx, new.name.as_deref())?.unwrap_or_else(|| task.name.clone());
    let after = Task {
        name,
        source: side(&new.source),
        target: side(&new.target),
        purchase_required: is_clone(source),
        stage: Stage::Configured,
        status: TaskStatus::NotStarted,
        shields: BTreeSet::new(),
        edits: task.edits + 1,
        ..task.clone()
    };
    changed(ctx, task, after)
}

/// Adds the addresses of the migration service to the whitelists of source and target, keeping what is there (DTS-02).
/// Answers the instances whose settings have to be sent to their servers: always both, so that a repetition repairs.
///
/// # Errors
/// `InvalidTaskId.NotFound`, `OperationDenied.TaskStatus`, and those of [`instances::running`].
pub fn authorise(ctx: &Context<'_>, id: &TaskId) -> Decided<Vec<InstanceId>> {
    let task = find(ctx, id)?;
    if task.status == TaskStatus::Finished {
        return wrong_status(task, "it never runs again and needs no access");
    }
    let sides = BTreeSet::from([&task.source.instance, &task.target.instance]);
    let mut changes = Vec::new();
    for instance in &sides {
        let mut instance = instances::running(ctx, instance)?.clone();
        instance.configuration.whitelist.extend(ctx.policy.migration_addresses.iter().cloned());
        changes.push(StateChange::Instance(Box::new(instance)));
    }
    let stage = task.stage.max(Stage::Authorised);
    changes.push(StateChange::Task(Box::new(Task { stage, ..task.clone() })));
    Ok(Decision::new(changes, sides.into_iter().cloned().collect()))
}

/// The given name, if it is one (TMP-22, C-21: characters are counted, not bytes; it need not be unique).
fn name(ctx: &Context<'_>, given: Option<&str>) -> Result<Option<String>, Refusal> {
    let Some(given) = given else { return Ok(None) };
    let most = ctx.policy.task_name_characters_max;
    let characters = given.chars().count();
    if given.trim().is_empty() || characters > most {
        return invalid(format!(
            "the name has {characters} characters; 1 to {most} are possible, or none for a default"
        ));
    }
    Ok(Some(given.to_owned()))
}

fn default_name(ctx: &Context<'_>, source: &Instance) -> String {
    format!("migration of {}", source.id).chars().take(ctx.policy.task_name_characters_max).collect()
}

fn side(new: &NewSide) -> Side {
    Side {
        instance: new.instance_id.clone(),
        region: new.region.clone(),
        account: new.account.clone(),
        password: new.password.clone(),
        connection: new.connection,
    }
}

fn is_clone(instance: &Instance) -> bool {
    matches!(instance.origin, Origin::Clone { .. })
}

/// Source and target, checked by themselves and together.
fn sides<'a>(ctx: &Context<'a>, new: &NewTask) -> Result<(&'a Instance, &'a Instance), Refusal> {
    check_fields("source", &new.source)?;
    check_fields("target", &new.target)?;
    let source = check_instance(ctx, "source", &new.source)?;
    let target = check_instance(ctx, "target", &new.target)?;
    if source.product.engine != target.product.engine {
        let detail = format!(
            "source {} is {} and target {} is {}; both need the same engine",
            source.id, source.product.engine, target.id, target.product.engine
        );
        return refuse(RefusalCode::EnginePair, detail);
    }
    // The way back from a temporary instance or clone leads to its master and nowhere else (TMP-33, CLN-31).
    if let Origin::Temporary { master, .. } | Origin::Clone { source: master, .. } = &source.origin
        && *master != target.id
    {
        return invalid(format!(
            "source {} was made from {master}; that has to be the target, not {}",
            source.id, target.id
        ));
    }
    Ok((source, target))
}

/// Nothing may be missing (TMP-21), and both sides are RDS instances (TMP-23, TMP-31).
fn check_fields(what: &str, side: &NewSide) -> Result<(), Refusal> {
    if let Some(other) = side.instance_type.as_deref().filter(|kind| *kind != "rds") {
        return invalid(format!("{what}.instance_type is '{other}'; rds is the only kind"));
    }
    if side.account.trim().is_empty() {
        return invalid(format!("{what}.account is empty; name an account of instance {}", side.instance_id));
    }
    if side.password.is_empty() {
        return invalid(format!("{what}.password is empty; give the password of account {}", side.account));
    }
    Ok(())
}

/// The instance runs normally (DTS-16, TMP-17, CLN-18) and is in the region given (TMP-24, TMP-32).
fn check_instance<'a>(ctx: &Context<'a>, what: &str, side: &NewSide) -> Result<&'a Instance, Refusal> {
    let instance = instances::settled(ctx, &side.instance_id)?;
    if instance.region != side.region {
        let detail =
            format!("{what}.region is '{}', but instance {} is in '{}'", side.region, instance.id, instance.region);
        return invalid(detail);
    }
    Ok(instance)
}
