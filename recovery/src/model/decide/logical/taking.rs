//! How sets are taken: a backup task with the sets that change together with it, from the beginning of a set to its end.

use super::invalid;
use crate::model::SetId;
use crate::model::decide::Context;
use crate::model::logical::backup::{
    Instant, LogicalBackupTask, LogicalSet, LogicalTaskState, LogicalType, SetKind, SetObject, SetStatus,
};
use crate::model::refusal::Refusal;
use crate::model::state::StateChange;
use crate::ports::clock::later_s;
use jiff::Timestamp;
use std::collections::BTreeMap;

const DAY_S: i64 = 86_400;
/// Seconds before an attempt that found its source away is repeated; doubles with each.
const AGAIN_FIRST_S: i64 = 5;
/// Seconds between two attempts at most.
const AGAIN_MOST_S: i64 = 120;
/// Seconds after which a set is given up because its source is away.
const GIVEN_UP_S: i64 = 3_600;
/// Attempts after which a set is given up though its source comes back each time.
const ATTEMPTS_MOST: u32 = 50;

/// A task and the sets that change with it.
pub(in crate::model::decide) struct Desk<'a> {
    ctx: Context<'a>,
    pub(in crate::model::decide) task: LogicalBackupTask,
    sets: BTreeMap<SetId, LogicalSet>,
}

impl<'a> Desk<'a> {
    pub(in crate::model::decide) fn new(ctx: &Context<'a>, task: &LogicalBackupTask) -> Self {
        Self { ctx: *ctx, task: task.clone(), sets: BTreeMap::new() }
    }

    /// What is to be committed.
    pub(in crate::model::decide) fn changes(self) -> Vec<StateChange> {
        let sets = self.sets.into_values().map(|set| StateChange::Set(Box::new(set)));
        sets.chain([StateChange::LogicalTask(Box::new(self.task))]).collect()
    }

    /// The newest version of a set.
    fn set(&self, id: Option<&SetId>) -> Option<LogicalSet> {
        id.and_then(|id| self.sets.get(id).or_else(|| self.ctx.state.sets.get(id))).cloned()
    }

    fn put(&mut self, set: LogicalSet) {
        self.sets.insert(set.id.clone(), set);
    }

    fn new_set(&mut self, kind: SetKind, from: Option<Instant>) -> SetId {
        let id = SetId((self.ctx.new_id)("bkx-"));
        self.put(LogicalSet {
            id: id.clone(),
            task: self.task.id.clone(),
            source: self.task.source.clone(),
            product: self.task.product,
            kind,
            status: SetStatus::Running,
            began_at: self.ctx.now,
            ended_at: None,
            from,
            to: from,
            segments: 0,
            objects: Vec::new(),
            size_bytes: 0,
            failure: None,
            expires_at: None,
        });
        id
    }

    /// The set with its end and the beginning of its retention.
    fn ended(&self, set: LogicalSet, status: SetStatus) -> LogicalSet {
        let expires_at = later_s(self.ctx.now, i64::from(self.task.retention_days) * DAY_S);
        LogicalSet { status, ended_at: Some(self.ctx.now), expires_at: Some(expires_at), ..set }
    }

    /// The source was reached, so an absence that follows counts from anew.
    fn reached(&mut self) {
        self.task.away_since = None;
    }

    /// Begins a full or structure set.
    pub(in crate::model::decide) fn begin(&mut self) -> SetId {
        let kind = match self.task.backup_type {
            LogicalType::Structure => SetKind::Structure,
            LogicalType::StructureFull | LogicalType::StructureFullLog => SetKind::Full,
        };
        let id = self.new_set(kind, None);
        self.task.running = Some(id.clone());
        self.task.retries = 0;
        self.task.retry_at = None;
        self.reached();
        id
    }

    /// The rows of the running set are read as of this instant. A later attempt reads them as of another.
    pub(in crate::model::decide) fn snapshot(&mut self, at: Instant) {
        self.reached();
        if let Some(set) = self.set(self.task.running.as_ref()) {
            self.put(LogicalSet { from: Some(at), to: None, ..set });
        }
    }

    /// The running set is whole: it is the state at its end (LOG-28, C-29), and the log is followed from its snapshot.
    pub(in crate::model::decide) fn complete(
        &mut self,
        to: Instant,
        objects: &[SetObject],
        size_bytes: u64,
    ) -> Result<(), Refusal> {
        let Some(set) = self.set(self.task.running.as_ref()) else { return invalid("no set is being taken") };
        let Some(from) = set.from else { return invalid("a set is complete without saying as of when it was read") };
        if to.position < from.position {
            return invalid(format!("the set ends at {}, before its rows at {}", to.position, from.position));
        }
        let set = LogicalSet { to: Some(to), objects: objects.to_vec(), size_bytes, failure: None, ..set };
        let set = self.ended(set, SetStatus::Completed);
        self.put(set);
        self.end_run();
        if self.task.backup_type == LogicalType::StructureFullLog {
            self.follow(from);
        }
        Ok(())
    }

    /// The running set cannot be taken.
    pub(in crate::model::decide) fn fail(&mut self, why: &str) {
        if let Some(set) = self.set(self.task.running.as_ref()) {
            let set = LogicalSet { failure: Some(why.to_owned()), ..set };
            let set = self.ended(set, SetStatus::Failed);
            self.put(set);
        }
        self.end_run();
    }

    fn end_run(&mut self) {
        self.task.running = None;
        self.task.retries = 0;
        self.task.retry_at = None;
        self.reached();
        if !self.task.collecting {
            self.task.lease = None;
        }
    }

    /// Opens a log set in the place of the one before, so that no change is between them; without one before it begins
    /// where the full set was read. It is looked at at once, so that the range that can be restored begins soon (LOG-31).
    fn follow(&mut self, snapshot: Instant) {
        let from = self.close_log(None).unwrap_or(snapshot);
        self.task.log = Some(self.new_set(SetKind::Log, Some(from)));
        self.task.log_due_at = Some(self.ctx.now);
    }

    /// Closes the open log set and says how far it reaches. What it holds stays good, even where the log could not be
    /// followed any further.
    pub(in crate::model::decide) fn close_log(&mut self, failure: Option<&str>) -> Option<Instant> {
        let open = self.task.log.take();
        let log = self.set(open.as_ref())?;
        self.task.log_due_at = None;
        if self.task.collecting {
            self.task.lease = None;
            self.task.collecting = false;
        }
        let is_void = failure.is_some() && log.segments == 0;
        let status = if is_void { SetStatus::Failed } else { SetStatus::Completed };
        let end = log.to;
        let log = LogicalSet { failure: failure.map(str::to_owned), ..log };
        let log = self.ended(log, status);
        self.put(log);
        end
    }

    /// The log is collected up to here; the lease ends.
    pub(in crate::model::decide) fn collected(&mut self, to: Instant, segment_bytes: Option<u64>) {
        if let Some(log) = self.set(self.task.log.as_ref()) {
            let known = log.to.unwrap_or(to);
            // A clock that was set back does not take away what is known already.
            let to = Instant { position: to.position.max(known.position), at: to.at.max(known.at) };
            let segments = log.segments + u64::from(segment_bytes.is_some());
            let size_bytes = log.size_bytes + segment_bytes.unwrap_or(0);
            self.put(LogicalSet { to: Some(to), segments, size_bytes, ..log });
        }
        self.reached();
        self.task.retries = 0;
        self.let_go_of_log(self.ctx.policy.logical_log_interval_s);
    }

    /// The log cannot be followed any further, and the next full set begins another.
    pub(in crate::model::decide) fn end_following(&mut self, why: &str) {
        self.close_log(Some(why));
    }

    fn let_go_of_log(&mut self, again_s: i64) {
        self.task.log_due_at = Some(later_s(self.ctx.now, again_s));
        self.task.collecting = false;
        self.task.lease = None;
    }

    /// The source could not be reached. A log waits for it as long as it takes, since what was not collected may still be
    /// there when the source is back; a set is given up after an hour. A source that is gone for good never comes back.
    pub(in crate::model::decide) fn away(&mut self, why: &str) {
        let now = self.ctx.now;
        let since = *self.task.away_since.get_or_insert(now);
        let again_s = AGAIN_FIRST_S.saturating_mul(1 << self.task.retries.min(20)).min(AGAIN_MOST_S);
        self.task.retries += 1;
        match (self.is_gone(), self.task.collecting) {
            (true, true) => self.end_following(why),
            (false, true) => self.let_go_of_log(again_s),
            (is_gone, false) => {
                if is_gone || now >= later_s(since, GIVEN_UP_S) || self.task.retries >= ATTEMPTS_MOST {
                    return self.fail(why);
                }
                self.task.retry_at = Some(later_s(now, again_s));
                self.task.lease = None;
            }
        }
    }

    fn is_gone(&self) -> bool {
        let source = self.ctx.state.sources.get(&self.task.source);
        let instance = source.and_then(|source| self.ctx.state.instances.get(&source.instance));
        instance.is_none_or(|instance| !instance.is_there(self.ctx.now))
    }

    /// Stops the task: what is being taken is given up, and the log is followed no further.
    pub(in crate::model::decide) fn stop(&mut self, now: Timestamp) {
        if self.task.running.is_some() {
            self.fail("the backup task was stopped");
        }
        self.close_log(None);
        self.task.lease = None;
        self.task.state = LogicalTaskState::Stopped;
        self.task.stopped_at = Some(now);
    }
}
