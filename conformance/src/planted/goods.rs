//! What temporary instances and clones can be made wrongly by: both are restored from a master's backups.

use super::tools::At;
use recovery::model::BackupId;
use recovery::model::backup::BackupKind;
use recovery::model::instance::{FirstAccount, Grants, Rights};
use recovery::model::{InstanceId, Secret};
use recovery::ports::Cloud;
use recovery::ports::clock::later_s;
use recovery::ports::cloud::{AccountOrder, CloudError, Content, InstanceOrder, Made, RestoreOrder};
use serde::Deserialize;

/// Which of the two an order makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Goods {
    Temporary,
    Clone,
}

impl Goods {
    /// What an order restores, when it makes one of these.
    pub fn restored(self, order: &mut InstanceOrder) -> Option<&mut RestoreOrder> {
        let goods = if order.life_s.is_some() { Self::Temporary } else { Self::Clone };
        match &mut order.content {
            Content::Restored(restore) if goods == self => Some(restore),
            _ => None,
        }
    }

    /// The master of an order, when it makes one of these.
    pub fn master(self, order: &InstanceOrder) -> Option<InstanceId> {
        self.restored(&mut order.clone()).map(|restore| restore.of.clone())
    }
}

/// Makes it from something else than asked, and says that it is of the time that was asked.
pub(super) async fn restored_otherwise(
    cloud: &dyn Cloud,
    order: &InstanceOrder,
    goods: Goods,
    change: fn(&mut RestoreOrder),
) -> Result<Made, CloudError> {
    let mut order = order.clone();
    let Some(restore) = goods.restored(&mut order) else { return cloud.create(&order).await };
    let asked = restore.until;
    change(restore);
    let made = cloud.create(&order).await?;
    Ok(Made { recovered_to: asked.or(made.recovered_to), ..made })
}

/// The logs are replayed up to the chosen second and not through it.
pub(super) fn up_to_the_second(restore: &mut RestoreOrder) {
    restore.until = restore.until.map(|until| later_s(until, -1));
}

/// The logs are replayed a second further than asked, as far as they reach.
pub(super) fn a_second_further(restore: &mut RestoreOrder) {
    restore.until = restore.until.map(|until| later_s(until, 1));
}

/// The data backup is restored and no log replayed.
pub(super) fn without_logs(restore: &mut RestoreOrder) {
    restore.until = None;
    restore.logs.clear();
}

/// Makes it from a backup that is taken now.
pub(super) async fn of_now(cloud: &dyn Cloud, order: &InstanceOrder, goods: Goods) -> Result<Made, CloudError> {
    let mut order = order.clone();
    let fresh = BackupId::from(format!("{}-now", order.instance).as_str());
    let Some(restore) = goods.restored(&mut order) else { return cloud.create(&order).await };
    cloud.back_up(&restore.of, &fresh, BackupKind::Data, 0).await?;
    let asked = restore.until;
    restore.data = fresh;
    without_logs(restore);
    let made = cloud.create(&order).await?;
    Ok(Made { recovered_to: asked.or(made.recovered_to), ..made })
}

fn accounts(of: &InstanceId) -> String {
    format!("accounts of {of}")
}

/// Notes an order about an account; [`with_accounts_of_now`] gives all of them again.
pub(super) async fn noted(
    cloud: &dyn Cloud,
    instance: &InstanceId,
    order: &AccountOrder,
    at: &At,
) -> Result<(), CloudError> {
    cloud.account(instance, order).await?;
    at.memory(|memory| {
        let mut all = memory.take(&accounts(instance)).and_then(|all| all.as_array().cloned()).unwrap_or_default();
        all.extend(serde_json::to_value(order));
        memory.put(accounts(instance), all);
    });
    Ok(())
}

/// Makes it, and brings its accounts to where the master's are now.
pub(super) async fn with_accounts_of_now(
    cloud: &dyn Cloud,
    order: &InstanceOrder,
    goods: Goods,
    at: &At,
) -> Result<Made, CloudError> {
    let made = cloud.create(order).await?;
    let Some(master) = goods.master(order) else { return Ok(made) };
    let orders = at.memory(|memory| memory.get(&accounts(&master)).and_then(|all| all.as_array().cloned()));
    for order_of_master in orders.unwrap_or_default() {
        let Ok(again) = AccountOrder::deserialize(&order_of_master) else { continue };
        let done = match (cloud.account(&order.instance, &again).await, again) {
            (Err(CloudError::AccountExists(name)), AccountOrder::Create(account)) => {
                let password = AccountOrder::Password { name: name.clone(), password: account.password };
                cloud.account(&order.instance, &password).await?;
                cloud.account(&order.instance, &AccountOrder::Grants { name, grants: account.grants }).await
            }
            (Err(CloudError::NoSuchAccount(_)), _) => Ok(()),
            (done, _) => done,
        };
        done?;
    }
    Ok(made)
}

/// An account the service makes for itself.
pub(super) fn service_account() -> AccountOrder {
    AccountOrder::Create(FirstAccount {
        name: "recovery_admin".into(),
        password: Secret::new("recovery-admin-1"),
        grants: Grants::all(Rights::Owner),
    })
}

/// Makes it, and leaves another parameter on its master.
pub(super) async fn master_is_tuned(
    cloud: &dyn Cloud,
    order: &InstanceOrder,
    goods: Goods,
) -> Result<Made, CloudError> {
    let made = cloud.create(order).await?;
    if let Some(master) = goods.master(order) {
        let mut settings = order.configuration.clone();
        settings.parameters.insert("max_connections".into(), "40".into());
        cloud.configure(&master, &settings).await?;
    }
    Ok(made)
}

/// Makes it, and leaves an account of the service on its master.
pub(super) async fn master_gets_an_account(
    cloud: &dyn Cloud,
    order: &InstanceOrder,
    goods: Goods,
) -> Result<Made, CloudError> {
    if let Some(master) = goods.master(order) {
        match cloud.account(&master, &service_account()).await {
            Ok(()) | Err(CloudError::AccountExists(_)) => {}
            Err(error) => return Err(error),
        }
    }
    cloud.create(order).await
}
