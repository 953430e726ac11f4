//! Checks of backup and recovery of Redis (document 004).

mod both_kinds_are_archived;
mod clone_billing_is_chosen;
mod clone_content_and_billing;
mod clone_leaves_the_original;
mod clone_needs_a_set;
mod download_dies_with_the_file;
mod files;
mod keeping_costs_nothing;
mod kept_for_7_days;
mod listing_by_range;
mod listings;
#[cfg(test)]
mod made_up;
mod manual_backup_at_once;
mod master_is_not_slowed;
mod policy_can_be_set_and_takes_effect;
mod recovered_after_a_look_at_a_clone;
mod recovery_from_a_set;
mod recovery_needs_a_set;
mod recovery_overwrites_the_original;
mod recovery_wants_confirmation;
mod retention_is_fixed;
mod snapshot_is_of_one_instant;
mod taken_on_the_replica;
mod violation;
mod witness;

use super::Check;
pub use violation::RedisViolation;

macro_rules! checks {
    ($($name:ident),+ $(,)?) => { &[$(Check { name: stringify!($name), run: $name::check }),+] };
}

/// Checks of backup and recovery of Redis, by the name the catalogue calls them.
pub const CHECKS: &[Check] = checks![
    both_kinds_are_archived,
    clone_billing_is_chosen,
    clone_content_and_billing,
    clone_leaves_the_original,
    clone_needs_a_set,
    download_dies_with_the_file,
    keeping_costs_nothing,
    kept_for_7_days,
    listing_by_range,
    manual_backup_at_once,
    master_is_not_slowed,
    policy_can_be_set_and_takes_effect,
    recovered_after_a_look_at_a_clone,
    recovery_from_a_set,
    recovery_needs_a_set,
    recovery_overwrites_the_original,
    recovery_wants_confirmation,
    retention_is_fixed,
    snapshot_is_of_one_instant,
    taken_on_the_replica,
];
