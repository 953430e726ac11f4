//! The control loop: does what the state says is due, and survives a crash at any point because it keeps nothing else.

use super::ServiceError;
use super::keeper::Keeper;
use super::work::{Hands, Work};
use crate::model::backup::BackupMode;
use crate::model::decide::duties::{self, Agenda, Duty};
use crate::model::decide::logical;
use crate::model::decide::{Decision, backups, instances};
use crate::model::refusal::Refusal;
use crate::model::state::StateChange;
use crate::ports::Ports;
use crate::ports::clock::later_s;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use tokio::task::{Id, JoinSet};

/// Seconds after which a refused duty is looked at again, though nothing changed.
const REFUSED_PAUSE_S: i64 = 60;

/// Does what is due until the state is in doubt.
pub(super) async fn run(keeper: Arc<Keeper>, ports: &Ports) -> ServiceError {
    let hands = Arc::new(Hands::new(Arc::clone(&keeper), ports));
    let mut running = JoinSet::new();
    let mut subjects: BTreeMap<Id, String> = BTreeMap::new();
    loop {
        let mut changed = pin!(keeper.changed());
        changed.as_mut().enable();
        if let Some(error) = keeper.broken() {
            return error;
        }
        let agenda = keeper.read(|view| Ok(Agenda::of(view.state, keeper.policy(), view.now)));
        // What is overdue already stands among the duties; only a later time is worth waking up for.
        let (due, next_at) = agenda.map(|agenda| (agenda.due, agenda.next_at)).unwrap_or_default();
        let mut outcome = Outcome::default();
        for duty in due {
            match Work::new(duty) {
                Ok(work) => begin(work, &hands, &mut running, &mut subjects),
                Err(duty) => outcome.note(&duty, decide(&keeper, &duty)),
            }
        }
        for instance in keeper.unpushed() {
            begin(Work::Push(instance), &hands, &mut running, &mut subjects);
        }
        if outcome.decided {
            continue;
        }
        let wake_at = outcome.refused.then(|| later_s(keeper.clock().now(), REFUSED_PAUSE_S));
        let wake_at = next_at.into_iter().chain(wake_at).min();
        tokio::select! {
            biased;
            () = &mut changed => {}
            Some(ended) = running.join_next_with_id(), if !running.is_empty() => match ended {
                Ok((id, ())) => drop(subjects.remove(&id)),
                Err(error) => {
                    tracing::error!(%error, "a duty broke off");
                    return ServiceError::Panicked;
                }
            },
            () = until(&keeper, wake_at) => {}
        }
    }
}

/// What became of the duties that are mere decisions.
#[derive(Default)]
struct Outcome {
    decided: bool,
    refused: bool,
}

impl Outcome {
    fn note(&mut self, duty: &Duty, result: Result<bool, Refusal>) {
        match result {
            Ok(true) => self.decided = true,
            Ok(false) => self.refused = true,
            Err(refusal) => {
                tracing::debug!(?duty, %refusal, "a duty has to wait");
                self.refused = true;
            }
        }
    }
}

async fn until(keeper: &Keeper, wake_at: Option<Timestamp>) {
    match wake_at {
        Some(wake_at) => keeper.clock().sleep_until(wake_at).await,
        None => pending().await,
    }
}

fn begin(work: Work, hands: &Arc<Hands>, running: &mut JoinSet<()>, subjects: &mut BTreeMap<Id, String>) {
    let subject = work.subject();
    if subjects.values().any(|under_way| *under_way == subject) {
        return;
    }
    let hands = Arc::clone(hands);
    let task = running.spawn(async move { hands.perform(&work).await });
    subjects.insert(task.id(), subject);
}

/// Does a duty that needs no server.
fn decide(keeper: &Keeper, duty: &Duty) -> Result<bool, Refusal> {
    match duty {
        Duty::StartBackup { instance, kind } => {
            keeper.act(|ctx| backups::request(ctx, instance, *kind, BackupMode::Automated))
        }
        Duty::Expire(instance) => keeper.act(|ctx| instances::expire(ctx, instance)),
        Duty::Retry(task) => keeper.act(|ctx| duties::retry(ctx, task)),
        Duty::FailLongPause(task) => keeper.act(|ctx| duties::fail_long_pause(ctx, task)),
        Duty::StartRun(task) => keeper.act(|ctx| logical::tasks::run(ctx, task)),
        Duty::ForgetAnswer(key) => {
            keeper.act(|_| Ok(Decision { changes: vec![StateChange::DropAnswer(key.clone())], answer: () }))
        }
        Duty::Make(_) | Duty::TakeDown(_) | Duty::Recover(_) => Ok(false),
        Duty::RunBackup(_) | Duty::DropBackup(_) | Duty::DropSet(_) => Ok(false),
    }
}
