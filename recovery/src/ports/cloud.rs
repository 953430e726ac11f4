//! The making, backing up, configuring and taking down of database instances.

use crate::model::backup::{BackupKind, Held};
use crate::model::instance::{Configuration, FirstAccount, Grants};
use crate::model::views::AccountView;
use crate::model::{BackupId, InstanceId, Product, Secret};
use async_trait::async_trait;
use jiff::Timestamp;
use object_store::path::Path;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What an instance is to be made of. Making the same instance again gives the same answer and changes nothing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InstanceOrder {
    /// Its id.
    pub instance: InstanceId,
    /// Product.
    pub product: Product,
    /// Settings.
    pub configuration: Configuration,
    /// Content.
    pub content: Content,
    /// Seconds it lives after it was made; the machine refuses sessions from then on, whoever is down.
    pub life_s: Option<i64>,
}

/// What a new instance holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Content {
    /// Nothing but an account and the default database `app`.
    Empty {
        /// The first account.
        account: Option<FirstAccount>,
    },
    /// What backups hold.
    Restored(RestoreOrder),
    /// What a master holds, followed from its log (read-only and disaster recovery instances).
    Replica {
        /// The master.
        master: InstanceId,
    },
}

/// A restore: a data backup and, for a point in time, the log backups after it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RestoreOrder {
    /// Whose backups.
    pub of: InstanceId,
    /// Data backup.
    pub data: BackupId,
    /// Log backups to replay, in order; they join without a gap.
    pub logs: Vec<BackupId>,
    /// Replay changes up to and including this server time; all of the data backup and nothing more without.
    pub until: Option<Timestamp>,
}

/// An instance that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// `host:port`.
    pub endpoint: String,
    /// What its content is as of, where it was restored.
    pub recovered_to: Option<Timestamp>,
}

/// A change to an account of a server.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum AccountOrder {
    /// Make it.
    Create(FirstAccount),
    /// Change its password.
    Password {
        /// Name.
        name: String,
        /// New password.
        #[serde(with = "crate::model::secret::exposed")]
        password: Secret,
    },
    /// Change its rights.
    Grants {
        /// Name.
        name: String,
        /// New rights.
        grants: Grants,
    },
    /// Take it away.
    Drop {
        /// Name.
        name: String,
    },
}

/// Why the cloud did not do it.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum CloudError {
    /// The machine could not be reached, or did not answer in time; the order may or may not have been carried out.
    #[error("machine not reached: {0}")]
    Unreachable(String),
    /// No machine is free.
    #[error("no machine is free")]
    NoCapacity,
    /// There is no such instance.
    #[error("there is no instance {0}")]
    NoSuchInstance(InstanceId),
    /// The account is there already.
    #[error("account {0} exists")]
    AccountExists(String),
    /// There is no such account.
    #[error("there is no account {0}")]
    NoSuchAccount(String),
    /// A backup in the vault is missing or unreadable.
    #[error("backup {backup} cannot be read: {why}")]
    BackupUnreadable {
        /// Which.
        backup: BackupId,
        /// Why.
        why: String,
    },
    /// The server could not do it.
    #[error("{0}")]
    Failed(String),
}

/// Where a backup lies in the vault; the cloud puts it there, and the service hands it out from there (RED-14).
#[must_use]
pub fn backup_place(instance: &InstanceId, backup: &BackupId) -> Path {
    Path::from_iter(["backups", instance.as_str(), backup.as_str()])
}

/// Makes, backs up, configures and takes down database instances. Every call may be repeated with the same effect.
#[async_trait]
pub trait Cloud: Send + Sync {
    /// Makes an instance.
    ///
    /// # Errors
    /// See [`CloudError`].
    async fn create(&self, order: &InstanceOrder) -> Result<Made, CloudError>;

    /// Takes an instance down; one that is not there is no error.
    ///
    /// # Errors
    /// See [`CloudError`].
    async fn destroy(&self, instance: &InstanceId) -> Result<(), CloudError>;

    /// Gives an instance its settings.
    ///
    /// # Errors
    /// See [`CloudError`].
    async fn configure(&self, instance: &InstanceId, configuration: &Configuration) -> Result<(), CloudError>;

    /// Overwrites a running instance with what a backup holds; accounts and settings stay. Its clients are let in again
    /// only when all of it is there (RED-21). The recoveries of an instance are numbered from 1 upwards: one that was
    /// carried out before, or that a later one has overtaken, changes nothing any more, so that an order on its way for
    /// long never overwrites what was written since.
    ///
    /// # Errors
    /// See [`CloudError`].
    async fn overwrite(&self, instance: &InstanceId, backup: &BackupId, recovery: u64) -> Result<(), CloudError>;

    /// Changes an account.
    ///
    /// # Errors
    /// See [`CloudError`].
    async fn account(&self, instance: &InstanceId, order: &AccountOrder) -> Result<(), CloudError>;

    /// Lists the accounts.
    ///
    /// # Errors
    /// See [`CloudError`].
    async fn accounts(&self, instance: &InstanceId) -> Result<Vec<AccountView>, CloudError>;

    /// Takes a backup into the vault under its id. A log backup begins after `after_position`.
    ///
    /// # Errors
    /// See [`CloudError`].
    async fn back_up(
        &self,
        instance: &InstanceId,
        backup: &BackupId,
        kind: BackupKind,
        after_position: u64,
    ) -> Result<Held, CloudError>;

    /// Deletes a backup from the vault; one that is not there is no error.
    ///
    /// # Errors
    /// See [`CloudError`].
    async fn discard_backup(&self, instance: &InstanceId, backup: &BackupId) -> Result<(), CloudError>;
}
