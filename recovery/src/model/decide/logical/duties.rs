//! What logical backup tasks have the service do by itself: the runs of their schedules.

use crate::model::TaskId;
use crate::model::decide::duties::slot;
use crate::model::logical::backup::{LogicalBackupTask, LogicalSet, LogicalTaskState, SetKind, SetStatus};
use crate::model::state::State;
use crate::ports::clock::later_s;
use jiff::Timestamp;

/// Seconds after which a failed run is made again.
const AGAIN_S: i64 = 3_600;

/// When each task with a schedule runs next, in the past where a run was missed.
pub(in crate::model::decide) fn runs(state: &State, now: Timestamp) -> impl Iterator<Item = (Timestamp, TaskId)> {
    let is_there = move |task: &&LogicalBackupTask| {
        let source = state.sources.get(&task.source);
        let instance = source.and_then(|source| state.instances.get(&source.instance));
        instance.is_some_and(|instance| instance.is_there(now))
    };
    let tasks = state.logical_tasks.values().filter(|task| task.state == LogicalTaskState::Normal).filter(is_there);
    tasks.filter_map(move |task| next_run(state, task, now).map(|at| (at, task.id.clone())))
}

/// The scheduled instant whose run was not made yet: past, because the service was down or another run under way, or next;
/// an hour after its end where every attempt failed.
fn next_run(state: &State, task: &LogicalBackupTask, now: Timestamp) -> Option<Timestamp> {
    let schedule = task.schedule.as_ref().filter(|_| task.running.is_none())?;
    let slot = |after| slot(&schedule.weekdays, schedule.hour, now, after);
    let next = slot(true)?;
    let Some(last) = slot(false).filter(|last| *last > task.created_at) else { return Some(next) };
    let of_slot = |set: &&LogicalSet| set.task == task.id && set.kind != SetKind::Log && set.began_at >= last;
    let taken = || state.sets.values().filter(of_slot);
    if taken().any(|set| set.status != SetStatus::Failed) {
        return Some(next);
    }
    let failed_at = taken().filter_map(|set| set.ended_at).max();
    Some(failed_at.map_or(last, |failed_at| later_s(failed_at, AGAIN_S).min(next)))
}

#[cfg(test)]
#[path = "duties_tests.rs"]
mod tests;
