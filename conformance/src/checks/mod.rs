//! The checks: each a plain function from a history to evidence, each in its own file.

pub mod clone;
pub mod finding;
pub mod invariants;
pub mod migration;
pub mod redis;
pub mod restore;
pub mod tasks;
pub mod temporary;

#[cfg(test)]
pub(crate) mod testing;

pub use finding::{Check, Evidence, Finding, Violation};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Every check of a documented rule, by the name the catalogue calls it.
pub fn all() -> impl Iterator<Item = &'static Check> {
    [temporary::CHECKS, clone::CHECKS, tasks::CHECKS, migration::CHECKS, restore::CHECKS, redis::CHECKS]
        .into_iter()
        .flatten()
}

/// The invariants that are judged beside the rules, by the name the catalogue calls them.
pub fn invariants() -> impl Iterator<Item = &'static Check> {
    invariants::CHECKS.iter()
}

/// One check by its name, an invariant's too. Every run asks this of every rule, so the names are sorted once.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static Check> {
    static BY_NAME: LazyLock<BTreeMap<&str, &Check>> =
        LazyLock::new(|| all().chain(invariants()).map(|check| (check.name, check)).collect());
    BY_NAME.get(name).copied()
}
