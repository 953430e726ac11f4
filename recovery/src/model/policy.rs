//! The documented numbers and choices, in one value.

use super::precheck::SHIELDS;
use super::{Edition, Engine, Product, Series, Version};
use serde::{Deserialize, Serialize};

/// One row of a closed list of products; `None` means any.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductPattern {
    /// Engine.
    pub engine: Engine,
    /// Version.
    pub version: Option<Version>,
    /// Edition.
    pub edition: Option<Edition>,
    /// Series.
    pub series: Option<Series>,
}

impl ProductPattern {
    /// Whether a product is of this row.
    #[must_use]
    pub fn admits(&self, product: &Product) -> bool {
        self.engine == product.engine
            && self.version.is_none_or(|version| version == product.version)
            && self.edition.is_none_or(|edition| edition == product.edition)
            && self.series.is_none_or(|series| series == product.series)
    }
}

/// Every documented number and choice the decisions use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Who may have a temporary instance (C-09: SQL-05 to SQL-08, and PostgreSQL and PPAS).
    pub temporary_allowed: Vec<ProductPattern>,
    /// Seconds a temporary instance lives (TMP-11, SQL-17: 48 hours).
    pub temporary_life_s: i64,
    /// Temporary instances a master may have at a time (TMP-09, SQL-14: one).
    pub temporary_per_master: usize,
    /// How far back a temporary instance's point in time may lie, in seconds (C-32: 7 days).
    pub temporary_window_s: i64,
    /// Who may be cloned (C-10: CLN-04, CLN-05, CLN-07, CLN-08; RED-22 for Redis); only primaries (CLN-06).
    pub clone_allowed: Vec<ProductPattern>,
    /// Kept apart from `clone_allowed`: rows that are taken out of it again (CLN-05: MySQL 5.7 basic).
    pub clone_excluded: Vec<ProductPattern>,
    /// Clones one order may ask for (prechecks.md section 7: five).
    pub clones_per_order: u8,
    /// Seconds between two log backups of SQL Server (SQL-10: 30 minutes).
    pub log_backup_interval_sqlserver_s: i64,
    /// Seconds between two log backups of the other engines.
    pub log_backup_interval_s: i64,
    /// Characters of a task name at most (C-21: 32).
    pub task_name_characters_max: usize,
    /// Seconds a task may be paused in the incremental phase and still go on (DTS-22: 6 hours).
    pub incremental_pause_s: i64,
    /// Seconds during which a failed task is retried by itself (DTS-21: 7 days).
    pub auto_retry_s: i64,
    /// Seconds between two automatic retries at first; doubles up to an hour.
    pub auto_retry_first_s: i64,
    /// Seconds an unreachable source or target is tried again before the task fails (12 hours).
    pub connection_retry_s: i64,
    /// Seconds a worker holds a task without renewing.
    pub lease_s: i64,
    /// Seconds an order by a worker waits for work before it is answered empty.
    pub lease_wait_s: i64,
    /// Rows copied at a time.
    pub chunk_rows: usize,
    /// Addresses of the migration service's servers, added to whitelists (DTS-02).
    pub migration_addresses: Vec<String>,
    /// Characters of the name of a data source, logical backup task or restore task at most (LOG-18, C-21: 64).
    pub logical_name_characters_max: usize,
    /// Days a logical set may stay (prechecks.md section 6.4); the first is the default.
    pub logical_retention_days: Vec<u16>,
    /// Engines without logical backups: document 003 is about relational databases.
    pub logical_excluded_engines: Vec<Engine>,
    /// Seconds between two looks at the log of a source (C-19: the range ends that long before now at most).
    pub logical_log_interval_s: i64,
    /// Engines whose logical backups have a log (LOG-06, LOG-07, LOG-23: MySQL).
    pub logical_log_engines: Vec<Engine>,
    /// Days a Redis backup stays; nobody can change it (RED-07, RED-08, C-25: 7).
    pub redis_retention_days: u16,
    /// Whether a Redis cluster can be recovered and cloned (C-27: document 004 says so, later pages do not).
    pub redis_cluster_recoverable: bool,
    /// Whether a failed precheck item that is not shielded keeps a task from starting (TMP-43, DTS-09: it does).
    pub precheck_blocks: bool,
    /// Precheck items a user may shield, by code (prechecks.md section 4).
    pub shieldable_items: Vec<String>,
    /// Days an answer to an idempotency key is kept.
    pub idempotency_days: i64,
    /// Price of an instance an hour, in cents.
    pub instance_cents_per_hour: u64,
    /// Price of incremental migration an hour, in cents (DTS-12; structure and full are free).
    pub incremental_cents_per_hour: u64,
}

const fn row(
    engine: Engine,
    version: Option<Version>,
    edition: Option<Edition>,
    series: Option<Series>,
) -> ProductPattern {
    ProductPattern { engine, version, edition, series }
}

impl Default for Policy {
    fn default() -> Self {
        use {Edition as E, Engine as N, Series as S, Version as V};
        let hour_s = 3_600;
        let day_s = 24 * hour_s;
        Self {
            temporary_allowed: vec![
                row(N::SqlServer, Some(V::V2012), Some(E::Enterprise), Some(S::Basic)),
                row(N::SqlServer, Some(V::V2012), Some(E::Web), None),
                row(N::SqlServer, Some(V::V2016), Some(E::Web), None),
                row(N::SqlServer, Some(V::V2008R2), None, None),
                row(N::PostgreSql, None, None, None),
                row(N::Ppas, None, None, None),
            ],
            temporary_life_s: 48 * hour_s,
            temporary_per_master: 1,
            temporary_window_s: 7 * day_s,
            clone_allowed: vec![
                row(N::MySql, Some(V::V5_5), None, None),
                row(N::MySql, Some(V::V5_6), None, None),
                row(N::MySql, Some(V::V5_7), None, None),
                row(N::SqlServer, Some(V::V2012), Some(E::Standard), Some(S::HighAvailability)),
                row(N::SqlServer, Some(V::V2012), Some(E::Enterprise), Some(S::HighAvailability)),
                row(N::SqlServer, Some(V::V2016), Some(E::Standard), Some(S::HighAvailability)),
                row(N::SqlServer, Some(V::V2016), Some(E::Enterprise), Some(S::HighAvailability)),
                row(N::Redis, None, None, None),
            ],
            clone_excluded: vec![row(N::MySql, Some(V::V5_7), None, Some(S::Basic))],
            clones_per_order: 5,
            log_backup_interval_sqlserver_s: 1_800,
            log_backup_interval_s: 1_800,
            task_name_characters_max: 32,
            incremental_pause_s: 6 * hour_s,
            auto_retry_s: 7 * day_s,
            auto_retry_first_s: 60,
            connection_retry_s: 12 * hour_s,
            lease_s: 30,
            lease_wait_s: 3_600,
            chunk_rows: 200,
            migration_addresses: vec!["worker-1".into(), "worker-2".into()],
            logical_name_characters_max: 64,
            logical_retention_days: vec![7, 30, 60, 90, 180, 365, 730],
            logical_excluded_engines: vec![N::Redis],
            logical_log_interval_s: 30,
            logical_log_engines: vec![N::MySql],
            redis_retention_days: 7,
            redis_cluster_recoverable: true,
            precheck_blocks: true,
            shieldable_items: SHIELDS.iter().map(|(code, _)| (*code).to_owned()).collect(),
            idempotency_days: 7,
            instance_cents_per_hour: 12,
            incremental_cents_per_hour: 7,
        }
    }
}

impl Policy {
    /// Whether a product may have a temporary instance (SQL-05 to SQL-08, C-09).
    #[must_use]
    pub fn may_have_temporary(&self, product: &Product) -> bool {
        self.temporary_allowed.iter().any(|row| row.admits(product))
    }

    /// Whether a product may be cloned (CLN-03 to CLN-08, C-10).
    #[must_use]
    pub fn may_be_cloned(&self, product: &Product) -> bool {
        self.clone_allowed.iter().any(|row| row.admits(product))
            && !self.clone_excluded.iter().any(|row| row.admits(product))
    }

    /// Seconds between two log backups of an engine.
    #[must_use]
    pub fn log_interval_s(&self, engine: Engine) -> i64 {
        match engine {
            Engine::SqlServer => self.log_backup_interval_sqlserver_s,
            Engine::MySql | Engine::PostgreSql | Engine::Ppas | Engine::Redis => self.log_backup_interval_s,
        }
    }
}
