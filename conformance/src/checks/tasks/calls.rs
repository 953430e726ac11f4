//! What was asked of migration tasks: their set-up, their choice of objects, and who meddled with them in between.

use crate::catalogue::Scope;
use crate::checks::temporary::witness::{alive, released_by_user, surely_there};
use crate::history::Call;
use crate::history::lens::{Lens, Seen, TaskStory};
use jiff::Timestamp;
use recovery::model::instance::{InstanceState, Origin};
use recovery::model::photograph::password_mark;
use recovery::model::views::{SideView, TaskObjects, TaskView};
use recovery::model::{InstanceId, Secret, TaskId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

/// Makes a task.
pub const CREATE: &str = "POST /v1/migration-tasks";
/// Changes a task.
pub const EDIT: &str = "PUT /v1/migration-tasks/{}";
/// Chooses types and objects.
pub const CHOOSE: &str = "PUT /v1/migration-tasks/{}/objects";
/// Authorises the whitelists.
pub const AUTHORISE: &str = "POST /v1/migration-tasks/{}/authorise";
/// Characters of a task's name at most (C-21).
const NAME_MOST: usize = 32;
/// Fields of a side that are always needed (TMP-21).
const NEEDED: [&str; 4] = ["region", "instance_id", "account", "password"];
/// Fields of a side that may be left out (TMP-31, C-03).
const OPTIONAL: [&str; 2] = ["instance_type", "connection"];
/// The two connection modes (TMP-29).
pub const MODES: [&str; 2] = ["plain", "ssl"];

/// A side of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Where the data comes from.
    Source,
    /// Where it goes.
    Target,
}

impl Side {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::Source, Self::Target];

    /// The side's name in requests.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Target => "target",
        }
    }

    /// The side as an answer shows it.
    #[must_use]
    pub fn of(self, task: &TaskView) -> &SideView {
        match self {
            Self::Source => &task.source,
            Self::Target => &task.target,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A field of a side in a request.
pub fn field<'a>(call: &'a Call, side: Side, name: &str) -> Option<&'a Value> {
    call.request.get(side.word())?.get(name).filter(|value| !value.is_null())
}

/// A text field of a side in a request.
pub fn text<'a>(call: &'a Call, side: Side, name: &str) -> Option<&'a str> {
    field(call, side, name)?.as_str()
}

/// The instance a request names on a side.
pub fn instance(call: &Call, side: Side) -> Option<InstanceId> {
    text(call, side, "instance_id").map(InstanceId::from)
}

/// Calls that make tasks, whose source is in scope.
pub fn creations<'l, 'a>(lens: &'l Lens<'a>) -> impl Iterator<Item = Seen<'a, Call>> + use<'l, 'a> {
    setups_to(lens, CREATE)
}

/// Calls that make or change tasks, whose source is in scope, in order.
pub fn setups<'a>(lens: &Lens<'a>) -> Vec<Seen<'a, Call>> {
    let mut found: Vec<_> = creations(lens).chain(setups_to(lens, EDIT)).collect();
    found.sort_by_key(|call| call.index);
    found
}

fn setups_to<'l, 'a>(lens: &'l Lens<'a>, pattern: &'static str) -> impl Iterator<Item = Seen<'a, Call>> + use<'l, 'a> {
    lens.calls_to(pattern).map(|(call, _)| call).filter(|call| call.it.request.is_object()).filter(|call| {
        instance(call.it, Side::Source).map_or_else(|| *lens.scope == Scope::default(), |id| lens.source_in_scope(&id))
    })
}

/// The first part of the three groups that a request leaves out (TMP-21).
pub fn missing(call: &Call) -> Option<String> {
    Side::BOTH.into_iter().find_map(|side| {
        if call.request.get(side.word()).is_none_or(|value| !value.is_object()) {
            return Some(side.to_string());
        }
        let gap = NEEDED.iter().find(|name| text(call, side, name).is_none_or(|value| is_blank(name, value)));
        gap.map(|name| format!("{side}.{name}"))
    })
}

fn is_blank(field: &str, value: &str) -> bool {
    value.trim().is_empty()
        || (field == "password" && value == format!("#{}", password_mark(&Secret::new(String::new()))))
}

/// Whether a refusal says that something was wrong with the request itself.
pub fn blamed(call: &Call) -> bool {
    matches!(call.status, Some(400 | 409 | 422))
}

/// Whether the documents leave no reason to blame a request that makes a task.
pub fn flawless(lens: &Lens<'_>, call: &Seen<'_, Call>) -> bool {
    let Some(fields) = call.it.request.as_object() else { return false };
    let known = |side: Side| {
        let names = call.it.request[side.word()].as_object();
        let lawful = |name: &String| NEEDED.contains(&name.as_str()) || OPTIONAL.contains(&name.as_str());
        names.is_some_and(|names| names.keys().all(lawful))
    };
    fields.keys().all(|name| ["name", "source", "target"].contains(&name.as_str()))
        && Side::BOTH.into_iter().all(known)
        && missing(call.it).is_none()
        && key_is_fresh(lens, call)
        && name_is_lawful(call.it)
        && sides_are_lawful(lens, call)
}

fn key_is_fresh(lens: &Lens<'_>, call: &Seen<'_, Call>) -> bool {
    let same = |seen: &Seen<'_, Call>| seen.index < call.index && seen.it.key == call.it.key;
    let repeats = |seen: Seen<'_, Call>| seen.it.path == call.it.path && seen.it.request == call.it.request;
    call.it.key.is_some() && lens.calls().filter(same).all(repeats)
}

fn name_is_lawful(call: &Call) -> bool {
    match call.request.get("name") {
        None | Some(Value::Null) => true,
        Some(Value::String(name)) => !name.trim().is_empty() && name.chars().count() <= NAME_MOST,
        Some(_) => false,
    }
}

fn sides_are_lawful(lens: &Lens<'_>, call: &Seen<'_, Call>) -> bool {
    let lawful = |side: Side| {
        let story = instance(call.it, side).and_then(|id| lens.instance(&id));
        story.is_some_and(|story| {
            text(call.it, side, "region") == Some(&story.first.region)
                && there(lens, story.id, call.it.sent_at, call.at)
        }) && field(call.it, side, "instance_type").is_none_or(|kind| kind == "rds")
            && field(call.it, side, "connection").is_none_or(|mode| MODES.iter().any(|lawful| mode == lawful))
    };
    let stories = Side::BOTH.map(|side| instance(call.it, side).and_then(|id| lens.instance(&id)));
    let [Some(source), Some(target)] = stories else { return false };
    Side::BOTH.into_iter().all(lawful)
        && source.first.product.engine == target.first.product.engine
        && source.master().is_none_or(|master| master == target.id)
}

/// Whether an instance must have been there and in order from one time to another.
pub fn there(lens: &Lens<'_>, id: &InstanceId, from: Timestamp, to: Timestamp) -> bool {
    let Some(story) = lens.instance(id) else { return false };
    if story.running().is_none_or(|seen| seen.at > from) {
        return false;
    }
    if matches!(story.first.origin, Origin::Temporary { .. }) {
        return surely_there(lens, story, from, to);
    }
    let unsteady =
        |state: InstanceState| !alive(state) || matches!(state, InstanceState::Rebooting | InstanceState::Restoring);
    let before = story.views.iter().rev().find(|seen| seen.at <= from);
    let index = |at: Timestamp| lens.history.events.partition_point(|event| event.at <= at);
    before.is_some_and(|seen| !unsteady(seen.it.state))
        && story.views.iter().all(|seen| seen.at < from || seen.at > to || !unsteady(seen.it.state))
        && story.gone.iter().all(|(_, at)| *at > to)
        && !released_by_user(lens, story, to)
        && !lens.recovered_between(id, index(from), index(to))
}

/// The id of the task that an accepted creation made.
pub fn made(call: &Call) -> Option<TaskId> {
    if !call.accepted() {
        return None;
    }
    call.answer.get("id")?.as_str().map(TaskId::from)
}

/// The task that an accepted creation or edit shows, as it stands in the answer.
pub fn shown(call: &Call) -> Option<TaskView> {
    if call.accepted() { TaskView::deserialize(&*call.answer).ok() } else { None }
}

/// Whether nobody knows what came of a call.
pub fn unanswered(call: &Call) -> bool {
    call.status.is_none_or(|status| status >= 500)
}

/// The creation or edit in force at an event; none when nobody knows which.
pub fn setup_at<'a>(lens: &Lens<'a>, task: &TaskId, index: usize) -> Option<Seen<'a, Call>> {
    let creation = lens.calls_to(CREATE).map(|(call, _)| call).find(|call| made(call.it).as_ref() == Some(task));
    let edits = lens.calls_to(EDIT).filter(|(_, found)| found[0] == task.as_str()).map(|(call, _)| call);
    last_known(creation.into_iter().chain(edits), index)
}

/// The choice of types and objects in force at an event; none when nobody knows which.
pub fn choice_at(lens: &Lens<'_>, task: &TaskId, index: usize) -> Option<TaskObjects> {
    let choices = lens.calls_to(CHOOSE).filter(|(_, found)| found[0] == task.as_str()).map(|(call, _)| call);
    TaskObjects::deserialize(&last_known(choices, index)?.it.request).ok()
}

fn last_known<'a>(calls: impl Iterator<Item = Seen<'a, Call>>, index: usize) -> Option<Seen<'a, Call>> {
    let last = calls.filter(|call| call.index <= index && !call.it.refused()).last()?;
    last.it.accepted().then_some(last)
}

/// Calls that change a task and may have done so: all but reads and refusals, with the step they ask for.
pub fn changes<'l, 'a>(
    lens: &'l Lens<'a>,
    task: &'a TaskId,
) -> impl Iterator<Item = (Seen<'a, Call>, &'a str)> + use<'l, 'a> {
    lens.calls_of_task(task).filter(|(call, _)| call.it.method != "GET" && !call.it.refused())
}

/// Whether a user may have changed a task after one thing was seen and before another was.
pub fn changed_between<'a, A, B>(lens: &Lens<'a>, task: &TaskStory<'a>, from: &Seen<'_, A>, to: &Seen<'_, B>) -> bool {
    changes(lens, task.id).any(|(call, _)| {
        let late = unanswered(call.it) && call.index <= from.index && call.at + super::steady::LINGERS > from.at;
        late || (call.index > from.index && call.index != to.index && call.it.sent_at <= to.at)
    })
}

/// Whether a user may have asked for a step of a task before an event.
pub fn asked_before<'a>(lens: &Lens<'a>, task: &TaskStory<'a>, step: &str, index: usize) -> bool {
    let at = lens.history.events[index].at;
    changes(lens, task.id).any(|(call, asked)| asked == step && (call.index < index || call.it.sent_at < at))
}
