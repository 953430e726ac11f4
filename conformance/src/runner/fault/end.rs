//! Ends faults, and mends everything.

use super::super::operator::{Operator, Stepped};
use super::super::target::Wish;
use super::make::{fill_disk, jump, machine_of, set_skew};
use super::{deed, made, say};
use recovery::model::product::Engine;
use scenarios::Fault;

/// How far the replica of a Redis instance is behind unless its parameters say otherwise.
const REDIS_LAG_MS: u64 = 50;

/// Ends a fault that has an end.
pub async fn end(operator: &Operator, fault: &Fault) -> Stepped {
    let control = &operator.stage.control;
    match fault {
        Fault::Crash { host, .. } => {
            let name = host.to_string();
            if !control.is_down(&name).await {
                return Ok(());
            }
            say(operator, fault, false, format!("{name} starts again"), Some(&name));
            made(operator, control.wish(Wish::Start(name)).await)?;
        }
        Fault::Pause { host } => {
            let name = host.to_string();
            say(operator, fault, false, format!("{name} goes on"), Some(&name));
            made(operator, control.wish(Wish::GoOn(name)).await)?;
        }
        Fault::Partition { a, b, .. } | Fault::Slow { a, b, .. } | Fault::Reorder { a, b, .. } => {
            let (a, b) = (a.to_string(), b.to_string());
            say(operator, fault, false, format!("{a} <-> {b} is well again"), Some(&a));
            made(operator, control.wish(Wish::Heal(a, b)).await)?;
        }
        Fault::Hold { a, b } => {
            let (a, b) = (a.to_string(), b.to_string());
            say(operator, fault, false, format!("messages {a} <-> {b} go on"), Some(&a));
            made(operator, control.wish(Wish::Release(a, b)).await)?;
        }
        Fault::Skew { host, .. } => {
            let name = host.to_string();
            let before = operator.faults.skews_before.borrow_mut().remove(&name).unwrap_or(0);
            say(operator, fault, false, format!("skew of {name} is {before} ms again"), Some(&name));
            set_skew(operator, &name, before).await?;
        }
        Fault::Jump { host, ms } => {
            let name = host.to_string();
            say(operator, fault, false, format!("the clock of {name} jumps back, a skew"), Some(&name));
            jump(operator, &name, ms.saturating_neg()).await?;
        }
        Fault::ClientZone { .. } => {
            operator.faults.zone.replace(None);
            say(operator, fault, false, "the operator states times in UTC".into(), Some("operator"));
        }
        Fault::DiskFull { .. } | Fault::Lag { .. } | Fault::Act(_) => {
            // What cannot be put back now is, when everything heals.
            let is_back = is_open(operator, fault) && put_back(operator, fault).await?;
            if is_back {
                close(operator, fault);
            }
        }
        _ => {}
    }
    Ok(())
}

/// Mends everything: links, hosts that are down or stand still, disks, replicas, and what acts changed.
pub async fn heal(operator: &Operator) -> Stepped {
    say(operator, &Fault::Heal, true, "everything heals".into(), None);
    operator.faults.trouble.clear();
    operator.faults.zone.replace(None);
    let open = || operator.faults.open.borrow().clone();
    // Without a disk the service cannot start.
    for fault in open().iter().filter(|fault| matches!(fault, Fault::DiskFull { .. })) {
        put_back(operator, fault).await?;
        close(operator, fault);
    }
    made(operator, operator.stage.control.wish(Wish::HealAll).await)?;
    for fault in open().iter().rev() {
        close(operator, fault);
        put_back(operator, fault).await?;
    }
    Ok(())
}

/// Whether a fault was made that healing the world's hosts and links does not end, and not put back.
pub(super) fn is_open(operator: &Operator, fault: &Fault) -> bool {
    operator.faults.open.borrow().contains(fault)
}

fn close(operator: &Operator, fault: &Fault) {
    let mut open = operator.faults.open.borrow_mut();
    if let Some(at) = open.iter().position(|other| other == fault) {
        open.remove(at);
    }
}

/// Puts back what healing the world's hosts and links does not; whether it is. An instance that is gone by now needs
/// nothing.
async fn put_back(operator: &Operator, fault: &Fault) -> Stepped<bool> {
    let control = &operator.stage.control;
    match fault {
        Fault::DiskFull { host } => {
            let name = host.to_string();
            fill_disk(operator, host, false).await?;
            say(operator, fault, false, format!("the disk of {name} has room again"), Some(&name));
        }
        Fault::Lag { of, .. } => {
            let id = operator.instance(of)?;
            let Some(view) = operator.see(&id).await? else { return Ok(true) };
            let given = view.configuration.parameters.get("replica_lag_ms").and_then(|lag| lag.parse().ok());
            let usual = if view.product.engine == Engine::Redis { REDIS_LAG_MS } else { 0 };
            if control.wish(Wish::Lag(id, given.unwrap_or(usual))).await.is_ok() {
                let machine = machine_of(operator, of);
                say(operator, fault, false, format!("the replica of {of} is up to date"), machine.as_deref());
            }
        }
        Fault::Act(act) => {
            let Some(undo) = &act.undo else { return Ok(true) };
            let machine = machine_of(operator, undo.on());
            let done = deed::perform(operator, undo).await;
            let text = match &done {
                Ok(()) => format!("{} of {} is as before", act.kind.text(), undo.on()),
                Err(refused) => format!("{} of {} stays: {}", act.kind.text(), undo.on(), refused.got),
            };
            say(operator, fault, false, text, machine.as_deref());
            return Ok(done.is_ok());
        }
        _ => {}
    }
    Ok(true)
}
