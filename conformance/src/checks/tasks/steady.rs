//! What photographs tell for certain about an instance during a span of time.

use crate::history::lens::{Lens, Seen};
use crate::history::{Event, Shot, What};
use jiff::{SignedDuration, Timestamp};
use recovery::model::InstanceId;
use recovery::model::content::ObjectKind;
use recovery::model::instance::Grants;
use recovery::model::photograph::{Photograph, PhotographedObject};
use recovery::ports::database::DatabaseError;

/// How long something without an answer may still be on its way.
pub const LINGERS: SignedDuration = SignedDuration::from_mins(1);
/// Words of statements that change accounts and their rights.
const ACCOUNT_WORDS: [&str; 6] = ["user", "login", "grant", "revoke", "password", "role"];

/// What users may change about an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Touch {
    /// Accounts, passwords and rights.
    Accounts,
    /// Whitelist, SSL and parameters.
    Settings,
    /// Databases, tables and their columns.
    Definitions,
    /// Definitions and rows.
    Content,
}

/// From when to when an event may change something about an instance.
fn span(event: &Event, instance: &InstanceId, touch: Touch) -> Option<(Timestamp, Timestamp)> {
    let (sent_at, open) = match &event.what {
        What::Statement(it) if it.instance == *instance && !it.only_reads() => {
            let sql = it.sql.to_ascii_lowercase();
            let touches = match touch {
                Touch::Accounts => ACCOUNT_WORDS.iter().any(|word| sql.contains(word)),
                Touch::Settings => false,
                Touch::Definitions => it.is_ddl(),
                Touch::Content => true,
            };
            touches.then_some((it.sent_at, matches!(it.outcome, Err(DatabaseError::Unreachable(_)))))?
        }
        What::Ledger(it) if it.instance == *instance && touch == Touch::Content => (it.sent_at, !it.acknowledged),
        What::Call(call) if call.method != "GET" && !call.refused() => {
            let subject = match touch {
                Touch::Accounts => "accounts",
                Touch::Settings => "configuration",
                Touch::Definitions | Touch::Content => return None,
            };
            let about = call.part(3) == Some(subject)
                && call.part(2) == Some(instance.as_str())
                && call.part(1) == Some("instances");
            about.then_some((call.sent_at, super::calls::unanswered(call)))?
        }
        _ => return None,
    };
    Some((sent_at, if open { event.at + LINGERS } else { event.at }))
}

/// Whether a user may have changed something about an instance between two times; all but the settings of a replica is
/// changed at its master.
pub fn touched(lens: &Lens<'_>, instance: &InstanceId, touch: Touch, from: Timestamp, to: Timestamp) -> bool {
    let index = |at: Timestamp| lens.history.events.partition_point(|event| event.at <= at);
    let restored = |at: &InstanceId| lens.restored_into_between(at, None, index(from), index(to));
    // What was told longer ago than anything lingers had ended before.
    let events = &lens.history.events[lens.history.events.partition_point(|event| event.at + LINGERS < from)..];
    let changed = |at: &InstanceId| {
        (matches!(touch, Touch::Definitions | Touch::Content) && restored(at))
            || events
                .iter()
                .filter_map(|event| span(event, at, touch))
                .any(|(began, ended)| began <= to && ended >= from)
    };
    if touch == Touch::Settings { changed(instance) } else { lens.written_at(instance).any(changed) }
}

/// The last photograph that was certainly taken before a time.
pub fn shot_by<'a>(lens: &Lens<'a>, instance: &InstanceId, at: Timestamp) -> Option<Seen<'a, Shot>> {
    lens.shots(instance).rev().find(|seen| seen.at <= at)
}

/// A fact that held all the time between two times: photographs before, after and in between agree on it, and no user
/// changed it meanwhile.
pub fn steady<'a, T: PartialEq>(
    lens: &Lens<'a>,
    instance: &InstanceId,
    touch: Touch,
    (from, to): (Timestamp, Timestamp),
    fact: impl Fn(&'a Photograph) -> Option<T>,
) -> Option<T> {
    let before = shot_by(lens, instance, from)?;
    let after = lens.shots(instance).find(|seen| seen.at >= to && seen.index > before.index)?;
    let told = fact(&before.it.photograph)?;
    let between = lens.shots(instance).filter(|seen| seen.index > before.index && seen.index <= after.index);
    let agree = between.into_iter().all(|seen| fact(&seen.it.photograph).as_ref() == Some(&told));
    (agree && !touched(lens, instance, touch, before.at, after.at)).then_some(told)
}

/// An account of a photograph: `None` where the photograph tells of no accounts at all, `Some(None)` where it lacks this one.
pub fn account<'a>(photograph: &'a Photograph, name: &str) -> Option<Option<(&'a str, &'a Grants)>> {
    if photograph.accounts.is_empty() {
        return None;
    }
    Some(photograph.accounts.get(name).map(|account| (account.password_mark.as_str(), &account.grants)))
}

/// Whether SSL was on.
pub fn ssl(photograph: &Photograph) -> Option<bool> {
    photograph.settings.get("ssl")?.parse().ok()
}

/// Names of the tables of a database.
pub fn tables<'a>(photograph: &'a Photograph, database: &str) -> Vec<&'a str> {
    let objects = photograph.databases.get(database).into_iter().flat_map(|database| database.objects.values());
    objects.filter(|object| object.kind == ObjectKind::Table).map(|object| object.name.as_str()).collect()
}

/// A table of a database, whatever the case of its name.
pub fn table<'a>(photograph: &'a Photograph, database: &str, name: &str) -> Option<&'a PhotographedObject> {
    let objects = photograph.databases.get(database)?.objects.values();
    objects.into_iter().find(|object| object.kind == ObjectKind::Table && object.name.eq_ignore_ascii_case(name))
}
