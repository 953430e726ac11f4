//! One simulated database server: databases, accounts, settings, log, and the transactions that change them.

use super::catalogue::Catalogue;
use super::db::{Db, Touch};
use super::describe::Kept;
use super::events::Timetable;
use super::functions::{SharedAmbient, ambient, lock};
use super::log::{Entry, Log};
use super::profile::Profile;
use super::values::failed;
use jiff::Timestamp;
use recovery::model::content::Security;
use recovery::model::instance::{Configuration, FirstAccount, Grants, Rights};
use recovery::model::{InstanceId, Product, Secret};
use recovery::ports::clock::later_s;
use recovery::ports::cloud::Made;
use recovery::ports::database::{DatabaseError, Login, ServerFacts};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

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

/// A server.
pub(super) struct Server {
    pub instance: InstanceId,
    pub product: Product,
    pub profile: Profile,
    pub configuration: Configuration,
    pub accounts: BTreeMap<String, Account>,
    pub databases: BTreeMap<String, Db>,
    pub log: Log,
    /// Highest epoch that claimed each task.
    pub claims: BTreeMap<String, u64>,
    pub made_at: Timestamp,
    pub life_s: Option<i64>,
    pub made: Made,
    /// The master a replica follows.
    pub follows: Option<InstanceId>,
    /// Counts definitions changed and accounts made.
    pub revision: u64,
    /// When its events run.
    pub(super) events: Timetable,
    pub(super) ambient: SharedAmbient,
    /// The last photograph.
    pub(super) kept: RefCell<Option<Kept>>,
}

/// Who changes definitions, and under which rules.
#[derive(Debug, Clone)]
pub(super) struct Actor {
    /// The account, definer of what it makes.
    pub account: String,
    /// Whether its rights are checked; not in a replay.
    pub checked: bool,
    /// Whose rights a view or routine is to run with, said beside the statement.
    pub security: Option<Security>,
}

impl Actor {
    /// A logged-in account.
    pub fn session(account: &str) -> Self {
        Self { account: account.to_owned(), checked: true, security: None }
    }
}

/// What one call did so far, and what it takes to undo it.
pub(super) struct Transaction {
    /// Whether triggers and foreign keys act.
    pub application: bool,
    /// Whether foreign keys are checked.
    pub checks: bool,
    /// What goes into the log, with the database.
    pub changes: Vec<(String, Entry)>,
    begun: BTreeMap<String, Arc<Catalogue>>,
    pub created: Vec<String>,
    pub dropped: Vec<(String, Db)>,
}

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

impl Server {
    /// A server without any database or account.
    pub fn bare(birth: Birth) -> Self {
        let Birth { instance, product, configuration, now, life_s, endpoint, seed } = birth;
        Self {
            ambient: ambient(seed, instance.as_str(), now),
            profile: Profile::of(product),
            log: Log::beginning(0, now),
            made: Made { endpoint, recovered_to: None },
            accounts: BTreeMap::new(),
            databases: BTreeMap::new(),
            claims: BTreeMap::new(),
            follows: None,
            events: Timetable::default(),
            kept: RefCell::new(None),
            revision: 0,
            made_at: now,
            instance,
            product,
            configuration,
            life_s,
        }
    }

    /// A server with the default database and perhaps an account.
    pub fn empty(birth: Birth, account: Option<&FirstAccount>) -> Result<Self, DatabaseError> {
        let mut server = Self::bare(birth);
        let app = Db::open(server.profile.charset, &server.ambient)?;
        server.databases.insert("app".into(), app);
        if let Some(first) = account {
            let mark = server.next_revision();
            let (password, grants) = (first.password.clone(), first.grants.clone());
            server.accounts.insert(first.name.clone(), Account { password, grants, mark });
        }
        Ok(server)
    }

    /// The next number of the count of changed definitions.
    pub fn next_revision(&mut self) -> u64 {
        self.revision += 1;
        self.revision
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

    /// What the server says of itself to an account.
    pub fn facts(&self, account: &str, now: Timestamp) -> Result<ServerFacts, DatabaseError> {
        Ok(ServerFacts {
            product: self.product,
            now,
            grants: self.grants(account)?.clone(),
            parameters: self.configuration.parameters.clone(),
            log_position: self.log.position(),
        })
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

    fn grants(&self, account: &str) -> Result<&Grants, DatabaseError> {
        let found = self.accounts.get(account).map(|account| &account.grants);
        found.ok_or_else(|| DatabaseError::AccessDenied(account.to_owned()))
    }

    /// An account's rights on everything not named.
    pub fn rights(&self, account: &str) -> Result<Rights, DatabaseError> {
        Ok(self.grants(account)?.default)
    }

    /// An account's rights on an object.
    pub fn rights_on(&self, account: &str, database: &str, object: &str) -> Result<Rights, DatabaseError> {
        let catalogue = self.databases.get(database).map(|db| &db.catalogue);
        let name = catalogue.and_then(|catalogue| catalogue.table(object)).map_or(object, |(name, _)| name);
        Ok(self.grants(account)?.on(database, name))
    }

    /// Refuses an actor without the right to read or write an object.
    pub fn permit(&self, actor: &Actor, database: &str, object: &str, writes: bool) -> Result<(), DatabaseError> {
        if !actor.checked {
            return Ok(());
        }
        let verb = if writes { "write" } else { "read" };
        let not = |what| Err(DatabaseError::NotPermitted { account: actor.account.clone(), what });
        if writes && self.follows.is_some() {
            return not(format!("write {database}.{object} on a replica"));
        }
        let rights = self.rights_on(&actor.account, database, object)?;
        if if writes { rights.writes() } else { rights.reads() } {
            return Ok(());
        }
        not(format!("{verb} {database}.{object}"))
    }

    /// Checks what a statement touches, through views and triggers by the rights of their definers.
    pub fn permit_touches(&self, actor: &Actor, database: &str, touches: &[Touch]) -> Result<(), DatabaseError> {
        let catalogue = match self.databases.get(database) {
            Some(db) if actor.checked => &db.catalogue,
            _ => return Ok(()),
        };
        for touch in touches {
            let Some(through) = &touch.through else {
                self.permit(actor, database, &touch.object, touch.writes)?;
                continue;
            };
            let kinds = [recovery::model::content::ObjectKind::View, recovery::model::content::ObjectKind::Trigger];
            let owner = kinds.iter().find_map(|kind| catalogue.owners.get(&super::catalogue::key(*kind, through)));
            match owner {
                Some(owner) if owner.security == Some(Security::Invoker) => {
                    self.permit(actor, database, &touch.object, touch.writes)?;
                }
                Some(super::catalogue::Owner { definer: Some(definer), .. }) => {
                    let what = || format!("use {through}: its definer {definer} does not exist");
                    if !self.accounts.contains_key(definer) {
                        return Err(DatabaseError::NotPermitted { account: actor.account.clone(), what: what() });
                    }
                    self.permit(&Actor::session(definer), database, &touch.object, touch.writes)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The database of that name.
    pub fn db(&self, database: &str) -> Result<&Db, DatabaseError> {
        self.databases.get(database).ok_or_else(|| DatabaseError::NoSuchDatabase(database.to_owned()))
    }

    /// The database of that name, to change it.
    pub fn db_mut(&mut self, database: &str) -> Result<&mut Db, DatabaseError> {
        self.databases.get_mut(database).ok_or_else(|| DatabaseError::NoSuchDatabase(database.to_owned()))
    }

    /// Sets the time that SQL sees.
    pub fn set_time(&self, now: Timestamp) {
        lock(&self.ambient).now = now;
    }

    /// Does a piece of work whole or not at all; what it changed goes into the log.
    pub fn transact<T>(
        &mut self,
        now: Timestamp,
        application: bool,
        work: impl FnOnce(&mut Self, &mut Transaction) -> Result<T, DatabaseError>,
    ) -> Result<T, DatabaseError> {
        let (result, changes) = self.attempt(now, application, work);
        self.log.append(now, changes);
        result
    }

    /// Does a piece of work whole or not at all, and gives what it changed.
    pub fn attempt<T>(
        &mut self,
        now: Timestamp,
        application: bool,
        work: impl FnOnce(&mut Self, &mut Transaction) -> Result<T, DatabaseError>,
    ) -> (Result<T, DatabaseError>, Vec<(String, Entry)>) {
        self.set_time(self.log.time(now));
        let mut transaction = Transaction {
            application,
            checks: application,
            changes: Vec::new(),
            begun: BTreeMap::new(),
            created: Vec::new(),
            dropped: Vec::new(),
        };
        let result = work(self, &mut transaction);
        match self.finish(&mut transaction, result.is_ok()) {
            Ok(()) if result.is_ok() => (result, transaction.changes),
            Err(error) if result.is_ok() => (Err(error), Vec::new()),
            _ => (result, Vec::new()),
        }
    }

    /// Takes a database into a transaction.
    pub fn enter(&self, transaction: &mut Transaction, database: &str) -> Result<(), DatabaseError> {
        let db = self.db(database)?;
        if !transaction.begun.contains_key(database) {
            db.set_application(transaction.application)?;
            db.connection.prepare_cached("begin").and_then(|mut begin| begin.execute([])).map_err(failed)?;
            transaction.begun.insert(database.to_owned(), Arc::clone(&db.catalogue));
        }
        Ok(())
    }

    /// Whether a database takes part in a transaction.
    pub fn is_entered(transaction: &Transaction, database: &str) -> bool {
        transaction.begun.contains_key(database)
    }

    fn finish(&mut self, transaction: &mut Transaction, commits: bool) -> Result<(), DatabaseError> {
        let mut result = Ok(());
        for (name, before) in std::mem::take(&mut transaction.begun) {
            let db = self.db_mut(&name)?;
            let end = if commits && result.is_ok() { "commit" } else { "rollback" };
            if end == "rollback" {
                db.catalogue = before;
            }
            if !db.connection.is_autocommit() {
                let ended = db.connection.prepare_cached(end).and_then(|mut end| end.execute([])).map_err(failed);
                result = result.and(ended.map(|_| ()));
            }
            db.take_captured();
            db.set_application(true)?;
        }
        if !commits {
            self.databases.retain(|name, _| !transaction.created.contains(name));
            self.databases.extend(std::mem::take(&mut transaction.dropped));
        }
        result
    }

    /// Moves the row changes a statement made into the transaction.
    pub fn collect(&self, transaction: &mut Transaction, database: &str) -> Result<(), DatabaseError> {
        let db = self.db(database)?;
        for captured in db.take_captured() {
            let columns = db.catalogue.tables.get(&captured.table).map(super::catalogue::Shape::names);
            let (table, old, new) = (captured.table, captured.old, captured.new);
            let entry = Entry::Row { table, columns: columns.unwrap_or_default(), old, new };
            transaction.changes.push((database.to_owned(), entry));
        }
        Ok(())
    }
}
