//! Planted bugs about a migration task's life: for each check of `checks::tasks` at least one.

mod choice;
mod precheck;
mod rights;
mod setup;
mod start;
mod whitelists;

use super::Planted;
pub(super) use choice::MIRRORS;

/// Every table of this subject.
pub(super) const PLANTED: &[&[Planted]] =
    &[setup::PLANTED, whitelists::PLANTED, choice::PLANTED, rights::PLANTED, precheck::PLANTED, start::PLANTED];
