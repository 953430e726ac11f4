//! Planted bugs about what a migration moves.

use super::Planted;

/// For each check of `checks::migration` at least one.
pub(super) const PLANTED: &[Planted] = &[];
