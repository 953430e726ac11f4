//! How each instance changed from one photograph to the next, object by object, and whether a user's doing explains it.

use super::doings::{Act, Doings, Place, Span, Write};
use crate::checks::migration::content::kind_word;
use crate::checks::temporary::Difference;
use crate::checks::temporary::witness::at_event;
use crate::history::lens::{InstanceStory, Lens, Seen};
use crate::history::{Shot, What};
use jiff::Timestamp;
use recovery::model::InstanceId;
use recovery::model::backup::Node;
use recovery::model::content::ObjectKind;
use recovery::model::photograph::{Photograph, PhotographedDatabase, PhotographedObject, Rows};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What differs between two photographs of one instance.
pub enum Part<'a> {
    /// A database came, went, or has another character set.
    Database(&'a str),
    /// An object came, went, or is another one.
    Object {
        /// Database.
        database: &'a str,
        /// As it was.
        old: Option<&'a PhotographedObject>,
        /// As it is.
        new: Option<&'a PhotographedObject>,
        /// Whether something in the database may carry a write on to other tables.
        carried: bool,
    },
    /// An account came, went, or has another password or other rights.
    Account(&'a str),
    /// A setting.
    Setting {
        /// Which.
        name: &'a str,
        /// Whether it is a list that only grew.
        grew: bool,
    },
}

/// A difference between two photographs of one instance that follow each other.
pub struct Change<'a> {
    /// Instance.
    pub instance: &'a InstanceId,
    /// The photograph before.
    pub before: Seen<'a, Shot>,
    /// The photograph after.
    pub after: Seen<'a, Shot>,
    /// What differs.
    pub part: Part<'a>,
}

/// Photographs of each instance whose content is its own, from the first sight of it running on, in order. What follows
/// another instance, as a replica does, is left out.
pub fn shots<'a>(lens: &Lens<'a>) -> BTreeMap<&'a InstanceId, Vec<Seen<'a, Shot>>> {
    let follows = |story: &InstanceStory<'_>| story.first.origin.follows_a_master();
    let mut found: BTreeMap<&'a InstanceId, Vec<Seen<'a, Shot>>> = BTreeMap::new();
    let begun: BTreeMap<&'a InstanceId, usize> = lens
        .instances()
        .filter(|story| !follows(story))
        .filter_map(|story| story.running().map(|seen| (story.id, seen.index)))
        .collect();
    for (index, event) in lens.history.events.iter().enumerate() {
        let What::Photograph(it) = &event.what else { continue };
        let begun = begun.get(&it.instance).is_some_and(|begun| index > *begun);
        if begun && it.node != Some(Node::Replica) {
            found.entry(&it.instance).or_default().push(Seen { index, at: event.at, it });
        }
    }
    found
}

/// Photographs that follow each other.
pub fn pairs<'a, 's>(
    shots: &'s BTreeMap<&'a InstanceId, Vec<Seen<'a, Shot>>>,
) -> impl Iterator<Item = (&'a InstanceId, Seen<'a, Shot>, Seen<'a, Shot>)> + use<'a, 's> {
    shots.iter().flat_map(|(instance, shots)| shots.windows(2).map(|pair| (*instance, pair[0], pair[1])))
}

/// Every change of every instance.
pub fn changes<'a>(lens: &Lens<'a>) -> Vec<Change<'a>> {
    let mut found = Vec::new();
    for (instance, before, after) in pairs(&shots(lens)) {
        if Arc::ptr_eq(&before.it.photograph, &after.it.photograph) {
            continue;
        }
        let parts = parts(&before.it.photograph, &after.it.photograph);
        found.extend(parts.into_iter().map(|part| Change { instance, before, after, part }));
    }
    found
}

/// The names that stand on either side.
fn names<'a, T>(
    old: &'a BTreeMap<String, T>,
    new: &'a BTreeMap<String, T>,
) -> impl Iterator<Item = (&'a str, Option<&'a T>, Option<&'a T>)> {
    let gone =
        old.iter().filter(|(name, _)| !new.contains_key(*name)).map(|(name, old)| (name.as_str(), Some(old), None));
    gone.chain(new.iter().map(|(name, new)| (name.as_str(), old.get(name), Some(new))))
}

fn parts<'a>(old: &'a Photograph, new: &'a Photograph) -> Vec<Part<'a>> {
    let mut found = Vec::new();
    for (database, old, new) in names(&old.databases, &new.databases) {
        if old.map(|held| &held.charset) != new.map(|held| &held.charset) {
            found.push(Part::Database(database));
        }
        let objects = |held: Option<&'a PhotographedDatabase>| held.map(|held| &held.objects);
        let (before, after) = (objects(old), objects(new));
        if before == after {
            continue;
        }
        let carried = before.into_iter().chain(after).any(carries);
        let object = |old, new| Part::Object { database, old, new, carried };
        match (before, after) {
            (Some(before), Some(after)) => {
                let differ = names(before, after).filter(|(_, old, new)| old != new);
                found.extend(differ.map(|(_, old, new)| object(old, new)));
            }
            (before, after) => {
                found.extend(before.into_iter().flat_map(BTreeMap::values).map(|old| object(Some(old), None)));
                found.extend(after.into_iter().flat_map(BTreeMap::values).map(|new| object(None, Some(new))));
            }
        }
    }
    let accounts = names(&old.accounts, &new.accounts).filter(|(_, old, new)| old != new);
    found.extend(accounts.map(|(name, ..)| Part::Account(name)));
    let settings = names(&old.settings, &new.settings).filter(|(_, old, new)| old != new);
    found.extend(settings.map(|(name, old, new)| Part::Setting { name, grew: grew(old, new) }));
    found
}

fn carries(objects: &BTreeMap<String, PhotographedObject>) -> bool {
    use ObjectKind as K;
    let active = [K::Trigger, K::ForeignKey, K::View, K::Procedure, K::Function, K::Rule, K::Event];
    objects.values().any(|object| active.contains(&object.kind))
}

/// Whether a list lost none of its words.
fn grew(old: Option<&String>, new: Option<&String>) -> bool {
    let words = |text: &'_ String| -> Vec<String> {
        text.split(|c: char| !(c.is_alphanumeric() || "-._".contains(c))).map(str::to_owned).collect()
    };
    let new = new.map(words).unwrap_or_default();
    old.is_none_or(|old| words(old).iter().all(|word| new.contains(word)))
}

impl<'a> Change<'a> {
    /// Between which photographs it happened.
    pub fn span(&self) -> Span {
        Span::of(&self.before, &self.after)
    }

    /// Where it shows.
    pub fn seen(&self) -> Seen<'static, ()> {
        at_event(self.after.index, self.after.at)
    }

    /// The object it is about.
    pub fn place(&self) -> Option<Place<'a>> {
        let Part::Object { database, old, new, carried } = &self.part else { return None };
        Some(Place { database, object: (*new).or(*old)?, carried: *carried })
    }

    /// The table it is about, as it was and as it is.
    pub fn table(&self) -> Option<(Place<'a>, Option<&'a PhotographedObject>, Option<&'a PhotographedObject>)> {
        let Part::Object { old, new, .. } = &self.part else { return None };
        let place = self.place()?;
        (place.object.kind == ObjectKind::Table).then_some((place, *old, *new))
    }

    /// What a user or the application did meanwhile that may explain it.
    pub fn writes<'d>(&self, doings: &'d Doings<'_, 'a>) -> impl Iterator<Item = &'d Write<'a>> + use<'d, 'a, '_> {
        let may_change = |write: &&Write<'a>| match (&self.part, &write.act) {
            (_, Act::Replaced) | (Part::Setting { .. }, Act::Set) => true,
            (Part::Database(_), Act::Sql(it)) => it.is_ddl() || it.is_redis(),
            (Part::Object { .. }, _) => self.place().is_some_and(|place| Doings::may_change(write, &place)),
            (Part::Account(_), Act::Call(it)) => it.part(3) == Some("accounts"),
            (Part::Account(_), Act::Sql(it)) => it.is_ddl(),
            (Part::Setting { .. }, Act::Call(it)) => it.part(3) == Some("configuration"),
            (Part::Setting { .. }, Act::Sql(it)) => !it.is_redis(),
            _ => false,
        };
        doings.writes(self.instance, self.span()).filter(may_change)
    }

    /// Whether a user, the application, a recovery or the instance itself explains it.
    pub fn is_users(&self, doings: &Doings<'_, 'a>) -> bool {
        let restless =
            matches!(self.part, Part::Database(_) | Part::Object { .. }) && doings.restless(self.instance, self.span());
        restless || self.writes(doings).next().is_some()
    }

    /// Whether something that moves data into the instance explains it.
    pub fn is_moved(&self, lens: &Lens<'a>, doings: &Doings<'_, 'a>) -> bool {
        let mut into = doings.moved_into(self.instance, self.span());
        match &self.part {
            Part::Database(_) => {
                into.next().is_some() || lens.moved_into_between(self.instance, self.before.index, self.after.index)
            }
            Part::Object { .. } => {
                let Some(place) = self.place() else { return false };
                into.any(|doing| doing.covers(lens, place.database, place.object))
            }
            Part::Account(_) => false,
            // Addresses of the migration are authorised for it (DTS-02).
            Part::Setting { grew, .. } => *grew,
        }
    }

    /// It in words.
    pub fn difference(&self) -> Difference {
        let (what, was, is) = match &self.part {
            Part::Database(name) => {
                let held = |shot: &Seen<'_, Shot>| shot.it.photograph.databases.contains_key(*name);
                (format!("database {name}"), held(&self.before), held(&self.after))
            }
            Part::Object { database, old, new, .. } => {
                let object = (*new).or(*old);
                let (kind, name) = object.map_or(("object".into(), ""), |it| (kind_word(it.kind), it.name.as_str()));
                let what = format!("{kind} {name} of {database}");
                let rows = |object: &Option<&'a PhotographedObject>| object.and_then(|object| object.rows.as_ref());
                if let (Some(want), Some(got)) = (rows(old), rows(new))
                    && want != got
                {
                    return Difference::Rows { what, want: want.count(), got: got.count() };
                }
                (what, old.is_some(), new.is_some())
            }
            Part::Account(name) => {
                let held = |shot: &Seen<'_, Shot>| shot.it.photograph.accounts.contains_key(*name);
                (format!("account {name}"), held(&self.before), held(&self.after))
            }
            Part::Setting { name, .. } => (format!("setting {name}"), true, true),
        };
        match (was, is) {
            (true, false) => Difference::Missing { what },
            (false, _) => Difference::Extra { what },
            (true, true) => Difference::Changed { what },
        }
    }

    /// Whether it happened while something was so.
    pub fn within(&self, from: usize, until: Timestamp) -> bool {
        from < self.after.index && self.before.at <= until
    }
}

/// Rows by their key as text; none where the photograph does not show them, or there is no key.
pub fn keys(rows: &Rows) -> Option<BTreeMap<String, &[recovery::model::content::Value]>> {
    let Rows::Whole { columns, key, rows } = rows else { return None };
    let at: Option<Vec<usize>> = key.iter().map(|key| columns.iter().position(|column| column == key)).collect();
    let at = at.filter(|at| !at.is_empty())?;
    let key = |row: &[recovery::model::content::Value]| {
        crate::checks::migration::content::text(at.iter().filter_map(|at| row.get(*at)))
    };
    Some(rows.iter().map(|row| (key(row), row.as_slice())).collect())
}

/// Whether all rows of the first stand in the second as they are; both are sorted the same way.
pub fn all_stand_in(old: &Rows, new: &Rows) -> bool {
    let (Rows::Whole { columns, rows: old, .. }, Rows::Whole { columns: is_columns, rows: new, .. }) = (old, new)
    else {
        return false;
    };
    let mut rest = new.iter();
    columns == is_columns && old.iter().all(|row| rest.any(|other| other == row))
}
