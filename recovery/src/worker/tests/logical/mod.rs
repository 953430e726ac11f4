//! Sets taken, logs collected, and restores of them.

mod backup;
mod conflicts;
mod crash;
mod fold;
mod precheck;
mod restore;

use super::sample::{access, object, product_of, row, shop};
use super::servers::Server;
use super::world::{End, Shared};
use crate::model::content::{ChangeKind, Object, ObjectKind as K, Value};
use crate::model::instance::{Grants, Rights};
use crate::model::logical::backup::{Instant, LogicalType};
use crate::model::logical::restore::{
    DataConflict, RestoreFailure, RestoreObjects, RestoreType, RestoredObject, StructureConflict,
};
use crate::model::task::Work;
use crate::model::work::{DumpJob, Job, LogJob, LogPart, Report, RestoreJob};
use crate::model::{Engine, SetId};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

pub type RowByName = BTreeMap<String, Value>;

/// A shop with five orders, one good, a view, a trigger, a foreign key, a routine, an event and a table without key.
pub fn world() -> Shared {
    let shared = Shared::new(super::sample::work(Work::Migrate, Engine::MySql, "sf", Vec::new()));
    shared.server("source", fill);
    shared
}

fn fill(server: &mut Server) {
    server.grants = Grants::all(Rights::Owner);
    let mut objects = shop();
    let procedure = object(K::Procedure, "clean", "create procedure clean() delete from orders");
    let event = object(K::Event, "nightly", "create event nightly on schedule every 1 day do delete from orders");
    objects.extend([notes(), Object { definer: Some("root@%".into()), ..procedure }, event]);
    let shop = server.put("shop", objects);
    shop.rows.insert("orders".into(), (1..=5).map(order).collect());
    shop.rows.insert("goods".into(), vec![row(1, &[("name", "lamp")])]);
    shop.rows.insert("notes".into(), [1, 1, 2, 2, 3].map(note).to_vec());
}

/// The table without a key.
pub fn notes() -> Object {
    let mut notes = super::sample::table("notes", &["text"]);
    notes.key.clear();
    notes.definition = "create table notes (id int, text varchar(40))".to_owned();
    notes
}

pub fn order(id: i64) -> RowByName {
    row(id, &[("item", "lamp"), ("note", "n")])
}

pub fn note(id: i64) -> RowByName {
    row(id, &[("text", "x")])
}

pub fn job() -> DumpJob {
    DumpJob {
        set: SetId::from("bkx-1"),
        source: access("source", Engine::MySql),
        backup_type: LogicalType::StructureFullLog,
        databases: BTreeSet::new(),
        chunk_rows: 2,
    }
}

/// Does what there is to do.
pub fn run(shared: &Shared) {
    let end = shared.turn(100_000);
    assert!(matches!(end, End::Done(Ok(()))), "{end:?}");
}

/// What was said last.
pub fn last(shared: &Shared) -> Report {
    let world = shared.lock();
    world.logical.as_ref().and_then(|logical| logical.reports.last().cloned()).expect("something was said")
}

/// Takes the set.
pub fn dump(shared: &Shared) -> Instant {
    shared.order(Job::Dump(Box::new(job())));
    run(shared);
    match last(shared) {
        Report::SetCompleted { to, .. } => to,
        other => panic!("{other:?}"),
    }
}

/// Collects a segment of the log; says how far it reaches and whether there was anything.
pub fn collect(shared: &Shared, segment: u64, after: Instant) -> (Instant, bool) {
    let (set, source) = (SetId::from("bkx-2"), access("source", Engine::MySql));
    let job = LogJob { set, segment, after, source, databases: BTreeSet::new() };
    shared.order(Job::CollectLog(Box::new(job)));
    run(shared);
    match last(shared) {
        Report::LogCollected { to, segment_bytes } => (to, segment_bytes.is_some()),
        other => panic!("{other:?}"),
    }
}

pub fn restore_job() -> RestoreJob {
    RestoreJob {
        work: Work::Migrate,
        target: access("target", Engine::MySql),
        registered: product_of(Engine::MySql),
        source_product: product_of(Engine::MySql),
        set: SetId::from("bkx-1"),
        set_completed: true,
        logs: Vec::new(),
        until: None,
        types: BTreeSet::from([RestoreType::Structure, RestoreType::Full]),
        objects: RestoreObjects::All,
        mapping: Vec::new(),
        structure_conflict: StructureConflict::Stop,
        data_conflict: DataConflict::Stop,
        details: Vec::new(),
        planned: false,
        chunk_rows: 2,
        connection_retry_s: 43_200,
    }
}

/// Restores; says what it failed with, if it did.
pub fn restore(shared: &Shared, job: RestoreJob) -> Option<RestoreFailure> {
    shared.order(Job::Restore(Box::new(job)));
    run(shared);
    ended(shared)
}

/// What a restore failed with; panics while it is not over.
pub fn ended(shared: &Shared) -> Option<RestoreFailure> {
    match last(shared) {
        Report::Finished => None,
        Report::RestoreFailed(failure) => Some(failure),
        other => panic!("{other:?}"),
    }
}

/// The details of the restore.
pub fn details(shared: &Shared) -> Vec<RestoredObject> {
    match &shared.lock().logical.as_ref().expect("a job").job {
        Job::Restore(job) => job.details.clone(),
        other => panic!("{other:?}"),
    }
}

/// A part of the log that bkx-2 holds, of so many segments.
pub fn log(segments: u64, from_position: u64) -> Vec<LogPart> {
    vec![LogPart { set: SetId::from("bkx-2"), segments, from_position }]
}

/// Seconds after the world began.
pub fn at(seconds: i64) -> Timestamp {
    crate::ports::clock::later_s("2024-01-01T00:00:00Z".parse().expect("a time"), seconds)
}

/// Lets the world's time be so many seconds after it began.
pub fn wait_until(shared: &Shared, seconds: i64) {
    let mut world = shared.lock();
    world.now = world.now.max(at(seconds));
}

/// Changes a row in the source and in its log.
pub fn change(shared: &Shared, table: &str, old: Option<RowByName>, new: Option<RowByName>) {
    let now = shared.lock().now;
    shared.server("source", |server| change_in(server, now, table, old, new));
}

pub fn change_in(server: &mut Server, now: Timestamp, table: &str, old: Option<RowByName>, new: Option<RowByName>) {
    let rows = server.db("shop").expect("it is there").rows.entry(table.to_owned()).or_default();
    if let Some(old) = &old {
        let place = rows.iter().position(|row| row == old).expect("it is there");
        rows.remove(place);
    }
    rows.extend(new.clone());
    server.log_at(now, "shop", ChangeKind::Row { table: table.to_owned(), old, new });
}

/// Notes a statement in the log of the source.
pub fn statement(shared: &Shared, object: &str, sql: &str) {
    let now = shared.lock().now;
    let kind = ChangeKind::Ddl { object: object.to_owned(), sql: sql.to_owned() };
    shared.server("source", |server| server.log_at(now, "shop", kind));
}

/// Rows of a table of a server, in order.
pub fn rows(shared: &Shared, server: &str, table: &str) -> Vec<String> {
    let mut rows: Vec<String> =
        shared.lock().servers[server].rows("shop", table).iter().map(|row| format!("{row:?}")).collect();
    rows.sort();
    rows
}

/// Whether a table of the target has the rows of the source.
pub fn equal(shared: &Shared, table: &str) -> bool {
    rows(shared, "source", table) == rows(shared, "target", table)
}
