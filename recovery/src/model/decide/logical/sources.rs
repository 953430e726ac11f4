//! Decisions on data sources: registering a server with the account that backs it up or restores into it (LOG-03).

use super::{check_name, invalid, source};
use crate::model::DataSourceId;
use crate::model::decide::{Context, Decided, Decision, instances, refuse};
use crate::model::logical::backup::{LogicalBackupTask, LogicalTaskState};
use crate::model::logical::restore::RestoreTask;
use crate::model::logical::source::DataSource;
use crate::model::logical::views::NewDataSource;
use crate::model::refusal::{Refusal, RefusalCode};
use crate::model::state::StateChange;

/// Registers a data source. Its server lets the workers in from then on, so that it can be reached when it is needed.
///
/// # Errors
/// `InvalidParameter`, and those of [`instances::running`].
pub fn register(ctx: &Context<'_>, new: &NewDataSource) -> Decided<DataSourceId> {
    check_name(ctx, &new.name)?;
    if new.account.trim().is_empty() {
        return invalid(format!("account is empty; name an account of instance {}", new.instance_id));
    }
    if new.password.is_empty() {
        return invalid(format!("password is empty; give the password of account {}", new.account));
    }
    let mut instance = instances::running(ctx, &new.instance_id)?.clone();
    instance.configuration.whitelist.extend(ctx.policy.migration_addresses.iter().cloned());
    let id = DataSourceId((ctx.new_id)("ds-"));
    let source = DataSource {
        id: id.clone(),
        name: new.name.clone(),
        instance: instance.id.clone(),
        product: instance.product,
        account: new.account.clone(),
        password: new.password.clone(),
        connection: new.connection,
        created_at: ctx.now,
    };
    let changes = vec![StateChange::Instance(Box::new(instance)), StateChange::Source(Box::new(source))];
    Ok(Decision::new(changes, id))
}

/// Removes a data source that nothing uses any more. The sets that were made of it stay as long as they would have.
///
/// # Errors
/// `InvalidDataSource.NotFound`, `OperationDenied.DataSourceInUse`.
pub fn remove(ctx: &Context<'_>, id: &DataSourceId) -> Decided<()> {
    source(ctx.state, id)?;
    not_backed_up(ctx, id)?;
    not_restored(ctx, id)?;
    Ok(Decision::new(vec![StateChange::DropSource(id.clone())], ()))
}

fn not_backed_up(ctx: &Context<'_>, id: &DataSourceId) -> Result<(), Refusal> {
    let uses = |task: &&LogicalBackupTask| task.source == *id && task.state == LogicalTaskState::Normal;
    match ctx.state.logical_tasks.values().find(uses) {
        None => Ok(()),
        Some(task) => {
            let detail = format!("logical backup task {} backs up data source {id}; stop it first", task.id);
            refuse(RefusalCode::DataSourceInUse, detail)
        }
    }
}

fn not_restored(ctx: &Context<'_>, id: &DataSourceId) -> Result<(), Refusal> {
    let uses = |task: &&RestoreTask| !task.is_over() && (task.source == *id || task.target == *id);
    match ctx.state.restores.values().find(uses) {
        None => Ok(()),
        Some(task) => {
            let detail = format!("restore task {} uses data source {id}; wait until it ends, or delete it", task.id);
            refuse(RefusalCode::DataSourceInUse, detail)
        }
    }
}

#[cfg(test)]
#[path = "sources_tests.rs"]
mod tests;
