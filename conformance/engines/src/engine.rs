//! What differs between the engines: how a server of each is started, filled, restored, backed up and photographed.
//!
//! The cloud holds the containers, the vault, the whitelist at the door and the time; an engine knows its server's
//! programs. Times that are given and asked for here are the server's own.

use crate::docker::{Command, Container, Docker, DockerError};
use crate::images::{Family, Image};
use async_trait::async_trait;
use jiff::Timestamp;
use object_store::path::Path;
use recovery::model::backup::{BackupKind, Held, Node};
use recovery::model::instance::{Configuration, FirstAccount};
use recovery::model::photograph::Photograph;
use recovery::model::views::AccountView;
use recovery::model::{BackupId, InstanceId, Product, Secret};
use recovery::ports::cloud::{AccountOrder, CloudError};
use recovery::ports::{Database, Vault};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A server that runs in a container.
#[derive(Clone)]
pub struct Server {
    /// Instance.
    pub instance: InstanceId,
    /// What it plays.
    pub product: Product,
    /// What it is.
    pub family: Family,
    /// Its image.
    pub image: Image,
    /// Its container; the master's, where it has a replica.
    pub container: Container,
    /// The container of its replica, where the engine keeps one (Redis).
    pub replica: Option<Container>,
    /// The administrator's password, which nobody outside knows.
    pub root: Secret,
}

/// What a server is to begin as.
#[derive(Debug, Clone)]
pub struct Birth {
    /// Instance.
    pub instance: InstanceId,
    /// What it is to play.
    pub product: Product,
    /// Image.
    pub image: Image,
    /// Settings.
    pub configuration: Configuration,
    /// The administrator's password to give it.
    pub root: Secret,
    /// The size of its disk, where that is to be small.
    pub disk_bytes: Option<i64>,
}

/// A copy by the engine's own programs.
pub struct OwnCopy<'a> {
    /// The server it is of.
    pub source: &'a Server,
    /// Where containers reach that.
    pub address: &'a str,
    /// The server it goes to.
    pub target: &'a Server,
    /// The database.
    pub database: &'a str,
    /// The new database.
    pub into: &'a str,
}

/// A backup in the vault.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Its id.
    pub backup: BackupId,
    /// Where it lies.
    pub place: Path,
    /// What it holds.
    pub held: Held,
}

/// What a server is to be restored from.
#[derive(Debug, Clone)]
pub struct Restore {
    /// Data backup.
    pub data: Kept,
    /// Log backups, which join without a gap; none for the data backup alone.
    pub logs: Vec<Kept>,
    /// Replay changes up to and including this server time; all of the data backup and nothing more without.
    pub until: Option<Timestamp>,
}

/// What every engine works with. Clones are the same ground.
#[derive(Clone)]
pub struct Ground {
    /// Containers.
    pub docker: Docker,
    /// Where backups lie.
    pub vault: Vault,
    /// Passwords that accounts were given.
    pub passwords: Passwords,
}

/// Passwords that accounts were ever given: a server tells only whether one is right, and photographs mark them.
#[derive(Clone, Default)]
pub struct Passwords(Arc<Mutex<BTreeMap<String, Vec<Secret>>>>);

impl Passwords {
    /// Keeps a password that an account is given somewhere.
    pub fn note(&self, account: &str, password: &Secret) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.entry(account.to_owned()).or_default();
        known.retain(|other| other.expose() != password.expose());
        known.push(password.clone());
    }

    /// The passwords an account may have, the newest first.
    #[must_use]
    pub fn of(&self, account: &str) -> Vec<Secret> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(account).map_or_else(Vec::new, |known| known.iter().rev().cloned().collect())
    }
}

/// What an engine's programs do.
///
/// Every call may be repeated with the same effect. A server is whole and answers when `begin` or `restore` return.
#[async_trait]
pub trait Engine: Send + Sync {
    /// The engine's sessions, by `host:port`.
    fn database(&self) -> Arc<dyn Database>;

    /// Starts an empty server with its default database `app`, the settings and, where one is given, the first account.
    ///
    /// # Errors
    /// When it does not come to answer.
    async fn begin(&self, ground: &Ground, birth: &Birth, account: Option<&FirstAccount>)
    -> Result<Server, CloudError>;

    /// Starts a server with what backups hold, accounts with their passwords included, and the settings of `birth`.
    /// Gives the server time its content is as of.
    ///
    /// # Errors
    /// [`CloudError::BackupUnreadable`] for a backup that is missing or damaged; otherwise when it does not come to answer.
    async fn restore(
        &self,
        ground: &Ground,
        birth: &Birth,
        restore: &Restore,
    ) -> Result<(Server, Option<Timestamp>), CloudError>;

    /// Waits until a server answers that was started again.
    ///
    /// # Errors
    /// When it does not.
    async fn wait(&self, server: &Server) -> Result<(), CloudError>;

    /// Takes a backup into the vault, at `place`, as one object. A log backup begins after `after_position`, or later where
    /// what lies there is lost, and reaches to the moment of the call.
    ///
    /// # Errors
    /// When it cannot be taken.
    async fn back_up(
        &self,
        ground: &Ground,
        server: &Server,
        place: &Path,
        kind: BackupKind,
        after_position: u64,
    ) -> Result<Held, CloudError>;

    /// Overwrites a running server with what a data backup holds (RED-21); accounts and settings stay.
    ///
    /// # Errors
    /// When the engine has no such thing, or the backup cannot be read.
    async fn overwrite(&self, ground: &Ground, server: &Server, data: &Kept) -> Result<(), CloudError>;

    /// Gives a server its settings: SSL and parameters. The whitelist is kept by the cloud.
    ///
    /// # Errors
    /// When the server refuses.
    async fn configure(&self, server: &Server, configuration: &Configuration) -> Result<(), CloudError>;

    /// Changes an account.
    ///
    /// # Errors
    /// When the account is not there, or is already.
    async fn account(&self, server: &Server, order: &AccountOrder) -> Result<(), CloudError>;

    /// The accounts, without the administrator's.
    ///
    /// # Errors
    /// When the server does not answer.
    async fn accounts(&self, server: &Server) -> Result<Vec<AccountView>, CloudError>;

    /// The content as it truly is, looked at as the administrator; of one node, where the engine keeps more than one.
    /// [`Photograph::settings`] is left empty: the cloud knows the settings.
    ///
    /// # Errors
    /// When the server does not answer.
    async fn photograph(&self, ground: &Ground, server: &Server, node: Option<Node>) -> Result<Photograph, CloudError>;

    /// Takes the files of a server's log up to now off its disk; the server still lists them.
    ///
    /// # Errors
    /// When the engine lists no such files, or the server does not answer.
    async fn lose_log(&self, server: &Server) -> Result<(), CloudError> {
        Err(CloudError::Failed(format!("{} lists no files of a log", server.family)))
    }

    /// Sets the time zone that the server's functions go by.
    ///
    /// # Errors
    /// When the server does not know it.
    async fn time_zone(&self, server: &Server, zone: &str) -> Result<(), CloudError>;

    /// The engine's own client, which reads a script for a database as the administrator; none where the engine has no
    /// scripts.
    fn script_reader(&self, server: &Server, database: &str) -> Option<Command> {
        let _ = (server, database);
        None
    }

    /// The engine's own way to copy a database of a server that is reached at an address into a new one of another server,
    /// in whose container it is run: what a migration is measured by. None where the engine has none.
    fn own_copy(&self, copy: &OwnCopy<'_>) -> Option<Command> {
        let _ = copy;
        None
    }

    /// The folder that a server's data is in.
    fn data_folder(&self, image: &Image) -> String;
}

impl From<DockerError> for CloudError {
    fn from(error: DockerError) -> Self {
        Self::Failed(error.to_string())
    }
}
