//! Who may have changed an instance between two photographs, and what of it: users, migrations, restores, recoveries.

use crate::checks::migration::content::belongs_to;
use crate::checks::migration::text::{name_after, names, reaches_further, tells_of};
use crate::checks::restore::content::{chosen, mapped};
use crate::checks::temporary::witness::faulted_before;
use crate::history::lens::logical::RestoreStory;
use crate::history::lens::{InstanceStory, Lens, Seen, TaskStory};
use crate::history::{Call, LedgerEntry, Shot, Statement, What};
use jiff::{SignedDuration, Timestamp};
use recovery::model::InstanceId;
use recovery::model::content::ObjectKind;
use recovery::model::logical::views::RestoreView;
use recovery::model::photograph::PhotographedObject;
use recovery::model::task::{MigrationType, TaskStatus};
use recovery::ports::database::DatabaseError;
use std::collections::{BTreeMap, BTreeSet};

/// How long what got no answer may still be on its way.
pub const LINGERS: SignedDuration = SignedDuration::from_mins(1);

/// The time between two photographs: index and time of each.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    /// The earlier one.
    pub from: (usize, Timestamp),
    /// The later one.
    pub to: (usize, Timestamp),
}

impl Span {
    /// From one photograph to a later one.
    pub fn of(before: &Seen<'_, Shot>, after: &Seen<'_, Shot>) -> Self {
        Self { from: (before.index, before.at), to: (after.index, after.at) }
    }
}

/// What a user or the application did.
pub enum Act<'a> {
    /// A statement that may have changed something.
    Sql(&'a Statement),
    /// A row of the application.
    Row(&'a LedgerEntry),
    /// A request about accounts or settings.
    Call(&'a Call),
    /// Another node took its place.
    Replaced,
    /// Its server was set to something else by a fault.
    Set,
}

/// Something a user or the application did to one instance.
pub struct Write<'a> {
    /// Index of the event, which is when the answer came.
    pub index: usize,
    /// When the answer, or the end of waiting for it, came.
    pub at: Timestamp,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// Whether nobody knows what came of it.
    pub open: bool,
    /// Whether it may have its effect whenever the server can be reached again: what an answered request set is brought
    /// to the server later where a fault is between.
    pub late: bool,
    /// What.
    pub act: Act<'a>,
}

impl Write<'_> {
    /// Whether it may have had its effect between two photographs.
    pub fn within(&self, span: Span) -> bool {
        let late = self.late || (self.open && self.at + LINGERS > span.from.1);
        (late || self.index > span.from.0) && self.sent_at <= span.to.1
    }

    /// Whether it only adds rows.
    pub fn only_adds(&self) -> bool {
        match &self.act {
            Act::Row(_) => true,
            Act::Sql(it) => !it.is_redis() && inserted_into(&it.sql).is_some(),
            Act::Call(_) | Act::Replaced | Act::Set => false,
        }
    }
}

/// The table of a plain insert.
pub fn inserted_into(sql: &str) -> Option<String> {
    let one = sql.trim().trim_end_matches(';');
    let begins = one.get(..6).is_some_and(|word| word.eq_ignore_ascii_case("insert"));
    let other = ["replace", "ignore", "conflict", "duplicate"].iter().any(|word| names(one, word));
    if begins && !one.contains(';') && !other { name_after(one, "into") } else { None }
}

/// What moves data into an instance.
pub enum Movement<'l, 'a> {
    /// A migration.
    Migration(&'l TaskStory<'a>),
    /// A logical restore.
    Restore(&'l RestoreStory<'a>),
}

/// Data moved from one instance into another.
pub struct Doing<'l, 'a> {
    /// Where the data comes from; a restore reads no living instance.
    pub source: Option<&'a InstanceId>,
    /// Where it goes.
    pub target: &'a InstanceId,
    /// The last event by which nothing had been moved.
    pub from: usize,
    /// When nothing is moved any more.
    pub until: Timestamp,
    /// What moves it.
    pub movement: Movement<'l, 'a>,
}

impl Doing<'_, '_> {
    /// Whether it may have moved something between two photographs.
    pub fn within(&self, span: Span) -> bool {
        self.from < span.to.0 && span.from.1 <= self.until
    }

    /// The task's id.
    pub fn id(&self) -> &recovery::model::TaskId {
        match &self.movement {
            Movement::Migration(task) => task.id,
            Movement::Restore(restore) => restore.id,
        }
    }

    /// Whether it carries changes over as they come, deletions among them.
    pub fn follows(&self) -> bool {
        match &self.movement {
            Movement::Migration(task) => {
                task.views.iter().any(|seen| seen.it.types.contains(&MigrationType::Incremental))
            }
            Movement::Restore(_) => false,
        }
    }
}

/// All that was done to all instances.
pub struct Doings<'l, 'a> {
    lens: &'l Lens<'a>,
    writes: BTreeMap<&'a InstanceId, Vec<Write<'a>>>,
    /// Migrations and restores that may have moved something.
    pub moves: Vec<Doing<'l, 'a>>,
}

impl<'l, 'a> Doings<'l, 'a> {
    /// Reads a history.
    pub fn of(lens: &'l Lens<'a>) -> Self {
        let mut writes: BTreeMap<&'a InstanceId, Vec<Write<'a>>> = BTreeMap::new();
        let mut add = |instance: &'a InstanceId, write: Write<'a>| writes.entry(instance).or_default().push(write);
        for (index, event) in lens.history.events.iter().enumerate() {
            let at = event.at;
            match &event.what {
                What::Statement(it) if !it.only_reads() => {
                    let open = matches!(it.outcome, Err(DatabaseError::Unreachable(_)));
                    add(&it.instance, Write { index, at, sent_at: it.sent_at, open, late: false, act: Act::Sql(it) });
                }
                What::Ledger(it) => {
                    add(
                        &it.instance,
                        Write {
                            index,
                            at,
                            sent_at: it.sent_at,
                            open: !it.acknowledged,
                            late: false,
                            act: Act::Row(it),
                        },
                    );
                }
                What::Call(it) if it.method != "GET" && !it.refused() => {
                    let parts = it.parts();
                    let about =
                        parts.len() > 3 && parts[1] == "instances" && matches!(parts[3], "accounts" | "configuration");
                    if let Some(story) = about.then(|| lens.instance(&parts[2].into())).flatten() {
                        let (open, late) = (!it.accepted(), faulted_before(lens, index));
                        add(story.id, Write { index, at, sent_at: it.sent_at, open, late, act: Act::Call(it) });
                    }
                }
                What::Fault { text, kind, .. } => {
                    for story in lens.instances().filter(|story| tells_of(text, &lens.name(story.id))) {
                        let act = match kind.as_str() {
                            // What a replica has not got yet is gone with its master.
                            "failover" if lens.is_redis(story.id) => Act::Replaced,
                            "version" | "time-zone" => Act::Set,
                            _ => continue,
                        };
                        add(story.id, Write { index, at, sent_at: at - LINGERS, open: true, late: false, act });
                    }
                }
                _ => {}
            }
        }
        let mut moves: Vec<Doing<'l, 'a>> = lens.tasks().filter_map(|task| migration(lens, task)).collect();
        moves.extend(lens.restores().filter_map(|story| restore(lens, story)));
        Self { lens, writes, moves }
    }

    /// What users and the application did to an instance between two photographs.
    pub fn writes(&self, instance: &InstanceId, span: Span) -> impl Iterator<Item = &Write<'a>> {
        let all = self.writes.get(instance).map_or(&[][..], Vec::as_slice);
        all.iter().filter(move |write| write.within(span))
    }

    /// Migrations and restores that may have moved something into an instance between two photographs.
    pub fn moved_into(&self, instance: &InstanceId, span: Span) -> impl Iterator<Item = &Doing<'l, 'a>> {
        self.moves.iter().filter(move |doing| doing.target == instance && doing.within(span))
    }

    /// Whether an instance changes by itself, or all of it may have been replaced between two photographs.
    pub fn restless(&self, instance: &InstanceId, span: Span) -> bool {
        self.lens.changes_by_itself(instance) || self.lens.recovered_between(instance, span.from.0, span.to.0)
    }

    /// Whether a write may have changed an object: it names it, reaches further than it names, or something in the
    /// database carries it on.
    pub fn may_change(write: &Write<'_>, place: &Place<'_>) -> bool {
        match &write.act {
            Act::Row(it) => {
                let own = it.database == place.database && it.table == place.object.name;
                own || place.carried || place.of_redis()
            }
            Act::Sql(it) => {
                let named = names(&it.sql, &place.object.name) || reaches_further(&it.sql) || it.is_redis();
                named || place.carried || (place.object.kind != ObjectKind::Table && it.is_ddl())
            }
            Act::Call(_) | Act::Set => false,
            Act::Replaced => true,
        }
    }
}

/// An object and what stands around it.
pub struct Place<'p> {
    /// Database.
    pub database: &'p str,
    /// The object.
    pub object: &'p PhotographedObject,
    /// Whether triggers, foreign keys, views or routines of the database may carry a write to other tables.
    pub carried: bool,
}

impl Place<'_> {
    /// Whether it is the key space of a Redis database.
    pub fn of_redis(&self) -> bool {
        crate::checks::migration::scene::is_key_space((self.database, &self.object.name))
    }
}

impl Doing<'_, '_> {
    /// Whether an object of the target may be changed by it: it was chosen, or belongs to a table that was.
    pub fn covers(&self, lens: &Lens<'_>, database: &str, object: &PhotographedObject) -> bool {
        let of_table = belongs_to(object);
        match &self.movement {
            Movement::Migration(task) => task.views.iter().flat_map(|seen| &seen.it.objects).any(|selection| {
                let name = selection.table_as.as_ref().or(selection.table.as_ref());
                selection.target_database() == database
                    && name.is_none_or(|name| match object.kind {
                        ObjectKind::Table => *name == object.name,
                        _ => of_table.as_ref() == Some(name),
                    })
            }),
            Movement::Restore(story) => story.views.iter().any(|seen| restores(lens, seen.it, database, object)),
        }
    }
}

/// Whether a restore brings an object, by its name in the target.
fn restores(lens: &Lens<'_>, view: &RestoreView, database: &str, object: &PhotographedObject) -> bool {
    let all = BTreeSet::new();
    let databases = lens.backup_task(&view.backup_task).map_or(&all, |task| &task.first.databases);
    if chosen(view, databases, database, object) {
        return true;
    }
    // An index comes with its table, whatever that is called.
    let table = if object.kind == ObjectKind::Index { belongs_to(object) } else { Some(object.name.clone()) };
    let mut renamed = view.mapping.iter().filter(|it| it.database == database && table.as_ref() == Some(&it.table_as));
    renamed.any(|mapping| {
        let kind = if object.kind == ObjectKind::Index { ObjectKind::Table } else { object.kind };
        let source = PhotographedObject { kind, name: mapping.table.clone(), ..object.clone() };
        mapped(view, database, &mapping.table) == mapping.table_as && chosen(view, databases, database, &source)
    })
}

/// Whether a fault made an instance vanish from its machine.
pub fn vanished(lens: &Lens<'_>, story: &InstanceStory<'_>) -> bool {
    let name = lens.name(story.id);
    lens.history
        .events
        .iter()
        .any(|event| matches!(&event.what, What::Fault { text, kind, .. } if kind == "vanish" && tells_of(text, &name)))
}

fn migration<'l, 'a>(lens: &'l Lens<'a>, task: &'l TaskStory<'a>) -> Option<Doing<'l, 'a>> {
    let asked = || {
        let mut calls = lens.calls_of_task(task.id);
        let begins = |verb: &str| matches!(verb, "start" | "confirm" | "resume");
        let call = calls.find(|(call, verb)| begins(verb) && call.it.method == "POST" && !call.it.refused())?.0;
        task.views.iter().rev().find(|seen| seen.at <= call.it.sent_at).map(|seen| seen.index)
    };
    let begun = task.views.iter().position(|seen| seen.it.started_at.is_some());
    let from = begun.and_then(|at| at.checked_sub(1)).map(|before| task.views[before].index).or_else(asked)?;
    let over = task.views.iter().find(|seen| seen.it.status == TaskStatus::Finished).map(|seen| seen.at);
    let end = over.into_iter().chain(task.gone.first().map(|(_, at)| *at)).min();
    let until = end.map_or(Timestamp::MAX, |end| end + LINGERS);
    let (source, target) = (Some(&task.first.source.instance_id), &task.first.target.instance_id);
    Some(Doing { source, target, from, until, movement: Movement::Migration(task) })
}

fn restore<'l, 'a>(lens: &'l Lens<'a>, story: &'l RestoreStory<'a>) -> Option<Doing<'l, 'a>> {
    let begun = story.started()?;
    let from = story.view_before(begun.index).map_or(0, |seen| seen.index);
    let until = story.ended().map_or(Timestamp::MAX, |seen| seen.at + LINGERS);
    let target = &lens.data_source(&begun.it.target)?.first.instance_id;
    Some(Doing { source: None, target, from, until, movement: Movement::Restore(story) })
}
