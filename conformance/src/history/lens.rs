//! Questions about a history, narrowed to what one rule speaks of.

pub mod logical;
pub mod redis;
mod sorted;

use super::{Call, Event, History, LedgerEntry, Login, Shot, Statement, What};
use crate::catalogue::{Scope, Source};
use jiff::{SignedDuration, Timestamp};
use recovery::model::backup::Node;
use recovery::model::instance::{InstanceState, Origin};
use recovery::model::task::TaskStatus;
use recovery::model::views::{InstanceView, TaskView};
use recovery::model::{BackupId, Engine, InstanceId, TaskId};
use recovery::ports::database::DatabaseError;
use sorted::{Sorted, each};
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// A history and the scope of one rule.
pub struct Lens<'a> {
    /// The history.
    pub history: &'a History,
    /// What counts for the rule.
    pub scope: &'a Scope,
    index: Rc<Index<'a>>,
}

/// What was seen, sorted once for all rules.
#[derive(Default)]
struct Index<'a> {
    stories: OnceCell<BTreeMap<InstanceId, InstanceStory<'a>>>,
    tasks: OnceCell<BTreeMap<TaskId, TaskStory<'a>>>,
    logical: OnceCell<logical::Logical<'a>>,
    backups: OnceCell<BTreeMap<&'a BackupId, redis::BackupStory<'a>>>,
    restless: OnceCell<BTreeSet<&'a InstanceId>>,
    sorted: OnceCell<Sorted<'a>>,
    skewed: OnceCell<bool>,
}

/// Something seen: index of the event, its time, and the thing.
#[derive(Debug)]
pub struct Seen<'a, T> {
    /// Index of the event in the history; orders what happened in the same millisecond.
    pub index: usize,
    /// Time of the event.
    pub at: Timestamp,
    /// The thing.
    pub it: &'a T,
}

impl<T> Clone for Seen<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Seen<'_, T> {}

/// Everything seen of one instance.
pub struct InstanceStory<'a> {
    /// Id.
    pub id: &'a InstanceId,
    /// The first sight of it.
    pub first: &'a InstanceView,
    /// All sights, in order.
    pub views: Vec<Seen<'a, InstanceView>>,
    /// When the interface said it knows it no more.
    pub gone: Vec<(usize, Timestamp)>,
}

/// Everything seen of one migration task.
pub struct TaskStory<'a> {
    /// Id.
    pub id: &'a TaskId,
    /// The first sight of it.
    pub first: &'a TaskView,
    /// All sights, in order.
    pub views: Vec<Seen<'a, TaskView>>,
    /// When the interface said it knows it no more.
    pub gone: Vec<(usize, Timestamp)>,
}

impl<'a> InstanceStory<'a> {
    /// The first sight of it running.
    #[must_use]
    pub fn running(&self) -> Option<Seen<'a, InstanceView>> {
        self.views.iter().find(|seen| seen.it.state == InstanceState::Running).copied()
    }

    /// The master of a temporary instance or clone.
    #[must_use]
    pub fn master(&self) -> Option<&'a InstanceId> {
        match &self.first.origin {
            Origin::Primary => None,
            Origin::ReadOnly { master } | Origin::DisasterRecovery { master } | Origin::Temporary { master, .. } => {
                Some(master)
            }
            Origin::Clone { source, .. } => Some(source),
        }
    }

    /// The last sight of it at or before an event.
    #[must_use]
    pub fn view_at(&self, index: usize) -> Option<Seen<'a, InstanceView>> {
        self.views.iter().rev().find(|seen| seen.index <= index).copied()
    }
}

impl<'a> TaskStory<'a> {
    /// The first sight of it in a status.
    #[must_use]
    pub fn first_in(&self, status: TaskStatus) -> Option<Seen<'a, TaskView>> {
        self.views.iter().find(|seen| seen.it.status == status).copied()
    }

    /// The last sight of it.
    #[must_use]
    pub fn last(&self) -> &'a TaskView {
        self.views.last().map_or(self.first, |seen| seen.it)
    }

    /// The last sight of it at or before an event.
    #[must_use]
    pub fn view_at(&self, index: usize) -> Option<Seen<'a, TaskView>> {
        self.views.iter().rev().find(|seen| seen.index <= index).copied()
    }

    /// Every change of status: the sight before (none at first) and the first sight of the new status.
    #[must_use]
    pub fn transitions(&self) -> Vec<(Option<Seen<'a, TaskView>>, Seen<'a, TaskView>)> {
        let mut found: Vec<(Option<Seen<'a, TaskView>>, Seen<'a, TaskView>)> = Vec::new();
        for (position, seen) in self.views.iter().enumerate() {
            let before = position.checked_sub(1).map(|earlier| self.views[earlier]);
            if before.is_none_or(|before| before.it.status != seen.it.status) {
                found.push((before, *seen));
            }
        }
        found
    }

    /// When it was first seen migrating or past that; `None` if it never moved anything.
    #[must_use]
    pub fn started(&self) -> Option<Seen<'a, TaskView>> {
        self.views.iter().find(|seen| seen.it.started_at.is_some()).copied()
    }
}

impl<'a> Lens<'a> {
    /// Looks at a history within a scope.
    #[must_use]
    pub fn new(history: &'a History, scope: &'a Scope) -> Self {
        Self { history, scope, index: Rc::default() }
    }

    /// The same history within another scope.
    #[must_use]
    pub fn rescoped(&self, scope: &'a Scope) -> Self {
        Self { history: self.history, scope, index: Rc::clone(&self.index) }
    }

    fn events(&self) -> impl DoubleEndedIterator<Item = (usize, &'a Event)> + use<'a> {
        self.history.events.iter().enumerate()
    }

    fn sorted(&self) -> &Sorted<'a> {
        self.index.sorted.get_or_init(|| Sorted::of(self.history))
    }

    /// Whether a clock was wrong at some time, found out once for all rules.
    pub fn skewed_unless_known(&self, find: impl FnOnce() -> bool) -> bool {
        *self.index.skewed.get_or_init(find)
    }

    fn all_instances(&self) -> &BTreeMap<InstanceId, InstanceStory<'a>> {
        self.index.stories.get_or_init(|| {
            let mut stories: BTreeMap<InstanceId, InstanceStory<'a>> = BTreeMap::new();
            for (index, event) in self.events() {
                match &event.what {
                    What::InstanceSeen(view) => stories
                        .entry(view.id.clone())
                        .or_insert_with(|| InstanceStory { id: &view.id, first: view, views: vec![], gone: vec![] })
                        .views
                        .push(Seen { index, at: event.at, it: view.as_ref() }),
                    What::InstanceGone { id } => {
                        if let Some(story) = stories.get_mut(id) {
                            story.gone.push((index, event.at));
                        }
                    }
                    _ => {}
                }
            }
            stories
        })
    }

    fn all_tasks(&self) -> &BTreeMap<TaskId, TaskStory<'a>> {
        self.index.tasks.get_or_init(|| {
            let mut stories: BTreeMap<TaskId, TaskStory<'a>> = BTreeMap::new();
            for (index, event) in self.events() {
                match &event.what {
                    What::TaskSeen(view) => stories
                        .entry(view.id.clone())
                        .or_insert_with(|| TaskStory { id: &view.id, first: view, views: vec![], gone: vec![] })
                        .views
                        .push(Seen { index, at: event.at, it: view.as_ref() }),
                    What::TaskGone { id } => {
                        if let Some(story) = stories.get_mut(id) {
                            story.gone.push((index, event.at));
                        }
                    }
                    _ => {}
                }
            }
            stories
        })
    }

    /// The scenario's name of an instance.
    #[must_use]
    pub fn name(&self, id: &InstanceId) -> String {
        self.history.name_of(id).to_owned()
    }

    /// One instance, whatever the scope.
    #[must_use]
    pub fn instance(&self, id: &InstanceId) -> Option<&InstanceStory<'a>> {
        self.all_instances().get(id)
    }

    /// All instances, whatever the scope.
    pub fn instances(&self) -> impl Iterator<Item = &InstanceStory<'a>> {
        self.all_instances().values()
    }

    /// Whether an instance's engine and product are in scope.
    #[must_use]
    pub fn in_scope(&self, view: &InstanceView) -> bool {
        self.scope.admits(&view.product)
    }

    /// Temporary instances in scope.
    pub fn temporaries(&self) -> impl Iterator<Item = &InstanceStory<'a>> {
        self.instances()
            .filter(|story| matches!(story.first.origin, Origin::Temporary { .. }) && self.in_scope(story.first))
    }

    /// Clones in scope, of the engines document 002 speaks of; those of Redis have rules of their own
    /// ([`Self::redis_clones`]).
    pub fn clones(&self) -> impl Iterator<Item = &InstanceStory<'a>> {
        self.instances().filter(|story| {
            matches!(story.first.origin, Origin::Clone { .. })
                && story.first.product.engine != Engine::Redis
                && self.in_scope(story.first)
        })
    }

    /// Where a task's data comes from; `None` for an ordinary instance.
    #[must_use]
    pub fn source_of(&self, task: &TaskView) -> Option<Source> {
        match self.instance(&task.source.instance_id)?.first.origin {
            Origin::Temporary { .. } => Some(Source::Temporary),
            Origin::Clone { .. } => Some(Source::Clone),
            _ => None,
        }
    }

    /// Whether a migration from `source` would be in scope.
    #[must_use]
    pub fn source_in_scope(&self, source: &InstanceId) -> bool {
        let Some(story) = self.instance(source) else { return *self.scope == Scope::default() };
        let kind = match story.first.origin {
            Origin::Temporary { .. } => Some(Source::Temporary),
            Origin::Clone { .. } => Some(Source::Clone),
            _ => None,
        };
        self.in_scope(story.first) && self.scope.source.is_none_or(|wanted| Some(wanted) == kind)
    }

    /// Migration tasks in scope: by engine, and by whether the source is a temporary instance or a clone.
    pub fn tasks(&self) -> impl Iterator<Item = &TaskStory<'a>> {
        self.all_tasks().values().filter(|story| self.source_in_scope(&story.first.source.instance_id))
    }

    /// One task, whatever the scope.
    #[must_use]
    pub fn task(&self, id: &str) -> Option<&TaskStory<'a>> {
        self.all_tasks().get(&TaskId::from(id))
    }

    /// All calls, in order.
    pub fn calls(&self) -> impl DoubleEndedIterator<Item = Seen<'a, Call>> + use<'a> {
        each(Some(Rc::clone(&self.sorted().calls)))
    }

    /// Calls that match a pattern like `POST /v1/instances/{}/clones`, with what stands in the places of `{}`.
    pub fn calls_to(
        &self,
        pattern: &'static str,
    ) -> impl DoubleEndedIterator<Item = (Seen<'a, Call>, Vec<&'a str>)> + use<'a> {
        each(Some(self.sorted().matched(pattern)))
    }

    /// Calls about one task (`/v1/migration-tasks/{id}/…`), in order, with the part of the path after the id (`""`, `confirm` …).
    pub fn calls_of_task(&self, id: &TaskId) -> impl Iterator<Item = (Seen<'a, Call>, &'a str)> + use<'a> {
        each(self.sorted().of_task(id))
    }

    /// Statements on an instance, in order.
    pub fn statements(&self, instance: &InstanceId) -> impl Iterator<Item = Seen<'a, Statement>> + use<'a> {
        each(self.sorted().statements(instance))
    }

    /// Logins, in order.
    pub fn logins(&self) -> impl Iterator<Item = Seen<'a, Login>> + use<'a> {
        each(Some(Rc::clone(&self.sorted().logins)))
    }

    /// Rows the application wrote to an instance, in order.
    pub fn ledger(&self, instance: &InstanceId) -> impl Iterator<Item = Seen<'a, LedgerEntry>> + use<'a> {
        each(self.sorted().ledger(instance))
    }

    /// Photographs of an instance, in order; where its nodes are told apart, of its master node.
    pub fn shots(&self, instance: &InstanceId) -> impl DoubleEndedIterator<Item = Seen<'a, Shot>> + use<'a> {
        self.all_shots(instance).filter(|seen| seen.it.node != Some(Node::Replica))
    }

    /// Photographs of an instance or one of its nodes, in order.
    fn all_shots(&self, instance: &InstanceId) -> impl DoubleEndedIterator<Item = Seen<'a, Shot>> + use<'a> {
        each(self.sorted().shots(instance))
    }

    /// The last photograph of an instance before an event.
    #[must_use]
    pub fn shot_before(&self, instance: &InstanceId, index: usize) -> Option<Seen<'a, Shot>> {
        self.shots(instance).rev().find(|seen| seen.index < index)
    }

    /// The first photograph of an instance after an event.
    #[must_use]
    pub fn shot_after(&self, instance: &InstanceId, index: usize) -> Option<Seen<'a, Shot>> {
        self.shots(instance).find(|seen| seen.index > index)
    }

    /// The photograph of an instance at a mark.
    #[must_use]
    pub fn shot_at_mark(&self, instance: &InstanceId, mark: &str) -> Option<Seen<'a, Shot>> {
        self.shots(instance).find(|seen| seen.it.mark.as_deref() == Some(mark))
    }

    /// Marks, in order, with each server's second.
    pub fn marks(&self) -> impl Iterator<Item = (usize, &'a str, &'a BTreeMap<InstanceId, Timestamp>)> + use<'a> {
        each(Some(Rc::clone(&self.sorted().marks))).filter_map(|seen| match seen.it {
            What::Mark { name, times } => Some((seen.index, name.as_str(), times)),
            _ => None,
        })
    }

    /// The photograph at the mark whose second a point in time is on the instance's own clock, and until when that second
    /// lasted: right after it the next step of the run begins. `None` when no mark says so.
    #[must_use]
    pub fn shot_at_second(
        &self,
        instance: &InstanceId,
        point_in_time: Timestamp,
    ) -> Option<(Seen<'a, Shot>, Timestamp)> {
        let mark = self.marks().find(|(_, _, times)| times.get(instance) == Some(&point_in_time))?;
        let shot = self.shot_at_mark(instance, mark.1)?;
        let later = &self.history.events[shot.index..];
        let next = later.iter().find(|event| matches!(event.what, What::StepBegan { .. } | What::Healed));
        Some((shot, next.map_or(shot.at, |event| event.at - SignedDuration::from_millis(1))))
    }

    /// Whether anything other than a migration changed an instance between two events: statements that write or may have,
    /// rows of the application, accepted account or configuration calls, calls that got no answer, restores and
    /// recoveries into it, and what it does by itself.
    #[must_use]
    pub fn touched_between(&self, instance: &InstanceId, from: usize, to: usize) -> bool {
        let moved = self.changes_by_itself(instance)
            || self.restored_into_between(instance, None, from, to)
            || self.recovered_between(instance, from, to);
        moved
            || self.history.events.get(from..to.min(self.history.events.len())).unwrap_or(&[]).iter().any(|event| {
                match &event.what {
                    What::Statement(it) => {
                        it.instance == *instance
                            && !it.only_reads()
                            && (it.outcome.is_ok() || matches!(it.outcome, Err(DatabaseError::Unreachable(_))))
                    }
                    What::Ledger(it) => it.instance == *instance,
                    What::Call(call) => {
                        call.method != "GET"
                            && !call.refused()
                            && call.part(1) == Some("instances")
                            && call.part(2) == Some(instance.as_str())
                            && matches!(call.part(3), Some("accounts" | "configuration"))
                    }
                    _ => false,
                }
            })
    }

    /// The master whose content an instance has at all times, as its read-only or disaster recovery instance.
    #[must_use]
    pub fn followed(&self, instance: &InstanceId) -> Option<&'a InstanceId> {
        match &self.instance(instance)?.first.origin {
            Origin::ReadOnly { master } | Origin::DisasterRecovery { master } => Some(master),
            Origin::Primary | Origin::Temporary { .. } | Origin::Clone { .. } => None,
        }
    }

    /// Where what is written changes an instance's content: itself, and the master it follows.
    pub fn written_at<'i>(&self, instance: &'i InstanceId) -> impl Iterator<Item = &'i InstanceId> + use<'i, 'a>
    where
        'a: 'i,
    {
        std::iter::once(instance).chain(self.followed(instance))
    }

    /// Whether the system may have moved data into an instance, or the master it follows, at some time between two
    /// events: by a migration, whatever the scope, a restore, or a recovery.
    #[must_use]
    pub fn moved_into_between(&self, instance: &InstanceId, from: usize, to: usize) -> bool {
        let moved = |into: &InstanceId| {
            self.migrated_into_between(into, from, to)
                || self.restored_into_between(into, None, from, to)
                || self.recovered_between(into, from, to)
        };
        moved(instance) || self.followed(instance).is_some_and(moved)
    }

    /// Tasks, whatever the scope, that were moving data into an instance at some time between two events.
    #[must_use]
    pub fn migrated_into_between(&self, instance: &InstanceId, from: usize, to: usize) -> bool {
        self.all_tasks().values().any(|task| {
            task.first.target.instance_id == *instance
                && task.views.iter().any(|seen| {
                    matches!(seen.it.status, TaskStatus::Migrating | TaskStatus::Prechecking) && seen.index < to
                })
                && task.views.last().is_some_and(|last| last.index > from)
        })
    }
}
