//! Planted bugs about a migration task's life.

use super::Planted;

/// For each check of `checks::tasks` at least one.
pub(super) const PLANTED: &[Planted] = &[];
