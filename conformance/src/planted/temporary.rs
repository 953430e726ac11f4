//! Planted bugs about temporary instances.

use super::Planted;

/// For each check of `checks::temporary` at least one.
pub(super) const PLANTED: &[Planted] = &[];
