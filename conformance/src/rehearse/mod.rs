//! A rehearsal of recovery on the user's own schema: it is loaded into a real server, backed up, harmed by a mistake,
//! recovered beside the instance as the documents say, verified by photograph, put back by migration, and compared.
//!
//! Everything a user would ask of the recovery service is asked of it through its interface; only the user's own scripts go
//! to the server directly, as they would.

mod beats;
mod compare;
mod complaints;
mod desk;
mod measure;
mod mistake;
mod played;
mod put_back;
mod report;
mod script;
mod steps;

pub use compare::{Change, How};
pub use report::{Phase, Report, line};

use engines::RealStage;
use engines::docker::{Docker, DockerError};
use engines::images::{Choice, Family};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use thiserror::Error;

/// What is to be rehearsed.
#[derive(Debug, Clone)]
pub struct Order {
    /// The server.
    pub choice: Choice,
    /// The script that makes the schema; may hold data too.
    pub schema: PathBuf,
    /// The script that puts data in.
    pub data: Option<PathBuf>,
    /// The mistake, as statements; one is chosen unless given.
    pub mistake: Option<String>,
    /// Whether the migration back is measured by the engine's own dump and restore of the same database.
    pub measure: bool,
}

/// Why a rehearsal did not come to its end.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Trouble {
    /// What was given is of no use.
    #[error("{0}")]
    Input(String),
    /// There are no servers of the kind here.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// It was stopped.
    #[error("stopped; nothing is left running")]
    Stopped,
    /// The recovery did not succeed: what a rehearsal is there to find out.
    #[error("the recovery failed: {0}")]
    Recovery(String),
    /// The rehearsal itself failed.
    #[error("firedrill failed: {0}")]
    Harness(String),
}

impl Trouble {
    fn harness(error: impl ToString) -> Self {
        Self::Harness(error.to_string())
    }
}

/// Rehearses; `tell` is called at the end of each phase, and a raised `stop` ends it. Nothing is left running, whatever
/// comes of it. The report says what came about so far, also where a trouble ended it.
pub fn rehearse(order: &Order, stop: &AtomicBool, tell: &dyn Fn(&Phase)) -> (Report, Result<(), Trouble>) {
    let mut report = Report::new(&order.choice);
    if matches!(order.choice.family, Family::Redis | Family::Valkey) {
        let why = format!("{} has no schema; write postgres=, mysql= or mariadb=IMAGE", order.choice.family);
        return (report, Err(Trouble::Input(why)));
    }
    let opened = script::Script::open(&order.schema, order.choice.family);
    let opened = opened.and_then(|_| match &order.data {
        Some(data) => script::Script::open(data, order.choice.family).map(drop),
        None => Ok(()),
    });
    if let Err(trouble) = opened {
        return (report, Err(trouble));
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return (report, Err(Trouble::harness(error))),
    };
    let ended = runtime.block_on(on_servers(order, stop, &mut report, tell));
    // An order to a machine that is still under way ends with the runtime, and its container with it.
    runtime.shutdown_timeout(Duration::from_secs(10));
    (report, ended)
}

// This is real time.
#[allow(clippy::disallowed_methods)]
async fn on_servers(
    order: &Order,
    stop: &AtomicBool,
    report: &mut Report,
    tell: &dyn Fn(&Phase),
) -> Result<(), Trouble> {
    let stopped = async {
        while !stop.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let mut stopped = std::pin::pin!(stopped);
    let stage = tokio::select! {
        biased;
        () = &mut stopped => return Err(Trouble::Stopped),
        stage = set(&order.choice) => stage?,
    };
    let ended = tokio::select! {
        biased;
        () = &mut stopped => Err(Trouble::Stopped),
        ended = steps::take(order, &stage, report, tell) => ended,
    };
    let closed = stage.close().await.map_err(Trouble::harness);
    ended.and(closed)
}

/// The system with its servers.
async fn set(choice: &Choice) -> Result<RealStage, Trouble> {
    let unavailable = |error: DockerError| Trouble::Unavailable(error.to_string());
    let docker = Docker::connect().await.map_err(unavailable)?;
    docker.provide(&choice.image).await.map_err(unavailable)?;
    RealStage::start(docker, &played::stage_options(choice)).await.map_err(Trouble::harness)
}
