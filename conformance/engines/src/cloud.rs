//! The cloud of containers: every order of the service to a machine, carried out by the engine's programs.

use crate::engine::{Birth, Ground, Kept, Restore, Server};
use crate::programs::{Player, Programs};
use crate::rack::{Lodger, PORT, Rack};
use crate::time::Time;
use crate::ways::Ways;
use async_trait::async_trait;
use futures_util::TryStreamExt;
use jiff::SignedDuration;
use object_store::ObjectStoreExt;
use rand::RngCore;
use recovery::model::backup::{BackupKind, Held};
use recovery::model::instance::{Configuration, FirstAccount};
use recovery::model::views::AccountView;
use recovery::model::{BackupId, InstanceId, Secret};
use recovery::ports::clock::later_s;
use recovery::ports::cloud::{AccountOrder, CloudError, Content, InstanceOrder, Made, RestoreOrder, backup_place};
use recovery::ports::{Clock, Cloud, Vault};
use sha2::{Digest, Sha256};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::task::AbortHandle;

/// How long an order tries to reach a machine.
const REACH: SignedDuration = SignedDuration::from_secs(30);

/// What all hosts' clouds have in common.
#[derive(Clone)]
pub struct Site {
    /// Containers, vault and passwords.
    pub ground: Ground,
    /// Machines.
    pub rack: Rack,
    /// What plays which engine.
    pub programs: Programs,
    /// The run's time.
    pub time: Time,
    /// The ways between hosts.
    pub ways: Ways,
    /// The size of each server's disk, where that is to be small.
    pub disk_bytes: Option<i64>,
    /// Tasks that end with the run.
    pub tasks: Tasks,
}

/// Tasks that end when they are told to. Clones are the same tasks.
#[derive(Clone, Default)]
pub struct Tasks(Arc<Mutex<Vec<AbortHandle>>>);

impl Tasks {
    /// Runs a task.
    pub fn run(&self, task: impl Future<Output = ()> + Send + 'static) {
        let handle = tokio::spawn(task).abort_handle();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(handle);
    }

    /// Ends all tasks.
    pub fn end(&self) {
        let all = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        all.iter().for_each(AbortHandle::abort);
    }
}

/// The cloud as one host sees it.
#[derive(Clone)]
pub struct ContainerCloud {
    site: Site,
    host: String,
    clock: Arc<dyn Clock>,
}

impl ContainerCloud {
    /// The cloud of a site, seen from a host.
    #[must_use]
    pub fn new(site: Site, host: impl Into<String>, clock: Arc<dyn Clock>) -> Self {
        Self { site, host: host.into(), clock }
    }

    /// Waits until orders pass to a machine and answers back.
    async fn reach(&self, machine: &str) -> Result<(), CloudError> {
        let there_and_back = async {
            self.site.ways.pass(&self.host, machine).await;
            self.site.ways.pass(machine, &self.host).await;
        };
        let reached = self.clock.timeout(REACH, there_and_back).await;
        reached.ok_or_else(|| CloudError::Unreachable(format!("{machine}: no answer in time")))
    }

    /// An instance's server that answers, and what plays it.
    async fn server(&self, instance: &InstanceId) -> Result<(Server, Player), CloudError> {
        let gone = || CloudError::NoSuchInstance(instance.clone());
        let machine = self.site.rack.machine_of(instance).ok_or_else(gone)?;
        self.reach(&machine).await?;
        let lodger = self.site.rack.lodger(instance).ok_or_else(gone)?;
        if lodger.away {
            return Err(CloudError::Unreachable(format!("{machine}: no answer in time")));
        }
        let player = self.site.player(&lodger.server.product)?;
        Ok((lodger.server, player))
    }
}

impl Site {
    /// What plays a product.
    ///
    /// # Errors
    /// When nothing does.
    pub fn player(&self, product: &recovery::model::Product) -> Result<Player, CloudError> {
        let player = self.programs.of(product).cloned();
        player.ok_or_else(|| CloudError::Failed(format!("nothing plays {product} here")))
    }

    /// Makes an instance on its machine; one that is there stays as it is.
    async fn make(&self, machine: &str, order: &InstanceOrder) -> Result<Made, CloudError> {
        let turn = self.rack.turn(&order.instance);
        let _turn = turn.lock().await;
        if let Some(lodger) = self.rack.lodger(&order.instance) {
            return Ok(lodger.made);
        }
        let player = self.player(&order.product)?;
        let birth = Birth {
            instance: order.instance.clone(),
            product: order.product,
            image: player.image.clone(),
            configuration: order.configuration.clone(),
            root: root(),
            disk_bytes: self.disk_bytes,
        };
        let (server, recovered_to) = match &order.content {
            Content::Empty { account } => (self.empty(&player, &birth, account.as_ref()).await?, None),
            Content::Restored(restore) => {
                let restore = self.restore_of(restore).await?;
                player.engine.restore(&self.ground, &birth, &restore).await?
            }
            Content::Replica { .. } => {
                return Err(CloudError::Failed("replicas of real servers are not made here".into()));
            }
        };
        let made = Made {
            endpoint: format!("{machine}:{PORT}"),
            recovered_to: recovered_to.map(|time| self.time.of_service(time)),
        };
        let lodger = Lodger {
            server: server.clone(),
            made: made.clone(),
            configuration: order.configuration.clone(),
            expires: order.life_s.map(|life_s| later_s(self.time.now(), life_s)),
            away: false,
        };
        if self.rack.install(lodger) {
            return Ok(made);
        }
        // It was released while it was made.
        remove(&server).await?;
        Err(CloudError::NoSuchInstance(order.instance.clone()))
    }

    async fn empty(
        &self,
        player: &Player,
        birth: &Birth,
        account: Option<&FirstAccount>,
    ) -> Result<Server, CloudError> {
        if let Some(account) = account {
            self.ground.passwords.note(&account.name, &account.password);
        }
        player.engine.begin(&self.ground, birth, account).await
    }

    /// A restore in server time, of backups that are whole.
    async fn restore_of(&self, order: &RestoreOrder) -> Result<Restore, CloudError> {
        let mut logs = Vec::new();
        for log in &order.logs {
            logs.push(self.whole(&order.of, log).await?);
        }
        let data = self.whole(&order.of, &order.data).await?;
        Ok(Restore { data, logs, until: order.until.map(|until| self.time.of_servers(until)) })
    }

    /// A backup whose bytes are those that were written.
    async fn whole(&self, instance: &InstanceId, backup: &BackupId) -> Result<Kept, CloudError> {
        let unreadable = |why: String| CloudError::BackupUnreadable { backup: backup.clone(), why };
        let kept = self.rack.kept(instance, backup).ok_or_else(|| unreadable("nothing is known of it".into()))?;
        let found = self.ground.vault.get(&kept.place).await.map_err(|error| unreadable(error.to_string()))?;
        let mut bytes = found.into_stream();
        let mut hash = Sha256::new();
        while let Some(part) = bytes.try_next().await.map_err(|error| unreadable(error.to_string()))? {
            hash.update(&part);
        }
        let found: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        match &kept.held.sha256 {
            Some(written) if *written != found => Err(unreadable("its bytes are not those that were written".into())),
            _ => Ok(kept),
        }
    }

    /// What a backup holds, in the service's time.
    fn told(&self, held: Held) -> Held {
        let (from_time, to_time) = (self.time.of_service(held.from_time), self.time.of_service(held.to_time));
        Held { from_time, to_time, ..held }
    }
}

/// A password that nobody outside knows.
fn root() -> Secret {
    let mut random = rand::rng();
    Secret::new(format!("{:016x}{:016x}", random.next_u64(), random.next_u64()))
}

/// Removes a server's containers.
pub(crate) async fn remove(server: &Server) -> Result<(), CloudError> {
    server.container.remove().await?;
    if let Some(replica) = &server.replica {
        replica.remove().await?;
    }
    Ok(())
}

/// Lets an order to a machine be carried out to its end, whoever waits for it.
async fn carried_out<T: Send + 'static>(
    work: impl Future<Output = Result<T, CloudError>> + Send + 'static,
) -> Result<T, CloudError> {
    tokio::spawn(work).await.map_err(|error| CloudError::Failed(format!("an order broke off: {error}")))?
}

#[async_trait]
impl Cloud for ContainerCloud {
    async fn create(&self, order: &InstanceOrder) -> Result<Made, CloudError> {
        let _busy = self.site.time.busy();
        let machine = self.site.rack.reserve(&order.instance).ok_or(CloudError::NoCapacity)?;
        self.reach(&machine).await?;
        let (site, order, busy) = (self.site.clone(), order.clone(), self.site.time.busy());
        carried_out(async move {
            let _busy = busy;
            site.make(&machine, &order).await
        })
        .await
    }

    async fn destroy(&self, instance: &InstanceId) -> Result<(), CloudError> {
        let _busy = self.site.time.busy();
        let Some(machine) = self.site.rack.machine_of(instance) else { return Ok(()) };
        self.reach(&machine).await?;
        match self.site.rack.free(instance) {
            Some(lodger) => carried_out(async move { remove(&lodger.server).await }).await,
            None => Ok(()),
        }
    }

    async fn configure(&self, instance: &InstanceId, configuration: &Configuration) -> Result<(), CloudError> {
        let _busy = self.site.time.busy();
        let (server, player) = self.server(instance).await?;
        player.engine.configure(&server, configuration).await?;
        self.site.rack.change(instance, |lodger| lodger.configuration = configuration.clone());
        Ok(())
    }

    async fn overwrite(&self, instance: &InstanceId, backup: &BackupId, recovery: u64) -> Result<(), CloudError> {
        let _busy = self.site.time.busy();
        let (server, player) = self.server(instance).await?;
        let (site, instance, backup) = (self.site.clone(), instance.clone(), backup.clone());
        carried_out(async move {
            let turn = site.rack.turn(&instance);
            let _turn = turn.lock().await;
            if !site.rack.begin_recovery(&instance, recovery) {
                return Ok(());
            }
            let kept = site.whole(&instance, &backup).await?;
            player.engine.overwrite(&site.ground, &server, &kept).await?;
            site.rack.end_recovery(&instance, recovery);
            Ok(())
        })
        .await
    }

    async fn account(&self, instance: &InstanceId, order: &AccountOrder) -> Result<(), CloudError> {
        let _busy = self.site.time.busy();
        match order {
            AccountOrder::Create(account) => self.site.ground.passwords.note(&account.name, &account.password),
            AccountOrder::Password { name, password } => self.site.ground.passwords.note(name, password),
            AccountOrder::Grants { .. } | AccountOrder::Drop { .. } => {}
        }
        let (server, player) = self.server(instance).await?;
        player.engine.account(&server, order).await
    }

    async fn accounts(&self, instance: &InstanceId) -> Result<Vec<AccountView>, CloudError> {
        let _busy = self.site.time.busy();
        let (server, player) = self.server(instance).await?;
        player.engine.accounts(&server).await
    }

    async fn back_up(
        &self,
        instance: &InstanceId,
        backup: &BackupId,
        kind: BackupKind,
        after_position: u64,
    ) -> Result<Held, CloudError> {
        let _busy = self.site.time.busy();
        let (server, player) = self.server(instance).await?;
        let (site, instance, backup) = (self.site.clone(), instance.clone(), backup.clone());
        carried_out(async move {
            let turn = site.rack.turn(&instance);
            let _turn = turn.lock().await;
            if let Some(kept) = site.rack.kept(&instance, &backup) {
                return Ok(site.told(kept.held));
            }
            let place = backup_place(&instance, &backup);
            let held = player.engine.back_up(&site.ground, &server, &place, kind, after_position).await?;
            site.rack.keep(&instance, &backup, kind, held.clone());
            Ok(site.told(held))
        })
        .await
    }

    async fn discard_backup(&self, instance: &InstanceId, backup: &BackupId) -> Result<(), CloudError> {
        let vault: &Vault = &self.site.ground.vault;
        match vault.delete(&backup_place(instance, backup)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(CloudError::Failed(format!("backup {backup} cannot be deleted: {error}"))),
        }
    }
}
