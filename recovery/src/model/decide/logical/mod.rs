//! Decisions on logical backup and restore (document 003): data sources, backup tasks and their sets, restore tasks.

pub mod duties;
pub mod restores;
pub mod sets;
pub mod sources;
pub(super) mod taking;
pub mod tasks;
pub mod views;

#[cfg(test)]
pub(super) mod bench;

use super::{Context, refuse};
use crate::model::logical::backup::LogicalBackupTask;
use crate::model::logical::restore::RestoreTask;
use crate::model::logical::source::DataSource;
use crate::model::refusal::{Refusal, RefusalCode};
use crate::model::state::State;
use crate::model::{DataSourceId, TaskId};

fn invalid<T>(detail: impl Into<String>) -> Result<T, Refusal> {
    refuse(RefusalCode::InvalidParameter, detail)
}

/// Whether a name is one: characters are counted, not bytes (LOG-18, C-21).
fn check_name(ctx: &Context<'_>, given: &str) -> Result<(), Refusal> {
    let (characters, most) = (given.chars().count(), ctx.policy.logical_name_characters_max);
    if given.trim().is_empty() || characters > most {
        return invalid(format!(
            "the name has {characters} characters; 1 to {most} are possible, not all of them blank"
        ));
    }
    Ok(())
}

/// A registered data source (LOG-03).
fn source<'a>(state: &'a State, id: &DataSourceId) -> Result<&'a DataSource, Refusal> {
    state.sources.get(id).ok_or_else(|| {
        Refusal::new(
            RefusalCode::DataSourceNotFound,
            format!("there is no data source {id}; GET /v1/data-sources lists those there are"),
        )
    })
}

fn backup_task<'a>(state: &'a State, id: &TaskId) -> Result<&'a LogicalBackupTask, Refusal> {
    state.logical_tasks.get(id).ok_or_else(|| {
        Refusal::new(
            RefusalCode::TaskNotFound,
            format!("there is no logical backup task {id}; GET /v1/logical-backup-tasks lists those there are"),
        )
    })
}

fn restore<'a>(state: &'a State, id: &TaskId) -> Result<&'a RestoreTask, Refusal> {
    state.restores.get(id).ok_or_else(|| {
        Refusal::new(
            RefusalCode::TaskNotFound,
            format!("there is no restore task {id}; GET /v1/restore-tasks lists those there are"),
        )
    })
}
