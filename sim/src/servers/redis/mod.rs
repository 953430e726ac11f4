//! Simulated Redis servers: a master node and a replica node on one machine.
//!
//! Writes go to the master and into its replication stream, which is the server's log; the replica carries every entry out
//! `replica_lag_ms` after it was committed. Both are reckoned from times when somebody looks, so that nothing has to wake
//! up for them. To the recovery system a logical database is one table, `keys`. Backups are taken on the replica
//! (RED-03); with the parameter `backup_node = master` they are taken on the master, whose answers are slower meanwhile.
//!
//! Failures of a single node are not modelled: a machine holds both, and both go and come with it. Strings are text.

mod call;
mod commands;
mod data;
mod file;
mod glob;
mod numbers;
mod photograph;
mod recover;
mod replica;
mod run;
mod serve;
mod slots;
mod space;
mod table;
mod view;
mod words;

use super::front::{Birth, Front};
use super::log::{Entry, Log};
use super::timing;
use data::{ms, time};
use jiff::{SignedDuration, Timestamp};
use photograph::Kept;
use recovery::model::backup::Node;
use recovery::model::instance::{FirstAccount, Rights};
use recovery::model::{Edition, Version};
use recovery::ports::clock::later;
use recovery::ports::cloud::{AccountOrder, CloudError};
use recovery::ports::database::DatabaseError;
use replica::Replica;
use space::{KeyChange, Space};
use std::cell::RefCell;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

pub(super) use file::held;
pub(super) use view::View;

/// Milliseconds from a commit on the master to the same on the replica.
const LAG_PARAMETER: &str = "replica_lag_ms";
const LAG_DEFAULT_MS: i64 = 50;

/// The node backups are taken on.
const NODE_PARAMETER: &str = "backup_node";

/// A server.
pub(super) struct Redis {
    pub front: Front,
    log: Log,
    master: Arc<Space>,
    replica: Replica,
    /// The latest time its clock showed. What it does goes by this time, which never goes back.
    seen: Timestamp,
    /// Backups under way and done.
    saves: Saves,
    /// Whether a backup is being recovered into it, and nobody is let in.
    loading: bool,
    /// Number of the last recovery that was carried out.
    recovered: u64,
    seed: u64,
    kept: RefCell<Option<Kept>>,
}

/// The snapshots a server's nodes took.
#[derive(Debug, Default)]
struct Saves {
    master: NodeSaves,
    replica: NodeSaves,
}

#[derive(Debug, Default)]
struct NodeSaves {
    /// How many were begun.
    count: u64,
    /// When the one begun last is written down.
    until: Option<Timestamp>,
}

impl Saves {
    fn of(&mut self, node: Node) -> &mut NodeSaves {
        match node {
            Node::Master => &mut self.master,
            Node::Replica => &mut self.replica,
        }
    }

    fn on(&self, node: Node) -> &NodeSaves {
        match node {
            Node::Master => &self.master,
            Node::Replica => &self.replica,
        }
    }
}

impl NodeSaves {
    fn under_way(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until > now)
    }
}

impl Deref for Redis {
    type Target = Front;

    fn deref(&self) -> &Front {
        &self.front
    }
}

impl DerefMut for Redis {
    fn deref_mut(&mut self) -> &mut Front {
        &mut self.front
    }
}

impl Redis {
    /// A server with these keys; its log goes on after a position.
    fn with(birth: Birth, space: Space, position: u64) -> Self {
        let (now, seed) = (birth.now, birth.seed);
        let master = Arc::new(space);
        Self {
            replica: Replica::copy(&master, position, now),
            log: Log::beginning(position, now),
            saves: Saves::default(),
            kept: RefCell::new(None),
            front: Front::new(birth),
            seen: now,
            loading: false,
            recovered: 0,
            master,
            seed,
        }
    }

    /// A server without a key, perhaps with an account.
    pub fn empty(birth: Birth, account: Option<&FirstAccount>) -> Self {
        let mut redis = Self::with(birth, Space::new(), 0);
        if let Some(first) = account {
            redis.admit(first);
        }
        redis
    }

    /// Lets time pass: keys whose time has come go, and the replica follows.
    pub fn settle(&mut self, now: Timestamp) {
        self.seen = self.seen.max(now);
        let now_ms = ms(self.seen);
        while let Some((at, (database, key))) = self.master.due(now_ms) {
            let old = Arc::make_mut(&mut self.master).put(database, &key, None);
            let gone = KeyChange { place: (database, key), old, new: None };
            self.log.append(time(at), vec![logged(&gone)]);
        }
        let behind = later(self.seen, -self.lag());
        self.replica.follow(&self.log, behind);
    }

    fn lag(&self) -> SignedDuration {
        if let Some(lag_ms) = self.harm.lag_ms {
            return SignedDuration::from_millis(i64::try_from(lag_ms).unwrap_or(i64::MAX));
        }
        let given = self.configuration.parameters.get(LAG_PARAMETER).and_then(|lag| lag.parse().ok());
        SignedDuration::from_millis(given.filter(|lag_ms: &i64| *lag_ms >= 0).unwrap_or(LAG_DEFAULT_MS))
    }

    /// Makes the replica node the master: it has all that was committed, and another one follows it from there.
    pub fn promote_replica(&mut self) {
        let as_of = self.replica.as_of;
        self.replica = Replica::copy(&self.master, self.log.position(), self.seen);
        self.replica.as_of = self.replica.as_of.max(as_of);
    }

    /// The node its backups are taken on.
    fn backup_node(&self) -> Node {
        match self.configuration.parameters.get(NODE_PARAMETER).map(String::as_str) {
            Some("master") => Node::Master,
            _ => Node::Replica,
        }
    }

    /// How much longer than usual the master takes to answer: while it writes a snapshot down it is slower (RED-04).
    pub fn slowness(&self, now: Timestamp) -> SignedDuration {
        if self.saves.master.under_way(now) { timing::SNAPSHOT_SLOWS } else { SignedDuration::ZERO }
    }

    /// Commits changes of keys.
    fn commit(&mut self, changes: &[KeyChange]) {
        let entries = changes.iter().map(logged).collect();
        self.log.append(self.seen, entries);
        self.settle(self.seen);
    }

    /// Changes an account, and logs what changed.
    pub fn order_account(&mut self, order: &AccountOrder, now: Timestamp) -> Result<(), CloudError> {
        self.settle(now);
        if let Some((name, account)) = self.change_account(order)? {
            self.log.append(self.seen, vec![(String::new(), Entry::Account { name, account })]);
        }
        Ok(())
    }

    /// Whether somebody may be let in; not while a backup is being recovered into it.
    pub fn lets_in(&self) -> Result<(), DatabaseError> {
        let why = "LOADING Redis is loading the dataset in memory";
        if self.loading { Err(DatabaseError::Unreachable(format!("{}: {why}", self.instance))) } else { Ok(()) }
    }

    fn version(&self) -> Version {
        self.product.version
    }

    fn is_cluster(&self) -> bool {
        self.product.edition == Edition::Cluster
    }

    /// The index of a logical database; a cluster has only the first.
    fn index(&self, database: &str) -> Result<usize, DatabaseError> {
        let index = numbers::integer(database).and_then(|index| usize::try_from(index).ok());
        let count = if self.is_cluster() { 1 } else { space::DATABASES };
        index.filter(|index| *index < count).ok_or_else(|| DatabaseError::NoSuchDatabase(database.to_owned()))
    }

    /// Refuses an account without a right on a database.
    fn permit(&self, account: &str, database: usize, needs: Rights, what: &str) -> Result<(), DatabaseError> {
        let rights = self.grants(account)?.on(&database.to_string(), table::NAME);
        if rights >= needs {
            return Ok(());
        }
        let what = format!("{what} on database {database}");
        Err(DatabaseError::NotPermitted { account: account.to_owned(), what })
    }
}

/// A change of a key as the log has it.
fn logged(change: &KeyChange) -> (String, Entry) {
    let KeyChange { place: (database, key), old, new } = change;
    let image = |item: &Option<data::Item>| item.as_ref().map(|item| table::row(key, item));
    let columns = table::COLUMNS.map(str::to_owned).to_vec();
    let (old, new) = (image(old), image(new));
    (database.to_string(), Entry::Row { table: table::NAME.to_owned(), columns, old, new })
}
