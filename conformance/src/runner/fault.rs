//! Breaks things, and mends them.

use super::operator::{Operator, StepFailed, Stepped};
use crate::history::What;
use jiff::SignedDuration;
use scenarios::{Fault, FaultStep, Host};
use sim::world::FaultError;
use std::rc::Rc;

/// Disk operations among which the one is drawn that a host crashes in.
const WRITES: u64 = 40;

/// A fault of a step: after its delay, for its time, or in the background.
pub async fn fault(operator: &Rc<Operator>, step: &FaultStep) -> Stepped {
    if step.background {
        let (operator, step) = (Rc::clone(operator), step.clone());
        tokio::task::spawn_local(async move {
            if let Err(StepFailed { want, got }) = act(&operator, &step).await {
                operator.recorder.expectation(operator.now(), false, want, got);
            }
        });
        return Ok(());
    }
    act(operator, step).await
}

async fn act(operator: &Operator, step: &FaultStep) -> Stepped {
    if let Some((least, most)) = step.after {
        let span = most.saturating_sub(least).as_millis().max(1);
        let extra = u128::from(operator.stage.ports.dice.next()) % span;
        let wait = least.as_millis() + extra;
        operator.sleep(SignedDuration::from_millis(i64::try_from(wait).unwrap_or(i64::MAX))).await;
    }
    let fault = settled(operator, &step.fault)?;
    begin(operator, &fault).await?;
    if let Some(lasts) = step.lasts {
        operator.sleep(SignedDuration::try_from(lasts).unwrap_or(SignedDuration::MAX)).await;
        end(operator, &fault).await?;
    }
    Ok(())
}

/// The fault with the machines that instances occupy now: it ends where it began, whatever has become of the instance.
fn settled(operator: &Operator, fault: &Fault) -> Stepped<Fault> {
    let mut fault = fault.clone();
    let hosts = match &mut fault {
        Fault::Crash { host, .. } | Fault::Restart { host } | Fault::Pause { host } | Fault::Skew { host, .. } => {
            vec![host]
        }
        Fault::Partition { a, b, .. } | Fault::Hold { a, b } | Fault::Slow { a, b, .. } => vec![a, b],
        Fault::Heal => vec![],
    };
    for host in hosts {
        let Host::MachineOf(name) = &*host else { continue };
        let machine = operator.stage.control.machine_of(&operator.instance(name)?);
        let number = machine.as_deref().and_then(|machine| machine.strip_prefix("machine-")?.parse().ok());
        let number = number.ok_or_else(|| StepFailed::new(format!("the machine of {name}"), "it occupies none"))?;
        *host = Host::Machine(number);
    }
    Ok(fault)
}

fn say(operator: &Operator, text: String, host: Option<&str>) {
    operator.recorder.record(operator.now(), What::Fault { text, host: host.map(str::to_owned) });
}

async fn begin(operator: &Operator, fault: &Fault) -> Stepped {
    let control = &operator.stage.control;
    match fault {
        Fault::Crash { host: it, torn } => {
            let name = it.to_string();
            if *torn {
                crash_in_a_write(operator, &name).await?;
            } else {
                say(operator, format!("{name} crashes"), Some(&name));
                made(control.crash(&name).await)?;
            }
        }
        Fault::Restart { host: it } => {
            let name = it.to_string();
            restart(operator, &name).await?;
        }
        Fault::Partition { a, b, oneway } => {
            let (a, b) = (a.to_string(), b.to_string());
            say(operator, format!("nothing passes {a} {} {b}", if *oneway { "->" } else { "<->" }), Some(&a));
            made(if *oneway { control.partition_oneway(&a, &b).await } else { control.partition(&a, &b).await })?;
        }
        Fault::Hold { a, b } => {
            let (a, b) = (a.to_string(), b.to_string());
            say(operator, format!("messages {a} <-> {b} are held"), Some(&a));
            made(control.hold(&a, &b).await)?;
        }
        Fault::Slow { a, b, latency_ms } => {
            let (a, b) = (a.to_string(), b.to_string());
            say(operator, format!("messages {a} <-> {b} take {latency_ms} ms"), Some(&a));
            made(control.slow(&a, &b, *latency_ms).await)?;
        }
        Fault::Pause { host: it } => {
            let name = it.to_string();
            say(operator, format!("{name} stands still"), Some(&name));
            made(control.pause(&name).await)?;
        }
        Fault::Skew { host: it, ms } => {
            let name = it.to_string();
            say(operator, format!("skew of {name} is {ms} ms"), Some(&name));
            made(control.skew(&name, *ms).await)?;
            operator.skews_ms.borrow_mut().insert(name, *ms);
        }
        Fault::Heal => heal(operator).await?,
    }
    Ok(())
}

async fn end(operator: &Operator, fault: &Fault) -> Stepped {
    let control = &operator.stage.control;
    match fault {
        Fault::Crash { host: it, .. } => {
            let name = it.to_string();
            restart(operator, &name).await?;
        }
        Fault::Pause { host: it } => {
            let name = it.to_string();
            say(operator, format!("{name} goes on"), Some(&name));
            made(control.unpause(&name).await)?;
        }
        Fault::Partition { a, b, .. } | Fault::Slow { a, b, .. } => {
            let (a, b) = (a.to_string(), b.to_string());
            say(operator, format!("{a} <-> {b} is well again"), Some(&a));
            made(control.heal(&a, &b).await)?;
        }
        Fault::Hold { a, b } => {
            let (a, b) = (a.to_string(), b.to_string());
            say(operator, format!("messages {a} <-> {b} go on"), Some(&a));
            made(control.release(&a, &b).await)?;
        }
        Fault::Skew { host: it, .. } => {
            let name = it.to_string();
            say(operator, format!("skew of {name} is gone"), Some(&name));
            made(control.skew(&name, 0).await)?;
            operator.skews_ms.borrow_mut().remove(&name);
        }
        Fault::Restart { .. } | Fault::Heal => {}
    }
    Ok(())
}

/// Crashes a host in the middle of what it writes: at one of its next disk operations, drawn from the seed, with all that
/// was not synced torn. A host that writes nothing for a while crashes as it is.
async fn crash_in_a_write(operator: &Operator, name: &str) -> Stepped {
    let control = &operator.stage.control;
    let nth = 1 + operator.stage.ports.dice.next() % WRITES;
    made(control.crash_at_write(name, nth, true).await)?;
    for _ in 0..100 {
        if control.is_down(name) {
            break;
        }
        operator.sleep(SignedDuration::from_millis(100)).await;
    }
    let in_a_write = control.is_down(name);
    if !in_a_write {
        made(control.crash_torn(name).await)?;
    }
    let how = if in_a_write { "in the middle of a write, unsynced writes torn" } else { "while it wrote nothing" };
    say(operator, format!("{name} crashes {how}"), Some(name));
    Ok(())
}

async fn restart(operator: &Operator, name: &str) -> Stepped {
    say(operator, format!("{name} starts again"), Some(name));
    made(operator.stage.control.bounce(name).await)
}

/// Mends everything: links, hosts that are down or stand still.
pub async fn heal(operator: &Operator) -> Stepped {
    say(operator, "everything heals".into(), None);
    made(operator.stage.control.heal_all().await)
}

fn made(done: Result<(), FaultError>) -> Stepped {
    done.map_err(|error| StepFailed::new("a fault to be made or mended", error.to_string()))
}
