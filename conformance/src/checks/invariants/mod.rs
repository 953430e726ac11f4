//! Invariants: what must be so in every run, whatever the documents say.

mod answers_survive_a_crash;
mod billing_adds_up;
mod changes;
mod committed_rows_stay;
mod doings;
mod ids_are_unique;
#[cfg(test)]
mod made_up;
mod no_password_is_shown;
mod nothing_else_is_touched;
mod refusals_change_nothing;
mod reports_agree_with_photographs;
mod sources_stay;
mod targets_are_explained;
mod violation;

use super::Check;
pub use violation::InvariantViolation;

macro_rules! checks {
    ($($name:ident),+ $(,)?) => { &[$(Check { name: stringify!($name), run: $name::check }),+] };
}

/// Checks of the invariants, by the name the catalogue calls them.
pub const CHECKS: &[Check] = checks![
    committed_rows_stay,
    sources_stay,
    targets_are_explained,
    nothing_else_is_touched,
    reports_agree_with_photographs,
    billing_adds_up,
    ids_are_unique,
    refusals_change_nothing,
    answers_survive_a_crash,
    no_password_is_shown,
];
