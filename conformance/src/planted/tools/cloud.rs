//! A cloud that does otherwise than it was told.

use super::At;
use async_trait::async_trait;
use futures_util::future::BoxFuture;
use recovery::model::backup::{BackupKind, Held};
use recovery::model::instance::Configuration;
use recovery::model::views::AccountView;
use recovery::model::{BackupId, InstanceId};
use recovery::ports::Cloud;
use recovery::ports::cloud::{AccountOrder, CloudError, InstanceOrder, Made};
use std::sync::Arc;

/// What a call gives.
pub type Done<'a, T> = BoxFuture<'a, Result<T, CloudError>>;
/// The cloud beneath.
pub type Inner = dyn Cloud;

type Create = for<'a> fn(&'a Inner, &'a InstanceOrder, &'a At) -> Done<'a, Made>;
type Destroy = for<'a> fn(&'a Inner, &'a InstanceId, &'a At) -> Done<'a, ()>;
type Configure = for<'a> fn(&'a Inner, &'a InstanceId, &'a Configuration, &'a At) -> Done<'a, ()>;
type Overwrite = for<'a> fn(&'a Inner, &'a InstanceId, &'a BackupId, u64, &'a At) -> Done<'a, ()>;
type ChangeAccount = for<'a> fn(&'a Inner, &'a InstanceId, &'a AccountOrder, &'a At) -> Done<'a, ()>;
type ListAccounts = for<'a> fn(&'a Inner, &'a InstanceId, &'a At) -> Done<'a, Vec<AccountView>>;
type BackUp = for<'a> fn(&'a Inner, &'a InstanceId, &'a BackupId, BackupKind, u64, &'a At) -> Done<'a, Held>;
type DiscardBackup = for<'a> fn(&'a Inner, &'a InstanceId, &'a BackupId, &'a At) -> Done<'a, ()>;

/// A hook for each call of a cloud; a call without one goes through. A hook is a closure
/// `|inner, asked, at| Box::pin(async move { … inner.create(asked).await … })`.
#[derive(Debug, Clone, Copy, Default)]
pub struct CloudHooks {
    /// Round [`Cloud::create`].
    pub create: Option<Create>,
    /// Round [`Cloud::destroy`].
    pub destroy: Option<Destroy>,
    /// Round [`Cloud::configure`].
    pub configure: Option<Configure>,
    /// Round [`Cloud::overwrite`].
    pub overwrite: Option<Overwrite>,
    /// Round [`Cloud::account`].
    pub account: Option<ChangeAccount>,
    /// Round [`Cloud::accounts`].
    pub accounts: Option<ListAccounts>,
    /// Round [`Cloud::back_up`].
    pub back_up: Option<BackUp>,
    /// Round [`Cloud::discard_backup`].
    pub discard_backup: Option<DiscardBackup>,
}

/// A `Cloud` with hooks.
pub(super) struct HookedCloud {
    pub inner: Arc<dyn Cloud>,
    pub hooks: CloudHooks,
    pub at: At,
}

macro_rules! hooked {
    ($($name:ident($($asked:ident: $kind:ty),*) -> $given:ty;)+) => {
        #[async_trait]
        impl Cloud for HookedCloud {
            $(async fn $name(&self, $($asked: $kind),*) -> Result<$given, CloudError> {
                match self.hooks.$name {
                    Some(hook) => hook(&*self.inner, $($asked,)* &self.at).await,
                    None => self.inner.$name($($asked),*).await,
                }
            })+
        }
    };
}
hooked! {
    create(order: &InstanceOrder) -> Made;
    destroy(instance: &InstanceId) -> ();
    configure(instance: &InstanceId, configuration: &Configuration) -> ();
    overwrite(instance: &InstanceId, backup: &BackupId, recovery: u64) -> ();
    account(instance: &InstanceId, order: &AccountOrder) -> ();
    accounts(instance: &InstanceId) -> Vec<AccountView>;
    back_up(instance: &InstanceId, backup: &BackupId, kind: BackupKind, after_position: u64) -> Held;
    discard_backup(instance: &InstanceId, backup: &BackupId) -> ();
}
