//! Planted bugs about backup and recovery of Redis.

use super::Planted;

/// For each check of `checks::redis` at least one.
pub(super) const PLANTED: &[Planted] = &[];
