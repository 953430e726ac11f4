//! Precheck runs of tasks: when each looked, what it was told to look at, and what it said.

use super::calls::{Side, changes, choice_at, instance, setup_at, text, there};
use super::steady::{Touch, account, ssl, steady, touched};
use crate::checks::temporary::witness::faulted_before;
use crate::history::lens::{Lens, Seen, TaskStory};
use crate::history::{Call, What};
use jiff::Timestamp;
use recovery::model::InstanceId;
use recovery::model::precheck::{PrecheckItem, PrecheckOutcome, PrecheckResult, PrecheckRun};
use recovery::model::task::TaskStatus;
use recovery::model::views::{TaskObjects, TaskView};

/// One precheck run that was seen ended.
pub struct Run<'l, 'a> {
    /// Its task.
    pub task: &'l TaskStory<'a>,
    /// True times between which it looked.
    pub span: (Timestamp, Timestamp),
    /// Index of the first sight of it.
    pub first: usize,
    /// The first sight of it ended.
    pub seen: Seen<'a, TaskView>,
    /// The run.
    pub run: &'a PrecheckRun,
}

/// What a side was set up with when a run looked.
pub struct Given<'a> {
    /// Instance.
    pub instance: InstanceId,
    /// Account.
    pub account: &'a str,
    /// Mark of the password.
    pub mark: &'a str,
    /// Whether SSL was chosen.
    pub ssl: bool,
}

/// The runs of all tasks in scope that were seen ended.
pub fn runs<'l, 'a>(lens: &'l Lens<'a>) -> impl Iterator<Item = Run<'l, 'a>> + use<'l, 'a> {
    lens.tasks().flat_map(move |task| runs_of(lens, task))
}

/// The runs of one task that were seen ended.
pub fn runs_of<'l, 'a>(lens: &'l Lens<'a>, task: &'l TaskStory<'a>) -> Vec<Run<'l, 'a>> {
    let mut found: Vec<Run<'l, 'a>> = Vec::new();
    for seen in &task.views {
        let Some(run) = seen.it.precheck.as_ref().filter(|run| run.ended_at.is_some()) else { continue };
        if found.iter().any(|known| known.run.number == run.number) {
            continue;
        }
        let of_run = |view: &TaskView| view.precheck.as_ref().is_some_and(|other| other.number == run.number);
        let Some(first) = task.views.iter().position(|seen| of_run(seen.it)) else { continue };
        let Some(from) = began(lens, task, first) else { continue };
        found.push(Run { task, span: (from, seen.at), first: task.views[first].index, seen: *seen, run });
    }
    found
}

/// A time at which a run, first seen at a position, had certainly not begun.
fn began(lens: &Lens<'_>, task: &TaskStory<'_>, position: usize) -> Option<Timestamp> {
    let behind = call_behind(lens, task.views[position].index);
    if let Some(call) = behind.filter(|call| call.it.method != "GET") {
        return Some(call.it.sent_at);
    }
    let earlier = task.views[position.checked_sub(1)?];
    Some(call_behind(lens, earlier.index).map_or(earlier.at, |call| call.it.sent_at))
}

/// The call whose answer showed a task.
pub fn call_behind<'a>(lens: &Lens<'a>, index: usize) -> Option<Seen<'a, Call>> {
    let before = lens.history.events[..index].iter().enumerate().rev();
    let (index, event) = before.into_iter().find(|(_, event)| !matches!(event.what, What::TaskSeen(_)))?;
    if let What::Call(call) = &event.what { Some(Seen { index, at: event.at, it: call }) } else { None }
}

impl<'a> Run<'_, 'a> {
    /// Whether an item found nothing, shielded or not; `None` where nobody knows.
    pub fn says(&self, item: PrecheckItem) -> Option<bool> {
        match self.run.items.iter().find(|result| result.item == item) {
            Some(result) => Some(!found(result)),
            None if self.run.items.iter().any(failed) => None,
            None => self.let_through().filter(|through| *through),
        }
    }

    /// Whether the task counts as passed after this run.
    pub fn let_through(&self) -> Option<bool> {
        match self.seen.it.status {
            TaskStatus::PrecheckFailed => Some(false),
            TaskStatus::PrecheckPassed | TaskStatus::Migrating | TaskStatus::Suspending => Some(true),
            TaskStatus::MigrationFailed | TaskStatus::Finished => self.seen.it.started_at.map(|_| true),
            TaskStatus::NotStarted | TaskStatus::Prechecking => None,
        }
    }

    /// Whether both sides let the precheck in.
    pub fn both_connected(&self) -> bool {
        Side::BOTH.into_iter().all(|side| self.says(connectivity(side)) == Some(true))
    }

    /// Whether there was any fault before the run had ended.
    pub fn faulted(&self, lens: &Lens<'_>) -> bool {
        faulted_before(lens, self.seen.index)
    }

    /// What a side was set up with.
    pub fn given(&self, lens: &Lens<'a>, side: Side) -> Option<Given<'a>> {
        let call = setup_at(lens, self.task.id, self.first)?.it;
        Some(Given {
            instance: instance(call, side)?,
            account: text(call, side, "account")?,
            mark: text(call, side, "password")?.strip_prefix('#')?,
            ssl: text(call, side, "connection") == Some("ssl"),
        })
    }

    /// What was chosen.
    pub fn choice(&self, lens: &Lens<'a>) -> Option<TaskObjects> {
        choice_at(lens, self.task.id, self.first)
    }

    /// Whether a side offered SSL all the time.
    pub fn ssl_on(&self, lens: &Lens<'a>, given: &Given<'_>) -> Option<bool> {
        steady(lens, &given.instance, Touch::Settings, self.span, ssl)
    }

    /// Whether a side's connectivity leaves nothing to be desired: account, password, SSL, whitelist and the server itself.
    pub fn must_connect(&self, lens: &Lens<'a>, given: &Given<'_>) -> bool {
        let known =
            steady(lens, &given.instance, Touch::Accounts, self.span, |photograph| account(photograph, given.account));
        let right = known.flatten().is_some_and(|(mark, _)| mark == given.mark);
        let offered = !given.ssl || self.ssl_on(lens, given) == Some(true);
        let authorised = changes(lens, self.task.id)
            .filter(|(call, step)| *step == "authorise" && call.it.accepted() && call.at <= self.span.0);
        let welcome = authorised
            .last()
            .is_some_and(|(call, _)| !touched(lens, &given.instance, Touch::Settings, call.it.sent_at, self.span.1));
        right && offered && welcome && there(lens, &given.instance, self.span.0, self.span.1) && !self.faulted(lens)
    }
}

/// Whether a result keeps the task from starting. The documents know no warnings of these items, so that a warning of one
/// is no success; advice is beyond the documents, and its warnings never block (C-28). A shield lets its item pass.
pub fn failed(result: &PrecheckResult) -> bool {
    match result.outcome {
        PrecheckOutcome::Success | PrecheckOutcome::Shielded(_) => false,
        PrecheckOutcome::Warning(_) => !result.item.is_advisory(),
        PrecheckOutcome::Failed(_) => true,
    }
}

/// Whether an item found what it looks for, shielded or not.
fn found(result: &PrecheckResult) -> bool {
    failed(result) || matches!(result.outcome, PrecheckOutcome::Shielded(_))
}

/// The connectivity item of a side.
pub fn connectivity(side: Side) -> PrecheckItem {
    match side {
        Side::Source => PrecheckItem::SourceConnectivity,
        Side::Target => PrecheckItem::TargetConnectivity,
    }
}
