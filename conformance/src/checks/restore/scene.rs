//! What was seen around one restore: the backup's content, the target before and after, and that nobody else wrote there.

use super::witness::{CREATE, EDIT, START};
use crate::checks::migration::text::names;
use crate::checks::temporary::truth::{held_at, held_from_to, untouched_by_users};
use crate::checks::temporary::witness::{faulted_before, skewed};
use crate::history::lens::logical::RestoreStory;
use crate::history::lens::{Lens, Seen};
use crate::history::{Call, Shot};
use recovery::model::content::ObjectKind;
use recovery::model::logical::backup::SetStatus;
use recovery::model::logical::restore::{RestoreMethod, RestoreStatus, RestoreType};
use recovery::model::logical::views::{NewRestore, RestoreView};
use recovery::model::photograph::Photograph;
use recovery::model::{InstanceId, SetId};
use serde::Deserialize;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// A restore that came to an end, with the target before and after.
pub struct Scene<'l, 'a> {
    /// The task.
    pub story: &'l RestoreStory<'a>,
    /// The server that was backed up.
    pub source: &'a InstanceId,
    /// The server that was restored into.
    pub target: &'a InstanceId,
    /// Account of the target.
    pub account: &'a str,
    /// Databases the backup holds; all where there is none.
    pub databases: &'a BTreeSet<String>,
    /// What the source held at the moment restored to, where a photograph tells.
    pub truth: Option<&'a Photograph>,
    /// What the source held when the full set was complete, where a photograph tells.
    pub of_set: Option<&'a Photograph>,
    /// The target before.
    pub before: Seen<'a, Shot>,
    /// What was asked for, and how it ended.
    view: Cow<'a, RestoreView>,
    /// The sight that says it is over.
    pub done: Seen<'a, RestoreView>,
    /// The target afterwards.
    pub after: Seen<'a, Shot>,
    /// The event by which it had not been started yet.
    pub begun: usize,
    /// Whether something was broken by then.
    pub faulted: bool,
}

impl<'a> Scene<'_, 'a> {
    /// How it ended, and what was asked for: that is the user's word and not the system's.
    pub fn view(&self) -> &RestoreView {
        &self.view
    }

    /// The target's content before.
    pub fn was(&self) -> &'a Photograph {
        self.before.it.photograph.as_ref()
    }

    /// The target's content afterwards.
    pub fn is(&self) -> &'a Photograph {
        self.after.it.photograph.as_ref()
    }

    /// Whether it ended well.
    pub fn completed(&self) -> bool {
        self.view().status == RestoreStatus::Completed
    }

    /// Whether rows were to come.
    pub fn full(&self) -> bool {
        self.view().types.contains(&RestoreType::Full)
    }

    /// Whether definitions were to come.
    pub fn structure(&self) -> bool {
        self.view().types.contains(&RestoreType::Structure)
    }

    /// Whether it was to a point in time.
    pub fn by_time(&self) -> bool {
        matches!(self.view().recovery, RestoreMethod::PointInTime { .. })
    }

    /// Whether a scheduled event of the target may have changed a table.
    pub fn stirred(&self, database: &str, table: &str) -> bool {
        [self.was(), self.is()].into_iter().filter_map(|held| held.databases.get(database)).any(|held| {
            let mut events = held.objects.values().filter(|object| object.kind == ObjectKind::Event);
            events.any(|event| names(&event.definition, table))
        })
    }
}

/// What was seen of every restore in scope that came to an end with nobody else writing to its target.
pub fn scenes<'l, 'a>(lens: &'l Lens<'a>) -> impl Iterator<Item = Scene<'l, 'a>> + use<'l, 'a> {
    lens.restores().filter_map(move |story| scene(lens, story))
}

fn scene<'l, 'a>(lens: &'l Lens<'a>, story: &'l RestoreStory<'a>) -> Option<Scene<'l, 'a>> {
    let (begun, done) = (story.started()?, story.ended()?);
    let view = as_asked(lens, done.it, begun.index);
    let (source, target) = (lens.data_source(&view.source)?.first, lens.data_source(&view.target)?.first);
    let started = lens
        .calls_to(START)
        .find(|(call, found)| found[0] == story.id.as_str() && !call.it.refused() && call.index < begun.index)
        .map(|(call, _)| (call.index, call.it.sent_at));
    let (limit, asked) = started.or_else(|| story.view_before(begun.index).map(|seen| (seen.index, seen.at)))?;
    let into = &target.instance_id;
    let before = lens.shots(into).rev().find(|seen| seen.index < limit && seen.at <= asked)?;
    let after = lens.shot_after(into, done.index)?;
    // A replica changes with its master.
    let quiet = |at: &InstanceId| {
        !lens.migrated_into_between(at, before.index, after.index)
            && !lens.restored_into_between(at, Some(story.id), before.index, after.index)
            && !lens.recovered_between(at, before.index, after.index)
    };
    let alone = untouched_by_users(lens, into, &before, after.at) && lens.written_at(into).all(quiet);
    let of_set = set_truth(lens, &view.backup_set);
    let truth = match &view.recovery {
        RestoreMethod::BackupSet { backup_set_id } => set_truth(lens, backup_set_id),
        RestoreMethod::PointInTime { point_in_time } => held_at(lens, &source.instance_id, *point_in_time),
    };
    let databases = &lens.backup_task(&view.backup_task)?.first.databases;
    alone.then_some(Scene {
        story,
        source: &source.instance_id,
        target: into,
        account: &target.account,
        databases,
        view,
        truth,
        of_set,
        before,
        done,
        after,
        begun: limit,
        faulted: faulted_before(lens, done.index),
    })
}

/// A restore as it was asked for by the newest request that saved it, whatever its view says it was.
fn as_asked<'a>(lens: &Lens<'a>, view: &'a RestoreView, begun: usize) -> Cow<'a, RestoreView> {
    let saves = |seen: &Seen<'_, Call>| {
        let own = seen.it.answer.get("id").and_then(Value::as_str) == Some(view.id.as_str());
        own && seen.it.accepted() && [CREATE, EDIT].into_iter().any(|pattern| seen.it.matches(pattern).is_some())
    };
    let newest = lens.calls().filter(|seen| seen.index < begun && saves(seen)).max_by_key(|seen| seen.index);
    let Some(asked) = newest.and_then(|seen| NewRestore::deserialize(&seen.it.request).ok()) else {
        return Cow::Borrowed(view);
    };
    let shown = (&view.recovery, &view.types, &view.objects, &view.mapping);
    let policies = (view.structure_conflict, view.data_conflict);
    if shown == (&asked.recovery, &asked.types, &asked.objects, &asked.mapping)
        && policies == (asked.structure_conflict, asked.data_conflict)
    {
        return Cow::Borrowed(view);
    }
    let NewRestore { recovery, types, objects, mapping, structure_conflict, data_conflict, .. } = asked;
    Cow::Owned(RestoreView { recovery, types, objects, mapping, structure_conflict, data_conflict, ..view.clone() })
}

/// What a server held when a full set of it was complete: the photograph at that place of its log, or what it held all
/// the time the set was taken.
pub fn set_truth<'a>(lens: &Lens<'a>, set: &SetId) -> Option<&'a Photograph> {
    let story = lens.set(set)?;
    let done = story.views.iter().find(|seen| seen.it.status == SetStatus::Completed)?;
    let server = &lens.data_source(&story.first.source)?.first.instance_id;
    let place = done.it.to.map(|to| to.position).filter(|position| *position > 0);
    let at_place = lens.shots(server).find(|shot| Some(shot.it.photograph.log_position) == place);
    if let Some(shot) = at_place {
        return Some(shot.it.photograph.as_ref());
    }
    if skewed(lens) { None } else { held_from_to(lens, server, done.it.began_at, done.at) }
}
