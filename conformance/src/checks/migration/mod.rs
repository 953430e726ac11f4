//! Checks of what a migration moves, and of how it goes on and ends.

pub(super) mod content;
mod ddl_never_passes_silently;
mod dependents_never_dangle;
mod failed_tasks_are_retried_for_7_days;
mod granularity_of_selection;
mod long_pause_ends_an_incremental_task;
#[cfg(test)]
mod made_up;
mod migrated_content_is_right;
mod no_row_lost_or_doubled;
mod quiet_source_gives_equality;
pub(super) mod scene;
mod source_stays_as_it_was;
mod stopped_tasks_stay_stopped;
mod structure_and_full_are_free;
mod structure_comes_in_order;
mod task_ends_or_goes_on_by_types;
pub(crate) mod text;
mod users_are_not_migrated;
mod violation;

use super::Check;
pub use violation::MigrationViolation;

macro_rules! checks {
    ($($name:ident),+ $(,)?) => { &[$(Check { name: stringify!($name), run: $name::check }),+] };
}

/// Checks of what a migration moves, by the name the catalogue calls them.
pub const CHECKS: &[Check] = checks![
    source_stays_as_it_was,
    ddl_never_passes_silently,
    migrated_content_is_right,
    structure_comes_in_order,
    granularity_of_selection,
    task_ends_or_goes_on_by_types,
    structure_and_full_are_free,
    failed_tasks_are_retried_for_7_days,
    long_pause_ends_an_incremental_task,
    stopped_tasks_stay_stopped,
    users_are_not_migrated,
    dependents_never_dangle,
    no_row_lost_or_doubled,
    quiet_source_gives_equality,
];
