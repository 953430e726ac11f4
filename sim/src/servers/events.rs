//! The event scheduler of a MySQL server: statements that run by the server's clock, with the rights of their definers.
//!
//! What it models: `every N UNIT [starts T] [ends T]` and `at T`, with T a time or `current_timestamp [+ interval N UNIT]`. An
//! occurrence that falls into a time when the machine is down is left out. An event `at` a time is dropped once it ran,
//! unless it says `on completion preserve`. `alter event` is not there.

use super::catalogue::Definition;
use super::server::Server;
use super::tokens::{Token, quoted, tokens};
use jiff::{SignedDuration, Timestamp, civil, tz::TimeZone};
use recovery::model::Version;
use recovery::model::content::ObjectKind;
use recovery::ports::clock::later;
use recovery::ports::database::DatabaseError;
use std::collections::BTreeMap;

/// The parameter that switches the scheduler on and off.
const SCHEDULER: &str = "event_scheduler";

/// When an event runs.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Schedule {
    /// First time; the making of the event unless said.
    starts: Option<When>,
    /// Between two times; without one it runs once.
    every: Option<SignedDuration>,
    /// No time after this one.
    ends: Option<When>,
    /// Whether it stays after its last time.
    preserved: bool,
    /// Whether it is switched on.
    enabled: bool,
    /// The statements.
    body: String,
}

/// A time in a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    /// A time by the server's clock.
    At(Timestamp),
    /// So long after the making of the event.
    After(SignedDuration),
}

impl When {
    fn from(self, made_at: Timestamp) -> Timestamp {
        match self {
            Self::At(time) => time,
            Self::After(span) => later(made_at, span),
        }
    }
}

/// What a server keeps of its events between two looks at them.
#[derive(Debug, Default)]
pub(super) struct Timetable(BTreeMap<(String, String), Entry>);

#[derive(Debug)]
struct Entry {
    /// The definition it was read from; another one is another event.
    revision: u64,
    schedule: Schedule,
    ends_at: Option<Timestamp>,
    next_at: Option<Timestamp>,
}

impl Server {
    /// Runs the events that are due, and says when the next one will be.
    pub fn run_events(&mut self, now: Timestamp) -> Option<Timestamp> {
        if !self.has_events() || self.follows.is_some() || !self.scheduler_is_on() {
            return None;
        }
        self.read_timetable(now);
        let due = self.events.0.iter().filter_map(|(name, entry)| Some((entry.next_at?, name.clone())));
        let mut due: Vec<_> = due.filter(|(at, _)| *at <= now).collect();
        due.sort();
        for (_, name) in due {
            self.run_event(&name, now);
        }
        self.events.0.values().filter_map(|entry| entry.next_at).min()
    }

    fn has_events(&self) -> bool {
        let is_event = |definition: &Definition| definition.kind == ObjectKind::Event;
        self.databases.values().any(|db| db.catalogue.definitions.values().any(is_event))
    }

    /// MySQL 8.0 begins with the scheduler on, the versions before it with the scheduler off.
    fn scheduler_is_on(&self) -> bool {
        match self.configuration.parameters.get(SCHEDULER) {
            Some(value) => value.eq_ignore_ascii_case("on") || value == "1",
            None => self.product.version == Version::V8_0,
        }
    }

    /// Takes up events that are new and forgets those that are gone.
    fn read_timetable(&mut self, now: Timestamp) {
        let mut entries = BTreeMap::new();
        for (database, db) in &self.databases {
            for (key, definition) in &db.catalogue.definitions {
                if definition.kind != ObjectKind::Event {
                    continue;
                }
                let name = (database.clone(), definition.name.clone());
                let revision = db.catalogue.revisions.get(key).copied().unwrap_or_default();
                let known = self.events.0.remove(&name).filter(|entry| entry.revision == revision);
                let entry = known.or_else(|| Entry::new(revision, read(&definition.text).ok()?, now));
                entries.extend(entry.map(|entry| (name, entry)));
            }
        }
        self.events.0 = entries;
    }

    fn run_event(&mut self, name: &(String, String), now: Timestamp) {
        let (database, event) = name;
        let Some(entry) = self.events.0.get_mut(name) else { return };
        entry.next_at = entry.after(now);
        let (body, last) = (entry.schedule.body.clone(), entry.next_at.is_none() && !entry.schedule.preserved);
        let key = super::catalogue::key(ObjectKind::Event, event);
        let definition = self.databases.get(database).and_then(|db| db.catalogue.definitions.get(&key));
        let Some(definer) = definition.and_then(|definition| definition.owner.definer.clone()) else { return };
        // As on the real server, what an event cannot do is for the error log only.
        if let Err(error) = self.run(&definer, database, &body, now) {
            tracing::debug!(database, event, %error, "an event failed");
        }
        if last && let Err(error) = self.run(&definer, database, &format!("drop event {}", quoted(event)), now) {
            tracing::debug!(database, event, %error, "an event that is over could not be dropped");
        }
    }
}

impl Entry {
    fn new(revision: u64, schedule: Schedule, now: Timestamp) -> Option<Self> {
        let first = schedule.starts.map_or(now, |starts| starts.from(now));
        let ends_at = schedule.ends.map(|ends| ends.from(now));
        let mut entry = Self { revision, schedule, ends_at, next_at: None };
        if entry.schedule.enabled {
            entry.next_at = if first >= now { Some(first) } else { entry.next_from(first, now) };
            entry.next_at = entry.next_at.filter(|next| entry.ends_at.is_none_or(|ends_at| *next <= ends_at));
        }
        Some(entry)
    }

    /// The first time after `now`.
    fn after(&self, now: Timestamp) -> Option<Timestamp> {
        let next = self.next_from(self.next_at?, now)?;
        Some(next).filter(|next| self.ends_at.is_none_or(|ends_at| *next <= ends_at))
    }

    fn next_from(&self, from: Timestamp, now: Timestamp) -> Option<Timestamp> {
        let every_ms = i64::try_from(self.schedule.every?.as_millis()).ok().filter(|every_ms| *every_ms > 0)?;
        let passed_ms = i64::try_from(now.duration_since(from).as_millis()).ok()?;
        Some(later(from, SignedDuration::from_millis(every_ms * (passed_ms.max(0) / every_ms + 1))))
    }
}

/// Refuses an event whose schedule is not understood.
pub(super) fn check(text: &str) -> Result<(), DatabaseError> {
    read(text).map(drop)
}

fn read(text: &str) -> Result<Schedule, DatabaseError> {
    let all = tokens(text);
    let bad = |what: &str| DatabaseError::Statement(format!("the event's schedule is not understood: {what}"));
    let at = all.iter().position(|token| token.is("schedule")).ok_or_else(|| bad("ON SCHEDULE is missing"))?;
    let body = all.iter().skip(at).position(|token| token.is("do")).ok_or_else(|| bad("DO is missing"))? + at;
    let mut rest = Reader { tokens: &all[at + 1..body], at: 0 };
    let mut schedule = Schedule {
        starts: None,
        every: None,
        ends: None,
        preserved: false,
        enabled: true,
        body: inner(text[all[body].end..].trim()),
    };
    if rest.takes("every") {
        schedule.every = Some(rest.interval().ok_or_else(|| bad("EVERY needs a number and a unit"))?);
    } else if rest.takes("at") {
        schedule.starts = Some(rest.when().ok_or_else(|| bad("AT needs a time"))?);
    } else {
        return Err(bad("it says neither EVERY nor AT"));
    }
    while let Some(token) = rest.next() {
        match token.text.to_ascii_lowercase().as_str() {
            "starts" => schedule.starts = Some(rest.when().ok_or_else(|| bad("STARTS needs a time"))?),
            "ends" => schedule.ends = Some(rest.when().ok_or_else(|| bad("ENDS needs a time"))?),
            "on" if rest.takes("completion") => {
                schedule.preserved = !rest.takes("not");
                rest.takes("preserve");
            }
            "enable" => {}
            "disable" => schedule.enabled = false,
            "comment" => drop(rest.next()),
            other => return Err(bad(other)),
        }
    }
    Ok(schedule)
}

/// The statements of a body, without the words around them.
fn inner(body: &str) -> String {
    let all = tokens(body);
    match (all.first(), all.iter().rev().find(|token| !token.is(";"))) {
        (Some(first), Some(last)) if first.is("begin") && last.is("end") => body[first.end..last.start].to_owned(),
        _ => body.to_owned(),
    }
}

struct Reader<'a> {
    tokens: &'a [Token<'a>],
    at: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Option<&'a Token<'a>> {
        let token = self.tokens.get(self.at)?;
        self.at += 1;
        Some(token)
    }

    fn takes(&mut self, word: &str) -> bool {
        let is = self.tokens.get(self.at).is_some_and(|token| token.is(word));
        self.at += usize::from(is);
        is
    }

    fn interval(&mut self) -> Option<SignedDuration> {
        let number: i64 = self.next()?.name().parse().ok()?;
        let unit_s = match self.next()?.text.to_ascii_lowercase().as_str() {
            "second" => 1,
            "minute" => 60,
            "hour" => 3_600,
            "day" => 86_400,
            "week" => 604_800,
            _ => return None,
        };
        number.checked_mul(unit_s).filter(|seconds| *seconds > 0).map(SignedDuration::from_secs)
    }

    fn when(&mut self) -> Option<When> {
        let token = self.next()?;
        if !token.is_any(&["current_timestamp", "now"]) {
            let time: civil::DateTime = token.name().parse().ok()?;
            return Some(When::At(time.to_zoned(TimeZone::UTC).ok()?.timestamp()));
        }
        if self.takes("(") && !self.takes(")") {
            return None;
        }
        if !self.takes("+") {
            return Some(When::After(SignedDuration::ZERO));
        }
        if !self.takes("interval") {
            return None;
        }
        self.interval().map(When::After)
    }
}
