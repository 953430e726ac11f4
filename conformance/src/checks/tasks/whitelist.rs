//! What whitelists held around the authorisation of tasks, and which addresses the migration service was seen to add.

use super::calls::{AUTHORISE, Side};
use super::steady::{Touch, touched};
use crate::checks::temporary::witness::faulted_before;
use crate::history::lens::{InstanceStory, Lens, Seen, TaskStory};
use crate::history::{Call, Shot};
use jiff::Timestamp;
use recovery::model::{InstanceId, TaskId};
use std::collections::BTreeSet;

/// The entry that lets everybody in.
const EVERYBODY: &str = "0.0.0.0/0";

/// A whitelist as it was seen.
#[derive(Clone)]
pub struct Reading {
    /// Index of the sight.
    pub index: usize,
    /// Its time.
    pub at: Timestamp,
    /// Entries.
    pub entries: BTreeSet<String>,
}

impl Reading {
    /// Whether every address gets in.
    pub fn open(&self) -> bool {
        self.entries.contains(EVERYBODY)
    }

    /// The first of some addresses that does not get in.
    pub fn shuts_out<'b>(&self, addresses: &'b BTreeSet<String>) -> Option<&'b String> {
        if self.open() { None } else { addresses.iter().find(|address| !self.entries.contains(*address)) }
    }
}

/// A whitelist as it was seen, its entries not read yet.
struct Sight<'l> {
    /// Index of the sight.
    pub index: usize,
    /// Its time.
    pub at: Timestamp,
    entries: Entries<'l>,
}

enum Entries<'l> {
    /// As a setting tells them, with commas between.
    Listed(&'l str),
    Set(&'l BTreeSet<String>),
}

impl Sight<'_> {
    /// It with its entries.
    fn read(&self) -> Reading {
        let entries = match self.entries {
            Entries::Listed(text) => {
                text.split(',').map(|entry| entry.trim().to_owned()).filter(|entry| !entry.is_empty()).collect()
            }
            Entries::Set(entries) => entries.clone(),
        };
        Reading { index: self.index, at: self.at, entries }
    }
}

/// An accepted authorisation, and a side's whitelist before and after it.
pub struct Authorisation<'l, 'a> {
    /// The call.
    pub call: Seen<'a, Call>,
    /// The task.
    pub task: &'l TaskStory<'a>,
    /// The side.
    pub side: Side,
    /// The instance on that side.
    pub instance: &'a InstanceId,
    /// Before.
    pub before: Reading,
    /// After.
    pub after: Reading,
}

/// Whitelists of an instance in the order they were seen: of its photographs, or where there are none of its sights.
fn readings<'l, 'a: 'l>(
    lens: &'l Lens<'a>,
    instance: &'l InstanceId,
) -> Box<dyn DoubleEndedIterator<Item = Sight<'l>> + 'l> {
    let shown = |seen: Seen<'a, Shot>| {
        let entries = seen.it.photograph.settings.get("whitelist")?;
        Some(Sight { index: seen.index, at: seen.at, entries: Entries::Listed(entries) })
    };
    let mut shots = lens.shots(instance).filter_map(shown).peekable();
    if shots.peek().is_some() {
        return Box::new(lens.shots(instance).filter_map(shown));
    }
    let views = lens.instance(instance).into_iter().flat_map(|story| &story.views);
    Box::new(views.map(|seen| Sight {
        index: seen.index,
        at: seen.at,
        entries: Entries::Set(&seen.it.configuration.whitelist),
    }))
}

/// The first whitelist seen after a call, if neither users nor faults had a hand in it since.
pub fn reading_after(lens: &Lens<'_>, call: &Seen<'_, Call>, instance: &InstanceId) -> Option<Reading> {
    let after = readings(lens, instance).find(|reading| reading.index > call.index)?.read();
    let meddled =
        touched(lens, instance, Touch::Settings, call.it.sent_at, after.at) || faulted_before(lens, after.index);
    (!meddled).then_some(after)
}

/// The last whitelist seen before a call was sent, if no user changed it until an event after the call.
pub fn reading_before(
    lens: &Lens<'_>,
    call: &Seen<'_, Call>,
    instance: &InstanceId,
    until: Timestamp,
) -> Option<Reading> {
    let before = readings(lens, instance)
        .rev()
        .find(|reading| reading.at <= call.it.sent_at && reading.index < call.index)?
        .read();
    (!touched(lens, instance, Touch::Settings, before.at, until)).then_some(before)
}

/// The accepted authorisations of all tasks, side by side, where both whitelists are known.
fn all<'l, 'a>(lens: &'l Lens<'a>) -> Vec<Authorisation<'l, 'a>> {
    let mut found = vec![];
    for (call, ids) in lens.calls_to(AUTHORISE).filter(|(call, _)| call.it.accepted()) {
        let Some(task) = lens.task(ids[0]) else { continue };
        let Some(view) = task.view_at(call.index).or(task.views.first().copied()) else { continue };
        let sides =
            if view.it.source.instance_id == view.it.target.instance_id { &Side::BOTH[..1] } else { &Side::BOTH[..] };
        for side in sides.iter().copied() {
            let instance = &side.of(view.it).instance_id;
            let Some(after) = reading_after(lens, &call, instance) else { continue };
            let Some(before) = reading_before(lens, &call, instance, after.at) else { continue };
            found.push(Authorisation { call, task, side, instance, before, after });
        }
    }
    found
}

/// The accepted authorisations of tasks in scope, side by side, where both whitelists are known.
pub fn authorisations<'l, 'a>(lens: &'l Lens<'a>) -> Vec<Authorisation<'l, 'a>> {
    let mine: BTreeSet<&TaskId> = lens.tasks().map(|task| task.id).collect();
    all(lens).into_iter().filter(|found| mine.contains(found.task.id)).collect()
}

/// An instance, and those it was made from, whose settings it began with.
pub fn lineage<'i>(lens: &'i Lens<'_>, instance: &'i InstanceId) -> Vec<&'i InstanceId> {
    let mut found = vec![instance];
    while let Some(master) = lens.instance(found[found.len() - 1]).and_then(InstanceStory::master) {
        found.push(master);
    }
    found
}

/// Whether the service may have been let in at an instance, or at one it was made from, before an event, with no whitelist
/// to show what that added.
pub fn authorised_unseen(lens: &Lens<'_>, instance: &InstanceId, before: usize) -> bool {
    let (all, lineage) = (all(lens), lineage(lens, instance));
    lens.calls_to(AUTHORISE).filter(|(call, _)| call.index < before && !call.it.refused()).any(|(call, ids)| {
        let Some(task) = lens.task(ids[0]) else { return false };
        let sides = Side::BOTH.map(|side| &side.of(task.first).instance_id).into_iter();
        sides
            .filter(|side| lineage.contains(side))
            .any(|side| !all.iter().any(|found| found.call.index == call.index && found.instance == side))
    })
}

/// Whether a user may have set the whitelist of an instance, or of one it was made from, before an event.
pub fn listed_by_users(lens: &Lens<'_>, instance: &InstanceId, before: usize) -> bool {
    let lineage = lineage(lens, instance);
    lens.calls_to("PUT /v1/instances/{}/configuration").any(|(call, ids)| {
        let lists = call.it.request.get("whitelist").is_some_and(|entries| !entries.is_null());
        call.index < before && !call.it.refused() && lists && lineage.iter().any(|id| id.as_str() == ids[0])
    })
}

/// Addresses that authorisations, and nobody else, were seen to add: those of the migration service.
pub fn addresses(lens: &Lens<'_>) -> BTreeSet<String> {
    all(lens).iter().flat_map(|found| found.after.entries.difference(&found.before.entries).cloned()).collect()
}
