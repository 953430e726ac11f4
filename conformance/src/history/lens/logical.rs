//! What was seen of data sources, logical backup tasks, their sets and restore tasks.

use super::{InstanceStory, Lens, Seen};
use crate::history::What;
use jiff::Timestamp;
use recovery::model::logical::restore::RestoreStatus;
use recovery::model::logical::views::{
    DataSourceView, LogicalBackupTaskView, LogicalRestorable, LogicalSetView, RestoreView,
};
use recovery::model::{DataSourceId, InstanceId, SetId, TaskId};
use std::collections::BTreeMap;

/// Everything seen of one thing.
pub struct Story<'a, I, V> {
    /// Id.
    pub id: &'a I,
    /// The first sight of it.
    pub first: &'a V,
    /// All sights, in order.
    pub views: Vec<Seen<'a, V>>,
}

/// Everything seen of one data source.
pub type SourceStory<'a> = Story<'a, DataSourceId, DataSourceView>;
/// Everything seen of one logical backup task.
pub type BackupTaskStory<'a> = Story<'a, TaskId, LogicalBackupTaskView>;
/// Everything seen of one set.
pub type SetStory<'a> = Story<'a, SetId, LogicalSetView>;
/// Everything seen of one restore task.
pub type RestoreStory<'a> = Story<'a, TaskId, RestoreView>;

impl<'a, I, V> Story<'a, I, V> {
    /// The last sight of it.
    #[must_use]
    pub fn last(&self) -> &'a V {
        self.views.last().map_or(self.first, |seen| seen.it)
    }

    /// The last sight of it before an event.
    #[must_use]
    pub fn view_before(&self, index: usize) -> Option<Seen<'a, V>> {
        self.views.iter().rev().find(|seen| seen.index < index).copied()
    }

    /// The first sight of it after an event.
    #[must_use]
    pub fn view_after(&self, index: usize) -> Option<Seen<'a, V>> {
        self.views.iter().find(|seen| seen.index > index).copied()
    }
}

impl<'a> RestoreStory<'a> {
    /// The first sight of it running or past that; `None` if it never restored anything.
    #[must_use]
    pub fn started(&self) -> Option<Seen<'a, RestoreView>> {
        self.views.iter().find(|seen| seen.it.started_at.is_some()).copied()
    }

    /// The first sight of it at its end.
    #[must_use]
    pub fn ended(&self) -> Option<Seen<'a, RestoreView>> {
        let over = |status| matches!(status, RestoreStatus::Completed | RestoreStatus::Failed | RestoreStatus::Stopped);
        self.views.iter().find(|seen| over(seen.it.status)).copied()
    }
}

/// What was seen of document 003, sorted once.
#[derive(Default)]
pub(super) struct Logical<'a> {
    sources: BTreeMap<&'a DataSourceId, SourceStory<'a>>,
    tasks: BTreeMap<&'a TaskId, BackupTaskStory<'a>>,
    sets: BTreeMap<&'a SetId, SetStory<'a>>,
    restores: BTreeMap<&'a TaskId, RestoreStory<'a>>,
}

fn add<'a, I: Ord, V>(
    stories: &mut BTreeMap<&'a I, Story<'a, I, V>>,
    id: &'a I,
    (index, at, it): (usize, Timestamp, &'a V),
) {
    let story = stories.entry(id).or_insert_with(|| Story { id, first: it, views: vec![] });
    story.views.push(Seen { index, at, it });
}

impl<'a> Lens<'a> {
    fn logical(&self) -> &Logical<'a> {
        self.index.logical.get_or_init(|| {
            let mut seen = Logical::default();
            for (index, event) in self.events() {
                match &event.what {
                    What::DataSourceSeen(it) => add(&mut seen.sources, &it.id, (index, event.at, it.as_ref())),
                    What::LogicalTaskSeen(it) => add(&mut seen.tasks, &it.id, (index, event.at, it.as_ref())),
                    What::LogicalSetSeen(it) => add(&mut seen.sets, &it.id, (index, event.at, it.as_ref())),
                    What::RestoreSeen(it) => add(&mut seen.restores, &it.id, (index, event.at, it.as_ref())),
                    _ => {}
                }
            }
            seen
        })
    }

    /// One data source, whatever the scope.
    #[must_use]
    pub fn data_source(&self, id: &DataSourceId) -> Option<&SourceStory<'a>> {
        self.logical().sources.get(id)
    }

    /// The server behind a data source, whatever the scope.
    #[must_use]
    pub fn server_of(&self, source: &DataSourceId) -> Option<&InstanceStory<'a>> {
        self.instance(&self.data_source(source)?.first.instance_id)
    }

    /// Whether the server behind a data source is in scope.
    #[must_use]
    pub fn data_source_in_scope(&self, source: &DataSourceId) -> bool {
        self.server_of(source)
            .map_or_else(|| *self.scope == crate::catalogue::Scope::default(), |it| self.in_scope(it.first))
    }

    /// One logical backup task, whatever the scope.
    #[must_use]
    pub fn backup_task(&self, id: &TaskId) -> Option<&BackupTaskStory<'a>> {
        self.logical().tasks.get(id)
    }

    /// Logical backup tasks of sources in scope.
    pub fn backup_tasks(&self) -> impl Iterator<Item = &BackupTaskStory<'a>> {
        self.logical().tasks.values().filter(|story| self.data_source_in_scope(&story.first.source))
    }

    /// One set, whatever the scope.
    #[must_use]
    pub fn set(&self, id: &SetId) -> Option<&SetStory<'a>> {
        self.logical().sets.get(id)
    }

    /// Sets of sources in scope.
    pub fn sets(&self) -> impl Iterator<Item = &SetStory<'a>> {
        self.logical().sets.values().filter(|story| self.data_source_in_scope(&story.first.source))
    }

    /// One restore task, whatever the scope.
    #[must_use]
    pub fn restore(&self, id: &str) -> Option<&RestoreStory<'a>> {
        self.logical().restores.get(&TaskId::from(id))
    }

    /// Restore tasks of backups of sources in scope.
    pub fn restores(&self) -> impl Iterator<Item = &RestoreStory<'a>> {
        self.logical().restores.values().filter(|story| self.data_source_in_scope(&story.first.source))
    }

    /// What answers said can be restored from a logical backup task, in order.
    pub fn logical_restorable<'b>(
        &self,
        task: &'b TaskId,
    ) -> impl DoubleEndedIterator<Item = Seen<'a, LogicalRestorable>> + use<'a, 'b> {
        self.events().filter_map(move |(index, event)| match &event.what {
            What::LogicalRestorableSeen { task: of, restorable } if of == task => {
                Some(Seen { index, at: event.at, it: restorable.as_ref() })
            }
            _ => None,
        })
    }

    /// Restore tasks, whatever the scope, that may have written into an instance at some time between two events.
    #[must_use]
    pub fn restored_into_between(&self, instance: &InstanceId, own: Option<&TaskId>, from: usize, to: usize) -> bool {
        self.logical().restores.values().filter(|story| Some(story.id) != own).any(|story| {
            let into = |view: &RestoreView| {
                self.data_source(&view.target).is_none_or(|target| target.first.instance_id == *instance)
            };
            let Some(begun) = story.started() else { return false };
            let asked = story.view_before(begun.index).map_or(0, |seen| seen.index);
            let over = story.ended().map_or(usize::MAX, |seen| seen.index);
            into(begun.it) && asked < to && over > from
        })
    }
}
