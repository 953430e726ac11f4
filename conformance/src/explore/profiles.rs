//! Profiles: what an exploration leans towards.

use super::kinds::StepKind::{self, *};

/// A profile.
#[derive(Debug, Clone, Copy)]
pub struct Profile {
    /// Name, as `--profile` takes it.
    pub name: &'static str,
    /// What it stresses.
    pub stresses: &'static str,
    /// Products that the first instance is drawn from; any of [`PRODUCTS`] where there are none.
    pub products: &'static [&'static str],
    /// Kinds of steps that are always on, and so many times as likely.
    pub favours: &'static [(StepKind, u32)],
    /// Faults of a run, at least and at most.
    pub faults: (usize, usize),
    /// Longest idle time, in seconds: of most runs, and of a few.
    pub idle_s: (u64, u64),
    /// How many of a hundred runs may have the longer idle time.
    pub long_percent: u64,
}

/// Every product a world may have.
pub const PRODUCTS: [&str; 24] = [
    "mysql 5.5",
    "mysql 5.6",
    "mysql 5.7",
    "mysql 5.7 basic",
    "mysql 8.0",
    "sqlserver 2008r2",
    "sqlserver 2012 web",
    "sqlserver 2012 standard",
    "sqlserver 2012 enterprise",
    "sqlserver 2012 enterprise basic",
    "sqlserver 2016 web",
    "sqlserver 2016 standard",
    "sqlserver 2016 enterprise",
    "postgresql 9.4",
    "postgresql 10",
    "postgresql 11",
    "ppas 9.3",
    "ppas 10",
    "redis 2.8",
    "redis 4.0",
    "redis 5.0",
    "redis 6.0",
    "redis 7.0",
    "redis 7.0 cluster",
];

const MINUTE: u64 = 60;
const DAY: u64 = 86_400;

/// The default: a little of everything.
const DEFAULT: Profile = Profile {
    name: "default",
    stresses: "a little of everything",
    products: &[],
    favours: &[],
    faults: (3, 8),
    idle_s: (20 * MINUTE, 14 * DAY),
    long_percent: 8,
};

/// Every profile; the first is the default.
pub const PROFILES: [Profile; 9] = [
    DEFAULT,
    Profile {
        name: "temporary",
        stresses: "temporary instances: recovery points and their edges, expiry, one for each master",
        products: &[
            "sqlserver 2012 web",
            "sqlserver 2008r2",
            "sqlserver 2012 enterprise basic",
            "postgresql 10",
            "ppas 9.3",
        ],
        favours: &[(Temporary, 4), (Mark, 2), (Backup, 2), (Advance, 2), (Release, 2), (Migrate, 1), (Sql, 1)],
        ..DEFAULT
    },
    Profile {
        name: "clone",
        stresses: "clones: recovery points and their edges, settings and accounts of now and of then, orders of several",
        products: &[
            "mysql 5.5",
            "mysql 5.6",
            "mysql 5.7",
            "sqlserver 2012 standard",
            "sqlserver 2016 enterprise",
            "redis 5.0",
        ],
        favours: &[(Clone, 4), (Mark, 2), (Backup, 2), (Configure, 2), (Account, 2), (Migrate, 1), (Sql, 1)],
        ..DEFAULT
    },
    Profile {
        name: "migration",
        stresses: "migration tasks: every request in any order, selections, renames, changes in the middle",
        products: &["mysql 5.7", "mysql 5.6", "sqlserver 2012 web", "sqlserver 2016 standard", "postgresql 11"],
        favours: &[(Migrate, 5), (Task, 5), (Wait, 2), (Sql, 2), (Application, 2)],
        ..DEFAULT
    },
    Profile {
        name: "restore",
        stresses: "logical backups and restores: points in time, conflicts, mappings, logs",
        products: &["mysql 5.5", "mysql 5.6", "mysql 5.7", "mysql 8.0", "sqlserver 2016 standard", "postgresql 10"],
        favours: &[
            (LogicalBackup, 4),
            (LogicalTask, 3),
            (Restore, 5),
            (RestoreTask, 3),
            (DataSource, 2),
            (Mark, 2),
            (Sql, 2),
        ],
        ..DEFAULT
    },
    Profile {
        name: "redis",
        stresses: "Redis: sets, recoveries in place, clones, downloads",
        products: &["redis 2.8", "redis 4.0", "redis 5.0", "redis 6.0", "redis 7.0", "redis 7.0 cluster"],
        favours: &[(Backup, 3), (Recover, 4), (Clone, 3), (Download, 3), (Sql, 3), (Migrate, 1)],
        ..DEFAULT
    },
    Profile {
        name: "faults",
        stresses: "many faults, one upon another",
        favours: &[(Migrate, 3), (Restore, 2), (Temporary, 2), (Clone, 2)],
        faults: (12, 24),
        ..DEFAULT
    },
    Profile { name: "calm", stresses: "no faults: what goes wrong goes wrong by itself", faults: (0, 0), ..DEFAULT },
    Profile {
        name: "long",
        stresses: "weeks of virtual time: expiry, retention, automatic backups",
        favours: &[(Advance, 4), (Backup, 2), (Temporary, 2), (Clone, 1), (LogicalBackup, 1)],
        idle_s: (2 * DAY, 21 * DAY),
        long_percent: 50,
        ..DEFAULT
    },
];

/// The profile of a name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static Profile> {
    PROFILES.iter().find(|profile| profile.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use recovery::model::Product;

    #[test]
    fn every_product_is_one_and_every_profile_is_found_by_its_name() {
        let named = PROFILES.iter().flat_map(|profile| profile.products).chain(&PRODUCTS);
        for text in named {
            assert!(text.parse::<Product>().is_ok_and(|product| product.to_string() == *text), "{text}");
        }
        for profile in &PROFILES {
            assert_eq!(by_name(profile.name).map(|found| found.stresses), Some(profile.stresses));
        }
    }
}
