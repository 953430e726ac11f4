//! Accounts and settings of a server, as the cloud orders them.

use super::log::Entry;
use super::server::{Account, Server};
use jiff::Timestamp;
use recovery::model::instance::Configuration;
use recovery::model::views::AccountView;
use recovery::ports::cloud::{AccountOrder, CloudError};

impl Server {
    /// Changes an account; it and its sessions are what they were when the order was carried out before.
    pub fn order_account(&mut self, order: &AccountOrder, now: Timestamp) -> Result<(), CloudError> {
        let missing = |name: &String| CloudError::NoSuchAccount(name.clone());
        let (name, account) = match order {
            AccountOrder::Create(first) => {
                if let Some(there) = self.accounts.get(&first.name) {
                    let same = there.password == first.password && there.grants == first.grants;
                    return if same { Ok(()) } else { Err(CloudError::AccountExists(first.name.clone())) };
                }
                let (password, grants) = (first.password.clone(), first.grants.clone());
                let mark = self.next_revision();
                (&first.name, Some(Account { password, grants, mark }))
            }
            AccountOrder::Password { name, password } => {
                let there = self.accounts.get(name).ok_or_else(|| missing(name))?;
                (name, Some(Account { password: password.clone(), ..there.clone() }))
            }
            AccountOrder::Grants { name, grants } => {
                let there = self.accounts.get(name).ok_or_else(|| missing(name))?;
                (name, Some(Account { grants: grants.clone(), ..there.clone() }))
            }
            AccountOrder::Drop { name } => {
                self.accounts.get(name).ok_or_else(|| missing(name))?;
                (name, None)
            }
        };
        if self.accounts.get(name) != account.as_ref() {
            self.set_account(name, account.clone());
            self.log.append(now, vec![(String::new(), Entry::Account { name: name.clone(), account })]);
        }
        Ok(())
    }

    /// Puts an account in place, or takes it away.
    pub fn set_account(&mut self, name: &str, account: Option<Account>) {
        match account {
            Some(account) => self.accounts.insert(name.to_owned(), account),
            None => self.accounts.remove(name),
        };
    }

    /// The accounts, without passwords.
    pub fn list_accounts(&self) -> Vec<AccountView> {
        let view =
            |(name, account): (&String, &Account)| AccountView { name: name.clone(), grants: account.grants.clone() };
        self.accounts.iter().map(view).collect()
    }

    /// Takes new settings over; sessions that are open stay so.
    pub fn configure(&mut self, configuration: &Configuration) {
        self.configuration = configuration.clone();
    }
}
