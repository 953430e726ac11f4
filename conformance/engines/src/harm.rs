//! What befalls a system in real time: hosts and servers that crash or stand still, ways that are cut, backups that go bad.

use crate::docker::Command;
use crate::rack::Lodger;
use crate::stage::{OPERATOR, RealStage, SERVICE};
use futures_util::TryStreamExt;
use object_store::ObjectStoreExt;
use object_store::path::Path;
use recovery::model::backup::BackupKind;
use recovery::model::{BackupId, InstanceId, SetId};
use recovery::ports::cloud::backup_place;
use std::fmt::Display;
use thiserror::Error;

/// Why something was not done to a real system.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refused {
    /// Nothing of the kind can be done here.
    #[error("unavailable on real servers: {0}")]
    Unavailable(String),
    /// It can be done, and did not work.
    #[error("{0}")]
    Failed(String),
}

impl Refused {
    /// It did not work.
    pub fn failed(why: impl Display) -> Self {
        Self::Failed(why.to_string())
    }
}

/// What befalls something in the vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// Some of its bytes are others than were written.
    Corrupt,
    /// It is gone.
    Missing,
    /// Only its first half is there.
    Half,
}

/// The file that fills a small disk.
const FILLER: &str = "firedrill.filler";

impl RealStage {
    fn lodger(&self, machine: &str) -> Option<Lodger> {
        self.site.rack.on(machine)
    }

    fn known(&self, host: &str) -> Result<(), Refused> {
        let machines = self.site.rack.machines();
        if host == OPERATOR {
            return Err(Refused::failed("the operator carries the run out and can neither be crashed nor paused"));
        }
        if self.hosts.has(host) || machines.iter().any(|machine| machine == host) {
            return Ok(());
        }
        Err(Refused::failed(format!("there is no host {host} that could be crashed or paused")))
    }

    fn away(&self, lodger: &Lodger, away: bool) {
        self.site.rack.change(&lodger.server.instance, |lodger| lodger.away = away);
    }

    /// Crashes the service or a worker, or kills the server on a machine.
    ///
    /// # Errors
    /// When there is no such host.
    pub async fn crash(&self, host: &str) -> Result<(), Refused> {
        self.known(host)?;
        if self.hosts.has(host) {
            self.hosts.crash(host).await;
            return Ok(());
        }
        let Some(lodger) = self.lodger(host) else { return Ok(()) };
        self.away(&lodger, true);
        lodger.server.container.kill().await.map_err(Refused::failed)
    }

    /// Whether a host is down.
    pub async fn is_down(&self, host: &str) -> bool {
        if self.hosts.has(host) {
            return self.hosts.is_down(host);
        }
        match self.lodger(host) {
            Some(lodger) => !lodger.server.container.is_running().await.unwrap_or(false),
            None => false,
        }
    }

    /// Starts a host again; one that runs is crashed first.
    ///
    /// # Errors
    /// When its server does not come to answer.
    pub async fn start_again(&self, host: &str) -> Result<(), Refused> {
        self.crash(host).await?;
        if self.hosts.has(host) {
            self.hosts.start(host).await;
            return Ok(());
        }
        let Some(lodger) = self.lodger(host) else { return Ok(()) };
        lodger.server.container.restart().await.map_err(Refused::failed)?;
        let player = self.site.player(&lodger.server.product).map_err(Refused::failed)?;
        player.engine.wait(&lodger.server).await.map_err(Refused::failed)?;
        self.away(&lodger, false);
        Ok(())
    }

    /// Has the server on a machine stand still, or go on.
    ///
    /// # Errors
    /// For other hosts, whose tasks share this process.
    pub async fn stand_still(&self, host: &str, still: bool) -> Result<(), Refused> {
        self.known(host)?;
        if self.hosts.has(host) {
            return Err(Refused::Unavailable(format!("{host} is a task of this process and cannot stand still")));
        }
        let Some(lodger) = self.lodger(host) else { return Ok(()) };
        let container = &lodger.server.container;
        let done = if still { container.pause().await } else { container.unpause().await };
        done.map_err(Refused::failed)?;
        self.away(&lodger, still);
        Ok(())
    }

    /// Sets the clock of the service or a worker off from true time.
    ///
    /// # Errors
    /// For machines, which have this machine's clock.
    pub fn skew(&self, host: &str, ms: i64) -> Result<(), Refused> {
        let clock = self.clocks.get(host).ok_or_else(|| {
            Refused::Unavailable(format!("{host} has the clock of this machine, which cannot be set off"))
        })?;
        clock.skew(ms);
        Ok(())
    }

    /// Fills the disk of a machine's server up, or makes room on it again.
    ///
    /// # Errors
    /// For the service, and where disks are as large as this machine's.
    pub async fn fill_disk(&self, host: &str, full: bool) -> Result<(), Refused> {
        if host == SERVICE {
            return Err(Refused::Unavailable("the service's disk is this machine's".into()));
        }
        if self.site.disk_bytes.is_none() {
            return Err(Refused::Unavailable("the servers' disks are as large as this machine's".into()));
        }
        let Some(lodger) = self.lodger(host) else { return Ok(()) };
        let player = self.site.player(&lodger.server.product).map_err(Refused::failed)?;
        let filler = format!("{}/{FILLER}", player.engine.data_folder(&lodger.server.image));
        let line = if full { format!("cat /dev/zero > {filler} || true") } else { format!("rm -f {filler}") };
        lodger.server.container.run(Command::shell(line)).await.map(drop).map_err(Refused::failed)
    }

    /// Ends the server of an instance at once and starts it again under the same endpoint.
    ///
    /// # Errors
    /// When there is no such instance, or it does not come to answer.
    pub async fn fail_over(&self, instance: &InstanceId) -> Result<(), Refused> {
        let machine = self.site.rack.machine_of(instance);
        let machine = machine.ok_or_else(|| Refused::failed(format!("there is no instance {instance}")))?;
        self.start_again(&machine).await
    }

    /// Sets the time zone that an instance's server goes by.
    ///
    /// # Errors
    /// When there is no such instance or zone.
    pub async fn time_zone(&self, instance: &InstanceId, zone: &str) -> Result<(), Refused> {
        let lodger = self.site.rack.lodger(instance);
        let lodger = lodger.ok_or_else(|| Refused::failed(format!("there is no instance {instance}")))?;
        let player = self.site.player(&lodger.server.product).map_err(Refused::failed)?;
        player.engine.time_zone(&lodger.server, zone).await.map_err(Refused::failed)
    }

    /// Takes the files of the log of an instance's server up to now off its disk; the server still lists them.
    ///
    /// # Errors
    /// When there is no such instance, or its engine lists no such files.
    pub async fn lose_log(&self, instance: &InstanceId) -> Result<(), Refused> {
        let lodger = self.site.rack.lodger(instance);
        let lodger = lodger.ok_or_else(|| Refused::failed(format!("there is no instance {instance}")))?;
        let player = self.site.player(&lodger.server.product).map_err(Refused::failed)?;
        player.engine.lose_log(&lodger.server).await.map_err(Refused::failed)
    }

    /// Makes everything whole: ways, servers that stand still or were killed, hosts that are down. Clocks keep their skew.
    ///
    /// # Errors
    /// When a server does not come to answer again.
    pub async fn heal_all(&self) -> Result<(), Refused> {
        self.site.ways.heal_all();
        for machine in self.site.rack.machines() {
            let Some(lodger) = self.lodger(&machine).filter(|lodger| lodger.away) else { continue };
            if lodger.server.container.is_running().await.unwrap_or(false) {
                self.stand_still(&machine, false).await?;
            } else {
                self.start_again(&machine).await?;
            }
        }
        self.hosts.start_all();
        Ok(())
    }

    /// Damages a backup where it lies in the vault.
    ///
    /// # Errors
    /// When the vault has no such backup.
    pub async fn damage_backup(&self, instance: &InstanceId, backup: &BackupId, damage: Damage) -> Result<(), Refused> {
        self.damage(&backup_place(instance, backup), damage).await
    }

    /// Damages an object of a set of a logical backup task.
    ///
    /// # Errors
    /// When the vault has nothing of the set.
    pub async fn damage_set(&self, set: &SetId, damage: Damage) -> Result<(), Refused> {
        let below = Path::from(format!("logical/{set}"));
        let listed = self.site.ground.vault.list(Some(&below)).map_ok(|object| object.location);
        let places: Vec<Path> = listed.try_collect().await.map_err(Refused::failed)?;
        let drawn = rand::random_range(0..places.len().max(1));
        let place = places.get(drawn).ok_or_else(|| Refused::failed(format!("the vault has no {below}")))?;
        self.damage(place, damage).await
    }

    /// The newest backup of a kind that lies in the vault as long as it was written.
    ///
    /// # Errors
    /// When the vault refuses.
    pub async fn newest_backup(&self, instance: &InstanceId, kind: BackupKind) -> Result<Option<BackupId>, Refused> {
        for kept in self.site.rack.backups(instance, kind).into_iter().rev() {
            match self.site.ground.vault.head(&kept.place).await {
                Ok(found) if found.size == kept.held.size_bytes => return Ok(Some(kept.backup)),
                Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(Refused::failed(error)),
            }
        }
        Ok(None)
    }

    async fn damage(&self, place: &Path, damage: Damage) -> Result<(), Refused> {
        let vault = &self.site.ground.vault;
        let found = vault.get(place).await.map_err(Refused::failed)?;
        let mut bytes = found.bytes().await.map_err(Refused::failed)?.to_vec();
        match damage {
            Damage::Missing => return vault.delete(place).await.map_err(Refused::failed),
            Damage::Half => bytes.truncate(bytes.len() / 2),
            Damage::Corrupt => {
                let middle = bytes.len() / 2;
                for byte in bytes.iter_mut().skip(middle).take(8) {
                    *byte = byte.wrapping_add(1);
                }
            }
        }
        vault.put(place, bytes.into()).await.map(drop).map_err(Refused::failed)
    }
}
