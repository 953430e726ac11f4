//! Planted bugs about what a migration moves, and how it goes on and ends: for each check of `checks::migration` at least
//! one.

mod changes;
mod content;
mod life;
mod rows;
mod source;
mod structure;

use super::Planted;
pub(super) use source::renaming_at_the_end;

/// Every table of this subject.
pub(super) const PLANTED: &[&[Planted]] =
    &[content::PLANTED, rows::PLANTED, structure::PLANTED, source::PLANTED, changes::PLANTED, life::PLANTED];
