//! What an instance must hold, told by photographs, and how two photographs differ.

use super::witness::{Choice, alive, asked, engaged, faulted_before, order_of, skewed};
use crate::history::lens::{InstanceStory, Lens, Seen};
use crate::history::{Event, Shot, What};
use jiff::{SignedDuration, Timestamp};
use recovery::model::InstanceId;
use recovery::model::backup::{BackupKind, BackupStatus};
use recovery::model::instance::InstanceState;
use recovery::model::photograph::{Photograph, PhotographedDatabase};
use recovery::model::views::{BackupView, InstanceView};
use recovery::ports::database::DatabaseError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Times in answers may be cut to whole seconds; around one, what was written may be on either side of it.
const SECOND: SignedDuration = SignedDuration::from_secs(1);
/// How long a write without an answer may still be on its way.
const LINGERS: SignedDuration = SignedDuration::from_mins(1);

/// The first difference between two contents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "differs", rename_all = "kebab-case")]
pub enum Difference {
    /// A database, object, account or setting that must be there is not.
    Missing {
        /// Which.
        what: String,
    },
    /// A database, object, account or setting that must not be there is.
    Extra {
        /// Which.
        what: String,
    },
    /// It is there and not as it must be.
    Changed {
        /// Which.
        what: String,
    },
    /// A table has other rows.
    Rows {
        /// Which.
        what: String,
        /// Rows wanted.
        want: u64,
        /// Rows found.
        got: u64,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { what } => write!(f, "{what} missing"),
            Self::Extra { what } => write!(f, "{what} that must not be there"),
            Self::Changed { what } => write!(f, "{what} changed"),
            Self::Rows { what, want, got } if want == got => write!(f, "{what} with other rows"),
            Self::Rows { what, want, got } => write!(f, "{what} with {got} rows instead of {want}"),
        }
    }
}

fn first_of<T>(
    want: &BTreeMap<String, T>,
    got: &BTreeMap<String, T>,
    name: impl Fn(&str) -> String,
    differ: impl Fn(&str, &T, &T) -> Option<Difference>,
) -> Option<Difference> {
    let missing = want.keys().find(|key| !got.contains_key(*key)).map(|key| Difference::Missing { what: name(key) });
    let extra = || got.keys().find(|key| !want.contains_key(*key)).map(|key| Difference::Extra { what: name(key) });
    missing.or_else(extra).or_else(|| want.iter().find_map(|(key, value)| differ(key, value, got.get(key)?)))
}

fn changed<T: PartialEq>(what: String, want: &T, got: &T) -> Option<Difference> {
    (want != got).then_some(Difference::Changed { what })
}

/// The first difference in databases: objects, definitions and rows.
pub fn data_difference(want: &Photograph, got: &Photograph) -> Option<Difference> {
    let database = |name: &str| format!("database {name}");
    first_of(&want.databases, &got.databases, database, |name, want, got| {
        in_database(name, want, got)
            .or_else(|| changed(format!("character set of {name}"), &want.charset, &got.charset))
    })
}

fn in_database(database: &str, want: &PhotographedDatabase, got: &PhotographedDatabase) -> Option<Difference> {
    let name = |object: &str| format!("{object} of {database}");
    first_of(&want.objects, &got.objects, name, |object, want, got| {
        if let (Some(rows), Some(found)) = (&want.rows, &got.rows)
            && rows != found
        {
            return Some(Difference::Rows { what: name(object), want: rows.count(), got: found.count() });
        }
        changed(name(object), want, got)
    })
}

/// The first difference in accounts, passwords and rights.
pub fn account_difference(want: &Photograph, got: &Photograph) -> Option<Difference> {
    let account = |name: &str| format!("account {name}");
    first_of(&want.accounts, &got.accounts, account, |name, want, got| {
        changed(format!("password of {name}"), &want.password_mark, &got.password_mark)
            .or_else(|| changed(format!("rights of {name}"), &want.grants, &got.grants))
    })
}

/// The first difference in server settings other than SSL, which no document counts among the settings a clone takes over.
pub fn setting_difference(want: &Photograph, got: &Photograph) -> Option<Difference> {
    let without_ssl = |photograph: &Photograph| -> BTreeMap<String, String> {
        photograph
            .settings
            .iter()
            .filter(|(key, _)| !key.starts_with("ssl"))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    };
    let setting = |name: &str| format!("setting {name}");
    first_of(&without_ssl(want), &without_ssl(got), setting, |name, want, got| changed(setting(name), want, got))
}

/// When something other than the system that may change an instance began.
fn touch(event: &Event, instance: &InstanceId) -> Option<Timestamp> {
    match &event.what {
        What::Statement(it) if it.instance == *instance && !it.only_reads() => Some(it.sent_at),
        What::Ledger(it) if it.instance == *instance => Some(it.sent_at),
        What::Call(call) if call.method != "GET" && !call.refused() => {
            let parts = call.parts();
            let about = parts.len() > 3 && parts[1] == "instances" && parts[2] == instance.as_str();
            (about && matches!(parts[3], "accounts" | "configuration")).then_some(call.sent_at)
        }
        _ => None,
    }
}

fn unanswered(event: &Event) -> bool {
    match &event.what {
        What::Statement(it) => matches!(it.outcome, Err(DatabaseError::Unreachable(_))),
        What::Ledger(it) => !it.acknowledged,
        What::Call(call) => call.status.is_none_or(|status| status >= 500),
        _ => false,
    }
}

/// Whether nothing can have changed an instance between a photograph and a time.
pub fn untouched(lens: &Lens<'_>, instance: &InstanceId, from: &Seen<'_, Shot>, until: Timestamp) -> bool {
    let last = lens.history.events.partition_point(|event| event.at <= until);
    untouched_by_users(lens, instance, from, until)
        && !lens.moved_into_between(instance, from.index, last)
        && !lens.changes_by_itself(instance)
}

/// Whether no user and no application can have changed an instance, or the master it follows, between a photograph and a
/// time.
pub fn untouched_by_users(lens: &Lens<'_>, instance: &InstanceId, from: &Seen<'_, Shot>, until: Timestamp) -> bool {
    let alone = |instance: &InstanceId| left_alone(lens, instance, from, until);
    alone(instance) && lens.followed(instance).is_none_or(alone)
}

fn left_alone(lens: &Lens<'_>, instance: &InstanceId, from: &Seen<'_, Shot>, until: Timestamp) -> bool {
    let (before, after) = lens.history.events.split_at(from.index);
    let lingers = |event: &Event| unanswered(event) && touch(event, instance).is_some() && event.at + LINGERS > from.at;
    !after.iter().any(|event| touch(event, instance).is_some_and(|began| began <= until))
        && !before.iter().rev().take_while(|event| event.at + LINGERS > from.at).any(lingers)
}

/// What an instance held at all times between two, both told by the servers' clocks.
pub fn held_from_to<'a>(
    lens: &Lens<'a>,
    instance: &InstanceId,
    from: Timestamp,
    to: Timestamp,
) -> Option<&'a Photograph> {
    let shot = lens.shots(instance).rev().find(|seen| seen.at <= from)?;
    untouched(lens, instance, &shot, to).then(|| shot.it.photograph.as_ref())
}

/// Whether the clock of a machine was set shortly before an event, by so much that what was committed before it may bear a
/// later second than the event itself.
fn clock_was_set_before(lens: &Lens<'_>, index: usize, at: Timestamp) -> bool {
    let mut jumped_ms: BTreeMap<&str, i64> = BTreeMap::new();
    lens.history.events[..index].iter().any(|event| {
        let What::Fault { kind, text, host: Some(host), .. } = &event.what else { return false };
        if kind != "jump" || !host.starts_with("machine") {
            return false;
        }
        // The end of a jump says no number: it takes back what the beginning said.
        let told = text.split_whitespace().find_map(|word| word.parse::<i64>().ok());
        let ms = told.or_else(|| jumped_ms.get(host.as_str()).copied()).unwrap_or_default();
        jumped_ms.insert(host, ms);
        event.at + SignedDuration::from_millis(ms.saturating_abs()) + SECOND >= at
    })
}

/// What an instance held at the end of a second of its own clock: the photograph at the mark of that second, if no user
/// changed anything in the rest of it, or what it held all the time around it.
pub fn held_at<'a>(lens: &Lens<'a>, instance: &InstanceId, second: Timestamp) -> Option<&'a Photograph> {
    let marked = lens.shot_at_second(instance, second);
    let marked = marked.filter(|(shot, over)| {
        untouched_by_users(lens, instance, shot, *over) && !clock_was_set_before(lens, shot.index, shot.at)
    });
    marked
        .map(|(shot, _)| shot.it.photograph.as_ref())
        .or_else(|| if skewed(lens) { None } else { held_from_to(lens, instance, second - SECOND, second + SECOND) })
}

/// What an instance restored from its master's backup must hold; `None` where no photograph tells for certain.
pub fn truth<'a>(lens: &Lens<'a>, story: &InstanceStory<'a>) -> Option<&'a Photograph> {
    let master = story.master()?;
    match asked(lens, story)? {
        Choice::PointInTime(time) => held_at(lens, master, time),
        Choice::BackupSet(id) => {
            let (done_at, backup) = backups(lens).find(|(_, backup)| backup.id == id && complete(backup))?;
            if skewed(lens) {
                return None;
            }
            // Content that never changed while the backup was taken is its content, whatever it says of its time.
            held_from_to(lens, &backup.instance, backup.began_at, done_at).or_else(|| {
                let content_to = backup.content_to?;
                held_from_to(lens, &backup.instance, content_to - SECOND, content_to + SECOND)
            })
        }
    }
}

/// Backups seen, with the time of the sight.
pub fn backups<'a>(lens: &Lens<'a>) -> impl Iterator<Item = (Timestamp, &'a BackupView)> + use<'a> {
    lens.history.events.iter().filter_map(|event| match &event.what {
        What::BackupSeen(view) => Some((event.at, view.as_ref())),
        _ => None,
    })
}

/// Whether a backup is a complete data backup.
pub fn complete(backup: &BackupView) -> bool {
    backup.kind == BackupKind::Data && backup.status == BackupStatus::Success
}

/// The first photograph of an instance in order, if nobody has touched it since it was made.
pub fn fresh_shot<'a>(lens: &Lens<'a>, story: &InstanceStory<'a>) -> Option<Seen<'a, Shot>> {
    let running = story.running()?;
    let shot = lens.shots(story.id).find(|seen| seen.index > running.index)?;
    let touched = lens.history.events.iter().any(|event| touch(event, story.id).is_some_and(|began| began <= shot.at));
    let moved = lens.moved_into_between(story.id, 0, shot.index) || lens.changes_by_itself(story.id);
    (!touched && !moved).then_some(shot)
}

/// How a master changed from one photograph to the next while an instance was made of it, where only that can have
/// changed it: the first change, or the last pair of photographs without one. Log positions are left out: servers write
/// to their logs on their own.
pub fn change_by_making<'a>(
    lens: &Lens<'a>,
    story: &InstanceStory<'a>,
) -> Option<(Seen<'a, Shot>, Option<Difference>)> {
    let master = story.master()?;
    let order = order_of(lens, story.id)?;
    let made = story.running().map_or(order.index, |seen| seen.index);
    let mut before = lens.shots(master).rev().find(|seen| seen.index < order.index && seen.at <= order.it.sent_at)?;
    let mut last = None;
    for after in lens.shots(master).filter(|seen| seen.index > order.index) {
        if untouched(lens, master, &before, after.at) {
            let difference = photographed_change(lens, &before, &after);
            if difference.is_some() {
                return Some((after, difference));
            }
            last = Some(after);
        }
        before = after;
        if after.index > made {
            break;
        }
    }
    last.map(|after| (after, view_change(lens, master, order.index, made)))
}

fn photographed_change(lens: &Lens<'_>, before: &Seen<'_, Shot>, after: &Seen<'_, Shot>) -> Option<Difference> {
    let (want, got) = (before.it.photograph.as_ref(), after.it.photograph.as_ref());
    let authorised = authorised_between(lens, before.index, after.index);
    let settings = || if authorised { None } else { setting_difference(want, got) };
    data_difference(want, got).or_else(|| account_difference(want, got)).or_else(settings)
}

/// Whether migration tasks or data sources were worked on, which adds addresses to whitelists (DTS-02).
pub fn authorised_between(lens: &Lens<'_>, from: usize, to: usize) -> bool {
    let calls = lens.calls().filter(|seen| seen.index > from && seen.it.sent_at <= lens.history.events[to].at);
    let adds = |part: &&str| matches!(*part, "migration-tasks" | "data-sources");
    calls.into_iter().any(|seen| seen.it.method != "GET" && seen.it.parts().get(1).is_some_and(adds))
}

fn view_change(lens: &Lens<'_>, master: &InstanceId, order: usize, made: usize) -> Option<Difference> {
    let story = lens.instance(master)?;
    let running = |state| state == InstanceState::Running;
    let before = story.views.iter().rev().find(|seen| seen.index < order && running(seen.it.state))?;
    let after = story.views.iter().find(|seen| seen.index > made)?;
    if lens.touched_between(master, before.index, after.index) || authorised_between(lens, before.index, after.index) {
        return None;
    }
    let steady = !faulted_before(lens, after.index);
    let idle = steady && !engaged(lens, master, after.index);
    let (want, got): (&InstanceView, &InstanceView) = (before.it, after.it);
    changed("product".into(), &want.product, &got.product)
        .or_else(|| changed("region".into(), &want.region, &got.region))
        .or_else(|| changed("network".into(), &want.network, &got.network))
        .or_else(|| changed("billing".into(), &want.billing, &got.billing))
        .or_else(|| changed("configuration".into(), &want.configuration, &got.configuration))
        .or_else(|| if idle { changed("state".into(), &want.state, &got.state) } else { None })
        .or_else(|| {
            if steady && alive(got.state) { changed("endpoint".into(), &want.endpoint, &got.endpoint) } else { None }
        })
}
