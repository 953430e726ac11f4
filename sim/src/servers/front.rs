//! What every database server has, whatever its engine: identity, settings, accounts, task claims and a life.

use super::harm::Harm;
use super::profile::Profile;
use jiff::Timestamp;
use recovery::model::instance::{Configuration, FirstAccount, Grants, Rights};
use recovery::model::photograph::{PhotographedAccount, password_mark};
use recovery::model::views::AccountView;
use recovery::model::{InstanceId, Product, Secret};
use recovery::ports::clock::later_s;
use recovery::ports::cloud::{AccountOrder, CloudError, Made};
use recovery::ports::database::{DatabaseError, Login, ServerFacts};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Account {
    /// Password.
    #[serde(with = "recovery::model::secret::exposed")]
    pub password: Secret,
    /// Rights.
    pub grants: Grants,
    /// Tells it from an account of the same name that was dropped; its sessions end with it.
    pub mark: u64,
}

/// An account's name and the account from then on; none once it is dropped.
pub(super) type AccountChange = (String, Option<Account>);

/// What a server is made with.
pub(super) struct Birth {
    pub instance: InstanceId,
    pub product: Product,
    pub configuration: Configuration,
    pub now: Timestamp,
    pub life_s: Option<i64>,
    pub endpoint: String,
    pub seed: u64,
}

/// What stands before the content of a server.
pub(super) struct Front {
    pub instance: InstanceId,
    pub product: Product,
    pub configuration: Configuration,
    pub accounts: BTreeMap<String, Account>,
    /// Highest epoch that claimed each task.
    pub claims: BTreeMap<String, u64>,
    pub made_at: Timestamp,
    pub life_s: Option<i64>,
    pub made: Made,
    /// Counts definitions changed and accounts made.
    pub revision: u64,
    /// What has befallen it.
    pub harm: Harm,
}

impl Front {
    /// A front without any account.
    pub fn new(birth: Birth) -> Self {
        let Birth { instance, product, configuration, now, life_s, endpoint, seed: _ } = birth;
        Self {
            made: Made { endpoint, recovered_to: None },
            accounts: BTreeMap::new(),
            claims: BTreeMap::new(),
            revision: 0,
            harm: Harm::default(),
            made_at: now,
            instance,
            product,
            configuration,
            life_s,
        }
    }

    /// The next number of the count of changed definitions.
    pub fn next_revision(&mut self) -> u64 {
        self.revision += 1;
        self.revision
    }

    /// Takes in the account an instance begins with.
    pub fn admit(&mut self, first: &FirstAccount) {
        let mark = self.next_revision();
        let (password, grants) = (first.password.clone(), first.grants.clone());
        self.accounts.insert(first.name.clone(), Account { password, grants, mark });
    }

    /// When the server refuses everybody, if ever (TMP-11).
    pub fn ends_at(&self) -> Option<Timestamp> {
        self.life_s.map(|life_s| later_s(self.made_at, life_s))
    }

    /// Whether the server's time is over.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.ends_at().is_some_and(|end| end <= now)
    }

    /// Lets an account in, or not; gives the account's mark.
    pub fn log_in(&self, login: &Login, peer: &str, now: Timestamp) -> Result<u64, DatabaseError> {
        if self.is_over(now) {
            return Err(DatabaseError::Unreachable(format!("instance {} is no longer there", self.instance)));
        }
        self.is_back(now)?;
        let whitelist = &self.configuration.whitelist;
        if !whitelist.contains(peer) && !whitelist.contains("0.0.0.0/0") {
            return Err(DatabaseError::NotWhitelisted(peer.to_owned()));
        }
        if login.ssl && !self.configuration.ssl {
            return Err(DatabaseError::SslDisabled);
        }
        let account = self.accounts.get(&login.account).filter(|account| account.password == login.password);
        account.map(|account| account.mark).ok_or_else(|| DatabaseError::AccessDenied(login.account.clone()))
    }

    /// Ends every session; the accounts stay as they are.
    pub fn end_sessions(&mut self) {
        let mark = self.next_revision();
        self.accounts.values_mut().for_each(|account| account.mark = mark);
    }

    /// What the server says of itself to an account.
    pub fn facts_at(&self, account: &str, now: Timestamp, log_position: u64) -> Result<ServerFacts, DatabaseError> {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let mut parameters: BTreeMap<String, String> = Profile::of(self.product).parameters.iter().map(own).collect();
        parameters.extend(self.configuration.parameters.clone());
        parameters.extend(self.harm.zone.iter().map(|zone| ("time_zone".to_owned(), zone.clone())));
        Ok(ServerFacts { product: self.product, now, grants: self.grants(account)?.clone(), parameters, log_position })
    }

    /// The value of a parameter that its engine has.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let own = Profile::of(self.product).parameters.iter().find(|(own, _)| *own == name).map(|(_, value)| *value)?;
        Some(self.configuration.parameters.get(name).map_or(own, String::as_str))
    }

    /// Takes a task over under an epoch, unless a later one has.
    pub fn claim(&mut self, task: &str, epoch: u64) -> Result<(), DatabaseError> {
        self.fence(task, epoch)?;
        self.claims.insert(task.to_owned(), epoch);
        Ok(())
    }

    /// Refuses an epoch that is over.
    pub fn fence(&self, task: &str, epoch: u64) -> Result<(), DatabaseError> {
        match self.claims.get(task) {
            Some(latest) if *latest > epoch => Err(DatabaseError::Fenced(*latest)),
            _ => Ok(()),
        }
    }

    /// What an account may do.
    pub fn grants(&self, account: &str) -> Result<&Grants, DatabaseError> {
        let found = self.accounts.get(account).map(|account| &account.grants);
        found.ok_or_else(|| DatabaseError::AccessDenied(account.to_owned()))
    }

    /// An account's rights on everything not named.
    pub fn rights(&self, account: &str) -> Result<Rights, DatabaseError> {
        Ok(self.grants(account)?.default)
    }

    /// Changes an account, and says what is to be logged of it; nothing where it and its sessions are what they were when
    /// the order was carried out before.
    pub fn change_account(&mut self, order: &AccountOrder) -> Result<Option<AccountChange>, CloudError> {
        let missing = |name: &String| CloudError::NoSuchAccount(name.clone());
        let (name, account) = match order {
            AccountOrder::Create(first) => {
                if let Some(there) = self.accounts.get(&first.name) {
                    let same = there.password == first.password && there.grants == first.grants;
                    return if same { Ok(None) } else { Err(CloudError::AccountExists(first.name.clone())) };
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
        if self.accounts.get(name) == account.as_ref() {
            return Ok(None);
        }
        self.set_account(name, account.clone());
        Ok(Some((name.clone(), account)))
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

    /// Takes new settings over; sessions that are open stay so. What is set anew holds, whatever was set on the server
    /// itself before.
    pub fn configure(&mut self, configuration: &Configuration) {
        let zone = |of: &Configuration| of.parameters.get("time_zone").cloned();
        if zone(configuration) != zone(&self.configuration) {
            self.harm.zone = None;
        }
        self.configuration = configuration.clone();
    }

    /// The accounts on a photograph.
    pub fn photographed_accounts(&self) -> BTreeMap<String, PhotographedAccount> {
        let accounts = self.accounts.iter().map(|(name, account)| {
            let mark = password_mark(&account.password);
            (name.clone(), PhotographedAccount { password_mark: mark, grants: account.grants.clone() })
        });
        accounts.collect()
    }

    /// The settings on a photograph.
    pub fn photographed_settings(&self) -> BTreeMap<String, String> {
        let configuration = &self.configuration;
        let whitelist: Vec<&str> = configuration.whitelist.iter().map(String::as_str).collect();
        let mut settings = BTreeMap::new();
        settings.insert("whitelist".to_owned(), whitelist.join(","));
        settings.insert("ssl".to_owned(), configuration.ssl.to_string());
        for (name, value) in &configuration.parameters {
            settings.insert(format!("parameter.{name}"), value.clone());
        }
        settings
    }
}
