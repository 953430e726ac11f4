//! Checks of clones.

mod clone_content_is_of_the_chosen_time;
mod clone_is_a_new_instance;
mod clone_is_billed_and_stays;
mod clone_is_in_its_masters_region;
mod clone_kinds_are_admitted;
mod clone_maps_to_its_master;
mod clone_settings_are_of_now;
mod only_primaries_are_cloned;
mod other_kinds_are_refused_a_clone;
mod two_recovery_methods;
mod violation;

use super::Check;
pub use violation::CloneViolation;

macro_rules! checks {
    ($($name:ident),+ $(,)?) => { &[$(Check { name: stringify!($name), run: $name::check }),+] };
}

/// Checks of clones, by the name the catalogue calls them.
pub const CHECKS: &[Check] = checks![
    two_recovery_methods,
    clone_kinds_are_admitted,
    other_kinds_are_refused_a_clone,
    only_primaries_are_cloned,
    clone_is_a_new_instance,
    clone_is_billed_and_stays,
    clone_content_is_of_the_chosen_time,
    clone_settings_are_of_now,
    clone_is_in_its_masters_region,
    clone_maps_to_its_master,
];
