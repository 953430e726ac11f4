//! One simulated database server: databases, accounts, settings, log, and the transactions that change them.

use super::catalogue::Catalogue;
use super::db::{Db, Touch};
use super::describe::Kept;
use super::events::Timetable;
use super::front::{Birth, Front};
use super::functions::{SharedAmbient, ambient, lock};
use super::log::{Entry, Log};
use super::log_files::LogFiles;
use super::prepared::Prepared;
use super::profile::Profile;
use super::values::failed;
use jiff::Timestamp;
use recovery::model::InstanceId;
use recovery::model::content::Security;
use recovery::model::instance::{FirstAccount, Rights};
use recovery::ports::cloud::{AccountOrder, CloudError};
use recovery::ports::database::{DatabaseError, ServerFacts};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// A server.
pub(super) struct Server {
    pub front: Front,
    pub profile: Profile,
    pub databases: BTreeMap<String, Db>,
    pub log: Log,
    /// The master a replica follows.
    pub follows: Option<InstanceId>,
    /// Databases that are in a full backup taken of this server.
    pub backed_up: BTreeSet<String>,
    /// The files its log lies in (MySQL).
    pub(super) log_files: LogFiles,
    /// Transactions that are prepared, by id.
    pub(super) prepared: BTreeMap<String, Prepared>,
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

impl Deref for Server {
    type Target = Front;

    fn deref(&self) -> &Front {
        &self.front
    }
}

impl DerefMut for Server {
    fn deref_mut(&mut self) -> &mut Front {
        &mut self.front
    }
}

impl Server {
    /// A server without any database or account.
    pub fn bare(birth: Birth) -> Self {
        Self {
            ambient: ambient(birth.seed, birth.instance.as_str(), birth.now),
            profile: Profile::of(birth.product),
            log: Log::beginning(0, birth.now),
            databases: BTreeMap::new(),
            follows: None,
            backed_up: BTreeSet::new(),
            log_files: LogFiles::default(),
            prepared: BTreeMap::new(),
            events: Timetable::default(),
            kept: RefCell::new(None),
            front: Front::new(birth),
        }
    }

    /// A server with the default database and perhaps an account.
    pub fn empty(birth: Birth, account: Option<&FirstAccount>) -> Result<Self, DatabaseError> {
        let mut server = Self::bare(birth);
        let app = Db::open(server.profile.charset, &server.ambient)?;
        server.databases.insert("app".into(), app);
        if let Some(first) = account {
            server.admit(first);
        }
        Ok(server)
    }

    /// What the server says of itself to an account.
    pub fn facts(&self, account: &str, now: Timestamp) -> Result<ServerFacts, DatabaseError> {
        self.facts_at(account, now, self.log.position())
    }

    /// Changes an account, and logs what changed.
    pub fn order_account(&mut self, order: &AccountOrder, now: Timestamp) -> Result<(), CloudError> {
        if let Some((name, account)) = self.change_account(order)? {
            self.log.append(now, vec![(String::new(), Entry::Account { name, account })]);
        }
        Ok(())
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

    /// Sets the time that SQL sees, in the time zone of the server.
    pub fn set_time(&self, now: Timestamp) {
        lock(&self.ambient).set(now, self.zone_name());
    }

    /// Does a piece of work whole or not at all; what it changed goes into the log.
    pub fn transact<T>(
        &mut self,
        now: Timestamp,
        application: bool,
        work: impl FnOnce(&mut Self, &mut Transaction) -> Result<T, DatabaseError>,
    ) -> Result<T, DatabaseError> {
        let (result, changes) = self.attempt(now, application, |server, transaction| {
            let done = work(server, transaction)?;
            if !transaction.changes.is_empty() {
                server.has_room()?;
                server.is_free(&transaction.changes)?;
            }
            Ok(done)
        });
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
            db.wire_all()?;
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
            lock(&db.sequences).refresh(&db.catalogue);
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
        let moved = lock(&db.sequences).take_moved().into_iter();
        let moved = moved.map(|(name, next)| (database.to_owned(), Entry::Sequence { name, next }));
        transaction.changes.extend(moved);
        Ok(())
    }
}
