//! What a step that was read made of the names: the book as the lowering had it at the next step. The writer needs it
//! to know what a file may leave out.

use super::book::{Book, Kind};
use crate::action::{AccountStepChange, Action, RestorePoint, TaskRequest};
use crate::logical::{LogicalTaskRequest, SourceName};
use crate::scenario::{AccountSpec, Scenario};
use recovery::model::product::Engine;

impl Book {
    /// What is known before the first step.
    pub(crate) fn before(scenario: &Scenario) -> Self {
        let mut book = Self::default();
        for instance in &scenario.instances {
            let master = instance.role.master().map(str::to_owned);
            let (follows, engine) = (master.is_some(), Some(instance.product.engine));
            book.enter(&instance.name, Kind::Instance);
            book.add_instance(&instance.name, master, follows, engine, instance.accounts.clone());
        }
        book
    }

    /// Goes past a step.
    pub(crate) fn follow(&mut self, action: &Action) {
        match action {
            Action::Backup(step) => step.name.iter().for_each(|name| self.moment_named(name, Kind::Backup)),
            Action::Mark(name) => self.moment_named(name, Kind::Mark),
            Action::Temporary(step) if step.refused.is_none() => {
                let names: Vec<String> = step.name.iter().cloned().collect();
                self.restored_instances(&step.of, &step.restore, &names, step.key.as_deref());
            }
            Action::Clone(step) if step.refused.is_none() => {
                self.restored_instances(&step.of, &step.restore, &step.names, step.key.as_deref());
            }
            Action::Migrate(step) => {
                if let Some(name) = &step.name {
                    self.enter(name, Kind::Task);
                    self.tasks.insert(name.clone(), (step.source.clone(), step.target.clone()));
                }
            }
            Action::Task(step) if step.refused.is_none() => {
                if let TaskRequest::Edit { source, target, .. } = &step.request {
                    self.tasks.insert(step.of.clone(), (source.clone(), target.clone()));
                }
            }
            Action::DataSource(step) => {
                if let Some(name) = &step.name {
                    self.enter(name, Kind::Source);
                    self.sources.insert(name.clone(), step.instance.clone());
                }
            }
            Action::LogicalBackup(step) => step.name.iter().for_each(|name| self.enter(name, Kind::LogicalTask)),
            Action::LogicalTask(step) => {
                if let LogicalTaskRequest::Run { name: Some(name), .. } = &step.request {
                    self.enter(name, Kind::Set);
                }
            }
            Action::Restore(step) => step.name.iter().for_each(|name| self.enter(name, Kind::Restore)),
            Action::Account(step) if step.refused.is_none() => self.change_accounts(&step.on, &step.change),
            _ => {}
        }
    }

    fn moment_named(&mut self, name: &str, kind: Kind) {
        self.enter(name, kind);
        self.remember(name);
    }

    fn restored_instances(&mut self, of: &str, point: &RestorePoint, names: &[String], key: Option<&str>) {
        if key.is_some_and(|key| self.keys.contains_key(key)) {
            return;
        }
        let (accounts, engine) = (self.accounts_restored(of, Some(point)), self.engine(of));
        for name in names {
            self.enter(name, Kind::Instance);
            self.add_instance(name, Some(of.to_owned()), false, engine, accounts.clone());
        }
        if let Some(key) = key {
            self.keys.insert(key.to_owned(), names.to_vec());
        }
    }

    /// The accounts an instance had at a recovery point, as far as the file says; those it has by now otherwise.
    pub(super) fn accounts_restored(&self, of: &str, restore: Option<&RestorePoint>) -> Vec<AccountSpec> {
        let moment = match restore {
            Some(RestorePoint::Mark { mark, .. }) => Some(mark),
            Some(RestorePoint::Backup(backup)) => Some(backup),
            _ => None,
        };
        let then = moment.and_then(|moment| self.accounts_at(of, moment));
        then.unwrap_or_else(|| self.accounts(of)).to_vec()
    }

    /// Makes a change to the accounts of an instance.
    pub(super) fn change_accounts(&mut self, on: &str, change: &AccountStepChange) {
        let Some(accounts) = self.accounts_mut(on) else { return };
        match change {
            AccountStepChange::Create(new) => accounts.push(new.clone()),
            AccountStepChange::Change { name, password, grants } => {
                for known in accounts.iter_mut().filter(|known| known.name == *name) {
                    known.password = password.clone().unwrap_or_else(|| known.password.clone());
                    known.grants = grants.clone().unwrap_or_else(|| known.grants.clone());
                }
            }
            AccountStepChange::Drop { name } => accounts.retain(|known| known.name != *name),
        }
    }

    /// The engine a data source is of.
    pub(crate) fn engine_of(&self, source: &SourceName) -> Option<Engine> {
        match source {
            SourceName::Registered(name) => self.engine(self.sources.get(name)?),
            SourceName::Instance { instance, .. } => self.engine(instance),
            SourceName::Unknown(_) => None,
        }
    }
}
