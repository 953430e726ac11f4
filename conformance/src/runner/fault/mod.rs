//! Faults: when they happen, how long they last, and what becomes of them when the steps are over.

mod condition;
mod deed;
mod end;
mod make;
mod requests;
#[cfg(test)]
mod tests;

pub use end::heal;
pub use requests::{Fate, Trouble};

use super::operator::{Operator, StepFailed, Stepped};
use super::target::Refused;
use crate::history::What;
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use scenarios::{Fault, FaultStep, Host};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// The faults of a run.
#[derive(Default)]
pub struct Faults {
    /// What befalls the operator's next requests.
    pub trouble: Trouble,
    /// The zone in whose local time the operator states times; none is UTC.
    pub zone: RefCell<Option<TimeZone>>,
    /// Those in the background that have not come to their end.
    background: RefCell<Vec<JoinHandle<()>>>,
    /// Those that began and that healing the world's hosts and links does not end.
    open: RefCell<Vec<Fault>>,
    /// How far clocks were off before a skew that ends, by host.
    skews_before: RefCell<BTreeMap<String, i64>>,
    /// Whether the steps are over.
    over: Cell<bool>,
    ends: Notify,
}

impl Faults {
    /// Waits for something, or until the steps are over; whether it came.
    async fn comes(&self, awaited: impl Future<Output = ()>) -> bool {
        if self.over.get() {
            return false;
        }
        tokio::select! {
            biased;
            () = self.ends.notified() => false,
            () = awaited => true,
        }
    }
}

/// A fault of a step: when it is to come, for its time, or in the background.
pub async fn fault(operator: &Rc<Operator>, step: &FaultStep) -> Stepped {
    if !step.background {
        return act(operator, step).await;
    }
    let (of_task, step) = (Rc::clone(operator), step.clone());
    let task = tokio::task::spawn_local(async move {
        if let Err(StepFailed { want, got }) = act(&of_task, &step).await {
            missed(&of_task, &step.fault, &format!("wanted {want}, got {got}"));
        }
    });
    operator.faults.background.borrow_mut().push(task);
    Ok(())
}

/// The steps are over: what waits to happen does not, and what lasts for some time ends now.
pub async fn over(operator: &Operator) {
    operator.faults.over.set(true);
    operator.faults.ends.notify_waiters();
    loop {
        let next = operator.faults.background.borrow_mut().pop();
        let Some(task) = next else { return };
        // One that broke off is reported as the panic it is.
        let _ = task.await;
    }
}

async fn act(operator: &Operator, step: &FaultStep) -> Stepped {
    let faults = &operator.faults;
    if let Some(when) = &step.when
        && !faults.comes(condition::until_so(operator, when)).await
    {
        missed(operator, &step.fault, "what it waits for never came so");
        return Ok(());
    }
    if let Some(delay) = step.after.map(|after| drawn(operator, after))
        && !faults.comes(operator.sleep(delay)).await
    {
        missed(operator, &step.fault, "the steps were over before");
        return Ok(());
    }
    let fault = settled(operator, &step.fault)?;
    make::begin(operator, &fault).await?;
    if let Some(lasts) = step.lasts {
        let in_time = faults.comes(operator.sleep(signed(lasts))).await;
        // What is open once the steps are over is put back when everything has healed.
        if in_time || !end::is_open(operator, &fault) {
            end::end(operator, &fault).await?;
        }
    }
    Ok(())
}

/// A delay between two, drawn from the seed.
fn drawn(operator: &Operator, (least, most): (Duration, Duration)) -> SignedDuration {
    let span = most.saturating_sub(least).as_millis().max(1);
    let extra = u128::from(operator.stage.ports.dice.next()) % span;
    SignedDuration::from_millis(i64::try_from(least.as_millis() + extra).unwrap_or(i64::MAX))
}

fn signed(span: Duration) -> SignedDuration {
    SignedDuration::try_from(span).unwrap_or(SignedDuration::MAX)
}

/// The fault with the machines that instances occupy now: it ends where it began, whatever has become of the instance.
fn settled(operator: &Operator, fault: &Fault) -> Stepped<Fault> {
    let mut fault = fault.clone();
    for host in fault.hosts_mut() {
        let Host::MachineOf(name) = &*host else { continue };
        let machine = operator.stage.control.machine_of(&operator.instance(name)?);
        let number = machine.as_deref().and_then(|machine| machine.strip_prefix("machine-")?.parse().ok());
        let number = number.ok_or_else(|| StepFailed::new(format!("the machine of {name}"), "it occupies none"))?;
        *host = Host::Machine(number);
    }
    if let [a, b] = fault.hosts().as_slice()
        && a == b
    {
        return Err(StepFailed::new("two hosts", format!("both are {a}")));
    }
    Ok(fault)
}

/// Writes down that a fault began or ended.
fn say(operator: &Operator, fault: &Fault, began: bool, text: String, host: Option<&str>) {
    let what = What::Fault { text, host: host.map(str::to_owned), kind: fault.kind().to_owned(), began };
    operator.recorder.record(operator.now(), what);
}

/// Writes down that a fault did not happen.
fn missed(operator: &Operator, fault: &Fault, why: &str) {
    let kind = fault.kind().to_owned();
    let text = format!("{kind} did not happen: {why}");
    operator.recorder.record(operator.now(), What::FaultMissed { kind, text });
}

/// What the target says of a fault, as a step says it.
fn made(operator: &Operator, done: Result<(), Refused>) -> Stepped {
    if let Err(Refused::Unavailable(why)) = &done {
        operator.unavailable.replace(Some(why.clone()));
    }
    done.map_err(|error| StepFailed::new("a fault to be made or mended", error.to_string()))
}
