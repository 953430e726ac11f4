//! The operator's faults that hit servers and the vault rather than hosts and links.

use super::control::Control;
use super::dice::generator;
use crate::servers::{Unharmed, check_zone, held_in, known_zones, zone};
use futures_util::TryStreamExt;
use jiff::tz::TimeZone;
use object_store::path::Path;
use object_store::{Error, ObjectStoreExt};
use rand::RngCore;
use recovery::model::backup::BackupKind;
use recovery::model::{BackupId, InstanceId, Product, SetId};
use recovery::ports::cloud::backup_place;
use thiserror::Error as Failure;

/// What befalls something in the vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Damage {
    /// Some of its bytes are others than were written.
    Corrupt,
    /// It is gone.
    Missing,
    /// Only its first half is there, as after a write that broke off.
    Half,
}

/// Why a fault of a server or of the vault cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, Failure)]
pub enum DamageError {
    /// No machine holds the instance.
    #[error("there is no instance {0} on any machine")]
    NoSuchInstance(InstanceId),
    /// No machine of that name.
    #[error("there is no machine {machine}; there are {known}")]
    NoSuchMachine {
        /// The name asked for.
        machine: String,
        /// The names there are.
        known: String,
    },
    /// The vault has no such thing.
    #[error("the vault has no {0}")]
    NotInVault(Path),
    /// The instance keeps no log in files.
    #[error("{0} is no MySQL instance, and its log has no files to lose")]
    NoLogFiles(InstanceId),
    /// The instance is no replica and has none.
    #[error("{0} is no replica and has no replica node")]
    NoReplica(InstanceId),
    /// A server's engine cannot be changed.
    #[error("{instance} is {is} and cannot become {wanted}: only its version and edition can change")]
    OtherEngine {
        /// Instance.
        instance: InstanceId,
        /// What it is.
        is: Product,
        /// What it was to become.
        wanted: Product,
    },
    /// No time zone of that name.
    #[error("there is no time zone {zone}; there are {known}")]
    NoSuchZone {
        /// The name asked for.
        zone: String,
        /// The names there are.
        known: String,
    },
    /// The vault refused.
    #[error("the vault said: {0}")]
    Vault(String),
}

impl Control {
    /// Damages a backup where it lies in the vault.
    ///
    /// # Errors
    /// When the vault has no such backup.
    pub async fn damage_backup(
        &self,
        instance: &InstanceId,
        backup: &BackupId,
        damage: Damage,
    ) -> Result<(), DamageError> {
        self.damage_object(&backup_place(instance, backup), damage).await
    }

    /// Damages one object of a set of a logical backup task, drawn from the seed.
    ///
    /// # Errors
    /// When the vault has nothing of the set.
    pub async fn damage_set(&self, set: &SetId, damage: Damage) -> Result<(), DamageError> {
        let below = Path::from(format!("logical/{set}"));
        let mut objects = self.vault_list(&below).await?;
        if objects.is_empty() {
            return Err(DamageError::NotInVault(below));
        }
        objects.sort();
        let drawn = generator(self.seed(), below.as_ref(), 0).next_u64() % objects.len() as u64;
        let place = objects.swap_remove(usize::try_from(drawn).unwrap_or(0));
        self.damage_object(&place, damage).await
    }

    /// The newest backup of a kind that lies whole in the vault, by the time it reaches to.
    ///
    /// # Errors
    /// When the vault refuses.
    pub async fn newest_backup(
        &self,
        instance: &InstanceId,
        kind: BackupKind,
    ) -> Result<Option<BackupId>, DamageError> {
        let below = Path::from_iter(["backups", instance.as_str()]);
        let mut newest = None;
        for place in self.vault_list(&below).await? {
            let bytes = self.object(&place).await?;
            let Ok((its_kind, held)) = held_in(&bytes) else { continue };
            let name = place.filename().unwrap_or_default().to_owned();
            let mark = (held.to_time, held.to_position, name);
            if its_kind == kind && newest.as_ref().is_none_or(|newest| *newest < mark) {
                newest = Some(mark);
            }
        }
        Ok(newest.map(|(.., name)| BackupId(name)))
    }

    /// Fills the disk of a machine up, or makes room on it again. Its server then refuses rows, definitions and databases
    /// with `DiskFull`; what is there can be read. An instance that is to be made there fails.
    ///
    /// # Errors
    /// When there is no such machine.
    pub fn full_disk(&self, machine: &str, full: bool) -> Result<(), DamageError> {
        if self.rack().fill_disk(machine, full) {
            return Ok(());
        }
        let hosts = self.hosts().iter().filter(|host| host.starts_with("machine-"));
        let known = hosts.cloned().collect::<Vec<_>>().join(", ");
        Err(DamageError::NoSuchMachine { machine: machine.to_owned(), known })
    }

    /// Takes the files away in which a MySQL server's log lies up to now. The server goes on listing them, until it is told to
    /// purge them; what was in them nobody follows any more.
    ///
    /// # Errors
    /// When there is no such instance, or it is no MySQL one.
    pub fn lose_log_file(&self, instance: &InstanceId) -> Result<(), DamageError> {
        self.made(instance, None, self.rack().lose_log_file(instance))
    }

    /// Has a stand-by take over from an instance's server: connections break, nobody is let in for some seconds, and then
    /// everything that was committed is there under the same endpoint.
    ///
    /// # Errors
    /// When there is no such instance.
    pub fn failover(&self, instance: &InstanceId) -> Result<(), DamageError> {
        self.made(instance, None, self.rack().fail_over(instance, self.true_now()))
    }

    /// Upgrades or downgrades an instance's server in place. Nobody tells the service.
    ///
    /// # Errors
    /// When there is no such instance, or it is of another engine.
    pub fn set_version(&self, instance: &InstanceId, product: Product) -> Result<(), DamageError> {
        self.made(instance, Some(product), self.rack().set_product(instance, product, self.true_now()))
    }

    /// Sets how far a replica is behind its master: a read-only or disaster recovery instance, or the replica node within
    /// a Redis instance.
    ///
    /// # Errors
    /// When there is no such instance, or it is no replica.
    pub fn replica_lag(&self, instance: &InstanceId, lag_ms: u64) -> Result<(), DamageError> {
        self.made(instance, None, self.rack().set_lag(instance, lag_ms))
    }

    /// Sets the time zone that `now()` and its like go by on an instance's server.
    ///
    /// # Errors
    /// When there is no such instance or zone.
    pub fn time_zone(&self, instance: &InstanceId, zone: &str) -> Result<(), DamageError> {
        check_zone(zone).map_err(|known| DamageError::NoSuchZone { zone: zone.to_owned(), known })?;
        self.made(instance, None, self.rack().set_zone(instance, zone))
    }

    /// A time zone by its name, as servers know them.
    ///
    /// # Errors
    /// When there is no such zone.
    pub fn zone(&self, name: &str) -> Result<TimeZone, DamageError> {
        zone(name).ok_or_else(|| DamageError::NoSuchZone { zone: name.to_owned(), known: known_zones() })
    }

    /// Takes an instance off its machine with all it holds. Nobody tells the service.
    ///
    /// # Errors
    /// When there is no such instance.
    pub fn vanish(&self, instance: &InstanceId) -> Result<(), DamageError> {
        if self.machine_of(instance).is_none() {
            return Err(DamageError::NoSuchInstance(instance.clone()));
        }
        self.rack().stop(instance);
        Ok(())
    }

    fn made(
        &self,
        instance: &InstanceId,
        wanted: Option<Product>,
        done: Result<(), Unharmed>,
    ) -> Result<(), DamageError> {
        let instance = || instance.clone();
        done.map_err(|unharmed| match (unharmed, wanted) {
            (Unharmed::OtherEngine(is), Some(wanted)) => DamageError::OtherEngine { instance: instance(), is, wanted },
            (Unharmed::NoLogFiles, _) => DamageError::NoLogFiles(instance()),
            (Unharmed::NoReplica, _) => DamageError::NoReplica(instance()),
            (Unharmed::NoInstance | Unharmed::OtherEngine(_), _) => DamageError::NoSuchInstance(instance()),
        })
    }

    async fn damage_object(&self, place: &Path, damage: Damage) -> Result<(), DamageError> {
        let mut bytes = self.object(place).await?;
        match damage {
            Damage::Missing => return self.vault().delete(place).await.map_err(|error| refused(place, &error)),
            Damage::Half => bytes.truncate(bytes.len() / 2),
            Damage::Corrupt => {
                let mut random = generator(self.seed(), place.as_ref(), 1);
                for _ in 0..=random.next_u64() % 8 {
                    let at = random.next_u64() % (bytes.len() as u64).max(1);
                    // At most 8 times 16: no byte comes round to what it was.
                    if let Some(byte) = usize::try_from(at).ok().and_then(|at| bytes.get_mut(at)) {
                        *byte = byte.wrapping_add(1 + u8::try_from(random.next_u64() % 16).unwrap_or(0));
                    }
                }
            }
        }
        self.vault().put(place, bytes.into()).await.map(drop).map_err(|error| refused(place, &error))
    }

    async fn object(&self, place: &Path) -> Result<Vec<u8>, DamageError> {
        let found = self.vault().get(place).await.map_err(|error| refused(place, &error))?;
        Ok(found.bytes().await.map_err(|error| refused(place, &error))?.to_vec())
    }

    async fn vault_list(&self, below: &Path) -> Result<Vec<Path>, DamageError> {
        let listed = self.vault().list(Some(below)).map_ok(|object| object.location).try_collect().await;
        listed.map_err(|error: Error| refused(below, &error))
    }
}

fn refused(place: &Path, error: &Error) -> DamageError {
    match error {
        Error::NotFound { .. } => DamageError::NotInVault(place.clone()),
        error => DamageError::Vault(error.to_string()),
    }
}
