//! What was seen around one migration: when it began and ended, the photographs before and after, and who wrote meanwhile.

use super::text::{names, reaches_further};
use crate::checks::tasks::choice_at;
use crate::checks::temporary::witness::faulted_before;
use crate::history::lens::{Lens, Seen, TaskStory};
use crate::history::{Event, Shot, What};
use jiff::{SignedDuration, Timestamp};
use recovery::model::content::ObjectKind;
use recovery::model::photograph::Photograph;
use recovery::model::task::{MigrationType, PhaseStatus, Selection, TaskStatus};
use recovery::model::views::{TaskObjects, TaskView};
use recovery::model::{Engine, InstanceId, TaskId};
use recovery::ports::database::DatabaseError;
use std::collections::BTreeMap;

/// How long a write without an answer may still be on its way.
const LINGERS: SignedDuration = SignedDuration::from_mins(1);
/// How long a source has to be quiet before a task that follows it must have carried everything over.
const CAUGHT_UP: SignedDuration = SignedDuration::from_secs(45);

/// A migration that came to where source and target can be compared.
pub struct Scene<'l, 'a> {
    /// The task.
    pub task: &'l TaskStory<'a>,
    /// Engine of both sides.
    pub engine: Engine,
    /// The source: before the migration, or for one that follows it, when it had followed.
    pub source: Seen<'a, Shot>,
    /// The target before the migration.
    pub before: Seen<'a, Shot>,
    /// The sight that says it is done, or has followed.
    pub done: Seen<'a, TaskView>,
    /// The target afterwards.
    pub after: Seen<'a, Shot>,
    told: TaskView,
}

impl<'a> Scene<'_, 'a> {
    /// The task as seen when it was done, with the types and objects that its user chose, whatever it says of them.
    pub fn view(&self) -> &TaskView {
        &self.told
    }

    /// Content of the source.
    pub fn from(&self) -> &'a Photograph {
        self.source.it.photograph.as_ref()
    }

    /// Content of the target before.
    pub fn was(&self) -> &'a Photograph {
        self.before.it.photograph.as_ref()
    }

    /// Content of the target afterwards.
    pub fn is(&self) -> &'a Photograph {
        self.after.it.photograph.as_ref()
    }

    /// Whether rows were to be moved.
    pub fn full(&self) -> bool {
        self.view().types.contains(&MigrationType::Full)
    }

    /// Whether definitions were to be moved.
    pub fn structure(&self) -> bool {
        self.view().types.contains(&MigrationType::Structure)
    }

    /// Whether a user or another task wrote to the target meanwhile; with a place, to that table.
    pub fn disturbed(&self, lens: &Lens<'_>, place: Option<(&str, &str)>) -> bool {
        let target = &self.task.first.target.instance_id;
        written(lens, target, place, &self.before, self.after.at)
            || others_wrote(lens, target, self.task.id, self.before.index, self.after.index)
    }
}

/// Whether the rule of incremental migration counts for a task.
pub fn follows(task: &TaskView) -> bool {
    task.types.contains(&MigrationType::Incremental)
}

/// The last sight of a task before it was seen to have begun; it began later than that was asked for.
pub fn last_before_begin<'a>(task: &TaskStory<'a>) -> Option<Seen<'a, TaskView>> {
    let begun = task.views.iter().position(|seen| seen.it.started_at.is_some())?;
    task.views[..begun].last().copied()
}

/// Calls of a user to a task's verb that were not refused, sent before a time.
pub fn asked<'a>(lens: &Lens<'a>, task: &TaskStory<'a>, verbs: &[&str], before: Timestamp) -> bool {
    lens.calls_of_task(task.id).any(|(call, verb)| {
        verbs.contains(&verb) && !call.it.refused() && call.it.method == "POST" && call.it.sent_at < before
    })
}

/// The first sight of a task at its end, if it got there by itself.
pub fn ended_by_itself<'a>(lens: &Lens<'a>, task: &TaskStory<'a>) -> Option<Seen<'a, TaskView>> {
    task.first_in(TaskStatus::Finished).filter(|seen| !asked(lens, task, &["stop"], seen.at))
}

/// What was seen of a task that ended by itself, or that followed its source and had no more to carry over.
pub fn scene<'l, 'a>(lens: &Lens<'a>, task: &'l TaskStory<'a>) -> Option<Scene<'l, 'a>> {
    let begin = last_before_begin(task)?;
    let (from, into) = (&task.first.source.instance_id, &task.first.target.instance_id);
    let engine = lens.instance(into)?.first.product.engine;
    let before = lens.shot_before(into, begin.index)?;
    if follows(begin.it) {
        let (done, source, after) = followed(lens, task, &before)?;
        let told = told(lens, task, &done);
        return Some(Scene { task, engine, source, before, done, after, told });
    }
    let done = ended_by_itself(lens, task)?;
    let (source, after) = (lens.shot_before(from, begin.index)?, lens.shot_after(into, done.index)?);
    let told = told(lens, task, &done);
    Some(Scene { task, engine, source, before, done, after, told })
}

fn told(lens: &Lens<'_>, task: &TaskStory<'_>, done: &Seen<'_, TaskView>) -> TaskView {
    let shown = done.it.clone();
    let Some(TaskObjects { types, objects, same_name, .. }) = choice_at(lens, task.id, done.index) else {
        return shown;
    };
    TaskView { types, objects, same_name, ..shown }
}

/// The same, if nobody wrote to the source meanwhile.
pub fn settled<'l, 'a>(lens: &Lens<'a>, task: &'l TaskStory<'a>) -> Option<Scene<'l, 'a>> {
    let scene = scene(lens, task)?;
    let quiet = follows(scene.view()) || quiet(lens, &scene);
    quiet.then_some(scene)
}

/// Whether nobody wrote to what is moved of the source between its photograph and the end of the task. Triggers of the
/// source may carry a write to another table.
pub fn quiet(lens: &Lens<'_>, scene: &Scene<'_, '_>) -> bool {
    let source = &scene.task.first.source.instance_id;
    let wrote = |place: Option<(&str, &str)>| written(lens, source, place, &scene.source, scene.done.at);
    let all_counts = scene.view().objects.iter().any(|selection| selection.table.is_none())
        || scene
            .from()
            .databases
            .values()
            .flat_map(|held| held.objects.values())
            .any(|object| object.kind == ObjectKind::Trigger);
    let chosen =
        |selection: &Selection| selection.table.as_ref().is_some_and(|table| wrote(Some((&selection.database, table))));
    let busy = if all_counts { wrote(None) } else { scene.view().objects.iter().any(chosen) };
    !busy && !others_wrote(lens, source, scene.task.id, scene.source.index, scene.done.index)
}

type Followed<'a> = (Seen<'a, TaskView>, Seen<'a, Shot>, Seen<'a, Shot>);

/// The last sight of a task that has caught up with a source that was quiet for a while, with the photographs after it:
/// neither users nor other tasks wrote to it.
/// Where there were faults, the while began after they were mended.
fn followed<'a>(lens: &Lens<'a>, task: &TaskStory<'a>, before: &Seen<'a, Shot>) -> Option<Followed<'a>> {
    let (from, into) = (&task.first.source.instance_id, &task.first.target.instance_id);
    let caught_up = |seen: &&Seen<'a, TaskView>| {
        seen.it.status == TaskStatus::Migrating
            && seen.it.phases.get(&MigrationType::Incremental) == Some(&PhaseStatus::Catched)
    };
    task.views.iter().rev().filter(caught_up).find_map(|seen| {
        let (source, after) = (lens.shot_after(from, seen.index)?, lens.shot_after(into, seen.index)?);
        let next = task.views.iter().find(|later| later.index > seen.index).map_or(usize::MAX, |later| later.index);
        let since = seen.at - CAUGHT_UP;
        let early = lens.shots(from).rev().find(|shot| shot.at <= since && shot.index > before.index)?;
        let mended = lens.history.events[..early.index].iter().any(|event| matches!(event.what, What::Healed));
        let undisturbed = mended || !faulted_before(lens, after.index);
        let calm = source.index < next && after.index < next && undisturbed;
        let went_on =
            task.views.iter().filter(|view| view.at >= since && view.index < seen.index).all(|view| caught_up(&view));
        let wrote = written(lens, from, None, &early, after.at.max(source.at))
            || others_wrote(lens, from, task.id, early.index, after.index.max(source.index));
        (calm && went_on && !wrote).then_some((*seen, source, after))
    })
}

/// Whether an event may have changed an instance's data, or one table of it; and when that was sent.
fn write(event: &Event, instance: &InstanceId, place: Option<(&str, &str)>) -> Option<Timestamp> {
    match &event.what {
        What::Statement(it) if it.instance == *instance && !it.only_reads() => {
            let hits =
                place.is_none_or(|place| is_key_space(place) || names(&it.sql, place.1) || reaches_further(&it.sql));
            hits.then_some(it.sent_at)
        }
        What::Ledger(it) if it.instance == *instance => {
            let hits = place.is_none_or(|place| is_key_space(place) || (it.database == place.0 && it.table == place.1));
            hits.then_some(it.sent_at)
        }
        _ => None,
    }
}

/// Whether a table is the key space of a Redis database, which commands do not name.
pub fn is_key_space((database, table): (&str, &str)) -> bool {
    table == "keys" && database.parse::<u8>().is_ok()
}

fn unanswered(event: &Event) -> bool {
    match &event.what {
        What::Statement(it) => matches!(it.outcome, Err(DatabaseError::Unreachable(_))),
        What::Ledger(it) => !it.acknowledged,
        _ => false,
    }
}

/// Whether a user or the application may have changed an instance's data, or one table of it, between a photograph and a
/// time.
pub fn written(
    lens: &Lens<'_>,
    instance: &InstanceId,
    place: Option<(&str, &str)>,
    from: &Seen<'_, Shot>,
    until: Timestamp,
) -> bool {
    let by_users = |at: &InstanceId| {
        lens.history.events.iter().enumerate().any(|(index, event)| {
            let counts = index > from.index || (unanswered(event) && event.at + LINGERS > from.at);
            counts && write(event, at, place).is_some_and(|sent_at| sent_at <= until)
        })
    };
    lens.changes_by_itself(instance) || lens.written_at(instance).any(by_users)
}

/// Whether another task, a restore or a recovery may have moved something into an instance between two events.
pub fn others_wrote(lens: &Lens<'_>, instance: &InstanceId, own: &TaskId, from: usize, to: usize) -> bool {
    lens.written_at(instance).any(|at| written_by_others(lens, at, own, from, to))
}

fn written_by_others(lens: &Lens<'_>, instance: &InstanceId, own: &TaskId, from: usize, to: usize) -> bool {
    if lens.restored_into_between(instance, None, from, to) || lens.recovered_between(instance, from, to) {
        return true;
    }
    let mut last: BTreeMap<&TaskId, &TaskView> = BTreeMap::new();
    for (index, event) in lens.history.events.iter().enumerate() {
        if index > to {
            break;
        }
        let view = match &event.what {
            What::TaskSeen(view) => view,
            // What it did after it was seen last, it did before that.
            What::TaskGone { id } if index <= from => {
                last.remove(id);
                continue;
            }
            _ => continue,
        };
        if view.id == *own || view.target.instance_id != *instance {
            continue;
        }
        let before = last.insert(&view.id, view.as_ref());
        // What was on its way at one sight may have written until the next.
        let was = before.is_some_and(|view| moves(view.status) || view.status == TaskStatus::Prechecking);
        if index > from && (was || moves(view.status)) {
            return true;
        }
    }
    // Nor does anybody know of one that is not seen again before the later event.
    last.values().any(|view| match view.status {
        TaskStatus::Prechecking | TaskStatus::Migrating => true,
        TaskStatus::MigrationFailed => view.retry_at.is_some(),
        _ => false,
    })
}

fn moves(status: TaskStatus) -> bool {
    matches!(status, TaskStatus::Migrating | TaskStatus::MigrationFailed)
}
