//! The server that a machine holds: an SQL server or a Redis server.

use super::backup::Fetched;
use super::front::Front;
use super::redis::Redis;
use super::server::Server;
use jiff::{SignedDuration, Timestamp};
use recovery::model::InstanceId;
use recovery::model::backup::{BackupKind, Node};
use recovery::model::photograph::Photograph;
use recovery::ports::cloud::{AccountOrder, CloudError};
use recovery::ports::database::{DatabaseError, Login};
use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// The server that a machine holds.
pub(super) enum Hosted {
    Sql(Box<Server>),
    Redis(Box<Redis>),
}

impl Deref for Hosted {
    type Target = Front;

    fn deref(&self) -> &Front {
        match self {
            Self::Sql(server) => server,
            Self::Redis(redis) => redis,
        }
    }
}

impl DerefMut for Hosted {
    fn deref_mut(&mut self) -> &mut Front {
        match self {
            Self::Sql(server) => server,
            Self::Redis(redis) => redis,
        }
    }
}

impl Hosted {
    /// The SQL server, if it is one.
    pub fn sql(&mut self) -> Option<&mut Server> {
        if let Self::Sql(server) = self { Some(server) } else { None }
    }

    /// Lets time pass.
    pub fn settle(&mut self, now: Timestamp) {
        if let Self::Redis(redis) = self {
            redis.settle(now);
        }
    }

    /// Lets an account in, or not; gives the account's mark.
    pub fn let_in(&self, login: &Login, peer: &str, now: Timestamp) -> Result<u64, DatabaseError> {
        let mark = self.log_in(login, peer, now)?;
        if let Self::Redis(redis) = self {
            redis.lets_in()?;
        }
        Ok(mark)
    }

    /// The canonical content.
    pub fn photograph(&self) -> Result<Arc<Photograph>, DatabaseError> {
        match self {
            Self::Sql(server) => server.photograph(),
            Self::Redis(redis) => Ok(redis.photograph()),
        }
    }

    /// The content of one node, where the engine tells its nodes apart.
    pub fn photograph_node(&self, node: Node) -> Option<Photograph> {
        match self {
            Self::Sql(_) => None,
            Self::Redis(redis) => Some(redis.photograph_node(node)),
        }
    }

    /// The keys of one node by logical database, where the engine tells its nodes apart.
    pub fn node_keys(&self, node: Node) -> Option<BTreeMap<String, Vec<String>>> {
        match self {
            Self::Sql(_) => None,
            Self::Redis(redis) => Some(redis.node_keys(node)),
        }
    }

    /// Changes an account, and logs what changed.
    pub fn order_account(&mut self, order: &AccountOrder, now: Timestamp) -> Result<(), CloudError> {
        match self {
            Self::Sql(server) => server.order_account(order, now),
            Self::Redis(redis) => redis.order_account(order, now),
        }
    }

    /// Runs the events that are due, and says when the next one will be.
    pub fn run_events(&mut self, now: Timestamp) -> Option<Timestamp> {
        self.sql().and_then(|server| server.run_events(now))
    }

    /// Begins a backup. A Redis server writes down what it held when it began: that is given here. An SQL server writes
    /// down what it holds at the end, see [`Self::end_backup`].
    pub fn begin_backup(&mut self, kind: BackupKind, now: Timestamp) -> Result<Option<Vec<u8>>, DatabaseError> {
        match (self, kind) {
            (Self::Sql(_), _) => Ok(None),
            (Self::Redis(redis), BackupKind::Data) => redis.begin_backup(now).map(Some),
            (Self::Redis(_), BackupKind::Log) => {
                Err(DatabaseError::Statement("a Redis server has no log backups".into()))
            }
        }
    }

    /// What a backup holds that was begun; nothing where that was known at its beginning.
    pub fn end_backup(
        &mut self,
        kind: BackupKind,
        after: u64,
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, DatabaseError> {
        match (self, kind) {
            (Self::Sql(server), BackupKind::Data) => {
                let bytes = server.data_backup(now)?;
                server.backed_up = server.databases.keys().cloned().collect();
                Ok(Some(bytes))
            }
            (Self::Sql(server), BackupKind::Log) => server.log_backup(after, now).map(Some),
            (Self::Redis(_), _) => Ok(None),
        }
    }

    /// How much longer than usual it takes to answer.
    pub fn slowness(&self, now: Timestamp) -> SignedDuration {
        match self {
            Self::Sql(_) => SignedDuration::ZERO,
            Self::Redis(redis) => redis.slowness(now),
        }
    }

    /// The server, where backups can be recovered into it (RED-21).
    pub fn recoverable(&mut self) -> Result<&mut Redis, CloudError> {
        match self {
            Self::Redis(redis) => Ok(redis),
            Self::Sql(server) => Err(CloudError::Failed(format!(
                "{} is of an engine whose instances are not overwritten",
                server.instance
            ))),
        }
    }

    /// The master a replica instance follows, and the position it has come to.
    pub fn following(&self) -> Option<(InstanceId, u64)> {
        match self {
            Self::Sql(server) => server.follows.clone().map(|master| (master, server.log.position())),
            Self::Redis(_) => None,
        }
    }

    /// A server restored from a data backup.
    pub fn restored_redis(birth: super::front::Birth, fetched: &[Fetched]) -> Result<Self, CloudError> {
        match fetched {
            [data] => Ok(Self::Redis(Box::new(Redis::restored(birth, data)?))),
            _ => Err(CloudError::Failed("a Redis instance is made from one backup and no log".into())),
        }
    }
}
