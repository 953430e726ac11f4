//! Checks of logical backup and restore (document 003).

mod all_objects_come;
mod backup_set_content_is_of_completion;
mod backup_tasks_are_listed_by_source;
mod bystanders;
mod choices;
mod conflict_policies_are_two_and_three;
pub(super) mod content;
mod definers_become_the_restoring_account;
mod events_of_the_log_stay_behind;
mod existing_rows;
mod existing_rows_are_kept;
mod existing_rows_are_rewritten;
mod existing_rows_stop_the_task;
mod existing_tables_are_skipped;
mod existing_tables_stop_the_task;
mod failed_items_are_repaired_and_checked_again;
mod foreign_keys_are_not_enforced;
mod live_source_is_not_touched;
mod log_objects;
#[cfg(test)]
mod made_up;
mod mapping_names_the_target;
mod mapping_with_programmable_objects_fails;
mod no_log_where_there_is_none;
mod objects_are_all_or_chosen;
mod only_chosen_objects_come;
mod point_in_time_content;
mod point_in_time_is_for_mysql;
mod point_in_time_needs_its_method;
mod precheck_saves_the_task;
mod range_is_stated_and_kept;
mod recovery_method_is_one_of_two;
mod restore_details_show_progress;
mod restore_name_has_1_to_64_characters;
mod restore_needs_a_completed_full_set;
mod restore_start_is_true;
mod restore_start_needs_a_passed_precheck;
mod restore_tasks_are_listed;
mod rows_go_to_the_target_alone;
mod scene;
mod seconds_are_told_apart;
mod sides;
mod target_engine_matches;
mod target_version_is_not_lower;
mod targets_are_registered;
mod their_rows_are_there_once;
mod triggers_of_the_log_stay_behind;
mod types_restore_what_they_say;
mod violation;
mod warnings_do_not_block;
mod whole;
mod witness;
mod wizard_fields_are_needed;

use super::Check;
pub use violation::RestoreViolation;

macro_rules! checks {
    ($($name:ident),+ $(,)?) => { &[$(Check { name: stringify!($name), run: $name::check }),+] };
}

/// Checks of logical backup and restore, by the name the catalogue calls them.
pub const CHECKS: &[Check] = checks![
    all_objects_come,
    backup_set_content_is_of_completion,
    backup_tasks_are_listed_by_source,
    conflict_policies_are_two_and_three,
    definers_become_the_restoring_account,
    events_of_the_log_stay_behind,
    existing_rows_are_kept,
    existing_rows_are_rewritten,
    existing_rows_stop_the_task,
    existing_tables_are_skipped,
    existing_tables_stop_the_task,
    failed_items_are_repaired_and_checked_again,
    foreign_keys_are_not_enforced,
    live_source_is_not_touched,
    mapping_names_the_target,
    mapping_with_programmable_objects_fails,
    no_log_where_there_is_none,
    objects_are_all_or_chosen,
    only_chosen_objects_come,
    point_in_time_content,
    point_in_time_is_for_mysql,
    point_in_time_needs_its_method,
    precheck_saves_the_task,
    range_is_stated_and_kept,
    recovery_method_is_one_of_two,
    restore_details_show_progress,
    restore_name_has_1_to_64_characters,
    restore_needs_a_completed_full_set,
    restore_start_is_true,
    restore_start_needs_a_passed_precheck,
    restore_tasks_are_listed,
    rows_go_to_the_target_alone,
    seconds_are_told_apart,
    target_engine_matches,
    target_version_is_not_lower,
    targets_are_registered,
    their_rows_are_there_once,
    triggers_of_the_log_stay_behind,
    types_restore_what_they_say,
    warnings_do_not_block,
    wizard_fields_are_needed,
];
