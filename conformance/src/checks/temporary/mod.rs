//! Checks of temporary instances.

mod accounts_are_those_of_the_backup;
mod creating_a_temporary_changes_nothing_on_the_master;
#[cfg(test)]
pub(crate) mod made_up;
mod one_request_makes_one_instance;
mod one_temporary_per_master;
mod other_kinds_are_refused_a_temporary;
mod recovery_never_stops_the_master;
mod regions_scope_listings;
mod source_must_be_running;
mod temporary_can_be_made_again_after_the_old_one_is_gone;
mod temporary_can_be_read;
mod temporary_is_free;
mod temporary_is_in_its_masters_region;
mod temporary_is_listed;
mod temporary_is_not_a_clone;
mod temporary_kinds_are_admitted;
mod temporary_lives_48_hours;
mod temporary_needs_a_choice;
mod temporary_needs_a_data_backup;
mod temporary_needs_covering_logs;
mod temporary_network_is_classic;
pub(crate) mod truth;
mod verified_before_put_back;
mod violation;
pub(crate) mod witness;

use super::Check;
pub use truth::Difference;
pub use violation::{Proof, TemporaryViolation};

macro_rules! checks {
    ($($name:ident),+ $(,)?) => { &[$(Check { name: stringify!($name), run: $name::check }),+] };
}

/// Checks of temporary instances, by the name the catalogue calls them.
pub const CHECKS: &[Check] = checks![
    creating_a_temporary_changes_nothing_on_the_master,
    temporary_can_be_read,
    accounts_are_those_of_the_backup,
    temporary_network_is_classic,
    one_temporary_per_master,
    temporary_can_be_made_again_after_the_old_one_is_gone,
    temporary_lives_48_hours,
    temporary_needs_a_choice,
    one_request_makes_one_instance,
    source_must_be_running,
    temporary_is_listed,
    temporary_is_in_its_masters_region,
    temporary_kinds_are_admitted,
    other_kinds_are_refused_a_temporary,
    temporary_needs_a_data_backup,
    temporary_needs_covering_logs,
    temporary_is_free,
    temporary_is_not_a_clone,
    recovery_never_stops_the_master,
    verified_before_put_back,
    regions_scope_listings,
];
