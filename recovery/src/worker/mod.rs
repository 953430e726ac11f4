//! The worker: asks the service for work, prechecks, migrates, backs up or restores, and asks again.
//!
//! A worker writes only while its lease lasts by its own clock, and only on sessions that have claimed the task under
//! that lease, so two workers never write the same task. It reports after it has written, so what the service knows of
//! is always there; what it does not know of yet is written again by the next attempt, without effect.

pub mod ask;
pub mod channel;
pub mod key_space;
pub mod lease;
pub mod logical;
pub mod migrate;
pub mod names;
pub mod precheck;
pub mod scope;
pub mod servers;
pub mod sql;
#[cfg(test)]
mod tests;

use crate::client::Client;
use crate::model::Secret;
use crate::model::SetId;
use crate::model::task::Work;
use crate::model::work::{Job, LeasedWork};
use crate::ports::{Clock, Database, Dice, Ports, Vault};
use channel::{Channel, ClientChannel, ReportError};
use jiff::{SignedDuration, Timestamp};
use lease::{Lease, LetGo};
use logical::layout::Shelf;
use servers::{Outages, Servers, Side};
use std::sync::Arc;

/// Milliseconds before a worker asks again after an error, at first and at most.
const ASK_AGAIN_MS: (u64, u64) = (250, 5_000);

/// What a worker has to know.
#[derive(Debug, Clone)]
pub struct WorkerConfig {
    /// Its name.
    pub name: String,
    /// The service, `host:port`.
    pub service: String,
    /// What it shows the service.
    pub token: Secret,
}

/// Works for ever.
pub async fn run(ports: Ports, config: WorkerConfig) -> ! {
    let client = Client::new(Arc::clone(&ports.clock), ports.network, config.service, config.token);
    let channel = Arc::new(ClientChannel::new(client, config.name));
    Worker { clock: ports.clock, dice: ports.dice, database: ports.database, vault: ports.vault, channel }.work().await
}

/// What a worker works with.
struct Worker {
    clock: Arc<dyn Clock>,
    dice: Arc<dyn Dice>,
    database: Arc<dyn Database>,
    vault: Vault,
    channel: Arc<dyn Channel>,
}

impl Worker {
    async fn work(&self) -> ! {
        let mut outages = Outages::default();
        let mut pause_ms = ASK_AGAIN_MS.0;
        loop {
            match self.turn(&mut outages).await {
                Ok(()) => pause_ms = ASK_AGAIN_MS.0,
                Err(why) => {
                    tracing::info!(%why, "ask again");
                    self.pause(&mut pause_ms).await;
                }
            }
        }
    }

    /// Asks for work once, and does it.
    async fn turn(&self, outages: &mut Outages) -> Result<(), Interruption> {
        let asked_at = self.clock.now();
        match self.channel.lease().await? {
            None => Ok(()),
            Some(work) => Ok(self.handle(outages, work, asked_at).await?),
        }
    }

    /// Does one piece of leased work. All sessions are dropped with it.
    async fn handle(&self, outages: &mut Outages, work: LeasedWork, asked_at: Timestamp) -> Result<(), LetGo> {
        let (clock, database) = (Arc::clone(&self.clock), Arc::clone(&self.database));
        let mut lease = Lease::take(Arc::clone(&clock), Arc::clone(&self.channel), &work, asked_at).await?;
        match work.job {
            Job::Migration(job) => match job.work {
                Work::Precheck => precheck::precheck(clock, database, &mut lease, *job).await,
                Work::Migrate => {
                    let sides = [(Side::Source, &job.source), (Side::Target, &job.target)];
                    let patience_s = job.connection_retry_s;
                    let mut servers = Servers::new(clock, database, lease, outages, &sides, patience_s);
                    migrate::migrate(&mut servers, *job).await
                }
            },
            Job::Dump(job) => {
                let mut servers = Servers::new(clock, database, lease, outages, &[(Side::Source, &job.source)], 0);
                logical::dump::dump(&mut servers, &self.shelf(&job.set), &job).await
            }
            Job::CollectLog(job) => {
                let mut servers = Servers::new(clock, database, lease, outages, &[(Side::Source, &job.source)], 0);
                logical::collect::collect(&mut servers, &self.shelf(&job.set), &job).await
            }
            Job::Restore(job) => match job.work {
                Work::Precheck => {
                    let shelf = self.shelf(&job.set);
                    precheck::restore::precheck(clock, database, &mut lease, *job, shelf).await
                }
                Work::Migrate => {
                    let (sides, patience_s) = ([(Side::Target, &job.target)], job.connection_retry_s);
                    let mut servers = Servers::new(clock, database, lease, outages, &sides, patience_s);
                    logical::restore::restore(&mut servers, &self.shelf(&job.set), *job).await
                }
            },
        }
    }

    /// A set in the vault.
    fn shelf(&self, set: &SetId) -> Shelf {
        Shelf::new(Arc::clone(&self.vault), Arc::clone(&self.clock), set.clone())
    }

    /// Waits before asking again, longer each time, and not in step with other workers.
    async fn pause(&self, pause_ms: &mut u64) {
        let jitter_ms = self.dice.next() % (*pause_ms / 2 + 1);
        let span = i64::try_from(*pause_ms + jitter_ms).unwrap_or(i64::MAX);
        self.clock.sleep(SignedDuration::from_millis(span)).await;
        *pause_ms = (*pause_ms * 2).min(ASK_AGAIN_MS.1);
    }
}

/// Why a worker asks for work again only after a pause.
#[derive(Debug, thiserror::Error)]
enum Interruption {
    #[error(transparent)]
    NoAnswer(#[from] ReportError),
    #[error("let go of the task: {0}")]
    LetGo(#[from] LetGo),
}
