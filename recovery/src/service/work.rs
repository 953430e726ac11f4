//! Duties that need a server: made, taken down, backed up and configured through the cloud, tried again until done.

use super::answer::{internal, no_instance};
use super::keeper::Keeper;
use crate::model::backup::{Backup, BackupKind, BackupStatus};
use crate::model::decide::duties::{Agenda, Duty};
use crate::model::decide::logical::sets;
use crate::model::decide::{backups, instances, recoveries};
use crate::model::instance::{Instance, Origin, Restored};
use crate::model::policy::Policy;
use crate::model::refusal::Refusal;
use crate::model::state::State;
use crate::model::{BackupId, InstanceId, SetId};
use crate::ports::clock::later_s;
use crate::ports::cloud::{CloudError, Content, InstanceOrder, RestoreOrder};
use crate::ports::{Cloud, Ports, Vault};
use futures_util::{StreamExt, TryStreamExt};
use object_store::path::Path;
use std::pin::pin;
use std::sync::Arc;

/// Seconds before the second attempt; doubles with each.
const PAUSE_FIRST_S: i64 = 1;
/// Seconds between two attempts at most.
const PAUSE_MAX_S: i64 = 60;
/// Seconds after its beginning when a backup of an unreachable instance is given up.
const BACKUP_GIVEN_UP_S: i64 = 3_600;

/// Something to be done with a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Work {
    /// Make an instance.
    Make(InstanceId),
    /// Take an instance down.
    TakeDown(InstanceId),
    /// Recover a backup set into its instance.
    Recover(InstanceId),
    /// Take a backup.
    RunBackup(BackupId),
    /// Delete a backup from the vault.
    DropBackup(BackupId),
    /// Delete a set of a logical backup task from the vault.
    DropSet(SetId),
    /// Bring a server its newest settings.
    Push(InstanceId),
}

impl Work {
    /// The work a duty means, or the duty back when it needs no server.
    pub(super) fn new(duty: Duty) -> Result<Self, Duty> {
        Ok(match duty {
            Duty::Make(instance) => Self::Make(instance),
            Duty::TakeDown(instance) => Self::TakeDown(instance),
            Duty::Recover(instance) => Self::Recover(instance),
            Duty::RunBackup(backup) => Self::RunBackup(backup),
            Duty::DropBackup(backup) => Self::DropBackup(backup),
            Duty::DropSet(set) => Self::DropSet(set),
            other => return Err(other),
        })
    }

    /// What it is about; at most one work is under way on each subject.
    pub(super) fn subject(&self) -> String {
        match self {
            Self::Make(instance) | Self::TakeDown(instance) | Self::Recover(instance) => format!("instance/{instance}"),
            Self::RunBackup(backup) | Self::DropBackup(backup) => format!("backup/{backup}"),
            Self::DropSet(set) => format!("set/{set}"),
            Self::Push(instance) => format!("settings/{instance}"),
        }
    }
}

/// What an attempt came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attempt {
    Over,
    Again,
}

/// Does the work.
pub(super) struct Hands {
    keeper: Arc<Keeper>,
    cloud: Arc<dyn Cloud>,
    vault: Vault,
}

impl Hands {
    pub(super) fn new(keeper: Arc<Keeper>, ports: &Ports) -> Self {
        Self { keeper, cloud: Arc::clone(&ports.cloud), vault: Arc::clone(&ports.vault) }
    }

    /// Does a work, however often it takes, as long as the state asks for it.
    pub(super) async fn perform(&self, work: &Work) {
        let mut pause_s = PAUSE_FIRST_S;
        loop {
            match self.attempt(work).await {
                Ok(Attempt::Over) => return,
                Ok(Attempt::Again) => {}
                Err(refusal) => tracing::debug!(?work, %refusal, "what was done could not be noted"),
            }
            if !self.pause(work, pause_s).await {
                return;
            }
            pause_s = (pause_s * 2).min(PAUSE_MAX_S);
        }
    }

    /// Waits before the next attempt; false as soon as there is no need for one.
    async fn pause(&self, work: &Work, pause_s: i64) -> bool {
        let clock = self.keeper.clock();
        let until = later_s(clock.now(), pause_s);
        loop {
            let mut changed = pin!(self.keeper.changed());
            changed.as_mut().enable();
            if !self.is_wanted(work) {
                return false;
            }
            tokio::select! {
                biased;
                () = &mut changed => {}
                () = clock.sleep_until(until) => return true,
            }
        }
    }

    fn is_wanted(&self, work: &Work) -> bool {
        if let Work::Push(instance) = work {
            return self.keeper.unpushed().contains(instance);
        }
        self.keeper
            .read(|view| {
                let agenda = Agenda::of(view.state, self.keeper.policy(), view.now);
                Ok(agenda.due.into_iter().any(|duty| Work::new(duty).as_ref() == Ok(work)))
            })
            .unwrap_or(false)
    }

    async fn attempt(&self, work: &Work) -> Result<Attempt, Refusal> {
        match work {
            Work::Make(instance) => self.make(instance).await,
            Work::TakeDown(instance) => self.take_down(instance).await,
            Work::Recover(instance) => self.recover(instance).await,
            Work::RunBackup(backup) => self.run_backup(backup).await,
            Work::DropBackup(backup) => self.drop_backup(backup).await,
            Work::DropSet(set) => self.drop_set(set).await,
            Work::Push(instance) => self.push(instance).await,
        }
    }

    async fn make(&self, id: &InstanceId) -> Result<Attempt, Refusal> {
        let order = match self.keeper.read(|view| order(view.state, self.keeper.policy(), id)) {
            Ok(order) => order,
            Err(refusal) => return self.give_up_making(id, &refusal.detail).await,
        };
        match self.cloud.create(&order).await {
            Ok(made) => {
                self.keeper.decide(|ctx| instances::made(ctx, id, &made))?;
                if !self.keeper.pushed(id, Some(&order.configuration))? {
                    self.keeper.push(std::slice::from_ref(id))?;
                }
                Ok(Attempt::Over)
            }
            Err(CloudError::Unreachable(why)) => Ok(self.again("make", id.as_str(), &why)),
            Err(error) => self.give_up_making(id, &error.to_string()).await,
        }
    }

    /// What was begun is taken down first, so that a failed instance occupies no machine.
    async fn give_up_making(&self, id: &InstanceId, why: &str) -> Result<Attempt, Refusal> {
        if let Err(CloudError::Unreachable(lost)) = self.cloud.destroy(id).await {
            return Ok(self.again("take down what was begun of", id.as_str(), &lost));
        }
        self.keeper.decide(|ctx| instances::making_failed(ctx, id, why))?;
        Ok(Attempt::Over)
    }

    async fn take_down(&self, id: &InstanceId) -> Result<Attempt, Refusal> {
        match self.cloud.destroy(id).await {
            Ok(()) | Err(CloudError::NoSuchInstance(_)) => self.keeper.decide(|ctx| instances::taken_down(ctx, id))?,
            Err(error) => return Ok(self.again("take down", id.as_str(), &error.to_string())),
        }
        Ok(Attempt::Over)
    }

    /// The order bears the number of the recovery: given again after a crash, it changes nothing that was done before.
    async fn recover(&self, id: &InstanceId) -> Result<Attempt, Refusal> {
        let under_way = self.keeper.read(|view| {
            let instance = view.state.instances.get(id);
            Ok(instance.and_then(|instance| Some((instance.recovering.clone()?, instance.recoveries))))
        })?;
        let Some((set, number)) = under_way else { return Ok(Attempt::Over) };
        match self.cloud.overwrite(id, &set, number).await {
            Ok(()) => self.keeper.decide(|ctx| recoveries::done(ctx, id, number))?,
            Err(CloudError::Unreachable(why)) => return Ok(self.again("recover", id.as_str(), &why)),
            Err(error) => self.keeper.decide(|ctx| recoveries::failed(ctx, id, number, &error.to_string()))?,
        }
        Ok(Attempt::Over)
    }

    async fn run_backup(&self, id: &BackupId) -> Result<Attempt, Refusal> {
        let (backup, after_position) = self.keeper.read(|view| {
            let backup = view.state.backups.get(id).ok_or_else(|| internal(format!("backup {id} is gone")))?;
            Ok((backup.clone(), after_position(view.state, backup)))
        })?;
        match self.cloud.back_up(&backup.instance, id, backup.kind, after_position).await {
            Ok(held) => self.keeper.decide(|ctx| backups::completed(ctx, id, held))?,
            Err(CloudError::Unreachable(why))
                if self.keeper.clock().now() < later_s(backup.began_at, BACKUP_GIVEN_UP_S) =>
            {
                return Ok(self.again("back up", id.as_str(), &why));
            }
            Err(error) => self.keeper.decide(|ctx| backups::failed(ctx, id, &error.to_string()))?,
        }
        Ok(Attempt::Over)
    }

    async fn drop_backup(&self, id: &BackupId) -> Result<Attempt, Refusal> {
        let instance = self.keeper.read(|view| {
            let backup = view.state.backups.get(id).ok_or_else(|| internal(format!("backup {id} is gone")))?;
            Ok(backup.instance.clone())
        })?;
        match self.cloud.discard_backup(&instance, id).await {
            Ok(()) | Err(CloudError::NoSuchInstance(_)) => self.keeper.decide(|ctx| backups::dropped(ctx, id))?,
            Err(error) => return Ok(self.again("drop", id.as_str(), &error.to_string())),
        }
        Ok(Attempt::Over)
    }

    /// Deletes all that lies in the vault below the set, then the set itself.
    async fn drop_set(&self, id: &SetId) -> Result<Attempt, Refusal> {
        let below = Path::from(format!("logical/{id}"));
        let lying = self.vault.list(Some(&below)).map_ok(|object| object.location).boxed();
        if let Err(error) = self.vault.delete_stream(lying).try_for_each(async |_| Ok(())).await {
            return Ok(self.again("drop", id.as_str(), &error.to_string()));
        }
        self.keeper.decide(|ctx| sets::dropped(ctx, id))?;
        Ok(Attempt::Over)
    }

    async fn push(&self, id: &InstanceId) -> Result<Attempt, Refusal> {
        let settings = self.keeper.read(|view| {
            let there = view.state.instances.get(id).filter(|instance| instance.is_there(view.now));
            Ok(there.map(|instance| instance.configuration.clone()))
        })?;
        let Some(settings) = settings else {
            self.keeper.pushed(id, None)?;
            return Ok(Attempt::Over);
        };
        match self.cloud.configure(id, &settings).await {
            Ok(()) => {}
            Err(CloudError::Unreachable(why)) => return Ok(self.again("configure", id.as_str(), &why)),
            // A server that knows better than its settings will say so again; trying the same again helps nobody.
            Err(error) => tracing::warn!(instance = %id, %error, "settings refused by the server"),
        }
        // When they changed meanwhile the instance still stands among the unpushed, and the control loop begins anew.
        self.keeper.pushed(id, Some(&settings))?;
        Ok(Attempt::Over)
    }

    fn again(&self, what: &str, subject: &str, why: &str) -> Attempt {
        tracing::debug!(what, subject, why, "tried again later");
        Attempt::Again
    }
}

/// What to tell the cloud to make an instance.
pub(super) fn order(state: &State, policy: &Policy, id: &InstanceId) -> Result<InstanceOrder, Refusal> {
    let instance = state.instances.get(id).ok_or_else(|| no_instance(id))?;
    Ok(InstanceOrder {
        instance: id.clone(),
        product: instance.product,
        configuration: instance.configuration.clone(),
        content: content(state, instance)?,
        life_s: instance.is_temporary().then_some(policy.temporary_life_s),
    })
}

fn content(state: &State, instance: &Instance) -> Result<Content, Refusal> {
    Ok(match &instance.origin {
        Origin::Primary => Content::Empty { account: instance.first_account.clone() },
        Origin::ReadOnly { master } | Origin::DisasterRecovery { master } => {
            Content::Replica { master: master.clone() }
        }
        Origin::Temporary { master, restored } | Origin::Clone { source: master, restored } => {
            Content::Restored(restore_order(state, master, restored)?)
        }
    })
}

/// The backups that make up what was asked for. They are looked up anew for each attempt: a log backup that was running
/// when the restore was asked for may be whole by now.
fn restore_order(state: &State, of: &InstanceId, restored: &Restored) -> Result<RestoreOrder, Refusal> {
    let (data, until) = match restored {
        Restored::BackupSet { backup_set_id } => (backup_set_id, None),
        Restored::PointInTime { point_in_time, backup_set_id } => (backup_set_id, Some(*point_in_time)),
    };
    let held = state
        .backups
        .get(data)
        .and_then(|backup| backup.held.as_ref())
        .ok_or_else(|| internal(format!("data backup {data} is no longer there")))?;
    let mut order = RestoreOrder { of: of.clone(), data: data.clone(), logs: Vec::new(), until };
    let Some(until) = until else { return Ok(order) };
    let mut logs: Vec<_> = successful(state, of)
        .filter(|backup| backup.kind == BackupKind::Log)
        .filter_map(|backup| backup.held.as_ref().map(|held| (held, &backup.id)))
        .collect();
    logs.sort_by_key(|(held, id)| (held.from_position, held.to_position, *id));
    let joined = backups::chain(held, &logs);
    let Some(last) = joined.iter().position(|(log, _)| log.to_time >= until) else {
        return Err(internal(format!("the log backups after {data} do not reach to {until}")));
    };
    order.logs = joined[..=last].iter().map(|(_, id)| (*id).clone()).collect();
    Ok(order)
}

/// Where a log backup begins: where the newest log backup ended, so that they join; for the first one where the oldest
/// data backup ended, so that every data backup can be rolled forward.
fn after_position(state: &State, backup: &Backup) -> u64 {
    let ends = |kind| {
        successful(state, &backup.instance)
            .filter(move |other| other.kind == kind)
            .filter_map(|other| other.held.as_ref())
            .map(|held| held.to_position)
    };
    match backup.kind {
        BackupKind::Data => 0,
        BackupKind::Log => ends(BackupKind::Log).max().or_else(|| ends(BackupKind::Data).min()).unwrap_or(0),
    }
}

fn successful<'a>(state: &'a State, of: &'a InstanceId) -> impl Iterator<Item = &'a Backup> {
    state.backups.values().filter(move |backup| backup.instance == *of && backup.status == BackupStatus::Success)
}
