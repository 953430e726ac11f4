//! Checks of a migration task's life: its set-up, its precheck, its start.

mod account_exists_on_its_side;
mod calls;
mod confirmed_task_runs;
mod connection_mode_has_two_values;
mod current_password_counts;
mod engine_pairs_match;
mod every_start_runs_a_fresh_precheck;
mod failed_items_say_why;
mod failed_precheck_keeps_the_task;
mod foreign_key_parents_are_selected;
mod instance_type_is_rds;
#[cfg(test)]
mod made_up;
mod missing_database_is_made;
mod objects_are_chosen_and_only_they_move;
mod precheck_is_a_conjunction;
mod precheck_runs_before_the_start;
mod purchase_needs_ticked_terms;
mod renames_act_on_the_target_alone;
mod rights;
mod runs;
mod same_instance_is_allowed;
mod same_name_fails_the_precheck;
mod side_regions_match;
mod source_account_reads_everything;
mod source_is_listed_and_there;
mod ssl_needs_ssl_on_that_side;
mod start_needs_a_passed_precheck;
mod start_needs_the_confirmation;
pub(super) mod steady;
mod steps_come_in_order;
mod target_account_writes_everything;
mod target_is_the_mapped_master;
mod task_name_is_kept_or_made;
mod task_needs_all_three_groups;
mod types_are_chosen;
mod violation;
mod whitelist;
mod whitelist_is_authorised_first;
mod whitelist_only_grows;

use super::Check;
pub use calls::Side;
pub(super) use calls::choice_at;
pub use violation::TaskViolation;

macro_rules! checks {
    ($($name:ident),+ $(,)?) => { &[$(Check { name: stringify!($name), run: $name::check }),+] };
}

/// Checks of a migration task's life, by the name the catalogue calls them.
pub const CHECKS: &[Check] = checks![
    task_needs_all_three_groups,
    task_name_is_kept_or_made,
    instance_type_is_rds,
    side_regions_match,
    source_is_listed_and_there,
    target_is_the_mapped_master,
    account_exists_on_its_side,
    current_password_counts,
    source_account_reads_everything,
    target_account_writes_everything,
    connection_mode_has_two_values,
    ssl_needs_ssl_on_that_side,
    whitelist_is_authorised_first,
    whitelist_only_grows,
    types_are_chosen,
    objects_are_chosen_and_only_they_move,
    renames_act_on_the_target_alone,
    precheck_runs_before_the_start,
    start_needs_a_passed_precheck,
    start_needs_the_confirmation,
    failed_items_say_why,
    failed_precheck_keeps_the_task,
    every_start_runs_a_fresh_precheck,
    purchase_needs_ticked_terms,
    confirmed_task_runs,
    steps_come_in_order,
    precheck_is_a_conjunction,
    same_name_fails_the_precheck,
    foreign_key_parents_are_selected,
    missing_database_is_made,
    engine_pairs_match,
    same_instance_is_allowed,
];
