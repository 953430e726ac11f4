//! What several checks ask of a history: orders of instances, fresh sights of them, their life, and what users and faults did.

use crate::history::lens::{InstanceStory, Lens, Seen};
use crate::history::{Call, Event, What};
use jiff::{SignedDuration, Timestamp};
use recovery::model::instance::{InstanceState, Origin, Restored};
use recovery::model::views::InstanceView;
use recovery::model::{BackupId, InstanceId};
use serde_json::Value;

/// Orders of temporary instances.
pub const TEMPORARIES: &str = "POST /v1/instances/{}/temporary-instances";
/// Orders of clones.
pub const CLONES: &str = "POST /v1/instances/{}/clones";
/// How long a temporary instance lives (TMP-11, SQL-17).
pub const LIFE: SignedDuration = SignedDuration::from_hours(48);
/// The refusal of a second temporary instance (TMP-09).
pub const EXISTS: &str = "OperationDenied.TempDBInstanceExists";
/// The refusal of a kind of instance (SQL-08, CLN-03).
pub const KIND: &str = "OperationDenied.DBInstanceType";

/// What was asked to be restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// A data backup.
    BackupSet(BackupId),
    /// A point in time.
    PointInTime(Timestamp),
}

/// One attempt to have a temporary instance or clones made; the master is in scope.
pub struct Order<'l, 'a> {
    /// The call.
    pub call: Seen<'a, Call>,
    /// The instance it was asked of.
    pub master: &'l InstanceStory<'a>,
    /// What the answer shows that nobody had seen before: an answer given again shows nothing new.
    pub made: Vec<InstanceId>,
}

/// Orders of temporary instances or of clones of masters in scope, in order. Clones of Redis are another document's.
pub fn orders<'l, 'a>(lens: &'l Lens<'a>, pattern: &'static str) -> impl Iterator<Item = Order<'l, 'a>> + use<'l, 'a> {
    lens.calls_to(pattern).filter_map(move |(call, found)| {
        let master = lens.instance(&InstanceId::from(*found.first()?))?;
        let new = |id: &InstanceId| lens.instance(id).is_none_or(|story| story.views[0].index > call.index);
        let made = shown(call.it).into_iter().filter(new).collect();
        let another = pattern == CLONES && lens.is_redis(master.id);
        (lens.in_scope(master.first) && !another).then_some(Order { call, master, made })
    })
}

/// Ids of the instances an accepted answer shows.
pub fn shown(call: &Call) -> Vec<InstanceId> {
    if !call.accepted() {
        return vec![];
    }
    let views = call
        .answer
        .get("instances")
        .and_then(Value::as_array)
        .map_or(std::slice::from_ref(&*call.answer), Vec::as_slice);
    views.iter().filter_map(|view| view.get("id")?.as_str()).map(InstanceId::from).collect()
}

/// The part of an order's body that says what to restore.
pub fn restore(call: &Call) -> &Value {
    call.request.get("restore").unwrap_or(&call.request)
}

/// The one thing an order asks to restore.
pub fn choice(call: &Call) -> Option<Choice> {
    let text = |field: &str| restore(call).get(field).and_then(Value::as_str);
    match (text("backup_set_id"), text("point_in_time")) {
        (Some(set), None) => Some(Choice::BackupSet(set.into())),
        (None, Some(time)) => time.parse().ok().map(Choice::PointInTime),
        _ => None,
    }
}

/// The order that made an instance.
pub fn order_of<'a>(lens: &Lens<'a>, id: &InstanceId) -> Option<Seen<'a, Call>> {
    lens.calls().find(|seen| {
        seen.it.method == "POST"
            && matches!(seen.it.last_part(), Some("temporary-instances" | "clones"))
            && shown(seen.it).contains(id)
    })
}

/// What the user asked an instance to hold; what the system says of itself counts only where the order is not known.
pub fn asked(lens: &Lens<'_>, story: &InstanceStory<'_>) -> Option<Choice> {
    if let Some(choice) = order_of(lens, story.id).and_then(|order| choice(order.it)) {
        return Some(choice);
    }
    match &story.first.origin {
        Origin::Temporary { restored, .. } | Origin::Clone { restored, .. } => Some(match restored {
            Restored::BackupSet { backup_set_id } => Choice::BackupSet(backup_set_id.clone()),
            Restored::PointInTime { point_in_time, .. } => Choice::PointInTime(*point_in_time),
        }),
        _ => None,
    }
}

/// The call whose answer showed what stands at an event.
pub fn call_behind<'a>(lens: &Lens<'a>, index: usize) -> Option<&'a Call> {
    let events = &lens.history.events;
    let at = events.get(index)?.at;
    for event in events[..index].iter().rev() {
        match &event.what {
            _ if event.at != at => return None,
            What::Call(call) => return Some(call),
            What::InstanceSeen(_) | What::InstancesListed { .. } | What::InstanceGone { .. } | What::BackupSeen(_) => {}
            What::BackupsListed { .. }
            | What::DataSourceSeen(_)
            | What::LogicalTaskSeen(_)
            | What::LogicalSetSeen(_) => {}
            What::LogicalTasksListed { .. } | What::LogicalRestorableSeen { .. } => {}
            What::RestoreSeen(_) | What::RestoresListed { .. } => {}
            _ => return None,
        }
    }
    None
}

/// When what an event shows was asked for; the truth it shows lies between that and the event.
pub fn asked_at(lens: &Lens<'_>, index: usize) -> Timestamp {
    call_behind(lens, index).map_or_else(|| lens.history.events[index].at, |call| call.sent_at)
}

/// Sights that show what is now; the answer to a call that changes something may be given again later.
pub fn sights<'l, 'a, 'b>(
    lens: &'l Lens<'b>,
    story: &'l InstanceStory<'a>,
) -> impl Iterator<Item = Seen<'a, InstanceView>> + use<'l, 'a, 'b> {
    story.views.iter().copied().filter(move |seen| is_fresh(lens, seen.index))
}

/// Whether an instance in that state is there for a user.
pub fn alive(state: InstanceState) -> bool {
    !matches!(state, InstanceState::Released | InstanceState::Deleting | InstanceState::Failed)
}

/// Whether an event shows what is now; the answer to a call that changes something may be given again later.
pub fn is_fresh(lens: &Lens<'_>, index: usize) -> bool {
    call_behind(lens, index).is_none_or(|call| call.method == "GET")
}

/// Whether a clock was wrong at some time: a fault says so, or the service or a server speaks of another time than now.
pub fn skewed(lens: &Lens<'_>) -> bool {
    const SECOND: SignedDuration = SignedDuration::from_secs(1);
    let wrong = |event: &Event| match &event.what {
        What::InstanceSeen(view) => view.created_at.unwrap_or(view.requested_at) > event.at,
        What::BackupSeen(view) => view.ended_at.unwrap_or(view.began_at) > event.at,
        What::Mark { times, .. } => times.values().any(|time| time.duration_since(event.at).abs() > SECOND),
        What::Call(call) => speaks_of_the_past(lens, call),
        _ => false,
    };
    lens.skewed_unless_known(|| skews(lens).next().is_some() || lens.history.events.iter().any(wrong))
}

/// Whether what a call made was asked for before the call, and by no earlier attempt.
fn speaks_of_the_past(lens: &Lens<'_>, call: &Call) -> bool {
    let requested_at = call.answer.get("requested_at").and_then(Value::as_str);
    let requested_at = requested_at.and_then(|time| time.parse::<Timestamp>().ok());
    let earlier = |other: &Call| other.key == call.key && other.sent_at < call.sent_at;
    // A recovery shows the instance as it was asked for long ago.
    call.method == "POST"
        && call.last_part() != Some("recovery")
        && call.key.is_some()
        && requested_at.is_some_and(|time| time < call.sent_at)
        && !lens.calls().any(|other| earlier(other.it))
}

fn skews<'a>(lens: &Lens<'a>) -> impl Iterator<Item = usize> + use<'a> {
    let events = lens.history.events.iter().enumerate();
    events
        .filter(|(_, event)| matches!(&event.what, What::Fault { text, kind, .. } if kind == "jump" || text.contains("skew")))
        .map(|(index, _)| index)
}

/// Whether there was any fault before an event: then a server that is not reached is nobody's mistake.
pub fn faulted_before(lens: &Lens<'_>, index: usize) -> bool {
    lens.history.events[..index].iter().any(|event| event.what.breaks())
}

/// Whether a user had an instance, or the master it belongs to, released by a call sent before a time.
pub fn released_by_user(lens: &Lens<'_>, story: &InstanceStory<'_>, before: Timestamp) -> bool {
    let master = story.master().map(InstanceId::as_str);
    let of = |id: Option<&str>| id.is_some() && (id == Some(story.id.as_str()) || id == master);
    lens.calls().any(|seen| {
        let released = seen.it.method == "DELETE" && !seen.it.refused() && seen.it.sent_at < before;
        released && of(seen.it.last_part())
    })
}

/// Between which true times the making of an instance succeeded (C-05).
pub struct Birth {
    /// Not before.
    pub earliest: Timestamp,
    /// Not after.
    pub latest: Timestamp,
}

/// When an instance was made. The service's clock counts unless it was wrong; then only what was seen of an instance
/// whose clock did not jump during its life.
pub fn birth(lens: &Lens<'_>, story: &InstanceStory<'_>) -> Option<Birth> {
    let created_at = story.views.iter().find_map(|seen| seen.it.created_at)?;
    let running = story.running().map(|seen| seen.at);
    if !skewed(lens) {
        return Some(Birth { earliest: created_at, latest: running.map_or(created_at, |seen| seen.min(created_at)) });
    }
    let began = story.views[0].index;
    if skews(lens).any(|index| index > began) {
        return None;
    }
    let creating = sights(lens, story).take_while(|seen| seen.it.state == InstanceState::Creating).last();
    let earliest = creating.map_or_else(|| asked_at(lens, began), |seen| asked_at(lens, seen.index));
    Some(Birth { earliest, latest: running? })
}

/// The temporary instances of a master.
pub fn temporaries_of<'l, 'a>(
    lens: &'l Lens<'a>,
    master: &'l InstanceId,
) -> impl Iterator<Item = &'l InstanceStory<'a>> {
    lens.instances()
        .filter(move |story| matches!(&story.first.origin, Origin::Temporary { master: of, .. } if of == master))
}

/// Whether a temporary instance must have been there from one time to another, if the system kept its promises.
pub fn surely_there(lens: &Lens<'_>, story: &InstanceStory<'_>, from: Timestamp, to: Timestamp) -> bool {
    let made = story.running().is_some()
        || sights(lens, story).any(|seen| alive(seen.it.state) && asked_at(lens, seen.index) >= to);
    let over = birth(lens, story).is_some_and(|birth| birth.earliest + LIFE <= to)
        || (skewed(lens) && birth(lens, story).is_none());
    story.views[0].at <= from && made && !over && !released_by_user(lens, story, to) && !surely_gone(lens, story, from)
}

/// Whether a temporary instance must be gone at a time: it was seen gone, or its 48 hours are over.
pub fn surely_gone(lens: &Lens<'_>, story: &InstanceStory<'_>, by: Timestamp) -> bool {
    let seen_gone = story.gone.iter().any(|(_, at)| *at <= by)
        || story.views.iter().any(|seen| seen.it.state == InstanceState::Released && seen.at <= by);
    seen_gone || birth(lens, story).is_some_and(|birth| birth.latest + LIFE <= by)
}

/// Attempts to have a temporary instance made of which nobody knows what came, sent before a time.
pub fn open_attempt(lens: &Lens<'_>, master: &InstanceId, before: Timestamp) -> bool {
    let attempts: Vec<_> =
        lens.calls_to(TEMPORARIES).filter(|(_, found)| found[0] == master.as_str()).map(|(seen, _)| seen.it).collect();
    attempts.iter().any(|call| {
        let unknown = |call: &Call| call.status.is_none_or(|status| status >= 500);
        let told = |other: &Call| call.key.is_some() && other.key == call.key && other.accepted();
        unknown(call) && call.sent_at < before && !attempts.iter().any(|other| told(other))
    })
}

/// Whether a user had something else done with the master: a clone of it, a recovery into it, or its release.
pub fn engaged(lens: &Lens<'_>, master: &InstanceId, index: usize) -> bool {
    lens.calls().filter(|seen| seen.index < index && !seen.it.refused()).any(|seen| match seen.it.method.as_str() {
        "POST" => {
            matches!(seen.it.last_part(), Some("clones" | "recovery")) && seen.it.part(2) == Some(master.as_str())
        }
        "DELETE" => seen.it.last_part() == Some(master.as_str()),
        _ => false,
    })
}

/// Something that was seen at an event, for evidence that is neither a view nor a call.
pub fn at_event(index: usize, at: Timestamp) -> Seen<'static, ()> {
    Seen { index, at, it: &() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Scope;
    use crate::checks::testing::{Story, master, span, start};
    use serde_json::json;

    fn is_skewed(story: &Story) -> bool {
        skewed(&Lens::new(&story.history, &Scope::default()))
    }

    #[test]
    fn a_wrong_clock_is_known_by_a_fault_or_by_times_that_cannot_be() {
        let shop = master("rm-1", "mysql 5.7");
        let (mut right, mut fast, mut slow, mut told) = (Story::new(), Story::new(), Story::new(), Story::new());
        let now = right.now + span("1ms");
        right.see(&shop).keyed_call("POST /v1/instances", Some("k"), json!({}), 202, json!({"requested_at": now}));
        fast.see(&InstanceView { created_at: Some(start() + span("1500ms")), ..shop.clone() });
        slow.keyed_call(
            "POST /v1/instances",
            Some("k"),
            json!({}),
            202,
            json!({"requested_at": start() - span("900ms")}),
        );
        told.push(What::fault("skew", "skew of service is 10 ms", Some("service")));
        let found = [&right, &fast, &slow, &told].map(is_skewed);
        assert_eq!(found, [false, true, true, true]);
    }

    #[test]
    fn an_answer_given_again_is_no_fresh_sight() {
        let shop = master("rm-1", "mysql 5.7");
        let mut story = Story::new();
        story.see(&shop).call("POST /v1/instances", json!({}), 202, json!({})).see(&shop);
        let at = story.history.events[1].at;
        story.history.events[2].at = at;
        let (scope, history) = (Scope::default(), &story.history);
        let lens = Lens::new(history, &scope);
        let fresh: Vec<usize> =
            lens.instances().flat_map(|story| sights(&lens, story)).map(|seen| seen.index).collect();
        assert_eq!(fresh, vec![0]);
    }
}
