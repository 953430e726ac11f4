//! Planted bugs about logical backup and restore.

use super::Planted;

/// For each check of `checks::restore` at least one.
pub(super) const PLANTED: &[Planted] = &[];
