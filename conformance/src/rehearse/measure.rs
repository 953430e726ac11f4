//! The migration back measured by the engine's own dump and restore, between the same containers.

use super::Trouble;
use engines::RealStage;
use engines::images::Family;
use jiff::SignedDuration;
use recovery::model::InstanceId;
use serde_json::{Value, json};
use std::fmt;

/// The database that the engine's own programs fill.
pub const DATABASE: &str = "firedrill_measure";

/// What was measured.
#[derive(Debug, Clone)]
pub struct Measure {
    /// The programs.
    pub programs: &'static str,
    /// How long they took for the whole database.
    pub own: SignedDuration,
    /// How long the migrations back took, without their prechecks.
    pub migration: SignedDuration,
    /// The most memory this process had, which service, workers and the rehearsal share; where the system tells.
    pub peak_bytes: Option<u64>,
}

impl Measure {
    /// How many times as long the migration took.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        self.migration.as_secs_f64() / self.own.as_secs_f64().max(0.001)
    }

    /// It for programs.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "programs": self.programs, "own_seconds": self.own.as_secs_f64(),
            "migration_seconds": self.migration.as_secs_f64(), "ratio": self.ratio(), "peak_bytes": self.peak_bytes,
        })
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (own, migration) = (self.own.as_secs_f64(), self.migration.as_secs_f64());
        write!(f, "migration {migration:.1} s, {} {own:.1} s: {:.2} times", self.programs, self.ratio())?;
        match self.peak_bytes {
            Some(bytes) => write!(f, "; memory of this process at most {} MiB", bytes >> 20),
            None => Ok(()),
        }
    }
}

/// Has the engine's own programs copy a database from the recovered copy to the instance.
pub async fn measure(
    stage: &RealStage,
    family: Family,
    sides: (&InstanceId, &InstanceId),
    database: &str,
    migration: SignedDuration,
) -> Result<Measure, Trouble> {
    let peak_bytes = peak_bytes();
    let took = stage.own_copy(sides, database, DATABASE).await.map_err(Trouble::harness)?;
    let programs = match family {
        Family::Postgres => "pg_dump | pg_restore -j2",
        Family::MariaDb => "mariadb-dump | mariadb",
        _ => "mysqldump | mysql",
    };
    let own = SignedDuration::try_from(took).map_err(Trouble::harness)?;
    Ok(Measure { programs, own, migration, peak_bytes })
}

fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ratio_says_how_many_times_as_long_the_migration_took() {
        let (own, migration) = (SignedDuration::from_secs(4), SignedDuration::from_secs(6));
        let measure = Measure { programs: "a | b", own, migration, peak_bytes: Some(5 << 20) };
        assert_eq!(
            measure.to_string(),
            "migration 6.0 s, a | b 4.0 s: 1.50 times; memory of this process at most 5 MiB"
        );
        assert_eq!(measure.json()["ratio"], json!(1.5));
    }
}
