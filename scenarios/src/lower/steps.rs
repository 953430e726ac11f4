//! Steps one by one, except those with a file of their own.

use super::Lower;
use super::book::{Kind, name_or_table};
use super::instances::{account, exceptions, policy};
use crate::action::{
    AccountStep, AccountStepChange, Action, AdvanceStep, ApplicationStep, BackupStep, ConfigureStep, LoginFrom,
    LoginStep, ReleaseStep, SqlStep,
};
use crate::error::quoted;
use crate::fields::{At, Fields, Read, Word};
use crate::time::{SHIFT_HELP, name_and_shift, shift};
use jiff::SignedDuration;
use recovery::model::backup::BackupKind;
use recovery::model::instance::Grants;
use recovery::model::product::Engine;
use std::time::Duration;

/// Longest wait unless a step says otherwise.
pub(crate) const AT_MOST: Duration = Duration::from_secs(86_400);

/// Keys of a step that say which cases take it.
pub(super) const CASE_KEYS: [&str; 2] = ["only", "except"];

impl Lower {
    pub(super) fn step(&mut self, step: &Fields) -> Option<Action> {
        let entry = step.entries.iter().find(|entry| !CASE_KEYS.contains(&entry.key.value.as_str()))?;
        let (at, place) = (&entry.value, &entry.key.span);
        let (word, table) = name_or_table(at);
        Some(match (entry.key.value.as_str(), word, table) {
            ("backup", word, table) => Action::Backup(self.backup(word, table)?),
            ("sql", _, Some(table)) => Action::Sql(self.sql(table)?),
            ("commands", _, Some(table)) => Action::Sql(self.commands(table)?),
            ("mark", Some(word), _) => Action::Mark(self.mark(&word)?),
            ("temporary", _, Some(table)) => Action::Temporary(self.temporary(table)?),
            ("clone", _, Some(table)) => Action::Clone(self.clones(table)?),
            ("migrate", _, Some(table)) => Action::Migrate(self.migrate(table)?),
            ("task", _, Some(table)) => Action::Task(self.task(table)?),
            ("wait", _, Some(table)) => Action::Wait(self.wait(table)?),
            ("data_source", _, Some(table)) => Action::DataSource(self.data_source(table)?),
            ("remove_data_source", word, table) => Action::RemoveDataSource(self.remove_data_source(word, table)?),
            ("logical_backup", _, Some(table)) => Action::LogicalBackup(self.logical_backup(table)?),
            ("logical_task", _, Some(table)) => Action::LogicalTask(self.logical_task(table)?),
            ("restore", _, Some(table)) => Action::Restore(self.logical_restore(table)?),
            ("restore_task", _, Some(table)) => Action::RestoreTask(self.restore_task(table)?),
            ("recover", _, Some(table)) => Action::Recover(self.recover(table)?),
            ("download", word, table) => Action::Download(self.download(word, table)?),
            ("release", word, table) => Action::Release(self.release(word, table)?),
            ("account", _, Some(table)) => Action::Account(self.account_step(table)?),
            ("configure", _, Some(table)) => Action::Configure(self.configure(table)?),
            ("login", _, Some(table)) => Action::Login(self.login_step(table)?),
            ("advance", _, table) => Action::Advance(self.advance(at, table)?),
            ("application", Some(word), _) => Action::Application(self.application_step(&word, place)?),
            ("fault", _, Some(table)) => Action::Fault(self.fault(table)?),
            ("call", _, Some(table)) => Action::Call(self.call(table)?),
            ("expect", _, Some(table)) => Action::Expect(self.expect(table)?),
            _ => return None,
        })
    }

    fn backup(&mut self, word: Option<Word<'_>>, table: Option<&Fields>) -> Option<BackupStep> {
        let of = word.or_else(|| table?.word("of"))?;
        let of = self.find(&of, Kind::Instance)?;
        let none = Fields { span: 0..0, entries: Vec::new() };
        let fields = table.unwrap_or(&none);
        let refused = fields.code("refused");
        if refused.is_some() {
            self.refuse_keys(fields, &["as"], "`refused`", "a refused step makes no backup; leave `as` out");
        } else if let Some(name) = fields.word("as")
            && self.declare(&name, Kind::Backup)
        {
            self.book.remember(name.value);
        }
        Some(BackupStep {
            of,
            kind: fields.model("kind").unwrap_or(BackupKind::Data),
            name: fields.text("as").filter(|_| refused.is_none()),
            refused,
            wait: fields.flag("wait").unwrap_or(true),
        })
    }

    pub(super) fn sql(&mut self, fields: &Fields) -> Option<SqlStep> {
        let on = self.find(&fields.word("on")?, Kind::Instance)?;
        let login = self.login(&on, &fields.place("on"), fields.word("account"), fields.secret("password"))?;
        let run = fields.text("run")?;
        if run.trim().is_empty() {
            self.problems.add(&fields.place("run"), "there are no statements to run", "empty", "");
        }
        let database = fields.text_or("database", self.book.database(&on));
        Some(SqlStep { on, run, login, database, error: fields.text("error") })
    }

    /// Another word for `sql`, for Redis.
    fn commands(&mut self, fields: &Fields) -> Option<SqlStep> {
        let step = self.sql(fields)?;
        if self.book.engine(&step.on).is_some_and(|engine| engine != Engine::Redis) {
            let message = format!("{} takes statements, no commands: it is no Redis", quoted(&step.on));
            self.problems.add(&fields.place("on"), message, "no Redis", "write `sql = { on = ..., run = ... }`");
        }
        Some(step)
    }

    fn mark(&mut self, name: &Word<'_>) -> Option<String> {
        if !self.declare(name, Kind::Mark) {
            return None;
        }
        self.book.remember(name.value);
        Some(name.value.to_owned())
    }

    fn release(&mut self, word: Option<Word<'_>>, table: Option<&Fields>) -> Option<ReleaseStep> {
        let instance = word.or_else(|| table?.word("instance"))?;
        let instance = self.find(&instance, Kind::Instance)?;
        Some(ReleaseStep { instance, refused: table.and_then(|table| table.code("refused")) })
    }

    fn account_step(&mut self, fields: &Fields) -> Option<AccountStep> {
        let on = self.find(&fields.word("on")?, Kind::Instance)?;
        let refused = fields.code("refused");
        let change = if let Some(create) = fields.table("create") {
            AccountStepChange::Create(account(create)?)
        } else if let Some(drop) = fields.word("drop") {
            AccountStepChange::Drop { name: self.known_account(&on, &drop, refused.is_some())? }
        } else {
            let name = self.known_account(&on, &fields.word("name")?, refused.is_some())?;
            self.account_change(fields, &on, name)?
        };
        if refused.is_none() {
            self.note_account(fields, &on, &change);
        }
        Some(AccountStep { on, change, refused })
    }

    fn account_change(&mut self, fields: &Fields, on: &str, name: String) -> Option<AccountStepChange> {
        let password = fields.secret("password");
        let before = self.book.accounts(on).iter().find(|known| known.name == name).map(|known| known.grants.default);
        let grants = match (fields.model("rights").or(before), fields.has("rights") || fields.has("exceptions")) {
            (Some(default), true) => Some(Grants { default, exceptions: exceptions(fields) }),
            _ => None,
        };
        if password.is_none() && grants.is_none() {
            let help = "give `password`, `rights`, or both";
            self.problems.add(&fields.span, "this step changes nothing about the account", "incomplete", help);
            return None;
        }
        Some(AccountStepChange::Change { name, password, grants })
    }

    /// An account that is there; where the step is refused it may be missing.
    fn known_account(&mut self, on: &str, name: &Word<'_>, refused: bool) -> Option<String> {
        match refused {
            true => Some(name.value.to_owned()),
            false => {
                let place = name.span.clone();
                self.login(on, &place, Some(name.clone()), None).map(|login| login.account)
            }
        }
    }

    /// Notes what a step that is not refused makes of the accounts.
    fn note_account(&mut self, fields: &Fields, on: &str, change: &AccountStepChange) {
        if self.own_accounts(fields, on, ", or say `refused`").is_none() {
            return;
        }
        if let AccountStepChange::Create(new) = change
            && self.book.accounts(on).iter().any(|known| known.name == new.name)
        {
            let message = format!("{} has an account {} already", quoted(on), quoted(&new.name));
            let help = "choose another name, or say `refused`";
            self.problems.add(&fields.place("create"), message, "again", help);
            return;
        }
        self.book.change_accounts(on, change);
    }

    fn configure(&mut self, fields: &Fields) -> Option<ConfigureStep> {
        let on = self.find(&fields.word("on")?, Kind::Instance)?;
        let changes = fields.entries.iter().any(|entry| !["on", "refused"].contains(&entry.key.value.as_str()));
        if !changes {
            let help = "give `whitelist`, `ssl`, `parameters`, `backup_policy` or another setting";
            self.problems.add(&fields.span, "this step changes no setting", "incomplete", help);
        }
        if fields.has("whitelist") {
            self.refuse_keys(fields, &["add_whitelist", "remove_whitelist"], "`whitelist`", "`whitelist` replaces all");
        }
        let threshold = |entry: &crate::fields::Entry| match entry.value.value {
            Read::Whole(whole) => Some((entry.key.value.clone(), u32::try_from(whole).ok()?)),
            _ => None,
        };
        let thresholds = || fields.map("alarm_thresholds").iter().filter_map(threshold).collect();
        Some(ConfigureStep {
            on,
            whitelist: fields.texts("whitelist"),
            add_whitelist: fields.texts("add_whitelist").unwrap_or_default(),
            remove_whitelist: fields.texts("remove_whitelist").unwrap_or_default(),
            ssl: fields.flag("ssl"),
            parameters: fields.text_map("parameters"),
            backup_policy: fields.table("backup_policy").map(policy),
            alarm_thresholds: fields.has("alarm_thresholds").then(thresholds),
            refused: fields.code("refused"),
        })
    }

    fn login_step(&mut self, fields: &Fields) -> Option<LoginStep> {
        let on = self.find(&fields.word("on")?, Kind::Instance)?;
        let login = self.login(&on, &fields.span, fields.word("account"), fields.secret("password"))?;
        let refused = fields.text("refused");
        match (fields.flag("ok"), &refused) {
            (Some(true), Some(_)) => {
                self.refuse_keys(fields, &["ok"], "`refused`", "a login is let in or refused; leave one out");
            }
            (Some(false), None) => {
                let help = "say why: `refused = \"access denied\"`, or a part of what the server says";
                self.problems.add(&fields.place("ok"), "a login that is not let in is refused", "incomplete", help);
            }
            _ => {}
        }
        let from = match fields.word("from").map(|from| from.value) {
            Some("application") => LoginFrom::Application,
            Some("stranger") => LoginFrom::Stranger,
            _ => LoginFrom::Operator,
        };
        Some(LoginStep { on, login, ssl: fields.flag("ssl").unwrap_or(false), from, refused })
    }

    fn advance(&mut self, at: &At<Read>, table: Option<&Fields>) -> Option<AdvanceStep> {
        if let Read::Time(time) = at.value {
            return Some(AdvanceStep::By(time));
        }
        let fields = table?;
        if let Some(until) = fields.table("until") {
            let instance = self.find(&until.word("instance")?, Kind::Instance)?;
            return Some(AdvanceStep::ToExpiry { instance, offset: until.shift("expiry")? });
        }
        self.advance_to(&fields.word("to")?)
    }

    /// `rescue expires - 1s`, or `MARK + 30m`.
    fn advance_to(&mut self, to: &Word<'_>) -> Option<AdvanceStep> {
        let span = to.span.clone();
        let is_mark = |name: &str| self.book.is(name, Kind::Mark);
        let (name, offset) = match is_mark(to.value) {
            true => (to.value, SignedDuration::ZERO),
            false => name_and_shift(to.value),
        };
        if let Some((instance, rest)) = to.value.rsplit_once(" expires").filter(|_| !is_mark(name)) {
            let instance = self.find(&At { span: span.clone(), value: instance.trim_end() }, Kind::Instance)?;
            let offset = match rest.trim() {
                "" => Ok(SignedDuration::ZERO),
                rest if rest.starts_with(['-', '+']) => shift(rest),
                rest => Err(format!("{} stands where a shift should", quoted(rest))),
            };
            if let Err(said) = &offset {
                self.problems.add(&span, said.clone(), "not accepted", SHIFT_HELP);
            }
            return Some(AdvanceStep::ToExpiry { instance, offset: offset.ok()? });
        }
        if let Some(said) = self.book.wrong_shift(to.value).filter(|_| !is_mark(name)) {
            self.problems.add(&span, said, "not accepted", SHIFT_HELP);
            return None;
        }
        Some(AdvanceStep::ToMark { mark: self.find(&At { span, value: name }, Kind::Mark)?, offset })
    }

    fn application_step(&mut self, told: &Word<'_>, place: &std::ops::Range<usize>) -> Option<ApplicationStep> {
        if self.application.is_none() {
            let help = "declare one: `[application]` with `on`, `table` and `every`";
            self.problems.add(place, "there is no application", "nobody to tell", help);
        }
        match told.value {
            "start" => Some(ApplicationStep::Start),
            "pause" => Some(ApplicationStep::Pause),
            "stop" => Some(ApplicationStep::Stop),
            _ => None,
        }
    }
}
