//! Which lease of a task works on a server: the latest that said so, of which the server keeps a row in its own database
//! `postgres`, never in a database of users.

use super::connection::Connection;
use recovery::ports::database::DatabaseError;
use sha2::{Digest, Sha256};
use std::time::Duration;

/// What sessions are called that work for no task.
pub const UNCLAIMED: &str = "firedrill";
/// How often it is looked whether sessions that were ended are gone, and for how long.
const LOOKS: (u32, Duration) = (500, Duration::from_millis(20));

/// Lays out, on a server that was just made, where claims are kept; any account may claim.
pub const LAYOUT: &str = "CREATE SCHEMA IF NOT EXISTS firedrill; \
    CREATE TABLE IF NOT EXISTS firedrill.claims (task text PRIMARY KEY, epoch bigint NOT NULL); \
    GRANT USAGE ON SCHEMA firedrill TO PUBLIC; GRANT SELECT, INSERT, UPDATE ON firedrill.claims TO PUBLIC";

/// A claim of a task under a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Task.
    pub task: String,
    /// Epoch of the lease.
    pub epoch: u64,
}

impl Claim {
    /// What sessions under it are called; others see the first 63 bytes.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{UNCLAIMED} {} {} {}", self.mark(), self.epoch, self.task)
    }

    fn mark(&self) -> String {
        let digest = Sha256::digest(&self.task);
        digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    fn epoch(&self) -> Result<i64, DatabaseError> {
        i64::try_from(self.epoch).map_err(|_| DatabaseError::Statement(format!("epoch {} is too high", self.epoch)))
    }

    /// Takes the task over, unless a later lease has, and ends the sessions of earlier ones; they are gone when this
    /// returns. `control` is a connection to the server's own database.
    ///
    /// # Errors
    /// [`DatabaseError::Fenced`], and what else a server may say.
    pub async fn take(&self, control: &Connection) -> Result<(), DatabaseError> {
        let epoch = self.epoch()?;
        let sql = "INSERT INTO firedrill.claims AS c VALUES ($1, $2) ON CONFLICT (task) DO UPDATE \
                   SET epoch = EXCLUDED.epoch WHERE c.epoch <= EXCLUDED.epoch RETURNING epoch";
        if control.query(sql, &[&self.task, &epoch]).await?.is_empty() {
            self.check(control).await?;
        }
        for _ in 0..LOOKS.0 {
            if self.end_earlier(control).await? == 0 {
                return Ok(());
            }
            tokio::time::sleep(LOOKS.1).await;
        }
        Err(DatabaseError::Unreachable("sessions of an earlier lease do not end".to_owned()))
    }

    async fn end_earlier(&self, control: &Connection) -> Result<i64, DatabaseError> {
        let sql = "WITH earlier AS MATERIALIZED (SELECT pid FROM pg_stat_activity \
                     WHERE split_part(application_name, ' ', 1) = 'firedrill' \
                     AND split_part(application_name, ' ', 2) = $1 AND pid <> pg_backend_pid() \
                     AND nullif(split_part(application_name, ' ', 3), '')::bigint < $2) \
                   SELECT count(pg_terminate_backend(pid)) FROM earlier";
        Ok(control.one(sql, &[&self.mark(), &self.epoch()?]).await?.get(0))
    }

    /// Sees whether a later lease has taken over meanwhile.
    ///
    /// # Errors
    /// [`DatabaseError::Fenced`] if so.
    pub async fn check(&self, control: &Connection) -> Result<(), DatabaseError> {
        let sql = "SELECT epoch FROM firedrill.claims WHERE task = $1 AND epoch > $2";
        match control.query(sql, &[&self.task, &self.epoch()?]).await?.first() {
            Some(row) => Err(DatabaseError::Fenced(row.get::<_, i64>(0).unsigned_abs())),
            None => Ok(()),
        }
    }
}
