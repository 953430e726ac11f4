//! Planted bugs: faulty variants of the system, made without touching it, each to be caught by one check.
//!
//! A planted bug is a fault of the system as seen from outside: other numbers, a port that does otherwise, a layer before
//! the interface. [`selftest`] runs scenarios against each and says whether the check bites.

mod clone;
mod goods;
mod invariants;
mod migration;
mod redis;
mod restore;
pub mod selftest;
mod tasks;
mod temporary;
pub mod tools;

use crate::runner::variant::Variant;

/// A faulty variant of the system and the check that has to catch it.
#[derive(Debug, Clone, Copy)]
pub struct Planted {
    /// An English fact about the faulty system, in kebab case.
    pub name: &'static str,
    /// What is wrong with it, in one sentence.
    pub says: &'static str,
    /// The check that has to find a violation, by its name.
    pub check: &'static str,
    /// The system.
    pub variant: Variant,
}

/// Every planted bug, by subject.
pub fn all() -> impl Iterator<Item = &'static Planted> {
    let subjects: [&[&[Planted]]; 7] = [
        temporary::PLANTED,
        clone::PLANTED,
        tasks::PLANTED,
        migration::PLANTED,
        restore::PLANTED,
        redis::PLANTED,
        invariants::PLANTED,
    ];
    subjects.into_iter().flatten().copied().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks;
    use std::collections::BTreeSet;

    #[test]
    fn every_planted_bug_has_a_name_of_its_own_in_kebab_case() {
        let mut names = BTreeSet::new();
        for planted in all() {
            assert!(names.insert(planted.name), "{} twice", planted.name);
            let kebab =
                planted.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
            assert!(kebab, "{}", planted.name);
            assert!(planted.says.ends_with('.'), "{}: {}", planted.name, planted.says);
        }
    }

    #[test]
    fn every_check_has_a_planted_bug_and_there_are_120() {
        let planted: BTreeSet<&str> = all().map(|planted| planted.check).collect();
        let without: Vec<&str> = checks::all()
            .chain(checks::invariants())
            .map(|check| check.name)
            .filter(|name| !planted.contains(name))
            .collect();
        assert_eq!(without, [""; 0]);
        assert!(all().count() >= 120, "{}", all().count());
    }

    #[test]
    fn every_planted_bug_is_for_a_check_there_is_and_changes_something() {
        for planted in all() {
            assert!(checks::by_name(planted.check).is_some(), "{}: {}", planted.name, planted.check);
            let Variant { policy, ports, gate } = planted.variant;
            assert!(policy.is_some() || ports.is_some() || gate.is_some(), "{}", planted.name);
        }
    }
}
