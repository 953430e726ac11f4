//! Runs one scenario on real servers.

use super::operator::Operator;
use super::recorder::Recorder;
use super::target::{RealTarget, Refused, Servers, unsuitable};
use super::variant::Variant;
use crate::history::History;
use scenarios::{Action, Fault, Scenario};
use std::rc::Rc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::runtime::Runtime;

/// How long one run may take.
const LONGEST: Duration = Duration::from_secs(20 * 60);

/// Rows of a portion where something is to happen in the middle of a copy: real servers are done with larger ones before.
const FEW_ROWS: usize = 2;

/// Whether something is waited for on the way of a task, whose messages are no slower than they are.
fn acts_in_the_middle(scenario: &Scenario) -> bool {
    let actions = || scenario.steps.iter().map(|step| &step.action);
    let slow = |action: &Action| matches!(action, Action::Fault(it) if matches!(it.fault, Fault::Slow { .. }));
    actions().any(|action| matches!(action, Action::Fault(_) | Action::Wait(_))) && !actions().any(slow)
}

/// What came of a run on real servers.
#[derive(Debug)]
pub enum Ran {
    /// It ran.
    Done(Box<History>),
    /// The target cannot do it, for a reason.
    Unavailable(String),
    /// It was stopped.
    Stopped,
}

/// Runs a scenario on real servers. Nothing is left running, whatever comes of it; a raised `stop` ends it.
///
/// # Errors
/// When the harness itself failed.
pub fn run_on(scenario: &Scenario, seed: u64, servers: &Servers, stop: &AtomicBool) -> Result<Ran, String> {
    if let Some(why) = unsuitable(scenario) {
        return Ok(Ran::Unavailable(why));
    }
    let runtime = runtime().as_ref().map_err(ToString::to_string)?;
    tokio::task::LocalSet::new().block_on(runtime, on(scenario, seed, servers, stop))
}

/// What all runs share: connections to the container engine are kept in it.
fn runtime() -> &'static std::io::Result<Runtime> {
    static RUNTIME: OnceLock<std::io::Result<Runtime>> = OnceLock::new();
    RUNTIME.get_or_init(|| tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build())
}

// This is real time.
#[allow(clippy::disallowed_methods)]
async fn on(scenario: &Scenario, seed: u64, servers: &Servers, stop: &AtomicBool) -> Result<Ran, String> {
    let mut policy = super::options(scenario, seed, &Variant::default()).policy;
    if acts_in_the_middle(scenario) {
        policy.chunk_rows = FEW_ROWS;
    }
    let (target, stage) = match RealTarget::start(scenario, servers, policy).await {
        Ok(started) => started,
        Err(Refused::Unavailable(why)) => return Ok(Ran::Unavailable(why)),
        Err(Refused::Failed(why)) => return Err(why),
    };
    let recorder = Recorder::new(&scenario.shown(), seed);
    let operator = Rc::new(Operator::new(stage, recorder, None));
    *operator.skews_ms.borrow_mut() = super::skews_ms(scenario);
    let stopped = async {
        while !stop.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let ran = tokio::select! {
        biased;
        () = stopped => Ok(Ran::Stopped),
        () = tokio::time::sleep(LONGEST) => Err(format!("it did not end within {} minutes", LONGEST.as_secs() / 60)),
        () = super::perform(&operator, scenario, None) => Ok(match operator.unavailable.take() {
            Some(why) => Ran::Unavailable(why),
            None => Ran::Done(Box::new(operator.recorder.finish())),
        }),
    };
    target.close().await.map_err(|error| error.to_string())?;
    ran
}
