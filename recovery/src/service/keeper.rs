//! The keeper of the state: every decision is taken, committed and shown here, one at a time.

use super::ServiceError;
use super::answer::{Answer, INTENDED, Known, Once, View, internal};
use super::store::Store;
use crate::model::decide::{Context, Decided, Decision};
use crate::model::instance::Configuration;
use crate::model::policy::Policy;
use crate::model::refusal::Refusal;
use crate::model::state::{State, StateChange};
use crate::model::{BackupId, DataSourceId, InstanceId, SetId, TaskId};
use crate::ports::clock::later_s;
use crate::ports::{Clock, Dice, Ports};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// Takes decisions on the state. What one decided is on the disk before anybody can see it.
pub struct Keeper {
    inner: Mutex<Inner>,
    policy: Policy,
    clock: Arc<dyn Clock>,
    dice: Arc<dyn Dice>,
    changed: Notify,
}

struct Inner {
    state: State,
    store: Store,
    /// Instances whose servers may not have their newest settings yet. In memory only: after a start every running
    /// instance stands here, since which settings arrived before is not kept.
    unpushed: BTreeSet<InstanceId>,
    /// Idempotency keys of requests that wait for a server right now.
    busy: BTreeSet<String>,
    /// Why nothing is served any more: a commit failed, so memory and disk may differ.
    broken: Option<String>,
}

impl Keeper {
    pub(super) fn new(store: Store, mut state: State, policy: Policy, ports: &Ports) -> Self {
        let now = ports.clock.now();
        state.prolong_leases(later_s(now, policy.lease_s));
        let unpushed = state
            .instances
            .values()
            .filter(|instance| instance.endpoint.is_some() && instance.is_there(now))
            .map(|instance| instance.id.clone())
            .collect();
        Self {
            inner: Mutex::new(Inner { state, store, unpushed, busy: BTreeSet::new(), broken: None }),
            policy,
            clock: Arc::clone(&ports.clock),
            dice: Arc::clone(&ports.dice),
            changed: Notify::new(),
        }
    }

    /// Documented numbers and choices.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The host's clock.
    #[must_use]
    pub fn clock(&self) -> &(dyn Clock + 'static) {
        &*self.clock
    }

    /// Resolves at the next change. To miss none: make it, `enable` it, look, then wait.
    pub fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }

    /// Why nothing is served any more, if so.
    #[must_use]
    pub fn broken(&self) -> Option<ServiceError> {
        match self.inner.lock() {
            Ok(inner) => inner.broken.clone().map(ServiceError::Store),
            Err(_) => Some(ServiceError::Panicked),
        }
    }

    /// Looks at the state.
    ///
    /// # Errors
    /// What `look` refuses, and `Internal` when the state is in doubt.
    pub fn read<T>(&self, look: impl FnOnce(View<'_>) -> Result<T, Refusal>) -> Result<T, Refusal> {
        let inner = self.inner()?;
        look(View { state: &inner.state, now: self.clock.now() })
    }

    /// Asks what a decision would find, without deciding.
    ///
    /// # Errors
    /// What `question` refuses, and `Internal` when the state is in doubt.
    pub fn consult<T>(&self, question: impl FnOnce(&Context<'_>) -> Result<T, Refusal>) -> Result<T, Refusal> {
        self.consider(&*self.inner()?, question)
    }

    /// Takes a decision.
    ///
    /// # Errors
    /// What the decision refuses, and `Internal` when it could not be committed.
    pub fn decide<T>(&self, decision: impl FnOnce(&Context<'_>) -> Decided<T>) -> Result<T, Refusal> {
        let mut inner = self.inner()?;
        let Decision { changes, answer } = self.consider(&inner, decision)?;
        self.keep(&mut inner, changes, |_| Ok(None))?;
        Ok(answer)
    }

    /// Takes a decision and says whether it changed anything.
    ///
    /// # Errors
    /// As [`Keeper::decide`].
    pub fn act<T>(&self, decision: impl FnOnce(&Context<'_>) -> Decided<T>) -> Result<bool, Refusal> {
        let mut inner = self.inner()?;
        let changes = self.consider(&inner, decision)?.changes;
        let acted = !changes.is_empty();
        self.keep(&mut inner, changes, |_| Ok(None))?;
        Ok(acted)
    }

    /// Takes a decision that may find nothing to decide.
    ///
    /// # Errors
    /// `Internal` when it could not be committed.
    pub fn decide_if<T>(
        &self,
        decision: impl FnOnce(&Context<'_>) -> Option<Decision<T>>,
    ) -> Result<Option<T>, Refusal> {
        let mut inner = self.inner()?;
        let Some(Decision { changes, answer }) = self.consider(&inner, decision) else { return Ok(None) };
        self.keep(&mut inner, changes, |_| Ok(None))?;
        Ok(Some(answer))
    }

    /// Takes a decision and answers with what the state is then.
    ///
    /// # Errors
    /// What the decision or the view refuses, and `Internal` when it could not be committed.
    pub fn change<T>(
        &self,
        decision: impl FnOnce(&Context<'_>) -> Decided<T>,
        view: impl FnOnce(View<'_>, &T) -> Result<Answer, Refusal>,
    ) -> Result<Answer, Refusal> {
        self.answer(None, decision, view)
    }

    /// Takes a decision once: its answer is committed together with its effect and given again when asked again.
    ///
    /// # Errors
    /// As [`Keeper::change`], and when the idempotency key came with another request before.
    pub fn once<T>(
        &self,
        once: &Once,
        decision: impl FnOnce(&Context<'_>) -> Decided<T>,
        view: impl FnOnce(View<'_>, &T) -> Result<Answer, Refusal>,
    ) -> Result<Answer, Refusal> {
        self.answer(Some(once), decision, view)
    }

    fn answer<T>(
        &self,
        once: Option<&Once>,
        decision: impl FnOnce(&Context<'_>) -> Decided<T>,
        view: impl FnOnce(View<'_>, &T) -> Result<Answer, Refusal>,
    ) -> Result<Answer, Refusal> {
        let mut inner = self.inner()?;
        if let Some(once) = once
            && let Known::Answered(answer) = once.known(&inner.state)?
        {
            return Ok(answer);
        }
        let now = self.clock.now();
        let Decision { changes, answer: decided } = self.consider(&inner, decision)?;
        let mut answer = None;
        self.keep(&mut inner, changes, |state| {
            let given = answer.insert(view(View { state, now }, &decided)?);
            Ok(once.map(|once| once.kept(given, now)))
        })?;
        answer.ok_or_else(|| internal("the answer was lost"))
    }

    /// What is known of a request.
    ///
    /// # Errors
    /// When the idempotency key came with another request before.
    pub fn known(&self, once: &Once) -> Result<Known, Refusal> {
        once.known(&self.inner()?.state)
    }

    /// Notes, before anything is asked of a server, that a request is going to have an effect there.
    ///
    /// # Errors
    /// `Internal` when it could not be committed.
    pub fn intend(&self, once: &Once) -> Result<(), Refusal> {
        self.finish(once, &Answer { status: INTENDED, body: String::new() })
    }

    /// Keeps the answer to a request that had its effect on a server.
    ///
    /// # Errors
    /// `Internal` when it could not be committed.
    pub fn finish(&self, once: &Once, answer: &Answer) -> Result<(), Refusal> {
        let kept = once.kept(answer, self.clock.now());
        self.keep(&mut *self.inner()?, vec![kept], |_| Ok(None))
    }

    /// Forgets a request that was begun and had no effect.
    ///
    /// # Errors
    /// `Internal` when it could not be committed.
    pub fn give_up(&self, once: &Once) -> Result<(), Refusal> {
        self.keep(&mut *self.inner()?, vec![StateChange::DropAnswer(once.key.clone())], |_| Ok(None))
    }

    /// Waits until no other request with the same key is waiting for a server, and holds the key until dropped.
    ///
    /// # Errors
    /// `Internal` when the state is in doubt.
    pub async fn alone(&self, once: &Once) -> Result<Alone<'_>, Refusal> {
        loop {
            let mut changed = std::pin::pin!(self.changed());
            changed.as_mut().enable();
            if self.inner()?.busy.insert(once.key.clone()) {
                return Ok(Alone { keeper: self, key: once.key.clone() });
            }
            changed.await;
        }
    }

    /// Notes instances whose servers need their newest settings; the control loop sees to it.
    ///
    /// # Errors
    /// `Internal` when the state is in doubt.
    pub fn push(&self, instances: &[InstanceId]) -> Result<(), Refusal> {
        self.inner()?.unpushed.extend(instances.iter().cloned());
        self.changed.notify_waiters();
        Ok(())
    }

    /// Instances whose servers may not have their newest settings yet.
    pub(super) fn unpushed(&self) -> BTreeSet<InstanceId> {
        self.inner.lock().map(|inner| inner.unpushed.clone()).unwrap_or_default()
    }

    /// Whether any of the servers may not have its newest settings yet.
    ///
    /// # Errors
    /// `Internal` when the state is in doubt.
    pub fn is_unpushed(&self, instances: &[InstanceId]) -> Result<bool, Refusal> {
        let inner = self.inner()?;
        Ok(instances.iter().any(|instance| inner.unpushed.contains(instance)))
    }

    /// Notes that a server has these settings, or that there is none any more. False when the settings are others by now.
    pub(super) fn pushed(&self, instance: &InstanceId, settings: Option<&Configuration>) -> Result<bool, Refusal> {
        let mut inner = self.inner()?;
        let newest = inner.state.instances.get(instance).map(|instance| &instance.configuration);
        let up_to_date = settings.is_none() || settings == newest;
        if up_to_date {
            inner.unpushed.remove(instance);
            self.changed.notify_waiters();
        }
        Ok(up_to_date)
    }

    fn inner(&self) -> Result<MutexGuard<'_, Inner>, Refusal> {
        // A lock is poisoned by a panic in the middle of a decision; memory may then be ahead of the disk.
        let inner =
            self.inner.lock().map_err(|_| internal("the service is stopping after a fault; ask again later"))?;
        match &inner.broken {
            Some(_) => Err(internal("the service is restarting after a fault of its disk; ask again later")),
            None => Ok(inner),
        }
    }

    fn consider<D>(&self, inner: &Inner, decision: impl FnOnce(&Context<'_>) -> D) -> D {
        let state = &inner.state;
        let new_id = |prefix: &str| {
            loop {
                let id = self.dice.id(prefix);
                if !is_taken(state, &id) {
                    return id;
                }
            }
        };
        decision(&Context { state, policy: &self.policy, now: self.clock.now(), new_id: &new_id })
    }

    /// Applies changes, lets `more` look at the result and add one, and commits them all. The lock is held throughout, so
    /// that nobody sees a change that is not on the disk; when the disk fails nobody sees the state ever again.
    fn keep(
        &self,
        inner: &mut Inner,
        mut changes: Vec<StateChange>,
        more: impl FnOnce(&State) -> Result<Option<StateChange>, Refusal>,
    ) -> Result<(), Refusal> {
        inner.state.apply(&changes);
        let committed = match more(&inner.state) {
            Ok(added) => {
                inner.state.apply(added.as_slice());
                changes.extend(added);
                if changes.iter().any(StateChange::is_kept) { inner.store.commit(&changes) } else { Ok(()) }
            }
            // The view of a change just made is refused only if the decision contradicts itself.
            Err(refusal) => Err(ServiceError::Store(format!("a decision could not be shown: {refusal}"))),
        };
        if let Err(error) = committed {
            tracing::error!(%error, "the service stops: its state is in doubt");
            inner.broken = Some(error.to_string());
            self.changed.notify_waiters();
            return Err(internal(
                "the service could not keep what it was about to answer and restarts; ask again later",
            ));
        }
        if !changes.is_empty() {
            self.changed.notify_waiters();
        }
        Ok(())
    }
}

/// Whether anything has that id; tasks and backups of several kinds share a prefix.
fn is_taken(state: &State, id: &str) -> bool {
    let task = TaskId::from(id);
    state.instances.contains_key(&InstanceId::from(id))
        || state.backups.contains_key(&BackupId::from(id))
        || state.tasks.contains_key(&task)
        || state.sources.contains_key(&DataSourceId::from(id))
        || state.logical_tasks.contains_key(&task)
        || state.sets.contains_key(&SetId::from(id))
        || state.restores.contains_key(&task)
}

/// Holds an idempotency key while its request waits for a server.
pub struct Alone<'a> {
    keeper: &'a Keeper,
    key: String,
}

impl Drop for Alone<'_> {
    fn drop(&mut self) {
        if let Ok(mut inner) = self.keeper.inner.lock() {
            inner.busy.remove(&self.key);
        }
        self.keeper.changed.notify_waiters();
    }
}
