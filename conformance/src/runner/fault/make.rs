//! Makes faults.

use super::super::logical::set_named;
use super::super::operator::{Operator, StepFailed, Stepped};
use super::super::target::Wish;
use super::{deed, made, say};
use jiff::SignedDuration;
use recovery::model::BackupId;
use recovery::model::backup::BackupKind;
use scenarios::{Damage, Damaged, Fault, Host};

/// Disk operations among which the one is drawn that a host crashes in.
const WRITES: u64 = 40;

/// Begins a fault.
pub async fn begin(operator: &Operator, fault: &Fault) -> Stepped {
    match fault {
        Fault::Crash { .. } | Fault::Restart { .. } | Fault::Pause { .. } => to_host(operator, fault).await,
        Fault::Skew { .. } | Fault::Jump { .. } | Fault::DiskFull { .. } => to_parts_of_a_host(operator, fault).await,
        Fault::Partition { a, b, .. }
        | Fault::Hold { a, b }
        | Fault::Slow { a, b, .. }
        | Fault::Reorder { a, b, .. }
        | Fault::Reset { a, b } => between(operator, fault, &a.to_string(), &b.to_string()).await,
        Fault::Twice { requests, at_once } => {
            operator.faults.trouble.twice(*requests, *at_once);
            let how = if *at_once { "at once" } else { "one after the other" };
            say(operator, fault, true, format!("the next {requests} requests are sent twice, {how}"), None);
            Ok(())
        }
        Fault::AnswersLost { requests } => {
            operator.faults.trouble.lose(*requests);
            say(operator, fault, true, format!("the answers of the next {requests} requests are lost"), None);
            Ok(())
        }
        Fault::ClientZone { zone } => {
            let known = operator.stage.control.zone(zone);
            let known = known.map_err(|error| StepFailed::new("a time zone", error.to_string()))?;
            operator.faults.zone.replace(Some(known));
            say(operator, fault, true, format!("the operator states times in {zone}"), Some("operator"));
            Ok(())
        }
        Fault::Act(act) => {
            deed::perform(operator, &act.deed).await?;
            let machine = machine_of(operator, act.deed.on());
            say(operator, fault, true, deed::described(act.kind, &act.deed), machine.as_deref());
            if act.undo.is_some() {
                operator.faults.open.borrow_mut().push(fault.clone());
            }
            Ok(())
        }
        Fault::Damage { backup, how } => damage(operator, fault, backup, *how).await,
        Fault::LogGap { of } => {
            let newest = newest(operator, of, BackupKind::Log).await?;
            let id = operator.instance(of)?;
            let lost = Wish::Damage(id, newest.clone(), Damage::Missing);
            made(operator, operator.stage.control.wish(lost).await)?;
            say(operator, fault, true, format!("the newest log backup of {of}, {newest}, is lost"), None);
            Ok(())
        }
        Fault::LogFileLost { of }
        | Fault::Failover { of }
        | Fault::Version { of, .. }
        | Fault::Lag { of, .. }
        | Fault::TimeZone { of, .. }
        | Fault::Vanish { of } => to_instance(operator, fault, of).await,
        Fault::Heal => super::heal(operator).await,
    }
}

async fn to_host(operator: &Operator, fault: &Fault) -> Stepped {
    let control = &operator.stage.control;
    let Some(name) = fault.hosts().first().map(ToString::to_string) else { return Ok(()) };
    match fault {
        Fault::Crash { torn: true, .. } => crash_in_a_write(operator, fault, &name).await,
        Fault::Crash { .. } => {
            say(operator, fault, true, format!("{name} crashes"), Some(&name));
            made(operator, control.wish(Wish::Crash { host: name, torn: false }).await)
        }
        Fault::Pause { .. } => {
            say(operator, fault, true, format!("{name} stands still"), Some(&name));
            made(operator, control.wish(Wish::Pause(name)).await)
        }
        _ => {
            say(operator, fault, true, format!("{name} starts again"), Some(&name));
            made(operator, control.wish(Wish::Start(name)).await)
        }
    }
}

async fn to_parts_of_a_host(operator: &Operator, fault: &Fault) -> Stepped {
    match fault {
        Fault::Skew { host, ms } => {
            let name = host.to_string();
            let before = operator.skews_ms.borrow().get(&name).copied().unwrap_or(0);
            operator.faults.skews_before.borrow_mut().insert(name.clone(), before);
            say(operator, fault, true, format!("skew of {name} is {ms} ms"), Some(&name));
            set_skew(operator, &name, *ms).await
        }
        Fault::Jump { host, ms } => {
            let name = host.to_string();
            say(operator, fault, true, format!("the clock of {name} jumps by {ms} ms, a skew"), Some(&name));
            jump(operator, &name, *ms).await
        }
        Fault::DiskFull { host } => {
            let name = host.to_string();
            say(operator, fault, true, format!("the disk of {name} is full"), Some(&name));
            fill_disk(operator, host, true).await?;
            operator.faults.open.borrow_mut().push(fault.clone());
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Sets a host's clock off from true time.
pub(super) async fn set_skew(operator: &Operator, name: &str, ms: i64) -> Stepped {
    let shown = operator.host_now(name);
    made(operator, operator.stage.control.wish(Wish::Skew(name.to_owned(), ms)).await)?;
    let mut shown_before = operator.shown_before.borrow_mut();
    let latest = shown_before.entry(name.to_owned()).or_insert(shown);
    *latest = shown.max(*latest);
    operator.skews_ms.borrow_mut().insert(name.to_owned(), ms);
    Ok(())
}

/// Moves a host's clock from where it is.
pub(super) async fn jump(operator: &Operator, name: &str, ms: i64) -> Stepped {
    let before = operator.skews_ms.borrow().get(name).copied().unwrap_or(0);
    set_skew(operator, name, before.saturating_add(ms)).await
}

/// Fills a disk up, or makes room on it.
pub(super) async fn fill_disk(operator: &Operator, host: &Host, full: bool) -> Stepped {
    made(operator, operator.stage.control.wish(Wish::FillDisk { host: host.to_string(), full }).await)
}

async fn between(operator: &Operator, fault: &Fault, a: &str, b: &str) -> Stepped {
    let control = &operator.stage.control;
    let text = match fault {
        Fault::Partition { oneway: true, .. } => format!("nothing passes {a} -> {b}"),
        Fault::Partition { .. } => format!("nothing passes {a} <-> {b}"),
        Fault::Hold { .. } => format!("messages {a} <-> {b} are held"),
        Fault::Slow { latency_ms, .. } => format!("messages {a} <-> {b} take {latency_ms} ms"),
        Fault::Reorder { latency_ms, .. } => {
            format!("messages {a} <-> {b} take up to {latency_ms} ms and overtake one another")
        }
        _ => format!("connections {a} <-> {b} are reset"),
    };
    say(operator, fault, true, text, Some(a));
    let (a, b) = (a.to_owned(), b.to_owned());
    let wish = match fault {
        Fault::Partition { oneway, .. } => Wish::Cut { a, b, oneway: *oneway },
        Fault::Hold { .. } => Wish::Hold(a, b),
        Fault::Slow { latency_ms, .. } => Wish::Slow(a, b, *latency_ms),
        Fault::Reorder { latency_ms, .. } => Wish::Reorder(a, b, *latency_ms),
        _ => Wish::Reset(a, b),
    };
    made(operator, control.wish(wish).await)
}

/// Crashes a host in the middle of what it writes: at one of its next disk operations, drawn from the seed, with all that
/// was not synced torn. A host that writes nothing for a while crashes as it is.
async fn crash_in_a_write(operator: &Operator, fault: &Fault, name: &str) -> Stepped {
    let control = &operator.stage.control;
    let nth = 1 + operator.stage.ports.dice.next() % WRITES;
    made(operator, control.wish(Wish::CrashAtWrite { host: name.to_owned(), nth }).await)?;
    for _ in 0..100 {
        if control.is_down(name).await {
            break;
        }
        operator.sleep(SignedDuration::from_millis(100)).await;
    }
    let in_a_write = control.is_down(name).await;
    if !in_a_write {
        made(operator, control.wish(Wish::Crash { host: name.to_owned(), torn: true }).await)?;
    }
    let how = if in_a_write { "in the middle of a write, unsynced writes torn" } else { "while it wrote nothing" };
    say(operator, fault, true, format!("{name} crashes {how}"), Some(name));
    Ok(())
}

async fn damage(operator: &Operator, fault: &Fault, backup: &Damaged, how: Damage) -> Stepped {
    let control = &operator.stage.control;
    let verb = match how {
        Damage::Corrupt => "goes bad",
        Damage::Missing => "is lost",
        Damage::Half => "is cut to its first half",
    };
    let text = match backup {
        Damaged::Named(name) => {
            let id = operator.backups.borrow().get(name).cloned();
            let id = id.ok_or_else(|| StepFailed::new(format!("backup {name}"), "it was never taken"))?;
            let instance = operator.recorder.backed_up(&id);
            let instance = instance.ok_or_else(|| StepFailed::new(format!("backup {name}"), "it was never seen"))?;
            made(operator, control.wish(Wish::Damage(instance, id, how)).await)?;
            format!("backup {name} {verb}")
        }
        Damaged::Set(name) => {
            made(operator, control.wish(Wish::DamageSet(set_named(operator, name).await?, how)).await)?;
            format!("a part of the set {name} {verb}")
        }
        Damaged::Newest { of, kind } => {
            let newest = newest(operator, of, *kind).await?;
            made(operator, control.wish(Wish::Damage(operator.instance(of)?, newest.clone(), how)).await)?;
            format!("the newest {kind:?} backup of {of}, {newest}, {verb}")
        }
    };
    say(operator, fault, true, text, None);
    Ok(())
}

async fn newest(operator: &Operator, of: &str, kind: BackupKind) -> Stepped<BackupId> {
    let want = || format!("a {kind:?} backup of {of}");
    let found = operator.stage.control.newest_backup(&operator.instance(of)?, kind).await;
    let found = found.map_err(|error| StepFailed::new(want(), error.to_string()))?;
    found.ok_or_else(|| StepFailed::new(want(), "there is none"))
}

async fn to_instance(operator: &Operator, fault: &Fault, of: &str) -> Stepped {
    let control = &operator.stage.control;
    let (id, machine) = (operator.instance(of)?, machine_of(operator, of));
    let text = match fault {
        Fault::Failover { .. } => {
            made(operator, control.wish(Wish::FailOver(id)).await)?;
            format!("a stand-by takes over from {of}")
        }
        Fault::LogFileLost { .. } => {
            made(operator, control.wish(Wish::LoseLogFile(id)).await)?;
            format!("the files of the log of {of} up to now are lost")
        }
        Fault::Version { engine, .. } => {
            made(operator, control.wish(Wish::Version(id, *engine)).await)?;
            format!("{of} becomes {engine}")
        }
        Fault::Lag { ms, .. } => {
            made(operator, control.wish(Wish::Lag(id, *ms)).await)?;
            operator.faults.open.borrow_mut().push(fault.clone());
            format!("the replica of {of} is {ms} ms behind")
        }
        Fault::TimeZone { zone, .. } => {
            made(operator, control.wish(Wish::Zone(id, zone.clone())).await)?;
            format!("the time zone of {of} is {zone}")
        }
        _ => {
            made(operator, control.wish(Wish::Vanish(id)).await)?;
            format!("{of} vanishes from its machine")
        }
    };
    say(operator, fault, true, text, machine.as_deref());
    Ok(())
}

/// The machine of a named instance, where it occupies one.
pub(super) fn machine_of(operator: &Operator, name: &str) -> Option<String> {
    operator.instance(name).ok().and_then(|id| operator.stage.control.machine_of(&id))
}
