//! Runs one scenario in the simulated world, as an operator at the interface would, and writes its history down.

mod application;
mod calls;
mod content;
mod expect;
mod fault;
pub mod gate;
mod logical;
mod logical_looks;
mod looks;
mod migrate;
pub mod on_real;
pub mod operator;
mod rebuild;
pub mod recorder;
mod redis;
mod requests;
mod restore;
mod settle;
mod setup;
mod shown;
mod steps;
pub mod target;
pub mod variant;
mod wait;
mod watch;

pub use application::FIRST_ROW;
pub use migrate::failed_items;

use crate::history::{History, InFlight, What};
use jiff::SignedDuration;
use operator::{Operator, StepFailed, Stepped};
use recorder::Recorder;
use recovery::model::policy::Policy;
use scenarios::{Action, Host, LoginFrom, Scenario};
use sim::{WorldError, WorldOptions};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use variant::Variant;

/// The world a scenario asks for, under a seed.
fn options(scenario: &Scenario, seed: u64, variant: &Variant) -> WorldOptions {
    let world = &scenario.world;
    let mut policy = Policy {
        migration_addresses: (1..=world.workers).map(|number| format!("worker-{number}")).collect(),
        // Small portions make many moments at which a copy can be interrupted.
        chunk_rows: 20,
        ..Policy::default()
    };
    if let Some(change) = variant.policy {
        change(&mut policy);
    }
    WorldOptions {
        seed,
        machines: world.machines,
        workers: if has_work(scenario) { world.workers } else { 0 },
        latency_ms_max: world.latency_ms_max,
        skew_ms: skews_ms(scenario),
        stranger: scenario
            .steps
            .iter()
            .any(|step| matches!(&step.action, Action::Login(login) if login.from == LoginFrom::Stranger)),
        policy,
        meddler: variant.ports.map(|meddler| meddler()),
        ..WorldOptions::default()
    }
}

/// Whether there can be anything for workers to do, or to be done to them. Without, they would only ask for work, once
/// an hour, and make every step of the world dearer.
fn has_work(scenario: &Scenario) -> bool {
    let named = |host: &Host| matches!(host, Host::Worker(_));
    scenario.world.skew_ms.keys().any(named)
        || scenario.steps.iter().any(|step| match &step.action {
            Action::Migrate(_)
            | Action::Task(_)
            | Action::DataSource(_)
            | Action::RemoveDataSource(_)
            | Action::LogicalBackup(_)
            | Action::LogicalTask(_)
            | Action::Restore(_)
            | Action::RestoreTask(_)
            | Action::Recover(_)
            | Action::Download(_)
            | Action::Call(_) => true,
            Action::Fault(fault) => fault.fault.hosts().into_iter().any(named),
            Action::Backup(_)
            | Action::Sql(_)
            | Action::Mark(_)
            | Action::Temporary(_)
            | Action::Clone(_)
            | Action::Wait(_)
            | Action::Release(_)
            | Action::Account(_)
            | Action::Configure(_)
            | Action::Login(_)
            | Action::Advance(_)
            | Action::Application(_)
            | Action::Expect(_) => false,
        })
}

/// Looks at what came of a step. Where it is about content alone, or has written down what it saw at the interface,
/// photographs say it; a statement may besides make the pass of a precheck stale.
async fn look_after(operator: &Operator, action: &Action) -> Stepped {
    match action {
        Action::Sql(_) => {
            operator.see_tasks().await?;
            // So that the photograph is certainly of after it.
            operator.sleep(SignedDuration::from_millis(1)).await;
        }
        Action::Mark(_) | Action::Login(_) | Action::Expect(_) => {}
        _ => return operator.observe().await,
    }
    operator.photograph_all(None).await;
    Ok(())
}

fn skews_ms(scenario: &Scenario) -> BTreeMap<String, i64> {
    scenario.world.skew_ms.iter().map(|(host, ms)| (host.to_string(), *ms)).collect()
}

/// Runs a scenario under a seed against the system as it is; with `until`, only the steps before that index, and no
/// healing.
///
/// # Errors
/// When the world cannot go on: nothing left to wait for, a panic, a run without end.
pub fn run(scenario: &Scenario, seed: u64, until: Option<usize>) -> Result<History, WorldError> {
    run_variant(scenario, seed, until, &Variant::default())
}

/// [`run`] against a variant of the system.
///
/// # Errors
/// When the world cannot go on.
pub fn run_variant(
    scenario: &Scenario,
    seed: u64,
    until: Option<usize>,
    variant: &Variant,
) -> Result<History, WorldError> {
    let scenario = Arc::new(scenario.clone());
    let gate = variant.gate;
    let (history, _) = sim::run(&options(&scenario, seed, variant), move |stage| async move {
        let recorder = Recorder::new(&scenario.shown(), seed);
        let operator = Rc::new(Operator::new(target::simulated(stage), recorder, gate.map(|gate| gate())));
        *operator.skews_ms.borrow_mut() = skews_ms(&scenario);
        perform(&operator, &scenario, until).await;
        operator.recorder.finish()
    })?;
    Ok(history)
}

/// Sets up, takes the steps, heals and waits for everything to come to an end.
async fn perform(operator: &Rc<Operator>, scenario: &Scenario, until: Option<usize>) {
    let recorder = operator.recorder.clone();
    let application = application::Application::new(operator, scenario);
    for (host, ms) in skews_ms(scenario) {
        recorder.record(operator.now(), What::fault("skew", format!("skew of {host} is {ms} ms"), Some(&host)));
    }
    if let Err(failed) = setup::set_up(operator, scenario).await {
        recorder.expectation(operator.now(), false, failed.want, failed.got);
        return;
    }
    application.begin();
    recorder.tolerate(scenario.tolerant);
    for (index, step) in scenario.steps.iter().enumerate().take(until.unwrap_or(usize::MAX)) {
        recorder.step(Some(index));
        recorder.record(operator.now(), What::StepBegan { line: step.line, text: step.text.clone() });
        let done = steps::take(operator, &application, &step.action).await;
        let done = match done {
            Ok(()) => look_after(operator, &step.action).await,
            failed => failed,
        };
        if let Err(StepFailed { want, got }) = done {
            recorder.expectation(operator.now(), false, want, got);
            if operator.unavailable.borrow().is_some() {
                return;
            }
            if !scenario.tolerant {
                break;
            }
        }
    }
    recorder.tolerate(false);
    if until.is_none() {
        settle::settle(operator, &application).await;
    } else if let Ok(messages) = operator.stage.control.under_way().await {
        let flight = |it: sim::UnderWay| InFlight { from: it.from, to: it.to, count: it.count, held: it.held };
        recorder.record(operator.now(), What::InFlight { messages: messages.into_iter().map(flight).collect() });
    }
    recorder.record(operator.now(), What::Ended);
}
