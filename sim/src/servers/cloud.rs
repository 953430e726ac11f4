//! The port to the cloud: knows which machine holds which instance; every order goes over the network to it. A connection
//! on which an order was answered is kept for the next one.

use super::functions::lock;
use super::protocol::{Answer, Order, Ordered, receive, send};
use super::rack::Rack;
use super::{CONTROL_PORT, timing};
use async_trait::async_trait;
use futures_util::poll;
use jiff::SignedDuration;
use object_store::ObjectStoreExt;
use recovery::model::backup::{BackupKind, Held};
use recovery::model::instance::Configuration;
use recovery::model::views::AccountView;
use recovery::model::{BackupId, InstanceId};
use recovery::ports::cloud::{AccountOrder, CloudError, InstanceOrder, Made, backup_place};
use recovery::ports::{Clock, Cloud, Network, Stream, Vault};
use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use tokio::io::AsyncReadExt;

/// The cloud of simulated machines, as one host sees it.
#[derive(Clone)]
pub struct SimCloud {
    clock: Arc<dyn Clock>,
    network: Arc<dyn Network>,
    vault: Vault,
    rack: Rack,
    /// Connections that nobody uses, one for each machine at most.
    idle: Arc<Mutex<BTreeMap<String, Box<dyn Stream>>>>,
}

impl SimCloud {
    /// The machines of a rack, reached from a host with this clock and network.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, network: Arc<dyn Network>, vault: Vault, rack: Rack) -> Self {
        Self { clock, network, vault, rack, idle: Arc::default() }
    }

    async fn order(&self, machine: &str, order: Order, span: SignedDuration) -> Result<Answer, CloudError> {
        let unreachable = |why: String| CloudError::Unreachable(format!("{machine}: {why}"));
        let mut stream = match self.idle_connection(machine).await {
            Some(stream) => stream,
            None => self.connect(machine).await.map_err(unreachable)?,
        };
        let ordering = async {
            send(&mut stream, &order).await?;
            receive::<Ordered, _>(&mut stream).await
        };
        let answered = self.clock.timeout(span, ordering).await;
        let answered = answered.ok_or_else(|| unreachable("no answer in time".into()))?;
        let answer = answered.map_err(|error| unreachable(error.to_string()))?;
        lock(&self.idle).insert(machine.to_owned(), stream);
        answer
    }

    async fn connect(&self, machine: &str) -> Result<Box<dyn Stream>, String> {
        let address = format!("{machine}:{CONTROL_PORT}");
        let connecting = self.clock.timeout(timing::CONNECT_TIMEOUT, self.network.connect(&address)).await;
        connecting.ok_or("no connection in time")?.map_err(|error| error.to_string())
    }

    /// A connection that was kept, unless the machine has ended it since.
    async fn idle_connection(&self, machine: &str) -> Option<Box<dyn Stream>> {
        let mut stream = lock(&self.idle).remove(machine)?;
        // Nothing was asked on it, so whatever there is to read is its end.
        let is_open = poll!(pin!(stream.read_u8())).is_pending();
        is_open.then_some(stream)
    }

    fn machine_of(&self, instance: &InstanceId) -> Result<String, CloudError> {
        self.rack.machine_of(instance).ok_or_else(|| CloudError::NoSuchInstance(instance.clone()))
    }
}

fn strange() -> CloudError {
    CloudError::Failed("the machine answered something else than was ordered".into())
}

#[async_trait]
impl Cloud for SimCloud {
    async fn create(&self, order: &InstanceOrder) -> Result<Made, CloudError> {
        let machine = self.rack.reserve(&order.instance).ok_or(CloudError::NoCapacity)?;
        match self.order(&machine, Order::Create(order.clone()), timing::CREATE_TIMEOUT).await? {
            Answer::Made(made) => Ok(made),
            _ => Err(strange()),
        }
    }

    async fn destroy(&self, instance: &InstanceId) -> Result<(), CloudError> {
        match self.rack.machine_of(instance) {
            Some(machine) => {
                self.order(&machine, Order::Destroy(instance.clone()), timing::ORDER_TIMEOUT).await.map(|_| ())
            }
            None => Ok(()),
        }
    }

    async fn configure(&self, instance: &InstanceId, configuration: &Configuration) -> Result<(), CloudError> {
        let order = Order::Configure(instance.clone(), configuration.clone());
        self.order(&self.machine_of(instance)?, order, timing::ORDER_TIMEOUT).await.map(|_| ())
    }

    async fn overwrite(&self, instance: &InstanceId, backup: &BackupId, recovery: u64) -> Result<(), CloudError> {
        let order = Order::Overwrite(instance.clone(), backup.clone(), recovery);
        self.order(&self.machine_of(instance)?, order, timing::ORDER_TIMEOUT).await.map(|_| ())
    }

    async fn account(&self, instance: &InstanceId, order: &AccountOrder) -> Result<(), CloudError> {
        let order = Order::Account(instance.clone(), order.clone());
        self.order(&self.machine_of(instance)?, order, timing::ORDER_TIMEOUT).await.map(|_| ())
    }

    async fn accounts(&self, instance: &InstanceId) -> Result<Vec<AccountView>, CloudError> {
        let order = Order::Accounts(instance.clone());
        match self.order(&self.machine_of(instance)?, order, timing::ORDER_TIMEOUT).await? {
            Answer::Accounts(accounts) => Ok(accounts),
            _ => Err(strange()),
        }
    }

    async fn back_up(
        &self,
        instance: &InstanceId,
        backup: &BackupId,
        kind: BackupKind,
        after_position: u64,
    ) -> Result<Held, CloudError> {
        let (instance, backup) = (instance.clone(), backup.clone());
        let machine = self.machine_of(&instance)?;
        let order = Order::BackUp { instance, backup, kind, after_position };
        match self.order(&machine, order, timing::ORDER_TIMEOUT).await? {
            Answer::Held(held) => Ok(held),
            _ => Err(strange()),
        }
    }

    async fn discard_backup(&self, instance: &InstanceId, backup: &BackupId) -> Result<(), CloudError> {
        match self.vault.delete(&backup_place(instance, backup)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(CloudError::Failed(format!("backup {backup} cannot be deleted: {error}"))),
        }
    }
}
