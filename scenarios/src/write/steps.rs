//! Steps one by one, except those with a file of their own.

use super::{call, expect, faults, instances, logical, migrate, name_or_table, restore, word};
use crate::action::{
    AccountStep, AccountStepChange, Action, AdvanceStep, ApplicationStep, BackupStep, ConfigureStep, LoginFrom,
    LoginStep, SqlStep, WaitStep, WaitUntil,
};
use crate::lower::book::Book;
use crate::lower::steps::AT_MOST;
use crate::time::{written, written_shift};
use crate::tree::{Node, Table};
use recovery::model::RefusalCode;
use recovery::model::backup::{BackupKind, BackupStatus};
use recovery::model::logical::backup::SetStatus;
use recovery::model::product::Engine;
use recovery::model::task::PhaseStatus;

pub(super) fn step(action: &Action, book: &Book) -> Table {
    let (key, node): (&str, Node) = match action {
        Action::Backup(step) => ("backup", backup(step)),
        Action::Sql(step) => (if is_redis(&step.on, book) { "commands" } else { "sql" }, sql(step, book).into()),
        Action::Mark(name) => ("mark", name.into()),
        Action::Temporary(step) => ("temporary", restore::temporary(step, book).into()),
        Action::Clone(step) => ("clone", restore::clones(step, book).into()),
        Action::Migrate(step) => ("migrate", migrate::migrate(step, book).into()),
        Action::Task(step) => ("task", migrate::task(step, book).into()),
        Action::Wait(step) => ("wait", wait(step).into()),
        Action::DataSource(step) => ("data_source", logical::data_source(step, book).into()),
        Action::RemoveDataSource(step) => {
            ("remove_data_source", name_or_table("of", refused(Table::of("of", &step.of), step.refused)))
        }
        Action::LogicalBackup(step) => ("logical_backup", logical::backup(step, book).into()),
        Action::LogicalTask(step) => ("logical_task", logical::task(step).into()),
        Action::Restore(step) => ("restore", logical::restore(step, book).into()),
        Action::RestoreTask(step) => ("restore_task", logical::restore_task(step).into()),
        Action::Recover(step) => ("recover", logical::recover(step).into()),
        Action::Download(step) => {
            let table = Table::of("backup", &step.backup).only(step.old_link, "link", "old");
            ("download", name_or_table("backup", refused(table, step.refused)))
        }
        Action::Release(step) => {
            ("release", name_or_table("instance", refused(Table::of("instance", &step.instance), step.refused)))
        }
        Action::Account(step) => ("account", account(step).into()),
        Action::Configure(step) => ("configure", configure(step).into()),
        Action::Login(step) => ("login", login(step, book).into()),
        Action::Advance(step) => ("advance", advance(step, book)),
        Action::Application(step) => {
            let word = match step {
                ApplicationStep::Start => "start",
                ApplicationStep::Pause => "pause",
                ApplicationStep::Stop => "stop",
            };
            ("application", word.into())
        }
        Action::Fault(step) => ("fault", faults::fault(step, book).into()),
        Action::Call(step) => ("call", call::call(step).into()),
        Action::Expect(expectation) => ("expect", expect::expect(expectation, book).into()),
    };
    Table::of(key, node)
}

pub(super) fn is_redis(instance: &str, book: &Book) -> bool {
    book.engine(instance) == Some(Engine::Redis)
}

pub(super) fn refused(table: Table, code: Option<RefusalCode>) -> Table {
    table.maybe("refused", code.map(RefusalCode::text))
}

fn backup(step: &BackupStep) -> Node {
    let table = Table::of("of", &step.of).only(step.kind != BackupKind::Data, "kind", word(&step.kind));
    let table = refused(table.maybe("as", step.name.as_ref()), step.refused);
    name_or_table("of", table.only(!step.wait, "wait", false))
}

pub(super) fn sql(step: &SqlStep, book: &Book) -> Table {
    let table = super::login(Table::of("on", &step.on), &step.on, &step.login, book);
    table
        .only(step.database != book.database(&step.on), "database", &step.database)
        .with("run", &step.run)
        .maybe("error", step.error.as_ref())
}

fn wait(step: &WaitStep) -> Table {
    condition(&step.until).only(step.at_most != AT_MOST, "at_most", written(step.at_most))
}

/// What has to be so.
pub(super) fn condition(until: &WaitUntil) -> Table {
    match until {
        WaitUntil::TaskStatus { task, status } => Table::of("task", task).with("status", word(status)),
        WaitUntil::TaskStage { task, stage } => Table::of("task", task).with("stage", word(stage)),
        WaitUntil::TaskPhase { task, phase, status } => Table::of("task", task).with("phase", word(phase)).only(
            *status != PhaseStatus::Migrating,
            "phase_status",
            word(status),
        ),
        WaitUntil::TaskRows { task, rows } => Table::of("task", task).with("rows", *rows),
        WaitUntil::Instance { instance, state } => Table::of("instance", instance).with("state", word(state)),
        WaitUntil::Backup { backup, status } => {
            Table::of("backup", backup).only(*status != BackupStatus::Success, "status", word(status))
        }
        WaitUntil::Restore { restore, status } => Table::of("restore", restore).with("status", word(status)),
        WaitUntil::RestoreRecords { restore, records } => Table::of("restore", restore).with("records", *records),
        WaitUntil::LogicalSet { set, status } => {
            Table::of("logical_set", set).only(*status != SetStatus::Completed, "status", word(status))
        }
        WaitUntil::LogicalRestorable { task, mark } => Table::of("logical_restorable", task).with("contains", mark),
        WaitUntil::Restorable { of, mark } => Table::of("restorable", of).with("contains", mark),
    }
}

fn account(step: &AccountStep) -> Table {
    let table = Table::of("on", &step.on);
    let table = match &step.change {
        AccountStepChange::Create(new) => table.with("create", instances::account(new)),
        AccountStepChange::Change { name, password, grants } => {
            let table = table.with("name", name).maybe("password", password.as_ref().map(|it| it.expose()));
            match grants {
                Some(grants) => instances::grants(table, grants, true),
                None => table,
            }
        }
        AccountStepChange::Drop { name } => table.with("drop", name),
    };
    refused(table, step.refused)
}

fn configure(step: &ConfigureStep) -> Table {
    let texts = |texts: &std::collections::BTreeSet<String>| texts.iter().collect::<Node>();
    let table = Table::of("on", &step.on)
        .maybe("whitelist", step.whitelist.as_ref().map(texts))
        .only(!step.add_whitelist.is_empty(), "add_whitelist", texts(&step.add_whitelist))
        .only(!step.remove_whitelist.is_empty(), "remove_whitelist", texts(&step.remove_whitelist))
        .maybe("ssl", step.ssl)
        .only(!step.parameters.is_empty(), "parameters", step.parameters.iter().collect::<Table>())
        .maybe("backup_policy", step.backup_policy.as_ref().map(instances::policy))
        .maybe(
            "alarm_thresholds",
            step.alarm_thresholds.as_ref().map(|it| it.iter().map(|(name, it)| (name, *it)).collect::<Table>()),
        );
    // A step that changes nothing says so.
    let nothing = table.entries.len() == 1;
    refused(table.only(nothing, "add_whitelist", Node::List(Vec::new())), step.refused)
}

fn login(step: &LoginStep, book: &Book) -> Table {
    let from = match step.from {
        LoginFrom::Operator => None,
        LoginFrom::Application => Some("application"),
        LoginFrom::Stranger => Some("stranger"),
    };
    super::login(Table::of("on", &step.on), &step.on, &step.login, book)
        .only(step.ssl, "ssl", true)
        .maybe("from", from)
        .maybe("refused", step.refused.as_ref())
}

fn advance(step: &AdvanceStep, book: &Book) -> Node {
    match step {
        AdvanceStep::By(time) => written(*time).into(),
        AdvanceStep::ToExpiry { instance, offset } => {
            let to = match offset.is_zero() {
                true => format!("{instance} expires"),
                false => format!("{instance} expires {}", written_shift(*offset, " ")),
            };
            if book.is_mark(&to) || book.is_mark(&format!("{instance} expires")) {
                let until = Table::of("instance", instance).with("expiry", written_shift(*offset, ""));
                return Table::of("until", until).into();
            }
            Table::of("to", to).into()
        }
        AdvanceStep::ToMark { mark, offset } => Table::of("to", restore::moved(mark, *offset)).into(),
    }
}
