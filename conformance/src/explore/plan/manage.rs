//! What an operator does besides: accounts, settings, logins, releases, letting time pass, the application.

use super::Plan;
use super::known::{Instance, Role};
use jiff::SignedDuration;
use recovery::model::Secret;
use recovery::model::instance::{Grants, Rights, Weekday};
use scenarios::{
    AccountSpec, AccountStep, AccountStepChange, Action, AdvanceStep, ApplicationStep, BackupPolicyChange,
    ConfigureStep, Credentials, LoginFrom, LoginStep, ReleaseStep,
};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Longest idle time while something asks for news all the while.
const BUSY_IDLE_S: u64 = 90;

impl Plan<'_> {
    /// An instance is released; a master seldom.
    pub(super) fn release(&mut self) -> Option<()> {
        let masters = self.draw.chance(6);
        let instance = self.instance_or_any(|it| matches!(it.role, Role::Temporary | Role::Clone) || masters)?;
        self.release_of(&instance);
        Some(())
    }

    pub(super) fn release_of(&mut self, name: &str) {
        if let Some(known) = self.known.instance_mut(name) {
            known.gone = true;
        }
        self.push(Action::Release(ReleaseStep { instance: name.to_owned(), refused: None }));
    }

    /// An account is made, changed or dropped; the first one is never dropped, steps use it.
    pub(super) fn account(&mut self) -> Option<()> {
        let on = self.some_instance(|it| it.role != Role::ReadOnly)?;
        let accounts = self.known.accounts(&on);
        let more: Vec<AccountSpec> = accounts.iter().skip(1).cloned().collect();
        let rights = self.draw.one(Rights::ReadWrite, [Rights::ReadOnly, Rights::Owner, Rights::None]);
        let change = match (self.draw.count(0..=4), self.draw.pick(&more).cloned()) {
            (0, Some(account)) => AccountStepChange::Drop { name: account.name },
            (1, Some(account)) => self.changed(account.name, rights),
            (2, _) => {
                let first = accounts.first()?.name.clone();
                let rights = self.draw.weighted([(Rights::Owner, 6), (Rights::ReadWrite, 3), (Rights::ReadOnly, 1)])?;
                self.changed(first, rights)
            }
            _ => {
                let name = self.known.name("clerk");
                let password = Secret::new(format!("{name}-pass"));
                let mut grants = Grants::all(rights);
                if self.draw.chance(30) {
                    grants.exceptions.insert("app.orders".into(), Rights::None);
                }
                AccountStepChange::Create(AccountSpec { name, password, grants })
            }
        };
        self.note_account(&on, &change);
        self.push(Action::Account(AccountStep { on, change, refused: None }));
        Some(())
    }

    fn changed(&mut self, name: String, rights: Rights) -> AccountStepChange {
        let password = self.draw.chance(50).then(|| Secret::new(self.known.name("new-pass")));
        let grants = (password.is_none() || self.draw.chance(50)).then(|| Grants::all(rights));
        AccountStepChange::Change { name, password, grants }
    }

    fn note_account(&mut self, on: &str, change: &AccountStepChange) {
        let Some(instance) = self.known.instance_mut(on) else { return };
        match change {
            AccountStepChange::Create(new) => instance.accounts.push(new.clone()),
            AccountStepChange::Drop { name } => instance.accounts.retain(|known| known.name != *name),
            AccountStepChange::Change { name, password, grants } => {
                for known in instance.accounts.iter_mut().filter(|known| known.name == *name) {
                    known.password = password.clone().unwrap_or_else(|| known.password.clone());
                    known.grants = grants.clone().unwrap_or_else(|| known.grants.clone());
                }
            }
        }
    }

    /// Settings change.
    pub(super) fn configure(&mut self) -> Option<()> {
        let on = self.instance_or_any(|_| true)?;
        let redis = self.known.instance(&on)?.is_redis();
        let mut step = ConfigureStep {
            on,
            whitelist: None,
            add_whitelist: BTreeSet::new(),
            remove_whitelist: BTreeSet::new(),
            ssl: None,
            parameters: BTreeMap::new(),
            backup_policy: None,
            alarm_thresholds: None,
            refused: None,
        };
        let address = self.draw.one("10.0.0.7", ["worker-1", "worker-2", "0.0.0.0/0", "application"]).to_owned();
        match self.draw.count(0..=5) {
            0 => drop(step.add_whitelist.insert(address)),
            1 => drop(step.remove_whitelist.insert(address)),
            2 => step.ssl = Some(self.draw.chance(70)),
            3 if redis => {
                let lag = self.draw.one("0", ["500", "10000"]);
                step.parameters.insert("replica_lag_ms".into(), lag.into());
            }
            3 => drop(step.parameters.insert("max_connections".into(), self.draw.one("100", ["200"]).into())),
            4 => step.alarm_thresholds = Some([("cpu".to_owned(), self.draw.one(80, [90]))].into()),
            _ => step.backup_policy = Some(self.backup_policy()),
        }
        self.push(Action::Configure(step));
        Some(())
    }

    fn backup_policy(&mut self) -> BackupPolicyChange {
        let week = [Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday];
        let mischief = self.mischief();
        let mut change = BackupPolicyChange::default();
        match self.draw.count(0..=3) {
            0 => {
                change.weekdays =
                    Some(self.draw.some(week.to_vec(), if mischief { 0 } else { 2 }, 5).into_iter().collect())
            }
            1 => change.hour = Some(if mischief { 24 } else { u8::try_from(self.draw.whole(0..=23)).unwrap_or(3) }),
            2 => change.log_backup = Some(self.draw.chance(60)),
            _ => {
                let days = if mischief { 3 } else { self.draw.one(7, [8, 30]) };
                change.data_retention_days = Some(days);
                change.log_retention_days = self.draw.chance(50).then_some(7);
            }
        }
        change
    }

    /// Somebody tries to log in.
    pub(super) fn login(&mut self) -> Option<()> {
        let on = self.instance_or_any(|_| true)?;
        let accounts = self.known.accounts(&on);
        let account = self.draw.pick(&accounts)?.clone();
        let password = if self.draw.chance(15) { Secret::new("wrong-one") } else { account.password };
        let from = self.draw.weighted([(LoginFrom::Operator, 8), (LoginFrom::Application, 2)])?;
        let from = if from == LoginFrom::Application && self.options.application.is_none() {
            LoginFrom::Operator
        } else {
            from
        };
        let login = Credentials { account: account.name, password };
        let ssl = self.draw.chance(10);
        self.push(Action::Login(LoginStep { on, login, ssl, from, refused: None }));
        Some(())
    }

    /// Time passes: seconds to weeks, or to where an instance expires.
    pub(super) fn advance(&mut self) -> Option<()> {
        let long = self.options.idle_s >= 2 * 86_400;
        if long && self.draw.chance(40) {
            self.quieten();
        }
        let temporaries = self.known.alive(|it: &Instance| it.role == Role::Temporary);
        if !self.known.is_busy()
            && let Some(instance) = self.draw.pick(&temporaries).cloned()
            && self.draw.chance(if long { 50 } else { 15 })
        {
            let offset = SignedDuration::from_secs(self.draw.one(0, [-1, 1, -3_600, 60]));
            if offset >= SignedDuration::ZERO
                && let Some(known) = self.known.instance_mut(&instance)
            {
                known.gone = true;
            }
            self.push(Action::Advance(AdvanceStep::ToExpiry { instance, offset }));
            return Some(());
        }
        let most_s = if self.known.is_busy() { BUSY_IDLE_S.min(self.options.idle_s) } else { self.options.idle_s };
        let scale = self.draw.one(most_s, [30, 600, 7_200]).min(most_s).max(1);
        let span = self.draw.whole(1..=scale);
        self.push(Action::Advance(AdvanceStep::By(Duration::from_secs(span))));
        Some(())
    }

    /// The application is told something.
    pub(super) fn application(&mut self) -> Option<()> {
        self.options.application.as_ref()?;
        let told = if self.known.writing {
            self.draw.weighted([(ApplicationStep::Pause, 6), (ApplicationStep::Stop, 1)])?
        } else {
            ApplicationStep::Start
        };
        self.tell(told);
        Some(())
    }

    pub(super) fn tell(&mut self, told: ApplicationStep) {
        self.known.writing = told == ApplicationStep::Start;
        self.push(Action::Application(told));
    }
}
