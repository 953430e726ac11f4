//! Planted bugs about temporary instances.

mod content;
mod life;
mod orders;
mod shown;

use super::Planted;

/// For each check of `checks::temporary` at least one.
pub(super) const PLANTED: &[&[Planted]] = &[content::PLANTED, life::PLANTED, orders::PLANTED, shown::PLANTED];

/// Asks for a temporary instance.
const ORDER: &str = "POST /v1/instances/*/temporary-instances";
