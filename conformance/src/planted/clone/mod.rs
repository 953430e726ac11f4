//! Planted bugs about clones.

mod content;
mod orders;

use super::Planted;

/// For each check of `checks::clone` at least one.
pub(super) const PLANTED: &[&[Planted]] = &[content::PLANTED, orders::PLANTED];
