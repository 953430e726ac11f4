//! What was seen of Redis instances: their backups, downloads and recoveries.

use super::{InstanceStory, Lens, Seen};
use crate::history::{Call, Shot, What};
use jiff::Timestamp;
use recovery::model::backup::{BackupStatus, Node};
use recovery::model::content::{ObjectKind, Value};
use recovery::model::instance::{InstanceState, Origin};
use recovery::model::photograph::{Photograph, Rows};
use recovery::model::views::BackupView;
use recovery::model::{BackupId, Engine, InstanceId};
use std::collections::{BTreeMap, BTreeSet};

/// Everything seen of one backup.
pub struct BackupStory<'a> {
    /// Id.
    pub id: &'a BackupId,
    /// The first sight of it.
    pub first: &'a BackupView,
    /// All sights, in order.
    pub views: Vec<Seen<'a, BackupView>>,
}

impl<'a> BackupStory<'a> {
    /// The first sight of it complete.
    #[must_use]
    pub fn complete(&self) -> Option<Seen<'a, BackupView>> {
        self.views.iter().find(|seen| seen.it.status == BackupStatus::Success).copied()
    }
}

/// A listing of backups, as it was asked for.
#[derive(Debug, Clone, Copy)]
pub struct Listing<'a> {
    /// Index of the event.
    pub index: usize,
    /// Time of the answer.
    pub at: Timestamp,
    /// Instance.
    pub of: &'a InstanceId,
    /// From when.
    pub from: Option<Timestamp>,
    /// To when.
    pub to: Option<Timestamp>,
    /// Backups on it.
    pub ids: &'a [BackupId],
}

/// A fetched backup file.
#[derive(Debug)]
pub struct Download<'a> {
    /// Backup.
    pub backup: &'a BackupId,
    /// The link's path.
    pub path: &'a str,
    /// HTTP status.
    pub status: u16,
    /// Bytes.
    pub size_bytes: u64,
    /// SHA-256 of them.
    pub sha256: &'a str,
}

/// Whether a photograph holds what changes without anybody writing: scheduled events, and keys that expire.
fn moves_by_itself(held: &Photograph) -> bool {
    let expires = |rows: &Rows| match rows {
        Rows::Whole { columns, rows, .. } => columns
            .iter()
            .position(|column| column == "expires_at")
            .is_some_and(|at| rows.iter().any(|row| row.get(at).is_some_and(|value| *value != Value::Null))),
        Rows::Digest { .. } => false,
    };
    held.databases.values().flat_map(|database| database.objects.values()).any(|object| {
        object.kind == ObjectKind::Event || (object.name == "keys" && object.rows.as_ref().is_some_and(expires))
    })
}

impl<'a> Lens<'a> {
    fn all_backups(&self) -> &BTreeMap<&'a BackupId, BackupStory<'a>> {
        self.index.backups.get_or_init(|| {
            let mut stories: BTreeMap<&'a BackupId, BackupStory<'a>> = BTreeMap::new();
            for (index, event) in self.events() {
                if let What::BackupSeen(view) = &event.what {
                    let story = stories.entry(&view.id).or_insert_with(|| BackupStory {
                        id: &view.id,
                        first: view,
                        views: vec![],
                    });
                    story.views.push(Seen { index, at: event.at, it: view.as_ref() });
                }
            }
            stories
        })
    }

    /// Instances whose content changes though nobody writes: it holds scheduled events, or keys that expire.
    fn restless(&self) -> &BTreeSet<&'a InstanceId> {
        self.index.restless.get_or_init(|| {
            let mut found = BTreeSet::new();
            let mut last: BTreeMap<&InstanceId, *const Photograph> = BTreeMap::new();
            for (_, event) in self.events() {
                let What::Photograph(shot) = &event.what else { continue };
                let at = std::sync::Arc::as_ptr(&shot.photograph);
                if last.insert(&shot.instance, at) != Some(at) && moves_by_itself(&shot.photograph) {
                    found.insert(&shot.instance);
                }
            }
            found
        })
    }

    /// Whether an instance's content changes though nobody writes to it.
    #[must_use]
    pub fn changes_by_itself(&self, instance: &InstanceId) -> bool {
        self.restless().contains(instance)
    }

    /// Whether an instance is a Redis instance.
    #[must_use]
    pub fn is_redis(&self, instance: &InstanceId) -> bool {
        self.instance(instance).is_some_and(|story| story.first.product.engine == Engine::Redis)
    }

    /// Redis instances in scope.
    pub fn redis_instances(&self) -> impl Iterator<Item = &InstanceStory<'a>> {
        self.instances().filter(|story| story.first.product.engine == Engine::Redis && self.in_scope(story.first))
    }

    /// Redis instances that are clones, in scope.
    pub fn redis_clones(&self) -> impl Iterator<Item = &InstanceStory<'a>> {
        self.redis_instances().filter(|story| matches!(story.first.origin, Origin::Clone { .. }))
    }

    /// One backup, whatever the scope.
    #[must_use]
    pub fn backup(&self, id: &BackupId) -> Option<&BackupStory<'a>> {
        self.all_backups().get(id)
    }

    /// Backups of Redis instances in scope.
    pub fn redis_backups(&self) -> impl Iterator<Item = &BackupStory<'a>> {
        self.all_backups().values().filter(|story| {
            let of = self.instance(&story.first.instance);
            of.is_some_and(|of| of.first.product.engine == Engine::Redis && self.in_scope(of.first))
        })
    }

    /// Listings of the backups of Redis instances, in order.
    pub fn redis_listings(&self) -> impl Iterator<Item = Listing<'a>> {
        self.events()
            .filter_map(|(index, event)| match &event.what {
                What::BackupsListed { of, from, to, ids } => {
                    Some(Listing { index, at: event.at, of, from: *from, to: *to, ids })
                }
                _ => None,
            })
            .filter(|listing| self.is_redis(listing.of))
    }

    /// Fetched backup files, in order.
    pub fn downloads(&self) -> impl Iterator<Item = (usize, Timestamp, Download<'a>)> + use<'a> {
        self.events().filter_map(|(index, event)| match &event.what {
            What::Downloaded { backup, path, status, size_bytes, sha256 } => {
                let size_bytes = *size_bytes;
                Some((index, event.at, Download { backup, path, status: *status, size_bytes, sha256 }))
            }
            _ => None,
        })
    }

    /// Requests to recover a backup into its own instance, with the instance, in order.
    pub fn recoveries(&self) -> impl Iterator<Item = (Seen<'a, Call>, InstanceId)> + use<'a> {
        self.calls_to("POST /v1/instances/{}/recovery").map(|(call, found)| (call, InstanceId::from(found[0])))
    }

    /// Whether a recovery may have changed an instance between two events: one was asked for, or had not been seen over.
    /// Who gets an answer sees the instance running again only when the recovery is over.
    #[must_use]
    pub fn recovered_between(&self, instance: &InstanceId, from: usize, to: usize) -> bool {
        let over = |call: &Seen<'_, Call>| {
            let views = &self.instance(instance)?.views;
            let mut later = views.iter().filter(|seen| seen.index > call.index);
            let running = later.find(|seen| seen.it.state == InstanceState::Running)?;
            call.it.accepted().then_some(running.index)
        };
        self.recoveries().any(|(call, of)| {
            of == *instance && !call.it.refused() && call.index < to && over(&call).is_none_or(|over| over > from)
        })
    }

    /// Photographs of one node of an instance, in order.
    pub fn node_shots(
        &self,
        instance: &InstanceId,
        node: Node,
    ) -> impl DoubleEndedIterator<Item = Seen<'a, Shot>> + use<'a> {
        self.all_shots(instance).filter(move |seen| seen.it.node == Some(node))
    }
}
