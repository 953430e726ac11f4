//! Planted bugs about clones.

use super::Planted;

/// For each check of `checks::clone` at least one.
pub(super) const PLANTED: &[Planted] = &[];
