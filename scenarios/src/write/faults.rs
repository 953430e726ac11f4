//! Faults.

use super::{instances, steps, word};
use crate::action::AccountStepChange;
use crate::fault::{Act, ActKind, Damage, Damaged, Deed, Fault, FaultStep};
use crate::lower::book::Book;
use crate::scenario::Host;
use crate::time::written;
use crate::tree::{Node, Table};
use recovery::model::backup::BackupKind;

pub(super) fn fault(step: &FaultStep, book: &Book) -> Table {
    breaks(&step.fault, book)
        .maybe("for", step.lasts.map(written))
        .maybe("when", step.when.as_ref().map(steps::condition))
        .maybe("after", step.after.map(|(first, last)| [first, last].map(written).into_iter().collect::<Node>()))
        .only(step.background && step.when.is_none(), "background", true)
}

fn breaks(fault: &Fault, book: &Book) -> Table {
    let between =
        |key: &str, a: &Host, b: &Host| Table::of(key, [a, b].iter().map(ToString::to_string).collect::<Node>());
    let at = |key: &str, host: &Host| Table::of(key, host.to_string());
    match fault {
        Fault::Crash { host, torn } => at("crash", host).only(*torn, "torn", true),
        Fault::Restart { host } => at("restart", host),
        Fault::Partition { a, b, oneway } => between("partition", a, b).only(*oneway, "oneway", true),
        Fault::Hold { a, b } => between("hold", a, b),
        Fault::Slow { a, b, latency_ms } => between("slow", a, b).with("latency_ms", *latency_ms),
        Fault::Reorder { a, b, latency_ms } => between("reorder", a, b).with("latency_ms", *latency_ms),
        Fault::Reset { a, b } => between("reset", a, b),
        Fault::Pause { host } => at("pause", host),
        Fault::DiskFull { host } => at("disk_full", host),
        Fault::Skew { host, ms } => at("skew", host).with("ms", *ms),
        Fault::Jump { host, ms } => at("jump", host).with("ms", *ms),
        Fault::Twice { requests, at_once } => Table::of("twice", *requests).only(*at_once, "at_once", true),
        Fault::AnswersLost { requests } => Table::of("answers_lost", *requests),
        Fault::ClientZone { zone } => Table::of("client_zone", zone),
        Fault::Act(it) => Table::of(&it.kind.text().replace('-', "_"), act(it, book)),
        Fault::Damage { backup, how } => Table::of("damage", damage(backup, *how)),
        Fault::LogGap { of } => Table::of("log_gap", of),
        Fault::LogFileLost { of } => Table::of("log_file_lost", of),
        Fault::Failover { of } => Table::of("failover", of),
        Fault::Version { of, engine } => Table::of("version", Table::of("of", of).with("engine", engine.to_string())),
        Fault::Lag { of, ms } => Table::of("lag", Table::of("of", of).with("ms", *ms)),
        Fault::TimeZone { of, zone } => Table::of("time_zone", Table::of("of", of).with("zone", zone)),
        Fault::Vanish { of } => Table::of("vanish", of),
        Fault::Heal => Table::of("heal", true),
    }
}

fn act(it: &Act, book: &Book) -> Node {
    let table = Table::of("on", it.deed.on());
    match &it.deed {
        Deed::Sql(step) => steps::sql(step, book),
        Deed::Account(step) => match &step.change {
            AccountStepChange::Create(new) => table.with("create", instances::account(new)),
            AccountStepChange::Drop { name } => table.with("name", name),
            AccountStepChange::Change { name, password, grants } => {
                let table = table.with("name", name).maybe("password", password.as_ref().map(|it| it.expose()));
                match grants {
                    Some(grants) => instances::grants(table, grants, true),
                    None => table,
                }
            }
        },
        Deed::Configure(step) if it.kind == ActKind::Ssl => table.maybe("enabled", step.ssl),
        Deed::Configure(step) => table
            .only(!step.remove_whitelist.is_empty(), "remove", step.remove_whitelist.iter().collect::<Node>())
            .only(!step.add_whitelist.is_empty(), "add", step.add_whitelist.iter().collect::<Node>()),
        Deed::Release(step) => return (&step.instance).into(),
    }
    .into()
}

fn damage(backup: &Damaged, how: Damage) -> Table {
    let how = match how {
        Damage::Corrupt => "corrupt",
        Damage::Missing => "missing",
        Damage::Half => "half",
    };
    let table = match backup {
        Damaged::Named(name) | Damaged::Set(name) => Table::of("backup", name),
        Damaged::Newest { of, kind } => {
            Table::of("newest", Table::of("of", of).only(*kind != BackupKind::Data, "kind", word(kind)))
        }
    };
    table.with("how", how)
}
